"""Calls, e-mails, meetings, notes and tasks as canonical activities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.crm.base import Activity, ActivityKind, Actor, Value
from connector.crm.hubspot.api import Api
from connector.crm.hubspot.fields import moment
from connector.crm.hubspot.rows import Row, associated

_COMMON = ("hs_timestamp", "hubspot_owner_id", "hs_object_source")
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "calls": (
        *_COMMON,
        "hs_call_title",
        "hs_call_direction",
        "hs_call_duration",
        "hs_call_status",
        "hs_call_disposition",
    ),
    "emails": (*_COMMON, "hs_email_subject", "hs_email_direction", "hs_email_cc_email", "hs_email_status"),
    "meetings": (
        *_COMMON,
        "hs_meeting_title",
        "hs_meeting_start_time",
        "hs_meeting_end_time",
        "hs_meeting_outcome",
    ),
    "notes": _COMMON,
    "tasks": (*_COMMON, "hs_task_subject", "hs_task_status"),
}
"""What is asked for. Bodies are not: nobody needs the words."""

_EMAILS: Mapping[str, ActivityKind] = {
    "EMAIL": "email_sent",
    "INCOMING_EMAIL": "email_replied",
    "FORWARDED_EMAIL": "email_forwarded",
}
_MACHINES = frozenset({"AUTOMATION_PLATFORM", "BOT", "AI_GROUP", "SEQUENCES", "PROSPECTING_AGENT"})
"""Record sources behind which no person sits (the vendor publishes no closed list)."""

_HANDS = frozenset({"INTEGRATION", "API"})
"""Written by some program in somebody's name: who acted is not sure."""


def activities(api: Api, obj: str, rows: Sequence[Row]) -> list[Activity]:
    """One activity for each contact that a row is associated with; without any, one without a person."""
    if not rows:
        return []
    people = associated(api, obj, [str(r["id"]) for r in rows], "contacts")
    return [a for row in rows for a in _activities(obj, row, people.get(str(row["id"]), []))]


def gone(obj: str, row: Row) -> Activity:
    """A deleted one."""
    at = moment(row.get("archivedAt") or row["updatedAt"])
    kind, _, _ = _read(obj, row)
    return Activity(f"{obj}-{row['id']}", kind, moment(row["createdAt"]), None, at, deleted=True)


def _activities(obj: str, row: Row, people: Sequence[str]) -> list[Activity]:
    kind, detail, actor = _read(obj, row)
    at = moment(row["properties"].get("hs_timestamp") or row["createdAt"])
    base, modified = f"{obj}-{row['id']}", moment(row["updatedAt"])
    return [
        Activity(
            base if n == 0 else f"{base}-{person}", kind, at, person, modified, actor=actor, detail=detail
        )
        for n, person in enumerate(people or [None])
    ]


def _read(obj: str, row: Row) -> tuple[ActivityKind, dict[str, Value], Actor]:
    p = row["properties"]
    source = str(p.get("hs_object_source") or "")
    actor: Actor = "machine" if source in _MACHINES else "unsure" if source in _HANDS else "person"
    detail: dict[str, Value] = {"owner_id": p.get("hubspot_owner_id")}
    kind: ActivityKind
    if obj == "calls":
        kind = "call"
        detail |= {
            "channel": "phone",
            "subject": p.get("hs_call_title"),
            "minutes": _minutes(p.get("hs_call_duration")),
            "answered": p.get("hs_call_status") == "COMPLETED",
            "outcome": p.get("hs_call_disposition"),
        }
    elif obj == "emails":
        kind = _EMAILS.get(str(p.get("hs_email_direction")), "email_sent")
        cc = [a.strip() for a in str(p.get("hs_email_cc_email") or "").split(";") if a.strip()]
        detail |= {"channel": "email", "subject": p.get("hs_email_subject"), "cc": cc or None}
    elif obj == "meetings":
        kind = "meeting"
        detail |= {"channel": "phone", "subject": p.get("hs_meeting_title"), "minutes": _length(p),
                   "outcome": p.get("hs_meeting_outcome")}  # fmt: skip
    else:
        kind = "task"
        detail |= {
            "subject": p.get("hs_task_subject"),
            "outcome": "note" if obj == "notes" else p.get("hs_task_status"),
        }
    return kind, {k: v for k, v in detail.items() if v is not None}, actor


def _minutes(milliseconds: Any) -> float | None:
    return None if milliseconds in (None, "") else round(float(milliseconds) / 60_000, 2)


def _length(p: Mapping[str, Any]) -> float | None:
    start, end = p.get("hs_meeting_start_time"), p.get("hs_meeting_end_time")
    if not start or not end:
        return None
    return round((moment(end) - moment(start)).total_seconds() / 60, 2)
