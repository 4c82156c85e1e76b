"""The amount a won deal would bring: a robust regression of its logarithm on what is known of the lead.

Few amounts are known and a single giant must not move them all: residuals count by Huber's weights, and a lead's
amount never leaves the range of those seen. Each group of columns has a ridge penalty of its own, learnt as in
additive.py, so that of a hundred fields the few that tell the size of a deal do so and the others shrink to nothing.

Two things are in doubt and must not be mixed up. What this one deal would bring (`ranges`) is wide: half of all deals
are far from their mean whatever is known. What deals of such leads bring on average (`doubt`) is known better, and
that is what an expected value is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ENOUGH = 20
"""won amounts under which everyone gets the median"""
START, STRONGEST, WEAKEST = 30.0, 1e5, 0.3
"""ridge penalties, in squared deviations of what no field tells"""
STEPS, AGAIN = 25, 10
"""rounds in which the penalties are learnt, and learnt again for a fold from where they ended"""
HUBER = 1.5
INSIDE = 0.9
"""of won amounts, the share that their ranges are made to hold"""


@dataclass(frozen=True)
class Amounts:
    """`coef` begins with the constant and acts on the additive design; empty when there are too few
    amounts."""

    coef: Floats
    median: float
    low: float
    high: float
    smear: float
    """mean of amount over its prediction: the mean of a skewed amount lies above the exponent of the mean
    log"""
    below: float
    above: float
    """logarithms from the typical amount to the ends of a deal's range: of amounts that the fit hadn't seen"""
    covariance: Floats
    """of `coef`"""

    def ranges(self, design: Floats) -> tuple[Floats, Floats]:
        """What the deal would bring if it is won, 90 %."""
        typical = self._typical(design)
        return typical * np.exp(self.below), typical * np.exp(self.above)

    def doubt(self, design: Floats) -> Floats:
        """Standard deviation of the logarithm of the expected amount."""
        full = np.column_stack([np.ones(len(design)), design])
        if not len(self.coef):
            full = full[:, :1]
        out: Floats = np.sqrt(np.maximum(np.einsum("ij,ij->i", full @ self.covariance, full), 0.0))
        return out

    def _typical(self, design: Floats) -> Floats:
        if not len(self.coef):
            return np.full(len(design), self.median)
        edges = self.low * np.exp(-1.0), self.high * np.exp(1.0)
        out: Floats = np.clip(np.exp(self.coef[0] + design @ self.coef[1:]), *edges)
        return out

    def expected(self, design: Floats) -> Floats:
        if not len(self.coef):
            return np.full(len(design), self.median)
        out: Floats = np.clip(np.exp(self.coef[0] + design @ self.coef[1:]) * self.smear, self.low, self.high)
        return out


def learn(
    design: Floats, won: Floats, amount: Floats | None, *, lead: Ints, group: Ints,
    columns: Sequence[tuple[int, int]],
) -> Amounts:  # fmt: skip
    """`lead`: whose row it is, for the rows of one lead count once together; `group`: rows that no fold may split;
    `columns`: ranges of the design's columns that share a penalty."""
    use = (won > 0) & np.isfinite(amount) & (amount > 0) if amount is not None else np.zeros(len(won), bool)
    if amount is None or not use.any():
        nan = float("nan")
        return Amounts(np.zeros(0), nan, nan, nan, 1.0, nan, nan, np.full((1, 1), nan))
    seen = amount[use]
    y = np.log(seen)
    if len(np.unique(lead[use])) < ENOUGH:
        middle = float(np.median(seen))
        rest = y - np.log(middle)
        # a handful is spread wider than it looks
        spread = np.full((1, 1), float(np.var(y)) / len(y) if len(y) > 1 else 1.0)
        below, above = min(float(rest.min()), -1.0), max(float(rest.max()), 1.0)
        return Amounts(np.zeros(0), middle, middle, middle, 1.0, below, above, spread)
    x, share = design[use], 1 / np.bincount(lead[use])[lead[use]]
    fold = np.unique(group[use], return_inverse=True)[1].reshape(-1) % 5
    coef, covariance, ridge = _robust(x, y, share, columns)
    miss = np.zeros(len(y))
    for k in range(5):
        rest = fold != k
        held = _robust(x[rest], y[rest], share[rest], columns, ridge, AGAIN)[0]
        miss[~rest] = y[~rest] - held[0] - x[~rest] @ held[1:]
    guess = np.exp(coef[0] + x @ coef[1:])
    low, high = np.quantile(seen, (0.01, 0.99))
    smear = float(np.clip(share @ np.minimum(seen, high) / (share @ guess), 0.5, 2.0))
    below, above = _ends(miss, share)
    return Amounts(coef, float(np.median(seen)), float(low), float(high), smear, below, above, covariance)


def _ends(miss: Floats, share: Floats) -> tuple[float, float]:
    """Between which a further miss lies with the wanted chance: order statistics of n misses, counted among n + 1."""
    order = np.argsort(miss)
    mass, n = np.cumsum(share[order]), float(share.sum())
    tail = (1 - INSIDE) / 2 * (n + 1)
    places = np.searchsorted(mass, [tail - 1 + 1e-9, n - tail + 1 - 1e-9])
    return float(miss[order[places[0]]]), float(miss[order[min(places[1], len(miss) - 1)]])


def _robust(
    x: Floats, y: Floats, share: Floats, columns: Sequence[tuple[int, int]], start: Floats | None = None,
    steps: int = STEPS,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Coefficients, their covariance, and the penalties, which are learnt on the way."""
    full = np.column_stack([np.ones(len(y)), x])
    current = np.full(len(columns), START) if start is None else start
    weight = share
    for _ in range(steps):
        penalty = np.full(full.shape[1], 1e-9)
        for (a, b), one in zip(columns, current, strict=True):
            penalty[1 + a : 1 + b] = one
        inverse = np.linalg.inv(full.T @ (full * weight[:, None]) + np.diag(penalty))
        coef = inverse @ (full.T @ (weight * y))
        rest = y - full @ coef
        scale = max(_median(np.abs(rest), share) * 1.4826, 1e-6)
        weight = share * np.minimum(1.0, HUBER * scale / np.maximum(np.abs(rest), 1e-12))
        spread = scale**2
        current = _renewed(coef[1:], np.diag(inverse)[1:], current, columns, spread)
    return coef, spread * inverse, current


def _renewed(
    coef: Floats, variance: Floats, ridge: Floats, columns: Sequence[tuple[int, int]], spread: float
) -> Floats:
    """MacKay's fixed point (1992), with the bolder step of additive.py."""
    out = np.empty(len(ridge))
    for g, (a, b) in enumerate(columns):
        free = max((b - a) - ridge[g] * float(variance[a:b].sum()), 1e-6)
        wanted = free * spread / max(float((coef[a:b] ** 2).sum()), 1e-12)
        out[g] = np.clip(ridge[g] * np.clip((wanted / ridge[g]) ** 1.6, 0.05, 20.0), WEAKEST, STRONGEST)
    return out


def _median(values: Floats, share: Floats) -> float:
    order = np.argsort(values)
    mass = np.cumsum(share[order])
    return float(values[order[np.searchsorted(mass, mass[-1] / 2 - 1e-9)]])
