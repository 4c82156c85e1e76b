"""Carrying values from one field to another: what a value becomes, and which records still need it.

A CRM's plain values are read by the field's declared type first (Salesforce gives numbers, HubSpot only texts), so that "62" and 62.0
are one value, and a record that has it is not written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_schema.counting import counted
from crm_schema.declaration import Field
from crm_schema.versions import Convert

MANY = 3
"""refused values that are named; of more only how many"""
Row = tuple[str, Mapping[str, Any]]
"""a record's id, and the vendor's plain values of the fields that were asked for"""


@dataclass(frozen=True, slots=True)
class Hop:
    """One way that values go: from field `source` to `target` of the same record (the same one where choices were renamed).
    `blanks_only`: what stands in the target already was put there by someone, and stays."""

    source: str
    target: str
    was: Field
    to: Field
    convert: Convert
    blanks_only: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that has no counterpart in the field that takes the values."""

    id: str
    field: str
    why: str


def differing(rows: Sequence[Row], hops: Sequence[Hop]) -> Iterator[tuple[str, dict[str, Any]] | Refused]:
    """What is still to be written: (id, values by field). Nothing, once every value stands where it belongs."""
    for id, values in rows:
        change: dict[str, Any] = {}
        for hop in hops:
            old, there = read(hop.was, values.get(hop.source)), _there(hop.to, values.get(hop.target))
            if hop.blanks_only and there is not None:
                continue
            try:
                new = None if old is None else hop.convert(old)
            except ValueError as error:
                yield Refused(id, hop.source, str(error))
                continue
            if new is None and there is False:
                continue  # a checkbox of Salesforce is never blank
            if new != there:
                change[hop.target] = plain(hop.to, new)
        if change:
            yield id, change


def read(f: Field, value: Any) -> Any:
    """A vendor's plain value as number, text, flag or list of choices; None when it is blank."""
    if value is None or value == "":
        return None
    match f.type:
        case "number":
            return float(value)
        case "flag":
            return value is True or str(value).lower() == "true"
        case "choices":
            return sorted(part for part in str(value).split(";") if part)
        case _:
            return str(value)


_STALE = object()


def _there(f: Field, value: Any) -> Any:
    """What stands in the field that takes the values; what a former type left there equals nothing."""
    try:
        return read(f, value)
    except ValueError:
        return _STALE


def plain(f: Field, value: Any) -> Any:
    """The way back, for both vendors: choices joined, the rest as it is."""
    return ";".join(value) if f.type == "choices" and isinstance(value, list) else value


def usual(was: Field, to: Field) -> Convert:
    """What a value becomes where no step says otherwise. Nothing is cut or guessed: ValueError for what doesn't fit."""

    def convert(value: Any) -> Any:
        if to.type in ("text", "long_text"):
            text = _text(value)
            if len(text) > to.length:
                raise ValueError(f"it is {len(text)} characters long, {to.label} holds {to.length}")
            return text
        if to.type == was.type:
            return value
        if to.type == "number":
            return float(value)  # a text that is no number says so itself
        if to.type == "choices" and was.type == "choice":
            return [value]
        if to.type in ("choice", "choices"):
            found = _choice(to, value)
            return found if to.type == "choice" else [found]
        raise ValueError(f"a {was.type.replace('_', ' ')} can't become a {to.type.replace('_', ' ')}")

    return convert


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return "; ".join(value) if isinstance(value, list) else str(value)


def _choice(to: Field, value: Any) -> str:
    wanted = _text(value).strip().lower()
    for c in to.choices:
        if wanted in (c.value.lower(), c.label.lower()):
            return c.value
    raise ValueError(f"“{_text(value)[:40]}” is no choice of {to.label}")


def renaming(renamed: Mapping[str, str]) -> Convert:
    """Choices under their new names."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return sorted({renamed.get(v, v) for v in value})
        return renamed.get(value, value)

    return convert


def refusal(object_name: str, refused: Sequence[Refused]) -> str:
    """One line on values that can't go along."""
    named = "; ".join(f"{r.field} of {r.id}: {r.why}" for r in refused[:MANY])
    more = f"; and {len(refused) - MANY} more" if len(refused) > MANY else ""
    have = "has" if len(refused) == 1 else "have"
    return f"{counted(len(refused), 'value')} of {object_name} {have} no counterpart in the new field: {named}{more}."


def calls(rows: Mapping[str, dict[str, Any]], hops: Sequence[Hop], batch: int) -> tuple[int, list[Refused]]:
    """Write calls that a carrying takes, and what can't go; the rows are as they will be afterwards."""
    count, refused = 0, []
    for found in list(differing(list(rows.items()), hops)):
        if isinstance(found, Refused):
            refused.append(found)
        else:
            rows[found[0]].update(found[1])
            count += 1
    return -(-count // batch), refused
