"""The two walkers over a plan: one tells, one acts. Both know every stage, or raise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_schema import plan as planning
from crm_schema.carrying import Refused, differing, read, refusal
from crm_schema.counting import counted
from crm_schema.errors import SchemaError, UnknownStage
from crm_schema.plan import Plan
from crm_schema.port import SchemaPort
from crm_schema.stages import (
    ArchiveGroup,
    ArchiveProperties,
    AssignPermissionSet,
    Carry,
    CreateGroup,
    CreateList,
    CreatePipeline,
    CreateProperties,
    CreateStage,
    DeleteList,
    DeletePipeline,
    Deploy,
    Destroy,
    Line,
    Stage,
    UnassignPermissionSet,
    UpdateList,
    UpdateProperty,
    UpdateStage,
    Verb,
)

LONG = 10
"""changes from which a plan begins with what it comes to"""

Progress = Callable[[int, int, str], None]
"""progress(done, of, what comes next)"""
Agree = Callable[[Plan], bool]
"""may this be done too?"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: stages, write calls, and the lines that came true."""

    stages: int
    calls: int
    lines: tuple[Line, ...]

    def __add__(self, other: Applied) -> Applied:
        return Applied(self.stages + other.stages, self.calls + other.calls, self.lines + other.lines)


def explain(plan: Plan) -> list[str]:
    """The plan in lines: what it comes to; per stage a heading and what it changes; then what stays, and what the platform
    forbids."""
    told: list[str] = head(plan)
    for stage in plan.stages:
        told.append(_heading(stage))
        told.extend(f"  {line}" for line in stage.lines)
    if plan.kept:
        told.append("Left as you made it:")
        told.extend(f"  {line}" for line in plan.kept)
    if plan.notes:
        told.append("Good to know:")
        told.extend(f"  {note}" for note in plan.notes)
    if plan.limits and not plan.empty:
        told.append("Limits:")
        told.extend(f"  {one}" for one in plan.limits)
    if plan.empty:
        told.append("Nothing to do.")
    return told


def apply(
    plan: Plan, port: SchemaPort, progress: Progress | None = None, agree: Agree | None = None
) -> Applied:
    """Do what a plan says (`apply` and `remove` alike). What another run has done meanwhile is not done
    again; when the org has changed otherwise since the plan was shown, nothing is done and SchemaError
    says so.

    A blind plan opens our eyes first; what shows then belongs to the same apply, if `agree` says so (or isn't given). A removal
    goes no further by itself: what we couldn't see couldn't be exported."""
    now = _again(plan, port)
    new = [str(line) for stage in now.stages for line in stage.lines if line not in plan.lines]
    if new:
        raise SchemaError(f"The org has changed since this plan was made: {new[0]}.", fix="Plan again.")
    if not now.empty:
        port.check([str(getattr(stage, "object", "")) for stage in now.stages if hasattr(stage, "object")])
    first = _act(now, port, progress)
    rest = _again(plan, port)
    if now.blind and not rest.empty:
        if agree is not None and not agree(rest):
            return first
        if plan.purpose == "apply":
            return first + apply(rest, port, progress)
    # HubSpot revives an archived property as it was: what it then lacks shows only now, and belongs to the plan
    shown = {_subject(line) for line in plan.lines}
    if all(_subject(line) in shown for stage in rest.stages for line in stage.lines):
        second = _act(rest, port, progress)
        first = first + second
        rest = _again(plan, port) if second.stages else rest
    if not rest.empty:
        left = "; ".join(str(line) for stage in rest.stages for line in stage.lines)
        raise SchemaError(f"Every step was done, and the CRM still differs: {left}.", fix="Plan again.")
    return first


_DOES: Mapping[Verb, str] = {
    "create": "Creates", "change": "Changes", "assign": "Assigns", "carry": "Carries the values of", "remove": "Removes",
    "keep": "Keeps",
}  # fmt: skip


def head(plan: Plan) -> list[str]:
    """A long plan in a line for each thing that it does: how many of what, on which objects. Nothing for a short one."""
    if len(plan.changes) < LONG:
        return []
    counts: dict[Verb, dict[str, Counter[str | None]]] = {}
    for line in plan.changes:
        counts.setdefault(line.verb, {}).setdefault(line.thing.what, Counter())[line.thing.object] += 1
    told = []
    for verb, kinds in counts.items():
        most_first = sorted(kinds.items(), key=lambda one: -one[1].total())
        told.append(f"{_DOES[verb]} {', '.join(_some(*one) for one in most_first)}.")
    return told


def _some(kind: str, on: Mapping[str | None, int]) -> str:
    """ "59 fields (27 on Lead, 25 on Contact …)" """
    total = counted(sum(on.values()), kind)
    objects = [name for name in on if name is not None]
    if len(objects) < 2:
        return f"{total} on {objects[0]}" if objects else total
    if set(on.values()) == {1}:
        return f"{total} (on {', '.join(objects)})"
    return f"{total} ({', '.join(f'{on[name]} on {name}' for name in objects)})"


def _subject(line: Line) -> str:
    """What a line is about, without what happens to it."""
    return line.what.split(" “")[0].split(":")[0]


def _again(plan: Plan, port: SchemaPort) -> Plan:
    return (
        planning.removal(port) if plan.purpose == "remove" else planning.plan(port, plan.reads, plan.connect)
    )


