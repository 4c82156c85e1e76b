"""The local HubSpot answers as FACTS-hubspot.md says that HubSpot does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from connector.playground.desk import Refused
from connector.playground.hubspot.app import create_app
from connector.playground.hubspot.desk import open_desk
from connector.playground.hubspot.seed import seed
from connector.playground.org import Org
from tests.contract.small_world import small_world

CONTACTS = "/crm/v3/objects/contacts"


class Api:
    """The test client with the token in it: `(status, body)` of each call."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._client = TestClient(create_app(org), headers={"Authorization": f"Bearer {org.meta('token')}"})
        self.headers: Any = {}

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        answer = self._client.request(method, path, json=body, params=query)
        self.headers = answer.headers
        return answer.status_code, answer.json() if answer.content else None

    def id(self, obj: str, key: str) -> str:
        return next(r.id for r in self.org.all(obj) if r.data.get("_key") == key)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hubspot") / "org.sqlite"
    org = Org(path)
    seed(org, small_world())
    org.close()
    return path


@pytest.fixture
def api(seeded: Path, tmp_path: Path) -> Iterator[Api]:
    (tmp_path / "org.sqlite").write_bytes(seeded.read_bytes())
    org = Org(tmp_path / "org.sqlite")
    yield Api(org)
    org.close()


def prop(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": name,
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        **more,
    }


def test_the_token_is_needed_and_expires_by_the_orgs_clock(api: Api) -> None:
    wrong = TestClient(create_app(api.org)).get(CONTACTS)
    assert (wrong.status_code, wrong.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    form = {"grant_type": "refresh_token", **api.org.meta("oauth")}
    client = TestClient(create_app(api.org))
    made = client.post("/oauth/v3/token", data=form).json()
    assert made["expires_in"] == 1800
    bearer = {"Authorization": f"Bearer {made['access_token']}"}
    assert client.get(CONTACTS, headers=bearer).status_code == 200
    api.org.advance(1_801_000)
    assert client.get(CONTACTS, headers=bearer).json()["category"] == "EXPIRED_AUTHENTICATION"
    refused = client.post("/oauth/v3/token", data={**form, "refresh_token": "x"})
    assert (refused.status_code, refused.json()["status"]) == (400, "BAD_REFRESH_TOKEN")


def test_pages_are_of_a_hundred_and_of_fifty_with_history(api: Api) -> None:
    assert api("GET", CONTACTS, limit=101)[0] == 400
    assert api("GET", CONTACTS, limit=51, propertiesWithHistory="email")[0] == 400
    seen, after = [], None
    while True:
        status, body = api("GET", CONTACTS, limit=7, **({"after": after} if after else {}))
        assert status == 200
        seen += [r["id"] for r in body["results"]]
        if "paging" not in body:
            break
        after = body["paging"]["next"]["after"]
    assert seen == sorted({r.id for r in api.org.all("contacts")})


def test_values_are_text_and_null_when_unset(api: Api) -> None:
    id = api.id("contacts", "L12")
    _, body = api("GET", f"{CONTACTS}/{id}", properties="employee_count,hand_raiser,use_case,nonsense")
    shown = body["properties"]
    assert (shown["employee_count"], shown["hand_raiser"], shown["use_case"]) == ("650", "false", None)
    assert "nonsense" not in shown
    assert not [k for k in shown if k.startswith("_")]
    assert shown["lastmodifieddate"] == body["updatedAt"]


def test_one_bad_value_fails_the_whole_batch_and_all_are_named(api: Api) -> None:
    a, b = api.id("contacts", "L12"), api.id("contacts", "L13")
    inputs = [
        {"id": a, "properties": {"jobtitle": "New"}},
        {"id": b, "properties": {"points": "many", "hs_lead_status": "Warm", "nope": "1", "num_notes": "3"}},
    ]
    status, body = api("POST", f"{CONTACTS}/batch/update", {"inputs": inputs})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert {e["code"]: e["context"]["propertyName"] for e in body["errors"]} == {
        "INVALID_INTEGER": ["points"],
        "INVALID_OPTION": ["hs_lead_status"],
        "PROPERTY_DOESNT_EXIST": ["nope"],
        "READ_ONLY_VALUE": ["num_notes"],
    }
    assert body["correlationId"] == api.headers["x-hubspot-correlation-id"]
    assert api.org.get("contacts", a).data["jobtitle"] != "New"  # type: ignore[union-attr]
    assert api("POST", f"{CONTACTS}/batch/update", {"inputs": inputs[:1] * 101})[0] == 400


def test_unknown_ids_are_told_beside_the_found_ones(api: Api) -> None:
    id = api.id("contacts", "L12")
    status, body = api(
        "POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": id}, {"id": "1"}], "properties": []}
    )
    assert (status, [r["id"] for r in body["results"]], body["numErrors"]) == (207, [id], 1)
    by_mail = {"inputs": [{"id": "L12@firm12.example"}], "idProperty": "email"}
    assert api("POST", f"{CONTACTS}/batch/read", by_mail)[1]["results"][0]["id"] == id


