"""The truth: the chance of a won deal within 180 days after the first scoring, at the age of a week.

    p = sigmoid(intercept + sum of EFFECTS[c] * column c)

The columns are those of `EFFECTS`, in that order, and are what `Truth.rows` holds: true attributes, also
where the record is blank, and log-scaled counts of what persons did. The intercept is set so that the mean of
p is BASE_RATE.
"""

from __future__ import annotations

import math

import numpy as np

from connector.playground.world import words
from connector.playground.world.cast import Lead
from connector.playground.world.week import Week

BASE_RATE = 0.10
HORIZON_DAYS = 180

EFFECTS: dict[str, float] = {  # log odds per unit; the reference is a business person from a web form
    "source webinar": -0.25,
    "source partner referral": 0.75,
    "source outbound list": -0.85,
    "source event": -0.35,
    "source paid search": -0.4,
    "source customer referral": 0.8,
    "function technical": 0.05,
    "function executive": 0.35,
    "function other": -1.5,
    "seniority (0-4)": 0.12,
    "distance from 250 employees, log10, squared": -0.4,
    "industry software": 0.35,
    "industry education": -0.5,
    "industry public sector": -0.3,
    "industry climate technology": 0.9,
    "hand-raiser": 1.0,
    "slow clock": 0.9,
    "log(1 + page views)": 0.3,
    "came back within 48 h": 0.3,
    "pricing and a case study": 0.6,
    "log(1 + documentation)": 0.15,
    "replied": 0.9,
    "forwarded": 0.4,
    "heard of us from a colleague": 0.35,
    "log(1 + colleagues)": 0.6,
    "days since the last touch": -0.12,
    "technical × log(1 + documentation)": 0.4,
    "outbound × replied": 0.6,
    "under 20 employees × log(1 + page views)": -0.3,
}


def row(lead: Lead, week: Week) -> list[float]:
    """One lead's values of the columns of EFFECTS."""
    company = lead.company
    views, documents = math.log1p(week.views), math.log1p(week.documentation)
    colleagues = sum(
        other is not lead and lead.scored - 30 <= other.created <= lead.scored for other in company.people
    )
    technical, outbound = lead.function == "technical", lead.source == "outbound list"
    values = {
        **{f"source {source}": lead.source == source for source in words.SOURCES if source != "web form"},
        **{f"function {name}": lead.function == name for name in words.FUNCTIONS if name != "business"},
        "seniority (0-4)": lead.seniority,
        "distance from 250 employees, log10, squared": (math.log10(company.employees) - math.log10(250)) ** 2,
        **{f"industry {name}": company.industry == name for name in
           ("software", "education", "public sector", "climate technology")},
        "hand-raiser": lead.hand_raiser,
        "slow clock": lead.slow,
        "log(1 + page views)": views,
        "came back within 48 h": week.returned,
        "pricing and a case study": week.pricing and week.case_study,
        "log(1 + documentation)": documents,
        "replied": week.replied,
        "forwarded": week.forwarded,
        "heard of us from a colleague": lead.heard_from == words.COLLEAGUE,
        "log(1 + colleagues)": math.log1p(colleagues),
        "days since the last touch": 7.0 - week.last,
        "technical × log(1 + documentation)": technical * documents,
        "outbound × replied": outbound and week.replied,
        "under 20 employees × log(1 + page views)": (company.employees < 20) * views,
    }  # fmt: skip
    return [float(values[name]) for name in EFFECTS]


def probabilities(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """p of each row, and the intercept that makes their mean BASE_RATE (bisection)."""
    linear = rows @ np.array(list(EFFECTS.values()))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if _sigmoid(linear + middle).mean() < BASE_RATE:
            low = middle
        else:
            high = middle
    return _sigmoid(linear + low), low


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))
