"""What the Tooling API tells of an org (GET /tooling/query), and the setup objects that plain SOQL serves too: rules, list
views, tabs, triggers, flows, limits, and what refers to a field. Views of the stored schema, like virtual.py's.

The org's own automations stand in the schema record under `automations` ({"kind": "ApexTrigger" | "Flow", "name", "object",
"active", "on": ["create", "update"]}); what refers to a field, beside rules and list views, under `references` ({"field":
"Lead.X__c", "kind": "Report" | "Layout" | "Flow" …, "name"}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connector.playground.salesforce import formula
from connector.playground.salesforce.call import Call
from connector.playground.salesforce.metadata.limits import allowed_fields, used_fields
from connector.playground.salesforce.schema import record

Row = Mapping[str, Any]


def _rules(call: Call) -> list[Row]:
    """`Metadata` may be asked for one row at a time only. [D: Tooling API, ValidationRule] That limit isn't enforced here."""
    return [
        {
            "Id": f"03d{n:012d}", "ValidationName": name.partition(".")[2], "Active": rule["active"],
            "EntityDefinition.QualifiedApiName": name.partition(".")[0], "ErrorMessage": rule["message"],
            "Metadata": {"errorConditionFormula": rule["formula"], "errorMessage": rule["message"], "active": rule["active"]},
        }
        for n, (name, rule) in enumerate(sorted(record(call.org)["rules"].items()))
    ]  # fmt: skip


def _limits(call: Call) -> list[Row]:
    """[D: EntityLimit] Fields in the bin count along."""
    stored = record(call.org)
    most = allowed_fields(call.org)
    rows: list[Row] = []
    for name in call.schema.objects:
        used = used_fields(call.org, stored, name)
        rows.append({
            "EntityDefinitionId": name, "EntityDefinition.QualifiedApiName": name, "Type": "CustomFields",
            "Label": "Custom Fields", "Max": most, "Remaining": max(0, most - used),
        })  # fmt: skip
    return rows


def _custom_fields(call: Call) -> list[Row]:
    return [
        {"Id": _field_id(f"{obj}.{name}"), "DeveloperName": name.removesuffix("__c"), "TableEnumOrId": obj}
        for obj, own in record(call.org)["fields"].items()
        for name in own
    ]


def _field_id(full: str) -> str:
    return "00N" + "".join(c for c in full if c.isalnum())


def references(stored: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(field "Object.Name", kind of what refers to it, its name)"""
    for key, rule in stored["rules"].items():
        obj, _, name = key.partition(".")
        yield from ((f"{obj}.{field}", "ValidationRule", name) for field in formula.names(rule["formula"]))
    for key, view in stored["views"].items():
        obj, _, name = key.partition(".")
        named = {*view["columns"], *(f["field"] for f in view["filters"])}
        yield from ((f"{obj}.{field}", "ListView", name) for field in named if field)
    for one in stored.get("references", ()):
        yield one["field"], one["kind"], one["name"]


def _dependencies(call: Call) -> list[Row]:
    stored = record(call.org)
    return [
        {
            "MetadataComponentName": name, "MetadataComponentType": kind, "RefMetadataComponentType": "CustomField",
            "RefMetadataComponentId": _field_id(field),
            "RefMetadataComponentName": field.partition(".")[2].removesuffix("__c"),
        }
        for field, kind, name in references(stored)
        if field.partition(".")[2] in stored["fields"].get(field.partition(".")[0], {})
    ]  # fmt: skip


def _views(call: Call) -> list[Row]:
    return [
        {"Id": view["id"], "DeveloperName": view["name"], "Name": view["label"], "SobjectType": key.partition(".")[0]}
        for key, view in record(call.org)["views"].items()
    ]  # fmt: skip


def _tabs(call: Call) -> list[Row]:
    tabs = [o.partition(":")[2] for o in record(call.org).get("others", ()) if o.startswith("CustomTab:")]
    return [{"Name": name, "SobjectName": name, "IsCustom": True} for name in tabs]


def _triggers(call: Call) -> list[Row]:
    return [
        {
            "Name": a["name"], "TableEnumOrId": a["object"], "Status": "Active" if a["active"] else "Inactive",
            "UsageAfterInsert": "create" in a["on"], "UsageAfterUpdate": "update" in a["on"],
            "UsageBeforeInsert": False, "UsageBeforeUpdate": False,
        }
        for a in record(call.org).get("automations", ())
        if a["kind"] == "ApexTrigger"
    ]  # fmt: skip


def _flows(call: Call) -> list[Row]:
    kinds = {
        ("create",): "Create",
        ("update",): "Update",
        ("create", "update"): "CreateAndUpdate",
    }
    return [
        {
            "ApiName": a["name"], "Label": a["name"].replace("_", " "), "IsActive": a["active"],
            "ProcessType": "AutoLaunchedFlow", "TriggerType": "RecordAfterSave",
            "RecordTriggerType": kinds.get(tuple(sorted(a["on"])), "CreateAndUpdate"),
            "TriggerObjectOrEvent.QualifiedApiName": a["object"],
        }
        for a in record(call.org).get("automations", ())
        if a["kind"] == "Flow"
    ]  # fmt: skip


SETUP: Mapping[str, Callable[[Call], list[Row]]] = {
    "listview": _views, "tabdefinition": _tabs, "apextrigger": _triggers, "flowdefinitionview": _flows,
}  # fmt: skip
"""Served by plain SOQL."""
TOOLING: Mapping[str, Callable[[Call], list[Row]]] = {
    **SETUP, "validationrule": _rules, "entitylimit": _limits, "customfield": _custom_fields,
    "metadatacomponentdependency": _dependencies,
}  # fmt: skip
