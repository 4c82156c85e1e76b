"""What of the org's setup the schema plan, the drift report and the go-live check want to know beside the fields: rights of
permission sets, rules, views, tabs, limits, what a write would start, what refers to a field.

A user without View Setup sees little of this. What can't be read is left out: nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from connector.crm.base import CRMError
from connector.crm.salesforce.api import METADATA, Api, ok

OURS = "Candor_"
REVIEW = "Candor_Review__c"
_RIGHTS = {
    "allowRead": "PermissionsRead", "allowCreate": "PermissionsCreate", "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete", "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
}  # fmt: skip
SYSTEM = ("ApiEnabled", "AllowViewEditConvertedLeads")
SETS = tuple(f"{OURS}{who}" for who in ("Integration", "Rep", "Reviewer", "Admin"))
IDS_A_QUERY = 100
"""Field ids in one IN list: a GET's address stays below 8,000 characters."""


def read(api: Api, sets: Sequence[str], *, review: bool) -> dict[str, Any]:
    """`permissions`, `set_contents`, `system`, `rules`, `views`, `tabs`, `queue_objects`, `custom_fields`: each where it can be known.
    In an org without Candor only how many custom fields are left."""
    found: dict[str, Any] = {}
    limits = tooling(
        api,
        "SELECT EntityDefinition.QualifiedApiName, Remaining FROM EntityLimit WHERE Type = 'CustomFields'",
    )
    if limits is not None:
        found["custom_fields"] = {
            str(_at(row, "EntityDefinition.QualifiedApiName")): int(row["Remaining"]) for row in limits
        }
    mapped = conversion(api)
    if mapped is not None:
        found["conversion"] = mapped
    ours = [s for s in sets if s.startswith(OURS)]
    if ours:
        found |= _permissions(api, ours)
        contents = set_contents(api, [s for s in ours if s in SETS])
        if contents is not None:
            found["set_contents"] = contents
    if review:
        found |= _review(api)
    return found


def _permissions(api: Api, sets: Sequence[str]) -> dict[str, Any]:
    named = ", ".join(f"'{s}'" for s in sets)
    fields, objects, system = api.queries(
        [
            (
                "SELECT Parent.Name, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions "
                f"WHERE Parent.Name IN ({named})",
                False,
            ),
            (
                f"SELECT Parent.Name, SobjectType, {', '.join(_RIGHTS.values())} FROM ObjectPermissions "
                f"WHERE Parent.Name IN ({named})",
                False,
            ),
            (f"SELECT {', '.join(f'Permissions{s}' for s in SYSTEM)} FROM UserPermissionAccess", False),
        ],
        what="reading what permission sets give",
    )
    found: dict[str, Any] = {}
    if not isinstance(system, CRMError) and system["records"]:
        found["system"] = {s: bool(system["records"][0][f"Permissions{s}"]) for s in SYSTEM}
    if isinstance(fields, CRMError) or isinstance(objects, CRMError) or not fields["done"]:
        return found
    given: dict[str, dict[str, Any]] = {s: {"fields": {}, "objects": {}} for s in sets}
    for row in fields["records"]:
        right = "edit" if row["PermissionsEdit"] else "read"
        given[_at(row, "Parent.Name")]["fields"][row["Field"]] = right
    for row in objects["records"]:
        rights = [tag for tag, column in _RIGHTS.items() if row[column]]
        given[_at(row, "Parent.Name")]["objects"][row["SobjectType"]] = rights
    return found | {"permissions": given}


Contents = dict[str, list[Any]]
"""of a permission set: element -> its entries, each a text or {child element: text}"""


