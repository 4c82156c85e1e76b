"""The difference between the declaration and a HubSpot portal, as stages: groups, properties, the review
pipeline, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_schema import upgrade
from crm_schema.choices import Choice
from crm_schema.declaration import FIELDS, REVIEW, Field
from crm_schema.errors import MayNotRead, NoRoom
from crm_schema.naming import GROUP, HUBSPOT_OBJECTS, hubspot_name
from crm_schema.render import hubspot_lists
from crm_schema.render.difference import Difference, words
from crm_schema.stages import (
    ArchiveGroup,
    ArchiveProperties,
    CreateGroup,
    CreatePipeline,
    CreateProperties,
    CreateStage,
    DeletePipeline,
    Left,
    Line,
    Thing,
    UpdateProperty,
    UpdateStage,
)

BATCH = 100
"""properties of one batch call"""
OBJECTS = tuple(dict.fromkeys(HUBSPOT_OBJECTS.values()))
_TICKETS = HUBSPOT_OBJECTS["review"]
PIPELINE = "candor_review"
_PIPELINE = Thing("pipeline", PIPELINE, _TICKETS, label=REVIEW.label)
STAGE_IS_STATUS = "status"
"""a ticket's status is its stage, so this field of a review case needs no property"""

TYPES = {
    "number": ("number", "number"),
    "text": ("string", "text"),
    "long_text": ("string", "textarea"),
    "choice": ("enumeration", "select"),
    "choices": ("enumeration", "checkbox"),
    "flag": ("bool", "booleancheckbox"),
    "time": ("datetime", "date"),
    "lead": ("string", "text"),
}
"""our type -> HubSpot's (type, fieldType)"""


def thing(object_name: str, f: Field) -> Thing:
    """One of Candor's properties."""
    return Thing.field("property", object_name, hubspot_name(f.key), f)


def group(object_name: str) -> Thing:
    return Thing("group", GROUP, object_name, label="Candor")


def _stage(label: str) -> Thing:
    return Thing("stage", label, _TICKETS, label=label)


def fields_on(object_name: str) -> tuple[Field, ...]:
    """What stands on one HubSpot object. A contact is both lead and contact."""
    kinds = [kind for kind, name in HUBSPOT_OBJECTS.items() if name == object_name]
    return tuple(
        f
        for f in FIELDS
        if any(k in f.on for k in kinds) and not (object_name == _TICKETS and f.key == STAGE_IS_STATUS)
    )


def property_input(f: Field, order: int) -> dict[str, Any]:
    """A property as the create call takes it."""
    kind, field_type = TYPES[f.type]
    made: dict[str, Any] = {
        "name": hubspot_name(f.key),
        "label": f.label,
        "description": f.help,
        "type": kind,
        "fieldType": field_type,
        "groupName": GROUP,
        "displayOrder": order,
        "formField": False,
        "hasUniqueValue": f.unique,
    }
    if f.type == "flag":
        made["options"] = options((Choice("true", "Yes"), Choice("false", "No")))
    elif f.choices:
        made["options"] = options(f.choices)
    return made


def options(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    return [
        {"label": c.label, "value": c.value, "description": c.help, "displayOrder": n, "hidden": False}
        for n, c in enumerate(choices)
    ]


def pipeline() -> dict[str, Any]:
    return {
        "pipelineId": PIPELINE,
        "label": REVIEW.label,
        "displayOrder": 99,
        "stages": [
            {
                "stageId": f"{PIPELINE}_{stage.label.lower()}",
                "label": stage.label,
                "displayOrder": n,
                "metadata": {"ticketState": "CLOSED" if stage.closed else "OPEN"},
            }
            for n, stage in enumerate(REVIEW.stages)
        ],
    }


def difference(org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]]) -> Difference:
    """What is missing in the portal. What the app may read is its scopes' affair, so `also_reads` changes
    nothing."""
    found = Difference()
    may_read(org)
    for object_name in OBJECTS:
        there = org["objects"][object_name]
        if GROUP not in group_names(there):
            line = Line("create", f"group “Candor” on {object_name}", group(object_name))
            found.stages.append(
                CreateGroup((line,), object_name, {"name": GROUP, "label": "Candor", "displayOrder": -1})
            )
        _properties(object_name, org, found)
    if _pipeline_id(org) is None:
        stages = ", ".join(s.label for s in REVIEW.stages)
        what = f"pipeline “{REVIEW.label}” of {_TICKETS} with the stages {stages}"
        line = Line("create", what, _PIPELINE)
        found.stages.append(CreatePipeline((line,), _TICKETS, pipeline()))
    _mend_stages(org, found)
    found.raise_conflicts("in HubSpot's property settings")
    hubspot_lists.difference(org, found)
    return found


