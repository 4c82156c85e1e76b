"""Properties, groups and pipelines of the org: read, created, changed, archived (FACTS-hubspot.md §9, §14)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.playground.hubspot import catalog, standard
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.times import iso
from connector.playground.org import Org

_FITS = {
    "bool": {"booleancheckbox", "radio", "select", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date", "calculation_equation"},
    "enumeration": {"checkbox", "booleancheckbox", "radio", "select", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "phone_number": {"phonenumber"},
    "string": {"text", "textarea", "html", "file", "phonenumber", "calculation_equation"},
}
"""Which fieldType fits which type."""

MAX_UNIQUE = 10
_UPDATABLE = (
    "label",
    "type",
    "fieldType",
    "groupName",
    "description",
    "options",
    "displayOrder",
    "formField",
    "hidden",
)


class Schema:
    """The org's definitions, kept in meta as JSON and parsed once a version."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._version = -1
        self._cache: dict[str, Any] = {}

    # -- properties --

    def properties(self, obj: str) -> dict[str, dict[str, Any]]:
        """Every property by name, archived ones included."""
        found = self._load(f"properties:{obj}")
        if found is None:
            found = self._cache[f"properties:{obj}"] = standard.standard_properties(obj)
        return dict(found)

    def active(self, obj: str) -> dict[str, dict[str, Any]]:
        return {n: p for n, p in self.properties(obj).items() if not p["archived"]}

    def create_property(self, obj: str, body: Mapping[str, Any]) -> dict[str, Any]:
        missing = [k for k in ("name", "label", "type", "fieldType", "groupName") if not body.get(k)]
        if missing:
            raise bad_request(f"Some required fields were not set: {missing}", properties=missing)
        name, type, field_type = str(body["name"]), body["type"], body["fieldType"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise bad_request(f"Property name {name!r} must be lowercase letters, digits and underscores.")
        if field_type not in _FITS.get(type, ()):
            raise bad_request(f"fieldType {field_type} does not fit type {type}.")
        if body["groupName"] not in {g["name"] for g in self.groups(obj)}:
            raise bad_request(f"Property group {body['groupName']!r} does not exist.")
        if type == "enumeration" and not body.get("options") and not body.get("externalOptions"):
            raise bad_request("An enumeration needs options.")
        known = self.properties(obj)
        if name in known and not known[name]["archived"]:
            raise HubSpotError(
                409, f"A property named '{name}' already exists.", "OBJECT_ALREADY_EXISTS",
                "Properties.PROPERTY_WITH_NAME_EXISTS",
            )  # fmt: skip
        unique = bool(body.get("hasUniqueValue"))
        if unique and sum(p["hasUniqueValue"] for p in known.values()) >= MAX_UNIQUE:
            raise bad_request(f"At most {MAX_UNIQUE} unique properties an object.")
        at = iso(self._org.tick())
        made = standard.property_definition(name, body["label"], type, field_type, body["groupName"], at)
        made |= {k: body[k] for k in ("description", "displayOrder", "hidden", "formField") if k in body}
        if body.get("options"):
            made["options"] = _options(body["options"])
        made |= {"hasUniqueValue": unique, "createdUserId": "1", "updatedUserId": "1"}
        if name in known:  # an archived one comes back, with its old birthday
            made["createdAt"] = known[name]["createdAt"]
        self._save(f"properties:{obj}", {**known, name: made})
        return made

    def update_property(self, obj: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        known = self.properties(obj)
        old = known.get(name)
        if old is None or old["archived"]:
            raise _unknown(name)
        changed = {k: v for k, v in body.items() if k in _UPDATABLE and v is not None}
        if changed and old["modificationMetadata"]["readOnlyDefinition"] and set(changed) - {"options"}:
            raise bad_request(f"Property {name} is defined by HubSpot and can't be changed.")
        if "options" in changed:
            changed["options"] = _options(changed["options"])
        new = {**old, **changed, "updatedAt": iso(self._org.tick())}
        if new["fieldType"] not in _FITS.get(new["type"], ()):
            raise bad_request(f"fieldType {new['fieldType']} does not fit type {new['type']}.")
        self._save(f"properties:{obj}", {**known, name: new})
        return new

    def archive_properties(self, obj: str, names: Sequence[str], *, strict: bool = False) -> None:
        """Whatever state they are in, it is no error (a single archive of an unknown one: strict)."""
        known = self.properties(obj)
        at = iso(self._org.tick())
        for name in names:
            if name not in known or known[name]["archived"]:
                if strict:
                    raise _unknown(name)
                continue
            if not known[name]["modificationMetadata"]["archivable"]:
                raise bad_request(f"Property {name} is defined by HubSpot and can't be archived.")
            known[name] = {**known[name], "archived": True, "archivedAt": at}
        self._save(f"properties:{obj}", known)

    # -- groups --

    def groups(self, obj: str) -> list[dict[str, Any]]:
        return list(self._load(f"groups:{obj}") or standard.standard_groups(obj))

    def create_group(self, obj: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name = body.get("name")
        if not name or not body.get("label"):
            raise bad_request("A property group needs a name and a label.")
        known = self.groups(obj)
        if any(g["name"] == name for g in known):
            raise HubSpotError(
                409,
                f"A property group named '{name}' already exists.",
                "OBJECT_ALREADY_EXISTS",
                "Properties.PROPERTY_GROUP_WITH_NAME_EXISTS",
            )
        group = {
            "name": name,
            "label": body["label"],
            "displayOrder": body.get("displayOrder", -1),
            "archived": False,
        }
        self._save(f"groups:{obj}", [*known, group])
        return group

    def update_group(self, obj: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        known = self.groups(obj)
        for n, group in enumerate(known):
            if group["name"] == name:
                known[n] = {**group, **{k: body[k] for k in ("label", "displayOrder") if k in body}}
                self._save(f"groups:{obj}", known)
                return known[n]
        raise _unknown(name)

    def archive_group(self, obj: str, name: str) -> None:
        known = self.groups(obj)
        if not any(g["name"] == name for g in known):
            raise _unknown(name)
        used = [p["name"] for p in self.active(obj).values() if p["groupName"] == name]
        if used:
            nested = {
                "status": "error",
                "message": f"The group {name} has active properties.",
                "category": "VALIDATION_ERROR",
                "subCategory": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
                "context": {"groupName": [name], "propertyNames": used},
            }
            raise HubSpotError(400, json.dumps(nested), "VALIDATION_ERROR",
                               "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES")  # fmt: skip
        self._save(f"groups:{obj}", [g for g in known if g["name"] != name])

    # -- pipelines --

    def pipelines(self, obj: str) -> list[dict[str, Any]]:
        return list(self._load(f"pipelines:{obj}") or catalog.standard_pipelines(obj))

    def pipeline(self, obj: str, id: str) -> dict[str, Any]:
        for pipeline in self.pipelines(obj):
            if pipeline["id"] == id:
                return pipeline
        raise HubSpotError(404, f"Pipeline {id} does not exist.", "OBJECT_NOT_FOUND")

    def stages(self, obj: str) -> dict[str, tuple[str, dict[str, Any]]]:
        """Stage id -> (pipeline id, stage)."""
        return {s["id"]: (p["id"], s) for p in self.pipelines(obj) for s in p["stages"]}

    def create_pipeline(self, obj: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if obj not in ("deals", "tickets"):
            raise bad_request(f"{obj} have no pipelines.")
        if not body.get("label") or "displayOrder" not in body or not body.get("stages"):
            raise bad_request("A pipeline needs label, displayOrder and stages.")
        known = self.pipelines(obj)
        if any(p["label"].lower() == body["label"].lower() for p in known):
            raise HubSpotError(409, f"A pipeline labelled '{body['label']}' already exists.", "CONFLICT")
        at = iso(self._org.tick())
        first = int(self._org.meta("next_stage", 9_000_001))
        times = {"createdAt": at, "updatedAt": at, "archived": False}
        stages = [_stage(obj, str(first + n + 1), stage, n, times) for n, stage in enumerate(body["stages"])]
        made = {"id": body.get("pipelineId") or str(first), "label": body["label"],
                "displayOrder": body["displayOrder"], "stages": stages, **times}  # fmt: skip
        self._org.set_meta("next_stage", first + len(stages) + 1)
        self._save(f"pipelines:{obj}", [*known, made])
        return made

    def update_pipeline(self, obj: str, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        old = self.pipeline(obj, id)
        new = {**old, **{k: body[k] for k in ("label", "displayOrder") if k in body}}
        new["updatedAt"] = iso(self._org.tick())
        self._save(f"pipelines:{obj}", [new if p["id"] == id else p for p in self.pipelines(obj)])
        return new

    def create_stage(self, obj: str, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        pipeline = self.pipeline(obj, id)
        if not body.get("label") or "displayOrder" not in body or not body.get("metadata"):
            raise bad_request("A stage needs label, displayOrder and metadata.")
        if any(s["label"].lower() == body["label"].lower() for s in pipeline["stages"]):
            raise HubSpotError(409, f"A stage labelled '{body['label']}' already exists.", "CONFLICT")
        at = iso(self._org.tick())
        number = int(self._org.meta("next_stage", 9_000_001))
        self._org.set_meta("next_stage", number + 1)
        times = {"createdAt": at, "updatedAt": at, "archived": False}
        made = _stage(obj, str(number), body, body["displayOrder"], times)
        self._put_stages(obj, id, [*pipeline["stages"], made])
        return made

    def update_stage(self, obj: str, id: str, stage: str, body: Mapping[str, Any]) -> dict[str, Any]:
        pipeline = self.pipeline(obj, id)
        old = next((s for s in pipeline["stages"] if s["id"] == stage), None)
        if old is None:
            raise HubSpotError(404, f"Stage {stage} does not exist.", "OBJECT_NOT_FOUND")
        given = {**old, **{k: body[k] for k in ("label", "displayOrder", "metadata") if k in body}}
        times = {"createdAt": old["createdAt"], "updatedAt": iso(self._org.tick()), "archived": False}
        made = _stage(obj, stage, given, old["displayOrder"], times)
        self._put_stages(obj, id, [made if s["id"] == stage else s for s in pipeline["stages"]])
        return made

    def delete_stage(self, obj: str, id: str, stage: str) -> None:
        pipeline = self.pipeline(obj, id)
        self._put_stages(obj, id, [s for s in pipeline["stages"] if s["id"] != stage])

    def _put_stages(self, obj: str, id: str, stages: Sequence[Mapping[str, Any]]) -> None:
        known = self.pipelines(obj)
        self._save(f"pipelines:{obj}", [{**p, "stages": list(stages)} if p["id"] == id else p for p in known])

    def delete_pipeline(self, obj: str, id: str, *, validate: bool) -> None:
        self.pipeline(obj, id)
        name = "pipeline" if obj == "deals" else "hs_pipeline"
        used = self._org.sql(
            "select id from record where obj = ? and deleted = 0 and json_extract(data, '$.' || ?) = ? limit 10",
            (obj, name, id),
        )
        if validate and used:
            raise bad_request(f"Pipeline {id} is in use.", objectIds=[i for (i,) in used])
        self._save(f"pipelines:{obj}", [p for p in self.pipelines(obj) if p["id"] != id])

    # -- kept as JSON; a version number tells other readers of the same org to parse again --

    def _load(self, key: str) -> Any:
        version = int(self._org.meta("schema_version", 0))
        if version != self._version:
            self._version, self._cache = version, {}
        if key not in self._cache:
            self._cache[key] = self._org.meta(key)
        return self._cache[key]

    def _save(self, key: str, value: Any) -> None:
        with self._org.transaction():
            self._org.set_meta(key, value)
            self._org.set_meta("schema_version", int(self._org.meta("schema_version", 0)) + 1)


def shown(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition as an answer has it: without our own notes."""
    return {k: v for k, v in definition.items() if not k.startswith("_")}


def _stage(
    obj: str, id: str, given: Mapping[str, Any], order: int, times: Mapping[str, Any]
) -> dict[str, Any]:
    metadata = {k: str(v) for k, v in (given.get("metadata") or {}).items()}
    if obj == "deals" and "probability" not in metadata:
        raise bad_request("A deal stage needs metadata.probability.")
    if obj == "tickets":
        metadata.setdefault("ticketState", "OPEN")
        metadata["isClosed"] = "true" if metadata["ticketState"] == "CLOSED" else "false"
    else:
        metadata.setdefault("isClosed", "true" if float(metadata["probability"]) in (0.0, 1.0) else "false")
    return {
        "id": id, "label": given["label"], "displayOrder": given.get("displayOrder", order), "metadata": metadata, **times,
    }  # fmt: skip


def _options(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len({o.get("value") for o in given}) < len(given):
        raise bad_request("Option values must be distinct.")
    return [
        {
            "label": o["label"],
            "value": str(o["value"]),
            "displayOrder": o.get("displayOrder", n),
            "hidden": o.get("hidden", False),
            "description": o.get("description") or "",
        }
        for n, o in enumerate(given)
    ]


def _unknown(name: str) -> HubSpotError:
    return HubSpotError(404, f"{name} does not exist.", "OBJECT_NOT_FOUND", context={"name": [name]})
