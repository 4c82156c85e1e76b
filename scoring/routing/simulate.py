"""A policy replayed on history (S5.5): who would have got which lead, how many hours of review, what would
have been missed.

It tells what reached a person, not what a person would have made of it: a lead that was never worked has the
outcome of one that was never worked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoring.metrics.budgets import Budget, assign, budgets
from scoring.metrics.outcomes import Bools, Outcomes
from scoring.routing.decide import Decision, LeadState, Route, decide
from scoring.routing.policy import Policy, parse
from scoring.routing.queue import reviews_in


@dataclass(frozen=True, slots=True)
class RouteCount:
    route: Route
    leads: int
    won: int
    revenue: float
    """won amounts, in the org's currency"""


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """Of a segment's winners, those that would have reached no person, and the revenue on either side."""

    segment: str
    leads: int
    winners: int
    missed: int
    revenue_reached: float
    revenue_missed: float


@dataclass(frozen=True, slots=True)
class Simulation:
    policy: str
    leads: int
    routes: tuple[RouteCount, ...]
    segments: tuple[SegmentCount, ...]
    reviews_a_day: float
    review_hours_a_day: float
    unreviewed: int
    """leads sent to review beyond the reviewers' capacity: nobody gets to them"""
    budgets: tuple[Budget, ...]

    @property
    def revenue_missed(self) -> float:
        return sum(s.revenue_missed for s in self.segments)

    @property
    def kept(self) -> bool:
        """Whether no budget that can be judged is over."""
        return all(b.state in ("ok", "too few outcomes") for b in self.budgets)

    @property
    def judged(self) -> bool:
        """Whether any budget can be judged."""
        return any(b.state != "too few outcomes" for b in self.budgets)


def simulate(states: Sequence[LeadState], outcomes: Outcomes, policy: Policy, *, days: float) -> Simulation:
    """`states` are those of `outcomes`, in the same order, as they were at first routing; `days` the
    history's length.
    """
    decisions = [decide(state, policy) for state in states]
    reviewed = _within_capacity(states, decisions, policy, days)
    routes = np.array([d.route for d in decisions] + [None], dtype=object)[:-1]
    reached = np.isin(routes, [Route.PERSON_AE, Route.PERSON_SDR]) | reviewed
    replayed = replace(outcomes, reached_person=reached)
    asked = int((routes == Route.REVIEW).sum())
    return Simulation(
        policy=policy.version,
        leads=len(states),
        routes=tuple(_route(route, routes == route, outcomes) for route in Route),
        segments=_segments(replayed),
        reviews_a_day=asked / days,
        review_hours_a_day=asked * policy.review.minutes_each / 60 / days,
        unreviewed=asked - int(reviewed.sum()),
        budgets=budgets(replayed, policy),
    )


def _within_capacity(
    states: Sequence[LeadState], decisions: Sequence[Decision], policy: Policy, days: float
) -> Bools:
    """Which reviews the reviewers get to: the most valuable uncertainty first (S5.6)."""
    asked = [i for i, d in enumerate(decisions) if d.route is Route.REVIEW]
    asked.sort(key=lambda i: (-states[i].expected_value * (states[i].high - states[i].low), i))
    done = np.zeros(len(states), dtype=bool)
    done[asked[: reviews_in(days, policy)]] = True
    return done


def _route(route: Route, mask: Bools, outcomes: Outcomes) -> RouteCount:
    return RouteCount(
        route, int(mask.sum()), int(outcomes.won[mask].sum()), float(outcomes.amount[mask].sum())
    )


def _segments(replayed: Outcomes) -> tuple[SegmentCount, ...]:
    named, found = assign(replayed), []
    for name in sorted(set(named)):
        part = replayed.where(named == name)
        missed = part.won & ~part.reached_person
        found.append(
            SegmentCount(
                segment=name.removeprefix("other: "),
                leads=len(part),
                winners=int(part.won.sum()),
                missed=int(missed.sum()),
                revenue_reached=float(part.amount[part.reached_person].sum()),
                revenue_missed=float(part.amount[missed].sum()),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threshold that `policy suggest` proposes; it changes only with an admin's yes."""

    key: str
    now: float
    proposed: float
    why: str
    before: Simulation
    after: Simulation


STEP = 5.0
"""points between the thresholds that are tried"""

REACH = 20.0
"""points up and down that are tried: a quarter moves a threshold, it doesn't turn it over"""


def suggest(
    states: Sequence[LeadState], outcomes: Outcomes, policy: Policy, *, days: float
) -> tuple[Suggestion, ...]:
    """Per kind of segment the highest threshold that keeps every judged budget, or else the one that misses
    least revenue; nothing where that is today's, or where no budget can be judged yet.
    """
    before, found = simulate(states, outcomes, policy, days=days), []
    if not before.judged:
        return ()
    for key in ("established", "new"):
        if not any(s.established == (key == "established") for s in states):
            continue
        now = float(getattr(policy.thresholds, key))
        tried = {now: before}
        for value in np.arange(max(now - REACH, 0.0), min(now + REACH, 100.0) + STEP / 2, STEP):
            if float(value) not in tried:
                tried[float(value)] = simulate(states, outcomes, _with(policy, key, float(value)), days=days)
        keeping = [value for value, result in tried.items() if result.kept]
        least = min(tried, key=lambda value: (tried[value].revenue_missed, -value))
        proposed = max(keeping) if keeping else least
        if proposed != now:
            why = (
                "the highest that keeps every budget"
                if keeping
                else "no threshold keeps all; this misses least"
            )
            found.append(Suggestion(f"thresholds.{key}", now, proposed, why, before, tried[proposed]))
    return tuple(found)


def _with(policy: Policy, key: str, value: float) -> Policy:
    content = policy.model_dump(mode="json")
    content["thresholds"][key] = value
    return parse(content)
