"""What the oracle of the ranges' benchmark is told is the truth, blank where the record is, and nothing that no
record holds."""

from __future__ import annotations

import numpy as np

from benchmarks import told
from connector.playground.world.formula import EFFECTS
from connector.playground.world.generate import generate


def test_the_oracle_is_told_the_truth_as_far_as_records_show_it() -> None:
    world, truth = generate(leads=400, months=6, seed=3)
    people = [person for person in world.people if truth.scored_at[person.key] <= world.now]
    rows = told.table(world, people, truth.scored_at)
    assert "slow clock" not in rows.column_names
    for at, name in enumerate(EFFECTS):
        if name in told.UNTOLD:
            continue
        shown = rows[name].to_numpy(zero_copy_only=False)
        true = np.array([truth.rows[person.key][at] for person in people])
        known = np.isfinite(shown)
        assert known.mean() > 0.5
        assert (np.abs(shown - true)[known] < 1e-3).mean() > 0.93, name
    titles = np.array([person.fields["title"] is None for person in people])
    blank = np.isnan(rows["function technical"].to_numpy(zero_copy_only=False))
    assert (titles == blank).mean() > 0.95
