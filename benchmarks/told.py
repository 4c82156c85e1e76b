"""The truth's own columns, each as far as the record and the activities show it at the first scoring.

What an oracle is told is the *form* of the truth: which columns matter, how a spelling or a title is read,
that counts act by their logarithm. It isn't told what nobody wrote down: a column is blank where the record
is, a product where one of its parts is, and what is in no record at all (`UNTOLD`) is no column. Which columns there
are, the truth says: a scenario's pathologies add theirs.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from benchmarks.as_of import as_of, edits
from connector.playground.world import words
from connector.playground.world.model import Account, Person, Touch, Truth, World
from scoring.features.normalise import company_domain

UNTOLD = frozenset({
    "slow clock", "referred, and filed elsewhere", "champion without a title", "boss in a committee that another carries",
})  # fmt: skip

_TITLES = {title: kind for kind, titles in words.TITLES.items() for title in titles}
_SOURCES = {spelling: name for name, (_, spellings) in words.SOURCES.items() for spelling in spellings}
_NEW_INDUSTRY = dict.fromkeys(words.NEW_INDUSTRY[1], words.NEW_INDUSTRY[0])
_INDUSTRIES = _NEW_INDUSTRY | {
    spelling: name
    for name, spellings in (
        *((name, spellings) for name, (_, spellings) in words.INDUSTRIES.items()),
        *words.OUTSIDERS.items(),
        words.PRIVATE_EQUITY,
    )
    for spelling in spellings
}
_ENTERPRISE = 1000
"""employees, from which signs flip"""
_OF_THE_RECORD = (
    "source",
    "function",
    "seniority",
    "distance",
    "industry",
    "hand",
    "heard",
    "technical ×",
    "under 20",
    "outside",
    "researcher",
    "new persona",
    "known to us",
    "enterprise × seniority",
)


@dataclass(frozen=True)
class Column:
    """A plain number, as the model takes it."""

    name: str
    family: str
    type: str = "number"
    unit: str = ""
    role: str = "model"

    @property
    def label(self) -> str:
        return self.name


def features(rows: pa.Table) -> tuple[Column, ...]:
    """Of the columns of a told table."""
    return tuple(
        Column(name, "firmographic" if name.startswith(_OF_THE_RECORD) else "behavioural")
        for name in rows.column_names if name != "lead_id"
    )  # fmt: skip


def table(world: World, people: list[Person], truth: Truth) -> pa.Table:
    """A row for each of `people`, in their order, as of its first scoring."""
    names = [name for name in truth.design if name not in UNTOLD]
    changes, accounts = edits(world), {account.key: account for account in world.accounts}
    touches: dict[str, list[Touch]] = defaultdict(list)
    for touch in world.touches:
        if touch.actor == "person" and touch.owner is None:
            touches[touch.person].append(touch)
    made: dict[str, list[datetime]] = defaultdict(list)
    for person in world.people:
        if (company := _company(person)) is not None:
            made[company].append(person.created_at)
    for times in made.values():
        times.sort()
    rows = []
    for person in people:
        at = truth.scored_at[person.key]
        known = {name: as_of(person.fields.get(name), changes.get((person.key, name), ()), at) for name in
                 ("title", "industry", "employees", "source", "hand_raiser", "heard_from")}  # fmt: skip
        known["renamed"] = _renamed(person, accounts.get(person.account or ""))
        seen = [touch for touch in touches[person.key] if touch.at <= at]
        rows.append(_row(known, seen, _colleagues(made.get(_company(person) or ""), at), person.created_at))
    columns = {name: pa.array([row[name] for row in rows], pa.float64()) for name in names}
    return pa.table({"lead_id": [person.key for person in people], **columns})


def _row(
    known: dict[str, Any], seen: list[Touch], colleagues: int | None, created: datetime
) -> dict[str, float | None]:
    function, seniority = _TITLES.get(known["title"], (None, None))
    source, industry = _SOURCES.get(known["source"]), _INDUSTRIES.get(known["industry"])
    employees = None if known["employees"] is None else float(known["employees"])
    content = [touch.detail.get("content") for touch in seen]
    kinds = {touch.kind for touch in seen}
    views = math.log1p(sum(touch.kind == "page_view" for touch in seen))
    documents = math.log1p(content.count("documentation"))
    replied = "email_replied" in kinds
    both = "pricing" in content and "case_study" in content
    big = employees and employees >= _ENTERPRISE
    days = [(touch.at - created) / timedelta(days=1) for touch in seen]
    values: dict[str, Any] = {
        **{f"source {name}": source and source == name for name in words.SOURCES},
        **{f"function {name}": function and function == name for name in words.FUNCTIONS},
        "seniority (0-4)": seniority,
        "distance from 250 employees, log10, squared": employees and math.log10(employees / 250) ** 2,
        **{f"industry {name}": industry and industry == name for name in (*words.INDUSTRIES, words.NEW_INDUSTRY[0])},
        "hand-raiser": known["hand_raiser"],
        "log(1 + page views)": views,
        "came back within 48 h": _returned(seen),
        "pricing and a case study": both,
        "log(1 + documentation)": documents,
        "replied": replied,
        "forwarded": "email_forwarded" in kinds,
        "heard of us from a colleague": known["heard_from"] and known["heard_from"] == words.COLLEAGUE,
        "log(1 + colleagues)": None if colleagues is None else math.log1p(colleagues),
        "days since the last touch": 7.0 - max(days, default=0.0),
        "technical × log(1 + documentation)": function and (function == "technical") * documents,
        "outbound × replied": source and (source == "outbound list" and replied),
        "under 20 employees × log(1 + page views)": employees and (employees < 20) * views,
        "outside the ideal profile": industry and industry in words.OUTSIDERS,
        "researcher of a private-equity firm": known["title"] and known["title"] in words.RESEARCHERS,
        "new persona": known["title"] and known["title"] in words.NEW_PERSONA,
        "known to us under an old name": known["renamed"],
        "enterprise × log(1 + page views)": None if big is None else big * views,
        "enterprise × log(1 + documentation)": None if big is None else big * documents,
        "enterprise × seniority": None if big is None or seniority is None else big * seniority,
        "outbound × pricing and a case study": source and (source == "outbound list" and both),
    }  # fmt: skip
    return {name: None if value is None else float(value) for name, value in values.items()}


def _renamed(person: Person, account: Account | None) -> bool | None:
    """Whether a lead came under its company's new name: its account is the one record that says both."""
    if account is None:
        return None
    return "(formerly " in account.name and not account.name.endswith(f"(formerly {person.company})")


def _returned(seen: list[Touch]) -> bool:
    """Whether a visit began within 48 hours of the one before."""
    begun: dict[Any, datetime] = {}
    for touch in sorted((t for t in seen if t.kind == "page_view"), key=lambda t: t.at):
        begun.setdefault(touch.detail.get("session"), touch.at)
    return any(later - earlier <= timedelta(hours=48) for earlier, later in pairwise(begun.values()))


def _company(person: Person) -> str | None:
    return person.account or (company_domain(person.email) if person.email else None)


def _colleagues(made: list[datetime] | None, at: datetime) -> int | None:
    """Other leads of the company that came in the 30 days before; None where the company isn't known."""
    if made is None:
        return None
    return bisect_right(made, at) - bisect_right(made, at - timedelta(days=30)) - 1
