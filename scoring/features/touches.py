"""Activities as features read them: who touched when, and what the last months look like row by row.

Each table is computed once, holds only rows that some point looks at, and no more columns than its readers need: a lead's
whole life is two numbers a touch, and everything wider is cut off RECENT days before the first point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from scoring.features.inputs import DAY, KINDS, MINUTE

BY_US = ("email_sent", "call", "task")
"""Kinds that we do; a call is the lead's too when it was answered."""

OUTREACH = ("email_sent", "call")

BY_THE_LEAD = tuple(sorted(KINDS - set(BY_US)))
"""Kinds that the lead's side does."""

CHANNEL = {
    "page_view": "site", "form": "site", "download": "site", "webinar": "event", "campaign_response": "event",
    "email_opened": "email", "email_clicked": "email", "email_replied": "email", "email_forwarded": "email",
    "call": "phone", "meeting": "phone",
}  # fmt: skip
"""Where a kind happens, unless the activity says so itself. A meeting is spoken, like a call."""

CHANNELS = ("phone", "event", "email", "site")
"""Every channel, the one that takes the most first."""

TOGETHER = ("meeting", "call", "webinar")
"""Kinds that several leads attend at once: same kind, moment and subject are one occasion."""

RECENT = 90
"""Days: no feature looks further back at what an activity was."""

QUIET = 7 * DAY
"""A pause longer than this ends a burst."""

VISIT_PAUSE = 30 * MINUTE
"""A pause longer than this ends a visit where the CRM knows no session; web analytics' usual half hour."""

SESSION_PAUSE = DAY
"""The same where it knows one: some trackers hand out a session for good."""

PAGES = 30 + 3
"""Days of page views that tell the visits of 30 days: what began the first of them, and a quick return before it."""


def engaged(a: Any) -> Any:
    """Whether an activity is a touch: a person of the lead's side did it."""
    answered = (a.kind == "call") & a.answered.fill_null(False)
    return (a.actor == "person") & (a.kind.notin(BY_US) | answered)


def outreach(a: Any) -> Any:
    """Whether a seller in person did it; what a machine wrote in a seller's name is none."""
    return (a.actor == "person") & a.kind.isin(OUTREACH)


def lifetime(activities: Any) -> Any:
    """(lead_id, at, forward, channel) of every touch; `forward`: an e-mail was passed on; `channel`: its place in CHANNELS."""
    touch = activities.filter(engaged(activities))
    kinds = {place: [k for k, c in CHANNEL.items() if c == name] for place, name in enumerate(CHANNELS)}
    by_kind = ibis.cases(*((touch.kind.isin(of), place) for place, of in kinds.items()))
    told = touch.channel.cases(*((name, place) for place, name in enumerate(CHANNELS)))
    return touch.select(
        "lead_id",
        "at",
        forward=touch.kind == "email_forwarded",
        channel=ibis.coalesce(told, by_kind).cast("int8"),
    )


def pauses(life: Any, first: Any, days: int) -> Any:
    """(lead_id, at, pause): the touches since `days` before `first` that came more than QUIET after the one before, `pause` in
    microseconds."""
    begin = first - days * DAY
    before = life.filter(life["at"] <= begin).group_by("lead_id").aggregate(at=lambda t: t["at"].max())
    late = life.filter(life["at"] > begin).select("lead_id", "at").union(before)
    in_time = ibis.window(group_by="lead_id", order_by="at")
    late = late.select("lead_id", "at", pause=late["at"] - late["at"].lag().over(in_time))
    return late.filter(late.pause > QUIET)


def recent(activities: Any, first: int) -> Any:
    """What happened since RECENT days before `first` (the earliest point): lead_id, at, activity_id, kind, actor, session,
    content, area, channel, together, engaged."""
    a = activities.filter(activities["at"] > first - RECENT * DAY)
    return a.select(
        "lead_id",
        "at",
        "activity_id",
        "kind",
        "actor",
        "session",
        "content",
        "area",
        engaged=engaged(a),
        channel=ibis.coalesce(a.channel, a.kind.cases(*CHANNEL.items())),
        together=ibis.coalesce(
            a.session,
            a.kind.isin(TOGETHER).ifelse(a.kind + a["at"].cast("string") + a.subject.fill_null(""), None),
        ),
    )


def pages(lately: Any, first: Any) -> Any:
    """(lead_id, at, starts, pause): page views since PAGES days before `first`, whether a visit begins with each, and the
    microseconds since the one before."""
    page = lately.filter(lately.engaged, lately.kind == "page_view", lately["at"] > first - PAGES * DAY)
    in_time = ibis.window(group_by="lead_id", order_by=["at", "activity_id"])
    page = page.select(
        "lead_id",
        "at",
        "activity_id",
        "session",
        pause=page["at"] - page["at"].lag().over(in_time),
        before=page.session.lag().over(in_time),
    )
    other = (page.session != page.before) | (page.pause > SESSION_PAUSE)
    page = page.mutate(starts=ibis.coalesce(other, page.pause > VISIT_PAUSE).fill_null(True))
    # Sessions may go on side by side: where one comes up again it is the visit that it was.
    of_session = ibis.window(group_by=["lead_id", "session", "starts"], order_by=["at", "activity_id"])
    again = page["at"] - page["at"].lag().over(of_session) <= SESSION_PAUSE
    goes_on = page.session.notnull() & again.fill_null(False)
    return page.select("lead_id", "at", "pause", starts=page.starts & ~goes_on)


def replies(activities_of: Callable[[Any], Any], lately: Any) -> Any:
    """(lead_id, at, after): recent replies to something of ours that was not answered yet, and after how many microseconds
    they came."""
    talk = activities_of(lately.filter(lately.engaged, lately.kind == "email_replied").select("lead_id"))
    talk = talk.filter(talk.actor == "person", talk.kind.isin([*OUTREACH, "email_replied"]))
    talk = talk.select("lead_id", "at", "activity_id", reply=talk.kind == "email_replied")
    before = ibis.window(group_by="lead_id", order_by=["at", "activity_id"], preceding=(None, 1))
    talk = talk.select(
        "lead_id",
        "at",
        "reply",
        asked=talk["at"].max(where=~talk.reply).over(before),
        answered=talk["at"].max(where=talk.reply).over(before),
    )
    first = talk.filter(talk.reply, talk.answered.isnull() | (talk.asked > talk.answered))
    return first.select("lead_id", "at", after=first["at"] - first.asked).filter(lambda t: t.after.notnull())


def seen_from(points: Any, rows: Any, days: int) -> Any:
    """(point, age, all columns of `rows` but lead_id and at): each point with the rows of its lead in the `days` × 24 hours
    up to `as_of`."""
    seen = points.select("point", "lead_id", "as_of").inner_join(
        rows,
        [
            points.lead_id == rows.lead_id,
            rows["at"] <= points.as_of,
            rows["at"] > points.as_of - days * DAY,
        ],
    )
    others = [name for name in rows.columns if name not in ("lead_id", "at")]
    return seen.select("point", *others, age=seen.as_of - seen["at"])


def within(seen: Any, days: int) -> Any:
    """Whether a row is at most `days` × 24 hours old."""
    return seen.age < days * DAY
