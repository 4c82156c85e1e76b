"""Properties, groups, pipelines, associations over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from connector.playground.hubspot.app import Answer, Call, Handler, House
from connector.playground.hubspot.associations import MAX_CREATE
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.schema import shown
from connector.playground.hubspot.times import iso

MAX_BATCH = 100


def routes(house: House) -> Iterator[tuple[str, Sequence[str], Handler, bool]]:
    p, l, a = Properties(house), Pipelines(house), Associated(house)  # noqa: E741
    for method, end, handler in (
        ("GET", "", p.all), ("POST", "", p.create), ("POST", "/batch/create", p.batch_create),
        ("POST", "/batch/archive", p.batch_archive), ("POST", "/batch/read", p.batch_read),
        ("GET", "/groups", p.groups), ("POST", "/groups", p.create_group), ("GET", "/groups/{name}", p.group),
        ("PATCH", "/groups/{name}", p.update_group), ("DELETE", "/groups/{name}", p.archive_group),
        ("GET", "/{name}", p.get), ("PATCH", "/{name}", p.update), ("DELETE", "/{name}", p.archive),
    ):  # fmt: skip
        yield (
            method,
            (f"/crm/v3/properties/{{type}}{end}", f"/crm/properties/{{version}}/{{type}}{end}"),
            handler,
            False,
        )
    for method, end, handler in (
        ("GET", "", l.all), ("POST", "", l.create), ("GET", "/{id}", l.get), ("PATCH", "/{id}", l.update),
        ("DELETE", "/{id}", l.delete), ("GET", "/{id}/stages", l.stages), ("POST", "/{id}/stages", l.create_stage),
        ("PATCH", "/{id}/stages/{stage}", l.update_stage), ("DELETE", "/{id}/stages/{stage}", l.delete_stage),
    ):  # fmt: skip
        yield (
            method,
            (f"/crm/v3/pipelines/{{type}}{end}", f"/crm/pipelines/{{version}}/{{type}}{end}"),
            handler,
            False,
        )
    for end, handler in (
        ("read", a.read), ("create", a.create), ("archive", a.archive), ("associate/default", a.default)
    ):  # fmt: skip
        yield (
            "POST",
            (
                f"/crm/v4/associations/{{type}}/{{to}}/batch/{end}",
                f"/crm/associations/{{version}}/{{type}}/{{to}}/batch/{end}",
            ),
            handler,
            False,
        )
    one = ("/crm/v4/objects/{type}/{id}/associations", "/crm/objects/{version}/{type}/{id}/associations")
    for method, end, handler in (
        ("PUT", "/default/{to}/{to_id}", a.one_default), ("PUT", "/{to}/{to_id}", a.one),
        ("GET", "/{to}", a.of_one), ("DELETE", "/{to}/{to_id}", a.remove_one),
    ):  # fmt: skip
        yield method, tuple(o + end for o in one), handler, False


class Properties:
    def __init__(self, house: House) -> None:
        self._house, self._schema = house, house.schema

    def _object(self, call: Call, mode: str) -> str:
        obj = call.object()
        self._house.access.check_scope("tickets" if obj == "tickets" else f"crm.schemas.{obj}.{mode}")
        return obj

    def all(self, call: Call) -> Answer:
        obj, archived = self._object(call, "read"), call.flag("archived")
        return Answer(
            {
                "results": [
                    shown(p) for p in self._schema.properties(obj).values() if p["archived"] == archived
                ]
            }
        )

    def get(self, call: Call) -> Answer:
        obj, name = self._object(call, "read"), call.path["name"]
        found = self._schema.properties(obj).get(name)
        if found is None or found["archived"] != call.flag("archived"):
            raise HubSpotError(404, f"{name} does not exist.", "OBJECT_NOT_FOUND", context={"name": [name]})
        return Answer(shown(found))

    def batch_read(self, call: Call) -> Answer:
        obj, body = self._object(call, "read"), call.json()
        known, archived = self._schema.properties(obj), bool(body.get("archived"))
        found = [known[i["name"]] for i in _inputs(body) if i["name"] in known]
        return _batch(self._house, [shown(p) for p in found if p["archived"] == archived])

    def create(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        made = self._schema.create_property(obj, call.json())
        return Answer(shown(made), 201, f"/crm/v3/properties/{obj}/{made['name']}")

    def batch_create(self, call: Call) -> Answer:
        """Each by the same rules; the first refusal refuses all."""
        obj = self._object(call, "write")
        made = [shown(self._schema.create_property(obj, one)) for one in _inputs(call.json())]
        return _batch(self._house, made, 201)

    def update(self, call: Call) -> Answer:
        return Answer(
            shown(self._schema.update_property(self._object(call, "write"), call.path["name"], call.json()))
        )

    def archive(self, call: Call) -> Answer:
        self._archive(self._object(call, "write"), [call.path["name"]], strict=True)
        return Answer(status=204)

    def batch_archive(self, call: Call) -> Answer:
        self._archive(self._object(call, "write"), [i["name"] for i in _inputs(call.json())])
        return Answer(status=204)

    def _archive(self, obj: str, names: Sequence[str], *, strict: bool = False) -> None:
        """None that a list goes by. [HubSpot Knowledge Base: Organize and export properties; the error's shape unverified]"""
        for name in names:
            used = self._house.lists.used(obj, name)
            if used:
                raise HubSpotError(
                    400, f"Property {name} is used by: {', '.join(used)}.", "VALIDATION_ERROR",
                    "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE", context={"propertyName": [name]},
                )  # fmt: skip
        self._schema.archive_properties(obj, names, strict=strict)

    def groups(self, call: Call) -> Answer:
        return Answer({"results": self._schema.groups(self._object(call, "read"))})

    def group(self, call: Call) -> Answer:
        name = call.path["name"]
        for group in self._schema.groups(self._object(call, "read")):
            if group["name"] == name:
                return Answer(group)
        raise HubSpotError(404, f"{name} does not exist.", "OBJECT_NOT_FOUND")

    def create_group(self, call: Call) -> Answer:
        return Answer(self._schema.create_group(self._object(call, "write"), call.json()), 201)

    def update_group(self, call: Call) -> Answer:
        return Answer(self._schema.update_group(self._object(call, "write"), call.path["name"], call.json()))

    def archive_group(self, call: Call) -> Answer:
        self._schema.archive_group(self._object(call, "write"), call.path["name"])
        return Answer(status=204)


class Pipelines:
    def __init__(self, house: House) -> None:
        self._schema = house.schema

    def all(self, call: Call) -> Answer:
        return Answer({"results": self._schema.pipelines(call.object())})

    def get(self, call: Call) -> Answer:
        return Answer(self._schema.pipeline(call.object(), call.path["id"]))

    def stages(self, call: Call) -> Answer:
        return Answer({"results": self._schema.pipeline(call.object(), call.path["id"])["stages"]})

    def create_stage(self, call: Call) -> Answer:
        return Answer(self._schema.create_stage(call.object(), call.path["id"], call.json()), 201)

    def update_stage(self, call: Call) -> Answer:
        return Answer(
            self._schema.update_stage(call.object(), call.path["id"], call.path["stage"], call.json())
        )

    def delete_stage(self, call: Call) -> Answer:
        self._schema.delete_stage(call.object(), call.path["id"], call.path["stage"])
        return Answer(status=204)

    def create(self, call: Call) -> Answer:
        return Answer(self._schema.create_pipeline(call.object(), call.json()), 201)

    def update(self, call: Call) -> Answer:
        return Answer(self._schema.update_pipeline(call.object(), call.path["id"], call.json()))

    def delete(self, call: Call) -> Answer:
        validate = call.flag("validateReferencesBeforeDelete") or call.flag(
            "validateDealStageUsagesBeforeDelete"
        )
        self._schema.delete_pipeline(call.object(), call.path["id"], validate=validate)
        return Answer(status=204)


class Associated:
    def __init__(self, house: House) -> None:
        self._house, self._associations = house, house.associations

    def read(self, call: Call) -> Answer:
        results, errors = self._associations.batch_read(
            call.object(), call.object("to"), _inputs(call.json(), None), dated=call.dated
        )
        return _batch(self._house, results, errors=errors)

    def create(self, call: Call) -> Answer:
        return self._each(call, lambda one: one.get("types") or [])

    def default(self, call: Call) -> Answer:
        return self._each(call, lambda _: [])

    def _each(self, call: Call, types: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Answer:
        obj, to = call.object(), call.object("to")
        made = [
            self._made(obj, str(one["from"]["id"]), to, str(one["to"]["id"]), types(one))
            for one in _inputs(call.json(), MAX_CREATE)
        ]
        return _batch(self._house, made, 201)

    def _made(self, obj: str, id: str, to: str, to_id: str, types: list[dict[str, Any]]) -> dict[str, Any]:
        labels = self._associations.make(obj, id, to, to_id, types)
        kind = self._associations.types(obj, to, labels)[-1]
        return {
            "fromObjectTypeId": obj, "fromObjectId": int(id), "toObjectTypeId": to, "toObjectId": int(to_id),
            "labels": labels, "from": {"id": id}, "to": {"id": to_id},
            "associationSpec": {"associationCategory": kind["category"], "associationTypeId": kind["typeId"]},
        }  # fmt: skip

    def archive(self, call: Call) -> Answer:
        obj, to = call.object(), call.object("to")
        for one in _inputs(call.json(), MAX_CREATE):
            others = one["to"] if isinstance(one["to"], list) else [one["to"]]
            for other in others:
                self._associations.remove(obj, str(one["from"]["id"]), to, str(other["id"]))
        return Answer(status=204)

    def one_default(self, call: Call) -> Answer:
        made = self._made(call.object(), call.path["id"], call.object("to"), call.path["to_id"], [])
        return _batch(self._house, [made])

    def one(self, call: Call) -> Answer:
        types = orjson.loads(call.raw or b"[]")
        made = self._made(call.object(), call.path["id"], call.object("to"), call.path["to_id"], types)
        return Answer(made, 201)

    def of_one(self, call: Call) -> Answer:
        results, _ = self._associations.batch_read(
            call.object(),
            call.object("to"),
            [{"id": call.path["id"], "after": call.query.get("after")}],
            dated=call.dated,
        )
        if not results:
            return Answer({"results": []})
        found = results[0]
        return Answer({"results": found["to"], **({"paging": found["paging"]} if "paging" in found else {})})

    def remove_one(self, call: Call) -> Answer:
        self._associations.remove(call.object(), call.path["id"], call.object("to"), call.path["to_id"])
        return Answer(status=204)


def _inputs(body: dict[str, Any], most: int | None = MAX_BATCH) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or (most is not None and len(inputs) > most):
        raise bad_request(f"inputs must be a list of at most {most}.")
    return inputs


def _batch(house: House, results: list[Any], status: int = 200, errors: Sequence[Any] = ()) -> Answer:
    at = iso(house.org.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return Answer(body, 207 if errors else status)
