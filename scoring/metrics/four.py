"""The four measures of S8.1: precision by value, recall by source, hand-raisers, low confidence routed
anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import Rate, Share, rate, share
from scoring.routing.policy import Policy

VALUE_BANDS: tuple[tuple[str, float, float], ...] = (
    ("0-10K", 0, 10_000),
    ("10-50K", 10_000, 50_000),
    ("50-100K", 50_000, 100_000),
    ("100K+", 100_000, np.inf),
)
"""by predicted amount, in the org's currency (S8.1)"""

CHANNELS = ("inbound", "outbound", "partner", "event")
"""always shown (S8.1), others after them"""

FALLING_Z = -1.645
"""one-sided 5 %: a trend below it is called falling"""


@dataclass(frozen=True, slots=True)
class Precision:
    """Of leads scored `above` or more in a value band: what converted, what they promised."""

    band: str
    above: float
    observed: Rate
    promised: float | None
    revenue: Share
    """weighted by predicted amount"""


@dataclass(frozen=True, slots=True)
class PrecisionByValue:
    above: float
    bands: tuple[Precision, ...]
    falling: bool
    """the bigger the deal, the more the promise is missed: a finding"""


def precision_by_value(outcomes: Outcomes, policy: Policy, above: float) -> PrecisionByValue:
    """Precision of leads scored `above` or more, by predicted value band."""
    high = outcomes.where(outcomes.score >= above)
    amount = np.nan_to_num(high.predicted_amount)
    bands, index = [], np.zeros(len(high))
    for i, (name, low, top) in enumerate(VALUE_BANDS):
        inside = (amount >= low) & (amount < top)
        index[inside] = i
        part = high.where(inside)
        bands.append(
            Precision(
                band=name,
                above=above,
                observed=rate(part.won, policy),
                promised=_mean(part.probability),
                revenue=share(part.won, part.predicted_amount, policy),
            )
        )
    return PrecisionByValue(above, tuple(bands), _falls(index, high.won, high.probability, policy))


def _falls(index: Floats, won: Bools, promised: Floats, policy: Policy) -> bool:
    """Whether outcome minus promise declines over the bands (a score test for trend)."""
    if len(won) < 2 * policy.metrics.outcomes:
        return False
    centred = index - index.mean()
    spread = float(np.sum(centred**2 * promised * (1 - promised)))
    return spread > 0 and float(np.sum(centred * (won - promised))) / spread**0.5 < FALLING_Z


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the winners of a channel, the share that scored at or above their threshold, and that reached a
    person.
    """

    channel: str
    qualified: Rate
    reached: Rate
    revenue: Share
    """of their won amounts, the share on leads that qualified"""


def recall_by_channel(outcomes: Outcomes, policy: Policy) -> tuple[Recall, ...]:
    channels = outcomes.text("channel")
    seen = sorted({str(c) for c in channels if c} - set(CHANNELS))
    qualified, need = qualifies(outcomes, policy), policy.metrics.wins
    found = []
    for channel in (*CHANNELS, *seen):
        mask = (channels == channel) & outcomes.won
        winners = outcomes.where(mask)
        found.append(
            Recall(
                channel=channel,
                qualified=rate(qualified[mask], policy, need),
                reached=rate(winners.reached_person, policy, need),
                revenue=share(qualified[mask], winners.amount, policy, need),
            )
        )
    return tuple(found)


def qualifies(outcomes: Outcomes, policy: Policy) -> Bools:
    """Whether each lead scored at or above the threshold it had (the established one where none was
    recorded).
    """
    recorded = np.isnan(outcomes.threshold)
    return outcomes.score >= np.where(recorded, policy.thresholds.established, outcomes.threshold)


@dataclass(frozen=True, slots=True)
class HandRaisers:
    n: int
    unreached: Rate
    """reached no person: the alarm sounds at the first"""
    alarm: bool
    below: Rate
    """scored below their threshold"""
    won_below: Rate
    """of those below, how many were won nevertheless"""
    promised_below: float
    """wins that the probabilities of those below promised"""
    revenue_below: float


def hand_raisers(outcomes: Outcomes, policy: Policy) -> HandRaisers:
    raised = outcomes.where(outcomes.hand_raiser)
    low = raised.where(~qualifies(raised, policy))
    return HandRaisers(
        n=len(raised),
        unreached=rate(~raised.reached_person, policy),
        alarm=bool((~raised.reached_person).any()),
        below=rate(~qualifies(raised, policy), policy),
        won_below=rate(low.won, policy),
        promised_below=float(low.probability.sum()),
        revenue_below=float(low.amount.sum()),
    )


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of leads that reached a person: what converted and what was promised."""

    who: str
    observed: Rate
    promised: float | None
    revenue: Share


@dataclass(frozen=True, slots=True)
class Confidence:
    low: Conversion
    high: Conversion
    by_band: tuple[Conversion, ...]


def by_confidence(outcomes: Outcomes, policy: Policy) -> Confidence:
    """Conversion of low-confidence leads routed anyway, beside high-confidence ones, and in bands."""
    routed = outcomes.where(outcomes.reached_person)
    q, edge = policy.quadrants, policy.words.edge_case_confidence
    bounds = sorted({0.0, 40.0, q.review_below, q.high_confidence, q.feedback_below, 100.0})
    bands = tuple(
        _conversion(f"{low:g}-{high:g}", routed, _between(routed.confidence, low, high), policy)
        for low, high in pairwise(bounds)
    )
    return Confidence(
        _conversion(f"below {edge:g}", routed, routed.confidence < edge, policy),
        _conversion(f"{edge:g} and more", routed, routed.confidence >= edge, policy),
        bands,
    )


def _between(values: Floats, low: float, high: float) -> Bools:
    return (values >= low) & (values < (np.inf if high == 100 else high))


def _conversion(who: str, outcomes: Outcomes, mask: Bools, policy: Policy) -> Conversion:
    part = outcomes.where(mask)
    return Conversion(
        who, rate(part.won, policy), _mean(part.probability), share(part.won, part.predicted_amount, policy)
    )


@dataclass(frozen=True, slots=True)
class Lucky:
    """Winners that qualified, but were won for reasons nobody expected: right by luck (S8.2)."""

    right: int
    lucky: Rate


def lucky(outcomes: Outcomes, policy: Policy) -> Lucky:
    right = outcomes.where(outcomes.won & qualifies(outcomes, policy))
    return Lucky(len(right), rate(right.surprise, policy, policy.metrics.wins))


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
