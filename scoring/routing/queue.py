"""The review queue: which uncertainty is looked at first, and how much of it people can look at (S5.6); and the order in
which reps work what is routed to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.routing.decide import LeadState
from scoring.routing.policy import Policy


def in_order(leads: Iterable[str], states: Mapping[str, LeadState]) -> list[str]:
    """The most valuable uncertainty first: expected value times the width of the range."""
    return sorted(
        leads, key=lambda lead: (-states[lead].expected_value * (100 - states[lead].confidence), lead)
    )


def to_work(leads: Iterable[str], states: Mapping[str, LeadState], policy: Policy) -> list[str]:
    """The order in which a team with fewer hours than leads works those of one route and haste: odds × amount to the policy's
    power. Predicted amounts vary more than chances and are known less well, so they count for less (docs/decisions/0011)."""
    power = policy.work.amount
    return sorted(leads, key=lambda lead: (-_worth(states[lead], power), -states[lead].score, lead))


def _worth(state: LeadState, power: float) -> float:
    """Odds × amount^power, but for a constant factor; 0 where no amount is known, which the order by score then settles."""
    score = min(max(state.score, 0.05), 99.95)
    odds = score / (100 - score)
    return float(odds ** (1 - power) * max(state.expected_value, 0.0) ** power)


def reviews_in(days: float, policy: Policy) -> int:
    """How many reviews the reviewers' hours allow in so many days."""
    return int(days * policy.review.capacity_hours * 60 / policy.review.minutes_each)


def room(open_cases: int, policy: Policy) -> int:
    """How many more cases the queue takes: it holds the policy's days of work and no more, so that what lies in it is
    looked at in time. The rest waits its turn."""
    return max(0, reviews_in(policy.review.queue_days, policy) - open_cases)
