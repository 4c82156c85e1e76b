"""A B2B software company's pipeline, made from a seed: truth first, then what a CRM would hold of it.

1. `cast`: companies and people with their true attributes. 2. `week`: what each does in its first seven days.
3. `formula`: the chance of a won deal within 180 days from then. 4. `after`: the outcome is drawn, the rest
follows it.
5. Here: blanks are cut into the records, everything is dated and cut off at `now`.
6. `upkeep`: what becomes of the records: owners and queues, merges, deletions.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from connector.playground.world import after, cast, formula, needs, neglect, pathologies, upkeep, week, words
from connector.playground.world.cast import Company, Lead
from connector.playground.world.model import (
    Account,
    Column,
    Deal,
    FieldChange,
    Owner,
    Person,
    Touch,
    Truth,
    World,
)
from connector.playground.world.scenario import Scenario
from connector.playground.world.scenario_file import read_scenario

FIRST = "first"
"""The scenario that is played when none is given."""
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""The moment the org is handed over when no start is given: never the machine's clock."""
MONTH_DAYS = 365.25 / 12
SDRS = ("U07", "U08", "U09", "U10")
AES = ("U01", "U02", "U03", "U04", "U05", "U06")
_ROLES = ("account executive",) * 6 + ("sdr",) * 4 + ("manager", "reviewer")

BLANK = {  # share of records on which a field is blank at the first touch
    "title": 0.18, "industry": 0.28, "employees": 0.33, "annual_revenue": 0.42, "country": 0.14,
    "phone": 0.36, "linkedin": 0.42, "product_interest": 0.3, "use_case": 0.4, "heard_from": 0.38,
}  # fmt: skip
BLANK_BY_SOURCE = {
    "outbound list": -0.1, "event": 0.08, "partner referral": -0.05, "webinar": 0.05, "paid search": 0.05,
}  # fmt: skip
BLANK_OF_EXECUTIVES = 0.08
"""Chiefs don't fill in forms."""


def generate(
    leads: int = 5000,
    months: int = 18,
    seed: int = 7,
    start: date | None = None,
    scenario: Scenario | None = None,
    ending: str = "",
) -> tuple[World, Truth]:
    """The same seed and scenario give the same world, on any machine. `start` defaults to `months` before NOW,
    `scenario` to first.toml (`Scenario()` is default.toml, where every pathology is on). `ending`: what the companies'
    names end in, so that two worlds share none."""
    scenario = read_scenario(FIRST) if scenario is None else scenario
    days = months * MONTH_DAYS
    begin = NOW - timedelta(days=round(days)) if start is None else datetime.combine(start, time(12), UTC)
    rng, rnd = np.random.default_rng(seed), Random(seed)
    people = cast.make(rng, rnd, leads, round(days), scenario, ending)
    pathologies.mark(scenario, people, seed)
    weeks: dict[int, week.Week] = {}
    for lead in people:
        weeks[lead.number] = week.live(lead, weeks, rnd, scenario.world.visits)
    told = formula.effects(scenario)
    rows = np.array([formula.row(lead, weeks[lead.number], told) for lead in people]).reshape(-1, len(told))
    blanks = {lead.number: _blanks(lead, rnd, scenario.world.blanks) for lead in people}
    by_points = {
        lead.number: _points_when_scored(lead, weeks[lead.number], blanks[lead.number]) for lead in people
    }
    left = neglect.neglected(scenario, people, by_points, days, seed)
    kept = np.array([scenario.attention.unreached if lead.number in left else 1.0 for lead in people])
    p, told = formula.probabilities(rows, told, [lead.source for lead in people], scenario, kept)
    stories: dict[int, after.Story] = {}
    lots = after.luck(people, rnd)
    for lead, lot, chance in zip(people, lots, (p * kept).tolist(), strict=True):
        sdr, ae = SDRS[lead.number % len(SDRS)], AES[lead.company.number % len(AES)]
        stories[lead.number] = (
            after.winner(lead, blanks[lead.number], sdr, ae, rnd, scenario, alone=lead.number in left)
            if lot < chance
            else after.loser(
                lead,
                weeks[lead.number],
                blanks[lead.number],
                sdr,
                ae,
                rnd,
                scenario,
                _is_worked(lead, left, scenario),
            )
        )
    after.join_deals(stories, people)
    after.clear_out(stories, people, round(days) * 0.6)
    scribe = _Scribe(begin, round(days), people, weeks, blanks, stories)
    world, truth = scribe.write(rows, p * kept)
    _counterfactual(truth, scenario, people, lots, told, p)
    would = {lead.number for lead, lot, chance, share in zip(people, lots, p, kept, strict=True)
             if lead.number in left and chance * share <= lot < chance}  # fmt: skip
    truth.neglected = [lead.key for lead in people if lead.number in left]
    truth.would = neglect.missed_deals(scenario, people, would, stories, seed, scribe.at)
    converts = {
        lead.key: scribe.at(edit.at)
        for lead in people for edit in stories[lead.number].edits if edit.new == "converted"
    }  # fmt: skip
    pairs = cast.same_person(people)
    upkeep.keep(world, truth, scenario, seed, pairs=pairs, converts=converts, sellers=SDRS)
    needs.name_dates(world, people, scenario, seed)
    return world, truth