def set_contents(api: Api, names: Sequence[str]) -> dict[str, Contents] | None:
    """The whole of our permission sets, Apex classes, tabs and all else that an admin may have put in. Only the Metadata API
    tells; None: not to this user."""
    if not names:
        return {}
    asked = "".join(f"<met:fullNames>{name}</met:fullNames>" for name in names)
    body = f"<met:readMetadata><met:type>PermissionSet</met:type>{asked}</met:readMetadata>"
    try:
        root = ElementTree.fromstring(api.soap(body, what="asking what permission sets hold"))
    except (CRMError, ElementTree.ParseError):
        return None
    found: dict[str, Contents] = {}
    for record in root.iter(f"{{{METADATA}}}records"):
        contents: Contents = {}
        for one in record:
            children = {_plain(child.tag): (child.text or "").strip() for child in one}
            contents.setdefault(_plain(one.tag), []).append(children or (one.text or "").strip())
        if "fullName" in contents:
            found[contents.pop("fullName")[0]] = contents
    return found


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _review(api: Api) -> dict[str, Any]:
    views, tabs, queues = api.queries(
        [
            (f"SELECT DeveloperName FROM ListView WHERE SobjectType = '{REVIEW}'", False),
            (f"SELECT Name FROM TabDefinition WHERE SobjectName = '{REVIEW}'", False),
            ("SELECT Queue.DeveloperName, SobjectType FROM QueueSobject", False),
        ],
        what="reading the review queue's setup",
    )
    found: dict[str, Any] = {}
    if not isinstance(views, CRMError):
        found["views"] = [f"{REVIEW}.{row['DeveloperName']}" for row in views["records"]]
    if not isinstance(tabs, CRMError):
        found["tabs"] = [REVIEW] if tabs["records"] else []
    if not isinstance(queues, CRMError):
        found["queue_objects"] = {}
        for row in queues["records"]:
            found["queue_objects"].setdefault(_at(row, "Queue.DeveloperName"), []).append(row["SobjectType"])
    rules = tooling(
        api, f"SELECT ValidationName, Active, Metadata FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = '{REVIEW}' "
        "AND ValidationName = 'Candor_Decision_And_Reason'",
    )  # fmt: skip
    if rules is not None:
        found["rules"] = {
            f"{REVIEW}.{row['ValidationName']}": {
                "active": bool(row["Active"]), "formula": row["Metadata"]["errorConditionFormula"],
            }
            for row in rules
        }  # fmt: skip
    return found


def conversion(api: Api) -> dict[str, dict[str, str]] | None:
    """target object -> lead field -> its field there, as the org maps them at conversion. Only the Metadata API tells;
    None: not to this user."""
    asked = (
        "<met:readMetadata><met:type>LeadConvertSettings</met:type>"
        "<met:fullNames>LeadConvertSettings</met:fullNames></met:readMetadata>"
    )
    try:
        root = ElementTree.fromstring(api.soap(asked, what="asking what a conversion carries over"))
    except (CRMError, ElementTree.ParseError):
        return None
    tag = f"{{{METADATA}}}"
    return {
        str(one.findtext(f"{tag}outputObject")): {
            str(f.findtext(f"{tag}inputField")): str(f.findtext(f"{tag}outputField"))
            for f in one.iter(f"{tag}mappingFields")
        }
        for one in root.iter(f"{tag}objectMapping")
    }


_NEEDED = {
    "Modify Metadata Through Metadata API Functions": (
        "PermissionsModifyMetadata",
        "PermissionsModifyAllData",
    ),
    "Assign Permission Sets": ("PermissionsAssignPermissionSets", "PermissionsManageUsers"),
    "View Setup and Configuration": ("PermissionsViewSetup", "PermissionsCustomizeApplication"),
}
"""What an apply takes, and which rights give it: any of them."""
TOO_MUCH = {
    "PermissionsModifyAllData": "Modify All Data (change and delete every record)",
    "PermissionsViewAllData": "View All Data (read every record)",
    "PermissionsManageUsers": "Manage Users",
    "PermissionsCustomizeApplication": "Customize Application",
    "PermissionsModifyMetadata": "Modify Metadata (needed by `candor apply` and `candor remove` only)",
}


