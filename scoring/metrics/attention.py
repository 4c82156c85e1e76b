"""Who gets attention, and what comes of it: leads by confidence × value (S7.5), and reviewed leads (S5.7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.metrics.four import VALUE_BANDS
from scoring.metrics.outcomes import Bools, Outcomes
from scoring.metrics.rates import Rate, rate
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Cell:
    confidence: str
    value: str
    leads: int
    reached: Rate
    """sent to a person"""
    converted: Rate
    """of those, won"""


def attention(outcomes: Outcomes, policy: Policy) -> tuple[Cell, ...]:
    """One cell per band of confidence and band of predicted value."""
    bound = (0.0, policy.words.edge_case_confidence, policy.quadrants.feedback_below, np.inf)
    names = (f"below {bound[1]:g}", f"{bound[1]:g} to {bound[2]:g}", f"{bound[2]:g} and more")
    amount, cells = np.nan_to_num(outcomes.predicted_amount), []
    for name, low, high in zip(names, bound[:-1], bound[1:], strict=True):
        sure = (outcomes.confidence >= low) & (outcomes.confidence < high)
        for band, least, most in VALUE_BANDS:
            part = outcomes.where(sure & (amount >= least) & (amount < most))
            routed = part.where(part.reached_person)
            cells.append(
                Cell(name, band, len(part), rate(part.reached_person, policy), rate(routed.won, policy))
            )
    return tuple(cells)


@dataclass(frozen=True, slots=True)
class Group:
    who: str
    converted: Rate
    promised: float | None
    mean_deal: float | None
    """mean won amount, in the org's currency"""


def reviewed(outcomes: Outcomes, policy: Policy) -> tuple[Group, Group, Group]:
    """Leads that went through review, unsure leads that did not, and leads we were sure of (S5.7)."""
    review = outcomes.text("route") == "review"
    unsure = outcomes.confidence < policy.quadrants.high_confidence
    return (
        _group("Reviewed", outcomes, review, policy),
        _group("Unsure, not reviewed", outcomes, unsure & ~review, policy),
        _group("We were sure", outcomes, ~unsure & ~review, policy),
    )


def _group(who: str, outcomes: Outcomes, mask: Bools, policy: Policy) -> Group:
    part = outcomes.where(mask)
    deals = part.amount[part.won & (part.amount > 0)]
    return Group(
        who=who,
        converted=rate(part.won, policy),
        promised=float(part.probability.mean()) if len(part) else None,
        mean_deal=float(deals.mean()) if len(deals) else None,
    )
