"""Real rows with outcomes drawn anew: the truth is known, and the rows are read where they lie."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from connector.errors import InputError
from connector.playground.server import open_playground
from connector.playground.world.options import WorldOptions
from connector.playground.world.scenario import DataSet
from connector.playground.world.semi import chances, semi_synthetic

DATA = Path(os.environ.get("CANDOR_DATA", "../shared/data"))
there = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not here (CANDOR_DATA)")


@pytest.fixture
def applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Made-up applications in the shape of the real set, and a scenario that asks for them."""
    rnd, folder = Random(1), tmp_path / "data" / "loan-applications"
    folder.mkdir(parents=True)
    cases, events, ends = [], [], []
    for id in range(240):
        at = datetime(2011, 10, 1, tzinfo=UTC) + timedelta(hours=13.5 * id)
        amount = rnd.randrange(1, 60) * 1000
        won = rnd.random() < amount / 60_000
        cases.append({"case_id": id, "created_at": at, "amount_requested": amount})
        events += [
            {"case_id": id, "seq": n, "at": at + timedelta(days=2 * n), "activity": activity, "transition": "COMPLETE", "resource": who}
            for n, (activity, who) in enumerate((("A_SUBMITTED", 0), ("W_Nabellen offertes", 7), ("O_SENT", 7)))
        ]  # fmt: skip
        ends.append({"case_id": id, "closed_at": at + timedelta(days=20), "outcome": "won" if won else "lost",
                     "outcome_at": at + timedelta(days=20)})  # fmt: skip
    for name, rows in (("cases", cases), ("events", events), ("outcomes", ends)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    monkeypatch.setenv("CANDOR_DATA", str(tmp_path / "data"))
    file = tmp_path / "loans.toml"
    file.write_text(
        'data = "loan-applications"\nform = "trees"\n[attention]\nreached = 0.8\nunreached = 0.2\ndays = 5.0'
    )
    return str(file)


def test_a_scenario_that_names_real_rows_is_them_and_what_reaching_them_is_worth(applications: str) -> None:
    options = WorldOptions(leads=7, months=1, seed=3, scenario=applications)
    options.check()
    assert (options.snapshot, options.holds_back, options.horizon_days) == (False, True, 30)
    assert options.described_by() == ({"amount_requested": "number"}, ())
    world, truth = options.make()
    assert len(world.people) > 200
    assert repr((world, truth)) == repr(options.make())
    for key, chance in truth.probability.items():
        assert truth.reached[key] == pytest.approx(0.8 * chance)
        assert truth.unreached[key] == pytest.approx(0.2 * chance)
        assert truth.reach_by[key] - truth.scored_at[key] == timedelta(days=5)
    assert truth.wins.keys().isdisjoint(truth.losses)
    still_open = {person.key for person in world.people if person.status == "new"}
    assert still_open
    decided = {**truth.wins, **truth.losses}
    assert all(key not in decided or decided[key] > world.now for key in still_open)
    assert all(decided[key] <= world.now for key in truth.probability if key not in still_open)


def test_a_local_crm_of_real_rows_opens_lives_and_gets_no_new_leads(
    applications: str, tmp_path: Path
) -> None:
    playground = open_playground("hubspot", tmp_path / "org", WorldOptions(seed=3, scenario=applications))
    before = len(playground.org.all("contacts"))
    assert before == len(playground.truth.probability)
    done = TestClient(playground.pages).post("/reps/react", json={"days": 2, "seed": 1}).json()
    assert done["looks"] > 0
    assert len(playground.org.all("contacts")) == before
    playground.close()


@pytest.mark.parametrize("name", ["x_education", "bank-calls"])
def test_undated_rows_are_seen_at_one_moment(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'data = "{name}"')
    options = WorldOptions(scenario=str(tmp_path / "mine.toml"))
    assert options.snapshot
    assert options.horizon_days is None
    described = options.described_by()
    assert described is not None
    assert len(described[0]) > 5


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
