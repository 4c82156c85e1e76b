"""A touch as Salesforce keeps it: a task, an event, an e-mail message, a campaign member, or a web activity.

E-mail openings are no records: they are the first and last opening of the message that was sent. So a person's opening
after a scanner's is not to be seen, as in a real org.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connector.playground.salesforce import times
from connector.playground.salesforce.words import MACHINE_AGENT, PERSON_AGENT, SITE
from connector.playground.world.model import Touch

WEB = ("page_view", "form", "download", "webinar", "email_clicked")
REPLY, FORWARD = "RE: ", "FW: "
_MEETING_MINUTES = 30.0


@dataclass(frozen=True, slots=True)
class Party:
    """Whose activity it is. `who`: the lead, or the contact that it became; `by`: the user who did or logged it."""

    who: str
    lead: str | None
    contact: str | None
    account: str | None
    address: str | None
    by: str
    by_address: str


@dataclass(frozen=True, slots=True)
class Made:
    obj: str
    at: int
    data: dict[str, Any] = field(default_factory=dict)


def made(touch: Touch, party: Party) -> Made | None:
    """The record of a touch; None for an opening, which changes another record, and for a kind that has no place."""
    at = times.ms(touch.at)
    if touch.kind in ("call", "task"):
        return Made("Task", at, _task(touch, party, at))
    if touch.kind == "meeting":
        return Made("Event", at, _event(touch, party))
    if touch.kind in ("email_sent", "email_replied", "email_forwarded"):
        return Made("EmailMessage", at, _message(touch, party, at))
    if touch.kind in WEB:
        return Made("Web_Activity__c", at, _web(touch, party, at))
    if touch.kind == "campaign_response":
        member = {"LeadId": party.lead, "ContactId": party.contact, "Status": "Responded", "HasResponded": True,
                  "FirstRespondedDate": times.day(at), "CreatedById": party.by}  # fmt: skip
        return Made("CampaignMember", at, member)
    return None


def campaign(detail: Mapping[str, Any]) -> tuple[str, str]:
    """(name, type) of the campaign that a response belongs to."""
    kind = {"event": "Conference", "email": "Email"}.get(str(detail.get("channel")), "Other")
    return str(detail.get("campaign") or "Newsletter"), kind


def _task(touch: Touch, party: Party, at: int) -> dict[str, Any]:
    detail, call = touch.detail, touch.kind == "call"
    data = {
        "WhoId": party.who, "AccountId": party.account, "OwnerId": party.by, "CreatedById": party.by,
        "Subject": detail.get("subject") or ("Call" if call else "Task"), "ActivityDate": times.day(at),
        "Status": "Completed", "IsClosed": True, "CompletedDateTime": times.text(at), "Priority": "Normal",
        "TaskSubtype": "Call" if call else "Task",
    }  # fmt: skip
    if call:
        answered = detail.get("answered")
        data |= {
            "CallType": "Outbound", "CallDurationInSeconds": round(60 * float(detail.get("minutes") or 0)),
            "CallDisposition": None if answered is None else "Connected" if answered else "No answer",
        }  # fmt: skip
    return data


def _event(touch: Touch, party: Party) -> dict[str, Any]:
    minutes = float(touch.detail.get("minutes") or _MEETING_MINUTES)
    start = times.text(times.ms(touch.at))
    return {
        "WhoId": party.who, "AccountId": party.account, "OwnerId": party.by, "CreatedById": party.by,
        "Subject": touch.detail.get("subject") or "Meeting", "StartDateTime": start, "ActivityDateTime": start,
        "EndDateTime": times.text(times.ms(touch.at + timedelta(minutes=minutes))), "ActivityDate": start[:10],
        "DurationInMinutes": round(minutes), "EventSubtype": "Event",
    }  # fmt: skip


def _message(touch: Touch, party: Party, at: int) -> dict[str, Any]:
    """[unsourced] that a message may be related to a lead; where an org relates only deals and cases, the people of a
    message are its EmailMessageRelation rows."""
    incoming = touch.kind != "email_sent"
    subject = str(touch.detail.get("subject") or "Hello")
    prefix = {"email_replied": REPLY, "email_forwarded": FORWARD}.get(touch.kind, "")
    theirs, ours = party.address or "unknown@example.net", party.by_address
    return {
        "RelatedToId": party.who, "Subject": prefix + subject, "Incoming": incoming, "MessageDate": times.text(at),
        "FromAddress": theirs if incoming else ours, "ToAddress": ours if incoming else theirs,
        "CcAddress": "; ".join(touch.detail.get("cc") or ()) or None, "Status": "0" if incoming else "3",
        "IsTracked": not incoming, "IsOpened": False, "CreatedById": party.by,
    }  # fmt: skip


def opened(message: dict[str, Any], at: int) -> None:
    message["IsOpened"] = True
    message.setdefault("FirstOpenedDate", times.text(at))
    message["LastOpenedDate"] = times.text(at)


def _web(touch: Touch, party: Party, at: int) -> dict[str, Any]:
    detail = touch.detail
    url = detail.get("url")
    if url is None and detail.get("subject"):
        url = f"/{touch.kind}/{detail['subject']}".replace(" ", "-").lower()
    return {
        "Lead__c": party.lead if party.contact is None else None, "Contact__c": party.contact, "Type__c": touch.kind,
        "Url__c": url if url is None or "://" in url else SITE + url, "Product_Area__c": detail.get("area"),
        "Content__c": detail.get("content"), "Session__c": detail.get("session"), "At__c": times.text(at),
        "Campaign__c": detail.get("campaign"),
        "User_Agent__c": MACHINE_AGENT if touch.actor == "machine" else PERSON_AGENT, "CreatedById": party.by,
    }  # fmt: skip
