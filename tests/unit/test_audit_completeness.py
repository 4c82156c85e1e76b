"""A score does not rise by a field's being filled (S1.3): a planted field that says nothing leaves the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring.audit.completeness import Completeness, Rows, honest, measured
from scoring.model.card import Model
from scoring.model.train import draft
from scoring.routing.policy import Policy

LIMITS = Policy().models


@dataclass(frozen=True)
class Column:
    name: str
    type: str = "category"
    family: str = "fact"
    unit: str = ""
    role: str = "model"

    @property
    def label(self) -> str:
        return self.name


FEATURES = (Column("industry"), Column("size", "number"), Column("url"))


def table(n: int = 1500, seed: int = 3) -> tuple[pa.Table, np.ndarray]:
    """`url` has five values that mean nothing, filled for winners far more often; industry and size are honest."""
    r = np.random.default_rng(seed)
    industry, size = r.choice(["a", "b", "c", "d"], n), r.normal(5, 1, n)
    logit = -1 + np.array([{"a": 1.2, "b": -1.2, "c": 0.2, "d": 0.0}[i] for i in industry]) + 0.5 * (size - 5)
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    url = [f"u{r.integers(5)}" if r.random() < (0.85 if w else 0.25) else None for w in won]
    blank = r.random(n) < 0.2
    rows = pa.table({
        "lead_id": [f"L{i}" for i in range(n)], "url": pa.array(url, pa.string()),
        "industry": pa.array([None if b else i for b, i in zip(blank, industry, strict=True)], pa.string()),
        "size": pa.array(np.where(r.random(n) < 0.2, np.nan, size), from_pandas=True),
    })  # fmt: skip
    return rows, won


Found = tuple[Model, Completeness, tuple[Any, ...], Rows]


@pytest.fixture(scope="module")
def gated() -> Found:
    rows, won = table()
    given = Rows(rows, won, np.ones(len(won)), np.arange(len(won)))
    model, found, kept = honest(
        lambda features, hidden: draft(rows, won, features=features, groups=np.arange(len(won)), unseen_by_trees=hidden),
        FEATURES, given, LIMITS,
    )  # fmt: skip
    return model, found, kept, given


def test_the_empty_field_leaves_and_the_honest_ones_stay(gated: Found) -> None:
    model, found, kept, _ = gated
    assert found.passed
    assert [fact.names for fact in found.left_out] == [("url",)]
    assert found.left_out[0].filled > LIMITS.filled_median
    assert set(model.design.names) == {"industry", "size"}
    assert "industry" not in found.hidden  # its values matter
    assert [f.role for f in kept] == ["model", "model", "routing"]
    assert found.blanks_alone is not None
    assert found.blanks_alone > 0.65


def test_filling_it_moves_nobody_any_more(gated: Found) -> None:
    model, _, _, given = gated
    rows = given.table
    at = rows.column_names.index("url")
    with_url = rows.set_column(at, "url", pa.array(["u1"] * rows.num_rows))
    without = rows.set_column(at, "url", pa.nulls(rows.num_rows, pa.string()))
    assert np.array_equal(model.score(with_url).score, model.score(without).score)


def test_strict_holds_every_fact_to_the_limit(gated: Found) -> None:
    rows, won = table()
    given = gated[3]
    model, found, _ = honest(
        lambda features, hidden: draft(rows, won, features=features, groups=np.arange(len(won)), unseen_by_trees=hidden),
        FEATURES, given, LIMITS, strict=True,
    )  # fmt: skip
    assert found.passed
    assert all(abs(f.filled) <= 1 for f in measured(model, given, LIMITS))