def _points_when_scored(lead: Lead, lived: week.Week, blanks: list[str]) -> int:
    """The org's own points at the end of the first week, when reps plan."""
    values = {**lead.true, **dict.fromkeys(blanks), "hand_raiser": lead.hand_raiser}
    return points(values, sum(not event.by_rep for event in lived.events))


def _is_worked(lead: Lead, left: set[int], scenario: Scenario) -> bool | None:
    """None: as chance has it, where the hours of reps have no limit."""
    return None if scenario.attention.history >= 1 else lead.number not in left


def _counterfactual(
    truth: Truth,
    scenario: Scenario,
    people: list[Lead],
    lots: list[float],
    told: dict[str, float],
    p: np.ndarray,
) -> None:
    """What would become of each lead with a person's attention in time, and without. `p`: their chance if worked."""
    attention = scenario.attention
    truth.design = [name for name in told if name != "intercept"]
    truth.scenario, truth.effects = scenario.name, told
    truth.luck = {lead.key: lot for lead, lot in zip(people, lots, strict=True)}
    worked = dict(zip(truth.probability, p.tolist(), strict=True))
    truth.reached = {key: min(chance * attention.reached, 0.98) for key, chance in worked.items()}
    truth.unreached = {key: chance * attention.unreached for key, chance in worked.items()}
    truth.reach_by = {
        lead.key: truth.scored_at[lead.key]
        + timedelta(days=attention.hand_raiser_days if lead.hand_raiser else attention.days)
        for lead in people
    }
    truth.renamed = {lead.company.domain: lead.company.renamed[2] for lead in people if lead.company.renamed}


def _blanks(lead: Lead, rnd: Random, more_blank: float) -> list[str]:
    more = BLANK_BY_SOURCE.get(lead.source, 0.0) + BLANK_OF_EXECUTIVES * (lead.seniority == 4)
    return [
        name
        for name, share in BLANK.items()
        if rnd.random() < max(min(max(share + more, 0.1), 0.45) * more_blank, lead.sparse)
    ]