def test_a_second_contact_with_the_same_address_is_a_conflict(api: Api) -> None:
    status, body = api("POST", CONTACTS, {"properties": {"email": "l12@firm12.example"}})
    assert (status, body["category"]) == (409, "CONFLICT")
    assert api.id("contacts", "L12") in body["message"]
    assert api("POST", CONTACTS, {"properties": {"email": "nonsense"}})[0] == 400
    assert api("POST", CONTACTS, {"properties": {"email": "new@firm.example"}})[0] == 201


def test_upsert_by_a_unique_property(api: Api) -> None:
    api(
        "POST",
        "/crm/v3/properties/tickets",
        prop("our_key", groupName="ticketinformation", hasUniqueValue=True),
    )
    ticket = {"idProperty": "our_key", "id": "k1", "properties": {"subject": "S", "hs_pipeline_stage": "1"}}
    path = "/crm/v3/objects/tickets/batch/upsert"
    _, first = api("POST", path, {"inputs": [ticket]})
    _, second = api("POST", path, {"inputs": [{**ticket, "properties": {"subject": "T"}}]})
    (one,), (two,) = first["results"], second["results"]
    assert (one["new"], two["new"], one["id"]) == (True, False, two["id"])
    assert two["properties"]["subject"] == "T"


def test_a_property_lives_twice(api: Api) -> None:
    path = "/crm/v3/properties/contacts"
    assert api("POST", path, prop("shoe_size"))[0] == 201
    status, body = api("POST", path, prop("shoe_size"))
    assert (status, body["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert body["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    born = api("GET", f"{path}/shoe_size")[1]["createdAt"]
    api.org.advance(86_400_000)
    assert api("DELETE", f"{path}/shoe_size")[0] == 204
    assert api("GET", f"{path}/shoe_size")[0] == 404
    status, back = api("POST", path, prop("shoe_size"))
    assert (status, back["createdAt"]) == (201, born)
    assert (
        api("POST", f"{path}/batch/archive", {"inputs": [{"name": "shoe_size"}, {"name": "never"}]})[0] == 204
    )
    assert api("POST", path, prop("odd", type="number", fieldType="checkbox"))[0] == 400


def test_a_group_with_properties_stays(api: Api) -> None:
    groups = "/crm/v3/properties/contacts/groups"
    assert api("POST", groups, {"name": "ours", "label": "Ours"})[0] == 201
    api("POST", "/crm/v3/properties/contacts", prop("shoe_size", groupName="ours"))
    status, body = api("DELETE", f"{groups}/ours")
    assert (status, body["subCategory"]) == (400, "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES")
    api("DELETE", "/crm/v3/properties/contacts/shoe_size")
    assert api("DELETE", f"{groups}/ours")[0] == 204


def search(api: Api, obj: str = "contacts", **body: Any) -> tuple[int, Any]:
    return api("POST", f"/crm/v3/objects/{obj}/search", body)


def test_search_filters_sorts_and_counts(api: Api) -> None:
    big = {"propertyName": "employee_count", "operator": "GTE", "value": "1000"}
    _, body = search(
        api, filterGroups=[{"filters": [big]}], sorts=["-employee_count"], properties=["employee_count"]
    )
    sizes = [float(r["properties"]["employee_count"]) for r in body["results"]]
    assert body["total"] == 11
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 1000
    assert "x-hubspot-ratelimit-daily" not in api.headers
    status = {"propertyName": "hs_lead_status", "operator": "IN", "values": ["IN_PROGRESS"]}
    assert search(api, filterGroups=[{"filters": [status]}])[1]["total"] == 10
    either = [{"filters": [status]}, {"filters": [big]}]
    assert search(api, filterGroups=either)[1]["total"] == 11  # L19 is big and new, the ten others are both
    nothing = {"propertyName": "jobtitle", "operator": "NOT_HAS_PROPERTY"}
    assert search(api, filterGroups=[{"filters": [nothing]}])[1]["total"] == 8
    token = {"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "*firm12*"}
    assert search(api, filterGroups=[{"filters": [token]}])[1]["total"] == 1
    deal = {"propertyName": "associations.deal", "operator": "EQ", "value": api.id("deals", "D0")}
    assert [r["id"] for r in search(api, filterGroups=[{"filters": [deal]}])[1]["results"]] == [
        api.id("contacts", "L00")
    ]


def test_search_has_its_limits(api: Api) -> None:
    one = {"propertyName": "email", "operator": "HAS_PROPERTY"}
    assert search(api, filterGroups=[{"filters": [one]}] * 6)[0] == 400
    assert search(api, filterGroups=[{"filters": [one] * 7}])[0] == 400
    assert search(api, sorts=["email", "firstname"])[0] == 400
    assert search(api, limit=201)[0] == 400
    assert search(api, limit=200, after="9900")[0] == 400
    assert search(api, properties=["x" * 3_000])[0] == 400
    assert search(api, filterGroups=[{"filters": [{**one, "propertyName": "nonsense"}]}])[0] == 400


def test_search_shows_late_and_never_what_is_archived(api: Api) -> None:
    api.org.set_meta("search_lag_ms", 30_000)
    id = api.id("contacts", "L12")
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(api.org.now())}
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"jobtitle": "New"}})
    assert search(api, filterGroups=[{"filters": [since]}])[1]["total"] == 0
    api.org.advance(31_000)
    assert search(api, filterGroups=[{"filters": [since]}])[1]["total"] == 1
    assert api("DELETE", f"{CONTACTS}/{id}")[0] == 204
    api.org.advance(31_000)
    assert search(api, filterGroups=[{"filters": [since]}])[1]["total"] == 0
    _, body = api("GET", CONTACTS, archived="true")
    assert [(r["id"], r["archived"], "archivedAt" in r) for r in body["results"]] == [(id, True, True)]


