"""What Salesforce refuses in a write, field by field, then by the org's own rules. Gives back the values as stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.playground.org import Org
from connector.playground.salesforce import formula, ids, times
from connector.playground.salesforce.errors import Fault, no_column
from connector.playground.salesforce.model import Field, SObject
from connector.playground.salesforce.schema import Schema

_NUMERIC = frozenset({"int", "double", "currency", "percent"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def accepted(org: Org, schema: Schema, obj: SObject, body: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """The values to store, by their API names; Fault for the first thing that is wrong."""
    named: dict[str, tuple[Field, Any]] = {}
    locked = []
    for key, value in body.items():
        if key == "attributes" or key.lower() == "id":
            continue
        found = obj.find(key)
        if found is None:
            raise no_column(key, obj.name)
        if not schema.may_write(obj, found, new=new):
            locked.append(found.name)
        named[found.name] = (found, value)
    if locked:
        raise Fault(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            fields=locked,
        )
    values = {name: clean(f, value) for name, (f, value) in named.items()}
    for name, value in values.items():
        if value is not None and obj.fields[name].type == "reference":
            _exists(org, schema, obj.fields[name], value)
    return values


def clean(f: Field, value: Any) -> Any:
    """One value in the form it is kept and answered in."""
    if value is None or value == "":
        return False if f.type == "boolean" else None
    if isinstance(value, dict | list):
        raise _unreadable(f, "START_OBJECT" if isinstance(value, dict) else "START_ARRAY", value)
    if f.type == "boolean":
        return _flag(f, value)
    if f.type in _NUMERIC:
        return _number(f, value)
    if isinstance(value, bool | int | float):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if f.type == "datetime":
        at = times.parse(value)
        if at is None:
            raise _unreadable(f, "VALUE_STRING", value)
        return times.text(at)
    if f.type == "date":
        if not times.is_day(value[:10]) or (len(value) > 10 and times.parse(value) is None):
            raise _unreadable(f, "VALUE_STRING", value)
        return value[:10]
    if f.type == "reference":
        if not ids.well_formed(value):
            raise Fault("MALFORMED_ID", f"{f.label}: id value of incorrect type: {value}", fields=[f.name])
        return ids.full(value)
    return _text(f, value)


def _flag(f: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "1", "false", "0"):
        return str(value).lower() in ("true", "1")
    raise _unreadable(f, "VALUE_STRING", value)


def _number(f: Field, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _unreadable(f, "VALUE_TRUE" if value else "VALUE_FALSE", value)
    try:
        number = float(value)
    except ValueError:
        raise _unreadable(f, "VALUE_STRING", value) from None
    digits = f.precision - f.scale
    if number != number or (digits > 0 and abs(number) >= 10**digits):
        raise Fault(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{f.label}: value outside of valid range on numeric field: {value}",
            fields=[f.name],
        )  # fmt: skip
    if f.type == "int":
        return int(number)
    return round(number, f.scale) if f.precision else number


def _text(f: Field, value: str) -> str:
    if f.type not in ("picklist", "multipicklist") and f.length and len(value) > f.length:
        raise Fault(
            "STRING_TOO_LONG",  # [unsourced] wording
            f"{f.label}: data value too large: {value[:60]} (max length={f.length})",
            fields=[f.name],
        )
    if f.type == "email" and not _EMAIL.fullmatch(value):
        raise Fault("INVALID_EMAIL_ADDRESS", f"{f.label}: invalid email address: {value}", fields=[f.name])
    if f.restricted:
        for part in value.split(";") if f.type == "multipicklist" else [value]:
            if part not in f.picklist:
                raise Fault(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{f.label}: bad value for restricted picklist field: {part}",
                    fields=[f.name],
                )
    return value


def _unreadable(f: Field, token: str, value: Any) -> Fault:
    wanted = {"currency": "double", "percent": "double"}.get(f.type, f.type)
    return Fault(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {wanted} from {token} value {value} or request may be missing a required field",
    )


def _exists(org: Org, schema: Schema, f: Field, id: str) -> None:
    for name in f.refers:
        target = schema.find(name)
        if target is not None and target.prefix == id[:3]:
            row = org.get(target.name, id)
            if row is not None and not row.deleted:
                return
    raise Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def complete(obj: SObject, values: Mapping[str, Any], fields: Sequence[str] = ()) -> None:
    """Every required field has a value: of a new record all of them, of a change those that it touches."""
    missing = [
        f.name
        for f in obj.fields.values()
        if f.required and f.writable and f.type != "boolean" and (not fields or f.name in fields)
        and f.default is None and values.get(f.name) is None
    ]  # fmt: skip
    if missing:
        raise Fault(
            "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=missing
        )


def holders(org: Org, obj: str, field: str, value: Any) -> list[str]:
    """The live records with that value in a field. The text must fit the index of keys (metadata/apply.py)."""
    rows = org.sql(
        f"select id from record where obj = '{obj}' and json_extract(data, '$.{field}') = ? collate nocase "
        "and deleted = 0 order by id",
        (value,),
    )
    return [str(r[0]) for r in rows]


def unique(org: Org, obj: SObject, values: Mapping[str, Any], id: str | None) -> None:
    for name, value in values.items():
        if value is not None and obj.fields[name].unique:
            other = next((h for h in holders(org, obj.name, name, value) if h != id), None)
            if other is not None:
                raise Fault(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {other}",
                    fields=[name],
                )


def by_rules(
    schema: Schema, obj: SObject, record: Mapping[str, Any], prior: Mapping[str, Any] | None, now: int
) -> None:
    """The org's active validation rules, in the order of their names."""
    scope = formula.Scope(record, prior, times.text(now))
    for key in sorted(schema.rules):
        rule = schema.rules[key]
        if key.split(".", 1)[0] == obj.name and rule["active"] and formula.true(rule["formula"], scope):
            field = rule.get("field")
            raise Fault("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule["message"], fields=[field] if field else [])
