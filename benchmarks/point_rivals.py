"""Rivals of the point model, each a function of the same cells: (cells, outcomes, rows to fit on, rows to ask, seed) ->
chances. Settings are those of ../shared/facts/scoring.md, which they have to reproduce (benchmarks/discrimination.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.design import category_column, number_column

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """A table as rivals take it: `numbers` n × k (NaN = blank), `codes` n × c (-1 = blank) into `words`."""

    numbers: Floats
    codes: Ints
    words: tuple[tuple[str, ...], ...]

    def blanked(self, gone: npt.NDArray[np.bool_]) -> Cells:
        """`gone`: n × (k + c) cells that nobody told."""
        k = self.numbers.shape[1]
        return Cells(
            np.where(gone[:, :k], np.nan, self.numbers), np.where(gone[:, k:], -1, self.codes), self.words
        )

    def take(self, rows: Ints) -> Cells:
        return Cells(self.numbers[rows], self.codes[rows], self.words)

    def strings(self, blank: str | None) -> npt.NDArray[np.object_]:
        """n × (k + c), categories as words."""
        lists = [np.array([*words, blank], object)[self.codes[:, j]] for j, words in enumerate(self.words)]
        columns = [*self.numbers.T.astype(object), *lists]
        return np.column_stack(columns) if columns else np.empty((len(self.numbers), 0), object)

    def coded(self) -> Floats:
        return np.column_stack([self.numbers, np.where(self.codes < 0, np.nan, self.codes)])


Rival = Callable[[Cells, Floats, Cells, int], Floats]


def cells(rows: pa.Table, numbers: Sequence[str], categories: Sequence[str]) -> Cells:
    told = [category_column(rows, name) for name in categories]
    return Cells(
        np.column_stack([number_column(rows, name) for name in numbers])
        if numbers
        else np.empty((rows.num_rows, 0)),
        np.column_stack([codes for codes, _ in told]) if told else np.empty((rows.num_rows, 0), np.int64),
        tuple(tuple(words) for _, words in told),
    )


def lightgbm(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """Tuned."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(
        n_estimators=300, learning_rate=0.03, num_leaves=12, colsample_bytree=0.4, n_jobs=1, verbose=-1, random_state=seed,
    )  # fmt: skip
    model.fit(fit.coded(), won, categorical_feature=_places(fit))
    return _chance(model, ask.coded())


def catboost(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """500 rounds, otherwise its defaults, which nobody has beaten by tuning here."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=500, random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False, cat_features=_places(fit),
    )  # fmt: skip
    return _chance(model.fit(fit.strings("(blank)"), won), ask.strings("(blank)"))


def ebm(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """Its defaults: boosted shape functions and pairs."""
    from interpret.glassbox import ExplainableBoostingClassifier

    kinds = ["continuous"] * fit.numbers.shape[1] + ["nominal"] * len(fit.words)
    model = ExplainableBoostingClassifier(random_state=seed, n_jobs=1, feature_types=kinds)
    return _chance(model.fit(fit.strings(None), won), ask.strings(None))


def logistic(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """One-hot (values with 10 rows) and quadratic quantile splines of log(1 + x), of six knots, C 0.5."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder, SplineTransformer

    parts: list[tuple[Floats, Floats]] = []
    for a, b in zip(fit.numbers.T, ask.numbers.T, strict=True):
        shift = min(float(np.nanmin(a)), 0.0)
        a, b = np.log1p(a - shift), np.log1p(np.maximum(b - shift, 0.0))
        middle = float(np.nanmedian(a))
        a, b = np.where(np.isfinite(a), a, middle)[:, None], np.where(np.isfinite(b), b, middle)[:, None]
        bends = SplineTransformer(n_knots=6, degree=2, knots="quantile").fit(a)
        parts.append((bends.transform(a), bends.transform(b)))
    if fit.codes.shape[1]:
        hot = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False)
        parts.append((hot.fit_transform(fit.codes), hot.transform(ask.codes)))
    x, z = (np.hstack([part[side] for part in parts]) for side in (0, 1))
    return _chance(LogisticRegression(C=0.5, max_iter=3000).fit(x, won), z)


def hgb(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """scikit-learn's trees alone, tuned."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=350, learning_rate=0.03, max_leaf_nodes=12, max_features=0.3, l2_regularization=5.0,
        early_stopping=False, random_state=seed, categorical_features=_places(fit),
    )  # fmt: skip
    return _chance(model.fit(fit.coded(), won), ask.coded())


def odoo(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """Odoo's rule as shipped: naive Bayes on categories, blanks and unseen values skipped, 0.1 added to a value's
    count of won and of lost."""
    lost = 1 - won
    logit = np.full(len(ask.codes), np.log(won.sum() / lost.sum()))
    for j, words in enumerate(fit.words):
        known = fit.codes[:, j] >= 0
        each = [
            np.bincount(fit.codes[known, j], weights=side[known], minlength=len(words))
            for side in (won, lost)
        ]
        seen = each[0] + each[1] > 0
        each = [np.where(seen, counts + 0.1, 0.0) for counts in each]
        with np.errstate(divide="ignore", invalid="ignore"):
            told = np.log(each[0] / each[0].sum()) - np.log(each[1] / each[1].sum())
        logit += np.append(np.where(seen, told, 0.0), 0.0)[ask.codes[:, j]]
    out: Floats = 1 / (1 + np.exp(-logit))
    return out


def odoo_deciles(fit: Cells, won: Floats, ask: Cells, seed: int) -> Floats:
    """Odoo's rule, with the numbers it does without cut in deciles."""
    cuts = [np.unique(np.nanquantile(x, np.linspace(0.1, 0.9, 9))) for x in fit.numbers.T]

    def cut(rows: Cells) -> Cells:
        places = [
            np.where(np.isfinite(x), np.searchsorted(at, x, "right"), -1)
            for x, at in zip(rows.numbers.T, cuts, strict=True)
        ]
        words = tuple(tuple(map(str, range(len(at) + 1))) for at in cuts)
        return Cells(rows.numbers[:, :0], np.column_stack([*places, rows.codes]), (*words, *rows.words))

    return odoo(cut(fit), won, cut(ask), seed)


BEST: dict[str, Rival] = {
    "LightGBM": lightgbm, "CatBoost": catboost, "EBM": ebm, "logistic regression": logistic,
}  # fmt: skip
"""the four that count"""
ODOO: dict[str, Rival] = {"Odoo's rule": odoo, "Odoo's rule, deciles": odoo_deciles}


def _places(rows: Cells) -> list[int]:
    k = rows.numbers.shape[1]
    return list(range(k, k + len(rows.words)))


def _chance(model: Any, x: Any) -> Floats:
    return np.asarray(model.predict_proba(x), np.float64)[:, 1]
