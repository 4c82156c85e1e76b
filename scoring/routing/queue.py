"""The review queue: which uncertainty is looked at first, and how much of it people can look at (S5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.routing.decide import LeadState
from scoring.routing.policy import Policy


def in_order(leads: Iterable[str], states: Mapping[str, LeadState]) -> list[str]:
    """The most valuable uncertainty first: expected value times the width of the range."""
    return sorted(
        leads, key=lambda lead: (-states[lead].expected_value * (100 - states[lead].confidence), lead)
    )


def reviews_in(days: float, policy: Policy) -> int:
    """How many reviews the reviewers' hours allow in so many days."""
    return int(days * policy.review.capacity_hours * 60 / policy.review.minutes_each)


def room(open_cases: int, policy: Policy) -> int:
    """How many more cases the queue takes: it holds the policy's days of work and no more, so that what lies in it is
    looked at in time. The rest waits its turn."""
    return max(0, reviews_in(policy.review.queue_days, policy) - open_cases)
