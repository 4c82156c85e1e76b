"""The org's schema as crm_schema needs it (its SchemaPort, served structurally): reading it, and deploying to it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from connector.crm.base import CRMError, PermissionDenied, Transient
from connector.crm.salesforce import carry, org, setup, unseen
from connector.crm.salesforce.api import Api, ok
from connector.crm.salesforce.describes import Describes
from connector.crm.salesforce.errors import SchemaRefused
from connector.crm.salesforce.write import BATCH

OBJECTS = ("Lead", "Contact", "Account", "Opportunity", "Candor_Review__c")

PATIENCE = 600.0
"""Seconds that a deployment may take. Ours has some sixty fields: a minute or two in a busy org."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0
"""Seconds between looks at a deployment, doubled from the first to the longest."""

DEPLOY_OPTIONS = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": True,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": True,
    "singlePackage": True,
    "testLevel": "NoTestRun",
}


class Schema:
    """`sleep` in seconds. `changed` is called after each change. `by_certificate`: how this connection signs in."""

    crm = "salesforce"
    batch = BATCH

    def __init__(
        self,
        api: Api,
        describes: Describes,
        *,
        changed: Callable[[], None],
        by_certificate: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._describes, self._changed, self._sleep = api, describes, changed, sleep
        self._by_certificate = by_certificate

    def read(self) -> dict[str, Any]:
        self._changed()  # read afresh: someone else may have changed it
        self._describes.load(OBJECTS)
        found = {name: described for name in OBJECTS if (described := self._describes.find(name)) is not None}
        followed = org.tracked(self._api, list(found))
        objects: dict[str, Any] = {}
        for name, described in found.items():
            fields = {n: dict(f) for n, f in described.fields.items()}
            if name in followed:
                for n, f in fields.items():
                    f["tracked"] = n in followed[name]
            objects[name] = {"fields": fields}
        queues, sets, assigned, held, apps = self._api.queries(
            [
                ("SELECT DeveloperName FROM Group WHERE Type = 'Queue'", False),
                ("SELECT Id, Name FROM PermissionSet WHERE IsOwnedByProfile = FALSE", False),
                (
                    f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{self._me()}'",
                    False,
                ),
                (
                    "SELECT Id, PermissionSetId FROM PermissionSetAssignment "
                    f"WHERE PermissionSet.Name LIKE '{setup.OURS}%'",
                    False,
                ),
                ("SELECT DeveloperName FROM ExternalClientApplication", False),
            ],
            what="reading queues, permission sets and apps",
        )
        hidden = unseen.read(self._api, {o: described.fields for o, described in found.items()})
        for name, there in (hidden or {}).items():
            if name not in followed:  # no word of any field's history: then none of these either
                for f in there.values():
                    f.pop("tracked", None)
        holders = Counter(row["PermissionSetId"] for row in self._every(ok(held)))
        ours = {row["PermissionSetId"] for row in ok(assigned)["records"]}
        named = [row["Name"] for row in ok(sets)["records"]]
        return {
            **setup.read(self._api, named, review=setup.REVIEW in found),
            "objects": objects,
            **({} if hidden is None else {"unseen": hidden}),
            **self._sign_in(apps),
            "queues": [row["DeveloperName"] for row in ok(queues)["records"]],
            "permission_sets": [
                {"name": row["Name"], "assigned": row["Id"] in ours, "holders": holders[row["Id"]]}
                for row in ok(sets)["records"]
            ],
        }

    def _sign_in(self, apps: Any) -> dict[str, Any]:
        """`apps` only where this user may see them."""
        me = self._api.user_info() or {}
        found = {"org_id": str(me.get("organization_id", "")), "signed_in_by_app": self._by_certificate}
        if not isinstance(apps, CRMError):
            found["apps"] = sorted(row["DeveloperName"] for row in apps["records"])
        return found

    def values(self, object_name: str, fields: Sequence[str]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        return carry.values(self._api, self._describes.get(object_name), fields)

    def automations(self) -> list[dict[str, Any]]:
        """What an update of a record that Candor writes to would start."""
        return setup.automations(self._api, [o for o in OBJECTS if o != setup.REVIEW])

    def references(self) -> list[dict[str, Any]]:
        """What refers to Candor's fields, beside its own."""
        return setup.references(self._api)

    def check(self, objects: Collection[str] | None = None) -> None:
        """Raises when this user may not do what an apply takes: said before the first write, so that nothing is half-made."""
        lacks = setup.lacking(self._api)
        if lacks:
            denied = PermissionDenied(
                f"The user that Candor signs in as may not change the org's schema: it lacks {', '.join(lacks)}. Nothing was "
                "changed.",
                fix="Give it a permission set with these for the time of `candor apply` and `candor remove`, or have an admin "
                "run them.",
            )
            denied.lacks = tuple(lacks)
            raise denied

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if op == "deploy":
            done = self._deploy(payload["zip"])
        elif op == "assign":
            done = self._assign(payload["permission_set"])
        elif op == "unassign":
            done = self._unassign(payload["permission_set"])
        elif op == "write_values":
            return {"failed": carry.write(self._api, payload["object"], payload["records"])}
        else:
            raise CRMError(f"Salesforce's schema knows no operation {op!r}.")
        self._changed()
        return done

    # -- deployments --

    def _deploy(self, content: bytes) -> Mapping[str, Any]:
        started = self._api.call(
            "POST",
            "metadata/deployRequest",
            what="deploying",
            write=True,
            files={
                "json": (None, json.dumps({"deployOptions": DEPLOY_OPTIONS}), "application/json"),
                "file": ("candor.zip", content, "application/zip"),
            },
            headers={"Content-Type": None},  # requests sets it, with the boundary of the parts
        )
        for wait in _waits():
            answer = self._api.call(
                "GET",
                f"metadata/deployRequest/{started['id']}",
                what="waiting for the deployment",
                params={"includeDetails": "true"},
            )
            result = answer["deployResult"]
            if result["done"]:
                return _outcome(result)
            self._sleep(wait)
        raise Transient(
            f"The deployment {started['id']} is not done after {PATIENCE / 60:.0f} minutes.",
            fix="See Setup > Deployment Status, then apply again: what is there already is left alone.",
        )

    # -- permission sets --

    def _assign(self, name: str) -> Mapping[str, Any]:
        body = {"AssigneeId": self._me(), "PermissionSetId": self._set(name)}
        made = self._api.call(
            "POST", "sobjects/PermissionSetAssignment", what=f"assigning {name}", write=True, json=body
        )
        return {"id": made["id"]}

    def _unassign(self, name: str) -> Mapping[str, Any]:
        found = self._api.query(
            f"SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = '{self._set(name)}'",
            what="reading who holds a permission set",
        )
        ids = [row["Id"] for row in self._every(found)]
        for start in range(0, len(ids), 200):
            answers = self._api.call(
                "DELETE",
                "composite/sobjects",
                what=f"taking back {name}",
                write=True,
                params={"ids": ",".join(ids[start : start + 200]), "allOrNone": "false"},
            )
            failed = [a for a in answers or () if not a["success"]]
            if failed:
                raise SchemaRefused(f"{name} can't be taken from {len(failed)} of its holders.")
        return {"taken_from": len(ids)}

    def _every(self, found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The rows of an answer and of its further pages."""
        yield from found["records"]
        while not found["done"]:
            found = self._api.more(found["nextRecordsUrl"], what="reading who holds a permission set")
            yield from found["records"]

    def inside(self, object_name: str, pipeline: str) -> int:
        """Salesforce has no pipelines of records."""
        return 0

    def _set(self, name: str) -> str:
        found = self._api.query(
            f"SELECT Id FROM PermissionSet WHERE Name = '{name}'", what="reading permission sets"
        )
        if not found["records"]:
            raise SchemaRefused(f"The org has no permission set {name}.", fix="Run `candor apply` first.")
        return str(found["records"][0]["Id"])

    def _me(self) -> str:
        return str((self._api.user_info() or {})["user_id"])


def _waits() -> Iterator[float]:
    """Seconds to wait, again and again, until patience is at its end."""
    waited, wait = 0.0, FIRST_WAIT
    while waited < PATIENCE:
        yield wait
        waited += wait
        wait = min(2 * wait, LONGEST_WAIT)


def _outcome(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was deployed. Raises SchemaRefused with a line a component that failed."""
    details = result.get("details") or {}
    if result.get("success"):
        return {"id": result["id"], "components": result.get("numberComponentsDeployed")}
    failures = details.get("componentFailures") or []
    if isinstance(failures, Mapping):
        failures = [failures]
    lines = tuple(
        f"{f.get('componentType') or 'file'} {f.get('fullName') or f.get('fileName')}: {f.get('problem')}"
        for f in failures
    )
    error = SchemaRefused(
        "Salesforce refused the deployment and kept the org as it was: "
        + ("; ".join(lines) or result.get("errorMessage") or str(result.get("status"))),
        fix="Mend what is named, then apply again.",
    )
    error.lines = lines
    raise error
