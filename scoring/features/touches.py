"""Activities with what their own past says of them: pauses, visits, bursts, replies.

Everything added here looks backward only, so it is the same for every later `as_of` and computed once an
activity; a point then needs one join and one aggregation, however many times a lead is looked at.
"""

from __future__ import annotations

from typing import Any

import ibis

from scoring.features.inputs import DAY, MINUTE

BY_THE_LEAD = (
    "page_view", "form", "download", "webinar", "email_opened", "email_clicked", "email_replied",
    "email_forwarded", "meeting", "campaign_response",
)  # fmt: skip
"""Kinds that the lead's side does; a call counts when it was answered."""

CHANNEL = {
    "page_view": "site", "form": "site", "download": "site", "webinar": "event", "campaign_response": "event",
    "email_opened": "email", "email_clicked": "email", "email_replied": "email", "email_forwarded": "email",
    "call": "phone", "meeting": "phone",
}  # fmt: skip
"""Where a kind happens, unless the activity says so itself. A meeting is spoken, like a call."""

TOGETHER = ("meeting", "call", "webinar")
"""Kinds that several leads attend at once: same kind, moment and subject are one occasion."""

KEPT = ("lead_id", "at", "kind", "actor", "content", "area", "channel", "together")
"""Columns that go on as they are."""

QUIET = 7 * DAY
"""A pause longer than this ends a burst."""

VISIT_PAUSE = 30 * MINUTE
"""A pause longer than this ends a visit where the CRM knows no session; web analytics' usual half hour."""


def enriched(activities: Any) -> Any:
    """KEPT and engaged, since_touch, burst, since_page, visit, visit_starts, reply_after. Durations are in
    microseconds; `burst` and `visit` number those of a lead."""
    a = activities
    person, answered = a.actor == "person", a.answered.fill_null(False)
    call = a.kind == "call"
    a = a.mutate(
        engaged=person & (a.kind.isin(BY_THE_LEAD) | (call & answered)),
        outreach=(a.kind == "email_sent") | (call & ~answered),
        channel=ibis.coalesce(a.channel, a.kind.cases(*CHANNEL.items())),
        together=ibis.coalesce(
            a.session,
            a.kind.isin(TOGETHER).ifelse(a.kind + a.at.cast("string") + a.subject.fill_null(""), None),
        ),
    )
    a = a.mutate(page=a.engaged & (a.kind == "page_view"), reply=a.engaged & (a.kind == "email_replied"))

    in_time = ["at", "activity_id"]
    before = ibis.window(group_by="lead_id", order_by=in_time, preceding=(None, 1))
    pages = ibis.window(group_by=["lead_id", "page"], order_by=in_time)
    a = a.select(
        *KEPT,
        "engaged",
        "page",
        "reply",
        "session",
        "activity_id",
        since_touch=a.engaged.ifelse(a.at - a.at.max(where=a.engaged).over(before), None),
        since_page=a.page.ifelse(a.at - a.at.max(where=a.page).over(before), None),
        session_before=a.session.lag().over(pages),
        asked=a.at.max(where=a.outreach).over(before),
        replied=a.at.max(where=a.reply).over(before),
    )
    a = a.mutate(
        burst_starts=a.engaged & (a.since_touch > QUIET).fill_null(True),
        visit_starts=a.page
        & ibis.coalesce(a.session != a.session_before, a.since_page > VISIT_PAUSE).fill_null(True),
        reply_after=(a.reply & (a.replied.isnull() | (a.asked > a.replied))).ifelse(a.at - a.asked, None),
    )
    so_far = ibis.cumulative_window(group_by="lead_id", order_by=in_time)
    return a.select(
        *KEPT,
        "engaged",
        "since_touch",
        "since_page",
        "visit_starts",
        "reply_after",
        burst=a.burst_starts.cast("int64").sum().over(so_far),
        visit=a.visit_starts.cast("int64").sum().over(so_far),
    )


def seen_from(points: Any, touches: Any) -> Any:
    """(point, age, all columns of `touches`): each point with every activity of its lead up to `as_of`, and
    one row of blanks where there is none."""
    seen = points.left_join(touches, [points.lead_id == touches.lead_id, touches.at <= points.as_of])
    return seen.mutate(
        age=seen.as_of - seen.at,
        engaged=seen.engaged.fill_null(False),
    )


def within(seen: Any, days: int) -> Any:
    """Whether an activity is at most `days` × 24 hours old; false where there is none."""
    return (seen.age < days * DAY).fill_null(False)
