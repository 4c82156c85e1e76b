"""The playground's words in HubSpot's: what seed.py and desk.py share."""

from __future__ import annotations

from typing import Any

from connector.playground.hubspot.catalog import EMPLOYEE_RANGES

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
