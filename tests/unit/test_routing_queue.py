"""The review queue holds what people can look at in time, the most valuable uncertainty first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.routing.decide import LeadState
from scoring.routing.policy import parse
from scoring.routing.queue import in_order, reviews_in, room, to_work

POLICY = parse({"review": {"capacity_hours": 2, "minutes_each": 10, "queue_days": 5}})


def test_the_dearest_doubt_comes_first() -> None:
    states = {
        "sure and dear": LeadState(expected_value=10_000, confidence=95),
        "unsure and dear": LeadState(expected_value=10_000, confidence=40),
        "unsure and cheap": LeadState(expected_value=100, confidence=10),
    }
    assert in_order(states, states) == ["unsure and dear", "sure and dear", "unsure and cheap"]


@pytest.mark.parametrize(
    ("power", "order"), [(0, ["likely", "middling", "dear"]), (0.5, ["middling", "likely", "dear"]), (1, ["dear", "middling", "likely"])]
)  # fmt: skip
def test_amounts_count_for_as_much_as_the_policy_says(power: float, order: list[str]) -> None:
    states = {
        "likely": LeadState(score=80, expected_value=2_000),
        "middling": LeadState(score=60, expected_value=6_000),
        "dear": LeadState(score=20, expected_value=12_000),
    }
    assert to_work(states, states, parse({"work": {"amount": power}})) == order


def test_without_amounts_the_likeliest_come_first() -> None:
    states = {name: LeadState(score=score) for name, score in (("low", 20), ("high", 90), ("middle", 50))}
    assert to_work(states, states, POLICY) == ["high", "middle", "low"]


def test_two_hours_a_day_are_twelve_reviews_and_a_queue_of_sixty() -> None:
    assert reviews_in(1, POLICY) == 12
    assert room(0, POLICY) == 60
    assert room(59, POLICY) == 1


@given(st.integers(0, 10_000))
def test_a_full_queue_takes_nothing(open_cases: int) -> None:
    assert 0 <= room(open_cases, POLICY) <= 60
    assert room(open_cases, POLICY) == 0 or open_cases < 60
