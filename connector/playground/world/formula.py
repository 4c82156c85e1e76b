"""The truth: the chance of a won deal within 180 days after the first scoring, at the age of a week.

    p = sigmoid(intercept + sum of effects[c] * column c)

The columns are those of `EFFECTS`, then those that a scenario's pathologies add (world/pathologies.py), and are
what `Truth.rows` holds: true attributes, also where the record is blank, and log-scaled counts of what persons did.
The intercept is set so that the mean of p is the scenario's base rate; where its channels are calibrated, each
source's effect and the intercept are set so that each source converts at its rate.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from connector.playground.world import pathologies, words
from connector.playground.world.cast import Lead
from connector.playground.world.scenario import Scenario
from connector.playground.world.week import Week

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


def effects(scenario: Scenario) -> dict[str, float]:
    """Log odds of every column in a scenario, before its sources are calibrated."""
    changed = {
        "slow clock": scenario.returners.lift,
        "hand-raiser": scenario.hand_raisers.lift,
        "industry climate technology": scenario.new_market.lift,
    }
    told = {name: changed.get(name, effect) for name, effect in EFFECTS.items()}
    for name in told:
        if name.startswith("source "):
            told[name] *= scenario.channels.effect
    return told | pathologies.effects(scenario)


def row(lead: Lead, week: Week, names: Collection[str]) -> list[float]:
    """One lead's values of the columns of `names`."""
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
    if len(names) > len(EFFECTS):
        values |= pathologies.columns(lead, week)
    return [float(values[name]) for name in names]


def probabilities(
    rows: np.ndarray, told: dict[str, float], sources: list[str], scenario: Scenario, kept: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """p of each row if the lead is worked, and the effects that gave it, sources as calibrated and the intercept with them.
    `kept`: the share of p that is left to a lead as the world's reps treat it. It is those chances that meet the rates."""
    channels = scenario.channels
    if not channels.calibrated:
        linear = rows @ np.array(list(told.values()))
        intercept = _shift(linear, scenario.world.base_rate, kept)
        return _sigmoid(linear + intercept), {**told, "intercept": intercept}
    rest = np.array([0.0 if name.startswith("source ") else effect for name, effect in told.items()])
    linear, of = rows @ rest, np.array(sources)
    shift = {
        source: _shift(linear[of == source], rate, kept[of == source])
        for source, rate in channels.rates.items()
    }
    fitted = {name: shift[name.removeprefix("source ")] - shift["web form"] if name.startswith("source ") else effect
              for name, effect in told.items()}  # fmt: skip
    linear = rows @ np.array(list(fitted.values())) + shift["web form"]
    return _sigmoid(linear), {**fitted, "intercept": shift["web form"]}


def _shift(linear: np.ndarray, rate: float, kept: np.ndarray) -> float:
    """What to add to the log odds so that their mean chance, as far as it is kept, is `rate` (bisection); 0 for none."""
    if not len(linear):
        return 0.0
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if (kept * _sigmoid(linear + middle)).mean() < rate:
            low = middle
        else:
            high = middle
    return low


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))
