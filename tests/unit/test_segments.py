"""Segments with dynamics of their own are found from data, others aren't, and a model of their own has to be worth it (S4.1, S4.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model.compete import Competition, Held, chances, compete
from scoring.model.dynamics import History, Misses
from scoring.model.segments import Gain, Segment, gain
from scoring.model.train import Draft, draft
from scoring.routing.policy import Models, Words
from tests.unit.test_model import Column

SOURCES = ("web", "event", "list", "partner")
NUMBERS = ("employees", "visits", "reply", "revenue", "depth", "pace")
FEATURES = (
    *(Column(name, "firmographic", "number", name, name.capitalize()) for name in NUMBERS),
    Column("source", "firmographic", "category", "name", "Source"),
)


@dataclass(frozen=True)
class Leads:
    rows: pa.Table
    won: np.ndarray
    days: np.ndarray
    company: np.ndarray


def leads(n: int, seed: int, *, turned: bool = False, more: float = 0.0, slower: float = 1.0) -> Leads:
    """Those of the source "partner" may differ: what speaks for the others speaks against them, more are won, deals take longer."""
    r = np.random.default_rng(seed)
    source = r.choice(SOURCES, n)
    own = source == "partner"
    numbers = r.normal(size=(n, len(NUMBERS)))
    logit = np.where(own & turned, -1, 1) * (numbers @ np.full(len(NUMBERS), 0.8)) - 1.2 + more * own
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    days = np.where(won > 0, np.exp(r.normal(3, 0.5, n)) * np.where(own, slower, 1.0), np.nan)
    table = pa.table(
        {
            "lead_id": [f"L{i}" for i in range(n)],
            **dict(zip(NUMBERS, numbers.T, strict=True)),
            "source": source,
        }
    )
    return Leads(table, won, days, r.integers(n * 2 // 3, size=n))


def competed(past: Leads, held: Leads, room: int = 3) -> Competition:
    def fit(part: np.ndarray) -> Draft:
        return draft(
            past.rows.filter(pa.array(part)), past.won[part], features=FEATURES, groups=past.company[part]
        )

    universal = fit(np.ones(len(past.won), bool))
    return compete(
        History(past.rows, universal.sample, past.days), universal, Held(held.rows, held.won, held.company, chances(universal, held.rows)),
        lambda segment: fit(segment.of(past.rows)),
        (("source", "Source"), ("industry", "Industry")), Models(), Words(), room=room,
    )  # fmt: skip


def test_a_segment_in_which_effects_turn_round_is_found_and_earns_the_model_that_there_is_room_for() -> None:
    found = competed(leads(1200, 1, turned=True), leads(600, 2, turned=True), room=1)
    (first,) = found.earned
    assert first.candidate.segment.values == ("partner",)
    assert first.gain.saved > 0.15
    assert first.gain.low < first.gain.saved < first.gain.high
    (why,) = [c for c in first.candidate.conditions if c.kind == "importance"]
    assert "speaks against a lead here, for it elsewhere" in why.said


def test_nothing_is_invented_where_the_effects_are_the_same_for_all() -> None:
    found = competed(leads(1200, 3), leads(600, 4))
    assert found.screen.looked_at > 3
    assert found.earned == ()


def test_more_wins_or_a_longer_cycle_make_a_candidate_but_earn_no_model() -> None:
    """The universal model knows a segment's level without help."""
    found = competed(leads(1200, 5, more=1.5, slower=3), leads(600, 6, more=1.5, slower=3))
    (partner,) = [c for c in found.screen.candidates if c.segment.values == ("partner",)]
    said = {c.kind: c for c in partner.conditions}
    assert set(said) == {"conversion", "cycle"}
    assert said["conversion"].low > 1
    assert 2 < said["cycle"].ratio < 4
    assert all(c.adjusted <= 0.05 for c in partner.conditions)
    assert found.earned == ()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 1.5))
def test_a_gain_is_the_share_of_the_log_loss_that_is_saved(seed: int, sharper: float) -> None:
    r = np.random.default_rng(seed)
    logit = r.normal(size=200) * 2
    won = (r.random(200) < 1 / (1 + np.exp(-logit))).astype(float)
    universal, own = 1 / (1 + np.exp(-logit / 2)), 1 / (1 + np.exp(-logit * sharper))
    found = gain(won, own, universal, r.integers(120, size=200))
    loss = [-np.log(np.where(won > 0, p, 1 - p)).sum() for p in (own, universal)]
    assert np.isclose(found.saved, 1 - loss[0] / loss[1])
    assert found.low <= found.saved <= found.high
    assert gain(won, universal, universal, np.arange(200)).saved == 0


def test_a_model_is_earned_by_the_policys_share_and_surely_more_than_none() -> None:
    assert Gain(300, 60, 0.15, 0.01, 0.29).earned(Models())
    assert not Gain(300, 60, 0.149, 0.01, 0.29).earned(Models())
    assert not Gain(300, 60, 0.30, -0.01, 0.61).earned(Models())


def test_a_segment_holds_the_leads_whose_value_is_known_to_be_one_of_its() -> None:
    rows = pa.table({"source": pa.array(["web", None, "cold list", "Web"])})
    segment = Segment("source", "Source", ("cold list", "web"))
    assert segment.of(rows).tolist() == [True, False, True, False]
    assert segment.name == "source-cold-list-web"
    assert segment.said == "Source: cold list, web"


def test_a_column_that_holds_one_value_but_for_rounding_stays_small() -> None:
    made = leads(400, 5)
    found = draft(made.rows, made.won, features=FEATURES, groups=made.company)
    design = found.sample.design.copy()
    design[:, found.design.spans[0][0]] = np.where(np.arange(400) % 2, 0.1, np.nextafter(0.1, 1))
    assert 0 < design[:, found.design.spans[0][0]].std() < 1e-12
    misses = Misses.of(replace(found.sample, design=design), found.design, found.point.additive)
    assert np.abs(misses.columns).max() < 1e3
