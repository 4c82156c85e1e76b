"""How a Salesforce org that has Candor differs from the declaration, each difference with what it breaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from crm_schema.consequences import Finding, unwritable, use_of
from crm_schema.declaration import REVIEW, Field, fields_on
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import INTEGRATION, PERMISSION_SETS, PermissionSet
from crm_schema.render import salesforce_state as state
from crm_schema.render.salesforce import FITS, hidden, names, readable

_BY_NAME = {
    f"{o}.{salesforce_name(f.key)}": f for kind, o in SALESFORCE_OBJECTS.items() for f in fields_on(kind)
}
_WHO = {
    "Candor_Integration": "Candor",
    "Candor_Rep": "reps",
    "Candor_Reviewer": "reviewers",
    "Candor_Admin": "Candor's admins",
}


def drift(
    org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]], tracked: Collection[str] = ()
) -> list[Finding]:
    """`tracked`: fields ("Lead.Candor_Tags__c") whose history was kept after the last apply."""
    if hidden(org):
        return [_unassigned()]
    found: list[Finding] = []
    known = {name for given in org.get("permissions", {}).values() for name in given["fields"]}
    for kind, object_name in SALESFORCE_OBJECTS.items():
        if object_name in org["objects"]:
            described = org["objects"][object_name]["fields"]
            unseen = org.get("unseen", {}).get(object_name)
            found += _fields(object_name, fields_on(kind), described, unseen, known)
            was_on = any(name.startswith(f"{object_name}.") for name in tracked)
            if was_on and object_name != REVIEW_OBJECT and state.history_is_off(described):
                found.append(_no_history(object_name))
    for target, lost in state.unmapped(org).items():
        found.append(Finding(
            "mapping_gone", f"lead conversion to {target}", f"{', '.join(lost)} {'is' if len(lost) == 1 else 'are'} no longer mapped",
            f"what stands there on a lead doesn't reach its {target.lower()}",
        ))  # fmt: skip
    found += _review(org)
    for grant in PERMISSION_SETS:
        found += _rights(grant, org, also_reads)
    return found


def _no_history(object_name: str) -> Finding:
    return Finding(
        "object_history_off", f"object {object_name}", "it keeps no history any more, of any field",
        "Candor sees changes at its next pass, but not who made them when, and new models lose what changed in between",
        f"Setup, Object Manager, {object_name}, Fields & Relationships, Set History Tracking.",
    )  # fmt: skip


def tracked_now(org: Mapping[str, Any]) -> list[str]:
    """What is to be remembered after an apply."""
    return sorted(
        f"{o}.{name}"
        for o, v in org["objects"].items()
        for name, f in v["fields"].items()
        if f.get("tracked") and f"{o}.{name}" in _BY_NAME
    )


def _unassigned() -> Finding:
    return Finding(
        "set_unassigned", f"permission set {INTEGRATION.name}", "the user that Candor signs in as doesn't hold it",
        "Candor sees none of its fields and can write no score",
    )  # fmt: skip


def _fields(
    object_name: str,
    fields: Sequence[Field],
    described: Mapping[str, Mapping[str, Any]],
    unseen: Mapping[str, Mapping[str, Any]] | None,
    known: Collection[str],
) -> Iterator[Finding]:
    """`unseen`: fields that are there and hidden from us; None: not told. `known`: fields that some permission set names, which
    are there too."""
    for f in fields:
        name = salesforce_name(f.key)
        where = f"field {object_name}.{name}"
        hidden = name not in described and (name in (unseen or ()) or f"{object_name}.{name}" in known)
        kind = described.get(name, (unseen or {}).get(name, {})).get("type")
        if kind is not None and kind not in FITS[f.type]:
            also = ", and it is hidden from the integration user" if hidden else ""
            yield Finding(
                "type_changed", where, f"its type is {kind}, Candor needs {f.type}{also}", unwritable(f),
                "Change the type back in Setup, or delete the field (Salesforce keeps its values for 15 days) and run "
                "`candor apply`.",
            )  # fmt: skip
        elif hidden:
            yield Finding(
                "field_hidden", where, "it is there, but hidden from the integration user: it looks blank and isn't",
                use_of(f),
            )  # fmt: skip
        elif name not in described:
            sure = known if unseen is None else True
            what = "it is gone" if sure else "it is gone, or the integration user can't see it"
            yield Finding("field_gone", where, what, use_of(f))
        else:
            yield from _field(f, where, described[name])
    off = state.history_is_off(described)
    for f in state.untracked(fields, described):
        if off and object_name != REVIEW_OBJECT:
            continue  # told as one finding, below, where it was on before
        yield Finding(
            "history_off", f"field {object_name}.{salesforce_name(f.key)}", "its history is no longer kept",
            "Candor sees a change at its next pass, but not who made it when",
        )  # fmt: skip


def _field(f: Field, where: str, have: Mapping[str, Any]) -> Iterator[Finding]:
    gone = state.values_gone(f, have)
    if gone:
        words = ", ".join(c.value for c in gone)
        breaks = (
            f"every write of such a value is refused and {use_of(f)}"
            if f.written_by == "candor"
            else f"nobody can choose it any more: {', '.join(c.label for c in gone)}"
        )
        yield Finding("values_gone", where, f"its values {words} are gone", breaks)
    if state.too_short(f, have):
        yield Finding(
            "too_short", where, f"it holds {have['length']} characters, declared are {f.length}",
            "what is longer is refused by Salesforce, and Candor has to cut it short",
        )  # fmt: skip
    if state.too_few_digits(f, have):
        yield Finding(
            "too_few_digits", where, f"it holds {have['precision']} digits, {have.get('scale', 0)} of them decimals",
            "large or exact values are refused or rounded",
        )  # fmt: skip
    if state.not_unique(f, have):
        yield Finding(
            "not_unique", where, "it is no longer unique", "a case that is sent twice would stand there twice"
        )
    if state.no_key(f, have):
        yield Finding("not_external_id", where, "it is no longer an external id", use_of(f))
    if state.unrestricted(f, have):
        yield Finding(
            "unrestricted", where, "its value list is no longer restricted",
            "imports can bring in values that Candor doesn't know and leaves out of what it learns",
        )  # fmt: skip


def _review(org: Mapping[str, Any]) -> Iterator[Finding]:
    if REVIEW_OBJECT not in org["objects"]:
        yield Finding(
            "object_gone", f"object {REVIEW_OBJECT}", "it is gone, or the integration user can't see it",
            "no lead can be sent to a person for review: what Candor isn't sure about is only marked so",
        )  # fmt: skip
    elif rule := state.rule_state(org):
        yield Finding(
            f"rule_{rule}", f"validation rule {REVIEW_OBJECT}.{REVIEW.rule}", f"it is {rule}",
            "reviews can be completed without a decision and a reason; Candor then opens them again",
        )  # fmt: skip
    if REVIEW_OBJECT in org["objects"] and state.view_gone(org):
        yield Finding(
            "view_gone", f"list view {REVIEW_OBJECT}.{REVIEW.view}", "it is gone",
            "reviewers have no list of the open cases",
        )  # fmt: skip
    if REVIEW_OBJECT in org["objects"] and state.tab_gone(org):
        yield Finding(
            "tab_gone", f"tab {REVIEW_OBJECT}", "it is gone", "reviewers can't open the cases from the menu"
        )
    if REVIEW.queue not in names(org["queues"]):
        yield Finding(
            "queue_gone", f"queue {REVIEW.queue}", "it is gone",
            "new cases belong to the integration user, where no reviewer looks",
        )  # fmt: skip
    elif "queue_objects" in org and REVIEW_OBJECT not in org["queue_objects"].get(REVIEW.queue, ()):
        yield Finding(
            "queue_object_gone", f"queue {REVIEW.queue}", f"it no longer takes {REVIEW_OBJECT}",
            "new cases can't be given to it",
            f"Add “{REVIEW.label}” to the queue's supported objects in Setup, Queues (Candor would lose its members).",
        )  # fmt: skip


def _rights(
    grant: PermissionSet, org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    where, who = f"permission set {grant.name}", _WHO[grant.name]
    if grant.name not in names(org["permission_sets"]):
        yield Finding(
            "set_gone", where, "it is gone", f"{who} have no rights to Candor's fields"
            if grant is not INTEGRATION else "Candor can neither see nor write its fields",
        )  # fmt: skip
        return
    if grant is INTEGRATION and not any(
        s["name"] == grant.name and s["assigned"] for s in org["permission_sets"]
    ):
        yield _unassigned()
    elif lost := state.system_rights_lost(grant, org):
        yield Finding(
            "system_right_lost", where, f"{', '.join(lost)} is gone",
            "Candor can't write to converted leads" if lost == ["AllowViewEditConvertedLeads"]
            else "Candor can't use the API",
        )  # fmt: skip
    if grant.name not in org.get("permissions", {}):
        return
    fields, objects = state.rights_lost(grant, readable(org, also_reads), org["permissions"][grant.name])
    for full, right in fields:
        object_name, _, name = full.partition(".")
        if name not in org["objects"].get(object_name, {"fields": {}})["fields"]:
            continue  # told already: the field itself is gone
        yield _field_right(full, right, where, who)
    for object_name in objects:
        if object_name in org["objects"] or object_name not in SALESFORCE_OBJECTS.values():
            yield Finding(
                "object_right_lost", where, f"it no longer gives what is declared on {object_name}",
                f"{who} can't work with {object_name}",
            )  # fmt: skip


def _field_right(full: str, right: str, where: str, who: str) -> Finding:
    f = _BY_NAME.get(full)
    if right == "edit":
        breaks = unwritable(f) if f and who == "Candor" else f"{who} can see {full}, but not fill it in"
        return Finding("edit_lost", where, f"it no longer lets its holders edit {full}", breaks)
    breaks = f"{who} don't see {full}: it looks as if it were blank"
    if who == "Candor":
        breaks = use_of(f) if f else f"{full} is missing from what scores are made of"
    return Finding("read_lost", where, f"it no longer shows {full}", breaks)
