"""A policy replayed on history tells queues, hours and missed revenue, and proposes thresholds from the
budgets (S5.5).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scoring.metrics.outcomes import Outcomes, read
from scoring.routing.decide import LeadState, Route
from scoring.routing.policy import Policy, parse
from scoring.routing.simulate import simulate, suggest
from tests.unit.matured import columns, table

POLICY = Policy()


def history(n: int = 600, **changes: Any) -> tuple[list[LeadState], Outcomes]:
    c = columns(n, base=0.2) | changes
    engaged = np.arange(n) % 3 == 0
    states = [
        LeadState(
            score=float(s), low=float(lo), high=float(hi), confidence=float(conf),
            engagement=90.0 if e else 10.0, expected_value=float(p * a), hand_raiser=bool(h),
            enterprise=size == "enterprise", channel=str(ch),
        )
        for s, lo, hi, conf, e, p, a, h, size, ch in zip(
            c["score"], c["low"], c["high"], c["confidence"], engaged, c["probability"], c["predicted_amount"],
            c["hand_raiser"], c["size_band"], c["channel"], strict=True,
        )
    ]  # fmt: skip
    return states, read(table(c))


def test_every_lead_and_every_amount_is_counted_once() -> None:
    states, outcomes = history()
    result = simulate(states, outcomes, POLICY, days=90)
    assert sum(r.leads for r in result.routes) == result.leads == 600
    total = float(outcomes.amount.sum())
    assert sum(r.revenue for r in result.routes) == pytest.approx(total)
    assert sum(s.revenue_reached + s.revenue_missed for s in result.segments) == pytest.approx(total)


def test_reviews_beyond_capacity_reach_nobody() -> None:
    states, outcomes = history()
    roomy = simulate(states, outcomes, POLICY, days=90)
    none = simulate(states, outcomes, parse({"review": {"capacity_hours": 0}}), days=90)
    asked = next(r.leads for r in roomy.routes if r.route is Route.REVIEW)
    assert roomy.unreviewed == 0
    assert none.unreviewed == asked > 0
    assert none.revenue_missed > roomy.revenue_missed
    assert roomy.review_hours_a_day == pytest.approx(asked * 10 / 60 / 90)


def test_a_stricter_policy_misses_more() -> None:
    states, outcomes = history()
    lax = simulate(states, outcomes, parse({"thresholds": {"established": 40}}), days=90)
    strict = simulate(states, outcomes, parse({"thresholds": {"established": 95}}), days=90)
    assert strict.revenue_missed > lax.revenue_missed


def test_the_highest_threshold_within_budget_is_proposed() -> None:
    states, outcomes = history()
    generous = parse(
        {
            "budgets": dict.fromkeys(
                ["hand_raiser", "enterprise", "mid_market_outbound", "smb_inbound", "other"], 1.0
            )
        }
    )
    assert [s.proposed for s in suggest(states, outcomes, generous, days=90)] == [90.0]
    for suggestion in suggest(states, outcomes, POLICY, days=90):
        assert suggestion.after.revenue_missed <= suggestion.before.revenue_missed or suggestion.after.kept


def test_without_outcomes_to_judge_by_nothing_is_proposed() -> None:
    states, outcomes = history(edge_case=np.zeros(600, dtype=bool))
    assert suggest(states, outcomes, POLICY, days=90) == ()


def test_no_history_proposes_nothing() -> None:
    assert suggest([], read(table(columns(0))), POLICY, days=1) == ()
