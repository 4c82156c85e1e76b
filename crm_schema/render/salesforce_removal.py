"""Taking Candor out of a Salesforce org, as stages that can be taken up again wherever they stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crm_schema import upgrade
from crm_schema.declaration import REVIEW, fields_on
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import PERMISSION_SETS
from crm_schema.render import salesforce_connection
from crm_schema.render import salesforce_contents as contents
from crm_schema.render.difference import Difference
from crm_schema.render.salesforce import FITS, destructive, hidden, names, see_again
from crm_schema.stages import Destroy, Line, UnassignPermissionSet

HOLDERS = 200
"""holders from whom one call takes a permission set"""


def removal(org: Mapping[str, Any]) -> Difference:
    """Take out what Candor added, and nothing else: by its name, and only where it is of Candor's type.

    Fields go first, permission sets last: without the permission we would no longer see which fields are left.
    """
    found = Difference()
    if hidden(org):
        found.stages.append(see_again())
        found.limits.append("Until then Candor can't see its fields. What it removes shows after this step.")
        found.blind = True
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
        found.limits.append(counted_meanwhile(gone.get("CustomField", ())))
    salesforce_connection.removal(org, found)
    sets = [grant.name for grant in PERMISSION_SETS if grant.name in names(org["permission_sets"])]
    held = {s["name"]: s.get("holders") for s in org["permission_sets"]}
    for name in sets:
        if held[name] == 0:
            continue
        line = Line("remove", f"permission set {name} from everyone who holds it")
        calls = 1 if held[name] is None else -(-held[name] // HOLDERS)
        found.stages.append(UnassignPermissionSet((line,), name, calls=calls))
    if sets:
        set_lines = tuple(Line("remove", f"permission set {name}{_by_hand(name, org)}") for name in sets)
        found.stages.append(Destroy(set_lines, destructive({}, {"PermissionSet": sets})))
    return found


def counted_meanwhile(deleted: Sequence[str]) -> str:
    """What the bin costs. `deleted`: "Lead.Candor_Score__c"."""
    by_object = Counter(name.partition(".")[0] for name in deleted)
    counts = ", ".join(f"{n} on {o}" for o, n in by_object.items())
    return (
        f"Salesforce keeps deleted fields for 15 days, with their values, and counts them against its limits meanwhile ({counts}); "
        "an admin can erase them earlier in Setup, Object Manager, Deleted Fields. Their names are free at once."
    )  # fmt: skip


def _by_hand(name: str, org: Mapping[str, Any]) -> str:
    """What an admin put into one of our permission sets, and goes with it."""
    grant = next(g for g in PERMISSION_SETS if g.name == name)
    held = contents.added(grant, org.get("set_contents", {}).get(name, {}))
    return f", and what was added to it by hand: {', '.join(held)}" if held else ""


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
        for key, forms in upgrade.forms((kind,), fields_on).items():
            name = salesforce_name(key)
            if name not in described:
                continue
            if not any(described[name]["type"] in FITS[f.type] for f in forms):
                what = f"it is of type {described[name]['type']}, so not Candor's"
                found.keep(f"field {object_name}.{name}", what)
                continue
            gone.setdefault("CustomField", []).append(f"{object_name}.{name}")
            lines.append(Line("remove", f"field {object_name}.{name} with its values"))
    return lines, gone
