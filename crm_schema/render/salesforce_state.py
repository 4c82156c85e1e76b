"""What a Salesforce field, permission set or rule that is there lacks of what is declared. Used by the plan (which mends)
and by the drift report (which says what it breaks), so that the two can't disagree.

A fact that the org didn't tell (no such key) is taken as it should be: only what is known is called drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_schema.choices import Choice
from crm_schema.declaration import REVIEW, Field
from crm_schema.naming import REVIEW_OBJECT, salesforce_name
from crm_schema.permissions import INTEGRATION, PermissionSet
from crm_schema.render import salesforce_parts as parts

TRACKED_FIELDS = 20
"""fields of an object whose history Salesforce keeps (D: Field History Tracking; more only with Field
Audit Trail)"""


def unseen(org: Mapping[str, Any], object_name: str) -> Mapping[str, Mapping[str, Any]]:
    """Fields of Candor's names that are there and hidden from us, as far as it is known what they are."""
    told = org.get("unseen", {}).get(object_name, {})
    return {name: f for name, f in told.items() if f["type"] is not None}


def unknown(org: Mapping[str, Any], object_name: str) -> set[str]:
    """Fields that are there and hidden from us, and more than that we aren't told."""
    told = org.get("unseen", {}).get(object_name, {})
    return {name for name, f in told.items() if f["type"] is None}


def values_gone(f: Field, have: Mapping[str, Any]) -> list[Choice]:
    there = {v["value"] for v in have.get("picklistValues") or () if v.get("active", True)}
    return [c for c in f.choices if c.value not in there]


def too_short(f: Field, have: Mapping[str, Any]) -> bool:
    return f.type in ("text", "long_text") and have["length"] < f.length


def too_few_digits(f: Field, have: Mapping[str, Any]) -> bool:
    if f.type != "number" or not have.get("precision"):
        return False
    whole = int(have["precision"]) - int(have.get("scale", 0))
    return whole < parts.precision(f) - f.decimals or have.get("scale", 0) < f.decimals


def not_unique(f: Field, have: Mapping[str, Any]) -> bool:
    return f.unique and have.get("unique") is False


def no_key(f: Field, have: Mapping[str, Any]) -> bool:
    return f.unique and have.get("externalId") is False


def unrestricted(f: Field, have: Mapping[str, Any]) -> bool:
    return bool(f.choices) and have.get("restrictedPicklist") is False


def untracked(fields: Sequence[Field], described: Mapping[str, Mapping[str, Any]]) -> list[Field]:
    """Fields that are there without the history that is declared, as far as the object has room for it. An object that
    keeps no history at all is its admin's choice: `history_is_off`."""
    used = sum(bool(d.get("tracked")) for d in described.values())
    lost = [
        f
        for f in fields
        if f.tracked and (described.get(salesforce_name(f.key)) or {}).get("tracked") is False
    ]
    return lost[: max(0, TRACKED_FIELDS - used)]


def history_is_off(described: Mapping[str, Mapping[str, Any]]) -> bool:
    told = [d["tracked"] for d in described.values() if "tracked" in d]
    return bool(told) and not any(told)


def rights_lost(
    grant: PermissionSet, reads: Mapping[str, Sequence[str]], have: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], list[str]]:
    """(fields: ("Lead.X__c", "read" or "edit"), objects) that a permission set no longer gives as declared."""
    wanted = parts.permission_set(grant, reads)
    fields = []
    for p in wanted["fieldPermissions"]:
        there = have["fields"].get(p["field"])
        if there is None:
            fields.append((p["field"], "read"))
        elif p["editable"] and there != "edit":
            fields.append((p["field"], "edit"))
    objects = []
    for p in wanted["objectPermissions"]:
        given = have["objects"].get(p["object"], ())
        if any(p[right] and right not in given for right in p if right != "object"):
            objects.append(p["object"])
    return fields, objects


def system_rights_lost(grant: PermissionSet, org: Mapping[str, Any]) -> list[str]:
    """Of the integration user, who is the one that we can ask for."""
    told: Mapping[str, bool] = org.get("system", {})
    return [name for name in grant.system if told.get(name) is False] if grant is INTEGRATION else []


def rule_state(org: Mapping[str, Any]) -> str | None:
    """ "gone", "inactive" or "changed"; None: as declared, or not told."""
    if "rules" not in org:
        return None
    rule = org["rules"].get(f"{REVIEW_OBJECT}.{REVIEW.rule}")
    if rule is None:
        return "gone"
    if not rule["active"]:
        return "inactive"
    declared = str(parts.validation_rule()["errorConditionFormula"])
    return "changed" if _plain(rule["formula"]) != _plain(declared) else None


def _plain(formula: str) -> str:
    return "".join(formula.split()).lower()


def view_gone(org: Mapping[str, Any]) -> bool:
    return "views" in org and f"{REVIEW_OBJECT}.{REVIEW.view}" not in org["views"]


def tab_gone(org: Mapping[str, Any]) -> bool:
    return "tabs" in org and REVIEW_OBJECT not in org["tabs"]


def unmapped(org: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Of the mappings at conversion those that the org lacks. A lead field that an admin maps elsewhere stays so."""
    if "conversion" not in org:
        return {}
    lacks = {}
    for target, fields in parts.conversion().items():
        there = org["conversion"].get(target, {})
        missing = {a: b for a, b in fields.items() if a not in there and b not in there.values()}
        if missing:
            lacks[target] = missing
    return lacks
