"""How good probabilities are, in plain numpy: ranking (AUC), log loss, Brier score, calibration, skill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import Rate, bootstrap_ratio, rate
from scoring.routing.policy import Policy

EDGE = 1e-12
"""probabilities are kept this far from 0 and 1, so that a log loss is finite"""


def auc(won: ArrayLike, probability: ArrayLike) -> float | None:
    """The chance that a winner is ranked above a loser, ties counting half; None without both."""
    y, p = np.asarray(won, dtype=bool), np.asarray(probability, dtype=np.float64)
    winners, losers = int(y.sum()), int((~y).sum())
    if not winners or not losers:
        return None
    return float((rankdata(p)[y].sum() - winners * (winners + 1) / 2) / (winners * losers))


def auc_error(value: float, winners: int, losers: int) -> float:
    """Standard error of an AUC told from so many of each (Hanley and McNeil 1982)."""
    above, twice = value / (2 - value), 2 * value**2 / (1 + value)
    spread = (winners - 1) * (above - value**2) + (losers - 1) * (twice - value**2)
    return float(np.sqrt((value * (1 - value) + spread) / (winners * losers)))


def losses(won: ArrayLike, probability: ArrayLike) -> Floats:
    """The log loss of each prediction, in nats."""
    y, p = np.asarray(won, dtype=bool), np.clip(np.asarray(probability, dtype=np.float64), EDGE, 1 - EDGE)
    return -np.log(np.where(y, p, 1 - p))


def log_loss(won: ArrayLike, probability: ArrayLike) -> float | None:
    """Mean log loss in nats; None for no rows."""
    each = losses(won, probability)
    return float(each.mean()) if each.size else None


def brier(won: ArrayLike, probability: ArrayLike) -> float | None:
    """Mean squared error of the probabilities; None for no rows."""
    error = np.asarray(probability, dtype=np.float64) - np.asarray(won, dtype=bool)
    return float(np.mean(error**2)) if error.size else None


def ece(won: ArrayLike, probability: ArrayLike, bins: int = 10) -> float | None:
    """Expected calibration error over bins of equal size: the mean gap between promise and outcome."""
    y, p = np.asarray(won, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if not y.size:
        return None
    parts = np.array_split(np.argsort(p, kind="stable"), min(bins, y.size))
    return float(sum(len(i) * abs(y[i].mean() - p[i].mean()) for i in parts) / y.size)


@dataclass(frozen=True, slots=True)
class Skill:
    """1 − log loss / log loss of always saying the base rate: 0 is no better than it, 1 perfect, below 0
    worse.
    """

    n: int
    wins: int
    needed: int
    base_rate: float
    value: float | None
    low: float | None
    high: float | None
    log_loss: float | None
    log_loss_of_base: float | None

    @property
    def enough(self) -> bool:
        return self.value is not None


def skill(won: Bools, probability: Floats, base_rate: float, policy: Policy, seed: int = 0) -> Skill:
    """Skill over the base rate, with a bootstrap interval over leads."""
    needed, n, wins = policy.metrics.outcomes, len(won), int(np.sum(won))
    base = float(np.clip(base_rate, 1e-4, 1 - 1e-4))
    if n < needed or not wins:
        return Skill(n, wins, needed, base, None, None, None, None, None)
    ours, theirs = losses(won, probability), losses(won, np.full(n, base))
    low, high = bootstrap_ratio(ours, theirs, policy.metrics.level, seed)
    value = 1 - ours.sum() / theirs.sum()
    return Skill(
        n, wins, needed, base, float(value), 1 - high, 1 - low, float(ours.mean()), float(theirs.mean())
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """Leads of like probability: what was promised (mean probability) and what came."""

    promised: float
    observed: Rate


def reliability(outcomes: Outcomes, policy: Policy, bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equal size by probability, as many as hold enough outcomes each."""
    bins = min(bins, len(outcomes) // policy.metrics.outcomes)
    if bins < 1:
        return ()
    order = np.argsort(outcomes.probability, kind="stable")
    return tuple(
        Bin(float(outcomes.probability[i].mean()), rate(outcomes.won[i], policy))
        for i in np.array_split(order, bins)
    )


@dataclass(frozen=True, slots=True)
class Quality:
    """The plain measures together; None where there is nothing to measure."""

    n: int
    wins: int
    auc: float | None
    log_loss: float | None
    brier: float | None
    ece: float | None


def quality(outcomes: Outcomes) -> Quality:
    y, p = outcomes.won, outcomes.probability
    return Quality(len(y), int(y.sum()), auc(y, p), log_loss(y, p), brier(y, p), ece(y, p))