class _Scribe:
    """Writes the world down as a CRM would know it at `now`, and the truth apart from it."""

    def __init__(
        self, begin: datetime, days: int, people: list[Lead], weeks: dict[int, week.Week],
        blanks: dict[int, list[str]], stories: dict[int, after.Story],
    ) -> None:  # fmt: skip
        self.begin, self.days, self.people = begin, days, people
        self.weeks, self.blanks, self.stories = weeks, blanks, stories
        self.now = begin + timedelta(days=days)

    def at(self, day: float) -> datetime:
        return self.begin + timedelta(milliseconds=int(day * 86_400_000))

    def write(self, rows: np.ndarray, p: np.ndarray) -> tuple[World, Truth]:
        touches, ahead = self._touches()
        deals, deal_of, changes = self._deals()
        people = []
        for lead in self.people:
            person, edits = self._person(lead, deal_of.get(lead.number))
            people.append(person)
            changes += edits
        changes.sort(key=lambda change: (change.at, change.key, change.field))
        world = World(
            "Tarnfield Software", self.now, make_owners(), self._accounts(), people, deals, changes, touches,
            [Column("contract_term", "Contract term", "choice", ["12 months", "24 months", "36 months"])],
        )  # fmt: skip
        world.renames = self._renames()
        stories = [(lead.key, self.stories[lead.number]) for lead in self.people]
        lost = [(key, story.deal) for key, story in stories if story.deal is not None and story.won is None]
        truth = Truth(
            horizon_days=formula.HORIZON_DAYS,
            probability={lead.key: float(chance) for lead, chance in zip(self.people, p, strict=True)},
            scored_at={lead.key: self.at(lead.scored) for lead in self.people},
            design=[],
            rows={lead.key: [float(x) for x in row] for lead, row in zip(self.people, rows, strict=True)},
            cause={lead.key: self._cause(lead) for lead in self.people},
            wins={key: self.at(story.won) for key, story in stories if story.won is not None},
            losses={key: self.at(deal.stages[-1][0]) for key, deal in lost},
            deals={person.key: person.deal for person in people if person.deal is not None},
            amounts={key: story.deal.amount for key, story in stories if story.deal is not None},
            ahead=ahead,
        )
        return world, truth

    def _cause(self, lead: Lead) -> str:
        """What a lead's case is an example of, the rarest first."""
        company = lead.company
        for name, cause in pathologies.CAUSE.items():
            if name in lead.marks:
                return cause
        if company.industry == words.NEW_INDUSTRY[0]:
            return "new market"
        if lead.slow:
            return "another clock"
        if sum(abs(other.created - lead.created) < 30 for other in company.people) >= 3:
            return "committee"
        return "incomplete" if len(self.blanks[lead.number]) >= 5 else "standard"

    def _touches(self) -> tuple[list[Touch], list[Touch]]:
        """Everything dated, up to now; and apart from it what is still to come."""
        events = [
            event for lead in self.people
            for event in (*self.weeks[lead.number].events, *self.stories[lead.number].events)
        ]  # fmt: skip
        events.sort(key=lambda event: (event.at, event.lead.number, event.kind))
        done: list[Touch] = []
        ahead: list[Touch] = []
        for number, event in enumerate(events, start=1):
            company = event.lead.company
            touch = Touch(
                f"T{number:06d}", event.kind, event.lead.key, self.at(event.at),
                f"A{company.number:05d}" if company.known else None,
                SDRS[event.lead.number % len(SDRS)] if event.by_rep else None, event.actor, event.detail,
            )  # fmt: skip
            (done if event.at <= self.days else ahead).append(touch)
        return done, ahead

    def _deals(self) -> tuple[list[Deal], dict[int, str], list[FieldChange]]:
        """Deals made by now, the lead numbers on them, and their dated stages."""
        deals: list[Deal] = []
        deal_of: dict[int, str] = {}
        changes: list[FieldChange] = []
        seen: set[int] = set()
        for lead in self.people:
            bargain = self.stories[lead.number].deal
            if bargain is None or id(bargain) in seen or bargain.stages[0][0] > self.days:
                continue
            seen.add(id(bargain))
            key = f"D{len(deals) + 1:05d}"
            past = [(day, stage) for day, stage in bargain.stages if day <= self.days]
            there = [one for one in bargain.leads if self._converted(one) is not None]
            deal_of.update({one.number: key for one in there})
            closed = past[-1][1] in ("won", "lost")
            company = lead.company
            deals.append(Deal(
                key, f"{company.name_on(bargain.stages[0][0])} - {lead.true['product_interest']}",
                f"A{company.number:05d}" if company.known else None,
                [one.key for one in there], bargain.owner, bargain.amount, past[-1][1], self.at(past[0][0]),
                self.at(past[-1][0]), self.at(past[-1][0] if closed else bargain.stages[-1][0] // 7 * 7 + 14),
            ))  # fmt: skip
            for (_, old), (day, new) in pairwise(past):
                changes.append(FieldChange("deal", key, "stage", self.at(day), old, new, bargain.owner))
        return deals, deal_of, changes

    def _converted(self, lead: Lead) -> float | None:
        edits = self.stories[lead.number].edits
        return next((edit.at for edit in edits if edit.new == "converted" and edit.at <= self.days), None)

    def _person(self, lead: Lead, deal: str | None) -> tuple[Person, list[FieldChange]]:
        """The record as it was made, then edited up to now."""
        blank = set(self.blanks[lead.number])
        values: dict[str, Any] = {k: None if k in blank else v for k, v in lead.true.items()}
        values |= {"hand_raiser": lead.hand_raiser, "opted_out": lead.opted_out, "contract_term": None}
        values["points"] = points(values, 1)
        state = {**values, "status": "new", "owner": SDRS[lead.number % len(SDRS)]}
        story = self.stories[lead.number]
        edits = sorted((*story.edits, *self._points(lead, values)), key=lambda edit: edit.at)
        changes: list[FieldChange] = []
        for edit in edits:
            if edit.at > self.days or state[edit.field] == edit.new:
                continue
            at, old = self.at(edit.at), state[edit.field]
            changes.append(FieldChange("person", lead.key, edit.field, at, old, edit.new, edit.by))
            state[edit.field] = edit.new
        status, owner = state.pop("status"), state.pop("owner")
        converted = self._converted(lead)
        created, company = self.at(lead.created), lead.company
        person = Person(
            lead.key, lead.first_name, lead.last_name, lead.email, company.name_on(lead.created),
            f"A{company.number:05d}" if company.known else None, created,
            max([created, *(change.at for change in changes)]), owner, status, state,
            None if converted is None else self.at(converted), deal,
        )  # fmt: skip
        return person, changes

    def _points(self, lead: Lead, values: dict[str, Any]) -> list[after.Edit]:
        """The org's own points, refreshed by an automation on days 3, 7, 21 and 60, machine clicks too."""
        events = (*self.weeks[lead.number].events, *self.stories[lead.number].events)
        edits = []
        for day in (3, 7, 21, 60):
            touches = sum(not event.by_rep and event.at <= lead.created + day for event in events)
            edits.append(after.Edit(lead.created + day, "points", points(values, touches), "automation"))
        return edits

    def _accounts(self) -> list[Account]:
        found: dict[int, Account] = {}
        for lead in self.people:
            company = lead.company
            if not company.known or company.number in found:
                continue
            n = company.number
            found[n] = Account(
                f"A{n:05d}", *self._account_name(company, None if n % 11 == 0 else company.domain),
                None if n % 5 == 0 else company.industry.title(), None if n % 4 == 0 else company.employees,
                None if n % 3 == 0 else company.revenue, None if n % 9 == 0 else company.country,
                self.at(lead.created - (n * 7 % 300)), AES[n % len(AES)],
            )  # fmt: skip
        return list(found.values())

    def _renames(self) -> list[FieldChange]:
        """When an account's record took the new name and domain."""
        found: list[FieldChange] = []
        for company in {lead.company.number: lead.company for lead in self.people}.values():
            if not company.known or company.renamed is None or company.renamed[0] > self.days:
                continue
            old_domain = None if company.number % 11 == 0 else company.domain
            name, domain = self._account_name(company, old_domain)
            key, at, by = (
                f"A{company.number:05d}",
                self.at(company.renamed[0]),
                AES[company.number % len(AES)],
            )
            found.append(FieldChange("account", key, "name", at, company.name, name, by))
            if domain is not None:
                found.append(FieldChange("account", key, "domain", at, old_domain, domain, by))
        return found

    def _account_name(self, company: Company, domain: str | None) -> tuple[str, str | None]:
        """A rebrand reaches the account: its new name with the old one behind it, and the new domain."""
        if company.renamed is None or company.renamed[0] > self.days:
            return company.name, domain
        return f"{company.renamed[1]} (formerly {company.name})", domain and company.renamed[2]


def points(values: dict[str, Any], touches: int) -> int:
    """The org's own naive lead score, 0-100: a full record, a title, many clicks by persons or machines."""
    filled = sum(values[name] is not None for name in BLANK)
    senior = any(word in str(values["title"] or "") for word in ("Director", "VP", "Chief", "CEO", "Manager"))
    return min(100, 4 * filled + 10 * senior + 15 * bool(values["hand_raiser"]) + 2 * min(touches, 20))


def make_owners() -> list[Owner]:
    names = zip(words.FIRST_NAMES[::3], words.LAST_NAMES[::3], strict=False)
    return [
        Owner(f"U{n:02d}", f"{first} {last}", f"{first}.{last}@tarnfield-example.com".lower(), role)
        for n, ((first, last), role) in enumerate(zip(names, _ROLES, strict=False), start=1)
    ]