def may_read(org: Mapping[str, Any]) -> None:
    denied = org.get("denied", ())
    if denied:
        scopes = [read_scope(o) for o in denied]
        what = [o if o == hubspot_lists.LISTS else f"the properties of {o}" for o in denied]
        noun = "scope" if len(scopes) == 1 else "scopes"
        raise MayNotRead(
            f"Candor's key may not read {', '.join(what)}.",
            fix=f"Give it the {noun} {', '.join(scopes)}.",
        )


def read_scope(object_name: str) -> str:
    if object_name == hubspot_lists.LISTS:
        return hubspot_lists.READ_SCOPE
    return "tickets" if object_name == _TICKETS else f"crm.schemas.{object_name}.read"


def _properties(object_name: str, org: Mapping[str, Any], found: Difference) -> None:
    have: Mapping[str, Mapping[str, Any]] = org["objects"][object_name]["properties"]
    fields = fields_on(object_name)
    missing = [f for f in fields if hubspot_name(f.key) not in have]
    free = org.get("custom_properties", {}).get(object_name)
    if free is not None and len(missing) > free:
        raise NoRoom(
            f"{object_name} has room for {free} more custom properties, Candor needs {len(missing)}.",
            fix="Archive properties that nobody uses, then plan again.",
        )
    if free is not None:
        found.limits.append(Left(object_name, "custom properties", free - len(missing)))
    for start in range(0, len(missing), BATCH):
        part = missing[start : start + BATCH]
        lines = tuple(
            Line(
                "create",
                f"property {object_name}.{hubspot_name(f.key)} “{f.label}” ({words(f.type)})",
                thing(object_name, f),
            )
            for f in part
        )
        inputs = [property_input(f, fields.index(f)) for f in part]
        found.stages.append(CreateProperties(lines, object_name, inputs))
    for f in fields:
        if hubspot_name(f.key) in have:
            _settle(f, have[hubspot_name(f.key)], object_name, found)


def _settle(f: Field, have: Mapping[str, Any], object_name: str, found: Difference) -> None:
    """A property that is there: add the options it lacks, keep what an admin made of it."""
    where = f"property {object_name}.{hubspot_name(f.key)}"
    if not is_ours(f, have):
        found.conflict(where, f"{have['type']} ({have['fieldType']})", " (".join(TYPES[f.type]) + ")")
        return
    if f.unique and not have.get("hasUniqueValue"):
        found.conflict(where, "not unique", "a unique value")
        return
    theirs = [o["value"] for o in have.get("options") or ()]
    lacks = [c for c in f.choices if c.value not in theirs]
    hidden = [
        o["value"]
        for o in have.get("options") or ()
        if o.get("hidden") and f.written_by != "candor" and o["value"] in {c.value for c in f.choices}
    ]
    if lacks or hidden:
        # a PATCH with options replaces the whole list: theirs go along
        shown = [{**o, "hidden": False} if o["value"] in hidden else o for o in have["options"]]
        change = {"options": [*shown, *options(lacks)]}
        what = [f"adds {', '.join(c.value for c in lacks)}"] if lacks else []
        what += [f"shows {', '.join(hidden)} again"] if hidden else []
        line = Line("change", f"{where}: {'; '.join(what)}", thing(object_name, f))
        found.stages.append(UpdateProperty((line,), object_name, hubspot_name(f.key), change))
    if have["label"] != f.label:
        found.keep(where, f"your label “{have['label']}”", thing(object_name, f))
    more = [value for value in theirs if f.choices and value not in {c.value for c in f.choices}]
    if more:
        found.keep(where, f"your options {', '.join(more)}", thing(object_name, f))


