"""One model serves full and sparse records alike (issue 13): on records of which little is known it says what is right of
such records, and on full ones what it said before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model import forest, sparse, store
from scoring.model.card import Model
from scoring.model.design import BLANK, Encoded
from scoring.model.estimator import Point, log_loss
from scoring.model.train import Draft, draft


@dataclass(frozen=True)
class Column:
    name: str
    family: str
    type: str
    unit: str = ""
    role: str = "model"

    @property
    def label(self) -> str:
        return self.name


FEATURES = (
    Column("size", "firmographic", "number"), Column("age", "firmographic", "number"),
    Column("origin", "fact", "category"), Column("source", "fact", "category"),
    Column("visits", "behavioural", "number"),
)  # fmt: skip


def world(n: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Facts that only trees can put together, and that foretell each other."""
    r = np.random.default_rng(seed)
    size, origin = r.normal(size=n), r.integers(0, 3, n)
    age = size + 0.7 * r.normal(size=n)
    source = np.where(r.random(n) < 0.7, origin, r.integers(0, 3, n))
    visits = r.poisson(2, n).astype(float)
    logit = -0.5 + 1.6 * np.where(origin == 0, size, -size) + np.where(source == 2, 1.2, 0.0) + 0.3 * visits
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    names = np.array(["web", "list", "event"])
    table = pa.table(
        {"size": size, "age": age, "origin": names[origin], "source": names[source], "visits": visits}
    )
    return table, won


@pytest.fixture(scope="module")
def drafted() -> Draft:
    rows, won = world(2000, 0)
    return draft(rows, won, features=FEATURES, groups=np.arange(len(won)))


@pytest.fixture(scope="module")
def point(drafted: Draft) -> Point:
    out = sparse.learn(drafted.design, drafted.sample, drafted.point, 0)
    assert out.sparse is not None
    return out


def thinned(rows: Encoded, rate: float, seed: int) -> Encoded:
    """Every fact, and no behaviour, gone at a rate."""
    r = np.random.default_rng(seed)
    numbers, codes = rows.numbers.copy(), rows.codes.copy()
    numbers[:, :2][r.random((len(rows), 2)) < rate] = np.nan
    codes[r.random(codes.shape) < rate] = BLANK
    return Encoded(numbers, codes)


def loss(point: Point, drafted: Draft, rows: Encoded, won: np.ndarray) -> float:
    design = drafted.design
    return log_loss(point.logit(design, rows, design.additive(rows)), won, np.ones(len(won)))


def test_one_model_serves_full_and_sparse_records_alike(drafted: Draft, point: Point) -> None:
    rows, won = world(3000, 1)
    full = drafted.design.encode(rows)
    few = thinned(full, 0.5, 2)
    assert abs(loss(point, drafted, full, won) - loss(drafted.point, drafted, full, won)) < 0.003
    assert loss(point, drafted, few, won) < loss(drafted.point, drafted, few, won) - 0.01


def test_a_record_is_sparse_by_what_is_blank_alone(drafted: Draft, point: Point) -> None:
    assert point.sparse is not None
    full = drafted.sample.encoded
    other = full.take(np.random.default_rng(0).permutation(len(full)))
    weight = point.sparse.weight(full)
    assert np.array_equal(weight, point.sparse.weight(other))
    assert (point.sparse.weight(thinned(full, 1.0, 0)) == 1).all()
    assert weight.max() < 0.2


def test_a_behaviour_is_never_taken_away(drafted: Draft) -> None:
    layout = drafted.design
    asked = [[f] for f, field in enumerate(layout.fields) if field.name != "visits"]
    copies = sparse.copied(layout, drafted.sample, asked, np.random.default_rng(0))
    blank = dict(zip(layout.names, copies.encoded.blank.mean(axis=0), strict=True))
    assert blank["visits"] == 0
    assert all(0.35 < blank[name] < 0.45 for name in layout.names if name != "visits")
    assert copies.weight.sum() == pytest.approx(drafted.sample.weight.sum())


def test_a_field_hidden_from_the_trees_is_hidden_from_the_gate(drafted: Draft) -> None:
    layout = replace(drafted.design, unseen_by_trees=("source",))
    asked = [[f] for f, field in enumerate(layout.fields) if field.name != "visits"]
    copies = sparse.copied(layout, drafted.sample, asked, np.random.default_rng(0))
    weights, _ = sparse.gate(layout, drafted.sample, copies)
    gate = dict(zip(layout.names, weights, strict=True))
    assert gate["source"] == 0
    assert gate["origin"] > 0


def test_with_few_wins_the_regression_stays_alone() -> None:
    rows, won = world(400, 4)
    won[np.flatnonzero(won)[20:]] = 0
    made = draft(rows, won, features=FEATURES, groups=np.arange(len(won)))
    assert sparse.learn(made.design, made.sample, made.point, 0) is made.point


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 99))
def test_a_lead_scores_the_same_alone_and_among_others(
    drafted: Draft, point: Point, count: int, rate: float, seed: int
) -> None:
    design = drafted.design
    rows = thinned(drafted.sample.encoded.take(np.arange(count)), rate, seed)
    together = point.logit(design, rows, design.additive(rows))
    for i in (0, count - 1):
        one = rows.take(np.array([i]))
        assert point.logit(design, one, design.additive(one))[0] == pytest.approx(together[i], abs=1e-9)


def test_long_tables_are_asked_in_pieces(
    drafted: Draft, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    design, rows = drafted.design, thinned(drafted.sample.encoded, 0.3, 5)
    before = point.logit(design, rows, design.additive(rows))
    monkeypatch.setattr(forest, "CHUNK", 97)
    assert np.array_equal(point.logit(design, rows, design.additive(rows)), before)


def test_what_is_saved_says_the_same_of_sparse_records(drafted: Draft, tmp_path: Path) -> None:
    model: Model = drafted.finish()
    assert model.point.sparse is not None
    digest = store.save(model, tmp_path / "model.skops")
    loaded = store.load(tmp_path / "model.skops", digest)
    rows, _ = world(200, 6)
    thin = rows.set_column(2, "origin", pa.nulls(200, pa.string()))
    assert np.array_equal(loaded.score(thin).score, model.score(thin).score)
    bare = replace(model, point=drafted.point)
    assert not np.array_equal(bare.score(thin).score, model.score(thin).score)
