"""Reading a file of dated events beside a file of leads: what happened, when, with which lead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

import pyarrow as pa

from connector.errors import InputError
from connector.playground.world.csv import file_of, line_of, read_table
from connector.playground.world.mapping import EventKind, EventsOf
from connector.playground.world.plausible import Aside, Moment, Odd, read_moment

KINDS: tuple[EventKind, ...] = get_args(EventKind)


NO_LEAD = "of no lead of the leads' file"
LEAD_ASIDE = "of a lead that is set aside"
NO_TIME = "without a time that can be read"
BEFORE = "before the lead came in"
AFTER = "after the files were exported"
_MENDS = {
    NO_LEAD: "Export both of the same leads.",
    LEAD_ASIDE: "Mend these leads.",
    NO_TIME: "Write it as 2026-01-31 09:30:00 or 2026-01-31T09:30:00Z.",
    BEFORE: "Check the times' zones: a time without one is read as UTC.",
    AFTER: "Check the times, or say when the files were exported: until under [events] of the mapping.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """`lead` is the id in the leads' file. `text` is in the file's words; of a change of status it is what the status
    became. `what`: the same without its second column, or the kind where there are no words."""

    lead: str
    at: datetime
    kind: EventKind
    text: str | None
    owner: str | None
    machine: bool
    what: str


class EventFile:
    """A file of events as read: InputError names what in it fits no mapping. Its rows are looked over by `sift`."""

    def __init__(self, path: Path, how: EventsOf) -> None:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file.", fix="Name the file of --events in it.")
        if not path.is_file():
            raise InputError(f"There is no file {path}.", fix="Check the path of --events.")
        self._table, self._how = read_table(path, of="events"), how
        _check(self._table, how)
        self._leads = [lead.strip() for lead in self._table[how.lead].to_pylist()]
        self._moments = [read_moment(text) for text in self._table[how.at].to_pylist()]
        self._texts = _texts(self._table, how)
        self._kinds = list(_kinds(self._table, how, self._texts))

    @property
    def times(self) -> list[datetime]:
        return [moment.at for moment in self._moments if moment is not None]

    def sift(
        self, created: Mapping[str, datetime], until: datetime, gone: Collection[str] = ()
    ) -> tuple[list[Event], tuple[Aside, ...]]:
        """The events in order of time, and the rows that can't be. `created`: lead -> when it came in; `gone`: leads that are
        set aside. Raises InputError when most rows can't be."""
        how, table, odd = self._how, self._table, Odd.of("event")
        orders = _orders(table, how)
        owners = table[how.owner].to_pylist() if how.owner else [""] * table.num_rows
        whats = _whats(table, how, self._kinds)
        machines = set(how.machines)
        found: list[tuple[datetime, float, int, Event]] = []
        rows = zip(self._leads, self._moments, self._kinds, self._texts, owners, whats, strict=True)
        for row, (lead, moment, kind, text, owner, what) in enumerate(rows):
            began = created.get(lead)
            why = _why_not(moment, began, until, lead in gone)
            if why is not None or moment is None or began is None:
                odd.add(row, why or NO_TIME, _MENDS[why or NO_TIME])
                continue
            at = max(
                began, min(moment.latest, until)
            )  # of a date alone: within that day, and known when it is over
            event = Event(
                lead, at, kind, text or None, owner.strip() or None, owner.strip() in machines, what
            )
            found.append((at, orders[row], row, event))
        found.sort(key=lambda one: one[:3])
        first = {reason: self._said(rows[0], reason, created) for reason, rows in odd.rows.items()}
        return [event for *_, event in found], odd.asides(table.num_rows, first)

    def _said(self, row: int, reason: str, created: Mapping[str, datetime]) -> str:
        table, how, lead = self._table, self._how, self._leads[row]
        when = table[how.at][row].as_py()
        if reason in (NO_LEAD, LEAD_ASIDE):
            said = "is no lead of the leads' file" if reason == NO_LEAD else "is a lead that is set aside"
            return f"{_place(table, row, how.lead)}: {lead!r} {said}"
        if reason == NO_TIME:
            return f"{_place(table, row, how.at)}: {when!r} is no time"
        if reason == BEFORE:
            return f"{_place(table, row, how.at)}: {when} is before its lead {lead} came in ({created[lead].isoformat()})"
        return f"{_place(table, row, how.at)}: {when} is {AFTER}"


def _why_not(moment: Moment | None, began: datetime | None, until: datetime, gone: bool) -> str | None:
    if gone:
        return LEAD_ASIDE
    if began is None:
        return NO_LEAD
    if moment is None:
        return NO_TIME
    if moment.latest < began:
        return BEFORE
    return AFTER if moment.at > until else None


def _check(table: pa.Table, how: EventsOf) -> None:
    wanted = [how.lead, how.at, *filter(None, (how.more, how.owner, how.order))]
    wanted += [how.text] if how.kinds else [how.kind]
    if missing := [name for name in wanted if name not in table.column_names]:
        raise InputError(
            f"{file_of(table)} has no column {', '.join(missing)}; it has {', '.join(table.column_names)}.",
            fix="Say under [events] of the mapping which columns are the lead, at (the time) and kind, or rename them.",
        )


def _texts(table: pa.Table, how: EventsOf) -> list[str]:
    if how.text not in table.column_names:
        return [""] * table.num_rows
    texts = [text.strip() for text in table[how.text].to_pylist()]
    if how.more is None:
        return texts
    return [f"{text} {more.strip()}".strip() for text, more in zip(texts, table[how.more].to_pylist(), strict=True)]  # fmt: skip


def _whats(table: pa.Table, how: EventsOf, kinds: list[EventKind]) -> list[str]:
    if how.text not in table.column_names:
        return list(kinds)
    return [text.strip() or kind for text, kind in zip(table[how.text].to_pylist(), kinds, strict=True)]


def _kinds(table: pa.Table, how: EventsOf, texts: list[str]) -> Iterator[EventKind]:
    said: dict[str, EventKind | None] = {}
    source = texts if how.kinds else table[how.kind].to_pylist()
    for row, text in enumerate(source):
        if text not in said:
            said[text] = _kind(how, text)
        kind = said[text]
        if kind is None and how.kinds:
            raise InputError(
                f"{_place(table, row, how.text)}: {text!r} begins like no kind of the mapping.",
                fix="Add it under [[events.kinds]].",
            )
        if kind is None:
            raise InputError(
                f"{_place(table, row, how.kind)}: {text!r} is no kind of event.",
                fix=f"Use one of {', '.join(KINDS)}, or map them under [[events.kinds]].",
            )
        yield kind


def _kind(how: EventsOf, text: str) -> EventKind | None:
    if how.kinds:
        return next((of.kind for of in how.kinds if text.startswith(of.begins)), None)
    return next((kind for kind in KINDS if kind == text.strip().lower()), None)


def _orders(table: pa.Table, how: EventsOf) -> list[float]:
    if how.order is None:
        return [0.0] * table.num_rows
    found = []
    for row, text in enumerate(table[how.order].to_pylist()):
        try:
            found.append(float(text))
        except ValueError:
            raise InputError(f"{_place(table, row, how.order)}: {text!r} is not a number.") from None
    return found


def _place(table: pa.Table, row: int, column: str) -> str:
    return f"{file_of(table)}, line {line_of(table, row)}, {column}"