def removal(org: Mapping[str, Any]) -> Difference:
    """Take out what Candor added, and nothing else."""
    found = Difference()
    may_read(org)
    hubspot_lists.removal(org, found)
    pipeline_id = _pipeline_id(org)
    if pipeline_id is not None:
        line = Line("remove", f"pipeline “{REVIEW.label}” of {_TICKETS} with its review cases", _PIPELINE)
        found.stages.append(DeletePipeline((line,), _TICKETS, pipeline_id))
    for object_name in OBJECTS:
        there = org["objects"][object_name]
        have = there["properties"]
        ours: dict[str, Field] = {}
        for key, forms in _forms(object_name).items():
            name = hubspot_name(key)
            if name in have and any(is_ours(f, have[name]) for f in forms):
                ours[name] = forms[0]
            elif name in have:
                what = f"it is of type {have[name]['type']}, so not Candor's"
                found.keep(f"property {object_name}.{name}", what, thing(object_name, forms[0]))
        if ours:
            lines = tuple(
                Line("remove", f"property {object_name}.{name} with its values", thing(object_name, f))
                for name, f in ours.items()
            )
            found.stages.append(ArchiveProperties(lines, object_name, list(ours)))
        if GROUP in group_names(there):
            others = [n for n, p in have.items() if p.get("groupName") == GROUP and n not in ours]
            if others:
                what = f"it holds {', '.join(sorted(others))}"
                found.keep(f"group “Candor” on {object_name}", what, group(object_name))
            else:
                line = Line("remove", f"group “Candor” on {object_name}", group(object_name))
                found.stages.append(ArchiveGroup((line,), object_name, GROUP))
    if found.stages:
        found.notes.append(
            "HubSpot keeps archived properties and deleted lists for 90 days; until then an admin can restore one."
        )
    return found


def _forms(object_name: str) -> dict[str, list[Field]]:
    kinds = [kind for kind, name in HUBSPOT_OBJECTS.items() if name == object_name]
    return upgrade.forms(kinds, lambda _: fields_on(object_name))


def is_ours(f: Field, have: Mapping[str, Any]) -> bool:
    kind, field_type = TYPES[f.type]
    alike = {("string", "text"), ("string", "textarea")}
    several = {("enumeration", "select"), ("enumeration", "radio")}
    wanted, there = (kind, field_type), (have["type"], have["fieldType"])
    return there == wanted or any(wanted in group and there in group for group in (alike, several))


def group_names(there: Mapping[str, Any]) -> set[str]:
    return {g["name"] if isinstance(g, Mapping) else str(g) for g in there["groups"]}


def review_pipeline(org: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Ours by its id, or, where the portal gave it another, by its label."""
    for found in org["pipelines"][_TICKETS]:
        if found["id"] == PIPELINE or found["label"] == REVIEW.label:
            return dict(found)
    return None


def _pipeline_id(org: Mapping[str, Any]) -> str | None:
    found = review_pipeline(org)
    return None if found is None else str(found["id"])


def closed(stage: Mapping[str, Any]) -> bool:
    told = stage.get("metadata") or {}
    return str(told.get("isClosed")).lower() == "true" or told.get("ticketState") == "CLOSED"


def _mend_stages(org: Mapping[str, Any], found: Difference) -> None:
    """Of the pipeline that is there: an open and a closed stage, which reviewing can't do without, and those that changed
    sides. A stage that an admin renamed or took out beside them stays as they made it."""
    there = review_pipeline(org)
    if there is None:
        return
    for stage in REVIEW.stages:
        same = next((s for s in there["stages"] if s["label"] == stage.label), None)
        body = {"metadata": {"ticketState": "CLOSED" if stage.closed else "OPEN"}}
        where = f"stage “{stage.label}” of pipeline “{REVIEW.label}”"
        if same is not None and closed(same) != stage.closed:
            side = "closed" if stage.closed else "open"
            line = Line("change", f"{where}: {side} again", _stage(stage.label))
            found.stages.append(UpdateStage((line,), _TICKETS, str(there["id"]), str(same["id"]), body))
        elif same is None and not any(closed(s) == stage.closed for s in there["stages"]):
            if stage.label == "Reopened":
                continue  # “Open” is the open one that is made
            made = {"label": stage.label, "displayOrder": len(there["stages"]), **body}
            line = Line("create", where, _stage(stage.label))
            found.stages.append(CreateStage((line,), _TICKETS, str(there["id"]), made))
