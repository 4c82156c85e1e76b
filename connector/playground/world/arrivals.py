"""The leads that come after hand-over, at the scenario's own rate: half-years of the same pipeline, made as they are
reached, each from a seed of its own. What is made of one world is the same at any moment it is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from zlib import crc32

from connector.playground.world import words
from connector.playground.world.generate import MONTH_DAYS, generate
from connector.playground.world.model import Account, FieldChange, Person, Touch, Truth, World
from connector.playground.world.scenario import Scenario

MONTHS = 6
_V = TypeVar("_V")
ENDINGS = ("nova", "terra", "vento", "alta", "cora", "mira", "luma", "vera")
"""What the companies of one half-year end in, so that none is one of another half-year or of the history."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A lead as it is known when it comes."""

    person: Person
    account: Account | None


@dataclass(slots=True)
class Arrivals:
    """`a_month`: leads a month; `since`: when the org was handed over."""

    scenario: Scenario
    a_month: float
    seed: int
    since: datetime
    _made: dict[int, tuple[list[Newcomer], Truth]] = field(default_factory=dict)

    def until(self, ms: int) -> list[Newcomer]:
        """Everybody who comes before a moment, by time of arrival."""
        end = datetime.fromtimestamp(ms / 1000, self.since.tzinfo)
        found = [one for n in range(self._count(end)) for one in self._block(n)[0]]
        return [one for one in found if one.person.created_at <= end]

    def joined(self, truth: Truth, ms: int) -> Truth:
        """The truth of the history and of those who come, for the reps to live by."""
        blocks = [
            self._block(n)[1]
            for n in range(self._count(datetime.fromtimestamp(ms / 1000, self.since.tzinfo)))
        ]
        both = [truth, *blocks]
        return replace(
            truth,
            probability={k: v for one in both for k, v in one.probability.items()},
            scored_at={k: v for one in both for k, v in one.scored_at.items()},
            cause={k: v for one in both for k, v in one.cause.items()},
            wins={k: v for one in both for k, v in one.wins.items()},
            losses={k: v for one in both for k, v in one.losses.items()},
            amounts={k: v for one in both for k, v in one.amounts.items()},
            ahead=[touch for one in both for touch in one.ahead],
            fates=[fate for one in both for fate in one.fates],
        )

    def _count(self, end: datetime) -> int:
        return max(0, -((self.since - end) // self._length))

    @property
    def _length(self) -> timedelta:
        return timedelta(days=round(MONTHS * MONTH_DAYS))

    def _block(self, number: int) -> tuple[list[Newcomer], Truth]:
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]

    def _make(self, number: int) -> tuple[list[Newcomer], Truth]:
        begin = self.since + number * self._length
        # What appears in the course of the history is there by now.
        there = self.scenario.model_copy(update={
            "new_persona": self.scenario.new_persona.model_copy(update={"from_month": 0}),
            "new_market": self.scenario.new_market.model_copy(update={"after": 0.0}),
            "owners": self.scenario.owners.model_copy(update={"leavers": 0.0}),
        })  # fmt: skip
        world, truth = generate(
            round(self.a_month * MONTHS), MONTHS, crc32(f"{self.seed}/arrivals/{number}".encode()),
            begin.date(), there, ENDINGS[number % len(ENDINGS)],
        )  # fmt: skip
        return _newcomers(world, number), _renamed(world, truth, number)


def _newcomers(world: World, number: int) -> list[Newcomer]:
    """Everybody as they came: later edits are the reps' to make."""
    accounts = {a.key: replace(a, key=_key(a.key, number)) for a in world.accounts}
    edits: dict[str, list[FieldChange]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person":
            edits[change.key].append(change)
    found: list[Newcomer] = []
    for person in sorted(world.people, key=lambda p: (p.created_at, p.key)):
        if person.created_at >= world.now:
            continue  # who would come later than the half-year has been moved to its end
        fields, owner = dict(person.fields), person.owner
        for change in reversed(edits[person.key]):
            if change.field == "owner":
                owner = change.old
            elif change.field != "status":
                fields[change.field] = change.old
        account = accounts.get(person.account or "")
        first = replace(
            person, key=_key(person.key, number), email=_address(person.email, number), fields=fields, owner=owner, status="new",
            account=account.key if account else None, modified_at=person.created_at, converted_at=None, deal=None,
        )  # fmt: skip
        found.append(Newcomer(first, account))
    return found


def _address(email: str | None, number: int) -> str | None:
    """A private address of their own; those at companies are theirs by the company's name."""
    private = email is not None and email.split("@")[1] in words.FREE_MAIL
    return email.replace("@", f".n{number}@") if email is not None and private else email


def _named(values: Mapping[str, _V], number: int) -> dict[str, _V]:
    return {_key(k, number): v for k, v in values.items()}


def _renamed(world: World, truth: Truth, number: int) -> Truth:
    fates = [*world.fates, *truth.fates]
    strays = {person.key for person in world.strays}
    return replace(
        truth, probability=_named(truth.probability, number), scored_at=_named(truth.scored_at, number), cause=_named(truth.cause, number),
        wins=_named(truth.wins, number), losses=_named(truth.losses, number), amounts=_named(truth.amounts, number), deals={},
        ahead=[_moved(touch, number) for touch in (*world.touches, *truth.ahead)],
        fates=[replace(fate, key=_key(fate.key, number), into=fate.into and _key(fate.into, number))
               for fate in fates if fate.key not in strays],
    )  # fmt: skip


def _moved(touch: Touch, number: int) -> Touch:
    return replace(touch, key=_key(touch.key, number), person=_key(touch.person, number))


def _key(key: str, number: int) -> str:
    return f"N{number}{key}"
