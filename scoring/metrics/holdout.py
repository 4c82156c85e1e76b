"""Whether the routing itself helps: leads that Candor routed against like leads that a lot left alone (S1.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from scoring.metrics.outcomes import Bools
from scoring.metrics.rates import Rate, rate
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Effect:
    """The win rate of both sides and their difference, a share with its interval; None below the outcomes
    that a rate needs on either side.
    """

    routed: Rate
    held_out: Rate
    gain: float | None
    low: float | None
    high: float | None

    @property
    def sure(self) -> bool:
        """Whether the interval excludes that routing does nothing."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def effect(won: Bools, held_out: Bools, policy: Policy) -> Effect:
    """Mature leads that took part in the lot. Each had the same chance of being held out, so the plain
    difference is unbiased. Its interval is Newcombe's (1998, method 10): the two Wilson intervals, squared and added.
    """
    routed, left = rate(won[~held_out], policy), rate(won[held_out], policy)
    if routed.value is None or left.value is None:
        return Effect(routed, left, None, None, None)
    (a_low, a_high), (b_low, b_high) = (_wilson(r.hits, r.n, policy.metrics.level) for r in (routed, left))
    gain = routed.value - left.value
    down = np.hypot(routed.value - a_low, b_high - left.value)
    up = np.hypot(a_high - routed.value, left.value - b_low)
    return Effect(routed, left, gain, gain - float(down), gain + float(up))


def _wilson(k: int, n: int, level: float) -> tuple[float, float]:
    z = float(norm.ppf((1 + level) / 2))
    middle, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * np.sqrt(k * (n - k) / n + z * z / 4)
    return float(middle - half), float(middle + half)
