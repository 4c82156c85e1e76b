"""Edge cases first: how much hangs on them, how well they are predicted, how many winners among them were
missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import Rate, Share, rate, share
from scoring.metrics.scores import Skill, skill
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class MissRate:
    """Of the winners that were edge cases, the share sent to no person, beside what other ways would have
    missed.

    `routed` of `n` edge cases went to a person; `by_lot` and `perfect` send as many. Nobody misses all
    winners and costs no hours, everybody misses none and costs all of them.
    """

    plain: Rate
    revenue: Share
    n: int
    routed: int
    nobody: float
    everybody: float
    by_lot: float | None
    by_score: float | None
    """the same number, the highest scores first"""
    perfect: float | None
    """the same number by the true chances, on worlds where they are known"""


@dataclass(frozen=True, slots=True)
class EdgeCases:
    leads: Rate
    """edge cases' share of leads"""
    pipeline: Share
    """their share of the predicted value: probability × predicted amount"""
    revenue: Share
    """their share of won amounts"""
    wins: Rate
    """their share of winners"""
    skill: Skill
    skill_elsewhere: Skill
    """of all leads that are no edge cases"""
    missed: MissRate
    base_rate: float


def edge_cases(
    outcomes: Outcomes, policy: Policy, *, base_rate: float | None = None, truth: Floats | None = None
) -> EdgeCases:
    """All about edge cases. `base_rate` is the org's at training, else that of the table; `truth` the true
    chances.
    """
    edge, expected = outcomes.edge_case, outcomes.probability * np.nan_to_num(outcomes.predicted_amount)
    base = base_rate if base_rate is not None else float(outcomes.won.mean()) if len(outcomes) else 0.0
    inside, others = outcomes.where(edge), outcomes.where(~edge)
    return EdgeCases(
        leads=rate(edge, policy),
        pipeline=share(edge, expected, policy),
        revenue=share(edge, outcomes.amount, policy, needed=policy.metrics.wins),
        wins=rate(edge[outcomes.won], policy, needed=policy.metrics.wins),
        skill=skill(inside.won, inside.probability, base, policy),
        skill_elsewhere=skill(others.won, others.probability, base, policy),
        missed=miss_rate(inside, policy, None if truth is None else truth[edge]),
        base_rate=base,
    )


def miss_rate(edge: Outcomes, policy: Policy, truth: Floats | None = None) -> MissRate:
    """The miss rate of a table that holds edge cases only."""
    winners = edge.where(edge.won)
    routed, n = int(edge.reached_person.sum()), len(edge)
    return MissRate(
        plain=rate(~winners.reached_person, policy, needed=policy.metrics.wins),
        revenue=share(~winners.reached_person, winners.amount, policy, needed=policy.metrics.wins),
        n=n,
        routed=routed,
        nobody=1.0,
        everybody=0.0,
        by_lot=1 - routed / n if n else None,
        by_score=_missed_by_rank(edge.won, edge.score, routed),
        perfect=None if truth is None else _missed_by_rank(edge.won, truth, routed),
    )


def _missed_by_rank(won: Bools, rank: Floats, routed: int) -> float | None:
    if not won.any():
        return None
    return float(won[np.argsort(-rank, kind="stable")[routed:]].sum() / won.sum())
