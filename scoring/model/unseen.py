"""How far off the model would be on a value it had never seen: each value is left out in turn, and the misses
pooled.

Inside training each value with enough leads is taken out, its leads are predicted as if the value were new,
and the shift of the logit that would have made the prediction right is noted. A field's variance is that of
its own shifts, drawn toward that of the fields whose values differ most by a few pseudo-shifts: with two
values tried, a field has said little about a third.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from scoring.model.additive import sigmoid
from scoring.model.design import Design
from scoring.model.estimator import Point, Sample

Floats = npt.NDArray[np.float64]

ENOUGH = 30
"""leads a value needs to be left out"""
SHARE = 0.008
"""… or this share of the leads, whichever is more: the noise of a small value's rate is not a shift"""
PSEUDO = 3.0
"""pseudo-shifts of the pooled size that a field's own are drawn toward"""
FLOOR = 0.5
"""logits: a new value is never taken for less than this uncertain"""


def variances(layout: Design, sample: Sample, point: Point) -> Floats:
    """One a field, in squared logits; zero for numbers."""
    out = np.zeros(len(layout.fields))
    shifts = _shifts(layout, sample, point)
    own = {f: float(np.mean(np.square(s))) for f, s in shifts.items() if s}
    pooled = FLOOR**2
    if own:
        middle = float(np.median(list(own.values())))
        pooled = max(
            pooled, float(np.mean(np.concatenate([np.square(shifts[f]) for f in own if own[f] >= middle])))
        )
    for f in range(len(layout.numbers), len(layout.fields)):
        tried = shifts.get(f, [])
        total = float(np.sum(np.square(tried))) if tried else 0.0
        out[f] = max((total + PSEUDO * pooled) / (len(tried) + PSEUDO), FLOOR**2)
    return out


def _shifts(layout: Design, sample: Sample, point: Point) -> dict[int, list[float]]:
    coef = point.additive.coef
    full = np.column_stack([np.ones(len(sample)), sample.design])
    p = sigmoid(full @ coef)
    curve = sample.weight * p * (1 - p)
    residual = sample.weight * (sample.won - p)
    precision = np.linalg.inv(point.additive.covariance)
    enough = max(ENOUGH, SHARE * float(sample.weight.sum()))
    out: dict[int, list[float]] = {}
    for c, field in enumerate(layout.categories):
        f = len(layout.numbers) + c
        a, b = layout.spans[f]
        out[f] = []
        for value in range(field.width):
            rows = sample.encoded.codes[:, c] == value
            leads = float(sample.weight[rows].sum())
            if leads < enough or leads > 0.9 * sample.weight.sum():
                continue
            mine = full[rows]
            # one Newton step from the full fit to the fit without these rows
            without = precision - mine.T @ (mine * curve[rows, None])
            without[np.diag_indices(len(coef))] += 1e-6
            try:
                step = cho_solve(cho_factor(without, lower=True), -(mine.T @ residual[rows]))
            except np.linalg.LinAlgError:
                continue
            moved = coef + step
            moved[1 + a : 1 + b] = 0.0
            out[f].append(_shift(mine @ moved, sample.won[rows], sample.weight[rows]))
    return out


def _shift(logit: Floats, won: Floats, weight: Floats) -> float:
    """The shift that makes the mean probability equal the rate (half a win and half a loss added)."""
    wanted = (float((won * weight).sum()) + 0.5) / (float(weight.sum()) + 1.0)
    shift = 0.0
    for _ in range(30):
        p = sigmoid(logit + shift)
        slope = float(np.average(p * (1 - p), weights=weight))
        shift += float(np.clip((wanted - np.average(p, weights=weight)) / max(slope, 1e-6), -1.0, 1.0))
    return float(np.clip(shift, -6.0, 6.0))
