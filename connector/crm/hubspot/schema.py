"""What crm_schema needs of HubSpot (its SchemaPort): the account's properties, pipelines and lists, and one write call each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from connector.crm.base import CRMError, PermissionDenied
from connector.crm.hubspot import carry, lists, scopes
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.errors import Refused
from connector.crm.hubspot.fields import CANDOR

OBJECTS = ("contacts", "companies", "deals", "tickets")
_PLURAL = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-5": "tickets"}
"""HubSpot's object type ids. [D: Understanding the CRM]"""
BATCH = 100
"""Records of one batch call. [FACTS-hubspot.md §3]"""


class Schema:
    crm = "hubspot"
    batch = BATCH

    def __init__(self, account: Account) -> None:
        self._account, self._api = account, account.api
        self._made: set[str] = set()
        """ids of the lists made since"""

    def read(self) -> dict[str, Any]:
        """{"objects": {obj: {"properties": {name: …}, "groups": […]}}, "pipelines": {"tickets": […], "deals": […]}, "lists": […]}"""
        self._account.forget()
        objects: dict[str, Any] = {}
        denied: list[str] = []
        for obj in OBJECTS:
            try:
                groups = self._api.get(f"reading the groups of {obj}", self._api.properties(obj, "/groups"))
                objects[obj] = {
                    "properties": dict(self._account.properties(obj)),
                    "groups": groups.get("results") or [],
                }
            except PermissionDenied:
                denied.append(obj)
        pipelines = {o: self._account.pipelines(o) if o not in denied else [] for o in ("tickets", "deals")}
        found = {
            "objects": objects,
            "pipelines": pipelines,
            "denied": denied,
            "lists": self._lists(objects, denied),
        }
        return found | self._limits()

    def _lists(self, objects: Mapping[str, Any], denied: list[str]) -> list[dict[str, Any]]:
        """The scope's lack is noted among `denied`."""
        installed = any(name.startswith(CANDOR) for o in objects.values() for name in o["properties"])
        try:
            return lists.read(self._api, installed=installed, made=sorted(self._made))
        except PermissionDenied:
            denied.append(lists.LISTS)
            return []

    def _limits(self) -> dict[str, Any]:
        """How many custom properties are free; nothing where the key may not ask."""
        try:
            told = self._api.get("asking for limits", self._api.limits("custom-properties"))
        except CRMError:
            return {}
        by_type = {
            _PLURAL.get(str(o.get("objectTypeId")), str(o.get("objectTypeId"))): o
            for o in told.get("byObjectType") or ()
        }
        free = {o: int(by_type[o]["limit"]) - int(by_type[o]["usage"]) for o in OBJECTS if o in by_type}
        return {"custom_properties": free}

    def values(self, object_name: str, fields: Sequence[str]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        return carry.values(self._account, object_name, fields)

    def automations(self) -> list[dict[str, Any]] | None:
        """Enabled workflows that a change of a record may start; None: the key lacks the scope `automation`."""
        try:
            told = self._api.get("reading workflows", "/automation/v4/flows", [("limit", "100")])
        except CRMError:
            return None
        return [
            {
                "kind": "workflow",
                "name": str(f.get("name") or f["id"]),
                "object": _PLURAL.get(str(f.get("objectTypeId")), "?"),
            }
            for f in told.get("results") or ()
            if f.get("isEnabled")
        ]

    def references(self) -> list[dict[str, Any]]:
        """HubSpot has no API that tells what uses a property, but lists tell what they go by. Forms and workflows don't: it
        refuses to archive a property that one of them uses, and names it."""
        return lists.references(lists.read(self._api, installed=True))

    def check(self, objects: Collection[str] | None = None) -> None:
        """Raises when the key may not change the properties of one of these: said before the first write, so that nothing
        is half-made."""
        wanted = dict.fromkeys((*OBJECTS, lists.LISTS) if objects is None else objects)
        held = scopes.held(self._api) if objects is None else None
        denied = (
            self._refused(wanted)
            if held is None
            else [s for o in wanted if (s := _write_scope(o)) not in held]
        )
        if denied:
            noun = "scope" if len(denied) == 1 else "scopes"
            refused = PermissionDenied(
                f"Candor's key may not change the account's properties and lists: it lacks the {noun} {', '.join(denied)}. Nothing was "
                "changed.",
                fix="Give it that for the time of `candor apply` and `candor remove`.",
            )
            refused.lacks = tuple(denied)
            raise refused

    def _refused(self, wanted: Iterable[str]) -> list[str]:
        """The scopes that lack, by trying: an empty batch changes nothing, and HubSpot looks at the scope first."""
        denied = []
        for obj in wanted:
            try:
                if obj == lists.LISTS:
                    lists.may_change(self._api)
                    continue
                path = self._api.properties(obj, "/batch/archive")
                self._api.ask(f"asking whether properties of {obj} may be changed", path, {"inputs": []})
            except PermissionDenied:
                denied.append(_write_scope(obj))
            except Refused:
                pass  # it minds the empty list, so it let us in
        return denied

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """One write call. CRMError when HubSpot refuses."""
        ops: dict[str, Callable[[str, dict[str, Any]], Mapping[str, Any]]] = {
            "create_group": self._create_group, "create_properties": self._create_properties,
            "update_property": self._update_property, "archive_properties": self._archive_properties,
            "archive_group": self._archive_group, "create_pipeline": self._create_pipeline,
            "delete_pipeline": self._delete_pipeline, "create_stage": self._create_stage,
            "update_stage": self._update_stage, "create_list": self._create_list, "update_list": self._update_list,
            "delete_list": self._delete_list, "write_values": self._write_values,
        }  # fmt: skip
        if op not in ops:
            raise CRMError(f"HubSpot knows no schema operation {op!r}.")
        rest = dict(payload)
        try:
            return ops[op](str(rest.pop("object")), rest)
        finally:
            self._account.forget()

    def _write_values(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        return {"failed": carry.write(self._account, obj, body["records"])}

    def _create_group(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        return self._api.send(f"making a group on {obj}", "POST", self._api.properties(obj, "/groups"), body)

    def _create_properties(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        path = self._api.properties(obj, "/batch/create")
        return self._api.send(f"making properties on {obj}", "POST", path, {"inputs": list(body["inputs"])})

    def _update_property(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        path = self._api.properties(obj, f"/{body.pop('name')}")
        return self._api.send(f"changing a property of {obj}", "PATCH", path, body)

    def _archive_properties(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        path = self._api.properties(obj, "/batch/archive")
        inputs = [{"name": name} for name in body["names"]]
        return self._api.send(f"archiving properties of {obj}", "POST", path, {"inputs": inputs})

    def _archive_group(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        return self._api.send(
            f"archiving a group of {obj}", "DELETE", self._api.properties(obj, f"/groups/{body['name']}")
        )

    def _create_pipeline(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        return self._api.send(f"making a pipeline of {obj}", "POST", self._api.pipelines(obj), body)

    def _create_stage(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        path = self._api.pipelines(obj, f"/{body.pop('pipeline')}/stages")
        return self._api.send(f"making a stage of {obj}", "POST", path, body)

    def _update_stage(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        path = self._api.pipelines(obj, f"/{body.pop('pipeline')}/stages/{body.pop('id')}")
        return self._api.send(f"changing a stage of {obj}", "PATCH", path, body)

    def _create_list(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        done = lists.create(self._api, body)
        self._made.add(str(done["list"]["listId"]))
        return done

    def _update_list(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        return lists.update(self._api, body)

    def _delete_list(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        self._made.discard(str(body["id"]))
        return lists.delete(self._api, body)

    def _delete_pipeline(self, obj: str, body: dict[str, Any]) -> Mapping[str, Any]:
        """The tickets in it go first: HubSpot would leave them in a pipeline that is gone."""
        self._empty(obj, str(body["id"]))
        return self._api.send(
            f"deleting a pipeline of {obj}", "DELETE", self._api.pipelines(obj, f"/{body['id']}")
        )

    def inside(self, object_name: str, pipeline: str) -> int:
        """How many records are in a pipeline."""
        path = self._api.objects(object_name, "/search")
        found = self._api.ask(f"counting {object_name}", path, {**_of_pipeline(pipeline), "limit": 1})
        return int(found.get("total") or 0)

    def _empty(self, obj: str, pipeline: str) -> None:
        gone: set[str] = set()
        question = {**_of_pipeline(pipeline), "limit": BATCH}
        while True:
            found = self._api.ask(
                f"looking into a pipeline of {obj}", self._api.objects(obj, "/search"), question
            )
            ids = [r["id"] for r in found.get("results") or () if r["id"] not in gone]
            if not ids:
                return
            what, path = f"deleting the {obj} of a pipeline", self._api.objects(obj, "/batch/archive")
            self._api.send(what, "POST", path, {"inputs": [{"id": id} for id in ids]})
            gone.update(ids)


def _write_scope(obj: str) -> str:
    if obj == lists.LISTS:
        return "crm.lists.write"
    return "tickets" if obj == "tickets" else f"crm.schemas.{obj}.write"


def _of_pipeline(pipeline: str) -> dict[str, Any]:
    inside = {"filters": [{"propertyName": "hs_pipeline", "operator": "EQ", "value": pipeline}]}
    return {"filterGroups": [inside], "properties": ["hs_pipeline"]}
