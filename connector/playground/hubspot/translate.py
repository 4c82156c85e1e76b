"""The playground's words in HubSpot's: what seed.py and desk.py share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connector.playground.hubspot.standard import EMPLOYEE_RANGES
from connector.playground.hubspot.times import iso
from connector.playground.world.model import Account

SITE = "https://www.example.com"

BOT = "bot"
"""sourceId of what a machine did, in the history of analytics properties: HubSpot filters bots, how it marks what slips
through is unverified."""

PERSON_FIELDS = {
    "first_name": "firstname",
    "last_name": "lastname",
    "email": "email",
    "company": "company",
    "title": "jobtitle",
    "industry": "industry",
    "annual_revenue": "annualrevenue",
    "country": "country",
    "phone": "phone",
    "linkedin": "linkedin_url",
    "opted_out": "hs_email_optout",
    "status": "hs_lead_status",
    "owner_id": "hubspot_owner_id",
    "employees": "employee_count",
    "source": "lead_source",
}
"""A lead's canonical field -> its property; the other ones (points, use_case …) have the same name in both."""

CUSTOM: list[tuple[str, str, str, str, list[str]]] = [
    ("linkedin_url", "LinkedIn profile", "string", "text", []),
    ("lead_source", "Lead source", "string", "text", []),
    ("employee_count", "Employee count", "number", "number", []),
    ("product_interest", "Product interest", "string", "text", []),
    ("use_case", "Use case", "string", "text", []),
    ("heard_from", "How did you hear about us", "string", "text", []),
    ("needed_by", "Needed by", "date", "date", []),
    ("hand_raiser", "Asked to be contacted", "bool", "booleancheckbox", []),
    ("points", "Points", "number", "number", []),
]
"""Contact properties that this account's admin has added: name, label, type, fieldType, options."""

LEAD_STATUSES = {"new": "NEW", "working": "IN_PROGRESS", "nurture": "BAD_TIMING", "qualified": "CONNECTED",
                 "converted": "OPEN_DEAL", "disqualified": "UNQUALIFIED"}  # fmt: skip
DEAL_STAGES = {
    "discovery": "appointmentscheduled",
    "proposal": "presentationscheduled",
    "negotiation": "contractsent",
    "won": "closedwon",
    "lost": "closedlost",
}


def lifecycle(status: str) -> str:
    return {"qualified": "salesqualifiedlead", "converted": "opportunity"}.get(status, "lead")


def engagement(kind: str) -> str | None:
    """The object that keeps an activity of this kind; None: the contact's analytics properties do."""
    return {
        "call": "calls",
        "meeting": "meetings",
        "task": "tasks",
        "email_sent": "emails",
        "email_replied": "emails",
        "email_forwarded": "emails",
    }.get(kind)


def text_of(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ";".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def employee_range(count: Any) -> str | None:
    """HubSpot asks contacts for a range."""
    if count is None:
        return None
    for option in EMPLOYEE_RANGES[:-1]:
        if float(count) <= int(option.split("-")[1]):
            return option
    return EMPLOYEE_RANGES[-1]


def traffic_source(source: Any) -> str | None:
    """The original traffic source that fits a lead source in words."""
    if not source:
        return None
    text = str(source).lower()
    for word, fitting in (
        ("paid", "PAID_SEARCH"),
        ("search", "ORGANIC_SEARCH"),
        ("organic", "ORGANIC_SEARCH"),
        ("referral", "REFERRALS"),
        ("partner", "REFERRALS"),
        ("email", "EMAIL_MARKETING"),
        ("social", "SOCIAL_MEDIA"),
        ("webinar", "OTHER_CAMPAIGNS"),
        ("event", "OFFLINE"),
        ("outbound", "OFFLINE"),
        ("list", "OFFLINE"),
    ):
        if word in text:
            return fitting
    return "DIRECT_TRAFFIC"


def person_values(fields: Mapping[str, Any], owners: Mapping[str, str]) -> dict[str, str | None]:
    """The world's fields as HubSpot properties. `owners`: the world's key -> the id. A queue owns no contact: nobody does."""
    made: dict[str, str | None] = {}
    for field, value in fields.items():
        if field == "status":
            made["hs_lead_status"] = LEAD_STATUSES.get(value, value) if value else None
            made["lifecyclestage"] = lifecycle(value) if value else None
        elif field == "owner":
            made["hubspot_owner_id"] = owners.get(value)
        elif field == "employees":
            made["employee_count"] = text_of(value)
            made["numemployees"] = employee_range(value)
        elif field == "source":
            made["lead_source"] = text_of(value)
            made["hs_analytics_source"] = traffic_source(value)
        else:
            made[PERSON_FIELDS.get(field, field)] = text_of(value)
    return made


def company_values(account: Account) -> dict[str, str | None]:
    return {
        "name": account.name, "domain": account.domain, "industry": account.industry,
        "numberofemployees": text_of(account.employees), "annualrevenue": text_of(account.annual_revenue),
        "country": account.country,
    }  # fmt: skip


def page_url(kind: str, detail: dict[str, Any]) -> str:
    """A page's address, its product area, content and session in the query, as a site with tagged links has them."""
    path = str(detail.get("url") or ("/downloads/file.pdf" if kind == "download" else "/"))
    if kind == "download" and "download" not in path and not path.endswith(".pdf"):
        path = "/downloads/" + path.rsplit("/", 1)[-1]
    words = {k: detail[k] for k in ("area", "content", "session") if detail.get(k)}
    address = path if path.startswith("http") else SITE + path
    return address + ("?" + urlencode(words) if words else "")


def conversion(kind: str, detail: dict[str, Any]) -> str:
    what = detail.get("subject") or detail.get("campaign") or "form"
    return {"form": "Form", "webinar": "Webinar", "campaign_response": "Campaign"}[kind] + f": {what}"


def engagement_values(kind: str, at: int, detail: dict[str, Any], *, machine: bool) -> dict[str, Any]:
    """The properties of a call, e-mail, meeting or task."""
    source = "AUTOMATION_PLATFORM" if machine else "CRM_UI"
    values: dict[str, Any] = {"hs_timestamp": iso(at), "hs_object_source": source}
    minutes = detail.get("minutes")
    if kind == "call":
        answered = bool(detail.get("answered", True))
        values |= {
            "hs_call_direction": "OUTBOUND",
            "hs_call_status": "COMPLETED" if answered else "NO_ANSWER",
            "hs_call_duration": str(int(float(minutes or 0) * 60_000)),
            "hs_call_title": detail.get("subject"),
        }
    elif kind == "meeting":
        values |= {"hs_meeting_title": detail.get("subject") or "Meeting", "hs_meeting_start_time": iso(at),
                   "hs_meeting_end_time": iso(at + int(float(minutes or 30) * 60_000)),
                   "hs_meeting_outcome": detail.get("outcome") or "COMPLETED"}  # fmt: skip
    elif kind == "task":
        values |= {
            "hs_task_subject": detail.get("subject") or "Task",
            "hs_task_status": "COMPLETED",
            "hs_task_type": "TODO",
        }
    else:
        direction = {"email_replied": "INCOMING_EMAIL", "email_forwarded": "FORWARDED_EMAIL"}.get(
            kind, "EMAIL"
        )
        values |= {
            "hs_email_direction": direction,
            "hs_email_subject": detail.get("subject"),
            "hs_email_status": "SENT",
            "hs_email_cc_email": ";".join(a for a in detail.get("cc") or [] if a) or None,
            "hs_email_open_count": "0",
        }
    return values
