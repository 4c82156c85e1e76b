"""How far off the model would be on a value it had never seen: each value is left out in turn, and the misses
pooled.

Inside training each value with enough leads is taken out, its leads are predicted as if the value were new,
and the shift of the logit that would have made the prediction right is noted. How far a new value of a field may
lie below and above its prediction is the 5th and the 95th percentile of the field's shifts (of fewer than
twenty: their extremes), in squares drawn toward those of the fields whose values differ most by a few
pseudo-shifts: with two values tried, a field has said little about a third. Each side has its own reach, for
shifts are skewed: where few are won, a new value has far to rise and little to fall.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from scoring.model.additive import sigmoid
from scoring.model.design import Design
from scoring.model.estimator import Point, Sample
from scoring.model.quantiles import Z90

Floats = npt.NDArray[np.float64]

ENOUGH = 30
"""leads a value needs to be left out"""
SHARE = 0.008
"""… or this share of the leads, whichever is more: the noise of a small value's rate is not a shift"""
PSEUDO = 3.0
"""pseudo-shifts of the pooled size that a field's own are drawn toward"""
FLOOR = 0.5
"""logits: the deviation that a new value is never taken for less uncertain than"""
FEW = 20
"""shifts below which their extremes stand for the 5th and the 95th percentile"""


def reaches(layout: Design, sample: Sample, point: Point) -> Floats:
    """2 × fields, in squared logits: how far below and above its prediction a new value may lie, at 90 %; zero for
    numbers."""
    out = np.zeros((2, len(layout.fields)))
    found = {f: np.array(s) for f, s in shifts(layout, sample, point).items() if s}
    size = {f: float(np.mean(s**2)) for f, s in found.items()}
    middle = float(np.median(list(size.values()))) if size else 0.0
    mixed = [found[f] for f in found if size[f] >= middle]
    pooled = _ends(np.concatenate(mixed) if mixed else np.zeros(0))
    for f in range(len(layout.numbers), len(layout.fields)):
        tried = found.get(f, np.zeros(0))
        out[:, f] = (len(tried) * _ends(tried) + PSEUDO * pooled) / (len(tried) + PSEUDO)
        out[:, f] = np.maximum(out[:, f], (Z90 * FLOOR) ** 2)
    return out


def _ends(tried: Floats) -> Floats:
    """Squared: how far down and how far up the shifts go."""
    if not len(tried):
        return np.zeros(2)
    ends = (tried.min(), tried.max()) if len(tried) < FEW else np.quantile(tried, (0.05, 0.95))
    out: Floats = np.array([max(-float(ends[0]), 0.0), max(float(ends[1]), 0.0)]) ** 2
    return out


def shifts(layout: Design, sample: Sample, point: Point) -> dict[int, list[float]]:
    """Of each category (its place among the fields): how far off a regression without it is on each of its values."""
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
