"""Who is in the world: companies and their people, with their true attributes (blank on no record yet)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from connector.playground.world import words
from connector.playground.world.scenario import Cast, Scenario

LOG_SIZE, SIZE = 4.7, 110.0
"""Mean natural logarithm of the employees of a company where the scenario's median is this (e to the 4.7, rounded)."""
SAME_PERSON = 0.4
"""of those who come to a company months after its first lead: the same person again"""


@dataclass(slots=True)
class Company:
    number: int
    name: str
    domain: str
    industry: str
    employees: int
    revenue: float
    country: str
    known: bool
    """has an account record; the others are only a name on a lead and a domain in its e-mail"""
    people: list[Lead] = field(default_factory=list)
    renamed: tuple[float, str, str] | None = None
    """the day of a rebrand, the new name and the new domain"""
    value: float = 1.0
    """multiple of the deals of a company of its size"""

    def name_on(self, day: float) -> str:
        return self.name if self.renamed is None or day < self.renamed[0] else self.renamed[1]


@dataclass(slots=True)
class Lead:
    """A lead as the generator knows it. Times are days since the world's start."""

    number: int
    company: Company
    created: float
    first_name: str
    last_name: str
    email: str
    source: str
    function: str
    seniority: int
    """index in words.SENIORITY"""
    hand_raiser: bool
    opted_out: bool
    slow: bool
    """buys on another clock: quiet in the first week, dark, then back"""
    heard_from: str
    interest: float
    true: dict[str, Any] = field(default_factory=dict)
    """the fields as they would stand if nobody had left anything blank"""
    marks: set[str] = field(default_factory=set)
    """which pathologies it is a case of (world/pathologies.py)"""
    sparse: float = 0.0
    """share of its fields that are blank at the least"""

    @property
    def key(self) -> str:
        return f"L{self.number:05d}"

    @property
    def scored(self) -> float:
        return self.created + 7.0


def make(
    rng: np.random.Generator, rnd: Random, leads: int, days: float, scenario: Scenario, ending: str = ""
) -> list[Lead]:
    """`leads` people at their companies, by time of arrival, over `days` days."""
    found: list[Lead] = []
    names: set[str] = set()
    while len(found) < leads:
        arrival = days * rnd.random()
        market = scenario.new_market
        new = market.share if arrival > days * market.after else None
        company = _company(rng, rnd, len(names), names, new, ending, scenario.cast)
        for when in _arrivals(rnd, arrival, days, scenario.world.committees)[: leads - len(found)]:
            lead = _lead(rng, rnd, company, when, scenario)
            company.people.append(lead)
            found.append(lead)
    found.sort(key=lambda lead: lead.created)
    for number, lead in enumerate(found, start=1):
        lead.number = number
        if lead.email.split("@")[1] in words.FREE_MAIL:
            lead.email = lead.email.replace("@", f".{number}@")
        lead.true["linkedin"] = f"linkedin.com/in/{lead.first_name}-{lead.last_name}-{number}".lower()
        lead.true["phone"] = f"+1 555 01{number % 100:02d} x{number}"
    return found


def _arrivals(rnd: Random, first: float, days: float, committees: float) -> list[float]:
    """One person mostly; a committee of 2-5 within days; now and then a second one months later."""
    chance = rnd.random()
    if chance < 0.96 - committees:
        return [first]
    if chance < 1 - committees:
        return [first, min(first + rnd.uniform(45, 220), days)]
    when = [first]
    for _ in range(rnd.choices((1, 2, 3, 4), (0.5, 0.27, 0.15, 0.08))[0]):
        when.append(min(when[-1] + rnd.expovariate(1 / 1.8), days))
    return when


def _company(
    rng: np.random.Generator, rnd: Random, number: int, names: set[str], new: float | None, ending: str,
    cast: Cast,
) -> Company:  # fmt: skip
    """`new`: share of the new industry, once it has entered."""
    stem = rnd.choice(words.COMPANY_STARTS) + rnd.choice(words.COMPANY_MIDDLES)
    while stem in names:
        stem += rnd.choice(words.COMPANY_MIDDLES)
    names.add(stem)
    stem += ending
    if new is not None and rnd.random() < new:
        industry = words.NEW_INDUSTRY[0]
    else:
        industry = _weighted(rnd, cast.industries)
    employees = max(
        2, min(60_000, round(float(rng.lognormal(LOG_SIZE + math.log(cast.size / SIZE), cast.size_spread))))
    )
    return Company(
        number=number + 1,
        name=stem + rnd.choice(words.COMPANY_ENDS),
        domain=f"{stem.lower()}-example.com",
        industry=industry,
        employees=employees,
        revenue=round(employees * 150_000 * float(rng.lognormal(0, 0.5)), -4),
        country=_weighted(rnd, {name: share for name, (share, _) in words.COUNTRIES.items()}),
        known=rnd.random() < (0.75 if employees >= 1000 else 0.5),
    )


