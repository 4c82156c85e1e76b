"""The amount a won deal would bring: a robust ridge regression of its logarithm on what is known of the lead.

Few amounts are known and a single giant must not move them all: residuals count by Huber's weights, effects
shrink toward the median deal, and a lead's amount never leaves the range of those seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ENOUGH = 20
"""won amounts under which everyone gets the median"""
RIDGES = (10.0, 30.0, 100.0, 300.0, 1000.0)
HUBER = 1.5


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

    def expected(self, design: Floats) -> Floats:
        if not len(self.coef):
            return np.full(len(design), self.median)
        out: Floats = np.clip(np.exp(self.coef[0] + design @ self.coef[1:]) * self.smear, self.low, self.high)
        return out


def learn(design: Floats, won: Floats, amount: Floats | None) -> Amounts:
    if amount is None:
        return Amounts(np.zeros(0), float("nan"), float("nan"), float("nan"), 1.0)
    use = (won > 0) & np.isfinite(amount) & (amount > 0)
    if use.sum() < ENOUGH:
        middle = float(np.median(amount[use])) if use.any() else float("nan")
        return Amounts(np.zeros(0), middle, middle, middle, 1.0)
    x, y = design[use], np.log(amount[use])
    fold = np.arange(len(y)) % 5
    losses = []
    for ridge in RIDGES:
        miss = np.zeros(len(y))
        for k in range(5):
            coef = _robust(x[fold != k], y[fold != k], ridge)
            miss[fold == k] = y[fold == k] - coef[0] - x[fold == k] @ coef[1:]
        losses.append(float(np.abs(miss).mean()))
    coef = _robust(x, y, RIDGES[int(np.argmin(losses))])
    guess = np.exp(coef[0] + x @ coef[1:])
    low, high = np.quantile(amount[use], (0.01, 0.99))
    smear = float(np.clip(np.minimum(amount[use], high).mean() / guess.mean(), 0.5, 2.0))
    return Amounts(coef, float(np.median(amount[use])), float(low), float(high), smear)


def _robust(x: Floats, y: Floats, ridge: float) -> Floats:
    full = np.column_stack([np.ones(len(y)), x])
    penalty = np.full(full.shape[1], ridge)
    penalty[0] = 1e-9
    weight = np.ones(len(y))
    coef = np.zeros(full.shape[1])
    for _ in range(5):
        coef = np.linalg.solve(full.T @ (full * weight[:, None]) + np.diag(penalty), full.T @ (weight * y))
        rest = y - full @ coef
        scale = max(float(np.median(np.abs(rest))) * 1.4826, 1e-6)
        weight = np.minimum(1.0, HUBER * scale / np.maximum(np.abs(rest), 1e-12))
    return coef
