"""Suspect data (S1.6): one person as several leads, and outcomes that nobody looked at.

Nothing here is dropped: duplicates stay on one side of every split, doubtful labels are listed for a person to judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring.audit.separation import Bools, Ints
from scoring.features.inputs import MINUTE

BULK = 20
"""leads that end in one minute: nobody judged them one by one"""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who a lead says it is; blanks as None."""

    lead_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Labels that look wrong for one reason. `at`: microseconds, where they share a time."""

    why: str
    leads: tuple[str, ...]
    won: int
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """`people`: leads that are one person, two or more each."""

    people: tuple[tuple[str, ...], ...]
    disagree: int
    """of those, people of whom one lead was won and another lost"""
    labels: tuple[Doubtful, ...]
    calculated: tuple[str, ...] = ()
    """formula and roll-up fields: their changes move no record's date, so nothing says since when"""


def persons(contacts: Iterable[Contact]) -> dict[str, str]:
    """lead -> the lead that stands for its person. One person: the same e-mail address, or the same full name at the
    same company."""
    found = Union()
    keys: dict[tuple[str, ...], str] = {}
    for one in contacts:
        found.add(one.lead_id)
        for key in _keys(one):
            found.join(keys.setdefault(key, one.lead_id), one.lead_id)
    return {lead: found.root(lead) for lead in found.parent}


def together(*groupings: Mapping[str, str]) -> dict[str, str]:
    """lead -> group, where two leads that share a group in any of the groupings share one."""
    found = Union()
    for grouping in groupings:
        first: dict[str, str] = {}
        for lead, group in grouping.items():
            found.add(lead)
            found.join(first.setdefault(group, lead), lead)
    return {lead: found.root(lead) for lead in found.parent}


def one_sided(person: Sequence[str], test: Bools) -> Bools:
    """Which rows are of a person who is in the test: none of theirs may be trained on."""
    tested = {one for one, held in zip(person, test, strict=True) if held}
    return np.array([one in tested for one in person], bool)


def suspect(
    person: Mapping[str, str],
    outcome: Mapping[str, bool],
    labels: Iterable[Doubtful],
    calculated: Collection[str] = (),
) -> Suspect:
    """`outcome`: of closed leads, whether they were won."""
    groups: dict[str, list[str]] = defaultdict(list)
    for lead, who in person.items():
        groups[who].append(lead)
    people = sorted(tuple(sorted(leads)) for leads in groups.values() if len(leads) > 1)
    apart = sum(len({outcome[lead] for lead in leads if lead in outcome}) > 1 for leads in people)
    return Suspect(tuple(people), apart, tuple(labels), tuple(sorted(calculated)))


def doubtful(
    leads: Sequence[str], ended: Ints, won: Bools, by: Sequence[str | None], people: Collection[str]
) -> list[Doubtful]:
    """Closed leads (times in microseconds) that ended in bulk, and the others whom no person closed. `by`: who closed each,
    None where that isn't known; `people`: the users who are persons."""
    found: list[Doubtful] = []
    ids, in_bulk = np.array(leads, dtype=object), np.zeros(len(leads), bool)
    minute = np.asarray(ended) // MINUTE
    values, counts = np.unique(minute, return_counts=True)
    for value in values[counts >= BULK]:
        rows = minute == value
        in_bulk |= rows
        found.append(Doubtful(f"{int(rows.sum()):,} leads closed in one minute", tuple(ids[rows]), int(won[rows].sum()), int(value) * MINUTE))  # fmt: skip
    known = set(people)
    machine = np.array([who is not None and who not in known for who in by], bool) & ~in_bulk
    if known and machine.any():
        found.append(
            Doubtful("closed by an automation, not by a person", tuple(ids[machine]), int(won[machine].sum()))
        )
    return found


class Union:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def add(self, one: str) -> None:
        self.parent.setdefault(one, one)

    def root(self, one: str) -> str:
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def join(self, one: str, other: str) -> None:
        a, b = sorted((self.root(one), self.root(other)))
        self.parent[b] = a


def _keys(one: Contact) -> Iterable[tuple[str, ...]]:
    if one.email and "@" in one.email:
        name, _, domain = one.email.strip().lower().rpartition("@")
        yield "email", name.partition("+")[0], domain
    names = [_plain(text) for text in (one.first_name, one.last_name, one.company)]
    if all(names):
        yield "name", *names


def _plain(text: str | None) -> str:
    return " ".join((text or "").lower().split())
