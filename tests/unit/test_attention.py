"""Outcomes of leads that nobody may have worked (S1.5): made-up orgs in which it is known what work would have done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.jobs.attention import AFTER, BEFORE, was_worked
from scoring.features.catalogue import Feature
from scoring.model.attention import LEAST, hidden, is_logged, weigh
from scoring.model.train import train

N = 4000
SIZE = Feature("size", "fact", "number", "people", "Size", "Size.", "model")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def org(seed: int) -> dict[str, Any]:
    """Reps go for large companies; worked leads win at 30 %, whatever their size, unworked ones at 2 %."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=N)
    worked = rng.random(N) < 1 / (1 + np.exp(-2 * size))
    won = (rng.random(N) < np.where(worked, 0.3, 0.02)).astype(float)
    return {
        "rows": pa.table({"size": size}),
        "size": size,
        "worked": worked,
        "won": won,
        "group": np.arange(N),
    }


def test_who_is_rarely_worked_is_not_thought_weak_for_it() -> None:
    here = org(1)
    none = np.full(N, np.nan)
    found = weigh(here["rows"], here["worked"], features=[SIZE], group=here["group"], recorded=none)
    asked = pa.table({"size": [-1.5, 1.5]})
    gaps = []
    for weight in (None, found.weight):
        model = train(here["rows"], here["won"], features=[SIZE], groups=here["group"], weight=weight)
        small, large = model.score(asked).probability
        gaps.append(np.log(large / (1 - large)) - np.log(small / (1 - small)))
    assert gaps[1] < 0.75 * gaps[0]


def test_a_chance_that_a_lot_set_is_taken_as_it_was() -> None:
    here = org(2)
    recorded = np.where(np.arange(N) < 100, 0.4, np.nan)
    found = weigh(here["rows"], here["worked"], features=[SIZE], group=here["group"], recorded=recorded)
    assert (found.chance[:100] == 0.4).all()
    assert set(found.weight[:100]) <= {1.0, 0.4}
    assert ((found.weight >= LEAST) & (found.weight <= 1)).all()


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_what_nobody_worked_may_have_been_worth(seed: int) -> None:
    here = org(seed)
    found = hidden(here["rows"], here["won"], here["worked"], features=[SIZE], group=here["group"])
    assert found is not None
    would = 0.3 * found.unworked - found.won
    assert found.unworked == (~here["worked"]).sum()
    assert found.low - 30 <= would <= found.high + 30
    assert found.low < found.more < found.high


def test_where_winners_show_no_work_nothing_is_learnt_from_it() -> None:
    here = org(6)
    assert is_logged(here["won"] > 0, here["worked"])
    forgotten = here["worked"] & (np.random.default_rng(0).random(N) < 0.5)
    assert not is_logged(here["won"] > 0, forgotten)
    assert not is_logged(here["won"] > 0, np.ones(N, dtype=bool))


@given(st.lists(st.floats(-100, 100), max_size=8))
def test_a_lead_is_worked_if_somebody_was_near(days: list[float]) -> None:
    times = sorted(NOW + timedelta(days=d) for d in days)
    found = was_worked([("L", NOW)], {"L": times})
    assert found.tolist() == [any(NOW - BEFORE <= at <= NOW + AFTER for at in times)]
