"""Taking Candor out of a Salesforce org, as stages that can be taken up again wherever they stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crm_schema import upgrade
from crm_schema.declaration import REVIEW, fields_on
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import PERMISSION_SETS, PermissionSet
from crm_schema.render import salesforce_connection
from crm_schema.render import salesforce_contents as contents
from crm_schema.render import salesforce_state as state
from crm_schema.render.difference import Difference
from crm_schema.render.salesforce import FITS, destructive, granted, hidden, names, see_again, thing
from crm_schema.stages import Destroy, Line, Thing, UnassignPermissionSet

HOLDERS = 200
"""holders from whom one call takes a permission set"""


def removal(org: Mapping[str, Any]) -> Difference:
    """Take out what Candor added, and nothing else: by its name, and only where it is of Candor's type.

    Fields go first, permission sets last: without the permission we would no longer see which fields are left.
    """
    found = Difference()
    if hidden(org):
        found.stages.append(see_again())
        found.notes.append("Until then Candor can't see its fields. What it removes shows after this step.")
        found.blind = True
        return found
    lines, gone = _fields(org, found)
    first: dict[str, list[str]] = {}
    if REVIEW.queue in names(org["queues"]):
        first["Queue"] = [REVIEW.queue]
        lines.insert(
            0, Line("remove", f"queue {REVIEW.queue}", Thing("queue", REVIEW.queue, label=REVIEW.label))
        )
    if "CustomObject" in gone:
        first["CustomTab"] = [REVIEW_OBJECT]
    if lines:
        found.stages.append(Destroy(tuple(lines), destructive(first, gone)))
        found.notes.append(counted_meanwhile(gone.get("CustomField", ())))
    salesforce_connection.removal(org, found)
    sets = [grant for grant in PERMISSION_SETS if grant.name in names(org["permission_sets"])]
    held = {s["name"]: s.get("holders") for s in org["permission_sets"]}
    for grant in sets:
        name = grant.name
        if held[name] == 0:
            continue
        line = Line("remove", f"permission set {name} from everyone who holds it", granted(grant))
        calls = 1 if held[name] is None else -(-held[name] // HOLDERS)
        found.stages.append(UnassignPermissionSet((line,), name, calls=calls))
    if sets:
        set_lines = tuple(
            Line("remove", f"permission set {g.name}{_by_hand(g, org)}", granted(g)) for g in sets
        )
        found.stages.append(Destroy(set_lines, destructive({}, {"PermissionSet": [g.name for g in sets]})))
    return found


def counted_meanwhile(deleted: Sequence[str]) -> str:
    """What the bin costs. `deleted`: "Lead.Candor_Score__c"."""
    by_object = Counter(name.partition(".")[0] for name in deleted)
    counts = ", ".join(f"{n} on {o}" for o, n in by_object.items())
    return (
        f"Salesforce keeps deleted fields for 15 days, with their values, and counts them against its limits meanwhile ({counts}); "
        "an admin can erase them earlier in Setup, Object Manager, Deleted Fields. Their names are free at once."
    )  # fmt: skip


def _by_hand(grant: PermissionSet, org: Mapping[str, Any]) -> str:
    """What an admin put into one of our permission sets, and goes with it."""
    held = contents.added(grant, org.get("set_contents", {}).get(grant.name, {}))
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
                    Line(
                        "remove",
                        f"object {REVIEW_OBJECT} with its tab, rule, list and all review cases",
                        Thing("object", REVIEW_OBJECT, label=REVIEW.label),
                    )
                )
            continue
        described = {**described, **state.unseen(org, object_name)}
        for name in sorted(state.unknown(org, object_name)):
            what = "it is hidden from this user, so it can't tell whether it is Candor's"
            found.keep(f"field {object_name}.{name}", what, Thing("field", name, object_name))
        for key, forms in upgrade.forms((kind,), fields_on).items():
            name = salesforce_name(key)
            if name not in described:
                continue
            if not any(described[name]["type"] in FITS[f.type] for f in forms):
                what = f"it is of type {described[name]['type']}, so not Candor's"
                found.keep(f"field {object_name}.{name}", what, thing(object_name, forms[0]))
                continue
            gone.setdefault("CustomField", []).append(f"{object_name}.{name}")
            what = f"field {object_name}.{name} with its values"
            lines.append(Line("remove", what, thing(object_name, forms[0])))
    return lines, gone
