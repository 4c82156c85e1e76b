"""Every lead has exactly one route, and the first rule that fits decides (S5.1-S5.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.routing.decide import LeadState, Route, decide, threshold
from scoring.routing.policy import Policy, parse

POLICY = Policy()
points = st.floats(0, 100)


@st.composite
def states(draw: st.DrawFn) -> LeadState:
    low, score, high = sorted(draw(st.tuples(points, points, points)))
    return LeadState(
        scored=draw(st.booleans()),
        score=score,
        low=low,
        high=high,
        confidence=100 - (high - low),
        engagement=draw(points),
        expected_value=draw(st.floats(0, 1e6)),
        high_expected_value=draw(st.booleans()),
        hand_raiser=draw(st.booleans()),
        opted_out=draw(st.booleans()),
        do_not_score=draw(st.booleans()),
        in_scope=draw(st.booleans()),
        nearness=draw(st.sampled_from(["core", "expansion", "outside"])),
        established=draw(st.booleans()),
        channel=draw(st.sampled_from(["inbound", "outbound", "partner", ""])),
        incomplete=draw(st.booleans()),
        completeness=draw(points),
        conflicting=draw(st.sampled_from([(), ("very active, but little is known about them",)])),
        flags=draw(st.sampled_from([(), ("New industry for you",)])),
        enterprise=draw(st.booleans()),
        previous_route=draw(st.sampled_from([None, *Route])),
        previous_qualified=draw(st.sampled_from([None, True, False])),
        being_worked=draw(st.booleans()),
        reviewed=draw(st.sampled_from([None, Route.PERSON_AE, Route.NURTURE])),
    )


def lead(score: float = 80, low: float = 72, high: float = 88, **more: object) -> LeadState:
    return LeadState(score=score, low=low, high=high, confidence=100 - (high - low), **more)  # type: ignore[arg-type]


@given(states(), st.booleans())
def test_every_lead_has_one_route_and_a_reason(state: LeadState, strict: bool) -> None:
    decision = decide(state, parse({"review": {"strict": strict}}))
    assert isinstance(decision.route, Route)
    assert decision.rule.startswith("S5.")
    assert decision.why.endswith(".")
    assert (decision.review_tier is not None) == (decision.route is Route.REVIEW)
    assert (decision.due_hours is not None) == (decision.route.person or decision.route is Route.REVIEW)


@given(states())
def test_a_hand_raiser_always_reaches_a_person(state: LeadState) -> None:
    assert decide(replace(state, hand_raiser=True), POLICY).route.person


@given(states())
def test_who_opted_out_is_never_contacted(state: LeadState) -> None:
    decision = decide(replace(state, opted_out=True, hand_raiser=False), POLICY)
    assert decision.route in (Route.HELD, Route.UNSCORED)
    assert decision.added == ()


@given(states())
def test_what_is_not_scored_is_left_to_the_org(state: LeadState) -> None:
    for unscored in ({"scored": False}, {"do_not_score": True}, {"in_scope": False}):
        decision = decide(replace(state, hand_raiser=False, **unscored), POLICY)
        assert (decision.route, decision.threshold, decision.qualified) == (Route.UNSCORED, None, False)


@given(states())
def test_a_lead_being_worked_is_never_rerouted(state: LeadState) -> None:
    if state.previous_route in (None, Route.HELD, Route.UNSCORED):
        return
    quiet = {
        "hand_raiser": False,
        "opted_out": False,
        "do_not_score": False,
        "in_scope": True,
        "scored": True,
    }
    assert decide(replace(state, being_worked=True, **quiet), POLICY).route is state.previous_route


@given(states())
def test_deciding_again_changes_nothing(state: LeadState) -> None:
    first = decide(state, POLICY)
    again = decide(replace(state, previous_route=first.route, previous_qualified=first.qualified), POLICY)
    assert (again.route, again.qualified) == (first.route, first.qualified)


@pytest.mark.parametrize(
    ("state", "route", "rule"),
    [
        (lead(hand_raiser=True, opted_out=True), Route.PERSON_AE, "S5.2a"),
        (lead(20, 10, 30, hand_raiser=True), Route.PERSON_SDR, "S5.2a"),
        (lead(opted_out=True), Route.HELD, "S5.2c"),
        (lead(5, 2, 8, enterprise=True), Route.REVIEW, "S5.2d"),
        (lead(50, 20, 80, engagement=70), Route.REVIEW, "S5.2e unsure, may"),
        (lead(50, 20, 80, high_expected_value=True), Route.REVIEW, "S5.2e unsure, may"),
        (lead(50, 20, 80, engagement=59), Route.NURTURE, "S5.2e unsure, no"),
        (lead(engagement=60), Route.PERSON_AE, "S5.2f sure and active"),
        (lead(engagement=59), Route.PERSON_SDR, "S5.2f sure and quiet"),
        (lead(70, 58, 88, engagement=60), Route.REVIEW, "S5.2f active"),
        (lead(70, 58, 88, engagement=59), Route.NURTURE, "S5.2f unsure"),
        (lead(65, 60, 72, engagement=60), Route.PERSON_AE, "S5.2f sure and active"),  # straddles 70
        (lead(60, 55, 69, engagement=90), Route.NURTURE, "S5.2f surely below"),
        (lead(60, 55, 69, engagement=90, established=False), Route.PERSON_AE, "S5.2f"),
    ],
)
def test_the_first_rule_that_fits_decides(state: LeadState, route: Route, rule: str) -> None:
    decision = decide(state, POLICY)
    assert decision.route is route
    assert decision.rule.startswith(rule)


def test_thresholds_follow_segment_channel_and_completeness() -> None:
    assert threshold(lead(), POLICY) == 70
    assert threshold(lead(established=False), POLICY) == 50
    assert threshold(lead(channel="inbound"), POLICY) == 75
    assert threshold(lead(channel="outbound"), POLICY) == 65
    assert threshold(lead(channel="inbound", incomplete=True), POLICY) == 90


def test_a_lead_does_not_flip_at_the_threshold() -> None:
    at, below, far = lead(70, 69, 71), lead(67, 66, 69), lead(66, 65, 66.5)
    assert decide(at, POLICY).qualified
    assert not decide(below, POLICY).qualified
    assert decide(replace(below, previous_qualified=True), POLICY).qualified
    assert not decide(replace(far, previous_qualified=True), POLICY).qualified
    quiet = replace(at, engagement=58, previous_route=Route.PERSON_AE)
    assert decide(quiet, POLICY).route is Route.PERSON_AE


def test_strict_mode_reviews_every_wide_interval() -> None:
    strict = parse({"review": {"strict": True}})
    assert decide(lead(50, 34, 65), strict).route is Route.REVIEW
    assert decide(lead(50, 34, 65), POLICY).route is Route.NURTURE


def test_conflicting_signals_go_to_the_specialists() -> None:
    decision = decide(lead(50, 20, 80, conflicting=("very active, but little is known",)), POLICY)
    assert decision.review_tier == "specialist"
    assert "little is known" in decision.why


def test_additions_join_a_route_and_never_replace_it() -> None:
    half_sure = lead(70, 58, 88, high_expected_value=True)
    assert decide(half_sure, POLICY).route is Route.NURTURE
    assert [(a.kind, a.due_hours) for a in decide(half_sure, POLICY).added] == [("sdr_manager", 24)]
    flagged = lead(80, 70, 90, engagement=80, flags=("New industry for you",))
    decision = decide(flagged, POLICY)
    assert {a.kind for a in decision.added} == {"at_once", "feedback_tag"}
    assert decision.due_hours == 1
    assert decide(replace(flagged, nearness="outside"), POLICY).due_hours == 24


def test_what_a_reviewer_decided_stands() -> None:
    assert (
        decide(lead(50, 10, 90, enterprise=True, reviewed=Route.PERSON_SDR), POLICY).route is Route.PERSON_SDR
    )


def test_a_score_outside_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="score is nan"):
        lead(float("nan"))
