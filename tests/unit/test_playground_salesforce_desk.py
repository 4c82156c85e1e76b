"""What a user sees and clicks in the local Salesforce."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.playground.desk import Refused
from connector.playground.salesforce.desk import SalesforceDesk, open_desk
from tests.unit.salesforce_org import Client, grants, number_field, open_client, package, xml


@pytest.fixture
def sf(tmp_path: Path) -> Iterator[Client]:
    client = open_client(tmp_path)
    yield client
    client.org.close()


@pytest.fixture
def desk(sf: Client) -> SalesforceDesk:
    return open_desk(sf.org)


def test_open_leads_the_highest_score_first(sf: Client, desk: SalesforceDesk) -> None:
    sf.deploy({
        "package.xml": package(CustomField=["Lead.Candor_Score__c"], PermissionSet=["P"]),
        "objects/Lead.object": xml("CustomObject", number_field("Candor_Score__c")),
        "permissionsets/P.permissionset": grants("P", "Lead.Candor_Score__c"),
    })  # fmt: skip
    desk.set("lead", sf.ids["L2"], {"candor_score": 80}, by="O1")
    first, second = desk.leads()
    assert (first.key, first.values["candor_score"], first.owner) == ("L2", 80.0, "Sam Seller")
    assert (second.key, second.values["status"], second.values["candor_score"]) == ("L1", "working", None)
    assert [v.key for v in desk.leads(search="lovelace")] == ["L1"]
    assert set(desk.owners().values()) == {"Sam Seller", "Max Manager"}


def test_an_edit_is_a_users_and_meets_the_apis_refusals(sf: Client, desk: SalesforceDesk) -> None:
    desk.set("lead", sf.ids["L1"], {"status": "qualified"}, by=sf.ids["O2"])
    changes = sf.query("SELECT NewValue, CreatedBy.Name FROM LeadHistory WHERE Field = 'Status'")
    (change,) = [c for c in changes if c["NewValue"] == "Qualified"]
    assert change["CreatedBy"]["Name"] == "Max Manager"
    for bad in ({"nope": 1}, {"title": "x" * 200}):
        with pytest.raises(Refused):
            desk.set("lead", sf.ids["L1"], bad, by="O1")
    with pytest.raises(Refused, match="cannot reference converted lead"):
        desk.set("lead", sf.ids["L3"], {"title": "x"}, by="O1")
    with pytest.raises(KeyError):
        desk.view("lead", "00Q000000000000AAA")


def test_the_timeline_names_who_is_no_seller(sf: Client, desk: SalesforceDesk) -> None:
    lead = sf.ids["L1"]
    (machine,) = sf.query("SELECT Id FROM User WHERE Name = 'Candor Integration'")
    desk.set("lead", lead, {"status": "qualified"}, by=machine["Id"])
    assert desk.timeline(lead)[0].by == "Candor Integration"


def test_what_is_logged_is_on_the_timeline_and_in_the_api(sf: Client, desk: SalesforceDesk) -> None:
    lead = sf.ids["L2"]
    desk.log(lead, "call", by="O1", detail={"answered": False, "minutes": 0})
    desk.log(lead, "email_sent", by="O1", detail={"subject": "Hi"})
    desk.log(lead, "email_opened", by="O1", detail={"subject": "Hi", "actor": "machine"})
    desk.log(lead, "page_view", by="O1", detail={"url": "/docs", "actor": "machine"})
    desk.log(lead, "meeting", by="O1", detail={"minutes": 30})
    assert [e.kind for e in desk.timeline(lead)] == [
        "meeting",
        "page_view",
        "email_opened",
        "email_sent",
        "call",
    ]
    assert [e.kind for e in desk.timeline(sf.ids["L3"])] == ["meeting", "call"], "its contact's"
    (task,) = sf.query(f"SELECT CallDisposition, Owner.Name FROM Task WHERE WhoId = '{lead}'")
    assert task == {"CallDisposition": "No answer", "Owner": {"Name": "Sam Seller"}}
    with pytest.raises(Refused):
        desk.log(sf.ids["L4"], "email_opened", by="O1")


def test_a_deal_converts_the_lead_and_is_closed(sf: Client, desk: SalesforceDesk) -> None:
    lead = sf.ids["L1"]
    deal = desk.make_deal(lead, amount=9_000.0, by="O1")
    assert [v.id for v in desk.deals(lead)] == [deal]
    row = sf.query(
        f"SELECT IsConverted, ConvertedContactId, ConvertedAccountId, Status FROM Lead WHERE Id = '{lead}'"
    )[0]
    assert (row["IsConverted"], row["Status"]) == (True, "Closed - Converted")
    assert sf.query("SELECT COUNT() FROM Account") == [], "an Acme was there"
    assert len(sf.query("SELECT Id FROM Account")) == 1
    emails = sf.query(f"SELECT Id FROM EmailMessage WHERE RelatedToId = '{row['ConvertedContactId']}'")
    assert len(emails) == 2, "what hung on the lead hangs on the contact"
    assert (
        sf.refused("PATCH", f"/sobjects/Lead/{lead}", {"Points__c": 1})[1] == "CANNOT_UPDATE_CONVERTED_LEAD"
    )
    with pytest.raises(Refused):
        desk.make_deal(lead, amount=1.0, by="O1")
    desk.set("deal", deal, {"stage": "won"}, by="O1")
    assert desk.view("deal", deal).values["is_won"] is True
    assert desk.view("deal", deal).values["stage"] == "won"
    stages = sf.query(
        f"SELECT StageName FROM OpportunityHistory WHERE OpportunityId = '{deal}' ORDER BY CreatedDate"
    )
    assert [s["StageName"] for s in stages] == ["Qualification", "Closed Won"]
    assert sf.query("SELECT Id FROM LeadHistory WHERE Field = 'leadConverted' AND LeadId = '" + lead + "'")
