"""What a backtest learns from is what was known at its cut (S1.1)."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from connector.jobs.backtest import CUT, Split, split
from connector.jobs.examples import Examples
from scoring.model.said import TAG, Said
from scoring.routing.policy import load as load_policy

DAY = 86_400.0
HORIZON = 180


class Kept(dict[str, Any]):
    def put(self, key: str, value: Any) -> None:
        self[key] = value

    def forget(self, key: str) -> None:
        self.pop(key, None)


def context(**kept: Any) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(training=SimpleNamespace(mode="as_of")), policy=load_policy(None), store=Kept(kept)
    )  # fmt: skip


def examples(came: np.ndarray, took: np.ndarray, won: np.ndarray) -> Examples:
    """One row a lead: when it came in (days), after how many days its outcome was known, and which it was."""
    n = len(came)
    return Examples(
        rows=pa.table({"lead_id": [f"L{i}" for i in range(n)]}), won=won.astype(float), weight=np.ones(n),
        groups=np.arange(n).astype(str), amount=np.full(n, np.nan), as_of=came * DAY, left_out={},
        known_at=(came + np.minimum(took, HORIZON)) * DAY,
    )  # fmt: skip


def world(n: int = 4000, days: int = 700, seed: int = 3) -> Examples:
    """Wins are told sooner than losses: what is known early is won too often."""
    dice = np.random.default_rng(seed)
    won = dice.random(n) < 0.2
    took = np.where(won, dice.uniform(10, 120, n), dice.choice([30.0, 400.0], n))
    return examples(np.sort(dice.uniform(0, days, n)), took, won)


def every(found: Examples) -> np.ndarray:
    return np.ones(len(found.won), bool)


def done(found: Examples, **kept: Any) -> Split:
    return split(context(**kept), found, every(found))


def test_only_outcomes_known_at_the_cut_are_learnt_from() -> None:
    found = world()
    apart = done(found)
    assert apart.known_then
    assert apart.cut is not None
    assert (apart.past.known_at <= apart.cut).all()
    early = (found.as_of < apart.cut) & (found.known_at <= apart.cut)
    assert len(apart.past.won) == early.sum() < (found.as_of < apart.cut).sum()
    assert apart.test.sum() == pytest.approx(0.3 * len(found.won), abs=1)


def test_quick_endings_count_no_more_than_there_are() -> None:
    found = world()
    apart = done(found)
    truth = float(found.won[found.as_of < apart.cut].mean())
    plain = float(apart.past.won.mean())
    weighed = float((apart.past.won * apart.past.weight).sum() / apart.past.weight.sum())
    assert plain > truth + 0.015
    assert weighed == pytest.approx(truth, abs=0.007)
    assert apart.base_rate == pytest.approx(weighed)


def test_with_too_few_known_outcomes_all_are_taken_and_it_is_said() -> None:
    n = 400
    young = examples(np.linspace(0, 100, n), np.full(n, 170.0), np.arange(n) % 10 == 0)
    apart = done(young)
    assert not apart.known_then
    assert len(apart.past.won) == 280


def test_what_people_said_of_open_leads_stays_whenever_it_was_said() -> None:
    found = world()
    five = np.arange(5)
    words = Said(
        pa.table({"lead_id": [f"open{k}" for k in five]}), np.full(5, TAG), np.ones(5), np.full(5, "Ann"), np.full(5, 50.0),
        np.full(5, np.nan), np.zeros(5, bool),
    )  # fmt: skip
    past = done(replace(found, said=words)).past
    assert past.said is not None
    assert len(past.said) == 5


def test_the_cut_is_kept_once_enough_leads_are_mature() -> None:
    few, many = world(150), world()
    store = context()
    split(store, few, every(few))
    assert CUT not in store.store, "of few leads it would hold out all that come"
    first = split(store, many, every(many)).cut
    assert store.store[CUT] == first
    later = world(8000, 1400)
    assert split(store, later, every(later)).cut == first


def test_a_cut_from_before_any_lead_was_mature_is_chosen_anew() -> None:
    found, store = world(), context(**{CUT: 0.0})
    apart = split(store, found, every(found))
    assert apart.cut == store.store[CUT] > 0
    assert len(apart.past.won) > 0
    few = world(100)
    store = context(**{CUT: 0.0})
    assert len(split(store, few, every(few)).past.won) > 0
    assert CUT not in store.store
    none = examples(np.array([]), np.array([]), np.array([], bool))
    store = context()
    assert split(store, none, every(none)).test.sum() == 0
    assert CUT not in store.store
