"""What each kind of component does to the org when it is deployed or deleted.

Works on the stored schema (own.schema()) and on the records that metadata stands for: queues, permission sets. The
caller holds a savepoint and takes everything back when the deploy fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.playground.org import Org
from connector.playground.salesforce import formula, ids, schema
from connector.playground.salesforce.metadata import apps, fields
from connector.playground.salesforce.metadata.fields import BadComponent
from connector.playground.salesforce.metadata.limits import TRACKED_FIELDS, allowed_fields, used_fields
from connector.playground.salesforce.metadata.package import Component, every, flag, text
from connector.playground.salesforce.model import SObject

BLOCKING = ("Flow", "WorkflowRule", "ApexClass", "ApexTrigger")
"""What keeps a field from being deleted; reports, layouts and list views just lose it. [Salesforce Help: Delete a Custom Field,
for field updates and Apex; the rest by admins' trials, simplysfdc.com 2016/09 and schemaforce.com]"""
_OBJECT_RIGHTS = {
    "allowRead": "PermissionsRead", "allowCreate": "PermissionsCreate", "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete", "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
}  # fmt: skip


@dataclass(slots=True)
class Target:
    """The org under deployment; `stored` is changed in place."""

    org: Org
    stored: dict[str, Any]
    made: dict[str, SObject] | None = None

    def objects(self) -> dict[str, SObject]:
        if self.made is None:
            self.made = schema.everything(self.stored)
        return self.made

    def put(self, obj: str, data: Mapping[str, Any], id: str | None = None) -> str:
        """A record that metadata stands for: outside the write log, as it is no one's data."""
        made = id or ids.following(self.org, schema.STANDARD[obj].prefix)[0]
        self.org.load(obj, [(made, self.org.now(), self.org.now(), data)])
        return made

    def drop(self, obj: str, key: str, value: str) -> None:
        self.org.sql(f"delete from record where obj = ? and json_extract(data, '$.{key}') = ?", (obj, value))

    def find(self, obj: str, key: str, value: str) -> str | None:
        rows = self.org.all(obj)
        return next((r.id for r in rows if str(r.data.get(key, "")).lower() == value.lower()), None)


# --- deploy: each gives (id, created) ---


def custom_object(t: Target, c: Component) -> tuple[str, bool]:
    known = t.objects().get(c.name)
    if known is None or known.custom:
        return _own_object(t, c, known)
    if c.text("enableHistory") is not None:
        _keep_history(t, c.name, flag(c.xml, "enableHistory"))
    return known.prefix, False


def _own_object(t: Target, c: Component, known: SObject | None) -> tuple[str, bool]:
    if not c.name.endswith("__c"):
        raise BadComponent(f"Entity of type 'CustomObject' named '{c.name}' cannot be found")
    label, names = c.text("label"), every(c.xml, "nameField")
    if known is None and not (label and c.text("pluralLabel") and names and c.text("sharingModel")):
        raise BadComponent(
            "Must specify label, pluralLabel, nameField, deploymentStatus and sharingModel of a CustomObject"
        )
    if not label:  # only brings parts for an object that is there
        return known.prefix if known else "", False
    spec = dict(t.stored["objects"].get(c.name, {}))
    if not spec:
        spec["prefix"] = "a" + ids.base62(t.stored["prefixes"], 2)
        t.stored["prefixes"] += 1
    spec |= {"label": label, "plural": c.text("pluralLabel") or label}
    if names:
        spec["name"] = {"label": text(names[0], "label") or "Name"}
        if text(names[0], "type") == "AutoNumber":
            spec["name"]["auto_number"] = text(names[0], "displayFormat") or "{0}"
    spec["history"] = flag(c.xml, "enableHistory")
    t.stored["objects"][c.name] = spec
    _keep_history(t, c.name, spec["history"])
    return spec["prefix"], known is None


def _keep_history(t: Target, obj: str, on: bool) -> None:
    kept = [o for o in t.stored["keeps_history"] if o != obj]
    t.stored["keeps_history"] = [*kept, obj] if on else kept


def custom_field(t: Target, c: Component) -> tuple[str, bool]:
    obj, _, name = c.name.partition(".")
    objects = t.objects()
    if obj not in objects:
        raise BadComponent(f"Entity Enumeration Or ID: bad value for restricted picklist field: {obj}")
    created = False
    if name.endswith("__c"):
        made = fields.spec(c.xml, objects)
        own = t.stored["fields"].setdefault(obj, {})
        old = own.get(name)
        created = old is None
        if old and old["type"] != made["type"]:
            raise BadComponent(f"Cannot update a field from {old['type']} to {made['type']}")
        most = allowed_fields(t.org)
        if created and used_fields(t.org, t.stored, obj) >= most:
            raise BadComponent(f"Object {obj} has its limit of {most} custom fields")
        own[name] = made | ({"profile": True} if old and old.get("profile") else {})
        if made.get("external_id") or made.get("unique"):
            t.org.sql(
                f"create index if not exists {_key_index(obj, name)} on record(json_extract(data, '$.{name}') collate nocase) "
                f"where obj = '{obj}'"
            )
    elif name not in objects[obj].fields:
        raise BadComponent(f"Could not find field {name} on {obj}")
    if c.text("trackHistory") is not None:
        _track(t, obj, name, flag(c.xml, "trackHistory"))
    return f"{obj}.{name}", created


def _key_index(obj: str, name: str) -> str:
    return f"key_{obj}_{name}"


def _track(t: Target, obj: str, name: str, on: bool) -> None:
    tracked = t.stored["tracked"].setdefault(obj, {})
    if not on:
        tracked.pop(name, None)
    elif name not in tracked:
        if len(tracked) >= TRACKED_FIELDS:
            raise BadComponent(
                f"History tracking: {obj} has its limit of {TRACKED_FIELDS} tracked fields"
            )  # [unsourced]
        tracked[name] = t.org.now()


def validation_rule(t: Target, c: Component) -> tuple[str, bool]:
    obj = c.name.split(".", 1)[0]
    condition, message = c.text("errorConditionFormula"), c.text("errorMessage")
    if not condition or not message or c.text("active") is None:
        raise BadComponent("Required field is missing: active, errorConditionFormula, errorMessage")
    known = t.objects().get(obj)
    if known is None:
        raise BadComponent(f"Entity of type 'CustomObject' named '{obj}' cannot be found")
    try:
        used = formula.names(condition)
    except formula.BadFormula as e:
        raise BadComponent(str(e)) from e
    for name in sorted(used):
        if name not in known.fields:
            raise BadComponent(f"Error: Field {name} does not exist. Check spelling.")
    created = c.name not in t.stored["rules"]
    t.stored["rules"][c.name] = {
        "active": flag(c.xml, "active"), "formula": condition, "message": message,
        "field": c.text("errorDisplayField"),
    }  # fmt: skip
    return c.name, created


def list_view(t: Target, c: Component) -> tuple[str, bool]:
    obj, _, name = c.name.partition(".")
    label = c.text("label")
    known = t.objects().get(obj)
    if not label or known is None:
        raise BadComponent("Required field is missing: label")
    columns = [(x.text or "").strip() for x in every(c.xml, "columns")]
    for column in columns:
        if column.endswith("__c") and column.split(".")[-1] not in known.fields:
            raise BadComponent(f"Could not resolve list view column: {column}")
    queue = c.text("queue")
    if queue and t.find("Group", "DeveloperName", queue) is None:
        raise BadComponent(f"no Queue named {queue} found")
    old = t.stored["views"].get(c.name)
    t.stored["views"][c.name] = {
        "id": old["id"] if old else ids.following(t.org, "00B")[0], "label": label, "columns": columns, "queue": queue,
        "scope": c.text("filterScope"), "name": name,
        "filters": [{k: text(f, k) for k in ("field", "operation", "value")} for f in every(c.xml, "filters")],
    }  # fmt: skip
    return t.stored["views"][c.name]["id"], old is None


def queue(t: Target, c: Component) -> tuple[str, bool]:
    label = c.text("name")
    if not label:
        raise BadComponent("Required field is missing: name")
    objects = t.objects()
    supported = [text(q, "sobjectType") or "" for q in every(c.xml, "queueSobject")]
    for name in supported:
        if name not in objects:
            raise BadComponent(f"Entity of type 'CustomObject' named '{name}' cannot be found")
    old = t.find("Group", "DeveloperName", c.name)
    id = t.put("Group", {
        "Name": label, "DeveloperName": c.name, "Type": "Queue", "Email": c.text("email"),
        "DoesSendEmailToMembers": flag(c.xml, "doesSendEmailToMembers")}, old)  # fmt: skip
    t.drop("QueueSobject", "QueueId", id)
    for name in supported:
        t.put("QueueSobject", {"QueueId": id, "SobjectType": name})
    _members(t, c, id)
    return id, old is None


def _members(t: Target, c: Component, group: str) -> None:
    t.drop("GroupMember", "GroupId", group)
    for members in every(c.xml, "queueMembers"):
        for users in every(members, "users"):
            for user in every(users, "user"):
                found = t.find("User", "Username", (user.text or "").strip())
                if found is None:
                    raise BadComponent(f"no User named {user.text} found")
                t.put("GroupMember", {"GroupId": group, "UserOrGroupId": found})


def permission_set(t: Target, c: Component) -> tuple[str, bool]:
    if not c.text("label"):
        raise BadComponent("Required field is missing: label")
    rows = [*_field_permissions(t, c), *_object_permissions(t, c)]
    old = t.find("PermissionSet", "Name", c.name)
    id = t.put("PermissionSet", {
        "Name": c.name, "Label": c.text("label"), "Description": c.text("description"), "IsOwnedByProfile": False,
        "IsCustom": True, "_contents": _contents(c),
        "_rights": [text(x, "name") for x in every(c.xml, "userPermissions") if flag(x, "enabled")]}, old)  # fmt: skip
    for kind in ("FieldPermissions", "ObjectPermissions"):
        t.drop(kind, "ParentId", id)
    for kind, data in rows:
        t.put(kind, {"ParentId": id, **data})
    return id, old is None


_ROWS = ("fieldPermissions", "objectPermissions", "userPermissions", "label", "description")


def _contents(c: Component) -> dict[str, list[Any]]:
    """What a set gives beside rights to fields and objects: Apex classes, tabs … A deployment replaces all of it: "you must
    include all of its metadata to avoid accidentally overwriting the permission set's contents". [D: PermissionSet, since API 40]"""
    found: dict[str, list[Any]] = {}
    for x in c.xml:
        tag = x.tag.rpartition("}")[2]
        if tag not in _ROWS:
            children = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in x}
            found.setdefault(tag, []).append(children or (x.text or "").strip())
    return found


