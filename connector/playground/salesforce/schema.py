"""The org's schema as one user sees it: standard objects, the org's custom ones, and field-level security.

Custom parts live in org.meta("schema") (shape: own.schema()), permissions in the records of the PermissionSet family.
Everything here is derived from the two, and made anew when either changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from connector.playground.org import Org
from connector.playground.salesforce import own
from connector.playground.salesforce.model import (
    AUDIT,
    ID,
    IS_DELETED,
    Field,
    SObject,
    choice,
    moment,
    read_only,
    refers,
    sobject,
    text,
)  # fmt: skip
from connector.playground.salesforce.platform import PLATFORM
from connector.playground.salesforce.standard import SALES

STANDARD: Mapping[str, SObject] = {o.name: o for o in (*SALES, *PLATFORM)}
CUSTOM_OWNER = refers("OwnerId", "Owner ID", "Group", "User", required=True)


@dataclass(frozen=True, slots=True)
class Access:
    read: bool
    edit: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """`objects` and their fields are those that the user may see; `editable` holds "Object.Field" of the custom fields
    that need a permission to be written and have it."""

    objects: Mapping[str, SObject]
    editable: frozenset[str]
    rules: Mapping[str, Mapping[str, Any]]
    tracked: Mapping[str, Mapping[str, int]]
    by_lower: Mapping[str, str]
    rights: frozenset[str] = frozenset()
    """system permissions from the user's permission sets: "AllowViewEditConvertedLeads" …"""

    def find(self, name: str) -> SObject | None:
        return self.objects.get(name) or self.objects.get(self.by_lower.get(name.lower(), ""))

    def by_prefix(self, id: str) -> SObject | None:
        return next((o for o in self.objects.values() if o.prefix == id[:3]), None)

    def may_write(self, obj: SObject, field: Field, *, new: bool) -> bool:
        if not (field.createable if new else field.updateable):
            return False
        return field.always_visible or f"{obj.name}.{field.name}" in self.editable

    def children(self, name: str) -> list[tuple[SObject, Field]]:
        """(object, reference field) of everything that points at an object."""
        return [(o, f) for o in self.objects.values() for f in o.fields.values() if name in f.refers]


def record(org: Org) -> dict[str, Any]:
    found = org.meta("schema")
    if found is None:
        found = own.schema()
        save(org, found)
    return dict(found)


def save(org: Org, schema: Mapping[str, Any]) -> None:
    with org.transaction():
        org.set_meta("schema", schema)
        touch(org)


def touch(org: Org) -> None:
    """Permissions or schema changed: what was derived is stale. A random mark, so that a rollback can't reuse one."""
    org.set_meta("schema_mark", uuid4().hex)


def custom_field(name: str, spec: Mapping[str, Any]) -> Field:
    values: dict[str, Any] = {
        key: tuple(spec[key]) if isinstance(spec[key], list) else spec[key]
        for key in (
            "length", "precision", "scale", "required", "picklist", "labels", "restricted", "default", "refers",
            "children", "master", "external_id", "unique", "formula", "help", "auto_number",
        )
        if spec.get(key) is not None
    }  # fmt: skip
    made = Field(
        name,
        spec["label"],
        spec["type"],
        custom=True,
        relationship=name.removesuffix("__c") + "__r" if spec.get("refers") else None,
        **values,
    )
    if made.type == "reference":
        made = replace(made, length=18)
    return read_only(made) if made.formula or made.auto_number else made


def history_object(parent: SObject) -> SObject:
    """LeadHistory, OpportunityFieldHistory, X__History: one row a change of a tracked field. [D: EntityHistory]"""
    assert parent.history is not None
    link = "ParentId" if parent.custom else f"{parent.name}Id"
    fields = (
        ID, IS_DELETED, refers(link, f"{parent.label} ID", parent.name, required=True, children="Histories"),
        refers("CreatedById", "Created By ID", "User", required=True),
        moment("CreatedDate", "Created Date", required=True),
        choice("Field", "Changed Field", ("created", "leadConverted"), required=True),
        text("DataType", "Data Type", 40), Field("OldValue", "Old Value", "anyType"),
        Field("NewValue", "New Value", "anyType"),
    )  # fmt: skip
    return sobject(
        parent.history, f"{parent.label} History", f"{parent.label} History", "017",
        tuple(read_only(f) for f in fields), createable=False, updateable=False, deletable=False,
        history_of=parent.name, parent_field=link, profile=parent.profile,
    )  # fmt: skip


