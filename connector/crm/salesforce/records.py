"""Rows to records and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connector.crm.base import Change, Kind, Record, Value
from connector.crm.salesforce.describes import Described
from connector.crm.salesforce.fields import from_vendor, moment

Row = Mapping[str, Any]

ROLES = "OpportunityContactRole"
_HISTORY_NAMES = {"Owner": "OwnerId", "Account": "AccountId"}
"""History names a reference by its relationship."""
_CONVERSION = "leadConverted"
"""The history row that dates a conversion: ConvertedDate is a day without a time (FACTS 8)."""


def record(kind: Kind, row: Row, mapped: Mapping[str, str], described: Described) -> Record:
    values: dict[str, Value] = {
        canonical: from_vendor(row.get(vendor), described.fields[vendor]["type"])
        for canonical, vendor in mapped.items()
    }
    if kind == "account" and "domain" in values:
        values["domain"] = domain(values["domain"])
    if kind == "deal":
        values["lead_ids"] = _people(row, described)
    return Record(
        kind=kind,
        id=row["Id"],
        created_at=moment(row["CreatedDate"]),
        modified_at=moment(row["SystemModstamp"]),
        values=values,
        deleted=bool(row.get("IsDeleted", False)),
        merged_into=row.get("MasterRecordId") or None,
    )


def _people(row: Row, described: Described) -> list[str]:
    """The contacts of a deal: its contact roles, and the primary one."""
    relationship = described.children.get(ROLES, "")
    roles = (row.get(relationship) or {}).get("records", [])
    ids = [r["ContactId"] for r in roles if r.get("ContactId")]
    if row.get("ContactId"):
        ids.append(row["ContactId"])
    return list(dict.fromkeys(ids))


def domain(value: Value) -> Value:
    """
    >>> domain("https://www.acme.example/about"), domain("Acme.example")
    ('acme.example', 'acme.example')
    """
    if not isinstance(value, str):
        return None
    host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
    return host.removeprefix("www.") or None


def changes(
    kind: Kind, parent: str, mapped: Mapping[str, str], described: Described
) -> Callable[[Sequence[Row]], list[Change]]:
    """How history rows of an object become dated changes of mapped fields; `parent`: the column of the record's id."""
    canonical = {vendor: name for name, vendor in mapped.items()}

    def shape(rows: Sequence[Row]) -> list[Change]:
        return [change for row in rows if (change := one(row)) is not None]

    def one(row: Row) -> Change | None:
        vendor = _HISTORY_NAMES.get(row["Field"], row["Field"])
        at = moment(row["CreatedDate"])
        if vendor == _CONVERSION and "converted_at" in mapped:
            return Change(kind, row[parent], "converted_at", at, None, at, row.get("CreatedById"))
        if vendor not in canonical:
            return None
        type_ = described.fields[vendor]["type"]
        old, new = row.get("OldValue"), row.get("NewValue")
        if type_ == "reference" and not (_id_or_blank(old) and _id_or_blank(new)):
            return None  # each change of a reference has two rows: one with names, one with ids
        if type_ == "boolean":
            old, new = _flag(old), _flag(new)
        before, after = from_vendor(old, type_), from_vendor(new, type_)
        if kind == "account" and canonical[vendor] == "domain":
            before, after = domain(before), domain(after)
        return Change(
            kind,
            row[parent],
            canonical[vendor],
            at,
            before,
            after,
            row.get("CreatedById"),
        )

    return shape


def _id_or_blank(value: Any) -> bool:
    return value is None or (
        isinstance(value, str) and len(value) in (15, 18) and value.isalnum() and value[0] == "0"
    )


def _flag(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) else value
