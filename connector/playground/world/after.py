"""After the first week: the outcome is drawn from p, and only then behaviour, hygiene and deals follow it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.playground.world import words
from connector.playground.world.cast import Lead
from connector.playground.world.formula import HORIZON_DAYS
from connector.playground.world.scenario import Scenario
from connector.playground.world.week import Event, Week, call, email, session

SMALL, MIDDLE = 7_500.0, 26_000.0
"""Median deal, in the org's currency: under 100 employees, and to 999; a bigger one's is a multiple of that."""
LOST_DEAL_SHARE = 0.11
"""of worked losers that come as far as a deal"""
NEGLECTED_DAYS = 120
POLITE_MEETING_SHARE = 0.2
"""of worked losers that meet a rep and still don't buy: a meeting is a good sign, not a sale"""
COLLEAGUES_DECIDE_ALIKE = 0.6
"""Correlation (Gaussian copula) of outcomes inside a company; each lead's own chance stays p."""


@dataclass(slots=True)
class Edit:
    """A field change in the making; `by` is an owner's key or "automation"."""

    at: float
    field: str
    new: Any
    by: str


@dataclass(slots=True)
class Story:
    """How it goes on for one lead."""

    won: float | None = None
    """day on which its deal is won"""
    events: list[Event] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    deal: Bargain | None = None


@dataclass(slots=True)
class Bargain:
    """A deal in the making; stages as (day, stage)."""

    leads: list[Lead]
    amount: float
    owner: str
    stages: list[tuple[float, str]]


def amount(lead: Lead, rnd: Random, enterprise: float) -> float:
    size = lead.company.employees
    median = SMALL if size < 100 else MIDDLE if size < 1000 else MIDDLE * enterprise
    return round(median * lead.company.value * rnd.lognormvariate(0, 0.6), -2)


def luck(leads: list[Lead], rnd: Random) -> list[float]:
    """Each lead's lot, uniform from 0 to 1: it wins where the lot is below its chance. Colleagues draw alike."""
    shared: dict[int, float] = {}
    lots = []
    for lead in leads:
        common = shared.setdefault(lead.company.number, rnd.gauss(0, 1))
        z = math.sqrt(COLLEAGUES_DECIDE_ALIKE) * common + math.sqrt(1 - COLLEAGUES_DECIDE_ALIKE) * rnd.gauss(
            0, 1
        )
        lots.append(0.5 * math.erfc(-z / math.sqrt(2)))
    return lots


def winner(
    lead: Lead, blanks: list[str], sdr: str, ae: str, rnd: Random, scenario: Scenario, *, alone: bool = False
) -> Story:
    """Wins within the horizon; a slow one goes dark first and comes back, as does one that nobody worked (`alone`)."""
    hygiene, enterprise = scenario.hygiene, scenario.enterprise
    median = scenario.channels.days[lead.source] * (scenario.returners.slower if lead.slow else 1)
    if lead.company.employees >= 1000:
        median *= enterprise.slower
    days = min(max(rnd.lognormvariate(math.log(median), 0.45), 8), HORIZON_DAYS - 2)
    start = lead.scored + (days * rnd.uniform(0.35, 0.6) if lead.slow or alone else rnd.uniform(0, 2))
    close = lead.scored + days
    story = Story(won=close)
    made = start + (close - start) * rnd.uniform(0.3, 0.5)
    story.deal = Bargain([lead], amount(lead, rnd, enterprise.value), ae, [
        (made, "discovery"), (made + (close - made) * 0.4, "proposal"),
        (made + (close - made) * 0.75, "negotiation"), (close, "won"),
    ])  # fmt: skip
    _engage(
        lead,
        start,
        close,
        rnd,
        story.events,
        bursts=round((2 + int(rnd.expovariate(1 / 2))) * scenario.world.visits),
        keen=0.5,
    )
    for _ in range(rnd.choice((1, 2, 2, 3))):
        if email(lead, rnd.uniform(start, made), rnd, story.events, 0.65):
            break
    call(lead, rnd.uniform(start, made), rnd, story.events, 0.7)
    for _ in range(rnd.choice((1, 2, 2, 3, 4))):
        at = rnd.uniform(start + 1, close)
        story.events.append(
            Event(
                at,
                "meeting",
                lead,
                by_rep=True,
                detail={"minutes": float(rnd.choice((30, 45, 60))), "channel": "phone"},
            )
        )
    story.edits += [
        Edit(start, "status", "working", sdr),
        Edit((start + made) / 2, "status", "qualified", sdr),
    ]
    story.edits += [Edit(made, "status", "converted", ae), Edit(made, "owner", ae, sdr)]
    _tidy(lead, blanks, hygiene.winners, start, close, ae, rnd, story.edits, linkedin=hygiene.linkedin)
    if rnd.random() < 0.9:
        story.edits.append(
            Edit(close, "contract_term", rnd.choice(("12 months", "24 months", "36 months")), ae)
        )
    return story


