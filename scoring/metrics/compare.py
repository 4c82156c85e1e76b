"""Two models on the same leads: what the new one knows more than the old one, with the doubt about it (S4.4,
S7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.metrics.outcomes import Floats, Outcomes
from scoring.metrics.rates import bootstrap_ratio
from scoring.metrics.scores import Skill, losses, skill
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Comparison:
    """Skill of both over the base rate, and the share of the old model's log loss that the new one saves."""

    old: Skill
    new: Skill
    saved: float | None
    saved_low: float | None
    saved_high: float | None


def compare(outcomes: Outcomes, old: Floats, base_rate: float, policy: Policy, seed: int = 0) -> Comparison:
    """`old` are the old model's probabilities for the same leads, NaN where it gave none (left out)."""
    known = ~np.isnan(old)
    part, before = outcomes.where(known), old[known]
    ours = skill(part.won, part.probability, base_rate, policy)
    theirs = skill(part.won, before, base_rate, policy)
    if not (ours.enough and theirs.enough):
        return Comparison(theirs, ours, None, None, None)
    new_loss, old_loss = losses(part.won, part.probability), losses(part.won, before)
    low, high = bootstrap_ratio(new_loss, old_loss, policy.metrics.level, seed)
    saved = float(1 - new_loss.sum() / old_loss.sum())
    return Comparison(theirs, ours, saved, 1 - high, 1 - low)
