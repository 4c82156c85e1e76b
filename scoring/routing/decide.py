"""Who gets a lead, and why: the first rule that fits decides (S5.1-S5.3). Pure; every lead gets exactly one
route.

Two readings that the rules leave open, settled here. A lead that a rep is working keeps its route; only
raising a hand (it then reaches a person), objecting to scoring and opting out of contact are stronger,
because they are the person's own word. And every bound holds a lead that was above it until it is 3 points
below, confidence and engagement too, since a flip in either would move the lead just as visibly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from scoring.routing.policy import Policy


class Route(StrEnum):
    PERSON_AE = "person_ae"
    PERSON_SDR = "person_sdr"
    REVIEW = "review"
    NURTURE = "nurture"
    HELD = "held"
    UNSCORED = "unscored"

    @property
    def person(self) -> bool:
        """Whether a rep gets the lead without anyone looking first."""
        return self in (Route.PERSON_AE, Route.PERSON_SDR)


Nearness = Literal["core", "expansion", "outside"]
Tier = Literal["enterprise", "specialist", "standard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadState:
    """What routing knows of a lead. Scores, confidence, engagement and completeness in points, 0 to 100."""

    scored: bool = True
    score: float = 0.0
    low: float = 0.0
    high: float = 0.0
    confidence: float = 0.0
    """100 minus the width of the interval"""
    engagement: float = 0.0
    """percentile among open leads"""
    expected_value: float = 0.0
    """probability × predicted amount, in the org's currency"""
    high_expected_value: bool = False
    """in the top tenth of open leads"""
    hand_raiser: bool = False
    opted_out: bool = False
    do_not_score: bool = False
    in_scope: bool = True
    nearness: Nearness = "core"
    established: bool = True
    channel: str = ""
    """inbound, outbound, partner, event …"""
    incomplete: bool = False
    completeness: float = 100.0
    conflicting: tuple[str, ...] = ()
    """the conflicting signals, each as a clause"""
    flags: tuple[str, ...] = ()
    """the deviation flags, each as a sentence"""
    enterprise: bool = False
    previous_route: Route | None = None
    previous_qualified: bool | None = None
    being_worked: bool = False
    reviewed: Route | None = None
    """the route that a reviewer chose for this lead: it stands"""

    def __post_init__(self) -> None:
        for name in ("score", "low", "high", "confidence", "engagement", "completeness"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 100):
                raise ValueError(f"{name} is {value}, but must be a number from 0 to 100.")


@dataclass(frozen=True, slots=True)
class Added:
    """Something beside the route (S5.3): who is told, or what is asked, within how many hours (None: no
    haste).
    """

    kind: Literal["sdr_manager", "feedback_tag", "at_once"]
    why: str
    due_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    route: Route
    rule: str
    """the requirement that decided, e.g. "S5.2a hand-raiser" """
    why: str
    """one sentence for a rep"""
    qualified: bool = False
    threshold: float | None = None
    """the score from which this lead qualifies; None for a lead that is not scored"""
    added: tuple[Added, ...] = ()
    due_hours: float | None = None
    """hours until the first human touch is due; None where none is"""
    review_tier: Tier | None = None
    explored: bool = False
    chance: float | None = None
    """for explored leads, the chance that this lead was drawn"""


def threshold(state: LeadState, policy: Policy) -> float:
    """The score from which this lead qualifies (S5.1), kept inside 0-100."""
    t = policy.thresholds
    base = t.established if state.established else t.new
    channel = {"inbound": t.inbound, "outbound": t.outbound}.get(state.channel, 0.0)
    return min(100.0, max(0.0, base + channel + (t.incomplete if state.incomplete else 0.0)))


def decide(state: LeadState, policy: Policy) -> Decision:
    """The route of one lead, the rule that made it and why."""
    decision = _before_scores(state, policy) or _by_score(state, policy)
    scored = _is_scored(state)
    bound = threshold(state, policy) if scored else None
    decision = replace(decision, threshold=bound, qualified=scored and _qualified(state, policy))
    if decision.route in (Route.HELD, Route.UNSCORED) or not scored:
        return decision
    added = tuple(_added(state, decision, policy))
    at_once = [a.due_hours for a in added if a.kind == "at_once" and a.due_hours is not None]
    due = min([decision.due_hours, *at_once]) if decision.due_hours is not None else None
    return replace(decision, added=added, due_hours=due)


def _is_scored(state: LeadState) -> bool:
    return state.scored and state.in_scope and not state.do_not_score


def _before_scores(state: LeadState, policy: Policy) -> Decision | None:
    """Rules a to d, and the promise to leave alone what a rep is working."""
    if state.hand_raiser:
        if state.being_worked and state.previous_route and state.previous_route.person:
            return _keep(state, state.previous_route, policy)
        return _hand_raiser(state, policy)
    if not _is_scored(state):
        return Decision(
            Route.UNSCORED, "S5.2b not scored", f"{_why_unscored(state)}, so your own rules decide."
        )
    if state.opted_out:
        return Decision(Route.HELD, "S5.2c opted out", "Opted out of contact: no outreach of any kind.")
    if state.being_worked and state.previous_route not in (None, Route.HELD, Route.UNSCORED):
        return _keep(state, state.previous_route, policy)
    if state.reviewed is not None:
        why = "A reviewer looked at this lead and decided."
        return Decision(state.reviewed, "S5.6 reviewed", why, due_hours=_due(state.reviewed, policy))
    if state.enterprise:
        why = "Enterprise deal size: a person looks first, whatever the score."
        return _review("S5.2d enterprise", why, "enterprise", policy)
    return None


