"""What a lead does in its first seven days, and what is done with it: from who it is and from chance, never
from how it will end. The outcome is drawn later, from what is measured here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.playground.world import words
from connector.playground.world.cast import Lead

MINUTE = 1 / 1440
"""in days"""


@dataclass(slots=True)
class Event:
    """A touch in the making; `at` in days since the world's start."""

    at: float
    kind: str
    lead: Lead
    actor: str = "person"
    by_rep: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Week:
    """What a perfect observer has counted of a lead by the end of its first week (persons only)."""

    views: int = 0
    sessions: int = 0
    returned: bool = False
    """came back within 48 hours of an earlier session"""
    pricing: bool = False
    case_study: bool = False
    documentation: int = 0
    replied: bool = False
    forwarded: bool = False
    webinar: bool = False
    last: float = 0.0
    """days since creation of its last touch by a person of theirs"""
    worked: bool = False
    events: list[Event] = field(default_factory=list)


PAGES = {  # content -> path; {area} is a product area
    "pricing": "/pricing",
    "case_study": "/customers/{area}-story",
    "documentation": "/docs/{area}",
    "marketing": "/product/{area}",
    "other": "/blog/{area}-notes",
}
_MIX = {  # weights of the contents above, by function
    "technical": (0.06, 0.05, 0.36, 0.33, 0.20),
    "business": (0.14, 0.13, 0.08, 0.43, 0.22),
    "executive": (0.17, 0.17, 0.05, 0.43, 0.18),
    "other": (0.04, 0.06, 0.20, 0.30, 0.40),
}


def live(lead: Lead, weeks: dict[int, Week], rnd: Random, visits: float = 1.0) -> Week:
    """The first week of one lead; `weeks` has those of its colleagues who came before it."""
    week = Week()
    _arrive(lead, week, rnd)
    rate = math.exp(-0.3 + 0.55 * lead.interest) * (
        0.55 if lead.source in ("outbound list", "event") else 1.0
    )
    count = min(_poisson(rnd, rate * visits), round(14 * max(visits, 1.0)))
    at = lead.created
    for _ in range(count):
        gap = rnd.expovariate(1 / 0.8) if rnd.random() < 0.45 else rnd.uniform(0.5, 5.5)
        if at + gap > lead.scored:
            break
        week.returned |= week.sessions > 0 and gap <= 2
        at += gap
        session(lead, at, rnd, week.events, _colleague_session(lead, weeks, at, rnd))
        week.sessions += 1
    _outreach(lead, week, rnd)
    if len(lead.company.people) > 1 and rnd.random() < 0.3:
        week.events.append(
            Event(_within(lead, rnd), "email_forwarded", lead, detail={"subject": rnd.choice(words.SUBJECTS)})
        )
    if "champion" in lead.marks:
        _carry(lead, week)
    _measure(lead, week)
    return week


def _carry(lead: Lead, week: Week) -> None:
    """A champion passes it on inside the company, without a draw: others' weeks stay as they would be without."""
    for n, day in enumerate((1.5, 4.25)):
        others = [
            other.email
            for other in lead.company.people
            if other is not lead and other.created < lead.created + day
        ]
        detail: dict[str, Any] = {"subject": words.SUBJECTS[(lead.number + n) % len(words.SUBJECTS)]}
        if others:
            detail["cc"] = others[:3]
        week.events.append(
            Event(lead.created + day + lead.number % 19 / 24, "email_forwarded", lead, detail=detail)
        )


def session(
    lead: Lead, at: float, rnd: Random, events: list[Event], shared: str | None = None, keen: float = 0.0
) -> None:
    """A burst: page views in minutes, sometimes a download. `keen` shifts the mix to pricing and cases."""
    name = shared or f"s{lead.number}-{int(at * 1440)}"
    mix = _MIX[lead.function]
    tilt = 1 + max(-0.6, 0.35 * lead.interest + keen)
    weights = (mix[0] * tilt, mix[1] * tilt, *mix[2:])
    views = min(int(rnd.paretovariate(1.5) + rnd.expovariate(1 / (1 + 0.5 * max(lead.interest, 0)))), 60)
    for _ in range(views):
        content = rnd.choices(tuple(PAGES), weights)[0]
        area = rnd.choice(words.AREAS)
        url = PAGES[content].format(area=area)
        detail = {"session": name, "url": url, "area": area, "content": content, "channel": "site"}
        events.append(Event(at, "page_view", lead, detail=detail))
        at += rnd.uniform(0.3, 4) * MINUTE
    if rnd.random() < 0.14:
        content = (
            "documentation"
            if rnd.random() < (0.65 if lead.function == "technical" else 0.25)
            else "marketing"
        )
        events.append(
            Event(at, "download", lead, detail={"session": name, "content": content, "channel": "site"})
        )


