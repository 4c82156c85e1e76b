"""The local Salesforce against answers that real orgs gave (shared/contracts; none of it is copied here)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.salesforce_org import Client, open_client

RECORDED = Path(os.environ.get("CANDOR_CONTRACTS", "../shared/contracts")) / "salesforce"
pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded vendor answers (CANDOR_CONTRACTS)"),
]


@pytest.fixture(scope="module")
def sf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = open_client(tmp_path_factory.mktemp("org"))
    yield client
    client.org.close()


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def answer_in(name: str) -> Any:
    (calls,) = recorded(f"recorded-nango/{name}.json").values()
    return calls[0]["response"]


@pytest.mark.parametrize(
    "name", ["Lead", "Account", "Contact", "Opportunity", "Event", "OpportunityContactRole"]
)
def test_describe_says_what_a_real_org_says(sf: Client, name: str) -> None:
    real, ours = recorded(f"describe/{name}.json"), sf.call("GET", f"/sobjects/{name}/describe").json()
    assert set(real) <= set(ours), "every key of the answer is there"
    theirs = {f["name"]: f for f in real["fields"]}
    same = (
        "type",
        "soapType",
        "nillable",
        "filterable",
        "sortable",
        "referenceTo",
        "scale",
        "precision",
        "custom",
        "createable",
    )
    known = [f for f in ours["fields"] if f["name"] in theirs]
    assert len(known) > 9
    created_otherwise = {
        "IsConverted",
        "ContactId",
    }  # settable at creation in a real org, made by conversion only here
    for f in known:
        real_field = theirs[f["name"]]
        assert set(f) == set(real_field)
        for key in same:
            if key == "createable" and f["name"] in created_otherwise:
                continue
            if key == "referenceTo":  # this org has fewer objects
                assert set(f[key]) <= set(real_field[key]), f["name"]
            else:
                assert f[key] == real_field[key], (f["name"], key)


def shape(value: Any) -> Any:
    """Keys and kinds of values, not the values."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value[:1]]
    return type(value).__name__


def test_writes_answer_in_the_recorded_shape(sf: Client) -> None:
    created = sf.call("POST", "/sobjects/Account", {"Name": "Test"})
    assert shape(created.json()) == shape(answer_in("create-record"))
    many = {"allOrNone": False, "records": [{"attributes": {"type": "Account"}, "Name": "Test"}]}
    assert shape(sf.call("POST", "/composite/sobjects", many).json()) == shape(
        answer_in("create-sobject-collection")
    )
    wrong = {"records": [{"attributes": {"type": "Account"}, "id": "001xx000003DHP0AAO", "Name": "Updated"}]}
    assert sf.call("PATCH", "/composite/sobjects", wrong).json() == answer_in("update-sobject-collection")
    by_id = sf.call(
        "PATCH", f"/sobjects/Account/Id/{created.json()['id']}", {"Phone": "1"}, params={"updateOnly": "true"}
    )
    assert shape(by_id.json()) == shape(answer_in("update-record-by-external-id"))
    upserted = sf.call("PATCH", "/sobjects/Contact/Email/new%40example.com", {"LastName": "TestUser"})
    assert (upserted.status_code, shape(upserted.json())) == (201, shape(answer_in("upsert-record")))


def test_reads_answer_in_the_recorded_shape(sf: Client) -> None:
    page = sf.call("GET", "/query", params={"q": "SELECT Id, Name FROM Account LIMIT 5"}).json()
    assert shape(page) == shape(answer_in("query-records"))
    limits = sf.call("GET", "/limits").json()
    assert set(limits) <= set(answer_in("get-limits"))
    versions = sf.http.get("/services/data").json()
    real = {v["version"]: v for v in answer_in("list-available-resources")}
    for version in versions:
        if version["version"] in real:
            assert version["url"] == real[version["version"]]["url"]
            assert version["label"].replace("'", "") == real[version["version"]]["label"].replace(
                "'", ""
            ).replace("‘", "").replace("’", "")


def test_refusals_are_the_recorded_ones(sf: Client) -> None:
    fixtures = "restforce-fixtures"
    lost = sf.http.get("/services/data/v62.0/limits", headers={"Authorization": "Bearer x"})
    assert lost.json() == recorded(f"{fixtures}/expired_session_response.json")
    nothing = sf.call("GET", "/sobjects/Whizbang/describe").json()
    assert nothing == recorded(f"{fixtures}/sobject__sobject_describe_error_response.json")
    unknown = sf.call("PATCH", "/sobjects/Lead/Namez/1", {"LastName": "x"}).json()
    assert unknown == recorded(f"{fixtures}/sobject__upsert_error_response.json")
    (written,) = sf.call("POST", "/sobjects/Account", {"foo": 1}).json()
    (real,) = recorded(f"{fixtures}/sobject__write_error_response.json")
    assert written == {**real, "message": real["message"].replace("Bar", "Account")}
    group = "SELECT CampaignId, COUNT(Id) FROM CampaignMember GROUP BY CampaignId"
    grouped = sf.call("GET", "/query", params={"q": group}).json()["records"][0]
    assert set(grouped) == set(
        recorded(f"{fixtures}/sobject__query_aggregate_success_response.json")["records"][0]
    )
