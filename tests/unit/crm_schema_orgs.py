"""Two small orgs in memory for the tests of crm_schema: they take what a port takes, as a CRM does."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

NS = "{http://soap.sforce.com/2006/04/metadata}"
DESCRIBED = {
    "Number": "double", "Text": "string", "LongTextArea": "textarea", "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist", "Checkbox": "boolean", "DateTime": "datetime",
    "Lookup": "reference",
}  # fmt: skip


class Killed(Exception):
    """The process dies: the call that was on its way has, or has not, been done."""


class Org:
    """What both have in common: a log of the calls, and a death at the nth."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.die_at: int | None = None
        self.die_after = False

    batch = 200

    def values(self, object_name: str, fields: Sequence[str]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """No records here."""
        return ()

    def inside(self, object_name: str, pipeline: str) -> int:
        return 0

    def check(self, objects: Collection[str] | None = None) -> None:
        """Everyone may do everything here."""

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        dies = self.die_at == len(self.calls)
        self.calls.append(op)
        if dies and not self.die_after:
            raise Killed
        getattr(self, op)(**payload)
        if dies:
            raise Killed
        return {}


class SalesforceOrg(Org):
    crm = "salesforce"

    def __init__(self) -> None:
        super().__init__()
        standard = ("Name", "Industry", "Email", "LeadSource")
        self.objects: dict[str, dict[str, dict[str, Any]]] = {
            o: {
                f: {"name": f, "label": f, "type": "string", "length": 80, "permissionable": f != "Name"}
                for f in standard
            }
            for o in ("Lead", "Contact", "Account", "Opportunity")
        }
        self.queues: list[str] = ["Hot_Leads"]
        self.sets: dict[str, ET.Element] = {}
        self.assigned: set[str] = set()
        self.free: dict[str, int] = {}
        self.zips: list[dict[str, bytes]] = []

    def read(self) -> dict[str, Any]:
        """As the user that Candor signs in as sees it: its fields only with the permission set."""
        sees = "Candor_Integration" in self.assigned
        objects = {
            o: {"fields": {n: f for n, f in fields.items() if sees or "deployed" not in f}}
            for o, fields in self.objects.items()
            if sees or not o.startswith("Candor_")
        }
        return {
            "objects": objects,
            "queues": list(self.queues),
            "permission_sets": [{"name": n, "assigned": n in self.assigned} for n in self.sets],
            "custom_fields": self.free,
        }

    def everything(self) -> Any:
        return copy.deepcopy((self.objects, self.queues, sorted(self.sets), self.assigned))

    def assign(self, permission_set: str) -> None:
        assert permission_set in self.sets
        self.assigned.add(permission_set)

    def unassign(self, permission_set: str) -> None:
        self.assigned.discard(permission_set)

    def deploy(self, zip: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(zip)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        self.zips.append(files)
        for name in ("destructiveChangesPre.xml", "destructiveChangesPost.xml"):
            if name in files:
                self._destroy(ET.fromstring(files[name]))
        for name, content in files.items():
            root = ET.fromstring(content)
            stem = name.split("/")[-1].split(".")[0]
            if name.startswith("objects/"):
                fields = self.objects.setdefault(stem, {})
                for field in root.findall(f"{NS}fields"):
                    fields[text(field, "fullName")] = described(field)
            elif name.startswith("queues/"):
                self.queues.append(stem)
            elif name.startswith("permissionsets/"):
                self.sets[stem] = root

    def _destroy(self, root: ET.Element) -> None:
        for types in root.findall(f"{NS}types"):
            kind = text(types, "name")
            for member in types.findall(f"{NS}members"):
                name = str(member.text)
                if kind == "PermissionSet":
                    assert name not in self.assigned, (
                        "Salesforce deletes no permission set that someone holds"
                    )
                    del self.sets[name]
                elif kind == "Queue":
                    self.queues.remove(name)
                elif kind == "CustomObject":
                    del self.objects[name]
                elif kind == "CustomField":
                    object_name, field = name.split(".")
                    del self.objects[object_name][field]


def text(element: ET.Element, name: str) -> str:
    return str(element.findtext(f"{NS}{name}"))


def described(field: ET.Element) -> dict[str, Any]:
    """A CustomField as describe shows it."""
    values = [
        {"value": text(v, "fullName"), "label": text(v, "label"), "active": text(v, "isActive") != "false"}
        for v in field.iter(f"{NS}value")
    ]
    return {
        "name": text(field, "fullName"),
        "label": text(field, "label"),
        "type": DESCRIBED[text(field, "type")],
        "length": int(field.findtext(f"{NS}length", "0")),
        "picklistValues": values,
        "inlineHelpText": text(field, "inlineHelpText"),
        "tracked": text(field, "trackHistory") == "true",
        "permissionable": True,
        "deployed": True,
    }


class HubSpotPortal(Org):
    crm = "hubspot"

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, Any]] = {
            o: {
                "properties": {"hs_object_id": {"name": "hs_object_id", "groupName": "information"}},
                "groups": ["information"],
            }
            for o in ("contacts", "companies", "deals", "tickets")
        }
        self.bin: dict[tuple[str, str], dict[str, Any]] = {}
        self.pipelines: list[dict[str, Any]] = [{"id": "0", "label": "Support", "stages": []}]
        self.lists: list[dict[str, Any]] = []

    def read(self) -> dict[str, Any]:
        return {
            "objects": {
                o: {"properties": dict(v["properties"]), "groups": list(v["groups"])}
                for o, v in self.objects.items()
            },
            "pipelines": {"tickets": list(self.pipelines)},
            "lists": copy.deepcopy(self.lists),
        }

    def everything(self) -> Any:
        return copy.deepcopy((self.objects, self.pipelines, self.lists))

    def create_group(self, object: str, name: str, **rest: Any) -> None:
        assert name not in self.objects[object]["groups"]
        self.objects[object]["groups"].append(name)

    def create_properties(self, object: str, inputs: list[dict[str, Any]]) -> None:
        there = self.objects[object]
        for one in inputs:
            assert one["name"] not in there["properties"]
            assert one["groupName"] in there["groups"]
            # the vendor revives what is in the bin, as it was
            there["properties"][one["name"]] = self.bin.pop((object, one["name"]), dict(one))

    def update_property(self, object: str, name: str, **change: Any) -> None:
        self.objects[object]["properties"][name] |= change

    def archive_properties(self, object: str, names: list[str]) -> None:
        used = str([one["filterBranch"] for one in self.lists if object == "contacts"])
        for name in names:
            assert f"'{name}'" not in used, "HubSpot archives no property that a list goes by"
            self.bin[object, name] = self.objects[object]["properties"].pop(name)

    def archive_group(self, object: str, name: str) -> None:
        assert not [p for p in self.objects[object]["properties"].values() if p["groupName"] == name]
        self.objects[object]["groups"].remove(name)

    def create_pipeline(self, object: str, **pipeline: Any) -> None:
        self.pipelines.append({"id": str(len(self.pipelines)), **pipeline})

    def delete_pipeline(self, object: str, id: str) -> None:
        self.pipelines = [p for p in self.pipelines if p["id"] != id]

    def create_list(self, object: str, name: str, **rest: Any) -> None:
        assert name not in [one["name"] for one in self.lists]
        self.lists.append({"listId": str(len(self.lists) + 1), "name": name, **rest})

    def update_list(self, object: str, id: str, filterBranch: dict[str, Any]) -> None:
        next(one for one in self.lists if one["listId"] == id)["filterBranch"] = filterBranch

    def delete_list(self, object: str, id: str) -> None:
        self.lists = [one for one in self.lists if one["listId"] != id]