def _hand_raiser(state: LeadState, policy: Policy) -> Decision:
    sure = (
        _is_scored(state)
        and _qualified(state, policy)
        and state.confidence >= policy.quadrants.high_confidence
    )
    senior = sure or state.enterprise or state.high_expected_value
    why = "Asked to be contacted: reach out now, whatever the score."
    route = Route.PERSON_AE if senior else Route.PERSON_SDR
    return Decision(route, "S5.2a hand-raiser", why, due_hours=policy.due.hand_raiser)


def _keep(state: LeadState, route: Route, policy: Policy) -> Decision:
    if route is Route.REVIEW:
        tier = "enterprise" if state.enterprise else _tier(state)
        return _review("S5.1 being worked", "Under review already: the route stays.", tier, policy)
    return Decision(
        route,
        "S5.1 being worked",
        "A rep is working this lead: the route stays.",
        due_hours=_due(route, policy),
    )


def _why_unscored(state: LeadState) -> str:
    if not state.in_scope:
        return "Out of scope for scoring"
    return "Marked “do not score”" if state.do_not_score else "Not scored yet"


def _by_score(state: LeadState, policy: Policy) -> Decision:
    """Rules e and f."""
    q = policy.quadrants
    was = state.previous_route
    unsure_below = policy.review.strict_below if policy.review.strict else q.review_below
    if state.confidence < unsure_below:
        return _unsure(state, policy)

    bound = threshold(state, policy)
    confident = _holds(
        state.confidence, q.high_confidence, was in (Route.PERSON_AE, Route.PERSON_SDR), policy
    )
    engaged = _holds(state.engagement, q.high_engagement, was in (Route.PERSON_AE, Route.REVIEW), policy)
    place = f"{state.score:.0f} (likely {state.low:.0f} to {state.high:.0f}) against {bound:.0f}"
    was_up = was in (Route.PERSON_AE, Route.PERSON_SDR, Route.REVIEW)
    if not (_qualified(state, policy) or _holds(state.high, bound, was_up, policy)):
        return Decision(Route.NURTURE, "S5.2f surely below", f"Surely below the bar: {place}.")
    if confident and engaged:
        why = f"We are sure and they are active: {place}."
        return Decision(Route.PERSON_AE, "S5.2f sure and active", why, due_hours=policy.due.person_ae)
    if confident:
        why = f"We are sure, they are quiet: find out whether it is time. {place}."
        return Decision(Route.PERSON_SDR, "S5.2f sure and quiet", why, due_hours=policy.due.person_sdr)
    if engaged:
        why = f"Active, but we are not sure: {place}."
        return _review("S5.2f active and unsure", why, _tier(state), policy)
    return Decision(Route.NURTURE, "S5.2f unsure and quiet", f"Neither active nor sure yet: {place}.")


def _unsure(state: LeadState, policy: Policy) -> Decision:
    spread = f"anything from {state.low:.0f} to {state.high:.0f} is likely"
    engaged = _holds(
        state.engagement, policy.quadrants.high_engagement, state.previous_route is Route.REVIEW, policy
    )
    active = any(hint.startswith(("very active", "strong behaviour")) for hint in state.conflicting)
    hints = [
        *state.conflicting,
        *(["very active"] if engaged and not active else []),
        *(["high expected value"] if state.high_expected_value else []),
    ]
    if hints:
        why = f"We don't know this kind of lead ({spread}), and it may hide value: {'; '.join(hints)}."
        return _review("S5.2e unsure, may hide value", why, _tier(state), policy)
    if policy.review.strict:
        why = f"We don't know this kind of lead: {spread}."
        return _review("S5.2e unsure, strict mode", why, _tier(state), policy)
    why = f"We don't know this kind of lead ({spread}), and nothing says yet that it hides value."
    return Decision(Route.NURTURE, "S5.2e unsure, no sign of value", why)


def _added(state: LeadState, decision: Decision, policy: Policy) -> list[Added]:
    """What joins the route (S5.1 at once, S5.3)."""
    q, added = policy.quadrants, []
    at_once = state.nearness == "core" and state.score > policy.thresholds.core_at_once
    if at_once and decision.route.person and not decision.rule.startswith("S5.1"):
        added.append(
            Added(
                "at_once", "Core customer and a high score: first touch within the hour.", policy.due.at_once
            )
        )
    if q.review_below <= state.confidence < q.high_confidence and state.high_expected_value:
        why = "We are half sure and much is at stake: the SDR manager takes a look."
        added.append(Added("sdr_manager", why, policy.due.sdr_manager))
    if q.high_confidence <= state.confidence < q.feedback_below and state.flags:
        added.append(Added("feedback_tag", f"Tell us how it ends: {state.flags[0]}."))
    return added


def _review(rule: str, why: str, tier: Tier, policy: Policy) -> Decision:
    return Decision(Route.REVIEW, rule, why, due_hours=policy.due.review, review_tier=tier)


def _tier(state: LeadState) -> Tier:
    return "specialist" if state.conflicting else "standard"


def _due(route: Route, policy: Policy) -> float | None:
    return {Route.PERSON_AE: policy.due.person_ae, Route.PERSON_SDR: policy.due.person_sdr}.get(route)


def _holds(value: float, bound: float, was_above: bool, policy: Policy) -> bool:
    return value >= bound - (policy.thresholds.hysteresis if was_above else 0.0)


def _qualified(state: LeadState, policy: Policy) -> bool:
    return _holds(state.score, threshold(state, policy), bool(state.previous_qualified), policy)
