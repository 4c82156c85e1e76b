"""The account's lists (segments): those of Candor's, and those of its own that go by Candor's properties.

HubSpot's search finds lists by name and tells no filters; these are asked for by id. [SPEC: CRM/Lists]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.crm.hubspot.api import Api
from connector.crm.hubspot.fields import CANDOR

LISTS = "lists"
PAGE = 500
"""Lists of one search. [SPEC: ListSearchRequest]"""
IDS_A_CALL = 100
"""Ids in one GET: its address stays short of the 8,000 characters that are safe. [FACTS-hubspot.md §5]"""
_TELLS = ("listId", "name", "objectTypeId", "processingType", "filterBranch")


def read(api: Api, *, installed: bool, made: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Lists named Candor's, and where its properties are (`installed`) every other list that asks for one: one of ours may
    have been renamed. Before that no list can go by them, so only the names are looked at. `made`: ids of lists that were
    just made, which a search may not find yet."""
    known = _search(api, "" if installed else "Candor")
    ids = list(dict.fromkeys([*(str(one["listId"]) for one in known), *made]))
    found = []
    for start in range(0, len(ids), IDS_A_CALL):
        query = [("listIds", id) for id in ids[start : start + IDS_A_CALL]] + [("includeFilters", "true")]
        answer = api.get("reading the filters of lists", api.lists(), query)
        found += list(answer.get("lists") or ())
    named = [{k: one.get(k) for k in _TELLS} for one in found]
    return sorted(
        (one for one in named if str(one["name"]).startswith("Candor") or asked_for(one["filterBranch"])),
        key=lambda one: int(one["listId"]),
    )


def _search(api: Api, words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    offset, more = 0, True
    while more:
        asked = {"query": words, "listIds": [], "processingTypes": [], "additionalProperties": [], "offset": offset, "count": PAGE}  # fmt: skip
        answer = api.ask("looking for lists", api.lists("/search"), asked)
        page = list(answer.get("lists") or ())
        found += page
        more, offset = bool(answer.get("hasMore")) and bool(page), int(answer.get("offset") or 0)
    return found


def asked_for(branch: Mapping[str, Any] | None) -> list[str]:
    """Candor's properties that filters ask for."""
    if not branch:
        return []
    own = [str(f.get("property") or "") for f in branch.get("filters") or ()]
    return [name for name in own if name.startswith(CANDOR)] + [
        name for inner in branch.get("filterBranches") or () for name in asked_for(inner)
    ]


def references(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lists beside Candor's own that go by its properties: HubSpot refuses to archive these while they do."""
    return [
        {"kind": "list", "name": one["name"], "field": f"contacts.{name}", "id": str(one["listId"])}
        for one in found
        if not str(one["name"]).startswith("Candor")
        for name in dict.fromkeys(asked_for(one["filterBranch"]))
    ]


def create(api: Api, body: dict[str, Any]) -> Mapping[str, Any]:
    return api.send(f"making the list “{body['name']}”", "POST", api.lists(), body)


def update(api: Api, body: dict[str, Any]) -> Mapping[str, Any]:
    path = api.lists(f"/{body['id']}/update-list-filters")
    return api.send("changing the filters of a list", "PUT", path, {"filterBranch": body["filterBranch"]})


def delete(api: Api, body: dict[str, Any]) -> Mapping[str, Any]:
    return api.send("deleting a list", "DELETE", api.lists(f"/{body['id']}"))


def may_change(api: Api) -> None:
    """PermissionDenied without the scope; a list without a name can't be made, so nothing changes."""
    api.ask("asking whether lists may be changed", api.lists(), {})
