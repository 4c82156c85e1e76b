"""Ranges that others give, each on the logit: what Candor's are compared with in the same run.

The point model of all is the mean of thirty boosted models on bootstraps of the training rows (120 trees × 0.08 of 12
leaves), as in ../shared/facts/scoring.md, section 4. No benchmark by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import isotonic_regression

from scoring.model.additive import sigmoid
from scoring.model.design import Design, Encoded
from scoring.model.quantiles import Z90

Floats = npt.NDArray[np.float64]

BAGS, SEEDS = 30, 8
SCALED = 1.25
WAVES, KERNEL, RIDGE = 400, 0.15, 1.0
CALIBRATION = 0.25
LEVELS = 200


@dataclass(frozen=True)
class Range:
    """Point and ends, on the logit."""

    logit: Floats
    low: Floats
    high: Floats


def ranges(
    layout: Design, fit: Encoded, won: Floats, test: Encoded, bags: int = BAGS, seeds: int = SEEDS
) -> dict[str, Range]:
    """Every rival's range of each test row, by name. `layout` only says which columns there are. No `seeds`: without the
    spread of seeds and without Venn-Abers, which take as long again."""
    random = np.random.default_rng(0)
    x, asked = _coded(layout, fit), _coded(layout, test)
    kinds = [f >= len(layout.numbers) and field.width < 250 for f, field in enumerate(layout.fields)]
    draws = [random.integers(0, len(won), len(won)) for _ in range(bags)]
    bagged = [_trees(kinds, x[d], won[d], 0) for d in draws]
    every = np.array([m.decision_function(asked) for m in bagged])
    logit, spread = every.mean(axis=0), every.std(axis=0, ddof=1)
    inside = sigmoid(np.mean([m.decision_function(x) for m in bagged], axis=0))
    flat, flat_asked = _flat(layout, fit, fit), _flat(layout, fit, test)
    waves = _waves(flat.shape[1], random)
    p = sigmoid(logit)
    near = 0.25 * np.minimum(p, 1 - p)
    out = {
        "bootstrap ×1": _around(logit, spread),
        f"bootstrap ×{SCALED}": _around(logit, SCALED * spread),
        "Laplace, one-hot": _around(logit, _laplace(flat, inside, flat_asked)),
        "Laplace, one-hot ×2": _around(logit, 2 * _laplace(flat, inside, flat_asked)),
        "Laplace, random Fourier": _around(logit, _laplace(waves(flat), inside, waves(flat_asked))),
        "max-probability": Range(logit, _logit(p - near), _logit(p + near)),
    }
    if seeds:
        several = np.array([_trees(kinds, x, won, s, 0.3).decision_function(asked) for s in range(seeds)])
        out[f"spread of {seeds} seeds"] = _around(several.mean(axis=0), several.std(axis=0, ddof=1))
        out["Venn-Abers"] = _venn_abers(kinds, x, won, asked, random)
    return out


def _around(logit: Floats, deviation: Floats) -> Range:
    return Range(logit, logit - Z90 * deviation, logit + Z90 * deviation)


def _trees(kinds: list[bool], x: Floats, won: Floats, seed: int, features: float = 1.0) -> Any:
    model = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.08, max_leaf_nodes=12, max_features=features, early_stopping=False,
        categorical_features=kinds, random_state=seed,
    )  # fmt: skip
    x = x.copy()
    x[:, ~np.isfinite(x).any(axis=0)] = 0.0
    return model.fit(x, won)


def _coded(layout: Design, rows: Encoded) -> Floats:
    """Numbers and codes; blank is NaN, a value unknown to the layout a code of its own."""
    codes = rows.codes.astype(np.float64)
    for c, field in enumerate(layout.categories):
        codes[rows.codes[:, c] < -1, c] = field.width
    codes[rows.codes == -1] = np.nan
    return np.hstack([rows.numbers, codes])


def _flat(layout: Design, fit: Encoded, rows: Encoded) -> Floats:
    """One-hot with a column for blank (unseen: zeros), log(1 + x) in deviations of the training rows."""
    parts = []
    for f in range(len(layout.numbers)):
        known, values = (np.sign(e.numbers[:, f]) * np.log1p(np.abs(e.numbers[:, f])) for e in (fit, rows))
        centre, scale = np.nanmean(known), np.nanstd(known) or 1.0
        parts.append(np.nan_to_num((values - centre) / scale)[:, None])
        parts.append(np.isnan(values)[:, None].astype(np.float64))
    for c, field in enumerate(layout.categories):
        table = np.eye(field.width + 2)
        table[-2:] = 0.0
        blank = rows.codes[:, c] == -1
        column = table[np.where(rows.codes[:, c] >= 0, rows.codes[:, c], field.width)]
        column[blank, field.width] = 1.0
        parts.append(column[:, : field.width + 1])
    return np.hstack(parts)


def _waves(columns: int, random: np.random.Generator) -> Any:
    directions = random.normal(0.0, np.sqrt(2 * KERNEL), (columns, WAVES))
    phases = random.uniform(0, 2 * np.pi, WAVES)
    return lambda x: np.sqrt(2.0 / WAVES) * np.cos(x @ directions + phases)


def _laplace(x: Floats, p: Floats, asked: Floats) -> Floats:
    x, asked = (np.column_stack([np.ones(len(a)), a]) for a in (x, asked))
    precision = x.T @ (x * (p * (1 - p))[:, None]) + RIDGE * np.eye(x.shape[1])
    out: Floats = np.sqrt(np.einsum("ij,ij->i", asked @ np.linalg.inv(precision), asked))
    return out


def _venn_abers(
    kinds: list[bool], x: Floats, won: Floats, asked: Floats, random: np.random.Generator
) -> Range:
    """Inductive: boosted on three quarters, both isotonic fits on the rest with the lead itself as lost and as won."""
    held = random.random(len(won)) < CALIBRATION
    model = _trees(kinds, x[~held], won[~held], 0)
    scores, said = model.decision_function(x[held]), model.decision_function(asked)
    order = np.argsort(scores)
    scores, y = scores[order], won[held][order]
    grid = np.unique(np.quantile(said, np.linspace(0, 1, LEVELS)))
    ends = np.empty((2, len(grid)))
    for i, level in enumerate(grid):
        place = int(np.searchsorted(scores, level))
        for end in (0, 1):
            ends[end, i] = isotonic_regression(np.insert(y, place, end))[place]
    p0, p1 = (np.interp(said, grid, e) for e in ends)
    return Range(_logit(p1 / (1 - p0 + p1)), _logit(p0), _logit(p1))


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-4, 1 - 1e-4)
    out: Floats = np.log(p / (1 - p))
    return out
