"""What the routing is worth, from a lot."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.metrics.holdout import effect
from scoring.routing.policy import Policy

POLICY = Policy()


def test_the_interval_is_newcombes() -> None:
    # Newcombe 1998, table II, example (a): 56/70 against 48/80, method 10, 95 %: 0.0524 to 0.3339
    won = np.array([True] * 56 + [False] * 14 + [True] * 48 + [False] * 32)
    held = np.array([False] * 70 + [True] * 80)
    found = effect(won, held, Policy.model_validate({"metrics": {"level": 0.95}}))
    assert found.gain == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert found.sure


def test_routing_that_does_nothing_is_not_called_a_gain() -> None:
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(400):
        won, held = rng.random(600) < 0.1, rng.random(600) < 0.2
        wrong += effect(won, held, POLICY).sure
    assert wrong / 400 <= 0.12


def test_few_outcomes_give_no_difference() -> None:
    found = effect(np.ones(30, dtype=bool), np.arange(30) < 5, POLICY)
    assert found.gain is None
    assert not found.sure
