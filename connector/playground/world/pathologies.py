"""What a scenario does to the cast: who is a case of which pathology.

Each pathology draws from a stream of its own, named by the seed and by itself: switching one off leaves the draws
of all the others as they were.
"""

from __future__ import annotations

import math
from random import Random

from connector.playground.world import words
from connector.playground.world.cast import Company, Lead
from connector.playground.world.scenario import Scenario
from connector.playground.world.week import Week

MONTH_DAYS = 365.25 / 12
COMMITTEE_DAYS = 30.0
REBRAND_GAP_DAYS = 30.0
"""A company that renames does so between two leads at least so far apart."""

CAUSE = {  # mark -> what a benchmark calls it, the rarest first
    "researcher": "private-equity researcher",
    "rebrand": "rebrand",
    "referral": "untracked referral",
    "persona": "new persona",
    "outsider": "outside the profile",
    "carried": "champion without a title",
}


def mark(scenario: Scenario, people: list[Lead], seed: int) -> None:
    """Turn leads and companies into cases, in place."""
    companies = list({lead.company.number: lead.company for lead in people}.values())
    _researchers(scenario, companies, Random(f"{seed}/researchers"))
    _outsiders(scenario, companies, Random(f"{seed}/outsiders"))
    _new_persona(scenario, people, Random(f"{seed}/new persona"))
    _committees(scenario, companies, Random(f"{seed}/committees"))
    _rebrands(scenario, companies, Random(f"{seed}/rebrands"))
    _referrals(scenario, people, Random(f"{seed}/referrals"))


def columns(lead: Lead, week: Week) -> dict[str, float]:
    """The columns of the truth that pathologies add (world/formula.py has the ordinary ones)."""
    big, outbound = lead.company.employees >= 1000, lead.source == "outbound list"
    boss = "carried" in lead.marks and "champion" not in lead.marks and lead.seniority >= 3
    values = {
        "outside the ideal profile": "outsider" in lead.marks,
        "researcher of a private-equity firm": "researcher" in lead.marks,
        "new persona": "persona" in lead.marks,
        "champion without a title": "carried" in lead.marks,
        "boss in a committee that another carries": boss,
        "known to us under an old name": "rebrand" in lead.marks,
        "referred, and filed elsewhere": "referral" in lead.marks,
        "enterprise × log(1 + page views)": big * math.log1p(week.views),
        "enterprise × log(1 + documentation)": big * math.log1p(week.documentation),
        "enterprise × seniority": big * lead.seniority,
        "outbound × pricing and a case study": outbound and week.pricing and week.case_study,
    }
    return {name: float(value) for name, value in values.items()}


def effects(scenario: Scenario) -> dict[str, float]:
    """Log odds of those columns; none for a pathology that is off."""
    flip = scenario.flips.strength
    found = {
        "outside the ideal profile": scenario.outsiders.share and scenario.outsiders.lift,
        "researcher of a private-equity firm": scenario.researchers.share and scenario.researchers.lift,
        "new persona": scenario.new_persona.share and scenario.new_persona.lift,
        "champion without a title": scenario.committees.champions and scenario.committees.lift,
        "boss in a committee that another carries": scenario.committees.champions and scenario.committees.bosses,
        "known to us under an old name": scenario.rebrands.share and scenario.rebrands.lift,
        "referred, and filed elsewhere": scenario.referrals.share and scenario.referrals.lift,
        "enterprise × log(1 + page views)": -0.65 * flip,
        "enterprise × log(1 + documentation)": 0.5 * flip,
        "enterprise × seniority": -0.3 * flip,
        "outbound × pricing and a case study": -1.0 * flip,
    }  # fmt: skip
    return {name: effect for name, effect in found.items() if effect}


def _researchers(scenario: Scenario, companies: list[Company], rnd: Random) -> None:
    for company in companies:
        chosen, size, title = rnd.random() < scenario.researchers.share, rnd.uniform(0, 1), rnd.random()
        if not chosen or len(company.people) > 1 or company.industry == words.NEW_INDUSTRY[0]:
            continue
        company.industry, company.value = words.PRIVATE_EQUITY[0], scenario.researchers.value
        company.employees = round(6 * 12**size)
        company.revenue = company.employees * 400_000.0
        lead = company.people[0]
        lead.function, lead.seniority, lead.slow = "other", 0, False
        lead.marks.add("researcher")
        lead.true |= {
            "title": words.RESEARCHERS[int(title * len(words.RESEARCHERS))],
            "industry": words.PRIVATE_EQUITY[1][int(size * len(words.PRIVATE_EQUITY[1]))],
            "employees": company.employees, "annual_revenue": company.revenue,
        }  # fmt: skip


def _outsiders(scenario: Scenario, companies: list[Company], rnd: Random) -> None:
    names = list(words.OUTSIDERS)
    for company in companies:
        chosen, which = rnd.random() < scenario.outsiders.share, names[int(rnd.random() * len(names))]
        if not chosen or company.industry in (words.NEW_INDUSTRY[0], words.PRIVATE_EQUITY[0]):
            continue
        company.industry = which
        for lead in company.people:
            spelling = words.OUTSIDERS[which][
                0 if lead.number % 3 else lead.number % len(words.OUTSIDERS[which])
            ]
            lead.true["industry"] = spelling
            lead.marks.add("outsider")
            lead.sparse = max(lead.sparse, scenario.outsiders.blanks)


def _new_persona(scenario: Scenario, people: list[Lead], rnd: Random) -> None:
    since = scenario.new_persona.from_month * MONTH_DAYS
    for lead in people:
        chosen, title = rnd.random() < scenario.new_persona.share, rnd.random()
        if chosen and lead.created >= since and "researcher" not in lead.marks:
            lead.function, lead.seniority = "other", 0
            lead.true["title"] = words.NEW_PERSONA[int(title * len(words.NEW_PERSONA))]
            lead.marks.add("persona")


def _committees(scenario: Scenario, companies: list[Company], rnd: Random) -> None:
    """The first of those lowest in rank carries a committee of three or more."""
    for company in companies:
        chosen, first = rnd.random() < scenario.committees.champions, company.people[0].created
        committee = [lead for lead in company.people if lead.created < first + COMMITTEE_DAYS]
        if not chosen or len(committee) < 3:
            continue
        min(committee, key=lambda lead: (lead.seniority, lead.created)).marks.add("champion")
        for lead in committee:
            lead.marks.add("carried")


def _rebrands(scenario: Scenario, companies: list[Company], rnd: Random) -> None:
    for company in companies:
        chosen = rnd.random() < scenario.rebrands.share
        start, ending = rnd.choice(words.COMPANY_STARTS), rnd.choice(words.COMPANY_MIDDLES)
        first, last = company.people[0].created, company.people[-1].created
        if not chosen or last - first < REBRAND_GAP_DAYS:
            continue
        stem = f"{start}{ending}{company.number}"
        company.renamed = ((first + last) / 2, stem.title(), f"{stem.lower()}-example.com")
        for lead in company.people:
            if lead.created >= company.renamed[0]:
                lead.email = lead.email.replace(f"@{company.domain}", f"@{company.renamed[2]}")
                lead.marks.add("rebrand")


def _referrals(scenario: Scenario, people: list[Lead], rnd: Random) -> None:
    for lead in people:
        if rnd.random() < scenario.referrals.share and lead.source not in (
            "customer referral",
            "partner referral",
        ):
            lead.marks.add("referral")
            if lead.heard_from == words.COLLEAGUE:
                lead.heard_from = lead.true["heard_from"] = "Search"
