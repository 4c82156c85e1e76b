"""Objects that are no records but views of the schema: FieldDefinition, UserPermissionAccess. Small, so conditions are
evaluated row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.playground.salesforce import soql, tooling
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault, no_column
from connector.playground.salesforce.schema import is_admin

Row = Mapping[str, Any]


def _field_definitions(call: Call) -> list[Row]:
    return [
        {
            "DurableId": f"{obj.name}.{f.name}", "QualifiedApiName": f.name, "Label": f.label, "DataType": f.type,
            "DeveloperName": f.name.removesuffix("__c"), "EntityDefinitionId": obj.name,
            "EntityDefinition.QualifiedApiName": obj.name,
            "IsFieldHistoryTracked": f.name in call.schema.tracked.get(obj.name, {}),
        }
        for obj in call.schema.objects.values()
        for f in obj.fields.values()
    ]  # fmt: skip


def _permissions(call: Call) -> list[Row]:
    admin = is_admin(call.org, call.user)
    return [{
        "PermissionsAllowViewEditConvertedLeads": "AllowViewEditConvertedLeads" in call.schema.rights,
        "PermissionsApiEnabled": True, "PermissionsModifyAllData": admin, "PermissionsModifyMetadata": admin,
        "PermissionsViewAllData": admin, "PermissionsManageUsers": admin, "PermissionsAssignPermissionSets": admin,
        "PermissionsCustomizeApplication": admin, "PermissionsViewSetup": admin,
    }]  # fmt: skip


_TABLES: Mapping[str, Callable[[Call], list[Row]]] = {
    "fielddefinition": _field_definitions,
    "userpermissionaccess": _permissions,
    **tooling.SETUP,
}


def serves(name: str) -> bool:
    return name.lower() in _TABLES


def tooling_query(call: Call) -> Answer:
    """GET /tooling/query"""
    query = soql.parse(call.query.get("q") or "")
    if query.obj.lower() not in tooling.TOOLING:
        raise Fault("INVALID_TYPE", f"sObject type '{query.obj}' is not supported.")
    return Answer(_answer(tooling.TOOLING[query.obj.lower()](call), query))


def run(call: Call, query: soql.Query) -> dict[str, Any]:
    """A whole answer: these are never paged here. [unsourced]"""
    return _answer(_TABLES[query.obj.lower()](call), query)


def _answer(rows: list[Row], query: soql.Query) -> dict[str, Any]:
    picked = [r for r in rows if query.where is None or _holds(query.where, r, query.obj)]
    picked = picked[query.offset or 0 :][: query.limit]
    if query.items and isinstance(query.items[0], soql.Aggregate):
        return {"totalSize": len(picked), "done": True, "records": []}
    names = [i.path for i in query.items if isinstance(i, soql.Column)]
    records = [
        {"attributes": {"type": query.obj}, **{".".join(p): _value(p, row, query.obj) for p in names}}
        for row in picked
    ]
    return {"totalSize": len(records), "done": True, "records": records}


def _value(path: tuple[str, ...], row: Row, obj: str) -> Any:
    wanted = ".".join(path).lower()
    for name, value in row.items():
        if name.lower() == wanted:
            return value
    raise no_column(".".join(path), obj)


def _holds(c: soql.Condition, row: Row, obj: str) -> bool:
    if isinstance(c, soql.Group):
        parts = (_holds(p, row, obj) for p in c.parts)
        return not next(parts) if c.op == "not" else all(parts) if c.op == "and" else any(parts)
    value = _folded(_value(c.path, row, obj))
    if isinstance(c.value, soql.Literal) and c.op in ("=", "!="):
        same = bool(value == _folded(c.value.value))
        return same if c.op == "=" else not same
    if isinstance(c.value, soql.Literal) and c.op == "like":
        return isinstance(value, str) and value.startswith(_folded(c.value.value).removesuffix("%"))
    if isinstance(c.value, tuple) and c.op in ("in", "not in"):
        there = value in [_folded(v.value) for v in c.value]
        return there if c.op == "in" else not there
    raise Fault("MALFORMED_QUERY", f"operator {c.op} can't be used on {obj}")


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
