"""Taking Candor out of a Salesforce org, as stages that can be taken up again wherever they stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_schema import upgrade
from crm_schema.declaration import REVIEW, fields_on
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import PERMISSION_SETS
from crm_schema.render import salesforce_connection
from crm_schema.render.difference import Difference
from crm_schema.render.salesforce import FITS, destructive, hidden, names, see_again
from crm_schema.stages import Destroy, Line, UnassignPermissionSet


def removal(org: Mapping[str, Any]) -> Difference:
    """Take out what Candor added, and nothing else: by its name, and only where it is of Candor's type.

    Fields go first, permission sets last: without the permission we would no longer see which fields are left.
    """
    found = Difference()
    if hidden(org):
        found.stages.append(see_again())
        return found
    lines, gone = _fields(org, found)
    first: dict[str, list[str]] = {}
    if REVIEW.queue in names(org["queues"]):
        first["Queue"] = [REVIEW.queue]
        lines.insert(0, Line("remove", f"queue {REVIEW.queue}"))
    if "CustomObject" in gone:
        first["CustomTab"] = [REVIEW_OBJECT]
    if lines:
        found.stages.append(Destroy(tuple(lines), destructive(first, gone)))
        found.limits.append(
            "Salesforce keeps deleted fields for 15 days, and counts them meanwhile; an admin can erase them in "
            "Setup, Object Manager, Deleted Fields."
        )
    salesforce_connection.removal(org, found)
    sets = [grant.name for grant in PERMISSION_SETS if grant.name in names(org["permission_sets"])]
    for name in sets:
        line = Line("remove", f"permission set {name} from everyone who holds it")
        found.stages.append(UnassignPermissionSet((line,), name))
    if sets:
        set_lines = tuple(Line("remove", f"permission set {name}") for name in sets)
        found.stages.append(Destroy(set_lines, destructive({}, {"PermissionSet": sets})))
    return found


def _fields(org: Mapping[str, Any], found: Difference) -> tuple[list[Line], dict[str, list[str]]]:
    """The fields and the object that are there and Candor's: as lines, and as members of a deployment."""
    lines: list[Line] = []
    gone: dict[str, list[str]] = {}
    for kind, object_name in SALESFORCE_OBJECTS.items():
        described = org["objects"].get(object_name, {}).get("fields", {})
        if object_name == REVIEW_OBJECT:
            if described:
                gone["CustomObject"] = [REVIEW_OBJECT]
                lines.append(
                    Line("remove", f"object {REVIEW_OBJECT} with its tab, rule, list and all review cases")
                )
            continue
        for f in (*fields_on(kind), *upgrade.former((kind,), fields_on)):
            name = salesforce_name(f.key)
            if name not in described:
                continue
            if described[name]["type"] not in FITS[f.type]:
                what = f"it is of type {described[name]['type']}, so not Candor's"
                found.keep(f"field {object_name}.{name}", what)
                continue
            gone.setdefault("CustomField", []).append(f"{object_name}.{name}")
            lines.append(Line("remove", f"field {object_name}.{name} with its values"))
    return lines, gone
