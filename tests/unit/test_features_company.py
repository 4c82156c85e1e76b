"""Colleagues: who they are, what they did together, who followed whom; counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.features import graph
from tests.unit.feature_days import built, by_lead, change, inputs, lead, point, touch

HOUR = 1 / 24


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    leads = [
        lead("champion", email="c@acme.com"),
        lead("engineer", email="e@mail.acme.com"),  # the same registered domain
        lead("boss", email="boss@gmail.com", account_key="001"),  # free mail, but the account tells
        lead("buyer", email="b@acme.com", account_key="001"),
        lead("later", days=-1, email="l@acme.com"),  # not there yet
        lead("lonely", email="x@gmail.com"),
        lead("stranger", email="y@gmail.com"),
        lead("named"),
        lead("elsewhere"),
        lead("sent", email="s@tarn.example"),
        lead("sender", email="t@tarn.example"),
    ]
    activities = [
        touch("champion", "page_view", 20, session="room"),
        touch("engineer", "page_view", 20 - 3 * HOUR, session="room"),
        touch("engineer", "email_forwarded", 12),
        touch("boss", "meeting", 10, subject="Kick-off"),
        touch("buyer", "meeting", 10, subject="Kick-off"),
        touch("buyer", "page_view", 40),
        touch("champion", "email_opened", 10, actor="machine"),
        touch("later", "page_view", 1),
        touch("lonely", "page_view", 1),
        touch("stranger", "page_view", 1),
        touch("sender", "email_forwarded", 9),
        touch("sent", "page_view", 8),
    ]
    changes = [
        change("engineer", "title", 60, "Data Engineer"),
        change("buyer", "title", 60, "Intern"),
        change("buyer", "title", 15, "VP Finance"),
        change("boss", "title", -1, "CEO"),  # learned tomorrow
        change("named", "heard_from", 30, "a colleague told me"),
        change("elsewhere", "heard_from", 30, "Podcast"),
    ]
    return by_lead(inputs(leads, activities, changes))


def test_colleagues_are_found_by_domain_and_by_account(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["champion"]["colleagues_engaged_30d"] == 2  # engineer, buyer
    assert rows["buyer"]["colleagues_engaged_30d"] == 3  # champion and engineer by domain, boss by account
    assert rows["boss"]["colleagues_engaged_30d"] == 1
    assert rows["champion"]["account_touches_30d"] == 4
    assert rows["champion"]["colleague_forwards_30d"] == 1


def test_free_mail_makes_nobody_a_colleague(rows: dict[str, dict[str, Any]]) -> None:
    for name in ("lonely", "named"):
        assert rows[name]["colleagues_engaged_30d"] is None
        assert rows[name]["followers_7d"] is None
    assert rows["lonely"]["committee_size"] == 1


def test_functions_are_those_of_the_titles_as_known_then(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["champion"]["functions_engaged_30d"] == 2  # technical, finance
    assert rows["champion"]["has_executive_in_committee"] == 1  # the vice president
    assert rows["champion"]["has_business_in_committee"] == 1
    assert rows["engineer"]["functions_engaged_30d"] == 1
    assert rows["sent"]["functions_engaged_30d"] is None  # a colleague, but no title
    assert rows["sent"]["has_executive_in_committee"] == 0


def test_days_and_occasions_in_common(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["champion"]["same_day_colleagues_30d"] == 1
    assert rows["champion"]["shared_sessions_30d"] == 1
    assert rows["boss"]["shared_sessions_30d"] == 1
    assert rows["engineer"]["same_day_colleagues_30d"] == 1


def test_who_follows_within_a_week(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["champion"]["followers_7d"] == 1
    assert rows["champion"]["first_follower_hours"] == pytest.approx(3, abs=1e-6)
    assert rows["engineer"]["followers_7d"] == 0
    assert rows["engineer"]["first_follower_hours"] is None


def test_a_referral_is_said_or_seen(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["named"]["referral"] == 1
    assert rows["elsewhere"]["referral"] == 0
    assert rows["sent"]["referral"] == 1
    assert rows["champion"]["referral"] is None


def test_a_crowd_is_no_company_from_the_day_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "CROWD", 2)
    leads = [lead(name, days, email=f"{name}@acme.com") for name, days in (("a", 60), ("b", 50), ("c", 10))]
    rows = built(inputs(leads, [touch("b", "page_view", 20)], points=[point("a", 15), point("a", 5)]))
    assert [row["colleagues_engaged_30d"] for row in rows] == [1, None]


def test_an_address_that_is_also_a_dated_change_counts_once_in_a_crowd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph, "CROWD", 2)
    leads = [lead(name, 60, email=f"{name}@acme.com") for name in ("a", "b")]
    changes = [change(name, "email", 60, f"{name}@acme.com") for name in ("a", "b")]
    rows = built(inputs(leads, [touch("b", "page_view", 20)], changes, [point("a", 5)]))
    assert [row["colleagues_engaged_30d"] for row in rows] == [1]


def test_a_follower_counts_from_the_moment_of_following() -> None:
    leads = [lead(name, 60, email=f"{name}@acme.com") for name in ("first", "second")]
    activities = [touch("first", "page_view", 20), touch("second", "page_view", 17)]
    rows = built(inputs(leads, activities, points=[point("first", days) for days in (30, 18, 17)]))
    assert [row["followers_7d"] for row in rows] == [0, 0, 1]
    assert [row["first_follower_hours"] for row in rows] == [None, None, 72]


def test_followers_came_through_the_channel_of_most_of_their_first_touches() -> None:
    leads = [
        lead(name, 60, email=f"{name}@acme.com", account_key="001")
        for name in ("first", "a", "b", "c", "d", "late")
    ]
    activities = [
        touch("first", "page_view", 20),
        touch("a", "email_opened", 19),
        touch("b", "call", 18, answered=True),
        touch("b", "page_view", 18 + HOUR, actor="machine"),  # no person's
        touch("c", "email_replied", 17),
        touch("c", "webinar", 16),  # not how it came
        touch("d", "page_view", 15, channel="phone"),  # the activity itself says where
        touch("d", "email_opened", 15),  # at the same moment, and less of it
        touch("late", "page_view", 12.9),
    ]
    rows = built(inputs(leads, activities, points=[point("first", days) for days in (20, 19, 18, 17, 0)]))
    assert [row["follower_channel"] for row in rows] == [None, "email", "phone", "email", "phone"]
    assert [row["followers_7d"] for row in rows] == [0, 1, 2, 3, 4]


def test_who_of_the_company_was_copied_on_e_mails() -> None:
    leads = [
        lead("ann", 60, email="ann@acme.com", account_key="001"),
        lead("bob", 60, email="bob@gmail.com", account_key="001"),  # free mail, but the account tells
        lead("cy", 60, email="cy@mail.acme.com"),  # the same registered domain
        lead("lonely", 60, email="l@gmail.com"),
        lead("new", 60, email="n@gmail.com"),
    ]
    activities = [
        touch("ann", "email_replied", 29, cc="v1@acme.com V2@Acme.com v1@acme.com"),
        touch("ann", "email_sent", 3, cc="v1@acme.com v3@sub.acme.com"),  # by a seller, in person
        touch("ann", "email_forwarded", 2, cc="us@candor.example friend@gmail.com nobody"),
        touch("ann", "email_sent", 1, actor="machine", cc="v4@acme.com"),
        touch("ann", "email_opened", 1, cc="v5@acme.com"),
        touch("ann", "email_replied", 31, cc="v6@acme.com"),
        touch("bob", "email_replied", 5, cc="v1@acme.com v7@bob.example"),
        touch("cy", "email_replied", 5, cc="7f3a@acme.com"),
        touch("lonely", "email_replied", 5, cc="v1@acme.com"),
        touch("new", "email_replied", 12, cc="v1@tarn.example"),
    ]
    moved = [change("new", "email", 10, "n@tarn.example")]
    points = [
        *(point(name) for name in ("ann", "bob", "cy", "lonely")),
        *(point("new", days) for days in (11, 9)),
    ]
    rows = built(inputs(leads, activities, moved, [*points, point("ann", 2.5), point("ann", 29.5)]))
    assert [row["copied_colleagues_30d"] for row in rows] == [3, 1, 1, None, None, 1, 4, 1]