def test_history_is_newest_first_and_says_whose_it_is(api: Api) -> None:
    id, desk = api.id("contacts", "L10"), open_desk(api.org)
    owner = next(iter(desk.owners()))
    desk.set("lead", id, {"employees": 700}, by=owner)
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"employee_count": "800"}})
    body = {"inputs": [{"id": id}], "properties": [], "propertiesWithHistory": ["employee_count"]}
    past = api("POST", f"{CONTACTS}/batch/read", body)[1]["results"][0]["propertiesWithHistory"][
        "employee_count"
    ]
    assert [v["value"] for v in past] == ["800", "700", "550", "5"]
    assert [v["sourceType"] for v in past][:2] == ["INTEGRATION", "CRM_UI"]
    assert past[1]["sourceId"].startswith("userId:")
    api.org.set_meta("history_versions", 2)
    past = api("POST", f"{CONTACTS}/batch/read", body)[1]["results"][0]["propertiesWithHistory"][
        "employee_count"
    ]
    assert len(past) == 2


def test_a_merge_makes_a_new_record(api: Api) -> None:
    a, b = api.id("contacts", "L15"), api.id("contacts", "L00")
    status, merged = api("POST", f"{CONTACTS}/merge", {"primaryObjectId": a, "objectIdToMerge": b})
    new = merged["id"]
    assert status == 200
    assert new not in (a, b)
    _, body = api("GET", f"{CONTACTS}/{b}", properties="hs_merged_object_ids,lastname", associations="deals")
    assert body["id"] == new
    assert set(body["properties"]["hs_merged_object_ids"].split(";")) == {a, b}
    assert body["properties"]["lastname"] == "Last15"
    assert body["associations"]["deals"]["results"][0]["id"] == api.id("deals", "D0")
    assert api("PATCH", f"{CONTACTS}/{a}", {"properties": {"jobtitle": "X"}})[1]["id"] == new
    status, body = api(
        "POST", f"{CONTACTS}/batch/update", {"inputs": [{"id": a, "properties": {"jobtitle": "Y"}}]}
    )
    assert (status, body["results"]) == (207, [])
    assert api("GET", CONTACTS, archived="true")[1]["results"] == []


def test_associations_go_both_ways_with_directional_types(api: Api) -> None:
    contact, company = api.id("contacts", "L12"), api.id("companies", "A1")
    primary = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
    make = {"inputs": [{"from": {"id": contact}, "to": {"id": company}, "types": [primary]}]}
    assert api("POST", "/crm/v4/associations/contacts/companies/batch/create", make)[0] == 201
    read = {"inputs": [{"id": contact}, {"id": api.id("contacts", "L13")}]}
    status, body = api("POST", "/crm/v4/associations/contacts/companies/batch/read", read)
    (found,) = body["results"]
    assert status == 207  # the other one has none
    assert found["to"][0]["toObjectId"] == int(company)
    assert [t["typeId"] for t in found["to"][0]["associationTypes"]] == [1, 279]
    _, back = api(
        "POST", "/crm/associations/2026-09/companies/contacts/batch/read", {"inputs": [{"id": company}]}
    )
    assert contact in {t["toObjectId"] for t in back["results"][0]["to"]}
    wrong = {
        "inputs": [{"from": {"id": contact}, "to": {"id": company}, "types": [{"associationTypeId": 280}]}]
    }
    assert api("POST", "/crm/v4/associations/contacts/companies/batch/create", wrong)[0] == 400