def lacking(api: Api) -> list[str]:
    """What the user lacks for an apply. Where the org doesn't tell, nothing: the apply itself will be refused then."""
    rights = _rights(api, {r for any_of in _NEEDED.values() for r in any_of})
    return (
        [] if rights is None else [n for n, any_of in _NEEDED.items() if not any(rights[r] for r in any_of)]
    )


def too_much(api: Api) -> list[str]:
    """Rights of the user that Candor's daily work has no need of."""
    rights = _rights(api, set(TOO_MUCH))
    return [] if rights is None else [words for right, words in TOO_MUCH.items() if rights[right]]


def _rights(api: Api, names: set[str]) -> dict[str, bool] | None:
    (told,) = api.queries(
        [(f"SELECT {', '.join(sorted(names))} FROM UserPermissionAccess", False)],
        what="asking for our permissions",
    )
    if isinstance(told, CRMError) or not told["records"]:
        return None
    return {name: bool(told["records"][0][name]) for name in names}


def automations(api: Api, objects: Iterable[str]) -> list[dict[str, Any]]:
    """Active triggers and record-triggered flows that an update of these objects starts: kind, name, object."""
    wanted = set(objects)
    triggers, flows = api.queries(
        [
            ("SELECT Name, TableEnumOrId, UsageBeforeUpdate, UsageAfterUpdate FROM ApexTrigger WHERE Status = 'Active'", False),
            (
                "SELECT ApiName, Label, RecordTriggerType, TriggerObjectOrEvent.QualifiedApiName FROM FlowDefinitionView "
                "WHERE IsActive = TRUE",
                False,
            ),
        ],
        what="asking what a write would start",
    )  # fmt: skip
    found = []
    for row in () if isinstance(triggers, CRMError) else triggers["records"]:
        if row["TableEnumOrId"] in wanted and (row["UsageBeforeUpdate"] or row["UsageAfterUpdate"]):
            found.append({"kind": "Apex trigger", "name": row["Name"], "object": row["TableEnumOrId"]})
    for row in () if isinstance(flows, CRMError) else flows["records"]:
        on = _at(row, "TriggerObjectOrEvent.QualifiedApiName")
        if on in wanted and row["RecordTriggerType"] in ("Update", "CreateAndUpdate"):
            found.append({"kind": "flow", "name": row["Label"], "object": on})
    return found


def references(api: Api) -> list[dict[str, Any]]:
    """What of the org's own refers to one of Candor's fields: field, kind, name."""
    fields = tooling(
        api, "SELECT Id, DeveloperName, TableEnumOrId FROM CustomField WHERE DeveloperName LIKE 'Candor_%'"
    )
    by_id = {row["Id"]: f"{row['TableEnumOrId']}.{row['DeveloperName']}__c" for row in fields or ()}
    ids = sorted(by_id)
    found = []
    for start in range(0, len(ids), IDS_A_QUERY):
        listed = ", ".join(f"'{id}'" for id in ids[start : start + IDS_A_QUERY])
        rows = tooling(
            api, "SELECT MetadataComponentName, MetadataComponentType, RefMetadataComponentId FROM "
            f"MetadataComponentDependency WHERE RefMetadataComponentId IN ({listed})",
        )  # fmt: skip
        for row in rows or ():
            if not row["MetadataComponentName"].startswith(OURS):
                found.append({
                    "field": by_id[row["RefMetadataComponentId"]], "kind": row["MetadataComponentType"],
                    "name": row["MetadataComponentName"],
                })  # fmt: skip
    return found


def tooling(api: Api, soql: str) -> list[dict[str, Any]] | None:
    """None: not for this user."""
    try:
        answer = api.call("GET", "tooling/query", what="asking for the org's setup", params={"q": soql})
    except CRMError:
        return None
    return list(ok(answer)["records"])


def _at(row: Mapping[str, Any], path: str) -> Any:
    """A value of a parent record, nested as SOQL answers it or under its whole path."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