def permission_set_contents(org: Org, name: str) -> dict[str, Any] | None:
    """The whole of a set, as readMetadata gives it."""
    row = next((r for r in org.all("PermissionSet") if r.data.get("Name") == name), None)
    if row is None:
        return None
    fields, objects = (
        sorted((r.data for r in org.all(kind) if r.data.get("ParentId") == row.id), key=str)
        for kind in ("FieldPermissions", "ObjectPermissions")
    )
    return {
        "fullName": name, "label": row.data["Label"], "description": row.data.get("Description"),
        "fieldPermissions": [
            {"field": d["Field"], "readable": d["PermissionsRead"], "editable": d["PermissionsEdit"]} for d in fields
        ],
        "objectPermissions": [
            {"object": d["SobjectType"], **{tag: d[right] for tag, right in _OBJECT_RIGHTS.items()}} for d in objects
        ],
        "userPermissions": [{"name": n, "enabled": True} for n in row.data.get("_rights", ())],
        **row.data.get("_contents", {}),
    }  # fmt: skip


def _field_permissions(t: Target, c: Component) -> list[tuple[str, dict[str, Any]]]:
    rows: list[tuple[str, dict[str, Any]]] = []
    for x in every(c.xml, "fieldPermissions"):
        full = text(x, "field") or ""
        obj, _, name = full.partition(".")
        found = t.objects()[obj].find(name) if obj in t.objects() else None
        if found is None and _is_address(t, obj, name):
            rows.append(("FieldPermissions", {
                "SobjectType": obj, "Field": full, "PermissionsRead": flag(x, "readable"),
                "PermissionsEdit": flag(x, "editable")}))  # fmt: skip
            continue
        if found is None:
            raise BadComponent(f"In field: field - no CustomField named {full} found")
        if found.required or found.master or found.name_field:
            raise BadComponent(f"You cannot deploy to a required field: {full}")
        edit = flag(x, "editable")
        if edit and not found.writable:
            raise BadComponent(f"Field {full} is not editable")  # [unsourced] wording
        rows.append(("FieldPermissions", {
            "SobjectType": obj, "Field": full, "PermissionsRead": edit or flag(x, "readable"),
            "PermissionsEdit": edit}))  # fmt: skip
    return rows


