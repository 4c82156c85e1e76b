"""What a lead does and when, counted by hand."""

from __future__ import annotations

from math import exp, log, log1p
from typing import Any

import pytest

from scoring.features import Inputs
from tests.unit.feature_days import by_lead, inputs, lead, touch

HOUR, MINUTE = 1 / 24, 1 / 1440


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    return by_lead(everyone())


def everyone() -> Inputs:
    reader = [
        # two visits by session, the second 24 h after the first; the third has no session and comes 10 days later
        touch("reader", "page_view", 20, session="s1", area="billing", content="documentation"),
        touch("reader", "page_view", 20 - MINUTE, session="s1", area="security", content="documentation"),
        touch("reader", "page_view", 19, session="s2", area="billing", content="pricing"),
        touch("reader", "page_view", 9, area="forecasting", content="case_study"),
        touch("reader", "page_view", 9 - 29 * MINUTE, content="marketing"),
        touch("reader", "download", 8, content="documentation"),
        touch("reader", "download", 50, content="marketing"),
        touch("reader", "download", 95, content="marketing"),
        touch("reader", "page_view", 1, actor="machine", area="workflow", content="pricing"),
        touch("reader", "email_opened", 1, actor="unsure"),
        touch("reader", "email_sent", 1, actor="person"),
    ]
    answerer = [
        touch("answerer", "email_sent", 10, actor="machine"),
        touch("answerer", "email_sent", 9),
        touch("answerer", "email_replied", 9 - 2 * HOUR),  # 2 h after the last one
        touch("answerer", "email_replied", 8),  # nobody asked again: no second reply time
        touch("answerer", "call", 5, answered=False),
        touch("answerer", "email_replied", 5 - 6 * HOUR),  # 6 h
        touch("answerer", "email_sent", 3),
        touch("answerer", "email_replied", 3 - MINUTE, actor="machine"),  # out of office
        touch("answerer", "call", 2, answered=True),
        touch("answerer", "webinar", 2.5),
        touch("answerer", "email_forwarded", 2.6),
        touch("answerer", "form", 2.7),
    ]
    # waves: 100 to 98 days ago, 60 and 55 (one wave), then dark for 52 days, then three touches in the last 3 days
    returner = [touch("returner", "page_view", days) for days in (100, 98, 60, 55, 2.9, 2, 1)]
    weekly = [touch("weekly", "page_view", days) for days in (4, 11, 18, 25)]
    surge = [touch("surge", "page_view", 0.25 * n) for n in range(10)]
    silent = [touch("silent", "email_sent", 4), touch("silent", "email_opened", 4, actor="machine")]
    steady = [touch("steady", "meeting", 14), touch("steady", "meeting", 0)]
    names = ("reader", "answerer", "returner", "weekly", "silent", "steady")
    people = [lead(name) for name in names] + [lead("surger", 30)]
    moved = [{**row, "lead_id": "surger"} for row in (*surge, *weekly)]
    return inputs(people, [*reader, *answerer, *returner, *weekly, *silent, *steady, *moved])


