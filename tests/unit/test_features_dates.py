"""A date that the buyer named: read as of the time, in whatever words a field or a form's answer has it."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.features import Fact, catalogue
from scoring.features.dates import read
from tests.unit.feature_days import NOW, ago, built, change, inputs, lead, point

TODAY = (NOW.date() - date(1970, 1, 1)).days


def test_days_until_the_named_date_and_whether_it_has_passed_as_known_then() -> None:
    """NOW is 15 June 2026, noon."""
    rows = built(
        inputs(
            [lead("L", 60), lead("none", 60)],
            changes=[
                change("L", "needed_by", 40, "2026-06-01"),
                change("L", "needed_by", 20, "2026-06-15T00:00:00+00:00"),  # put off, in a field with a time
                change("L", "needed_by", -1, "2026-12-31"),  # will be put off again tomorrow
            ],
            points=[*(point("L", days) for days in (50, 40, 20.1, 20, 0.4, 0, -0.6)), point("none")],
        )
    )
    assert [row["days_until_needed_by"] for row in rows] == [None, 26, 6, 20, 0, 0, -1, None]
    assert [row["needed_by_passed"] for row in rows] == [None, 0, 0, 0, 0, 0, 1, None]


def test_a_date_that_is_taken_back_or_can_not_be_meant_is_none() -> None:
    said = ["2026-07-01", None, "9999-12-31", "2026-02-30", "2036-06-14", "2036-06-16", "some day"]
    changes = [change("L", "needed_by", 60 - 5 * n, text) for n, text in enumerate(said)]
    rows = built(
        inputs([lead("L")], changes=changes, points=[point("L", 60 - 5 * n) for n in range(len(said))])
    )
    assert [row["days_until_needed_by"] is None for row in rows] == [
        False,
        True,
        True,
        True,
        True,
        True,
        True,
    ]
    assert rows[0]["days_until_needed_by"] == (date(2026, 7, 1) - ago(60).date()).days


def test_an_answer_in_months_counts_from_the_day_on_which_it_was_given() -> None:
    rows = built(
        inputs(
            [lead("L")],
            changes=[change("L", "needed_by", 50, "1-3 months"), change("L", "needed_by", 10, "Immediately")],
            points=[point("L", 50), point("L", 20), point("L", 10), point("L", 0)],
        )
    )
    assert [row["days_until_needed_by"] for row in rows] == [90, 60, 0, -10]
    assert [row["needed_by_passed"] for row in rows] == [0, 0, 0, 1]


DAYS = {
    "2026-12-31": date(2026, 12, 31), "31.12.2026": date(2026, 12, 31), "1.2.2026": date(2026, 2, 1),
    "12/31/2026": date(2026, 12, 31), "31/12/2026": date(2026, 12, 31), "5/5/2026": date(2026, 5, 5), "3/4/2026": None,
    "2028-02": date(2028, 2, 29), "March 2026": date(2026, 3, 31), "by Sept. 2026": date(2026, 9, 30), "Q3 2026": date(2026, 9, 30),
    "2026-Q1": date(2026, 3, 31), "by the end of Q4 2026": date(2026, 12, 31), "end of 2026": date(2026, 12, 31),
    "2026-13-01": None, "2026-00": None, "decline 2026": None, "Q5 2026": None, "20260101": None, "2026-01-01x": None, "": None,
}  # fmt: skip
LATER = {
    "within 3 months": 90, "WITHIN_3_MONTHS": 90, "3-6 months": 180, "6+ months": 180, "more than 6 months": 180, "< 1 month": 30,
    "in 2 weeks": 14, "the next 30 days": 30, "next 3 months": 90, "this quarter": 91, "next quarter": 182, "over a year": 365,
    "12 months or more": 360, "ASAP": 0, "now": 0, "just looking": None, "no timeline": None, "2 cats": None, "3": None,
}  # fmt: skip


@pytest.mark.parametrize("text", DAYS)
def test_days_are_read_as_people_write_them(text: str) -> None:
    day = DAYS[text]
    assert read(text) == (None if day is None else (day - date(1970, 1, 1)).days, None)


@pytest.mark.parametrize("text", LATER)
def test_times_from_now_are_read_as_forms_offer_them(text: str) -> None:
    assert read(text) == (None, LATER[text])


def test_any_field_of_the_orgs_own_may_be_such_a_date() -> None:
    facts = (Fact("go_live", "date", "Go-live date"), Fact("renewal", "date", "Renewal"))
    found = [f for f in catalogue(facts) if f.family == "date"]
    assert [f.name for f in found] == [
        "days_until_go_live",
        "go_live_passed",
        "days_until_renewal",
        "renewal_passed",
    ]
    assert found[0].label == "Days until “Go-live date”"
    rows = built(inputs([lead("L")], changes=[change("L", "go_live", 9, "2026-06-20")]), facts[:1])
    assert (rows[0]["days_until_go_live"], rows[0]["go_live_passed"]) == (5, 0)