def _is_address(t: Target, obj: str, name: str) -> bool:
    """A compound address stands for its parts, of which this org has the country at least."""
    prefix = name.removesuffix("Address")
    return name.endswith("Address") and obj in t.objects() and f"{prefix}Country" in t.objects()[obj].fields


def _object_permissions(t: Target, c: Component) -> list[tuple[str, dict[str, Any]]]:
    rows: list[tuple[str, dict[str, Any]]] = []
    for x in every(c.xml, "objectPermissions"):
        obj = text(x, "object") or ""
        if obj not in t.objects():
            raise BadComponent(f"In field: object - no CustomObject named {obj} found")
        rights = {right: flag(x, tag) for tag, right in _OBJECT_RIGHTS.items()}
        rows.append(("ObjectPermissions", {"SobjectType": obj, **rights}))
    return rows


def settings(t: Target, c: Component) -> tuple[str, bool]:
    """LeadConfig's doesTrackHistory: without it, tracked fields of Lead deploy and track nothing. [facts/in-crm-ui.md]"""
    if c.name == "LeadConfig" and c.text("doesTrackHistory") is not None:
        _keep_history(t, "Lead", flag(c.xml, "doesTrackHistory"))
    return c.name, False


def lead_convert_settings(t: Target, c: Component) -> tuple[str, bool]:
    """All mappings of the org are those of the file. [unsourced] whether a deployment replaces or adds"""
    objects = t.objects()
    made: dict[str, dict[str, str]] = {}
    for one in every(c.xml, "objectMapping"):
        target = text(one, "outputObject") or ""
        if target not in ("Account", "Contact", "Opportunity"):
            raise BadComponent(f"outputObject {target} is no target of a conversion")
        for pair in every(one, "mappingFields"):
            a, b = text(pair, "inputField") or "", text(pair, "outputField") or ""
            for obj, name in (("Lead", a), (target, b)):
                if name not in objects[obj].fields:
                    raise BadComponent(f"In field: mappingFields - no CustomField named {obj}.{name} found")
            if objects["Lead"].fields[a].type != objects[target].fields[b].type:
                raise BadComponent(f"Lead.{a} and {target}.{b} are of different types")
            made.setdefault(target, {})[a] = b
    t.stored["conversion"] = made
    return c.name, False


