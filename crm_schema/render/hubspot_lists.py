"""The lists of leads (segments) in HubSpot: what is missing, what drifted, what goes.

A list has no name of its own for programs: it is ours by its name, or, where an admin gave it another, by its filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_schema.consequences import Finding
from crm_schema.declaration import SEGMENTS, Segment
from crm_schema.errors import Conflict
from crm_schema.naming import HUBSPOT_OBJECTS, hubspot_name
from crm_schema.render.difference import Difference
from crm_schema.stages import CreateList, DeleteList, Line, Thing, UpdateList

LISTS = "lists"
READ_SCOPE = "crm.lists.read"
_OBJECT = HUBSPOT_OBJECTS["lead"]
_TYPE_ID = "0-1"
"""HubSpot's id of the object contacts. [D: Understanding the CRM]"""
_OURS = hubspot_name("")
_BY_HAND = "In HubSpot's Segments rename or delete it"


def list_input(segment: Segment) -> dict[str, Any]:
    """A list as the create call takes it. [SPEC: Lists, ListCreateRequest]"""
    return {
        "name": segment.name,
        "objectTypeId": _TYPE_ID,
        "processingType": "DYNAMIC",
        "filterBranch": filters(segment),
    }


def filters(segment: Segment) -> dict[str, Any]:
    """An OR of ANDs, which is the form HubSpot wants at the root. [D: List filters overview]"""
    one = {
        "filterType": "PROPERTY",
        "property": hubspot_name(segment.field),
        "operation": {
            "operationType": "ENUMERATION",
            "operator": "IS_ANY_OF",
            "values": [segment.value],
            "includeObjectsWithNoValueSet": False,
        },
    }
    return _branch("OR", [_branch("AND", [], [one])], [])


def _branch(kind: str, branches: Sequence[Any], own: Sequence[Any]) -> dict[str, Any]:
    return {
        "filterBranchType": kind,
        "filterBranchOperator": kind,
        "filterBranches": list(branches),
        "filters": list(own),
    }


def difference(org: Mapping[str, Any], found: Difference) -> None:
    """After the properties, which the filters need, and last of all: a portal whose plan has no room for them has the rest."""
    foreign = []
    for segment in SEGMENTS:
        have = ours(segment, org)
        where = _where(segment)
        if have is None:
            what = f"{where} “{segment.name}” (Candor {segment.field} is {segment.value})"
            line = Line("create", what, _thing(segment))
            found.stages.append(CreateList((line,), list_input(segment)))
        elif (reason := _not_candors(have)) is not None:
            foreign.append(f"“{have['name']}” is there already, and {reason}")
        elif not _goes_by(have, segment):
            line = Line("change", f"{where}: shows the route {segment.value} again", _thing(segment))
            found.stages.append(UpdateList((line,), str(have["listId"]), filters(segment)))
        else:
            if have["name"] != segment.name:
                found.keep(where, f"your name “{have['name']}”", _thing(segment))
            if not _exactly(have, segment):
                found.keep(where, "your further filters", _thing(segment))
    if foreign:
        raise Conflict(["The list " + one for one in foreign], fix=f"{_BY_HAND}, then plan again.")


def removal(org: Mapping[str, Any], found: Difference) -> None:
    """Before the properties: HubSpot archives none that a list goes by."""
    for segment in SEGMENTS:
        have = ours(segment, org)
        if have is None:
            continue
        if (reason := _not_candors(have)) is not None:
            found.keep(_where(segment), f"{reason}, so not Candor's", _thing(segment))
            continue
        what = f"{_where(segment)} “{have['name']}”, not the {_OBJECT} in it"
        line = Line("remove", what, _thing(segment))
        found.stages.append(DeleteList((line,), str(have["listId"])))


def drift(org: Mapping[str, Any]) -> Iterator[Finding]:
    if LISTS in org.get("denied", ()):
        yield Finding(
            "scope_lost", f"scope {READ_SCOPE}", "Candor's key doesn't have it", "Candor can't see whether its lists are there",
            "Give the key that scope in HubSpot.",
        )  # fmt: skip
        return
    for segment in SEGMENTS:
        have = ours(segment, org)
        where = f"{_where(segment)} “{segment.name if have is None else have['name']}”"
        if have is None:
            yield Finding("list_gone", where, "it is gone", segment.breaks)
        elif (reason := _not_candors(have)) is not None:
            kind = "list_changed" if have["processingType"] == "DYNAMIC" else "list_static"
            yield Finding(kind, where, reason, segment.breaks, f"{_BY_HAND}, then run `candor apply`.")
        elif not _goes_by(have, segment):
            yield Finding(
                "list_changed", where, f"its filters no longer ask for the route {segment.value}", segment.breaks
            )  # fmt: skip


def ours(segment: Segment, org: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The list by its name, which HubSpot gives only once in a portal, else by its filters."""
    known: Sequence[Mapping[str, Any]] = org.get(LISTS, ())
    by_name = next((one for one in known if one["name"] == segment.name), None)
    if by_name is not None:
        return by_name
    alike = (o for o in known if _not_candors(o) is None and _exactly(o, segment))
    return min(alike, key=lambda one: int(one["listId"]), default=None)


def _where(segment: Segment) -> str:
    return f"list of {_OBJECT} for {segment.key}"


def _thing(segment: Segment) -> Thing:
    return Thing("list", segment.key, _OBJECT, label=segment.name)


def _not_candors(have: Mapping[str, Any]) -> str | None:
    """Why a list of our name can't be ours."""
    if have["objectTypeId"] != _TYPE_ID:
        return f"it is no list of {_OBJECT}"
    if have["processingType"] != "DYNAMIC":
        return f"it is a static list ({have['processingType']}), which doesn't follow the route"
    if not mentions(have.get("filterBranch") or {}):
        return "its filters are about something else"
    return None


def mentions(branch: Mapping[str, Any]) -> bool:
    """Do filters ask for one of Candor's properties?"""
    return any(str(f.get("property", "")).startswith(_OURS) for f in branch.get("filters") or ()) or any(
        mentions(b) for b in branch.get("filterBranches") or ()
    )


def _goes_by(have: Mapping[str, Any], segment: Segment) -> bool:
    """Does every way into the list ask for the segment's value? An admin may ask for more beside it."""
    root = have.get("filterBranch") or {}
    ways = root.get("filterBranches") or ()
    return (
        root.get("filterBranchType") == "OR"
        and bool(ways)
        and not root.get("filters")
        and all(
            way.get("filterBranchType") == "AND" and any(_is(f, segment) for f in way.get("filters") or ())
            for way in ways
        )
    )


def _exactly(have: Mapping[str, Any], segment: Segment) -> bool:
    ways: Sequence[Mapping[str, Any]] = (have.get("filterBranch") or {}).get("filterBranches") or ()
    alone = [way for way in ways if len(way["filters"]) == 1 and not way.get("filterBranches")]
    return _goes_by(have, segment) and len(ways) == len(alone) == 1


def _is(one: Mapping[str, Any], segment: Segment) -> bool:
    asks = one.get("operation") or {}
    return (
        one.get("property") == hubspot_name(segment.field)
        and asks.get("operator") == "IS_ANY_OF"
        and list(asks.get("values") or ()) == [segment.value]
        and not asks.get("includeObjectsWithNoValueSet")
    )
