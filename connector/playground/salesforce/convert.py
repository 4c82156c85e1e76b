"""Converting a lead, as a user does it: contact, account and opportunity are made, and the lead is read-only from then
on. What hung on the lead hangs on the contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.playground.org import Org, Row
from connector.playground.salesforce import ids, records, schema, times
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.seed import contact_of
from connector.playground.salesforce.standard import LEAD_STATUSES, STAGE_OF

_DAYS_TO_CLOSE = 60
_DAY = 86_400_000


def convert(org: Org, lead: Row, *, amount: float, user: str) -> str:
    """The opportunity's id."""
    if lead.data.get("IsConverted"):
        raise Fault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    owner = str(lead.data["OwnerId"])
    if not owner.startswith("005"):
        raise Fault(
            "INVALID_CROSS_REFERENCE_KEY", "a lead owned by a queue needs an owner before it is converted"
        )
    with org.transaction():
        account = _account(org, lead, user)
        carried = _carried(org, lead.data)
        person = {**contact_of(lead.data, account), **carried.get("Contact", {}), "CreatedById": user}
        contact = _make(org, "Contact", "003", person, user)
        stage = STAGE_OF["discovery"]
        deal: dict[str, Any] = {
            "Name": f"{lead.data['Company']} -", "AccountId": account, "StageName": stage, **records.staged(stage),
            "Amount": amount, "CloseDate": times.day(org.now() + _DAYS_TO_CLOSE * _DAY), "OwnerId": owner,
            "LeadSource": lead.data.get("LeadSource"), "Type": "New Business", "ContactId": contact,
            "LastStageChangeDate": times.text(org.now()), "CreatedById": user,
            **carried.get("Opportunity", {}),
        }  # fmt: skip
        opportunity = _make(org, "Opportunity", "006", deal, user)
        row = org.get("Opportunity", opportunity)
        assert row is not None
        org.load_history([("Opportunity", opportunity, "created", row.created, None, None, user, "ui")])
        records.stage_history(org, [(opportunity, deal, row.created, user)])
        role = {"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": True, "Role": "Evaluator"}
        _make(org, "OpportunityContactRole", "00K", {**role, "CreatedById": user}, user)
        done = org.update("Lead", lead.id, {
            "IsConverted": True, "Status": LEAD_STATUSES["converted"], "ConvertedDate": times.day(org.now()),
            "ConvertedAccountId": account, "ConvertedContactId": contact, "ConvertedOpportunityId": opportunity,
        }, by=user, via="ui")  # fmt: skip
        org.load_history([("Lead", lead.id, "leadConverted", done.modified, None, None, user, "ui")])
        _move(org, lead.id, contact, account, user)
    return opportunity


def _carried(org: Org, lead: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What LeadConvertSettings maps: target object -> its fields, filled."""
    mapped = schema.record(org).get("conversion", {})
    return {
        target: {b: lead[a] for a, b in fields.items() if lead.get(a) is not None}
        for target, fields in mapped.items()
    }


def _make(org: Org, obj: str, prefix: str, data: dict[str, Any], user: str) -> str:
    (id,) = ids.following(org, prefix)
    org.create(obj, id, {k: v for k, v in data.items() if v is not None}, by=user, via="create")
    return id


def _account(org: Org, lead: Row, user: str) -> str:
    """The account of that name, or a new one."""
    name = str(lead.data["Company"])
    found = org.sql(
        "select id from record where obj = 'Account' and deleted = 0 and json_extract(data, '$.Name') = ? "
        "collate nocase order by id limit 1",
        (name,),
    )
    if found:
        return str(found[0][0])
    copied = {
        k: lead.data.get(k) for k in ("Industry", "NumberOfEmployees", "AnnualRevenue", "Phone", "Website")
    }
    data = {"Name": name, "Type": "Prospect", **copied, "BillingCountry": lead.data.get("Country")}
    return _make(org, "Account", "001", {**data, "OwnerId": lead.data["OwnerId"], "CreatedById": user}, user)


def _move(org: Org, lead: str, contact: str, account: str, user: str) -> None:
    """Activities move to the contact and members keep both. [FACTS section 9, unsourced there] A custom object's lookup
    to the lead stays."""
    for obj, link in (("Task", "WhoId"), ("Event", "WhoId"), ("EmailMessage", "RelatedToId")):
        for (id,) in org.sql(
            f"select id from record where obj = ? and json_extract(data, '$.{link}') = ?", (obj, lead)
        ):
            moved = {link: contact} | ({"AccountId": account} if obj != "EmailMessage" else {})
            org.update(obj, id, moved, by=user, via="ui")
    for (id,) in org.sql(
        "select id from record where obj = 'CampaignMember' and json_extract(data, '$.LeadId') = ?", (lead,)
    ):
        org.update("CampaignMember", id, {"ContactId": contact}, by=user, via="ui")
