"""Exploration by lot, ranks among open leads, and which form is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.routing.contradictions import Behaviour, Contradiction, due
from scoring.routing.decide import LeadState, Route, decide
from scoring.routing.engagement import band, conflicting, fit, high_expected_value, percentile, size
from scoring.routing.explore import HOLDOUT, explore, hold_out
from scoring.routing.policy import Policy

POLICY = Policy()
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def low_leads(n: int) -> dict[str, LeadState]:
    channels = ["inbound", "outbound", "event"]
    return {
        f"L{i:05d}": LeadState(score=20, low=15, high=25, confidence=90, channel=channels[i % 3])
        for i in range(n)
    }


def test_three_percent_are_explored_in_every_stratum() -> None:
    states = low_leads(3000)
    decisions = {lead: decide(state, POLICY) for lead, state in states.items()}
    chosen = explore(states, decisions, POLICY, day=date(2026, 3, 2))
    assert len(chosen) == pytest.approx(90, abs=1)
    for channel in ("inbound", "outbound", "event"):
        assert sum(states[lead].channel == channel for lead in chosen) == pytest.approx(30, abs=1)
    assert {d.route for d in chosen.values()} == {Route.PERSON_SDR}
    assert {d.chance for d in chosen.values()} == {0.03}
    assert chosen == explore(dict(reversed(states.items())), decisions, POLICY, day=date(2026, 3, 2))
    assert set(chosen) != set(explore(states, decisions, POLICY, day=date(2026, 3, 3)))


def test_a_lone_lead_has_the_same_chance() -> None:
    drawn = 0
    for lead, state in low_leads(4000).items():
        drawn += len(explore({lead: state}, {lead: decide(state, POLICY)}, POLICY, day=date(2026, 3, 2)))
    assert drawn == pytest.approx(120, abs=35)


def test_nobody_is_explored_twice_or_against_their_will() -> None:
    blocked = [
        {"opted_out": True},
        {"being_worked": True},
        {"previous_route": Route.NURTURE},
        {"do_not_score": True},
    ]
    base = {"score": 20, "low": 15, "high": 25, "confidence": 90}
    states = {f"L{i}": LeadState(**base, **blocked[i % 4]) for i in range(2000)}  # type: ignore[arg-type]
    decisions = {lead: decide(state, POLICY) for lead, state in states.items()}
    assert explore(states, decisions, POLICY, day=date(2026, 3, 2)) == {}


def test_a_drawn_lead_stays_with_its_person_while_its_score_is_low() -> None:
    base = {
        "low": 15,
        "high": 25,
        "confidence": 90,
        "previous_route": Route.PERSON_SDR,
        "previous_qualified": False,
    }
    states = {
        "low": LeadState(score=20, **base),  # type: ignore[arg-type]
        "out": LeadState(score=20, opted_out=True, **base),  # type: ignore[arg-type]
        "not drawn": LeadState(score=20, **base),  # type: ignore[arg-type]
    }
    decisions = {lead: decide(state, POLICY) for lead, state in states.items()}
    kept = explore(states, decisions, POLICY, day=date(2026, 3, 3), drawn={"low", "out"})
    assert {lead: (d.route, d.chance) for lead, d in kept.items()} == {"low": (Route.PERSON_SDR, 0.03)}


HOLDING = Policy.model_validate({"exploration": {"holdout": 0.1}})


def strong_leads(n: int, **more: object) -> dict[str, LeadState]:
    base = {"score": 90, "low": 85, "high": 95, "confidence": 90, "engagement": 80, "channel": "inbound"}
    return {f"L{i:05d}": LeadState(**base | more) for i in range(n)}  # type: ignore[arg-type]


def test_a_tenth_is_held_out_and_all_who_took_part_know_their_chance() -> None:
    states = strong_leads(2000)
    decisions = {lead: decide(state, HOLDING) for lead, state in states.items()}
    changed = hold_out(states, decisions, HOLDING, day=date(2026, 3, 2))
    out = [d for d in changed.values() if d.rule == HOLDOUT]
    assert len(out) == pytest.approx(200, abs=1)
    assert set(changed) == set(states)
    assert {(d.route, d.chance, d.due_hours) for d in out} == {(Route.UNSCORED, 0.1, None)}
    assert {d.chance for d in changed.values() if d.rule != HOLDOUT} == {0.9}


def test_a_lead_held_out_stays_so_until_it_raises_its_hand() -> None:
    states = strong_leads(1, previous_route=Route.UNSCORED)
    decisions = {lead: decide(state, HOLDING) for lead, state in states.items()}
    again = hold_out(states, decisions, HOLDING, day=date(2026, 3, 3), drawn=set(states))
    assert [d.rule for d in again.values()] == [HOLDOUT]
    asked = strong_leads(1, previous_route=Route.UNSCORED, hand_raiser=True)
    decisions = {lead: decide(state, HOLDING) for lead, state in asked.items()}
    assert hold_out(asked, decisions, HOLDING, day=date(2026, 3, 3), drawn=set(asked)) == {}


@pytest.mark.parametrize("more", [{"hand_raiser": True}, {"opted_out": True}, {"score": 10, "low": 5, "high": 15},
                                  {"being_worked": True}, {"previous_route": Route.PERSON_AE}])  # fmt: skip
def test_nobody_is_held_out_who_asked_or_is_at_work_or_would_not_be_routed(more: dict[str, object]) -> None:
    states = strong_leads(300, **more)
    decisions = {lead: decide(state, HOLDING) for lead, state in states.items()}
    assert hold_out(states, decisions, HOLDING, day=date(2026, 3, 2)) == {}


def test_no_holdout_unless_an_admin_wants_it() -> None:
    states = strong_leads(300)
    decisions = {lead: decide(state, POLICY) for lead, state in states.items()}
    assert hold_out(states, decisions, POLICY, day=date(2026, 3, 2)) == {}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_engagement_is_a_percentile(touches: list[float]) -> None:
    ranks = percentile(touches)
    assert ((ranks >= 0) & (ranks <= 100)).all()
    order = np.argsort(touches)
    assert (np.diff(ranks[order]) >= 0).all()
    assert (ranks[np.asarray(touches) == 0] == 0).all()


def test_high_expected_value_is_the_top_tenth() -> None:
    assert high_expected_value(np.arange(100.0), POLICY).sum() == 10
    assert not high_expected_value(np.zeros(10), POLICY).any()
    assert high_expected_value([], POLICY).size == 0


def test_a_few_leads_rank_among_all_open_ones_as_they_did_when_all_were_scored() -> None:
    touches, expected = np.array([0.0, 1.0, 1.0, 4.0, 9.0]), np.array([np.nan, 10.0, 20.0, 5.0, 40.0])
    some = [1, 4]
    assert (percentile(touches[some], among=touches) == percentile(touches)[some]).all()
    high = high_expected_value(expected, POLICY)
    assert (high_expected_value(expected[some], POLICY, among=expected) == high[some]).all()


def test_fit_sizes_and_bands() -> None:
    assert fit([("firmographic", 20), ("behavioural", 30), ("fact", -5)]) == 65
    assert size(120_000, 5, POLICY) == "enterprise"
    assert size(None, 1_000, POLICY) == "enterprise"
    assert size(5_000, 99, POLICY) == "smb"
    assert size(5_000, 100, POLICY) == "mid_market"
    assert size(None, None, POLICY) == "unknown"
    assert [band(c, POLICY) for c in (90, 80, 70, 40)] == ["sure", "fairly sure", "unsure", "guessing"]


def test_conflicting_signals() -> None:
    calm = {"engagement": 10.0, "completeness": 30.0, "contacts": 1, "functions": (), "policy": POLICY}
    assert conflicting(flagged_families=(), **calm) == ()  # type: ignore[arg-type]
    loud = {**calm, "engagement": 80.0, "contacts": 3, "functions": ("technical",)}
    assert len(conflicting(flagged_families=("firmographic",), **loud)) == 3  # type: ignore[arg-type]
    settled = {**loud, "functions": ("technical", "executive"), "completeness": 90.0}
    assert conflicting(flagged_families=(), **settled) == ()  # type: ignore[arg-type]


def test_a_form_is_due_only_where_behaviour_contradicts() -> None:
    day = timedelta(days=1)
    leads = [
        Behaviour("meets", "ann", 39, meeting_id="m1", meeting_booked_at=NOW - day),
        Behaviour("meets as promised", "ann", 41, meeting_id="m2", meeting_booked_at=NOW - day),
        Behaviour("dark", "ann", 81, first_touch_at=NOW - 14 * day),
        Behaviour("still early", "ann", 81, first_touch_at=NOW - 13 * day),
        Behaviour("answered", "ann", 81, first_touch_at=NOW - 20 * day, last_reply_at=NOW - 18 * day),
        Behaviour("over", "ann", 81, first_touch_at=NOW - 20 * day, closed=True),
        Behaviour("override", "bob", 60, overridden_at=NOW),
    ]
    forms = due(leads, now=NOW, asked=(), asked_today=(), policy=POLICY)
    assert {(f.lead_id, f.contradiction) for f in forms} == {
        ("meets", Contradiction.LOW_MEETS),
        ("dark", Contradiction.HIGH_DARK),
        ("override", Contradiction.OVERRIDE),
    }
    assert due(leads, now=NOW, asked={f.event for f in forms}, asked_today=(), policy=POLICY) == []


def test_a_rep_is_asked_a_few_times_a_day_at_most() -> None:
    leads = [Behaviour(f"L{i}", "ann", 10, overridden_at=NOW, meeting_booked_at=NOW) for i in range(9)]
    assert len(due(leads, now=NOW, asked=(), asked_today=["ann"], policy=POLICY)) == 2
