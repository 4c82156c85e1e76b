"""A logistic regression on the additive design whose penalties are learnt from the data (empirical Bayes).

Each group of columns (a number's line, its bends, a category's values) has one ridge penalty, the inverse
variance of its effects, set by the fixed point of MacKay (1992) and Wood & Fasiolo (2017), so a field that
says nothing shrinks to nothing and its width with it. The posterior's covariance is the Laplace interval of
the familiar part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

Floats = npt.NDArray[np.float64]

STRONGEST, WEAKEST = 1e5, 0.05
"""bounds of a penalty: an effect's standard deviation lies between 0.003 and 4.5 logits"""
LOOSE = 0.1
"""logits: for the covariance no effect's prior deviation is below this, as no field is sure to say nothing"""
PSEUDO = 2.0
"""effects of the usual size counted beside a group's own, where one is given: of a category with one strong and many idle
values the likelihood alone would set the penalty to infinity, and with few wins a real effect is lost"""
STEPS = 30


@dataclass(frozen=True)
class Additive:
    """`coef` begins with the constant; `covariance` is the posterior's; `penalties` one a group."""

    coef: Floats
    covariance: Floats
    penalties: Floats

    def logit(self, design: Floats) -> Floats:
        out: Floats = design @ self.coef[1:] + self.coef[0]
        return out

    def deviation(self, design: Floats) -> Floats:
        """The standard deviation of the logit."""
        inner = self.covariance[1:, 1:]
        variance = np.einsum("ij,ij->i", design @ inner, design)
        variance += 2 * design @ self.covariance[1:, 0] + self.covariance[0, 0]
        out: Floats = np.sqrt(np.maximum(variance, 1e-12))
        return out


def log_odds(rate: float) -> float:
    """The logit of a rate, as of the base rate that scores are measured from."""
    return float(np.log(rate / (1 - rate)))


def sigmoid(logit: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    return out


def fit(
    design: Floats,
    won: Floats,
    weight: Floats,
    groups: Sequence[tuple[int, int]],
    *,
    start: Additive | None = None,
    penalties: Floats | None = None,
    usual: Floats | None = None,
    steps: int = STEPS,
) -> Additive:
    """Newton's steps with the penalties learnt on the way, or held fixed when given. `usual`: for each group
    the deviation (logits) that its effects are drawn toward, 0 for none."""
    n, k = design.shape
    full = np.empty((n, k + 1))
    full[:, 0], full[:, 1:] = 1.0, design
    coef = start.coef.copy() if start is not None else _constant(won, weight, k)
    toward = np.zeros(len(groups)) if usual is None else usual
    fixed = penalties is not None
    if penalties is not None:
        current = penalties.copy()
    else:
        current = start.penalties.copy() if start is not None else np.full(len(groups), 10.0)
    covariance = np.eye(k + 1)
    for step in range(steps):
        ridge = _spread(current, groups, k)
        logit = full @ coef
        p = sigmoid(logit)
        curve = np.maximum(weight * p * (1 - p), 1e-9)
        hessian = full.T @ (full * curve[:, None])
        hessian[np.diag_indices(k + 1)] += ridge
        gradient = full.T @ (weight * (won - p)) - ridge * coef
        factor = cho_factor(hessian, lower=True)
        move = cho_solve(factor, gradient)
        largest = float(np.abs(full @ move).max()) if n else 0.0
        coef = coef + move * min(1.0, 5.0 / max(largest, 1e-9))
        covariance = cho_solve(factor, np.eye(k + 1))
        if fixed:
            if largest < 1e-3:
                break
            continue
        renewed = _renewed(coef, covariance, current, groups, toward)
        still = step > 3 and float(np.abs(np.log(renewed / current)).max(initial=0.0)) < 0.05
        current = renewed
        if still and largest < 1e-2:
            break
    loose = 1 / (1 / current + np.maximum(LOOSE, toward) ** 2)
    hessian[np.diag_indices(k + 1)] += _spread(loose, groups, k) - ridge
    return Additive(coef, np.linalg.inv(hessian).astype(np.float64), current)


def _renewed(
    coef: Floats, covariance: Floats, penalties: Floats, groups: Sequence[tuple[int, int]], usual: Floats
) -> Floats:
    variances = np.diag(covariance)[1:]
    out = np.empty(len(groups))
    for g, (start, end) in enumerate(groups):
        free = (end - start) - penalties[g] * float(variances[start:end].sum())
        size = float((coef[1 + start : 1 + end] ** 2).sum())
        if usual[g]:
            free, size = max(free, 0.0) + PSEUDO, size + PSEUDO * float(usual[g]) ** 2
        ratio = max(free, 1e-6) / max(size, 1e-12) / penalties[g]
        # the plain fixed point creeps toward infinity for idle groups; a bolder step gets there in a dozen
        out[g] = np.clip(penalties[g] * float(np.clip(ratio**1.6, 0.05, 20.0)), WEAKEST, STRONGEST)
    return out


def _spread(penalties: Floats, groups: Sequence[tuple[int, int]], k: int) -> Floats:
    ridge = np.zeros(k + 1)
    ridge[0] = 1e-6
    for g, (start, end) in enumerate(groups):
        ridge[1 + start : 1 + end] = penalties[g]
    return ridge


def _constant(won: Floats, weight: Floats, k: int) -> Floats:
    rate = np.clip((won * weight).sum() / weight.sum(), 1e-4, 1 - 1e-4)
    coef = np.zeros(k + 1)
    coef[0] = log_odds(rate)
    return coef