def other(t: Target, c: Component) -> tuple[str, bool]:
    """Kinds that this org only remembers: flows, quick actions, pages. They change nothing that an API shows."""
    kept = t.stored.setdefault("others", [])
    key = f"{c.kind}:{c.name}"
    if key in kept:
        return c.name, False
    kept.append(key)
    return c.name, True


DEPLOY: Mapping[str, Callable[[Target, Component], tuple[str, bool]]] = {
    "Settings": settings, "CustomObject": custom_object, "CustomField": custom_field,
    "ValidationRule": validation_rule, "Queue": queue, "ListView": list_view, "PermissionSet": permission_set,
    "LeadConvertSettings": lead_convert_settings, **apps.DEPLOY,
}  # fmt: skip
"""In the order in which kinds depend on each other; any other kind comes last."""


# --- delete ---


def delete(t: Target, kind: str, name: str) -> None:
    missing = BadComponent(f"No {kind} named: {name} found")
    if kind == "CustomField":
        obj, _, field = name.partition(".")
        if field not in t.stored["fields"].get(obj, {}):
            raise missing
        _delete_field(t, obj, field)
    elif kind == "CustomObject":
        if name not in t.stored["objects"]:
            raise missing
        _delete_object(t, name)
    elif kind in ("ValidationRule", "ListView"):
        if t.stored["rules" if kind == "ValidationRule" else "views"].pop(name, None) is None:
            raise missing
    elif kind == "Queue":
        found = t.find("Group", "DeveloperName", name)
        if found is None:
            raise missing
        t.org.sql("delete from record where obj = 'Group' and id = ?", (found,))
        t.drop("QueueSobject", "QueueId", found)
        t.drop("GroupMember", "GroupId", found)
    elif kind == "PermissionSet":
        found = t.find("PermissionSet", "Name", name)
        if found is None:
            raise missing
        t.org.sql("delete from record where obj = 'PermissionSet' and id = ?", (found,))
        for rows in ("FieldPermissions", "ObjectPermissions"):
            t.drop(rows, "ParentId", found)
        t.drop("PermissionSetAssignment", "PermissionSetId", found)
    elif kind == "ExternalClientApplication":
        if not apps.delete(t, name):
            raise missing
    elif f"{kind}:{name}" in t.stored.get("others", []):
        t.stored["others"].remove(f"{kind}:{name}")
        if not t.stored["others"]:
            del t.stored["others"]
    else:
        raise missing


