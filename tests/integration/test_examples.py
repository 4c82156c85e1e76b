"""Training examples from a store: leads as they were, censoring, scope, what people said (S1, S4.5, S10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sqlalchemy import insert

from connector.crm.base import Change, Page, Record
from connector.errors import SettingsError
from connector.jobs.context import Context
from connector.jobs.examples import FEEDBACK_WEIGHT, NOT_YET, collect, features
from connector.jobs.fields import PEOPLE_FIELDS
from connector.jobs.train import unknown_before
from connector.settings import Settings
from connector.store import records
from connector.store import schema as t
from scoring.routing.policy import load as load_policy
from tests.whole_loop import Made, open_store_in

BORN = datetime(2025, 1, 1, tzinfo=UTC)


class Still:
    def __init__(self, day: float) -> None:
        self.day = day

    def now(self) -> datetime:
        return BORN + timedelta(days=self.day)


@pytest.fixture
def context(made: Made, tmp_path: Path) -> Iterator[Context]:
    settings = Settings(
        crm={"kind": "salesforce", "url": "https://nowhere.invalid"},
        training={"ages_days": [1, 30]},
        scope={"exclude": [{"field": "email", "ends_with": "@own.example", "why": "staff"}]},
    )
    with open_store_in(made, tmp_path) as store:
        store.put("tracked_fields", ["title", "status"])
        store.put("history_of", "all fields")
        yield Context(settings, store, Still(400), load_policy(None))


def put(context: Context, *found: Record, changes: tuple[Change, ...] = (), kind: str = "leads") -> None:
    with context.store.begin() as db:
        records.take_in(db, Page(kind, "c", found, changes), now=context.clock.now(), tracked=frozenset({"title", "status"}),
                        people=PEOPLE_FIELDS)  # fmt: skip


def lead(id: str, born: float = 0, **values: Any) -> Record:
    at = BORN + timedelta(days=born)
    return Record(
        "lead", id, at, at, {"title": None, "status": "Working", "email": f"{id}@a.example", **values}
    )


def won_deal(id: str, at: float, amount: float = 5000.0) -> tuple[Record, Change]:
    when = BORN + timedelta(days=at)
    values = {"amount": amount, "stage": "Won", "is_won": True, "is_closed": True, "close_at": when}
    return Record("deal", id, BORN, when, values), Change("deal", id, "stage", when, "Talk", "Won")


def labels(context: Context) -> dict[tuple[str, float], float]:
    found = collect(context)
    ages = (found.as_of - BORN.timestamp()) / 86400
    return {
        (lead, round(float(age), 3)): float(won)
        for lead, age, won in zip(found.rows["lead_id"].to_pylist(), ages, found.won, strict=True)
    }


def test_a_lead_is_an_example_at_each_age_until_its_outcome_with_its_record_of_then(context: Context) -> None:
    deal, change = won_deal("D1", 20)
    title = Change("lead", "L1", "title", BORN + timedelta(days=10), None, "CFO")
    put(context, lead("L1", title="CFO", deal_id="D1"), lead("L2"), changes=(title,))
    put(context, deal, changes=(change,), kind="deals")
    assert labels(context) == {("L1", 1): 1.0, ("L2", 1): 0.0, ("L2", 30): 0.0}
    found = collect(context)
    assert found.rows["function"].to_pylist()[0] is None, "the title came later"
    assert found.amount[0] == 5000.0
    assert np.isnan(found.amount[1:]).all()


def function_at_day_1(context: Context) -> dict[str, str | None]:
    found = collect(context)
    ages = (found.as_of - found.as_of.min()) / 86400
    return {
        lead: function
        for lead, function, age in zip(
            found.rows["lead_id"].to_pylist(), found.rows["function"].to_pylist(), ages, strict=True
        )
        if age < 29
    }


def test_before_a_fields_history_begins_its_value_is_unknown_not_todays(context: Context) -> None:
    context.store.put("history_of", "tracked fields")
    context.store.put("first_reading", (BORN + timedelta(days=300)).isoformat())
    put(context, lead("L1", title="CFO"), lead("L2", born=20, title="CFO"), lead("L3", born=20, title="CFO"),
        changes=(Change("lead", "L3", "title", BORN + timedelta(days=60), "Engineer", "CFO"),
                 Change("lead", "L4", "title", BORN + timedelta(days=20.5), None, "CFO")))  # fmt: skip
    # Somebody's title changed on day 20.5: from then on the history is kept. L1 was asked about on day 1, L2 and L3 on 21.
    assert function_at_day_1(context) == {"L1": None, "L2": "finance", "L3": "technical"}


def test_a_field_without_any_change_is_known_from_the_first_reading_or_since_the_admin_says(
    context: Context,
) -> None:
    context.store.put("history_of", "tracked fields")
    context.store.put("first_reading", (BORN + timedelta(days=20)).isoformat())
    put(context, lead("L1", title="CFO"), lead("L2", born=20, title="CFO"))
    assert function_at_day_1(context) == {"L1": None, "L2": "finance"}
    for key in ("title", "all"):
        crm = context.settings.crm.model_copy(update={"tracked_since": {key: BORN.date()}})
        context.settings = context.settings.model_copy(update={"crm": crm})
        assert function_at_day_1(context) == {"L1": "finance", "L2": "finance"}
    crm = context.settings.crm.model_copy(update={"tracked_since": {"industry": BORN.date()}})
    context.settings = context.settings.model_copy(update={"crm": crm})
    with pytest.raises(SettingsError, match="industry"):
        collect(context)


def test_only_fields_that_feed_a_feature_are_told_to_be_unknown_before_their_history(
    context: Context,
) -> None:
    put(context, lead("L1", title="CFO"), lead("L2", born=20, title="CFO"))
    late = dict.fromkeys(
        ("title", "owner_id", "status", "candor_tags", "candor_reason", "last_name"),
        BORN + timedelta(days=200),
    )
    assert set(unknown_before(context, collect(context), late)) == {"title"}


def test_a_history_cannot_begin_in_the_future(context: Context) -> None:
    context.store.put("history_of", "tracked fields")
    crm = context.settings.crm.model_copy(update={"tracked_since": {"all": date(2030, 1, 1)}})
    context.settings = context.settings.model_copy(update={"crm": crm})
    with pytest.raises(SettingsError, match="2030-01-01: that day is to come"):
        collect(context)


def test_activities_may_lie_in_a_table_of_the_engine(context: Context, tmp_path: Path) -> None:
    put(context, lead("L1"), lead("L2"))
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as warehouse:
        warehouse.execute("CREATE SCHEMA crm; SET TimeZone = 'UTC'")
        warehouse.execute("""CREATE TABLE crm.touches AS SELECT * FROM (VALUES
            ('A1', 'L1', TIMESTAMPTZ '2025-01-05', 'page_view', 'person'), ('A2', 'X9', TIMESTAMPTZ '2025-01-05', 'form', 'person')
        ) AS t(activity_id, lead_id, "at", kind, actor)""")
    url, named = f"duckdb://{tmp_path}/lake.duckdb", {"activities": "crm.touches"}
    context.settings = Settings(**{**context.settings.model_dump(), "engine": url, "warehouse": named})
    rows = features(context, [("L1", BORN + timedelta(days=6)), ("L2", BORN + timedelta(days=6))])
    assert rows["touches_7d"].to_pylist() == [1, 0]


def test_what_is_inside_the_horizon_is_censored_not_lost(context: Context) -> None:
    context.clock.day = 200  # type: ignore[attr-defined]
    put(context, lead("L1"), lead("L2", born=25))
    # The horizon is 180 days: of L1 day 1 is over and day 30 is not, of L2 (day 26 on) nothing is known.
    assert labels(context) == {("L1", 1): 0.0}
    assert dict(collect(context).left_out) == {NOT_YET: 1}


def test_a_win_after_the_horizon_is_no_win_of_that_moment(context: Context) -> None:
    deal, change = won_deal("D1", 190)
    put(context, lead("L1", deal_id="D1"))
    put(context, deal, changes=(change,), kind="deals")
    assert labels(context) == {("L1", 1): 0.0, ("L1", 30): 1.0}


def test_leads_out_of_scope_are_counted_and_left_out(context: Context) -> None:
    put(context, lead("L1"), lead("L2", email="me@own.example"), replace(lead("L3"), deleted=True))
    found = collect(context)
    assert set(found.rows["lead_id"].to_pylist()) == {"L1"}
    assert dict(found.left_out) == {"staff": 1}


def test_what_people_said_of_an_open_lead_joins_as_part_won_and_part_lost(context: Context) -> None:
    deal, change = won_deal("D1", 20)
    put(context, lead("L1", deal_id="D1"), lead("L2"), lead("L3", born=395), lead("L4", born=395))
    put(context, deal, changes=(change,), kind="deals")
    said = [("override", "L3", {"score": 90, "reason": "x"}), ("tag", "L4", {"tag": "score_seems_high"}),
            ("tag", "L1", {"tag": "unexpected_fit"})]  # fmt: skip
    with context.store.begin() as db:
        for n, (kind, id, value) in enumerate(said):
            db.execute(insert(t.feedback).values(
                key=str(n), kind=kind, record_kind="lead", record_id=id, lead_id=id, at=context.clock.now(), value=value, run_id=1
            ))  # fmt: skip
    found = collect(context)
    ids = np.array(found.rows["lead_id"].to_pylist())
    assert set(ids[found.feedback]) == {"L3", "L4"}, "of L1 the outcome is known"
    shares = {}
    for id in ("L3", "L4"):
        mine = found.feedback & (ids == id)
        assert found.weight[mine].sum() == pytest.approx(2 * FEEDBACK_WEIGHT)
        shares[id] = found.weight[mine & (found.won > 0.5)].sum() / found.weight[mine].sum()
    assert shares["L4"] < found.base_rate < shares["L3"]
    assert found.base_rate == pytest.approx(0.5), "of outcomes alone: one lead won, one lost"


def test_outcomes_of_leads_that_nobody_worked_count_less_and_worked_ones_fully(context: Context) -> None:
    taken = [Change("lead", f"W{i}", "status", BORN + timedelta(days=2), "New", "Working") for i in range(80)]
    put(context, *(lead(f"W{i}", deal_id=f"D{i}") for i in range(80)), changes=tuple(taken))
    put(context, *(lead(f"N{i}", status="New") for i in range(80)))
    for i in range(0, 80, 2):
        deal, change = won_deal(f"D{i}", 50)
        put(context, deal, changes=(change,), kind="deals")
    found = collect(context)
    leads = np.array(found.rows["lead_id"].to_pylist())
    ages = np.round((found.as_of - BORN.timestamp()) / 86400)
    first = ages == 1
    assert found.worked is not None
    assert {str(lead)[0] for lead in leads[first & found.worked]} == {"W"}
    assert set(found.weight[found.worked]) == {1.0}
    assert (found.weight[~found.worked] < 1).all()


def test_where_activities_do_not_tell_who_was_worked_all_count_alike(context: Context) -> None:
    put(context, *(lead(f"W{i}", deal_id=f"D{i}") for i in range(80)))
    put(context, *(lead(f"N{i}", status="New") for i in range(80)))
    for i in range(80):
        deal, change = won_deal(f"D{i}", 50)
        put(context, deal, changes=(change,), kind="deals")
    found = collect(context)
    assert found.worked is None
    assert set(found.weight) == {1.0}