def _act(plan: Plan, port: SchemaPort, progress: Progress | None) -> Applied:
    calls = 0
    for done, stage in enumerate(plan.stages):
        if progress is not None:
            progress(done, len(plan.stages), _heading(stage))
        if isinstance(stage, Carry):
            calls += _carry(stage, port)
            continue
        op, payload = _order(stage)
        port.run(op, payload)
        calls += stage.calls
    return Applied(len(plan.stages), calls, plan.changes)


ROUNDS = 5
"""how often values are looked at again, until all stand where they belong"""


def _carry(stage: Carry, port: SchemaPort) -> int:
    """Write what differs, look again, and go on only when nothing differs any more: what comes next may delete the old field.
    The number of write calls."""
    fields = sorted({name for h in stage.hops for name in (h.source, h.target)})
    calls = 0
    for _ in range(ROUNDS):
        found = list(differing(list(port.values(stage.object, fields)), stage.hops))
        refused = [one for one in found if isinstance(one, Refused)]
        if refused:
            raise SchemaError(
                refusal(stage.object, refused),
                fix="Nothing was deleted. Change these values in the CRM, then `candor apply` goes on.",
            )
        writes = [one for one in found if not isinstance(one, Refused)]
        if not writes:
            return calls
        failed: list[tuple[str, str]] = []
        for start in range(0, len(writes), port.batch):
            part = writes[start : start + port.batch]
            means = [(id, _means(stage, changed)) for id, changed in part]
            done = port.run("write_values", {"object": stage.object, "records": part, "means": means})
            failed += done["failed"]
            calls += 1
        if len(failed) == len(writes):
            break
    why = f" The first is {failed[0][0]}: {failed[0][1]}." if failed else ""
    raise SchemaError(
        f"{_records(len(failed), stage.object)} into the new field.{why}",
        fix="Nothing was deleted. Mend what is named, then `candor apply` goes on.",
    )


def _records(n: int, object_name: str) -> str:
    if n == 1:
        return f"1 record of {object_name} doesn't take its values"
    return f"{f'{n:,}' if n else 'Some'} records of {object_name} don't take their values"


def _means(stage: Carry, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What is written in the declaration's words: key -> number, text, flag or list of choices."""
    return {h.to.key: read(h.to, changed[h.target]) for h in stage.hops if h.target in changed}


def _order(stage: Stage) -> tuple[str, Mapping[str, Any]]:
    """A stage as the port takes it."""
    match stage:
        case Deploy(zip=content) | Destroy(zip=content):
            return "deploy", {"zip": content}
        case AssignPermissionSet(permission_set=name):
            return "assign", {"permission_set": name}
        case UnassignPermissionSet(permission_set=name):
            return "unassign", {"permission_set": name}
        case CreateGroup(object=o, group=group):
            return "create_group", {"object": o, **group}
        case CreateProperties(object=o, inputs=inputs):
            return "create_properties", {"object": o, "inputs": list(inputs)}
        case UpdateProperty(object=o, name=name, change=change):
            return "update_property", {"object": o, "name": name, **change}
        case CreatePipeline(object=o, pipeline=pipeline):
            return "create_pipeline", {"object": o, **pipeline}
        case CreateStage(object=o, pipeline=pipeline_id, stage=made):
            return "create_stage", {"object": o, "pipeline": pipeline_id, **made}
        case UpdateStage(object=o, pipeline=pipeline_id, id=id, change=change):
            return "update_stage", {"object": o, "pipeline": pipeline_id, "id": id, **change}
        case CreateList(object=o, list=made):
            return "create_list", {"object": o, **made}
        case UpdateList(object=o, id=id, filters=filters):
            return "update_list", {"object": o, "id": id, "filterBranch": dict(filters)}
        case DeleteList(object=o, id=id):
            return "delete_list", {"object": o, "id": id}
        case ArchiveProperties(object=o, names=names):
            return "archive_properties", {"object": o, "names": list(names)}
        case ArchiveGroup(object=o, name=name):
            return "archive_group", {"object": o, "name": name}
        case DeletePipeline(object=o, id=id):
            return "delete_pipeline", {"object": o, "id": id}
        case _:
            raise UnknownStage(f"No way to carry out {type(stage).__name__}.")


def _heading(stage: Stage) -> str:
    """A stage in one line, for the explainer and for progress."""
    match stage:
        case Carry(object=o):
            return f"Values of {o}, record by record:"
        case Deploy():
            return "One deployment (all or nothing):"
        case Destroy():
            return "One deployment that deletes (all or nothing):"
        case AssignPermissionSet(permission_set=name):
            return f"Assign {name}:"
        case UnassignPermissionSet(permission_set=name):
            return f"Take {name} back:"
        case CreateGroup(object=o):
            return f"A group of properties on {o}:"
        case CreateProperties(object=o):
            return f"Properties on {o}:"
        case UpdateProperty(object=o, name=name):
            return f"Options of {o}.{name}:"
        case CreatePipeline(object=o):
            return f"A pipeline of {o}:"
        case CreateStage(object=o) | UpdateStage(object=o):
            return f"A stage of the pipeline of {o}:"
        case CreateList():
            return "A list of leads:"
        case UpdateList():
            return "Filters of a list:"
        case DeleteList():
            return "Remove a list:"
        case ArchiveProperties(object=o):
            return f"Archive properties of {o}:"
        case ArchiveGroup(object=o):
            return f"Remove the group on {o}:"
        case DeletePipeline(object=o):
            return f"Remove the pipeline of {o}:"
        case _:
            raise UnknownStage(f"No words for {type(stage).__name__}.")
