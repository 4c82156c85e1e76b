"""HubSpot rows as records in canonical words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.crm.base import Kind, Record, Value
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.fields import OBJECTS, from_vendor, moment
from connector.crm.hubspot.rows import Row, associated

MERGED = "hs_merged_object_ids"


def records(account: Account, kind: Kind, rows: Sequence[Row]) -> list[Record]:
    """The rows with everything a record needs, associations included; those merged into one come as deleted."""
    if not rows:
        return []
    fields = account.fields(kind)
    definitions = account.properties(OBJECTS[kind])
    others = _others(account, kind, [str(r["id"]) for r in rows])
    found: list[Record] = []
    for row in rows:
        found.append(_record(account, kind, row, fields, definitions, others))
        for old in merged_ids(row):
            at = moment(row["updatedAt"])
            found.append(
                Record(kind, old, moment(row["createdAt"]), at, {}, deleted=True, merged_into=str(row["id"]))
            )
    return found


def merged_ids(row: Row) -> list[str]:
    """The ids that a merge has put an end to."""
    return [i for i in str(row["properties"].get(MERGED) or "").split(";") if i and i != str(row["id"])]


def needed(account: Account, kind: Kind) -> list[str]:
    """The properties to ask for."""
    extra = {"lead": [MERGED], "account": [MERGED], "deal": [MERGED], "review": ["hs_pipeline_stage"]}[kind]
    return list(dict.fromkeys([*account.fields(kind).values(), *extra]))


_TO: Mapping[Kind, Mapping[str, str]] = {
    "lead": {"account_id": "companies", "deal_id": "deals"},
    "deal": {"account_id": "companies", "lead_ids": "contacts"},
}


def _others(account: Account, kind: Kind, ids: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    return {field: associated(account.api, OBJECTS[kind], ids, to) for field, to in _TO.get(kind, {}).items()}


def _record(
    account: Account, kind: Kind, row: Row, fields: Mapping[str, str], definitions: Mapping[str, Any],
    others: Mapping[str, Mapping[str, list[str]]],
) -> Record:  # fmt: skip
    id, properties = str(row["id"]), row["properties"]
    values: dict[str, Value] = {
        canonical: from_vendor(canonical, properties.get(name), definitions.get(name))
        for canonical, name in fields.items()
    }
    for field, found in others.items():
        ids = found.get(id, [])
        values[field] = ids if field == "lead_ids" else (ids[0] if ids else None)
    if kind == "lead":
        values["contact_id"] = None  # a contact stays what it is when it becomes a deal
    elif kind == "deal":
        stage = account.stages("deals").get(str(values.get("stage")))
        values["is_won"] = stage is not None and stage.won
        values["is_closed"] = stage is not None and stage.closed
    elif kind == "review":
        stage = account.stages("tickets").get(str(properties.get("hs_pipeline_stage")))
        values["candor_status"] = "completed" if stage is not None and stage.closed else "open"
    return Record(kind, id, moment(row["createdAt"]), moment(row["updatedAt"]), values)


def owner(row: Row) -> Record:
    name = " ".join(filter(None, (row.get("firstName"), row.get("lastName")))) or row.get("email")
    values: dict[str, Value] = {"name": name, "email": row.get("email"), "active": not row.get("archived")}
    return Record("owner", str(row["id"]), moment(row["createdAt"]), moment(row["updatedAt"]), values)
