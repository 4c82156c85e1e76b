"""Semi-synthetic worlds of the leads file (../shared/facts/scoring.md, section 4): real rows, a truth fitted on their real
outcomes, outcomes drawn anew from it. The truth is a CatBoost or a spline regression, neither of them Candor's own model.

No benchmark: the worlds that `interval_familiar`, `interval_blanks` and `confidence` ask about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.real_leads import Column, leads
from benchmarks.row import data_folder
from scoring.model.design import category_column, number_column

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["catboost", "spline"]

KINDS: tuple[Kind, ...] = ("catboost", "spline")
DRAWS = range(3)
DEVELOPMENT = range(100, 103)
"""draws that a choice may be made on; none of them is reported on"""
HELD = 0.2
UNUSUAL = 14
"""rows off its commonest value, or any blank, that a category needs to be asked about: ten of the file's 23 have that"""
COMMON = 10
"""rows of a value that the spline regression tells from others"""


@dataclass(frozen=True)
class World:
    """Rows of the file, what became of them in this world, and the chance that it was drawn from."""

    rows: pa.Table
    features: tuple[Column, ...]
    won: Floats
    true: Floats
    fit: Ints
    test: Ints


def world(kind: Kind, draw: int) -> World:
    rows, _, columns = education()
    true = truth(kind)
    random = np.random.default_rng(1000 + draw)
    order = random.permutation(len(true))
    cut = int(HELD * len(true))
    won = (random.random(len(true)) < true).astype(np.float64)
    return World(rows, columns, won, true, order[cut:], order[:cut])


@cache
def education() -> tuple[pa.Table, Floats, tuple[Column, ...]]:
    """The leads file with its thirteen columns that aren't all but constant, and the real outcomes."""
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    kept = tuple(column for column in columns if column.type == "number" or _varies(rows, column.name))
    return rows.select([column.name for column in kept]), won, kept


@cache
def truth(kind: Kind) -> Floats:
    rows, won, columns = education()
    return np.clip(
        _catboost(rows, won, columns) if kind == "catboost" else _spline(rows, won, columns), 1e-3, 1 - 1e-3
    )


def _varies(rows: pa.Table, name: str) -> bool:
    codes, _ = category_column(rows, name)
    counts = np.bincount(codes[codes >= 0])
    return bool((codes < 0).any() or counts.sum() - counts.max() > UNUSUAL)


def _catboost(rows: pa.Table, won: Floats, columns: Sequence[Column]) -> Floats:
    from catboost import CatBoostClassifier  # type: ignore[import-untyped]

    table = np.empty((len(won), len(columns)), object)
    for place, column in enumerate(columns):
        if column.type == "number":
            table[:, place] = number_column(rows, column.name)
        else:
            table[:, place] = ["" if value is None else value for value in rows[column.name].to_pylist()]
    named = [place for place, column in enumerate(columns) if column.type != "number"]
    model = CatBoostClassifier(500, random_seed=0, verbose=0, thread_count=1, allow_writing_files=False)
    model.fit(table, won, cat_features=named)
    return np.asarray(model.predict_proba(table)[:, 1], np.float64)


def _spline(rows: pa.Table, won: Floats, columns: Sequence[Column]) -> Floats:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import SplineTransformer

    parts = []
    for column in columns:
        if column.type == "number":
            values = number_column(rows, column.name)
            blank = ~np.isfinite(values)
            line = np.log1p(np.where(blank, np.nanmedian(values), values))[:, None]
            bends = SplineTransformer(5, knots="quantile").fit_transform(line)
            parts.append(np.column_stack([bends * ~blank[:, None], blank]))
        else:
            codes, values_ = category_column(rows, column.name)
            seen = np.eye(len(values_) + 1)[codes]
            parts.append(seen[:, seen.sum(axis=0) >= COMMON])
    x = np.hstack(parts)
    model = LogisticRegression(C=0.5, max_iter=500, solver="newton-cholesky").fit(x, won)
    return np.asarray(model.predict_proba(x)[:, 1], np.float64)
