"""Deployments: waited for without sleeping here, refused in lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from connector.crm.base import CRMError, Transient
from connector.crm.salesforce.errors import SchemaRefused
from connector.crm.salesforce.schema import LONGEST_WAIT, PATIENCE, Schema


class Salesforce:
    """Answers as the REST resource of deployments does; `after`: looks until it is done."""

    def __init__(self, result: Mapping[str, Any], after: int) -> None:
        self.result, self.after, self.sent = result, after, {}
        self.slept: list[float] = []
        self.changes = 0

    def call(self, method: str, path: str, **more: Any) -> Any:
        if method == "POST":
            self.sent = more
            return {"id": "0Af1"}
        assert path == "metadata/deployRequest/0Af1"
        self.after -= 1
        done = self.after < 0
        return {"deployResult": {"id": "0Af1", "done": done, **(self.result if done else {"success": False})}}

    def schema(self) -> Schema:
        def changed() -> None:
            self.changes += 1

        return Schema(self, None, changed=changed, sleep=self.slept.append)  # type: ignore[arg-type]


def test_a_deployment_is_sent_in_two_parts_and_waited_for() -> None:
    org = Salesforce({"success": True, "numberComponentsDeployed": 3}, after=4)
    assert org.schema().run("deploy", {"zip": b"PK"}) == {"id": "0Af1", "components": 3}
    assert org.slept == [1, 2, 4, 8]
    assert org.changes == 1
    options = json.loads(org.sent["files"]["json"][1])["deployOptions"]
    assert options["rollbackOnError"]
    assert options["singlePackage"]
    assert org.sent["files"]["file"][1] == b"PK"
    assert org.sent["headers"] == {"Content-Type": None}


def test_a_refused_deployment_names_each_component() -> None:
    failures = [
        {"componentType": "CustomField", "fullName": "Lead.Candor_Score__c", "problem": "limit reached"},
        {"componentType": "", "fileName": "package.xml", "problem": "bad"},
    ]
    org = Salesforce(
        {"success": False, "status": "Failed", "details": {"componentFailures": failures}}, after=0
    )
    with pytest.raises(SchemaRefused, match="limit reached") as error:
        org.schema().run("deploy", {"zip": b""})
    assert error.value.lines == ("CustomField Lead.Candor_Score__c: limit reached", "file package.xml: bad")


def test_a_deployment_that_never_ends_is_given_up() -> None:
    org = Salesforce({}, after=10_000)
    with pytest.raises(Transient, match="not done"):
        org.schema().run("deploy", {"zip": b""})
    assert PATIENCE <= sum(org.slept) < PATIENCE + LONGEST_WAIT


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(CRMError, match="paint"):
        Salesforce({}, 0).schema().run("paint", {})