def loser(
    lead: Lead, week: Week, blanks: list[str], sdr: str, ae: str, rnd: Random, scenario: Scenario,
    worked: bool | None = None,
) -> Story:  # fmt: skip
    """Disqualified, nurtured, lost as a deal or never worked, at times that chance sets. `worked` None: by chance."""
    story = Story()
    if worked is None:
        worked = week.worked or rnd.random() < 0.55
    if lead.slow and rnd.random() < 0.3:  # comes back from the dark, and still doesn't buy
        back = lead.scored + rnd.uniform(25, 110)
        _engage(lead, back, back + 20, rnd, story.events, bursts=round(2 * scenario.world.visits), keen=0.0)
    elif rnd.random() < 0.45:
        _engage(
            lead,
            lead.scored,
            lead.scored + rnd.uniform(5, 90),
            rnd,
            story.events,
            bursts=round((1 + int(rnd.expovariate(1))) * scenario.world.visits),
            keen=-0.3,
        )
    if not worked or lead.opted_out:
        return story
    start, end = lead.scored + rnd.uniform(-6, 2), lead.scored + 3 + rnd.expovariate(1 / 38)
    start = max(start, lead.created + 0.1)
    for _ in range(rnd.choice((1, 2, 2, 3, 4))):
        if email(lead, rnd.uniform(lead.scored, end), rnd, story.events, 0.07):
            break
    if rnd.random() < 0.5:
        call(lead, rnd.uniform(lead.scored, end), rnd, story.events, 0.2)
    if rnd.random() < POLITE_MEETING_SHARE:
        at = rnd.uniform(lead.scored, end)
        story.events.append(
            Event(at, "meeting", lead, by_rep=True, detail={"minutes": 30.0, "channel": "phone"})
        )
    story.edits.append(Edit(start, "status", "working", sdr))
    _tidy(lead, blanks, scenario.hygiene.losers, start, end, sdr, rnd, story.edits)
    if rnd.random() < LOST_DEAL_SHARE:
        end += rnd.lognormvariate(math.log(30), 0.5)
        made = start + (end - start) * 0.4
        stages = [(made, "discovery"), (made + (end - made) * 0.5, "proposal"), (end, "lost")]
        story.deal = Bargain([lead], amount(lead, rnd, scenario.enterprise.value), ae, stages)
        story.events.append(
            Event(made, "meeting", lead, by_rep=True, detail={"minutes": 30.0, "channel": "phone"})
        )
        story.edits += [Edit(made, "status", "converted", ae), Edit(made, "owner", ae, sdr)]
        _tidy(lead, blanks, scenario.hygiene.lost_deals, made, end, ae, rnd, story.edits)
    elif rnd.random() < 0.85:
        story.edits.append(Edit(end, "status", "nurture" if rnd.random() < 0.35 else "disqualified", sdr))
    return story


def join_deals(stories: dict[int, Story], leads: list[Lead]) -> None:
    """Colleagues of a committee who win, win one deal: the earliest one's, in everyone's horizon."""
    for company in {lead.company.number: lead.company for lead in leads}.values():
        winners = [lead for lead in company.people if stories[lead.number].won is not None]
        for lead in winners[1:]:
            first = next(other for other in winners if lead.created - other.created < 25)
            deal, mine = stories[first.number].deal, stories[lead.number]
            if first is lead or deal is None or mine.won is None:
                continue
            close = min(max(deal.stages[-1][0], mine.won), first.scored + HORIZON_DAYS - 1)
            deal.stages[-1] = (close, "won")
            made = max(deal.stages[0][0], lead.scored + 0.5)
            mine.edits = [
                edit for edit in mine.edits if edit.at < made and edit.field not in ("owner", "contract_term")
            ]
            mine.edits = [edit for edit in mine.edits if edit.new != "converted"]
            mine.edits += [
                Edit(made, "status", "converted", deal.owner),
                Edit(made, "owner", deal.owner, "automation"),
            ]
            mine.events = [event for event in mine.events if event.at < close]
            deal.leads.append(lead)
            mine.deal = deal
            for other in deal.leads:
                stories[other.number].won = close


def clear_out(stories: dict[int, Story], leads: list[Lead], day: float) -> None:
    """An automation closes, within a minute, all leads that nobody has worked for months: labels that say nothing."""
    for lead in leads:
        story = stories[lead.number]
        if story.won is None and not story.edits and lead.created < day - NEGLECTED_DAYS:
            story.edits.append(Edit(day + lead.number / 1e7, "status", "disqualified", "automation"))


def _engage(
    lead: Lead, start: float, end: float, rnd: Random, events: list[Event], *, bursts: int, keen: float
) -> None:
    for _ in range(bursts):
        session(lead, rnd.uniform(start, end), rnd, events, keen=keen)
    if keen > 0 and rnd.random() < 0.35:
        events.append(
            Event(
                rnd.uniform(start, end),
                "email_forwarded",
                lead,
                detail={"subject": rnd.choice(words.SUBJECTS)},
            )
        )
    if rnd.random() < 0.12:
        detail = {
            "campaign": rnd.choice(words.CAMPAIGNS),
            "minutes": round(rnd.uniform(5, 55), 1),
            "channel": "event",
        }
        events.append(Event(rnd.uniform(start, end), "webinar", lead, detail=detail))


def _tidy(
    lead: Lead,
    blanks: list[str],
    share: float,
    start: float,
    end: float,
    by: str,
    rnd: Random,
    edits: list[Edit],
    *,
    linkedin: float | None = None,
) -> None:
    """Reps fill the record in, more where it goes well; `linkedin`: the share for that field."""
    known = {edit.field for edit in edits}
    for name in blanks:
        mine = linkedin if name == "linkedin" and linkedin is not None else share
        if name not in known and rnd.random() < mine:
            edits.append(Edit(rnd.uniform(start, end), name, lead.true[name], by))
