"""Error budgets: how many winners among its edge cases a segment may miss, and whether it does (S8.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scoring.metrics.outcomes import Bools, Outcomes
from scoring.metrics.rates import Rate, Share, rate, share
from scoring.routing.policy import Policy

DEAR = 2.0
"""times the org's mean won deal: from it a segment's deals are called dear"""

State = Literal["ok", "at risk", "exceeded", "too few outcomes"]


@dataclass(frozen=True, slots=True)
class Budget:
    """`state` is "exceeded" when even the interval's low end is over the budget, "at risk" when the rate is
    over it but may be chance, "ok" when it is not, and "too few outcomes" below the needed number of winners.
    """

    segment: str
    title: str
    budget: float
    missed: Rate
    revenue: Share
    edge_cases: int
    state: State
    capacity_hours: float
    """review hours a day that the rate rests on"""


def budgets(outcomes: Outcomes, policy: Policy) -> tuple[Budget, ...]:
    """The state of every budget. A lead counts in the first that fits; other segments each have their own."""
    named = assign(outcomes)
    limits = policy.budgets
    rows = [
        ("hand_raiser", "Hand-raisers, any segment", limits.hand_raiser),
        ("enterprise", "Enterprise, any source", limits.enterprise),
        ("mid_market_outbound", "Mid-market outbound", limits.mid_market_outbound),
        ("smb_inbound", "SMB inbound", limits.smb_inbound),
    ]
    others = sorted(set(named) - {name for name, _, _ in rows})
    rows += [(name, name.removeprefix("other: "), limits.other) for name in others]
    edge = outcomes.edge_case
    return tuple(
        _budget(name, title, limit, outcomes.where((named == name) & edge), policy)
        for name, title, limit in rows
    )


def assign(outcomes: Outcomes) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """The budget each lead counts in: the first that fits."""
    size, channel = outcomes.text("size_band"), outcomes.text("channel")
    segment = outcomes.text("segment")
    first: list[tuple[str, Bools]] = [
        ("hand_raiser", outcomes.hand_raiser),
        ("enterprise", size == "enterprise"),
        ("mid_market_outbound", (size == "mid_market") & (channel == "outbound")),
        ("smb_inbound", (size == "smb") & (channel == "inbound")),
    ]
    named = np.array([f"other: {s or 'no segment'}" for s in segment] + [""], dtype=object)[:-1]
    for name, mask in reversed(first):
        named[mask] = name
    return named


def _budget(name: str, title: str, limit: float, edge: Outcomes, policy: Policy) -> Budget:
    winners = edge.where(edge.won)
    missed = rate(~winners.reached_person, policy, policy.metrics.wins)
    revenue = share(~winners.reached_person, winners.amount, policy, policy.metrics.wins)
    return Budget(
        name, title, limit, missed, revenue, len(edge), _state(missed, limit), policy.review.capacity_hours
    )


def _state(missed: Rate, limit: float) -> State:
    if missed.value is None or missed.low is None:
        return "too few outcomes"
    if missed.value <= limit:
        return "ok"
    return "exceeded" if missed.low > limit else "at risk"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A budget that `policy suggest` proposes for a segment without one of its own."""

    segment: str
    budget: float
    winners: int
    revenue: float
    why: str


def propose(outcomes: Outcomes, policy: Policy) -> tuple[Proposal, ...]:
    """Frequent and cheap segments may miss 10-15 %, rare and dear ones 3-5 %; within it, the dearer the
    stricter.
    """
    named, limits = assign(outcomes), policy.budgets
    segments = sorted({n for n in named if n.startswith("other: ")})
    rows = []
    for name in segments:
        winners = outcomes.where((named == name) & outcomes.won)
        if len(winners) >= policy.metrics.wins:
            rows.append((name, len(winners), float(winners.value.mean())))
    if not rows:
        return ()
    winners_of = np.array([n for _, n, _ in rows], dtype=np.float64)
    values = np.array([v for _, _, v in rows])
    typical_value = float(np.sum(values * winners_of) / winners_of.sum())
    order = np.argsort(np.argsort(values)) / max(len(rows) - 1, 1)
    found = []
    for (name, n, value), rank in zip(rows, order, strict=True):
        dear = value >= DEAR * typical_value and n <= float(winners_of.mean())
        low, high = (
            (limits.rare_low, limits.rare_high) if dear else (limits.frequent_low, limits.frequent_high)
        )
        why = "rare and dear" if dear else "frequent or cheap"
        budget = round(high - (high - low) * float(rank), 3)
        found.append(Proposal(name.removeprefix("other: "), budget, n, n * value, why))
    return tuple(found)