def _delete_field(t: Target, obj: str, name: str) -> None:
    for key, rule in t.stored["rules"].items():
        if key.split(".", 1)[0] == obj and name in formula.names(rule["formula"]):
            raise BadComponent(
                "This custom field is referenced elsewhere in salesforce.com. Remove the usage and try again. : "
                f"Validation Rule - {key.split('.', 1)[1]}"
            )
    for used in t.stored.get("references", ()):
        if used["field"] == f"{obj}.{name}" and used["kind"] in BLOCKING:
            raise BadComponent(
                "This custom field is referenced elsewhere in salesforce.com. Remove the usage and try again. : "
                f"{used['kind']} - {used['name']}"
            )
    t.org.sql(f"drop index if exists {_key_index(obj, name)}")
    t.stored.setdefault("deleted", []).append([obj, f"{name.removesuffix('__c')}_del__c", t.org.now()])
    del t.stored["fields"][obj][name]
    if not t.stored["fields"][obj]:
        del t.stored["fields"][obj]
    _forget_tracking(t, obj, name)
    _unmap(t, obj, name)
    t.drop("FieldPermissions", "Field", f"{obj}.{name}")
    for key, view in t.stored["views"].items():
        if key.split(".", 1)[0] == obj:
            view["columns"] = [c for c in view["columns"] if c != name]
    t.org.strip(obj, [name])


def _unmap(t: Target, obj: str, name: str) -> None:
    """A deleted field is mapped no longer."""
    mapped = t.stored.get("conversion", {})
    for target in list(mapped):
        gone = [a for a, b in mapped[target].items() if (obj, name) in (("Lead", a), (target, b))]
        for a in gone:
            del mapped[target][a]
        if not mapped[target]:
            del mapped[target]


def _forget_tracking(t: Target, obj: str, name: str) -> None:
    tracked = t.stored["tracked"].get(obj, {})
    tracked.pop(name, None)
    if not tracked:
        t.stored["tracked"].pop(obj, None)


def _delete_object(t: Target, name: str) -> None:
    for obj, own in list(t.stored["fields"].items()):
        for field, spec in list(own.items()):
            if obj != name and name in spec.get("refers", []):
                _delete_field(t, obj, field)
    for part in ("rules", "views"):
        for key in [k for k in t.stored[part] if k.split(".", 1)[0] == name]:
            del t.stored[part][key]
    for field in t.stored["fields"].pop(name, {}):
        t.org.sql(f"drop index if exists {_key_index(name, field)}")
    t.stored["tracked"].pop(name, None)
    del t.stored["objects"][name]
    _keep_history(t, name, False)
    for kind in ("FieldPermissions", "ObjectPermissions", "QueueSobject"):
        t.drop(kind, "SobjectType", name)
    t.org.sql("delete from record where obj = ?", (name,))
    t.org.sql("delete from history where obj = ?", (name,))
