"""Beside trees the regression reads blanks (scoring/model/told.py), and ranges know how rough a world is (issue 13)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model import design, interval, told
from scoring.model.additive import fit, sigmoid
from scoring.model.estimator import Point, Sample, fit_point, log_loss
from tests.unit.test_model_sparse import Column

FEATURES = (
    Column("job", "fact", "category"), Column("size", "firmographic", "number"), Column("source", "fact", "category"),
    Column("age", "firmographic", "number"),
)  # fmt: skip
LEADS = 1500


def world(
    seed: int, *, speaks: float = 0.0, together: float = 0.0
) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Rows, outcomes, true logits. `speaks`: what a blank job adds; `together`: what size and age do together."""
    r = np.random.default_rng(seed)
    size, age = r.normal(size=(2, LEADS))
    job, source = r.integers(0, 3, (2, LEADS))
    blank = r.random(LEADS) < 0.4
    logit = -0.7 + 0.8 * (size + age) + np.where(blank, speaks, 0.6 * (job - 1)) + 0.3 * source
    logit += together * size * age
    won = (r.random(LEADS) < sigmoid(logit)).astype(float)
    gone = r.random(LEADS) < 0.2
    rows = pa.table({
        "job": pa.array([None if b else f"job {j}" for b, j in zip(blank, job, strict=True)]),
        "size": pa.array(np.where(gone, np.nan, size), from_pandas=True), "source": [f"source {s}" for s in source], "age": age,
    })  # fmt: skip
    return rows, won, logit


def sample(layout: design.Design, rows: pa.Table, won: np.ndarray) -> Sample:
    encoded = layout.encode(rows)
    each = np.arange(len(won))
    return Sample(encoded, layout.additive(encoded), won, np.ones(len(won)), each, each)


def fitted(layout: design.Design, s: Sample) -> told.Told | None:
    plain = fit(s.design, s.won, s.weight, layout.groups, usual=layout.usual)
    return told.learn(layout, s.design, s.encoded.blank, s.won, s.weight, plain)


def test_what_blanks_say_is_learnt_where_they_say_something_and_nothing_is_where_they_do_not() -> None:
    for speaks, close in ((-2.0, False), (0.0, True)):
        rows, won, _ = world(1, speaks=speaks)
        layout = design.learn(rows, FEATURES)
        found = fitted(layout, sample(layout, rows, won))
        assert found is not None
        effects = dict(
            zip(
                [layout.names[f] for f in found.places],
                found.regression.coef[-len(found.places) :],
                strict=True,
            )
        )
        assert set(effects) == {"job", "size"}
        assert (abs(effects["job"]) < 0.3) if close else (effects["job"] < -1.2)
        assert abs(effects["size"]) < 0.4


def test_the_average_with_trees_is_nearer_to_the_truth_on_leads_whose_blanks_speak() -> None:
    rows, won, _ = world(2, speaks=-2.0)
    asked, _, truth = world(3, speaks=-2.0)
    layout = design.learn(rows, FEATURES)
    point = fit_point(layout, sample(layout, rows, won), 0).point
    assert point.told is not None
    test = sample(layout, asked, sigmoid(truth))
    parts = point.parts(layout, test.encoded, test.design)
    plain = point.combine(replace(parts, line=point.additive.logit(test.design)))
    with_blanks = point.combine(parts)
    chance = sigmoid(truth)
    assert log_loss(with_blanks, chance, test.weight) < log_loss(plain, chance, test.weight)


def test_a_field_hidden_from_trees_has_no_column_for_its_blanks() -> None:
    rows, won, _ = world(4, speaks=-2.0)
    layout = design.learn(rows, FEATURES, unseen_by_trees=("job",))
    found = fitted(layout, sample(layout, rows, won))
    assert found is not None
    assert [layout.names[f] for f in found.places] == ["size"]


def test_fields_that_are_blank_together_are_read_once_and_hardly_ever_blank_ones_never() -> None:
    rows, won, _ = world(5)
    few = pa.array([None if i < told.ENOUGH - 1 else "web" if i % 2 else "list" for i in range(LEADS)])
    rows = rows.append_column("twin", rows["job"]).append_column("few", few)
    layout = design.learn(
        rows, (*FEATURES, Column("twin", "fact", "category"), Column("few", "fact", "category"))
    )
    found = fitted(layout, sample(layout, rows, won))
    assert found is not None
    names = [layout.names[f] for f in found.places]
    assert "few" not in names
    assert len({"job", "twin"} & set(names)) == 1


@pytest.fixture(scope="module")
def spoken() -> tuple[design.Design, Sample, Point]:
    """A world whose blanks speak, and what was learnt of it."""
    rows, won, _ = world(6, speaks=-1.0)
    layout = design.learn(rows, FEATURES)
    s = sample(layout, rows, won)
    return layout, s, fit_point(layout, s, 0).point


@settings(max_examples=20, deadline=None)
@given(row=st.integers(0, LEADS - 1))
def test_contributions_add_up_to_the_regression(
    spoken: tuple[design.Design, Sample, Point], row: int
) -> None:
    layout, s, point = spoken
    one = s.take(np.array([row]))
    parts = point.parts(layout, one.encoded, one.design)
    constant = (point.additive if point.told is None else point.told.regression).coef[0]
    own = point.contributions(layout, one.encoded, one.design, parts.sparse)
    if parts.sparse[0] == 0:
        assert np.allclose(own.sum() + constant, parts.line)


def test_ranges_learn_how_rough_the_world_is() -> None:
    """Of effects that only add up the waves have next to no size; of ones that act together they have one."""
    sizes = []
    for together in (0.0, 1.2):
        rows, won, _ = world(7, together=together)
        layout = design.learn(rows, FEATURES)
        s = sample(layout, rows, won)
        learnt = interval.learn(layout, s, fit_point(layout, s, 0).point, 0)
        sizes.append(learnt.familiar.fourier.size)
    assert sizes[0] < 0.1 < sizes[1]
