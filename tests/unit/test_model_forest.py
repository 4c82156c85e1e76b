"""Trees asked by tables say what scikit-learn's own walk says, bit for bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from scoring.model import design as layouts
from scoring.model import estimator
from scoring.model.estimator import Sample
from scoring.model.train import sample_of
from tests.unit.test_model import Column

ROWS = 700


@pytest.fixture(scope="module")
def layout_and_sample() -> tuple[layouts.Design, Sample]:
    random = np.random.default_rng(0)
    visits, size = random.gamma(1.0, 5.0, ROWS), random.normal(0, 1, ROWS)
    visits[random.random(ROWS) < 0.2] = np.nan
    names = random.choice(["web", "partner", "event", "rare"], ROWS, p=[0.6, 0.3, 0.095, 0.005])
    source = [
        None if lot < 0.1 else name for lot, name in zip(random.random(ROWS), names.tolist(), strict=True)
    ]
    rows = pa.table(
        {"visits": pa.array(visits, from_pandas=True), "size": size, "source": source, "hidden": size + 1}
    )
    columns = [Column(n, "fact", "category" if n == "source" else "number", "", n) for n in rows.column_names]
    chance = 0.1 + 0.6 * (np.nan_to_num(visits) > 4) * (names == "web") + 0.2 * (size > 0)
    won = (random.random(ROWS) < chance).astype(float)
    layout = layouts.learn(rows, columns, ["hidden"])
    each = np.arange(ROWS)
    return layout, sample_of(layout, rows, won, np.ones(ROWS), each, each)


@pytest.mark.parametrize("rounds", [1, 30, 31])
@pytest.mark.parametrize("count", [0, 1, 64, 65, ROWS])
def test_the_same_bit_for_bit(
    layout_and_sample: tuple[layouts.Design, Sample], rounds: int, count: int
) -> None:
    layout, sample = layout_and_sample
    grown = estimator.fit_tree(layout, sample, rounds, 0)
    codes = sample.encoded.codes.copy()
    codes[::7] = layouts.UNSEEN
    rows = layouts.Encoded(sample.encoded.numbers, codes).take(np.arange(count))
    walked = (
        grown.estimator.decision_function(layout.trees(rows, grown.cuts, grown.levels))
        if count
        else np.zeros(0)
    )
    assert np.array_equal(grown.logit(layout, rows), walked)


def test_trees_that_grew_are_asked_anew(layout_and_sample: tuple[layouts.Design, Sample]) -> None:
    layout, sample = layout_and_sample
    growing = estimator._Growing(layout, sample, 0, 1)
    short = growing.grown(10).logit(layout, sample.encoded)
    long = growing.grown(40).logit(layout, sample.encoded)
    assert not np.array_equal(short, long)
