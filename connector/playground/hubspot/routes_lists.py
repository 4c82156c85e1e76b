"""Lists over HTTP: definitions, search, members. [SPEC: CRM/Lists]"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from connector.playground.hubspot import catalog
from connector.playground.hubspot.app import Answer, Call, Handler, House
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.lists import shown

PAGE, MAX_PAGE = 20, 500
"""Lists of one search."""
MEMBERS, MAX_MEMBERS = 100, 250
"""Members of one page; the most is [unverified]."""


def routes(house: House) -> Iterator[tuple[str, Sequence[str], Handler, bool]]:
    h = ListRoutes(house)
    for method, end, handler in (
        ("GET", "", h.several), ("POST", "", h.create), ("POST", "/search", h.search),
        ("GET", "/object-type-id/{type}/name/{name}", h.by_name), ("GET", "/records/{type}/{record}/memberships", h.of_record),
        ("GET", "/{id}", h.one), ("DELETE", "/{id}", h.delete), ("PUT", "/{id}/restore", h.restore),
        ("PUT", "/{id}/update-list-filters", h.update_filters), ("PUT", "/{id}/update-list-name", h.rename),
        ("GET", "/{id}/memberships", h.members), ("GET", "/{id}/memberships/join-order", h.join_order),
        ("PUT", "/{id}/memberships/add", h.add), ("PUT", "/{id}/memberships/remove", h.remove),
        ("PUT", "/{id}/memberships/add-and-remove", h.add_and_remove),
    ):  # fmt: skip
        ends = (end, "/") if end == "" else (end,)  # the vendor's client asks with a slash at the end
        for path in ends:
            yield method, (f"/crm/v3/lists{path}", f"/crm/lists/{{version}}{path}"), handler, False


class ListRoutes:
    def __init__(self, house: House) -> None:
        self._house, self._lists = house, house.lists

    def _read(self) -> None:
        self._house.access.check_scope("crm.lists.read")

    def _write(self) -> None:
        for scope in ("crm.lists.read", "crm.lists.write"):
            self._house.access.check_scope(scope)

    def create(self, call: Call) -> Answer:
        self._house.access.check_scope("crm.lists.write")
        return Answer({"list": shown(self._lists.create(call.json()), filters=True)})

    def several(self, call: Call) -> Answer:
        self._read()
        known = self._lists.all()
        found = [known[id] for id in call.list("listIds") if id in known]
        return Answer({"lists": [shown(one, filters=call.flag("includeFilters")) for one in found]})

    def one(self, call: Call) -> Answer:
        self._read()
        found = self._lists.get(call.path["id"], deleted=True)
        return Answer({"list": shown(found, filters=call.flag("includeFilters"))})

    def by_name(self, call: Call) -> Answer:
        self._read()
        type_id, name = catalog.OBJECTS[call.object()], call.path["name"]
        for one in self._lists.all().values():
            if one["objectTypeId"] == type_id and one["name"].lower() == name.lower():
                return Answer({"list": shown(one, filters=call.flag("includeFilters"))})
        raise HubSpotError(404, f"List does not exist with name {name}.", "OBJECT_NOT_FOUND")  # [unverified]

    def search(self, call: Call) -> Answer:
        self._read()
        body = call.json()
        count, offset = int(body.get("count") or PAGE), int(body.get("offset") or 0)
        if not 1 <= count <= MAX_PAGE:
            raise bad_request(f"count must be between 1 and {MAX_PAGE}.")
        words, ids, kinds = (
            str(body.get("query") or "").lower(),
            body.get("listIds"),
            body.get("processingTypes"),
        )
        found = [
            one for one in self._lists.all().values()
            if words in one["name"].lower() and (not ids or one["listId"] in ids)
            and (not kinds or one["processingType"] in kinds)
            and (not body.get("objectTypeId") or one["objectTypeId"] == body["objectTypeId"])
        ]  # fmt: skip
        page = found[offset : offset + count]
        results = [
            {
                **shown(one, filters=False),
                "additionalProperties": {"hs_list_size": str(len(self._lists.members(one["listId"])))},
            }
            for one in page
        ]
        end = offset + len(page)
        return Answer({"lists": results, "offset": end, "hasMore": end < len(found), "total": len(found)})

    def update_filters(self, call: Call) -> Answer:
        self._write()
        return Answer(
            {"updatedList": shown(self._lists.update_filters(call.path["id"], call.json()), filters=True)}
        )

    def rename(self, call: Call) -> Answer:
        self._write()
        name = call.query.get("listName")
        if not name:
            raise bad_request("listName is missing.")
        return Answer(
            {
                "updatedList": shown(
                    self._lists.rename(call.path["id"], name), filters=call.flag("includeFilters")
                )
            }
        )

    def delete(self, call: Call) -> Answer:
        self._write()
        self._lists.delete(call.path["id"])
        return Answer(status=204)

    def restore(self, call: Call) -> Answer:
        self._write()
        self._lists.restore(call.path["id"])
        return Answer(status=204)

    # -- members --

    def members(self, call: Call) -> Answer:
        self._read()
        found = [(row.id, since) for row, since in self._lists.members(call.path["id"])]
        return _paged(call, found)

    def join_order(self, call: Call) -> Answer:
        self._read()
        found = [(row.id, since) for row, since in self._lists.members(call.path["id"])]
        return _paged(call, sorted(found, key=lambda one: (one[1], one[0])))

    def of_record(self, call: Call) -> Answer:
        self._read()
        record, type_id = call.path["record"], catalog.OBJECTS[call.object()]
        results = [
            {
                "listId": one["listId"], "listVersion": one["listVersion"], "isPublicList": True,
                "firstAddedTimestamp": since, "lastAddedTimestamp": since,
            }
            for one in self._lists.all().values()
            if one["objectTypeId"] == type_id
            for row, since in self._lists.members(one["listId"])
            if row.id == record
        ]  # fmt: skip
        return Answer({"results": results, "total": len(results)})

    def add(self, call: Call) -> Answer:
        return self._change(call, _ids(call), [])

    def remove(self, call: Call) -> Answer:
        return self._change(call, [], _ids(call))

    def add_and_remove(self, call: Call) -> Answer:
        body = call.json()
        return self._change(call, body.get("recordIdsToAdd") or [], body.get("recordIdsToRemove") or [])

    def _change(self, call: Call, add: Sequence[Any], remove: Sequence[Any]) -> Answer:
        self._write()
        done = self._lists.change(call.path["id"], [str(r) for r in add], [str(r) for r in remove])
        return Answer(done)


def _paged(call: Call, found: Sequence[tuple[str, str]]) -> Answer:
    limit, after = int(call.query.get("limit", MEMBERS)), int(call.query.get("after") or 0)
    if not 1 <= limit <= MAX_MEMBERS:
        raise bad_request(f"limit must be between 1 and {MAX_MEMBERS}.")
    page = found[after : after + limit]
    answer: dict[str, Any] = {
        "results": [{"recordId": id, "membershipTimestamp": since} for id, since in page],
        "total": len(found),
    }
    if after + limit < len(found):
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return Answer(answer)


def _ids(call: Call) -> list[Any]:
    try:
        found = orjson.loads(call.raw or b"[]")
    except orjson.JSONDecodeError as wrong:
        raise bad_request("Invalid input JSON.") from wrong
    if not isinstance(found, list):
        raise bad_request("Invalid input JSON: a list of record ids is expected.")
    return found
