"""Whether a deviation flag matters: outcomes of flagged leads against like unflagged ones (S8.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import Rate, rate
from scoring.routing.policy import Policy

STRATA = 10
"""like leads share a tenth of the probability scale (by rank)"""

MATTERS_Z = 1.96
"""a difference beyond it (5 %, two-sided) is called one"""

REMOVABLE_LEADS = 200
"""flagged leads whose outcomes are needed before a flag that never mattered is proposed for removal"""


@dataclass(frozen=True, slots=True)
class FlagOutcome:
    flag: str
    flagged: Rate
    like: float | None
    """conversion of unflagged leads with like probabilities"""
    promised: float | None
    revenue: float
    """won amount of flagged leads"""
    finding: str
    """"matters", "no difference so far", "proposed for removal" or "not enough outcomes yet …" """


def flag_outcomes(outcomes: Outcomes, policy: Policy) -> tuple[FlagOutcome, ...]:
    """One entry per flag, the most frequent first."""
    names = sorted({flag for flags in outcomes.flags for flag in flags})
    strata = _strata(outcomes.probability)
    found = []
    for name in names:
        mask = np.fromiter((name in flags for flags in outcomes.flags), bool, len(outcomes))
        part = outcomes.where(mask)
        observed = rate(part.won, policy)
        like, error = _like(outcomes.won, mask, strata)
        found.append(
            FlagOutcome(
                flag=name,
                flagged=observed,
                like=like,
                promised=float(part.probability.mean()),
                revenue=float(part.amount.sum()),
                finding=_finding(observed, like, error, part),
            )
        )
    return tuple(sorted(found, key=lambda f: (-f.flagged.n, f.flag)))


def _strata(probability: Floats) -> Floats:
    ranks = np.argsort(np.argsort(probability, kind="stable"), kind="stable")
    return np.floor(ranks * STRATA / max(len(ranks), 1))


def _like(won: Bools, flagged: Bools, strata: Floats) -> tuple[float | None, float]:
    """Conversion of unflagged leads, weighted to the strata of the flagged, and its standard error."""
    total, variance, weight = 0.0, 0.0, 0.0
    for stratum in np.unique(strata[flagged]):
        here = strata == stratum
        others = won[here & ~flagged]
        if not len(others):
            continue
        share = float((here & flagged).sum())
        mean = float(others.mean())
        total, weight = total + share * mean, weight + share
        variance += share**2 * max(mean * (1 - mean), 1 / (4 * len(others))) / len(others)
    return (total / weight, variance**0.5 / weight) if weight else (None, 0.0)


def _finding(observed: Rate, like: float | None, error: float, part: Outcomes) -> str:
    if observed.value is None or like is None:
        return observed.text if observed.value is None else "no like leads to compare with"
    own = float(np.mean(part.probability * (1 - part.probability))) / observed.n
    apart = abs(observed.value - like) > MATTERS_Z * (own + error**2) ** 0.5
    if apart:
        return "matters"
    return "proposed for removal" if observed.n >= REMOVABLE_LEADS else "no difference so far"
