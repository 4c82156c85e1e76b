"""The local Salesforce answers as the vendor does: writing, and changing the org's schema."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.playground.salesforce import formula
from tests.unit.salesforce_org import (
    Client,
    grants,
    number_field,
    open_client,
    package,
    xml,
)  # fmt: skip


@pytest.fixture
def sf(tmp_path: Path) -> Iterator[Client]:
    client = open_client(tmp_path)
    yield client
    client.org.close()


# --- single records ---


def test_a_record_is_made_changed_read_and_deleted(sf: Client) -> None:
    made = sf.call(
        "POST", "/sobjects/Lead", {"LastName": "New", "Company": "Co", "Points__c": "12.4", "Email": ""}
    )
    assert made.status_code == 201
    id = made.json()["id"]
    assert sf.call("PATCH", f"/sobjects/Lead/{id[:15]}", {"Title": "CIO"}).status_code == 204
    lead = sf.call("GET", f"/sobjects/Lead/{id}").json()
    assert (
        lead
        | {"Title": "CIO", "Name": "New", "Points__c": 12.0, "Email": None, "Status": "Open - Not Contacted"}
        == lead
    )
    assert (
        lead["CreatedById"] == lead["LastModifiedById"] == lead["OwnerId"] == sf.org.meta("integration_user")
    )
    assert lead["SystemModstamp"] > lead["CreatedDate"]
    history = sf.query(
        f"SELECT Field, OldValue, NewValue FROM LeadHistory WHERE LeadId = '{id}' ORDER BY CreatedDate, Id"
    )
    assert [h["Field"] for h in history] == ["created", "Title"], "a value set at creation has no row"
    assert sf.call("DELETE", f"/sobjects/Lead/{id}").status_code == 204
    assert sf.query(f"SELECT IsDeleted FROM Lead WHERE Id = '{id}'") == []
    assert sf.query(f"SELECT IsDeleted FROM Lead WHERE Id = '{id}'", deleted=True) == [{"IsDeleted": True}]
    assert sf.refused("PATCH", f"/sobjects/Lead/{id}", {"Title": "x"}) == (404, "ENTITY_IS_DELETED")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Nope": 1}, "INVALID_FIELD"),
        ({"IsConverted": True, "Name": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Title": "x" * 129}, "STRING_TOO_LONG"),
        ({"Points__c": 1_000_000}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"Points__c": "many"}, "JSON_PARSER_ERROR"),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"OwnerId": "00Q"}, "MALFORMED_ID"),
        ({"OwnerId": "005000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_what_a_lead_refuses(sf: Client, body: dict[str, Any], code: str) -> None:
    assert sf.refused("PATCH", f"/sobjects/Lead/{sf.ids['L1']}", body) == (400, code)
    assert sf.org.write_log() == []


def test_restricted_picklists_and_unknown_records(sf: Client) -> None:
    assert sf.refused("POST", "/sobjects/Web_Activity__c", {"Type__c": "dance"}) == (
        400,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    )
    assert sf.refused("GET", "/sobjects/Lead/00Q000000000000AAA") == (404, "NOT_FOUND")
    assert sf.refused("GET", "/sobjects/Nope/describe") == (404, "NOT_FOUND")


def test_a_converted_lead_is_read_only_without_the_right_to_edit_it(sf: Client) -> None:
    path = f"/sobjects/Lead/{sf.ids['L3']}"
    assert sf.refused("PATCH", path, {"Points__c": 1}) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
    assert sf.deploy({
        "package.xml": package(PermissionSet=["Edit"]),
        "permissionsets/Edit.permissionset": grants("Edit", rights=("AllowViewEditConvertedLeads",)),
    })["success"]  # fmt: skip
    sf.give("Edit")
    assert sf.call("PATCH", path, {"Points__c": 1}).status_code == 204


# --- many at once ---


def test_a_collection_answers_200_with_a_result_a_record(sf: Client) -> None:
    def lead(key: str, **values: Any) -> dict[str, Any]:
        return {"attributes": {"type": "Lead"}, "Id": sf.ids[key], **values}

    records = [
        lead("L1", Points__c=7),
        lead("L3", Points__c=7),
        lead("L2", Title="x" * 200),
        lead("L4", Points__c=8),
    ]
    answer = sf.call("PATCH", "/composite/sobjects", {"allOrNone": False, "records": records})
    assert answer.status_code == 200
    assert [r["success"] for r in answer.json()] == [True, False, False, True]
    assert answer.json()[1]["errors"] == [
        {
            "statusCode": "CANNOT_UPDATE_CONVERTED_LEAD",
            "message": "cannot reference converted lead",
            "fields": [],
        }
    ]
    together = sf.call(
        "PATCH", "/composite/sobjects", {"allOrNone": True, "records": [lead("L1", Points__c=99), records[1]]}
    )
    assert [r["success"] for r in together.json()] == [False, False]
    assert sf.query(f"SELECT Points__c FROM Lead WHERE Id = '{sf.ids['L1']}'") == [{"Points__c": 7.0}]
    assert sf.refused("PATCH", "/composite/sobjects", {"records": [records[0]] * 201}) == (
        400,
        "EXCEEDED_ID_LIMIT",
    )
    read = sf.call(
        "POST",
        "/composite/sobjects/Lead",
        {"ids": [sf.ids["L4"], "00Q000000000000AAA"], "fields": ["Points__c"]},
    )
    assert [r and r["Points__c"] for r in read.json()] == [8.0, None]


def test_composite_counts_once_and_passes_values_on(sf: Client) -> None:
    request = [
        {
            "method": "POST",
            "url": "/services/data/v62.0/sobjects/Lead",
            "referenceId": "new",
            "body": {"LastName": "N", "Company": "C"},
        },
        {
            "method": "GET",
            "url": "/services/data/v62.0/query?q=SELECT+Name+FROM+Lead+WHERE+Id='@{new.id}'",
            "referenceId": "read",
        },
        {"method": "GET", "url": "/services/data/v62.0/sobjects/Nope/describe", "referenceId": "bad"},
    ]
    before = int(sf.call("GET", "/limits").headers["Sforce-Limit-Info"].split("=")[1].split("/")[0])
    answer = sf.call("POST", "/composite", {"compositeRequest": request})
    parts = answer.json()["compositeResponse"]
    assert [p["httpStatusCode"] for p in parts] == [201, 200, 404]
    assert parts[1]["body"]["records"][0]["Name"] == "N"
    assert answer.headers["Sforce-Limit-Info"] == f"api-usage={before + 1}/100000"
    count = {**request[1], "url": "/services/data/v62.0/query?q=SELECT+COUNT()+FROM+Lead"}
    assert sf.call("POST", "/composite", {"compositeRequest": [count] * 6}).status_code == 400


# --- the schema ---

SCORE = {
    "package.xml": package(CustomField=["Lead.Score__c"], PermissionSet=["Scores"]),
    "objects/Lead.object": xml("CustomObject", number_field("Score__c", tracked=True)),
    "permissionsets/Scores.permissionset": grants("Scores", "Lead.Score__c"),
}


def test_a_new_field_is_invisible_until_a_permission_set_that_we_hold_shows_it(sf: Client) -> None:
    assert sf.deploy(SCORE)["status"] == "Succeeded"
    path = f"/sobjects/Lead/{sf.ids['L1']}"
    described = {f["name"] for f in sf.call("GET", "/sobjects/Lead/describe").json()["fields"]}
    assert "Score__c" not in described
    assert sf.refused("PATCH", path, {"Score__c": 5}) == (400, "INVALID_FIELD")
    assert sf.refused("GET", "/query", params={"q": "SELECT Score__c FROM Lead"}) == (400, "INVALID_FIELD")
    sf.give("Scores")
    assert sf.call("PATCH", path, {"Score__c": 5.126}).status_code == 204
    assert sf.query(f"SELECT Score__c FROM Lead WHERE Id = '{sf.ids['L1']}'") == [{"Score__c": 5.13}]
    (change,) = sf.query("SELECT OldValue, NewValue FROM LeadHistory WHERE Field = 'Score__c'")
    assert change == {"OldValue": None, "NewValue": 5.13}
    tracked = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Lead' AND IsFieldHistoryTracked = TRUE"
    assert "Score__c" in {r["QualifiedApiName"] for r in sf.query(tracked)}


CASES = {
    "package.xml": package(
        CustomObject=["Case__c"], CustomField=["Case__c.Lead__c", "Case__c.Why__c", "Case__c.Done__c"],
        ValidationRule=["Case__c.Say_Why"], ListView=["Case__c.All"], Queue=["Cases"], PermissionSet=["Cases"],
    ),
    "objects/Case__c.object": xml(
        "CustomObject",
        "<label>Case</label><pluralLabel>Cases</pluralLabel><deploymentStatus>Deployed</deploymentStatus>"
        "<sharingModel>ReadWrite</sharingModel><enableHistory>true</enableHistory>"
        "<nameField><label>Number</label><type>AutoNumber</type><displayFormat>C-{0000}</displayFormat></nameField>"
        "<fields><fullName>Lead__c</fullName><label>Lead</label><type>Lookup</type><referenceTo>Lead</referenceTo>"
        "<relationshipName>Cases</relationshipName></fields>"
        "<fields><fullName>Why__c</fullName><label>Why</label><type>MultiselectPicklist</type><visibleLines>3</visibleLines>"
        "<trackHistory>true</trackHistory><valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
        "<value><fullName>a</fullName><default>false</default><label>A</label></value>"
        "<value><fullName>b</fullName><default>false</default><label>B</label></value>"
        "</valueSetDefinition></valueSet></fields>"
        "<fields><fullName>Done__c</fullName><label>Done</label><type>Checkbox</type><defaultValue>false</defaultValue></fields>"
        "<validationRules><fullName>Say_Why</fullName><active>true</active>"
        "<errorConditionFormula>AND(Done__c, ISBLANK(Why__c))</errorConditionFormula>"
        "<errorMessage>Say why.</errorMessage></validationRules>"
        "<listViews><fullName>All</fullName><columns>NAME</columns><columns>Why__c</columns>"
        "<filterScope>Everything</filterScope><label>All</label></listViews>",
    ),
    "queues/Cases.queue": xml("Queue", "<name>Cases</name><queueSobject><sobjectType>Case__c</sobjectType></queueSobject>"),
    "permissionsets/Cases.permissionset": grants("Cases", "Case__c.Lead__c", "Case__c.Why__c", "Case__c.Done__c", objects=("Case__c",)),
}  # fmt: skip
REMOVE_CASES = {
    "package.xml": package(),
    "destructiveChanges.xml": package(CustomObject=["Case__c"], Queue=["Cases"], PermissionSet=["Cases"]),
}


def described(sf: Client) -> dict[str, bytes]:
    names = [o["name"] for o in sf.call("GET", "/sobjects").json()["sobjects"]]
    return {n: sf.call("GET", f"/sobjects/{n}/describe").content for n in names} | {
        "": sf.call("GET", "/sobjects").content
    }


def test_an_object_with_its_rule_queue_and_history_comes_and_goes_without_a_trace(sf: Client) -> None:
    before, schema_before = described(sf), copy.deepcopy(sf.org.meta("schema"))
    assert sf.deploy(CASES)["success"]
    sf.give("Cases")
    (queue,) = sf.query(
        "SELECT Id FROM Group WHERE Type = 'Queue' AND Id IN (SELECT QueueId FROM QueueSobject WHERE SobjectType = 'Case__c')"
    )
    body = {"Lead__c": sf.ids["L1"], "OwnerId": queue["Id"]}
    id = sf.call("POST", "/sobjects/Case__c", body).json()["id"]
    path = f"/sobjects/Case__c/{id}"
    refused = sf.call("PATCH", path, {"Done__c": True})
    assert refused.json() == [{"message": "Say why.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}]
    assert sf.refused("PATCH", path, {"Why__c": "a;c"}) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert sf.call("PATCH", path, {"Done__c": True, "Why__c": "a;b"}).status_code == 204
    assert sf.query("SELECT Name, Lead__r.Name FROM Case__c WHERE Why__c INCLUDES ('b')") == [
        {"Name": "C-0001", "Lead__r": {"Name": "Ada Lovelace"}}
    ]
    (row,) = sf.query("SELECT ParentId, OldValue, NewValue FROM Case__History WHERE Field = 'Why__c'")
    assert row == {"ParentId": id, "OldValue": None, "NewValue": None}, (
        "of several choices only that they changed"
    )
    assert sf.deploy(REMOVE_CASES)["success"]
    assert described(sf) == before
    after = sf.org.meta("schema")
    assert {k: v for k, v in after.items() if k != "prefixes"} == {
        k: v for k, v in schema_before.items() if k != "prefixes"
    }
    assert (
        sf.query("SELECT Id FROM Group WHERE Type = 'Queue'")
        == sf.query("SELECT Id FROM PermissionSetAssignment")
        == []
    )


def test_deleting_a_field_takes_its_values_and_its_permissions(sf: Client) -> None:
    before = described(sf)
    sf.deploy(SCORE)
    sf.give("Scores")
    sf.call("PATCH", f"/sobjects/Lead/{sf.ids['L1']}", {"Score__c": 5})
    assert sf.deploy(
        {"package.xml": package(), "destructiveChangesPost.xml": package(CustomField=["Lead.Score__c"])}
    )["success"]
    row = sf.org.get("Lead", sf.ids["L1"])
    assert row is not None
    assert "Score__c" not in row.data
    assert described(sf) == before
    assert sf.query("SELECT Id FROM FieldPermissions") == []


def test_a_deploy_with_one_bad_component_changes_nothing_and_names_it(sf: Client) -> None:
    before = described(sf)
    bad = {**SCORE, "permissionsets/Scores.permissionset": grants("Scores", "Lead.Score__c", "Lead.Typo__c")}
    result = sf.deploy(bad, rollbackOnError=True)
    assert (result["status"], result["numberComponentErrors"]) == ("Failed", 1)
    (failure,) = result["details"]["componentFailures"]
    assert failure["fileName"] == "permissionsets/Scores.permissionset"
    assert failure["problem"] == "In field: field - no CustomField named Lead.Typo__c found"
    assert failure["problemType"] == "Error"
    checked = sf.deploy(SCORE, checkOnly=True)
    assert (checked["status"], checked["checkOnly"]) == ("Succeeded", True)
    assert described(sf) == before
    assert sf.query("SELECT Id FROM PermissionSet") == []


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<fields><fullName>A__c</fullName><label>A</label><type>Number</type></fields>", "precision"),
        ("<fields><fullName>A__c</fullName><label>A</label><type>Nummber</type></fields>", "Invalid field type: Nummber"),
        ("<fields><fullName>A__c</fullName><label>A</label><type>Text</type><length>300</length></fields>", "length must be"),
        ("<validationRules><fullName>R</fullName><active>true</active><errorConditionFormula>ISBLANK(Nope__c)"
         "</errorConditionFormula><errorMessage>x</errorMessage></validationRules>", "Field Nope__c does not exist"),
        ("".join(number_field(f"N{n}__c", tracked=True) for n in range(6)), "limit of 20 tracked fields"),
    ],
)  # fmt: skip
def test_what_a_deploy_refuses(sf: Client, inside: str, problem: str) -> None:
    result = sf.deploy(
        {"package.xml": package(CustomObject=["Lead"]), "objects/Lead.object": xml("CustomObject", inside)}
    )
    assert result["status"] == "Failed"
    assert problem in result["details"]["componentFailures"][0]["problem"]


def test_a_file_that_package_xml_does_not_name_and_a_name_without_file_are_errors(sf: Client) -> None:
    result = sf.deploy({**SCORE, "package.xml": package(PermissionSet=["Scores"], Queue=["Q"])})
    problems = {f["fullName"]: f["problem"] for f in result["details"]["componentFailures"]}
    assert problems["Lead.Score__c"] == "Not in package.xml"
    assert problems["Q"] == "Entity of type 'Queue' named 'Q' cannot be found"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('AND(ISPICKVAL(Status__c, "done"), ISBLANK(Why__c))', True),
        ('Score__c > 70 && NOT(TEXT(Status__c) = "open")', True),
        ("ISNEW()", False),
        ("OR(ISCHANGED(Score__c), 1 > 2)", True),
        ('IF(PRIORVALUE(Score__c) < 60, Score__c - 10 >= 65, "a" <> "a")', True),
        ("/* none */ Blank__c > 1 || Blank__c = 0", False),
    ],
)
def test_formulas(text: str, holds: bool) -> None:
    scope = formula.Scope(
        {"Status__c": "done", "Score__c": 75.0}, {"Status__c": "open", "Score__c": 50.0}, "2026-01-01"
    )
    assert formula.true(text, scope) is holds


def test_a_key_is_found_by_its_index_and_the_index_goes_with_the_field(sf: Client) -> None:
    key = "<fields><fullName>K__c</fullName><label>K</label><type>Text</type><length>9</length><unique>true</unique><externalId>true</externalId></fields>"
    files = {
        "package.xml": package(CustomField=["Lead.K__c"], PermissionSet=["K"]),
        "objects/Lead.object": xml("CustomObject", key),
        "permissionsets/K.permissionset": grants("K", "Lead.K__c"),
    }
    assert sf.deploy(files)["success"]
    sf.give("K")
    records = [{"K__c": k, "LastName": k, "Company": "C"} for k in ("a", "b", "A")]
    made = sf.call("PATCH", "/composite/sobjects/Lead/K__c", {"records": records}).json()
    assert [m["created"] for m in made] == [True, True, False]
    assert sf.refused("PATCH", f"/sobjects/Lead/{made[1]['id']}", {"K__c": "a"}) == (400, "DUPLICATE_VALUE")
    plan = sf.org.sql(
        "explain query plan select id from record where obj = 'Lead' and json_extract(data, '$.K__c') = ? collate nocase and deleted = 0",
        ("a",),
    )
    assert "key_Lead_K__c" in plan[0][3]
    assert sf.deploy(
        {"package.xml": package(), "destructiveChanges.xml": package(CustomField=["Lead.K__c"])}
    )["success"]
    assert sf.org.sql("select 1 from sqlite_master where name like 'key_%'") == []
