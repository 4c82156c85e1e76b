"""Between trainings recent outcomes recalibrate the model, and its sureness falls when its recent record does (S4.4)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model.additive import sigmoid
from scoring.model.recent import Recent, begin, read, unsure

BASE = 0.1
A_DAY = 40


def _lived(days: int, shift: float = 0.0, seed: int = 0, state: Recent | None = None) -> Recent:
    """Days on which the market differs by `shift` logits from what the model says."""
    random = np.random.default_rng(seed)
    state = state or begin(BASE)
    for _ in range(days):
        logit = random.normal(-2.2, 0.8, A_DAY)
        won = (random.random(A_DAY) < sigmoid(logit + shift)).astype(float)
        state = state.waited(1).learnt(logit, won)
    return state


def _typical(state: Recent) -> tuple[float, float]:
    """Of a typical lead: by how much its logit is moved, and the variance added."""
    logit = np.array([state.centre])
    moved, variance = state.applied(logit)
    return float((moved - logit)[0]), float(variance[0])


@pytest.mark.parametrize("shift", [-1.0, 1.0, 2.0])
def test_a_turn_is_noticed_within_days(shift: float) -> None:
    calm = _lived(60)
    turned = _lived(8, shift, seed=1, state=calm)
    assert abs(_typical(calm)[0]) < 0.3
    assert _typical(turned)[0] == pytest.approx(shift, abs=0.45)


def test_sureness_falls_when_the_record_does() -> None:
    calm = _lived(60)
    still_calm = _lived(5, 0.0, seed=1, state=calm)
    turned = _lived(5, 1.5, seed=1, state=calm)
    assert _typical(turned)[1] > 1.5 * _typical(still_calm)[1]


def test_a_market_that_does_not_turn_is_left_alone() -> None:
    random = np.random.default_rng(7)
    worse = []
    for seed in range(4):
        state = _lived(90, seed=seed)
        logit = random.normal(-2.2, 0.8, 20_000)
        moved, _ = state.applied(logit)
        truth = sigmoid(logit)
        worse.append(
            float((truth * (logit - moved) + np.logaddexp(0, moved) - np.logaddexp(0, logit)).mean())
        )
    assert np.mean(worse) < 0.002


def test_wins_that_are_not_known_yet_are_not_taken_for_losses() -> None:
    """Half of the wins come after today: told so, the model is not taken for too rosy."""
    random = np.random.default_rng(3)
    told = untold = begin(BASE)
    for _ in range(60):
        logit = random.normal(-2.2, 0.8, A_DAY)
        seen = (random.random(A_DAY) < 0.5 * sigmoid(logit)).astype(float)
        told = told.waited(1).learnt(logit, seen, known=np.full(A_DAY, 0.5))
        untold = untold.waited(1).learnt(logit, seen)
    assert abs(_typical(told)[0]) < 0.3
    assert _typical(untold)[0] < -0.4


def test_a_model_that_follows_says_at_first_what_the_old_one_said() -> None:
    state = _lived(30, 1.0)
    random = np.random.default_rng(5)
    old = random.normal(-2.2, 0.8, 500)
    new = 0.5 * old - 0.3
    after = state.succeeded(old, new, begin(float(sigmoid(np.array(-1.5)))))
    before_said, _ = state.applied(old)
    after_says, _ = after.applied(new)
    assert float(sigmoid(after_says).mean()) == pytest.approx(float(sigmoid(before_said).mean()), abs=0.02)


@settings(max_examples=30, deadline=None)
@given(days=st.integers(0, 5), shift=st.floats(-3, 3), seed=st.integers(0, 1000))
def test_a_state_is_read_back_exactly(days: int, shift: float, seed: int) -> None:
    state = _lived(days, shift, seed)
    again = read(json.loads(json.dumps(state.as_dict())))
    logit = np.linspace(-5, 3, 50)
    for mine, theirs in zip(state.applied(logit), again.applied(logit), strict=True):
        assert np.array_equal(mine, theirs)
    assert (again.leads, again.wins, again.promised) == (state.leads, state.wins, state.promised)


@settings(max_examples=30, deadline=None)
@given(
    logit=st.lists(st.floats(-9, 9), min_size=1, max_size=60),
    won=st.booleans(),
    known=st.floats(0.01, 1.0),
    days=st.floats(0, 400),
)
def test_no_day_breaks_the_filter(logit: list[float], won: bool, known: float, days: float) -> None:
    """Weights sum to one, the doubt is a variance, whatever a day brings."""
    n = len(logit)
    state = begin(BASE).waited(days).learnt(np.array(logit), np.full(n, float(won)), np.full(n, known))
    mean, spread = state.line
    assert np.isfinite(mean).all()
    assert float(np.linalg.eigvalsh(spread).min()) > 0
    assert float(state.weights.sum()) == pytest.approx(1.0)


def test_waiting_widens_and_does_not_move() -> None:
    state = _lived(30, 0.5)
    line, spread = state.line
    later, wider = state.waited(0).line, state.waited(20).line
    assert np.allclose(later[0], line)
    assert wider[1][0, 0] > spread[0, 0]


def _taught(leads: int) -> Recent:
    """Where the recalibration of a model begins that learnt from so many leads."""
    logit = np.random.default_rng(1).normal(-2.2, 0.8, leads)
    return begin(BASE, unsure(logit, np.ones(leads), BASE))


def test_a_fresh_training_is_as_sure_of_its_line_as_its_outcomes_make_it() -> None:
    """Four times the leads, half the doubt; and none of it is added to a range that holds it already."""
    few, many = _taught(3_000), _taught(12_000)
    sd = [float(np.sqrt(state.line[1][0, 0])) for state in (few, many)]
    assert sd[1] == pytest.approx(sd[0] / 2, rel=0.05)
    assert _typical(few) == pytest.approx((0.0, 0.0))


def test_what_a_market_may_have_done_since_is_added() -> None:
    state = _taught(3_000)
    later = [_typical(state.waited(days))[1] for days in (0, 10, 100)]
    assert later[0] == pytest.approx(0)
    assert later[0] < later[1] < later[2]
    assert _typical(begin(BASE, state.own, days=100))[1] == pytest.approx(later[2])


def test_a_well_taught_model_does_not_chase_the_luck_of_a_month() -> None:
    luck = [
        (abs(_typical(_lived(30, seed=seed, state=begin(BASE)))[0]), abs(_typical(_lived(30, seed=seed, state=_taught(3_000)))[0]))
        for seed in range(5)
    ]  # fmt: skip
    untold, taught = np.mean(luck, axis=0)
    assert taught < untold
    assert _typical(_lived(8, 1.5, seed=1, state=_taught(3_000)))[0] == pytest.approx(1.5, abs=0.45)


def test_luck_is_not_told_as_what_came_to_pass() -> None:
    """32 won where 30 were promised say nothing of any lead; a turn does, of each as far as it reaches."""
    logit = np.linspace(-5, 1, 13)
    for seed in range(5):
        assert not _lived(30, seed=seed, state=_taught(3_000)).moved(logit).told.any()
    for shift in (-1.5, 1.5):
        turned = _lived(15, shift, seed=1, state=_taught(3_000))
        typical = turned.moved(np.array([turned.centre])).told
        assert typical == pytest.approx([shift], abs=0.5)
        moved = turned.line[0][0] + turned.line[0][1] * (logit - turned.centre)
        told = turned.moved(logit).told
        assert (told * moved >= 0).all()
        assert (told != 0).sum() >= 3


def test_a_state_of_an_earlier_version_is_read() -> None:
    kept = {name: value for name, value in begin(BASE).as_dict().items() if name != "own"}
    assert _typical(read(kept)) == _typical(begin(BASE))
