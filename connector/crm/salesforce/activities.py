"""Rows of six objects to activities. Salesforce has no standard place for page views: the org names its own object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, get_args

from connector.crm.base import Activity, ActivityKind, Actor, Value
from connector.crm.salesforce.describes import Described
from connector.crm.salesforce.fields import moment

Row = Mapping[str, Any]

PEOPLE = ("00Q", "003")
"""Id prefixes of leads and contacts."""

MACHINE_OPENS_WITHIN, PEOPLE_OPEN_AFTER = timedelta(seconds=5), timedelta(seconds=60)
"""An e-mail that is opened sooner after sending was opened by a scanner or a mail-privacy proxy; between the two nobody
can tell. Salesforce knows of an opening only its time. Ours, unsourced: scanners take seconds, people read later."""

_FORWARD = re.compile(r"\s*(fw|fwd|wg|tr)\s*:", re.IGNORECASE)
_REPLY = re.compile(r"\s*(re|aw|sv|antw)\s*:", re.IGNORECASE)
_NOT_REACHED = re.compile(
    r"voice ?mail|\bnot?\b|unanswered|busy|left (a )?message|wrong number", re.IGNORECASE
)
_REACHED = re.compile(r"answered|connected|reached|spoke|talked|completed|interested|meeting", re.I)
_ROBOT = re.compile(
    r"bot\b|bot[/;]|crawl|spider|scanner|preview|headless|safelinks|barracuda|proofpoint|mimecast|python-|curl/|"
    r"wget|chatgpt|gptbot|claude|perplexity",
    re.IGNORECASE,
)
_CHANNEL_OF_CAMPAIGN = {
    "conference": "event",
    "trade show": "event",
    "seminar / conference": "event",
    "event": "event",
    "email": "email",
    "telemarketing": "phone",
    "webinar": "site",
    "advertisement": "site",
    "website": "site",
}


def task(row: Row) -> list[Activity]:
    """A call, an e-mail logged without its message, or a task."""
    subtype, duration = row.get("TaskSubtype"), row.get("CallDurationInSeconds")
    is_call = subtype == "Call" or row.get("CallType") is not None or duration is not None
    detail = _about(row)
    kind: ActivityKind = "task"
    if is_call:
        kind = "call"
        outcome = row.get("CallDisposition")
        detail |= {"outcome": outcome, "answered": answered(outcome), "channel": "phone"}
        detail["minutes"] = None if duration is None else duration / 60
    elif subtype in ("Email", "ListEmail"):
        kind = "email_sent"
        detail["channel"] = "email"
    return [_activity(row, row["Id"], kind, _done_at(row), _who(row.get("WhoId")), detail)]


def answered(outcome: str | None) -> bool | None:
    """
    >>> answered("Left voicemail"), answered("Connected"), answered(None)
    (False, True, None)
    """
    if not outcome:
        return None
    if _NOT_REACHED.search(outcome):
        return False
    return True if _REACHED.search(outcome) else None


def _done_at(row: Row) -> datetime:
    """When a task was done: its completion; for imported ones, whose creation is the import's, its day; else when it
    was made."""
    if row.get("CompletedDateTime"):
        return moment(row["CompletedDateTime"])
    created = moment(row["CreatedDate"])
    day = row.get("ActivityDate")
    if row.get("IsClosed") and day and moment(day).date() != created.date():
        return moment(day)
    return created


def event(row: Row) -> list[Activity]:
    at = (
        row.get("StartDateTime")
        or row.get("ActivityDateTime")
        or row.get("ActivityDate")
        or row["CreatedDate"]
    )
    minutes = row.get("DurationInMinutes")
    detail = _about(row) | {"minutes": None if minutes is None else float(minutes)}
    return [_activity(row, row["Id"], "meeting", moment(at), _who(row.get("WhoId")), detail)]


def email(row: Row, relations: str | None) -> list[Activity]:
    """A message, and its openings. `relations`: the name of the relationship to the people of a message."""
    at = moment(row.get("MessageDate") or row["CreatedDate"])
    person = _correspondent(row, relations)
    subject = row.get("Subject") or ""
    cc = [a.strip() for a in re.split(r"[;,]", row.get("CcAddress") or "") if a.strip()]
    detail: dict[str, Value] = {
        "subject": subject or None,
        "channel": "email",
        "owner_id": row.get("CreatedById"),
    }
    if cc:
        detail["cc"] = cc
    if row.get("Incoming"):
        kind: ActivityKind = "email_replied"
        if _FORWARD.match(subject) or (cc and not _REPLY.match(subject)):
            kind = "email_forwarded"
        return [_activity(row, row["Id"], kind, at, person, detail)]
    found = [_activity(row, row["Id"], "email_sent", at, person, detail)]
    if row.get("FirstOpenedDate"):
        opened = moment(row["FirstOpenedDate"])
        last = moment(row.get("LastOpenedDate") or row["FirstOpenedDate"])
        actor = _who_opened(opened - at)
        found.append(
            _activity(row, f"{row['Id']}:opened", "email_opened", opened, person, detail, actor=actor)
        )
        if actor != "person" and last > opened:
            # Of the openings only the first and the last are told: behind a scanner's first a person's may stand.
            again = _who_opened(last - at)
            found.append(
                _activity(row, f"{row['Id']}:reopened", "email_opened", last, person, detail, actor=again)
            )
    return found


def _who_opened(after: timedelta) -> Actor:
    if after <= MACHINE_OPENS_WITHIN:
        return "machine"
    return "unsure" if after < PEOPLE_OPEN_AFTER else "person"


def _correspondent(row: Row, relations: str | None) -> str | None:
    """The lead or contact of a message: whom it is related to, or the first of its people that is one."""
    direct = _who(row.get("RelatedToId"))
    if direct or relations is None:
        return direct
    wanted = "FromAddress" if row.get("Incoming") else "ToAddress"
    people = [
        p
        for p in (row.get(relations) or {}).get("records", [])
        if _who(p.get("RelationId")) and p.get("RelationType") in (wanted, None)
    ]
    return _who(people[0]["RelationId"]) if people else None


def campaign_member(row: Row) -> list[Activity]:
    """A response to a campaign; a member that has not responded did nothing."""
    if not row.get("HasResponded"):
        return []
    campaign = row.get("Campaign") or {}
    type_ = (campaign.get("Type") or "").lower()
    created = moment(row["CreatedDate"])
    day = row.get("FirstRespondedDate")
    # The response is dated to the day: the creation of the row is nearer where it was on that day.
    at = created if not day or moment(day).date() == created.date() else moment(day)
    detail: dict[str, Value] = {
        "campaign": campaign.get("Name"),
        "channel": _CHANNEL_OF_CAMPAIGN.get(type_),
        "outcome": row.get("Status"),
    }
    kind: ActivityKind = "webinar" if type_ == "webinar" else "campaign_response"
    return [_activity(row, row["Id"], kind, at, row.get("LeadId") or row.get("ContactId"), detail)]


# --- web activity: the org's own object ---

WEB_FIELDS: Mapping[str, tuple[str, ...]] = {
    "lead": ("Lead__c",),
    "contact": ("Contact__c",),
    "account": ("Account__c",),
    "type": ("Type__c", "Kind__c", "Activity_Type__c"),
    "at": ("At__c", "Occurred_At__c", "Visited_At__c", "Timestamp__c"),
    "url": ("Url__c", "URL__c", "Page_URL__c"),
    "area": ("Product_Area__c", "Area__c"),
    "content": ("Content__c", "Content_Type__c"),
    "session": ("Session__c", "Session_Id__c"),
    "agent": ("User_Agent__c",),
    "campaign": ("Campaign__c",),
}
"""What we know how to read of it -> usual names; crm.options.web_activity_<key> names another."""


def web_fields(described: Described, options: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key, names in WEB_FIELDS.items():
        own = options.get(f"web_activity_{key}")
        seen = described.seen(*((own,) if own else names))
        if seen:
            found[key] = seen[0]
    return found


def web(row: Row, fields: Mapping[str, str]) -> list[Activity]:
    def get(key: str) -> Any:
        return row.get(fields[key]) if key in fields else None

    kind: str = str(get("type") or "page_view").strip().lower().replace(" ", "_").replace("-", "_")
    known: ActivityKind = kind if kind in get_args(ActivityKind) else "page_view"  # type: ignore[assignment]
    detail: dict[str, Value] = {"channel": "email" if known.startswith("email_") else "site"}
    detail |= {k: get(k) for k in ("session", "url", "area", "content", "campaign") if get(k) is not None}
    at = moment(get("at") or row["CreatedDate"])
    person = get("lead") or get("contact")
    row = {**row, "AccountId": get("account")}
    return [_activity(row, row["Id"], known, at, person, detail, actor=actor_of(get("agent")))]


def actor_of(agent: str | None) -> Actor:
    """
    >>> actor_of("Mozilla/5.0 (compatible; Googlebot/2.1)"), actor_of("Mozilla/5.0 (X11; Linux x86_64)")
    ('machine', 'person')
    """
    return "machine" if agent and _ROBOT.search(agent) else "person"


# --- shared ---


def _who(id: str | None) -> str | None:
    return id if id and id[:3] in PEOPLE else None


def _about(row: Row) -> dict[str, Value]:
    return {"subject": row.get("Subject"), "owner_id": row.get("OwnerId")}


def _activity(
    row: Row,
    id: str,
    kind: ActivityKind,
    at: datetime,
    person: str | None,
    detail: Mapping[str, Value],
    *,
    actor: Actor = "person",
) -> Activity:
    return Activity(
        id=id,
        kind=kind,
        at=at,
        person_id=person,
        modified_at=moment(row["SystemModstamp"]),
        account_id=row.get("AccountId"),
        actor=actor,
        detail={k: v for k, v in detail.items() if v is not None},
        deleted=bool(row.get("IsDeleted", False)),
    )
