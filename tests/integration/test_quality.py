"""Odd rows are set aside whole, with the reason, and come back when they are right (issue 12, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.crm.base import Activity, Change, Page, Record
from connector.jobs import quality
from connector.store import quality as kept
from connector.store import records
from connector.store import schema as t
from connector.store.store import Store
from tests.whole_loop import Made, open_store_in

NOW = datetime(2026, 1, 1, 9, tzinfo=UTC)
BORN = NOW - timedelta(days=50)


@pytest.fixture
def store(made: Made, tmp_path: Path) -> Iterator[Store]:
    with open_store_in(made, tmp_path) as opened:
        yield opened


def lead(id: str, **values: str | None) -> Record:
    return Record("lead", id, BORN, BORN, {"industry": "Energy", "country": None, **values})


def visit(id: str, at: datetime, kind: str = "page_view", url: str = "/a") -> Activity:
    return Activity(id, kind, at, "L1", at, detail={"url": url})  # type: ignore[arg-type]


def taken(store: Store, page: Page, now: datetime = NOW) -> quality.Look:
    look = quality.Look()
    with store.begin() as db:
        records.take_late(db, kept.ready(db, now))
        sifted = quality.sift(db, page, look, now)
        records.take_in(db, sifted, now=now, tracked=frozenset(), people=frozenset())
    return look


def reasons(store: Store) -> dict[str, int]:
    with store.begin() as db:
        return kept.by_reason(db)


def activities(store: Store) -> set[str]:
    with store.begin() as db:
        return set(db.scalars(select(t.activity.c.id)))


def test_each_odd_row_is_kept_with_its_reason_and_the_rest_goes_in(store: Store) -> None:
    at = NOW - timedelta(days=3)
    rows = [
        visit("ok", at), visit("twin", at), visit("other", at, url="/b"), visit("ahead", NOW + timedelta(days=9)),
        visit("planned", NOW + timedelta(days=9), kind="meeting"), visit("empty", datetime(1970, 1, 1, tzinfo=UTC)),
    ]  # fmt: skip
    changes = (
        Change("lead", "L1", "industry", BORN - timedelta(days=30), None, "Energy"),
        Change("lead", "L1", "industry", BORN + timedelta(days=3), None, "Energy"),
    )
    odd = replace(lead("L2"), created_at=NOW + timedelta(days=4))
    look = taken(store, Page("visits", "c", (lead("L1"), odd), changes, rows))
    assert activities(store) == {"ok", "other", "planned"}
    expected = {quality.TWICE: 1, quality.FUTURE: 2, quality.EMPTY_DATE: 1, quality.BEFORE: 1}
    assert reasons(store) == expected == dict(look.odd)
    with store.begin() as db:
        assert [row.id for row in db.execute(select(t.record.c.id))] == ["L1"]
        held = db.execute(select(t.quarantine.c.row).where(t.quarantine.c.id == "activity twin")).scalar_one()
    assert held["detail"] == {"url": "/a"}  # whole: nothing of it is lost


def test_two_on_one_day_without_a_time_are_two(store: Store) -> None:
    day = datetime(2025, 12, 20, tzinfo=UTC)
    calls = [visit(id, at, kind="call") for id, at in (
        ("morning", day), ("evening", day), ("at noon", day + timedelta(hours=12)), ("again", day + timedelta(hours=12)),
    )]  # fmt: skip
    taken(store, Page("tasks", "c", (lead("L1"),), (), calls))
    assert activities(store) == {"morning", "evening", "at noon"}
    assert reasons(store) == {quality.TWICE: 1}


def test_a_row_comes_in_when_its_time_has_come_or_when_it_comes_again_mended(store: Store) -> None:
    ahead, empty = visit("ahead", NOW + timedelta(days=2)), visit("empty", datetime(1970, 1, 1, tzinfo=UTC))
    taken(store, Page("visits", "c", (lead("L1"),), (), (ahead, empty)))
    assert activities(store) == set()
    taken(
        store,
        Page("visits", "d", (), (), (visit("empty", NOW - timedelta(days=1)),)),
        NOW + timedelta(days=3),
    )
    assert activities(store) == {"ahead", "empty"}
    assert reasons(store) == {}


def test_reading_the_same_page_again_changes_nothing(store: Store) -> None:
    page = Page(
        "visits",
        "c",
        (lead("L1"),),
        (),
        (visit("ok", NOW - timedelta(days=3)), visit("twin", NOW - timedelta(days=3))),
    )
    taken(store, page)
    taken(store, page)
    assert activities(store) == {"ok"}
    assert reasons(store) == {quality.TWICE: 1}


def test_a_profile_says_what_is_new_against_what_is_usual() -> None:
    before, now = quality.Look(), quality.Look()
    for look, industries, blank in ((before, ("Energy", "Retail"), 10), (now, ("Energy", "Mining"), 60)):
        for i in range(100):
            quality._count(
                look,
                {
                    "industry": industries[i % 2],
                    "country": None if i < blank else "Chile",
                    "email": f"{i}@x.example",
                },
            )
    usual = before.profile(None)
    found = now.profile(usual)
    assert found["new_values"] == {"industry": ["Mining"]}
    assert found["blanker"] == {"country": [0.1, 0.6]}
    assert "email" not in found["values"]  # who somebody is stays out of profiles
    assert found["values"]["industry"] == ["Energy", "Mining", "Retail"]
