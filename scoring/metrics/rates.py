"""A measured share never stands alone: it says how many outcomes it rests on and how far off it may be
(S8.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from scoring.metrics.outcomes import Bools, Floats
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`, with the exact (Clopper-Pearson) interval; value and bounds are None below `needed`
    outcomes.
    """

    hits: int
    n: int
    needed: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def enough(self) -> bool:
        return self.value is not None

    @property
    def text(self) -> str:
        """The rate in words, with its n and interval."""
        if self.value is None or self.low is None or self.high is None:
            return not_enough(self.n, self.needed)
        return f"{self.value:.0%} ({self.hits} of {self.n}, likely {self.low:.0%} to {self.high:.0%})"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of money (or of anything weighed), with a bootstrap interval; None below `needed` leads."""

    part: float
    total: float
    n: int
    needed: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def enough(self) -> bool:
        return self.value is not None


def not_enough(n: int, needed: int) -> str:
    return f"not enough outcomes yet ({n} of {needed} needed)"


def rate(hits: Bools, policy: Policy, needed: int | None = None) -> Rate:
    """The share of true entries."""
    needed = policy.metrics.outcomes if needed is None else needed
    k, n = int(np.sum(hits)), len(hits)
    if n < max(needed, 1):
        return Rate(k, n, needed, None, None, None)
    low, high = exact_interval(k, n, policy.metrics.level)
    return Rate(k, n, needed, k / n, low, high)


def exact_interval(k: int, n: int, level: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a binomial share, never too narrow."""
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1.0 - tail, k + 1, n - k))
    return low, high


def share(part: Bools, weight: Floats, policy: Policy, needed: int | None = None, seed: int = 0) -> Share:
    """The share of the total weight that lies on true entries."""
    needed = policy.metrics.outcomes if needed is None else needed
    weight = np.nan_to_num(weight)
    inside, total, n = float(weight[part].sum()), float(weight.sum()), int(np.sum(weight > 0))
    if n < max(needed, 1):
        return Share(inside, total, n, needed, None, None, None)
    low, high = bootstrap_ratio(np.where(part, weight, 0.0), weight, policy.metrics.level, seed)
    return Share(inside, total, n, needed, inside / total, low, high)


def bootstrap_ratio(
    top: Floats, bottom: Floats, level: float, seed: int = 0, draws: int = 400
) -> tuple[float, float]:
    """Percentile interval of sum(top) / sum(bottom) when leads are drawn anew with replacement."""
    kept = bottom != 0
    pairs = np.stack([top[kept], bottom[kept]], axis=1)
    rng = np.random.default_rng(seed)
    ratios: NDArray[np.float64] = np.empty(draws)
    for i in range(draws):
        a, b = pairs[rng.integers(len(pairs), size=len(pairs))].sum(axis=0)
        ratios[i] = a / b
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
