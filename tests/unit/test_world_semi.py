"""Real rows with outcomes drawn anew: the truth is known, and the rows are read where they lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from connector.errors import InputError
from connector.playground.world.scenario import DataSet
from connector.playground.world.semi import chances, semi_synthetic

DATA = Path(os.environ.get("CANDOR_DATA", "../shared/data"))
there = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not here (CANDOR_DATA)")


@pytest.mark.parametrize("form", ["spline", "trees"])
def test_a_fitted_truth_follows_its_rows(form: str) -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=900)
    rows = [{"size": float(x), "kind": "a" if x > 1 else None} for x in size]
    won = (rng.random(900) < 1 / (1 + np.exp(-2 * size))).astype(float)
    p = chances(rows, won, form)  # type: ignore[arg-type]
    assert abs(p.mean() - won.mean()) < 0.02
    assert np.corrcoef(p, size)[0, 1] > 0.8


@there
@pytest.mark.parametrize(("name", "least"), [("x_education", 9000), ("loan-applications", 2500)])
def test_real_rows_with_new_outcomes(name: DataSet, least: int) -> None:
    world, truth = semi_synthetic(name, 3)
    assert len(world.people) >= least
    p = np.array([truth.probability[person.key] for person in world.people])
    won = np.array([person.key in truth.wins for person in world.people])
    assert abs(won.mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(p)
    assert all((truth.luck[key] < truth.probability[key]) == (key in truth.wins) for key in truth.probability)
    open_leads = [person for person in world.people if person.status == "new"]
    assert open_leads
    assert not any(person.deal for person in open_leads)
    assert all(touch.at <= truth.scored_at[touch.person] for touch in world.touches)


@there
def test_another_seed_is_another_history_of_the_same_rows() -> None:
    one, two, again = (semi_synthetic("loan-applications", seed) for seed in (1, 2, 1))
    assert repr(one) == repr(again)
    assert one[1].probability == two[1].probability
    assert one[1].wins.keys() != two[1].wins.keys()


def test_sets_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CANDOR_DATA"):
        semi_synthetic("x_education", 1, data=tmp_path / "none")
    with pytest.raises(InputError, match="loan-applications"):
        semi_synthetic("others", 1, data=tmp_path)  # type: ignore[arg-type]
