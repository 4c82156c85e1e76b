"""The dated history of properties, read as changes of fields and as what a lead did.

HubSpot's own events need Enterprise and one call a contact; the history of a contact's analytics properties comes with
the contact and holds the same visits, forms, openings and clicks (DESIGN "Where behaviour comes from").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connector.crm.base import Activity, ActivityKind, Actor, Change, Kind, Value
from connector.crm.hubspot.fields import from_vendor, millis, moment
from connector.crm.hubspot.rows import Row

URL = "hs_analytics_last_url"
CONVERSION = "recent_conversion_event_name"
_DATED: Mapping[str, ActivityKind] = {
    "hs_email_last_open_date": "email_opened",
    "hs_email_last_click_date": "email_clicked",
    "hs_sales_email_last_opened": "email_opened",
    "hs_sales_email_last_clicked": "email_clicked",
}
BEHAVIOUR = (URL, CONVERSION, *_DATED)
"""Contact properties whose every value stands for something that the lead did."""

_SOURCES = {"AUTOMATION_PLATFORM": "automation", "INTEGRATION": "api", "API": "api", "IMPORT": "import",
            "FORM": "form", "CALCULATED": "calculated"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UrlWords:
    """Which parameters of a page's address name its area, content and session."""

    area: str = "area"
    content: str = "content"
    session: str = "session"


def versions(row: Row, name: str) -> list[Mapping[str, Any]]:
    """The values of a property, oldest first. How many of them HubSpot keeps is not documented (FACTS-hubspot.md §6)."""
    listed = list((row.get("propertiesWithHistory") or {}).get(name) or ())
    return sorted(listed, key=lambda v: moment(v["timestamp"]))


def changes(
    kind: Kind, row: Row, fields: Mapping[str, str], definitions: Mapping[str, Any], users: Mapping[str, str]
) -> Iterator[Change]:
    """`fields`: canonical -> property with history."""
    for canonical, name in fields.items():
        definition = definitions.get(name)
        old: Value = None
        for version in versions(row, name):
            new = from_vendor(canonical, version.get("value"), definition)
            if new != old:
                yield Change(
                    kind,
                    str(row["id"]),
                    canonical,
                    moment(version["timestamp"]),
                    old,
                    new,
                    author(version, users),
                )
            old = new


def author(version: Mapping[str, Any], users: Mapping[str, str]) -> str:
    """The owner who made a change, or what did."""
    source, id = str(version.get("sourceType") or ""), str(version.get("sourceId") or "")
    if source == "CRM_UI" or id.startswith("userId:"):
        user = id.removeprefix("userId:")
        return users.get(user, user)
    return _SOURCES.get(source, source.lower())


def behaviour(row: Row, words: UrlWords) -> Iterator[Activity]:
    """What the lead did on the site, in forms and with marketing e-mail."""
    at = {moment(v["timestamp"]): v for v in versions(row, URL)}
    conversions = {moment(v["timestamp"]): v for v in versions(row, CONVERSION) if v.get("value")}
    for when, version in at.items():
        if version.get("value") and when not in conversions:
            url = str(version["value"])
            yield _activity(
                row, "download" if _is_file(url) else "page_view", when, version, _page(url, words)
            )
    for when, version in conversions.items():
        kind, what = conversion(str(version["value"]))
        page = (
            _page(str(at[when]["value"]), words)
            if when in at and at[when].get("value")
            else {"channel": _CHANNELS[kind]}
        )
        yield _activity(row, kind, when, version, {**page, what[0]: what[1]})
    for name, kind in _DATED.items():
        for version in versions(row, name):
            if version.get("value"):
                yield _activity(row, kind, moment(str(version["value"])), version, {"channel": "email"})


_CHANNELS: Mapping[ActivityKind, str] = {
    "form": "site",
    "download": "site",
    "webinar": "event",
    "campaign_response": "event",
}


def conversion(name: str) -> tuple[ActivityKind, tuple[str, str]]:
    """
    What a conversion's name says: its kind, and which detail holds its title.

    >>> conversion("Webinar: Trust in numbers")
    ('webinar', ('campaign', 'Trust in numbers'))
    >>> conversion("Landing page: demo request")
    ('form', ('subject', 'demo request'))
    """
    first, _, rest = name.partition(": ")
    title, lower = rest or first, name.lower()
    if "webinar" in lower:
        return "webinar", ("campaign", title)
    if lower.startswith(("campaign", "event")):
        return "campaign_response", ("campaign", title)
    if (
        any(word in lower for word in ("download", "whitepaper", "e-book", "ebook"))
        and "form" not in first.lower()
    ):
        return "download", ("subject", title)
    return "form", ("subject", title)


def _page(url: str, words: UrlWords) -> dict[str, Value]:
    parts = urlsplit(url)
    query = {k: v[0] for k, v in parse_qs(parts.query).items()}
    detail: dict[str, Value] = {"url": parts.path or "/", "channel": "site"}
    detail["content"] = query.get(words.content) or _content(parts.path)
    if words.session in query:
        detail["session"] = query[words.session]
    if words.area in query:
        detail["area"] = query[words.area]
    return detail


def _content(path: str) -> str:
    """The kind of page by its path, where the address doesn't say."""
    lower = path.lower()
    for part, content in (("/pricing", "pricing"), ("/doc", "documentation"), ("/api", "documentation"),
                          ("/case", "case_study"), ("/customer", "case_study"), ("/product", "marketing"),
                          ("/solution", "marketing"), ("/feature", "marketing")):  # fmt: skip
        if part in lower:
            return content
    return "other"


def _is_file(url: str) -> bool:
    path = urlsplit(url).path.lower()
    return "/download" in path or path.endswith((".pdf", ".zip", ".xlsx", ".docx", ".pptx"))


def _activity(
    row: Row, kind: ActivityKind, at: datetime, version: Mapping[str, Any], detail: Mapping[str, Value]
) -> Activity:
    id = str(row["id"])
    actor: Actor = "machine" if str(version.get("sourceId") or "").startswith("bot") else "person"
    return Activity(
        f"{id}-{kind}-{millis(at)}", kind, at, id, moment(version["timestamp"]), actor=actor, detail=detail
    )


def moved(activities: Sequence[Activity], id: str, old_ids: Sequence[str]) -> Iterator[Activity]:
    """After a merge the new record's history holds both old ones': the activities under the old ids are withdrawn."""
    for activity in activities:
        for old in old_ids:
            gone = activity.id.replace(id, old, 1)
            yield Activity(gone, activity.kind, activity.at, old, activity.modified_at, deleted=True)
