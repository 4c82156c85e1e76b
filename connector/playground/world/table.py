"""Any file of leads as a world, in snapshot mode: nothing in it is dated, so dates are made up and carry no news.

Rows for training become leads that ended (won ones with a deal), old enough for their outcome to be mature. Held-out
rows become open leads; how they ended stands in the truth alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from connector.errors import InputError
from connector.playground.world.csv import file_of, line_of, read_table
from connector.playground.world.generate import AES, NOW, SDRS, make_owners
from connector.playground.world.mapping import TAKEN, ColumnType, TableMapping, read_mapping
from connector.playground.world.model import Column, Deal, FieldChange, Person, Truth, World
from connector.playground.world.proposal import propose
from scoring.features.dates import absolute

OLDEST, MATURE = timedelta(days=560), timedelta(days=200)
"""Training rows were created between these ages, in the file's order."""
OPEN_OLDEST, OPEN_YOUNGEST = timedelta(days=20), timedelta(days=8)
"""Held-out rows, between these: older than the week after which a lead is first scored."""
DECIDED_AFTER = timedelta(days=30)
STANDARD: dict[str, ColumnType] = {
    "title": "text", "industry": "text", "employees": "number", "annual_revenue": "number", "country": "text",
    "source": "text", "phone": "text", "linkedin": "text", "product_interest": "text", "use_case": "text",
    "heard_from": "text", "needed_by": "date", "hand_raiser": "flag", "opted_out": "flag", "points": "number",
}  # fmt: skip
_OWN = ("first_name", "last_name", "email", "company")
_YES, _NO = {"yes", "y", "true", "t", "1"}, {"no", "n", "false", "f", "0"}


def load(path: Path, mapping: Path | None = None) -> tuple[World, Truth]:
    """A file and its mapping (a path, a shipped one's name, or None: proposed) as a world, in snapshot mode."""
    table = read_table(path)
    return from_table(table, propose(table, path.stem) if mapping is None else read_mapping(mapping))


def from_table(table: pa.Table, mapping: TableMapping) -> tuple[World, Truth]:
    """One lead a row. InputError names what in mapping or file does not fit."""
    read = read_rows(table, mapping)
    outcome = [won for won in read.won if won is not None]
    if len(outcome) < table.num_rows:
        raise InputError(
            f"{file_of(table)} has {table.num_rows - len(outcome)} leads without an outcome, and no dates.",
            fix="Give their events with --events, or leave those leads out.",
        )
    count, held, fields, own, extra = (
        table.num_rows, read.held_out, read.fields, read.own, read.extra,
    )  # fmt: skip
    amounts = read.amounts or [None] * count
    ids = table[mapping.id].to_pylist() if mapping.id else [f"{i:06d}" for i in range(1, count + 1)]
    created = _dates(held)
    people, deals, changes = [], [], []
    for i in range(count):
        key, won, sdr, ae = f"L{i + 1:06d}", outcome[i], SDRS[i % len(SDRS)], AES[i % len(AES)]
        decided = created[i] + DECIDED_AFTER
        status = "new" if held[i] else "converted" if won else "disqualified"
        person = Person(
            key, own["first_name"][i] if "first_name" in own else None,
            (own["last_name"][i] if "last_name" in own else None) or str(ids[i]),
            own["email"][i] if "email" in own else None,
            (own["company"][i] if "company" in own else None) or f"Lead {ids[i]}",
            None, created[i], created[i] if held[i] else decided, ae if status == "converted" else sdr, status,
            {name: column[i] for name, column in (*fields.items(), *extra.items())},
        )  # fmt: skip
        people.append(person)
        if held[i]:
            continue
        changes.append(FieldChange("person", key, "status", decided, "new", status, sdr))
        if won:
            changes.append(FieldChange("person", key, "owner", decided, sdr, ae, sdr))
            person.converted_at, person.deal = decided, f"D{i + 1:06d}"
            deals.append(Deal(
                f"D{i + 1:06d}", f"{person.company} deal", None, [key], ae, amounts[i], "won", decided, decided, decided,
            ))  # fmt: skip
    changes.sort(key=lambda change: (change.at, change.key))
    columns = [
        Column(name, label(of.column), of.type, sorted({v for v in extra[name] if v}) if of.type == "choice" else [])
        for name, of in mapping.columns.items()
    ]  # fmt: skip
    world = World(mapping.name, NOW, make_owners(), [], people, deals, changes, [], columns)
    keys = [person.key for person in people]
    truth = Truth(
        horizon_days=180,
        probability={key: float(won) for key, won in zip(keys, outcome, strict=True)},
        scored_at={person.key: person.created_at + timedelta(days=7) for person in people},
        design=[],
        rows={},
        cause={key: "held out" if h else "training" for key, h in zip(keys, held, strict=True)},
        wins={k: at + DECIDED_AFTER for k, at, won in zip(keys, created, outcome, strict=True) if won},
        deals={person.key: person.deal for person in people if person.deal is not None},
        amounts={key: float(amount) for key, amount in zip(keys, amounts, strict=True) if amount is not None},
    )
    return world, truth


