"""Lists (segments) of the account: kept, checked, and filled by their filters as HubSpot fills them.

Bodies and limits: [SPEC: CRM/Lists 2026-09 and v3]. Filters: [D: List filters overview]. A deleted list is found by its id
alone, with `deletedAt`. [ISSUE: HubSpot/hubspot-api-php #486] What no vendor text was found for is marked [unverified].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connector.playground.hubspot import catalog
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.times import iso
from connector.playground.org import Org, Row

ACTIVE_LISTS = 1_000
"""Dynamic lists of an account; depends on the plan [unverified]. org.meta("active_lists") overrides it."""
KEPT_DAYS = 90
_DAY_MS = 86_400_000
_BRANCHES = ("OR", "AND", "NOT_ALL", "NOT_ANY")


class Lists:
    def __init__(self, org: Org, schema: Schema) -> None:
        self._org, self._schema = org, schema

    # -- definitions --

    def all(self) -> dict[str, dict[str, Any]]:
        """By id, without the deleted ones."""
        return {id: one for id, one in self._every().items() if "deletedAt" not in one}

    def get(self, id: str, *, deleted: bool = False) -> dict[str, Any]:
        found = self._every().get(id)
        if found is None or ("deletedAt" in found and not deleted):
            raise HubSpotError(404, f"List does not exist with ID {id}.", "OBJECT_NOT_FOUND")  # [unverified]
        return found

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        missing = [k for k in ("name", "objectTypeId", "processingType") if not body.get(k)]
        if missing:
            raise bad_request(f"Some required fields were not set: {missing}", properties=missing)
        obj, kind = catalog.object_named(str(body["objectTypeId"])), body["processingType"]
        if obj is None:
            raise bad_request(f"Unable to infer object type from: {body['objectTypeId']}")
        if kind not in ("MANUAL", "DYNAMIC", "SNAPSHOT"):
            raise bad_request(f"processingType {kind} is not MANUAL, DYNAMIC or SNAPSHOT.")
        self._free(str(body["name"]))
        branch = body.get("filterBranch")
        if kind == "MANUAL" and branch:
            raise bad_request("A MANUAL list has no filters.")
        if kind != "MANUAL":
            self._check(obj, branch)
        most = int(self._org.meta("active_lists", ACTIVE_LISTS))
        if kind == "DYNAMIC" and sum(o["processingType"] == "DYNAMIC" for o in self.all().values()) >= most:
            raise bad_request(f"The account has its {most} active lists.")  # [unverified]
        at, id = iso(self._org.tick()), str(int(self._org.meta("next_list", 1)))
        made = {
            "listId": id, "listVersion": 1, "createdAt": at, "updatedAt": at, "filtersUpdatedAt": at,
            "processingStatus": "COMPLETE", "createdById": "1", "updatedById": "1", "processingType": kind,
            "objectTypeId": catalog.OBJECTS[obj], "name": str(body["name"]), "filterBranch": branch or None, "_members": {},
        }  # fmt: skip
        self._org.set_meta("next_list", int(id) + 1)
        if kind == "SNAPSHOT":
            made["_members"] = {row.id: at for row in self._matching(obj, branch or {})}
        self._put(made)
        return made

    def update_filters(self, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        old = self.get(id)
        if old["processingType"] != "DYNAMIC":
            raise bad_request("Only the filters of a DYNAMIC list can be changed.")
        self._check(self._object(old), body.get("filterBranch"))
        at = iso(self._org.tick())
        new = {
            **old, "filterBranch": body["filterBranch"], "filtersUpdatedAt": at, "updatedAt": at,
            "listVersion": old["listVersion"] + 1,
        }  # fmt: skip
        self._put(new)
        return new

    def rename(self, id: str, name: str) -> dict[str, Any]:
        old = self.get(id)
        if name != old["name"]:
            self._free(name)
        new = {**old, "name": name, "updatedAt": iso(self._org.tick())}
        self._put(new)
        return new

    def make_static(self, id: str) -> None:
        """What "convert to static" does in the app: the members of now stay, whatever the filters say."""
        old = self.get(id)
        at = iso(self._org.tick())
        members = {row.id: since for row, since in self.members(id)}
        self._put({**old, "processingType": "SNAPSHOT", "_members": members, "updatedAt": at})

    def delete(self, id: str) -> None:
        self._put({**self.get(id), "deletedAt": iso(self._org.tick()), "_deleted": self._org.now()})

    def restore(self, id: str) -> None:
        old = self.get(id, deleted=True)
        if "deletedAt" not in old or self._org.now() - int(old["_deleted"]) > KEPT_DAYS * _DAY_MS:
            raise bad_request(f"List {id} can't be restored.")  # [unverified]
        self._free(old["name"])
        self._put({k: v for k, v in old.items() if k not in ("deletedAt", "_deleted")})

    def used(self, obj: str, name: str) -> list[str]:
        """Names of the lists that go by a property."""
        return [
            one["name"]
            for one in self.all().values()
            if self._object(one) == obj and name in _properties(one.get("filterBranch") or {})
        ]

    # -- members --

    def members(self, id: str) -> list[tuple[Row, str]]:
        """Who is in it, by id, and since when."""
        one = self.get(id)
        obj = self._object(one)
        if one["processingType"] == "DYNAMIC":
            return [(row, iso(row.modified)) for row in self._matching(obj, one["filterBranch"])]
        rows = ((self._org.get(obj, record), since) for record, since in sorted(one["_members"].items()))
        return [(row, since) for row, since in rows if row is not None and not row.deleted]

    def change(self, id: str, add: Sequence[str], remove: Sequence[str]) -> dict[str, list[str]]:
        old = self.get(id)
        if old["processingType"] == "DYNAMIC":
            raise bad_request("The members of a DYNAMIC list are its filters' affair.")
        obj, at, members = self._object(old), iso(self._org.tick()), dict(old["_members"])
        there = [r for r in add if (row := self._org.get(obj, r)) is not None and not row.deleted]
        added = [r for r in there if r not in members]
        removed = [r for r in remove if members.pop(r, None) is not None]
        members |= dict.fromkeys(added, at)
        self._put({**old, "_members": members})
        missing = [r for r in add if r not in there]
        return {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}

    def _matching(self, obj: str, branch: Mapping[str, Any]) -> Iterator[Row]:
        return (row for row in self._org.all(obj) if _passes(row.data, branch))

    # -- kept in meta --

    def _every(self) -> dict[str, dict[str, Any]]:
        return dict(self._org.meta("lists", {}))

    def _put(self, one: dict[str, Any]) -> None:
        self._org.set_meta("lists", {**self._every(), one["listId"]: one})

    def _object(self, one: Mapping[str, Any]) -> str:
        return str(catalog.object_named(one["objectTypeId"]))

    def _free(self, name: str) -> None:
        if any(one["name"].lower() == name.lower() for one in self.all().values()):
            raise HubSpotError(
                400, f"A list named '{name}' already exists.", "VALIDATION_ERROR", "ILS.DUPLICATE_LIST_NAMES"
            )

    def _check(self, obj: str, branch: Any) -> None:
        """An OR at the root with ANDs in it, whose filters are about properties that there are."""
        if not isinstance(branch, Mapping) or branch.get("filterBranchType") != "OR":
            raise bad_request("filterBranch must be of type OR at its root.")
        inner = branch.get("filterBranches") or []
        if not inner or branch.get("filters") or any(b.get("filterBranchType") != "AND" for b in inner):
            raise bad_request(
                "The root OR branch must hold one or more AND branches, and no filters of its own."
            )
        unknown = sorted(_properties(branch) - set(self._schema.active(obj)))
        if unknown:
            raise bad_request(f"Properties {unknown} do not exist.", propertyName=unknown)
        for one in _filters(branch):
            _operation(one)


def shown(one: Mapping[str, Any], *, filters: bool) -> dict[str, Any]:
    """A list as an answer has it."""
    return {
        k: v
        for k, v in one.items()
        if not k.startswith("_") and (filters or k != "filterBranch") and v is not None
    }


def _filters(branch: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from branch.get("filters") or ()
    for inner in branch.get("filterBranches") or ():
        if inner.get("filterBranchType") not in _BRANCHES:
            raise bad_request(f"filterBranchType {inner.get('filterBranchType')} is not kept here.")
        yield from _filters(inner)


def _properties(branch: Mapping[str, Any]) -> set[str]:
    return {str(one.get("property")) for one in _filters(branch)}


def _passes(data: Mapping[str, Any], branch: Mapping[str, Any]) -> bool:
    parts = [_operation(one)(data) for one in branch.get("filters") or ()]
    parts += [_passes(data, inner) for inner in branch.get("filterBranches") or ()]
    match branch["filterBranchType"]:
        case "OR":
            return any(parts)
        case "NOT_ANY":
            return not any(parts)
        case "NOT_ALL":
            return not all(parts)
        case _:
            return all(parts)


def _operation(one: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """A PROPERTY filter as a question to a record's values. 400 for what isn't kept here."""
    asks = one.get("operation") or {}
    kind, operator = asks.get("operationType"), asks.get("operator")
    if one.get("filterType") != "PROPERTY" or not one.get("property"):
        raise bad_request(f"filterType {one.get('filterType')} is not kept here.")
    name, blank = str(one["property"]), bool(asks.get("includeObjectsWithNoValueSet"))
    test = _TESTS.get((str(kind), str(operator)))
    if test is None:
        raise bad_request(f"Operator {operator} of {kind} is not known.")
    if kind != "ALL_PROPERTY" and "value" not in asks and "values" not in asks:
        raise bad_request(f"A filter of {name} has no value.")
    wanted = [str(v).lower() for v in asks.get("values", [asks.get("value")])]

    def passes(data: Mapping[str, Any]) -> bool:
        value = data.get(name)
        if kind != "ALL_PROPERTY" and value in (None, ""):
            return blank
        return test(str(value or "").lower(), wanted)

    return passes


_Test = Callable[[str, list[str]], bool]


def _number(compare: Callable[[float, float], bool]) -> _Test:
    return lambda value, wanted: compare(float(value), float(wanted[0]))


_TESTS: Mapping[tuple[str, str], _Test] = {
    ("ALL_PROPERTY", "IS_KNOWN"): lambda value, _: value != "",
    ("ALL_PROPERTY", "IS_UNKNOWN"): lambda value, _: value == "",
    ("ENUMERATION", "IS_ANY_OF"): lambda value, wanted: any(v in wanted for v in value.split(";")),
    ("ENUMERATION", "IS_NONE_OF"): lambda value, wanted: not any(v in wanted for v in value.split(";")),
    ("ENUMERATION", "CONTAINS_ALL"): lambda value, wanted: set(wanted) <= set(value.split(";")),
    ("BOOL", "IS_EQUAL_TO"): lambda value, wanted: value == wanted[0],
    ("BOOL", "IS_NOT_EQUAL_TO"): lambda value, wanted: value != wanted[0],
    ("STRING", "IS_EQUAL_TO"): lambda value, wanted: value == wanted[0],
    ("MULTISTRING", "IS_EQUAL_TO"): lambda value, wanted: value in wanted,
    ("MULTISTRING", "IS_NOT_EQUAL_TO"): lambda value, wanted: value not in wanted,
    ("MULTISTRING", "CONTAINS"): lambda value, wanted: any(w in value for w in wanted),
    ("NUMBER", "IS_EQUAL_TO"): _number(lambda a, b: a == b),
    ("NUMBER", "IS_GREATER_THAN"): _number(lambda a, b: a > b),
    ("NUMBER", "IS_GREATER_THAN_OR_EQUAL_TO"): _number(lambda a, b: a >= b),
    ("NUMBER", "IS_LESS_THAN"): _number(lambda a, b: a < b),
    ("NUMBER", "IS_LESS_THAN_OR_EQUAL_TO"): _number(lambda a, b: a <= b),
}  # fmt: skip