def test_visits_are_sessions_or_runs_without_half_an_hour_of_pause(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["reader"]["pages_per_session_30d"] == pytest.approx(5 / 3, abs=1e-6)
    assert rows["reader"]["return_visits_48h"] == 1
    assert rows["silent"]["pages_per_session_30d"] is None


def test_reading_is_told_apart_by_content_and_area(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["reader"]
    assert row["doc_download_share"] == 0.5
    assert row["technical_content_share"] == pytest.approx(3 / 7, abs=1e-6)
    assert row["pricing_with_case_study_30d"] == 1
    assert row["research_depth_30d"] == 3
    assert rows["silent"]["doc_download_share"] is None
    assert rows["silent"]["pricing_with_case_study_30d"] == 0


def test_a_reply_is_timed_from_our_last_word_and_only_once(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["answerer"]
    assert row["reply_hours_median"] == pytest.approx(4, abs=1e-6)
    assert row["channels_14d"] == 4
    assert (row["forwards_30d"], row["forms_30d"]) == (1, 1)
    assert rows["weekly"]["reply_hours_median"] is None


def test_waves_and_the_return_from_the_dark(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["returner"]
    assert row["bursts_90d"] == 2
    assert row["mean_burst_gap_days"] == pytest.approx((38 + 52.1) / 2, abs=1e-6)
    assert row["dark_then_return"] == 1
    assert (row["days_since_first_touch"], row["days_since_last_touch"]) == (100, 1)
    assert rows["steady"]["dark_then_return"] == 0
    assert rows["steady"]["bursts_90d"] == 2
    assert rows["weekly"]["bursts_90d"] == 1
    assert rows["weekly"]["mean_burst_gap_days"] is None


def test_one_page_a_week_and_then_ten_in_three_days(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["weekly"]["velocity_3d"] == pytest.approx(1 / (4 * 3 / 28 + 1), abs=1e-6)
    assert rows["surger"]["velocity_3d"] == pytest.approx(11 / (4 * 3 / 28 + 1), abs=1e-6)
    assert rows["surger"]["velocity_7d"] == pytest.approx(12 / (3 * 7 / 28 + 1), abs=1e-6)
    assert rows["silent"]["velocity_3d"] == 1


def test_engagement_fades_and_is_persons_only(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["steady"]["engagement_touches"] == pytest.approx(1 + exp(-1), abs=1e-6)
    assert rows["steady"]["recency_weighted_engagement"] == pytest.approx(log1p(1 + exp(-1)), abs=1e-6)
    assert rows["steady"]["meetings_30d"] == 2
    assert (rows["surger"]["touches_7d"], rows["surger"]["touches_30d"]) == (11, 14)
    silent = rows["silent"]
    assert silent["engagement_touches"] == log(1)
    assert silent["days_since_last_touch"] is None
    assert silent["lead_age_days"] == 60


def test_machines_and_the_unsure_are_counted_apart(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["reader"]
    assert row["machine_touches_30d"] == 1
    assert row["unsure_touches_30d"] == 1
    assert row["machine_share_30d"] == pytest.approx(1 / 8, abs=1e-6)
    assert row["outreach_30d"] == 1
    assert rows["answerer"]["machine_share_30d"] == pytest.approx(1 / 7, abs=1e-6)
    assert rows["silent"]["machine_share_30d"] == 1


def test_a_reply_is_timed_from_our_last_message_answered_calls_too_and_never_from_a_machines() -> None:
    leads = [lead(name) for name in ("called", "agent", "both")]
    activities = [
        touch("called", "email_sent", 5),
        touch("called", "call", 1, answered=True),
        touch("called", "email_replied", 1 - 3 * HOUR),
        touch("agent", "email_sent", 1, actor="machine"),
        touch("agent", "email_replied", 1 - 2 * HOUR),
        touch("both", "email_sent", 2),
        touch("both", "email_sent", 1, actor="machine"),
        touch("both", "email_replied", 1 - 2 * HOUR),
    ]
    rows = by_lead(inputs(leads, activities))
    hours = {name: row["reply_hours_median"] for name, row in rows.items()}
    assert hours == {"called": pytest.approx(3, abs=1e-6), "agent": None, "both": pytest.approx(26, abs=1e-6)}


def test_what_machines_write_in_our_name_is_counted_apart_from_what_the_leads_side_does() -> None:
    activities = [
        touch("a", "email_sent", 5, actor="machine"),
        touch("a", "call", 4, actor="machine"),
        touch("a", "email_sent", 3),
        touch("a", "email_replied", 2),
        touch("a", "email_opened", 2, actor="machine"),
        touch("a", "email_sent", 40, actor="machine"),
    ]
    [row] = by_lead(inputs([lead("a")], activities)).values()
    assert (row["machine_touches_30d"], row["machine_share_30d"]) == (1, 0.5)
    assert (row["machine_outreach_30d"], row["outreach_30d"]) == (2, 1)


def test_sessions_side_by_side_are_as_many_visits_as_sessions() -> None:
    seen = [
        touch("a", "page_view", 2 - i * MINUTE, session=name)
        for i, name in enumerate(("s1", "s2", "s1", "s2"))
    ]
    seen += [touch("a", "page_view", 2 - 5 * MINUTE), touch("a", "page_view", 1, session="s3")]
    [row] = by_lead(inputs([lead("a")], seen)).values()
    assert row["pages_per_session_30d"] == 2, "the page without a session goes on with what was open"
    assert row["return_visits_48h"] == 2
