"""Rows out of the database as API records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connector.playground.org import Org
from connector.playground.salesforce import ids, times
from connector.playground.salesforce.errors import Fault, no_column
from connector.playground.salesforce.model import SObject
from connector.playground.salesforce.schema import Schema

COLUMNS = "r.id, r.created, r.modified, r.modified_by, r.deleted, r.data"
HISTORY_COLUMNS = "r.seq, r.id, r.field, r.at, r.old, r.new, r.by"
_SHORT = {"OwnerId": "Owner", "AccountId": "Account"}


@dataclass(slots=True)
class Selection:
    """What is selected: fields of the object itself, and by relationship those of its parents, in the order asked."""

    obj: SObject
    order: list[str] = field(default_factory=list)
    parents: dict[str, tuple[str, list[Selection]]] = field(default_factory=dict)
    """relationship -> (reference field, one selection for each object it may refer to)"""

    def add(self, path: Sequence[str], schema: Schema) -> None:
        if len(path) > 1 and path[0].lower() == self.obj.name.lower():
            path = path[1:]
        if len(path) == 1:
            found = self.obj.find(path[0])
            if found is None:
                raise no_column(path[0], self.obj.name)
            if found.name not in self.order:
                self.order.append(found.name)
            return
        for f in self.obj.fields.values():
            if f.relationship and f.relationship.lower() == path[0].lower():
                break
        else:
            raise Fault("INVALID_FIELD", f"Didn't understand relationship '{path[0]}' in field path.")
        if f.relationship not in self.parents:
            targets = [Selection(o) for o in (schema.find(n) for n in f.refers) if o is not None]
            self.parents[f.relationship] = (f.name, targets)
            self.order.append(f.relationship)
        fitting = 0
        for target in self.parents[f.relationship][1]:
            try:
                target.add(path[1:], schema)
                fitting += 1
            except Fault:
                if len(f.refers) == 1:
                    raise
        if not fitting:
            raise no_column(path[1], "Name")


def records(
    org: Org, selection: Selection, rows: Iterable[tuple[Any, ...]], version: str
) -> list[dict[str, Any]]:
    """Rows of COLUMNS (of HISTORY_COLUMNS for a history object) as records with their `attributes`."""
    obj = selection.obj
    base = f"/services/data/v{version}/sobjects/{obj.name}/"
    make = _history_values(obj) if obj.history_of else _values(obj, selection.order)
    values = [make(row) for row in rows]
    parents = {
        relationship: _parents(org, targets, {v[reference] for v in values if v.get(reference)}, version)
        for relationship, (reference, targets) in selection.parents.items()
    }
    names, out = selection.order, []
    for v in values:
        for relationship, found in parents.items():
            v[relationship] = found.get(v.get(selection.parents[relationship][0]))
        out.append({"attributes": {"type": obj.name, "url": base + v["Id"]}, **{n: v.get(n) for n in names}})
    return out


def _values(obj: SObject, names: Sequence[str]) -> Any:
    flags = {n: False for n in names if n in obj.fields and obj.fields[n].type == "boolean"}
    audit = not {"CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById"}.isdisjoint(names)
    loads, text = orjson.loads, times.text

    def make(row: tuple[Any, ...]) -> dict[str, Any]:
        id, created, modified, by, deleted, data = row
        v: dict[str, Any] = {**flags, **loads(data), "Id": id, "IsDeleted": bool(deleted)}
        if audit:
            v["CreatedDate"] = text(created)
            v["SystemModstamp"] = v["LastModifiedDate"] = (
                text(modified) if modified != created else v["CreatedDate"]
            )
            v["LastModifiedById"] = by if by and len(by) == 18 else v.get("CreatedById")
        return v

    return make


def _history_values(obj: SObject) -> Any:
    assert obj.parent_field is not None
    parent = obj.parent_field

    def make(row: tuple[Any, ...]) -> dict[str, Any]:
        seq, id, name, at, old, new, by = row
        return {
            "Id": ids.make(obj.prefix, seq), "IsDeleted": False, parent: id, "CreatedById": by,
            "CreatedDate": times.text(at // 1000 * 1000), "Field": _SHORT.get(name, name), "DataType": None,
            "OldValue": orjson.loads(old), "NewValue": orjson.loads(new),
        }  # fmt: skip

    return make


def _parents(org: Org, targets: Sequence[Selection], wanted: set[str], version: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for target in targets:
        own = [id for id in wanted if id[:3] == target.obj.prefix]
        for record in records(org, target, by_ids(org, target.obj, own), version):
            record_id = record["attributes"]["url"].rsplit("/", 1)[1]
            found[record_id] = record
    return found


def by_ids(org: Org, obj: SObject, wanted: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of some ids (of a history object: sequence numbers), in the order asked; those that are gone are absent."""
    marks = orjson.dumps(list(wanted)).decode()
    if obj.history_of:
        found = org.sql(
            f"select {HISTORY_COLUMNS} from history r where r.seq in (select value from json_each(?))",
            (marks,),
        )
    else:
        found = org.sql(
            f"select {COLUMNS} from record r where r.obj = ? and r.id in (select value from json_each(?))",
            (obj.name, marks),
        )
    by_id: Mapping[Any, tuple[Any, ...]] = {row[0]: row for row in found}
    return [by_id[id] for id in wanted if id in by_id]
