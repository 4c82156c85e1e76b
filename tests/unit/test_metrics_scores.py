"""Our own measures against scikit-learn's, and intervals against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from scoring.metrics.outcomes import read
from scoring.metrics.rates import exact_interval, rate, share
from scoring.metrics.scores import auc, auc_error, brier, ece, log_loss, reliability, skill
from scoring.routing.policy import Policy
from tests.unit.matured import matured

POLICY = Policy()


@given(st.integers(0, 10_000), st.integers(2, 200), st.booleans())
def test_measures_are_those_of_scikit_learn(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.01, 0.99, n)
    p = np.round(p, 1).clip(0.05, 0.95) if ties else p
    y = rng.random(n) < p
    if y.all() or not y.any():
        assert auc(y, p) is None
        return
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p))
    assert log_loss(y, p) == pytest.approx(sklearn_log_loss(y, p))
    assert brier(y, p) == pytest.approx(brier_score_loss(y, p))


@pytest.mark.parametrize(("winners", "apart"), [(30, 0.2), (30, 1.0), (150, 0.6)])
def test_the_error_of_an_auc_is_how_far_it_scatters_or_a_little_more(winners: int, apart: float) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(400) < winners
    found = [auc(y, rng.normal(apart * y, 1)) for _ in range(400)]
    told = auc_error(float(np.mean(found)), winners, 400 - winners)
    assert 0.9 < told / np.std(found) < 1.3


def test_true_probabilities_are_calibrated_and_bent_ones_are_not() -> None:
    o = read(matured(20_000))
    assert ece(o.won, o.probability) < 0.01
    assert ece(o.won, o.probability**0.5) > 0.1
    inside = [b.observed.low <= b.promised <= b.observed.high for b in reliability(o, POLICY)]
    assert sum(inside) >= 7


def test_skill_is_above_zero_for_knowledge_and_below_for_noise() -> None:
    o = read(matured(4000))
    base = float(o.won.mean())
    known = skill(o.won, o.probability, base, POLICY)
    assert 0 < known.low < known.value < known.high
    said_base = skill(o.won, np.full(len(o), base), base, POLICY)
    assert said_base.value == pytest.approx(0, abs=1e-9)
    noise = skill(o.won, np.random.default_rng(3).permutation(o.probability), base, POLICY)
    assert noise.high < 0


@given(st.integers(0, 40), st.integers(0, 40))
def test_exact_intervals_hold_the_rate(k: int, more: int) -> None:
    n = k + more
    if n == 0:
        return
    low, high = exact_interval(k, n, 0.9)
    assert 0 <= low <= k / n <= high <= 1


def test_the_exact_interval_covers_as_promised() -> None:
    rng = np.random.default_rng(0)
    covered = [
        lo <= 0.07 <= hi for k in rng.binomial(60, 0.07, 1000) for lo, hi in [exact_interval(k, 60, 0.9)]
    ]
    assert np.mean(covered) >= 0.9


def test_few_outcomes_are_said_and_not_guessed() -> None:
    few = rate(np.array([True, False]), POLICY)
    assert (few.value, few.low, few.high) == (None, None, None)
    assert few.text == "not enough outcomes yet (2 of 20 needed)"
    none = share(np.zeros(0, dtype=bool), np.zeros(0), POLICY, needed=0)
    assert none.value is None
    enough = rate(np.array([True] * 5 + [False] * 15), POLICY)
    assert enough.text == "25% (5 of 20, likely 10% to 46%)"


def test_a_share_of_money_has_an_interval() -> None:
    rng = np.random.default_rng(5)
    part, weight = rng.random(500) < 0.3, rng.exponential(1000, 500)
    result = share(part, weight, POLICY)
    assert result.low < result.value < result.high
    assert 0.2 < result.value < 0.4
    assert result == share(part, weight, POLICY)
