"""Rows of a file that can't be: told by the files themselves, set aside with the reason and counted, never silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from connector.errors import InputError

EPOCH_YEAR = 1990
"""before it no CRM kept a diary: a date of an empty field"""
STRAY = 0.01
"""of all times, at most: so few after a long silence are slips"""
SILENCE = timedelta(days=90)
"""in which nothing at all happened …"""
OF_SPAN = 0.5
"""… and so much of the time before it: files of years may pause for longer"""
MOST = 0.5
"""of a file's rows: when more can't be, the file was read wrongly, or it is another"""
_DAY_END = timedelta(days=1) - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of a file in UTC. `day`: it is a date alone, so it happened somewhen within it."""

    at: datetime
    day: bool = False

    @property
    def latest(self) -> datetime:
        return self.at + _DAY_END if self.day else self.at


@dataclass(frozen=True, slots=True)
class Aside:
    """Rows that were set aside for one reason. `first`: where the first stands, and what is wrong with it."""

    what: Literal["lead", "event"]
    reason: str
    rows: int
    first: str

    def said(self) -> str:
        return f"{self.rows:,} {self.what}{'' if self.rows == 1 else 's'} {self.reason}"


@dataclass(slots=True)
class Odd:
    """Collects what is set aside of one file."""

    what: Literal["lead", "event"]
    rows: dict[str, list[int]]
    mends: dict[str, str]

    @classmethod
    def of(cls, what: Literal["lead", "event"]) -> Odd:
        return cls(what, {}, {})

    def add(self, row: int, reason: str, mend: str) -> None:
        self.rows.setdefault(reason, []).append(row)
        self.mends.setdefault(reason, mend)

    def asides(self, total: int, first: dict[str, str]) -> tuple[Aside, ...]:
        """The most frequent first. `first`: for each reason where its first row stands. Raises InputError when most of the
        file's `total` rows can't be."""
        found = sorted(
            (Aside(self.what, reason, len(rows), first[reason]) for reason, rows in self.rows.items()),
            key=lambda one: (-one.rows, one.reason),
        )
        odd = sum(one.rows for one in found)
        if odd > MOST * total:
            raise InputError(
                f"{found[0].first}; {odd:,} of {total:,} rows ({odd / total:.0%}) can't be.",
                fix=self.mends[found[0].reason],
            )
        return tuple(found)


def read_moment(text: str) -> Moment | None:
    """A time or a date as text, without a zone UTC; None where it is none."""
    text = text.strip()
    try:
        return Moment(datetime.combine(date.fromisoformat(text), time(), UTC), day=True)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Moment(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def newest(times: Iterable[datetime], today: datetime | None) -> datetime:
    """The newest time that can be: none is after today, and a few that come after a long silence are slips.

    `times`: all of both files that are no older than EPOCH_YEAR.
    """
    found = sorted(at for at in times if today is None or at <= today)
    if not found:
        return today or datetime.max.replace(tzinfo=UTC)
    for place in range(max(1, len(found) - max(1, int(STRAY * len(found)))), len(found)):
        before = found[place - 1]
        if found[place] - before > max(SILENCE, OF_SPAN * (before - found[0])):
            return before
    return found[-1]


def settled(until: datetime | date) -> datetime:
    """When the files were exported, as a mapping says it: a date counts with its whole day, a time without a zone is UTC."""
    if not isinstance(until, datetime):
        return datetime.combine(until, time(), UTC) + _DAY_END
    return until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