def email(lead: Lead, at: float, rnd: Random, events: list[Event], reply: float) -> bool:
    """A rep's e-mail: scanners and people open it, with chance `reply` the lead answers. Whether it did."""
    subject = rnd.choice(words.SUBJECTS)
    detail = {"subject": subject, "channel": "email"}
    events.append(Event(at, "email_sent", lead, by_rep=True, detail=dict(detail)))
    if rnd.random() < 0.4:  # a link scanner opens within seconds and clicks everything
        events.append(
            Event(at + rnd.uniform(2, 40) / 86400, "email_opened", lead, "machine", detail=dict(detail))
        )
        if rnd.random() < 0.45:
            events.append(
                Event(at + rnd.uniform(3, 45) / 86400, "email_clicked", lead, "machine", detail=dict(detail))
            )
    if rnd.random() >= reply:
        if rnd.random() < 0.18:
            events.append(
                Event(at + rnd.expovariate(1 / 0.6) + 0.01, "email_opened", lead, detail=dict(detail))
            )
        return False
    hours = min(rnd.lognormvariate(2.2, 1.1), 90)
    others = [other.email for other in lead.company.people if other is not lead and other.created < at]
    answer: dict[str, Any] = dict(detail)
    if others and rnd.random() < 0.4:
        answer["cc"] = others[:3]
    events.append(Event(at + hours / 24 * 0.6, "email_opened", lead, detail=dict(detail)))
    events.append(Event(at + hours / 24, "email_replied", lead, detail=answer))
    return True


def call(lead: Lead, at: float, rnd: Random, events: list[Event], answers: float) -> bool:
    answered = rnd.random() < answers
    detail = {
        "channel": "phone",
        "answered": answered,
        "minutes": round(rnd.uniform(2, 25), 1) if answered else 0.0,
    }
    events.append(Event(at, "call", lead, by_rep=True, detail=detail))
    return answered


def _arrive(lead: Lead, week: Week, rnd: Random) -> None:
    """The touch that made the lead, by its source."""
    channel = "event" if lead.source == "event" else "site"
    if lead.source in ("web form", "paid search", "customer referral"):
        form = "demo request" if lead.hand_raiser else rnd.choice(("newsletter", "white paper", "trial"))
        week.events.append(Event(lead.created, "form", lead, detail={"subject": form, "channel": channel}))
    elif lead.source == "webinar":
        detail = {
            "campaign": rnd.choice(words.CAMPAIGNS),
            "minutes": round(rnd.uniform(5, 55), 1),
            "channel": "event",
        }
        week.events.append(Event(lead.created, "webinar", lead, detail=detail))
    elif lead.source == "event":
        detail = {"campaign": rnd.choice(words.CAMPAIGNS), "channel": "event"}
        week.events.append(Event(lead.created, "campaign_response", lead, detail=detail))


def _outreach(lead: Lead, week: Week, rnd: Random) -> None:
    """SDRs work inbound and big names first: by source and company, not by what they can't know."""
    chance = (
        0.95
        if lead.hand_raiser
        else {"outbound list": 0.9, "partner referral": 0.7, "web form": 0.5}.get(lead.source, 0.35)
    )
    if lead.opted_out or rnd.random() > chance + 0.1 * (lead.company.employees >= 1000):
        return
    week.worked = True
    at = lead.created + rnd.uniform(0.1, 2.5)
    reply = 1 / (1 + math.exp(1.9 - 0.75 * lead.interest))
    for _ in range(rnd.choice((1, 1, 2))):
        if email(lead, at, rnd, week.events, reply):
            break
        at += rnd.uniform(1, 3)
    if rnd.random() < 0.35:
        call(lead, _within(lead, rnd), rnd, week.events, 0.22)


def _colleague_session(lead: Lead, weeks: dict[int, Week], at: float, rnd: Random) -> str | None:
    """Colleagues look together at times: the session of the one who was last on the site."""
    if rnd.random() > 0.3:
        return None
    seen = [
        (event.at, event.detail["session"])
        for other in lead.company.people
        if other.number in weeks and other is not lead
        for event in weeks[other.number].events
        if event.kind == "page_view" and at - 0.5 < event.at <= at
    ]
    return max(seen)[1] if seen else None


def _measure(lead: Lead, week: Week) -> None:
    week.events = [event for event in week.events if event.at <= lead.scored]
    for event in week.events:
        if event.by_rep or event.actor == "machine":
            continue
        week.last = max(week.last, event.at - lead.created)
        content = event.detail.get("content")
        week.views += event.kind == "page_view"
        week.pricing |= content == "pricing"
        week.case_study |= content == "case_study"
        week.documentation += content == "documentation"
        week.replied |= event.kind == "email_replied"
        week.forwarded |= event.kind == "email_forwarded"
        week.webinar |= event.kind == "webinar"


def _within(lead: Lead, rnd: Random) -> float:
    return lead.created + rnd.uniform(0.2, 6.8)


def _poisson(rnd: Random, rate: float) -> int:
    limit, product, count = math.exp(-rate), rnd.random(), 0
    while product > limit:
        product *= rnd.random()
        count += 1
    return count
