"""How a HubSpot portal that has Candor differs from the declaration, each difference with what it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crm_schema.consequences import Finding, unwritable, use_of
from crm_schema.declaration import REVIEW, Field
from crm_schema.naming import GROUP, hubspot_name
from crm_schema.render import hubspot, hubspot_lists

_REVIEWS = "no lead can be sent to a person for review"


def drift(org: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for object_name in hubspot.OBJECTS:
        if object_name in org.get("denied", ()):
            found.append(_denied(object_name))
            continue
        there = org["objects"][object_name]
        if GROUP not in hubspot.group_names(there):
            found.append(Finding(
                "group_gone", f"group “Candor” on {object_name}", "it is gone",
                "Candor's properties stand among others, and new ones can't be made",
            ))  # fmt: skip
        for f in hubspot.fields_on(object_name):
            found += _property(f, object_name, there["properties"])
    return [*found, *_pipeline(org), *hubspot_lists.drift(org)]


def _denied(object_name: str) -> Finding:
    scope = hubspot.read_scope(object_name)
    return Finding(
        "scope_lost", f"scope {scope}", "Candor's key doesn't have it",
        f"Candor can't see whether its properties of {object_name} are there, and writes none of them",
        "Give the key that scope in HubSpot.",
    )  # fmt: skip


def _property(f: Field, object_name: str, there: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    name = hubspot_name(f.key)
    where = f"property {object_name}.{name}"
    if name not in there:
        yield Finding(
            "property_gone", where, "it is archived or gone", use_of(f),
            "`candor apply` mends it: for 90 days HubSpot gives it back with its options.",
        )  # fmt: skip
        return
    have = there[name]
    if not hubspot.is_ours(f, have):
        same = have["type"] == hubspot.TYPES[f.type][0]
        yield Finding(
            "field_type_changed" if same else "type_changed", where,
            f"it is {have['type']} ({have['fieldType']}), Candor needs {' ('.join(hubspot.TYPES[f.type])})", unwritable(f),
            "Change its type back in HubSpot's property settings, or archive it and run `candor apply`.",
        )  # fmt: skip
        return
    if f.unique and not have.get("hasUniqueValue"):
        yield Finding(
            "not_unique", where, "it isn't unique", "a case that is sent twice would stand there twice",
            "HubSpot can't change this: archive the property for 90 days, or ask support to erase it; then `candor apply`.",
        )  # fmt: skip
    if (have.get("modificationMetadata") or {}).get("readOnlyValue"):
        yield Finding(
            "read_only", where, "its value is read-only", unwritable(f), "Let Candor's key edit it."
        )
    by_value = {o["value"]: o for o in have.get("options") or ()}
    gone = [c for c in f.choices if c.value not in by_value]
    hidden = [c for c in f.choices if by_value.get(c.value, {}).get("hidden")]
    if gone:
        what = ", ".join(c.value for c in gone)
        breaks = (
            f"a write of them is refused and {use_of(f)}"
            if f.written_by == "candor"
            else "nobody can choose them"
        )
        yield Finding("options_gone", where, f"its options {what} are gone", breaks)
    if hidden and f.written_by != "candor":
        what = ", ".join(c.label for c in hidden)
        yield Finding("options_hidden", where, f"its options {what} are hidden", "people can't choose them")


def _pipeline(org: Mapping[str, Any]) -> Iterator[Finding]:
    if "tickets" in org.get("denied", ()):
        return
    where = f"pipeline “{REVIEW.label}”"
    pipeline = hubspot.review_pipeline(org)
    if pipeline is None:
        yield Finding("pipeline_gone", where, "it is gone or has another name", _REVIEWS)
        return
    for closed, word in ((False, "open"), (True, "closed")):
        if not any(hubspot.closed(stage) == closed for stage in pipeline["stages"]):
            yield Finding(
                f"{word}_stage_gone", where, f"it has no {word} stage",
                _REVIEWS if not closed else "a decided case can't be closed",
            )  # fmt: skip
    labels = {stage["label"]: stage for stage in pipeline["stages"]}
    for stage in REVIEW.stages:
        if stage.label in labels and hubspot.closed(labels[stage.label]) != stage.closed:
            yield Finding(
                "stage_state_changed", f"{where}, stage “{stage.label}”",
                "it counts as closed" if not stage.closed else "it counts as open",
                "cases in it are taken for " + ("decided" if not stage.closed else "undecided"),
            )  # fmt: skip