def _lead(rng: np.random.Generator, rnd: Random, company: Company, when: float, scenario: Scenario) -> Lead:
    asks, mail, cast = scenario.hand_raisers, scenario.personal_mail, scenario.cast
    first, last = rnd.choice(words.FIRST_NAMES), rnd.choice(words.LAST_NAMES)
    follows = bool(company.people) and when - company.people[-1].created < 15
    source = _weighted(rnd, cast.sources)
    if follows and source == "outbound list":
        source = "web form"
    function = _weighted(rnd, cast.functions)
    seniority = {"executive": 4, "other": 0}.get(function)
    if seniority is None:
        seniority = words.SENIORITY.index(_weighted(rnd, cast.levels))
    inbound = source in ("web form", "paid search", "customer referral")
    slow = (
        company.employees >= 1000 or company.industry == "public sector"
    ) and rnd.random() < scenario.returners.share
    hand_raiser = rnd.random() < (asks.inbound if inbound else asks.others) * (0.5 if slow else 1.0)
    heard = words.COLLEAGUE if follows and rnd.random() < 0.45 else rnd.choice(words.HEARD_FROM)
    free = rnd.random() < (mail.small if company.employees < 50 else mail.others)
    address = rnd.choice(words.FREE_MAIL) if free else company.domain
    interest = (
        float(rng.normal())
        + 0.3 * inbound
        + 0.7 * hand_raiser
        + 0.12 * seniority
        - 0.9 * slow
        + 0.4 * follows
    )
    lead = Lead(
        0, company, when, first, last, f"{first}.{last}@{address}".lower(), source, function, seniority,
        hand_raiser, rnd.random() < 0.03, slow, heard, interest,
    )  # fmt: skip
    if hand_raiser:
        lead.sparse = asks.blanks
    lead.true = {
        "title": rnd.choice(cast.titles[f"{function} {words.SENIORITY[seniority]}"]),
        "industry": _spelling(rnd, _industry_names(company.industry)),
        "employees": company.employees,
        "annual_revenue": company.revenue,
        "country": _spelling(rnd, words.COUNTRIES[company.country][1]),
        "source": _spelling(rnd, cast.source_names[source]),
        "product_interest": rnd.choice(words.PRODUCTS),
        "use_case": rnd.choice(words.USE_CASES),
        "heard_from": heard,
    }
    if company.people and not follows and rnd.random() < SAME_PERSON:
        _again(rnd, lead, company.people[0])
    return lead


def _again(rnd: Random, lead: Lead, before: Lead) -> None:
    """The same person comes a second time, by a private address: two leads of one person."""
    lead.first_name, lead.last_name = before.first_name, before.last_name
    lead.function, lead.seniority = before.function, before.seniority
    lead.true["title"] = before.true["title"]
    lead.email = f"{lead.first_name}.{lead.last_name}@{rnd.choice(words.FREE_MAIL)}".lower()


def same_person(people: list[Lead]) -> list[tuple[str, str]]:
    """Pairs of leads that are one person, the older first; a third lead of theirs is in no pair."""
    found: list[tuple[str, str]] = []
    for lead in people:
        again = [
            other.key for other in lead.company.people
            if (other.first_name, other.last_name) == (lead.first_name, lead.last_name)
        ]  # fmt: skip
        if len(again) > 1 and lead.key == min(again):
            found.append((again[0], again[1]) if again[0] < again[1] else (again[1], again[0]))
    return found


def _industry_names(industry: str) -> Sequence[str]:
    """As people type it; one that a scenario brought, as it is written there or in small letters."""
    if industry == words.NEW_INDUSTRY[0]:
        return words.NEW_INDUSTRY[1]
    if industry in words.INDUSTRIES:
        return words.INDUSTRIES[industry][1]
    return industry, industry.lower()


def _weighted(rnd: Random, weights: Mapping[str, float]) -> str:
    return rnd.choices(list(weights), list(weights.values()))[0]


def _spelling(rnd: Random, spellings: Sequence[str]) -> str:
    """The usual spelling mostly, else a dirty one."""
    return spellings[0] if rnd.random() < 0.7 else rnd.choice(spellings)