def test_lifecycle_only_moves_forward_and_dates_the_opportunity(api: Api) -> None:
    id = api.id("contacts", "L12")
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": "opportunity"}})
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": "lead"}})
    shown = api("GET", f"{CONTACTS}/{id}", properties="lifecyclestage,hs_lifecyclestage_opportunity_date")[1][
        "properties"
    ]
    assert shown["lifecyclestage"] == "opportunity"
    assert shown["hs_lifecyclestage_opportunity_date"]
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": ""}})
    api("PATCH", f"{CONTACTS}/{id}", {"properties": {"lifecyclestage": "lead"}})
    assert (
        api("GET", f"{CONTACTS}/{id}", properties="lifecyclestage")[1]["properties"]["lifecyclestage"]
        == "lead"
    )


def test_limits_by_the_orgs_clock(api: Api) -> None:
    api.org.set_meta("limits", {"daily": 4, "ten_seconds": 2})
    assert api("GET", CONTACTS)[0] == 200
    assert api("GET", CONTACTS)[0] == 200
    assert api.headers["x-hubspot-ratelimit-daily-remaining"] == "2"
    status, body = api("GET", CONTACTS)
    assert (status, body["policyName"], body["errorType"]) == (429, "TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    api.org.advance(10_001)
    assert api("GET", CONTACTS)[0] == 200
    assert api("GET", CONTACTS)[0] == 200
    api.org.advance(10_001)
    assert api("GET", CONTACTS)[1]["policyName"] == "DAILY"
    api.org.advance(86_400_000)
    assert api("GET", CONTACTS)[0] == 200


def test_a_missing_scope_is_named(api: Api) -> None:
    api.org.set_meta("scopes", ["crm.objects.contacts.read"])
    assert api("GET", CONTACTS)[0] == 200
    status, body = api("PATCH", f"{CONTACTS}/{api.id('contacts', 'L12')}", {"properties": {}})
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]


def test_a_pipeline_of_our_own(api: Api) -> None:
    stages = [
        {"label": "New", "displayOrder": 0, "metadata": {"ticketState": "OPEN"}},
        {"label": "Done", "displayOrder": 1, "metadata": {"ticketState": "CLOSED"}},
    ]
    status, made = api(
        "POST", "/crm/v3/pipelines/tickets", {"label": "Ours", "displayOrder": 9, "stages": stages}
    )
    assert status == 201
    assert [s["metadata"]["isClosed"] for s in made["stages"]] == ["false", "true"]
    ticket = {"subject": "S", "hs_pipeline": "0", "hs_pipeline_stage": made["stages"][0]["id"]}
    assert api("POST", "/crm/v3/objects/tickets", {"properties": ticket})[0] == 400
    assert (
        api("POST", "/crm/v3/objects/tickets", {"properties": {**ticket, "hs_pipeline": made["id"]}})[0]
        == 201
    )
    assert (
        api("DELETE", f"/crm/v3/pipelines/tickets/{made['id']}", validateReferencesBeforeDelete="true")[0]
        == 400
    )
    assert api("DELETE", f"/crm/v3/pipelines/tickets/{made['id']}")[0] == 204


def test_a_tag_is_added_to_the_others_with_a_leading_semicolon(api: Api) -> None:
    options = [{"label": v, "value": v} for v in "abc"]
    api(
        "POST",
        "/crm/v3/properties/contacts",
        prop("tags", type="enumeration", fieldType="checkbox", options=options),
    )
    path = f"{CONTACTS}/{api.id('contacts', 'L12')}"
    api("PATCH", path, {"properties": {"tags": "a;b"}})
    assert api("PATCH", path, {"properties": {"tags": ";c"}})[1]["properties"]["tags"] == "a;b;c"
    assert api("PATCH", path, {"properties": {"tags": "d"}})[0] == 400


def test_the_desk_refuses_what_the_api_refuses_and_clicks_are_a_users(api: Api) -> None:
    desk, id = open_desk(api.org), api.id("contacts", "L12")
    owner = next(iter(desk.owners()))
    with pytest.raises(Refused):
        desk.set("lead", id, {"nonsense": 1}, by=owner)
    desk.log(id, "meeting", by=owner, detail={"minutes": 30})
    desk.log(id, "page_view", by="anybody", detail={"session": "s9", "content": "pricing"})
    deal = desk.make_deal(id, amount=5_000, by="O1")
    desk.set("deal", deal, {"stage": "won"}, by=owner)
    assert desk.view("deal", deal).values["stage"] == "won"
    assert desk.view("lead", id).values["status"] == "converted"
    assert id not in {v.id for v in desk.leads(limit=100)}
    assert {"meeting", "page_view", "field"} <= {e.kind for e in desk.timeline(id)}
    assert {w["by"] for w in api.org.write_log() if w["op"] == "create"} == {owner, api.id("owners", "O1")}