@dataclass(frozen=True, slots=True)
class Rows:
    """A file's rows in the mapping's words, each list as long as the file."""

    won: list[bool | None]
    """None: no outcome yet"""
    held_out: list[bool]
    fields: dict[str, list[Any]]
    """standard fields that may describe a lead"""
    own: dict[str, list[Any]]
    """name, company and address"""
    extra: dict[str, list[Any]]
    amounts: list[Any]

    def at(self, places: Sequence[int]) -> Rows:
        """Those rows alone."""

        def of(values: Sequence[Any]) -> list[Any]:
            return [values[place] for place in places] if values else []

        def each(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
            return {name: of(column) for name, column in columns.items()}

        return Rows(
            won=of(self.won), held_out=of(self.held_out), fields=each(self.fields), own=each(self.own),
            extra=each(self.extra), amounts=of(self.amounts),
        )  # fmt: skip


def read_rows(table: pa.Table, mapping: TableMapping) -> Rows:
    """Outcomes and values, read and checked. InputError names file, line and column."""
    _check(table, mapping)
    return Rows(
        won=_outcomes(table, mapping),
        held_out=_held_out(table.num_rows, mapping),
        fields={name: _values(table, mapping, column, STANDARD[name])
                for name, column in mapping.lead.items() if name in STANDARD},
        own={name: _values(table, mapping, column, "text") for name, column in mapping.lead.items() if name in _OWN},
        extra={name: _values(table, mapping, of.column, of.type) for name, of in mapping.columns.items()},
        amounts=_values(table, mapping, mapping.outcome.amount, "number") if mapping.outcome.amount else [],
    )  # fmt: skip


def _check(table: pa.Table, mapping: TableMapping) -> None:
    there, used = set(table.column_names), mapping.used()
    if missing := sorted(set(used) - there):
        raise InputError(
            f"The mapping names columns that {file_of(table)} does not have: {', '.join(missing)}.",
            fix=f"It has: {', '.join(sorted(there))}.",
        )
    if unnamed := sorted(there - set(used)):
        raise InputError(
            f"The mapping says nothing about columns of {file_of(table)}: {', '.join(unnamed)}.",
            fix="Put each under [columns], [lead] or [left_out].",
        )
    if unknown := sorted(set(mapping.lead) - set(STANDARD) - set(_OWN)):
        raise InputError(f"[lead] has no field {', '.join(unknown)}.", fix="Put it under [columns].")
    if clash := sorted(set(mapping.columns) & TAKEN):
        raise InputError(f"[columns] can't be named {', '.join(clash)}: CRMs have fields of that name.")
    for name in mapping.columns:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,35}", name) or "__" in name or name.endswith("_"):
            raise InputError(
                f"[columns] {name}: a field's name has up to 36 small letters, digits and single underscores."
            )


def _outcomes(table: pa.Table, mapping: TableMapping) -> list[bool | None]:
    said: dict[str, bool | None] = {
        **{v.strip(): None for v in mapping.outcome.open},
        **{v.strip(): False for v in mapping.outcome.lost},
        **{v.strip(): True for v in mapping.outcome.won},
    }
    found = []
    for row, value in enumerate(table[mapping.outcome.column].to_pylist()):
        if value.strip() not in said:
            raise InputError(
                f"{file_of(table)}, line {line_of(table, row)}, {mapping.outcome.column}: {value!r} is neither won "
                f"({', '.join(mapping.outcome.won)}) nor lost ({', '.join(mapping.outcome.lost)}).",
                fix="Name it under [outcome] of the mapping, or remove the row.",
            )
        found.append(said[value.strip()])
    return found


def _held_out(count: int, mapping: TableMapping) -> list[bool]:
    out = round(count * mapping.held_out.share)
    if mapping.held_out.order == "last":
        return [i >= count - out for i in range(count)]
    chosen = set(Random(mapping.held_out.seed).sample(range(count), out))
    return [i in chosen for i in range(count)]


def _dates(held: list[bool]) -> list[datetime]:
    """When each lead was made: evenly, in the file's order, held-out ones lately."""
    total = {True: max(sum(held), 1), False: max(len(held) - sum(held), 1)}
    seen = {True: 0, False: 0}
    dates = []
    for out in held:
        oldest, youngest = (OPEN_OLDEST, OPEN_YOUNGEST) if out else (OLDEST, MATURE)
        age = oldest - (oldest - youngest) * (seen[out] / total[out])
        dates.append(NOW - timedelta(seconds=round(age.total_seconds())))
        seen[out] += 1
    return dates


def _values(table: pa.Table, mapping: TableMapping, column: str, type: ColumnType) -> list[Any]:
    blanks = {value.strip().lower() for value in (*mapping.blanks, *mapping.blanks_of.get(column, []))} | {""}
    read = _READ[type]
    found: list[Any] = []
    for row, text in enumerate(table[column].to_pylist()):
        text = text.strip()
        try:
            found.append(None if text.lower() in blanks else read(text))
        except ValueError as error:
            raise InputError(
                f"{file_of(table)}, line {line_of(table, row)}, {column}: {text!r} is not a {type}.",
                fix="Mend it, name it under [blanks_of], or map the column as choice.",
            ) from error
    return found


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError(text)


def _number(text: str) -> float | int:
    value = float(text)
    if not abs(value) < 1e15:
        raise ValueError(text)
    return int(value) if value.is_integer() else value


def _day(text: str) -> str:
    day = absolute(text)
    if day is None:
        raise ValueError(text)
    return day.isoformat()


_READ: dict[ColumnType, Callable[[str], Any]] = {
    "text": str,
    "choice": str,
    "number": _number,
    "flag": _flag,
    "date": _day,
}


def label(column: str) -> str:
    """A column's name as people read it."""
    words = column.replace("_", " ").strip()
    return words[:1].upper() + words[1:40]
