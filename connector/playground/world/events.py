"""Reading a file of dated events beside a file of leads: what happened, when, with which lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pyarrow as pa

from connector.errors import InputError
from connector.playground.world.csv import file_of, line_of, read_table
from connector.playground.world.mapping import EventKind, EventsOf

KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True, slots=True)
class Event:
    """`lead` is the id in the leads' file. `text` is in the file's words; of a change of status it is what the status
    became."""

    lead: str
    at: datetime
    kind: EventKind
    text: str | None
    owner: str | None
    machine: bool


def read_events(path: Path, how: EventsOf, created: Mapping[str, datetime]) -> list[Event]:
    """All events in order of time. `created`: lead -> when it came in. InputError names file, line, column and mend."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", fix="Check the path of --events.")
    table = read_table(path)
    _check(table, how)
    texts = _texts(table, how)
    orders = _orders(table, how)
    found: list[tuple[datetime, float, int, Event]] = []
    owners = table[how.owner].to_pylist() if how.owner else [""] * table.num_rows
    machines = set(how.machines)
    rows = zip(
        table[how.lead].to_pylist(), table[how.at].to_pylist(), _kinds(table, how, texts), texts, owners, strict=True
    )  # fmt: skip
    for row, (lead, when, kind, text, owner) in enumerate(rows):
        began = created.get(lead)
        if began is None:
            raise InputError(
                f"{_place(table, row, how.lead)}: {lead!r} is no lead of the leads' file.",
                fix="Export both of the same leads, or remove the line.",
            )
        at = moment(table, row, how.at, when)
        if at < began:
            raise InputError(
                f"{_place(table, row, how.at)}: {when} is before its lead {lead} came in ({began.isoformat()}).",
                fix="Check the times' zones (a time without one is read as UTC), or remove the line.",
            )
        event = Event(lead, at, kind, text or None, owner.strip() or None, owner.strip() in machines)
        found.append((at, orders[row], row, event))
    found.sort(key=lambda one: one[:3])
    return [event for *_, event in found]


def moment(table: pa.Table, row: int, column: str, text: str) -> datetime:
    """A time in UTC; one without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"{_place(table, row, column)}: {text!r} is no time.",
            fix="Write it as 2026-01-31 09:30:00 or 2026-01-31T09:30:00Z.",
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


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
