"""What stands on a record, in words: reasons add up, nothing is said twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.jobs import explained
from connector.jobs.fields import STANDARD
from connector.jobs.trends import Trend
from connector.jobs.words import lead_values
from connector.web.report import words
from scoring.features.catalogue import asked_for
from scoring.model import asking
from scoring.model import words as figures
from scoring.model.asking import Question
from scoring.model.reasons import REST, RESTS, SAME_BLANKS, SMALLER, TOGETHER
from scoring.model.trend import Move
from scoring.routing.decide import LeadState, Route, decide
from scoring.routing.policy import Policy

POINTS = st.floats(-60, 60).map(lambda x: round(x, 1)).filter(lambda x: abs(x) >= 1)


@given(st.lists(POINTS, max_size=5), st.lists(POINTS, max_size=2), st.booleans(), st.floats(0, 100))
def test_the_points_on_a_record_add_up_to_its_score(
    points: list[float], rests: list[float], earlier: bool, score: float
) -> None:
    """Rows of an earlier version have one remainder, without a code."""
    reasons = [{"points": p, "text": f"Fact {i}", "feature": f"fact_{i}"} for i, p in enumerate(points)]
    rests = [] if earlier else rests
    named = [
        {"points": p, "text": RESTS[code], "feature": code}
        for p, code in zip(rests, (SAME_BLANKS, TOGETHER), strict=False)
    ]
    left, code = (REST, "") if earlier else (RESTS[SMALLER], SMALLER)
    last = {"points": round(score - 50 - sum(points) - sum(rests), 1), "text": left, "feature": code}
    row: dict[str, Any] = {
        "score": score, "low": score, "high": score, "confidence": 100.0, "flags": [], "fit": 50.0, "engagement": 0.0,
        "expected_value": None, "model": "m", "at": datetime(2026, 3, 2, tzinfo=UTC), "evidence": 3,
        "reasons": [*reasons, *named, last],
    }  # fmt: skip
    decision = decide(LeadState(score=score, low=score, high=score, confidence=100), Policy())
    values = lead_values(row, decision, Policy())
    shown = [int(n) for n in re.findall(r"^([+-]\d+) ", values["candor_reasons"], re.M)]
    assert sum(shown) == values["candor_score"] - 50
    assert 0 not in shown
    told = values["candor_reasons"].splitlines()
    assert [line.split(" ", 1)[1] for line in told[: len(points) + len(rests)]] == [
        r["text"] for r in (*reasons, *named)
    ]


def test_a_review_says_each_sign_of_value_once() -> None:
    signs = (
        "very active, but little is known about them",
        "several colleagues, but no decision maker among them",
    )
    state = LeadState(score=60, low=10, high=95, confidence=15, engagement=90, conflicting=signs)
    decision = decide(state, Policy())
    assert decision.route is Route.REVIEW
    assert decision.why.endswith(f"it may hide value: {signs[0]}; {signs[1]}.")


def test_the_report_names_fields_as_people_do() -> None:
    assert words.flag("number:log_employees") == "Out of the ordinary: employees"
    assert words.flag("rare:industry") == "Rare for you: industry"


@pytest.mark.parametrize(("unit", "value", "said"), [
    ("days", 9e-06, "Days since last heard from: under an hour"),
    ("days", 0.3, "Days since last heard from: 7 hours"),
    ("days", 1.0, "Days since last heard from 1"),
    ("days", 0.0, "Days since last heard from 0"),
    ("log(1 + days)", 2.4849, "Days since last heard from 11"),
])  # fmt: skip
def test_a_time_is_said_in_a_unit_that_people_use(unit: str, value: float, said: str) -> None:
    assert figures.measured("Days since last heard from", unit, value) == said


def test_figures_are_such_that_somebody_can_use_them() -> None:
    assert figures.measured("Usual time to reply", "hours", 0.001) == "Usual time to reply under a minute"
    assert figures.measured("Usual time to reply", "hours", 0.2) == "Usual time to reply 12 minutes"
    assert figures.measured("Usual time to reply", "hours", 1.0) == "Usual time to reply 1 hour"
    assert figures.number(9e-06) == "0"
    assert [figures.chance(p) for p in (0.0, 0.004, 0.01, 0.126, 0.99, 0.9999)] == [
        "under 1 %", "under 1 %", "1 %", "13 %", "99 %", "over 99 %",
    ]  # fmt: skip


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=5))
def test_the_chances_of_all_answers_add_up(parts: list[float]) -> None:
    said = figures.chances([part / sum(parts) for part in parts])
    whole = {"under 1 %": 0, "over 99 %": 100}
    assert sum(whole[text] if text in whole else int(text.removesuffix(" %")) for text in said) == 100


@pytest.mark.parametrize(("feature", "asked"), [
    ("channel", "Source"), ("source", "Source"), ("function", "Title"), ("seniority", "Title"),
    ("size_band", "Employees"), ("log_employees", "Employees"), ("industry", "Industry"), ("fact_use_case", "Use case"),
    ("days_until_needed_by", "Needed by"), ("visits", None),
])  # fmt: skip
def test_what_is_asked_for_is_a_field_that_a_rep_knows(feature: str, asked: str | None) -> None:
    assert asked_for(feature, STANDARD) == asked


def test_a_field_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.zeros(0)
    asked = [
        Question(name, label, 40.0, width, (), none, none, none, none)
        for name, label, width in (
            ("function", "Job function", 10.0), ("seniority", "Seniority", 11.0), ("log_employees", "Employees", 12.0),
        )
    ]  # fmt: skip
    monkeypatch.setattr(asking, "questions", lambda *given: asked)
    model = SimpleNamespace(asking=asking.Asking(()), design=None)
    context: Any = SimpleNamespace(
        settings=SimpleNamespace(scope=SimpleNamespace(leave_out=()), mapping=SimpleNamespace(extra={}))
    )
    by: Any = SimpleNamespace(model=model, score=None)
    found = explained.asks(context, by, pa.table({}))
    assert [said["ask_for"] for said in found] == ["Title (job function)", "Employees"]


@given(st.floats(0, 400))
def test_no_time_is_said_in_powers_of_ten(days: float) -> None:
    assert "e-" not in figures.measured("Quiet time", "days", days).removeprefix("Quiet time")


def test_a_trend_is_unchanged_below_a_point() -> None:
    since = datetime(2026, 3, 2, tzinfo=UTC)
    assert Trend(since, 50.0, Move(0.4, ())).text == "Unchanged since Monday 2 March"
    assert Trend(since, 50.0, Move(-3.0, ())).text == "-3 since Monday 2 March"
