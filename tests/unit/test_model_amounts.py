"""What a deal would bring, and how sure that is (S3.1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model.amount import Amounts, learn
from scoring.model.train import by_amount


def won(n: int, seed: int = 0, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """One column tells the amount, nineteen don't."""
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, 20))
    return x, np.exp(10 + 0.8 * x[:, 0] + noise * r.normal(size=n))


def fitted(x: np.ndarray, amount: np.ndarray, copies: int = 1) -> Amounts:
    ids = np.repeat(np.arange(len(x)), copies)
    return learn(
        x[ids], np.ones(len(ids)), amount[ids], lead=ids, group=ids, columns=[(k, k + 1) for k in range(20)]
    )


def test_the_range_holds_nine_of_ten_further_amounts_and_no_more() -> None:
    found = fitted(*won(300))
    x, amount = won(4000, seed=1)
    low, high = found.ranges(x)
    assert 0.86 < ((low <= amount) & (amount <= high)).mean() < 0.94
    assert np.log(high / low).mean() < 2.3 * 1.645 * 0.5
    assert found.expected(x).sum() == pytest.approx(amount.sum(), rel=0.15)


def test_a_lead_seen_at_five_ages_is_no_five_deals() -> None:
    x, amount = won(60)
    once, often = fitted(x, amount), fitted(x, amount, copies=5)
    assert np.allclose(once.coef, often.coef, atol=0.01)
    assert (once.below, once.above) == pytest.approx((often.below, often.above), abs=0.2)
    assert np.allclose(once.doubt(x), often.doubt(x), rtol=0.1)


def test_what_such_deals_bring_on_average_is_surer_the_more_were_won() -> None:
    x = won(50, seed=2)[0]
    few, many = fitted(*won(60)), fitted(*won(1000))
    assert (many.doubt(x) < few.doubt(x)).all()
    assert many.above - many.below > 10 * many.doubt(x).mean(), "one deal stays uncertain"


def test_of_a_handful_everybody_gets_the_median_and_of_none_nothing() -> None:
    x, amount = won(5)
    found = fitted(x, amount)
    assert found.expected(x) == pytest.approx(np.full(5, np.median(amount)))
    low, high = found.ranges(x)
    assert (low <= amount.min()).all()
    assert (high >= amount.max()).all()
    assert (found.doubt(x) > 0).all()
    nothing = learn(x, np.ones(5), None, lead=np.arange(5), group=np.arange(5), columns=[])
    assert np.isnan(nothing.expected(x)).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=60), st.integers(0, 3))
def test_any_amounts_give_ordered_ends(amounts: list[float], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(len(amounts), 20))
    found = fitted(x, np.array(amounts))
    low, high = found.ranges(x)
    assert (low > 0).all()
    assert (low <= high).all()
    assert np.isfinite(found.doubt(x)).all()


def test_weights_by_revenue_never_look_at_the_outcome() -> None:
    assert by_amount(np.array([1.0, 1.0, 100.0])) == pytest.approx([0.25, 0.25, 300 / 102])
    assert by_amount(np.full(3, np.nan)).tolist() == [1, 1, 1]