def everything(stored: Mapping[str, Any]) -> dict[str, SObject]:
    """Every object with every field, whoever looks, in alphabetical order."""
    objects = dict(STANDARD)
    for name, spec in stored["objects"].items():
        objects[name] = _custom_object(name, spec)
    for obj, fields in stored["fields"].items():
        base = objects[obj]
        merged = tuple(base.fields.values()) + tuple(custom_field(n, s) for n, s in fields.items())
        if any(f.master for f in merged):  # a detail record has its master's owner
            merged = tuple(f for f in merged if f.name != "OwnerId")
        objects[obj] = replace(
            base, fields={f.name: f for f in merged}, by_lower={f.name.lower(): f.name for f in merged}
        )
    for parent in list(objects.values()):
        if parent.history:
            objects[parent.history] = history_object(parent)
    return dict(sorted(objects.items()))


def _custom_object(name: str, spec: Mapping[str, Any]) -> SObject:
    naming = spec["name"]
    name_field = text("Name", naming["label"], 80, name_field=True, auto_number=naming.get("auto_number"))
    if naming.get("auto_number"):
        name_field = read_only(name_field)
    return sobject(
        name, spec["label"], spec["plural"], spec["prefix"], (ID, CUSTOM_OWNER, IS_DELETED, name_field, *AUDIT),
        custom=True, history=name.removesuffix("__c") + "__History" if spec.get("history") else None,
        profile=bool(spec.get("profile")),
    )  # fmt: skip


def field_access(org: Org, stored: Mapping[str, Any], user: str) -> dict[str, Access]:
    """ "Object.Field" -> what the user may do, for the custom fields that need a permission."""
    access = {
        f"{obj}.{name}": Access(True, True)
        for obj, fields in stored["fields"].items()
        for name, spec in fields.items()
        if spec.get("profile")
    }
    sets = assigned(org, user)
    for row in org.all("FieldPermissions"):
        if row.data.get("ParentId") in sets:
            old = access.get(row.data["Field"], Access(False, False))
            edit = old.edit or bool(row.data.get("PermissionsEdit"))
            access[row.data["Field"]] = Access(
                old.read or edit or bool(row.data.get("PermissionsRead")), edit
            )
    return access


def assigned(org: Org, user: str) -> set[str]:
    rows = org.all("PermissionSetAssignment")
    return {r.data["PermissionSetId"] for r in rows if r.data.get("AssigneeId") == user}


def is_admin(org: Org, user: str) -> bool:
    return bool(org.meta("users", {}).get(user, {}).get("admin"))


def for_user(org: Org, user: str | None) -> Schema:
    """What a user sees; None: everything, as the org's own machinery and its screens do."""
    stored = record(org)
    objects = everything(stored)
    editable = {f"{o}.{f}" for o, fields in stored["fields"].items() for f in fields}
    rights: set[str] = set()
    if user is not None:
        access = field_access(org, stored, user)
        sets = assigned(org, user)
        rights = {
            right for r in org.all("PermissionSet") if r.id in sets for right in r.data.get("_rights", ())
        }
        readable = {
            r.data["SobjectType"]
            for r in org.all("ObjectPermissions")
            if r.data.get("ParentId") in sets and r.data.get("PermissionsRead")
        }
        admin = is_admin(
            org, user
        )  # "Modify All Data" sees every object, but no field it has no permission for
        seen = {}
        for name, obj in objects.items():
            parent = obj.history_of or name
            if obj.profile or admin or parent in readable:
                fields = {
                    f.name: f
                    for f in obj.fields.values()
                    if f.always_visible or access.get(f"{name}.{f.name}", Access(False, False)).read
                }
                seen[name] = replace(obj, fields=fields, by_lower={n.lower(): n for n in fields})
        objects = seen
        editable = {key for key in editable if access.get(key, Access(False, False)).edit}
    tracked = {o: stored["tracked"].get(o, {}) for o in stored["keeps_history"]}
    by_lower = {n.lower(): n for n in objects}
    return Schema(objects, frozenset(editable), stored["rules"], tracked, by_lower, frozenset(rights))


class Schemas:
    """Schemas by user, kept until the org's mark moves."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._mark: str | None = None
        self._made: dict[str | None, Schema] = {}

    def get(self, user: str | None) -> Schema:
        mark = self._org.meta("schema_mark")
        if mark is None:
            record(self._org)
            mark = self._org.meta("schema_mark")
        if mark != self._mark:
            self._mark, self._made = mark, {}
        if user not in self._made:
            self._made[user] = for_user(self._org, user)
        return self._made[user]
