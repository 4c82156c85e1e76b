"""What the oracle of the ranges' benchmark is told is the truth, blank where the record is, and nothing that no
record holds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import told
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario


@pytest.mark.parametrize(("scenario", "months", "at_least"), [("first", 6, 0.5), ("default", 18, 0.35)])
def test_the_oracle_is_told_the_truth_as_far_as_records_show_it(
    scenario: str, months: int, at_least: float
) -> None:
    """`at_least`: the share of leads on which a column is known; default's records are blanker, half its leads have no account."""
    world, truth = generate(leads=600, months=months, seed=3, scenario=read_scenario(scenario))
    people = [person for person in world.people if truth.scored_at[person.key] <= world.now]
    rows = told.table(world, people, truth)
    assert "slow clock" not in rows.column_names
    for at, name in enumerate(truth.design):
        if name in told.UNTOLD:
            continue
        shown = rows[name].to_numpy(zero_copy_only=False)
        true = np.array([truth.rows[person.key][at] for person in people])
        known = np.isfinite(shown)
        assert known.mean() > at_least, name
        assert (np.abs(shown - true)[known] < 1e-3).mean() > 0.93, name
    titles = np.array([person.fields["title"] is None for person in people])
    blank = np.isnan(rows["function technical"].to_numpy(zero_copy_only=False))
    assert (titles == blank).mean() > 0.95
