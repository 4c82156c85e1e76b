"""The truth's own columns, each as far as the record and the activities show it at the first scoring.

What an oracle is told is the *form* of the truth: which columns matter, how a spelling or a title is read,
that counts act by their logarithm. It isn't told what nobody wrote down: a column is blank where the record
is, a product where one of its parts is, and what is in no record at all (`UNTOLD`) is no column.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from connector.playground.world import words
from connector.playground.world.formula import EFFECTS
from connector.playground.world.model import Person, Touch, World
from scoring.features.normalise import company_domain

UNTOLD = frozenset({"slow clock"})
COLUMNS = tuple(name for name in EFFECTS if name not in UNTOLD)

_TITLES = {title: kind for kind, titles in words.TITLES.items() for title in titles}
_SOURCES = {spelling: name for name, (_, spellings) in words.SOURCES.items() for spelling in spellings}
_NEW_INDUSTRY = dict.fromkeys(words.NEW_INDUSTRY[1], words.NEW_INDUSTRY[0])
_INDUSTRIES = _NEW_INDUSTRY | {
    spelling: name for name, (_, spellings) in words.INDUSTRIES.items() for spelling in spellings
}
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


FEATURES = tuple(
    Column(name, "firmographic" if name.startswith(_OF_THE_RECORD) else "behavioural") for name in COLUMNS
)


def table(world: World, people: list[Person], scored_at: Mapping[str, datetime]) -> pa.Table:
    """A row for each of `people`, in their order."""
    edits: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person":
            edits[change.key, change.field].append(change)
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
        at = scored_at[person.key]
        known = {name: _known(person, edits[person.key, name], name, at) for name in
                 ("title", "industry", "employees", "source", "hand_raiser", "heard_from")}  # fmt: skip
        seen = [touch for touch in touches[person.key] if touch.at <= at]
        rows.append(_row(known, seen, _colleagues(made.get(_company(person) or ""), at), person.created_at))
    columns = {name: pa.array([row[name] for row in rows], pa.float64()) for name in COLUMNS}
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
        "pricing and a case study": "pricing" in content and "case_study" in content,
        "log(1 + documentation)": documents,
        "replied": replied,
        "forwarded": "email_forwarded" in kinds,
        "heard of us from a colleague": known["heard_from"] and known["heard_from"] == words.COLLEAGUE,
        "log(1 + colleagues)": None if colleagues is None else math.log1p(colleagues),
        "days since the last touch": 7.0 - max(days, default=0.0),
        "technical × log(1 + documentation)": function and (function == "technical") * documents,
        "outbound × replied": source and (source == "outbound list" and replied),
        "under 20 employees × log(1 + page views)": employees and (employees < 20) * views,
    }  # fmt: skip
    return {name: None if values[name] is None else float(values[name]) for name in COLUMNS}


def _known(person: Person, edits: list[Any], name: str, at: datetime) -> Any:
    """What a field said at a time: by its changes, of which the first also tells what stood there before."""
    edits = sorted(edits, key=lambda change: change.at)
    before = [change.new for change in edits if change.at <= at]
    if before:
        return before[-1]
    return edits[0].old if edits else person.fields.get(name)


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
