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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from connector.cli import doctor
from connector.crm.base import Activity, Change, Page, Record
from connector.errors import NothingRead, SettingsError
from connector.jobs import examples, warehouse
from connector.jobs.audit import audit
from connector.jobs.context import Context
from connector.jobs.evidence import evidence, look
from connector.jobs.examples import DOUBTED, NOT_YET, collect, features, looked_at
from connector.jobs.fields import PEOPLE_FIELDS
from connector.jobs.gaps import ALWAYS, company_known_since
from connector.jobs.gates import audit_leaks
from connector.jobs.train import _doubtful, train_model, unknown_before
from connector.settings import Settings
from connector.store import records
from connector.store import schema as t
from scoring.errors import TooFewOutcomes
from scoring.features import InputError
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


def test_an_outcome_is_known_when_it_came_or_when_the_horizon_is_over(context: Context) -> None:
    deal, change = won_deal("D1", 20)
    lost = Change("lead", "L3", "status", BORN + timedelta(days=50), "Working", "Unqualified")
    put(context, lead("L1", deal_id="D1"), lead("L2"), lead("L3", status="Unqualified"), changes=(lost,))
    put(context, deal, changes=(change,), kind="deals")
    found = collect(context)
    days = (found.known_at - BORN.timestamp()) / 86400
    assert dict(zip(zip(found.rows["lead_id"].to_pylist(), (found.as_of - BORN.timestamp()) / 86400, strict=True), days, strict=True)) == {
        ("L1", 1): 20, ("L2", 1): 181, ("L2", 30): 210, ("L3", 1): 50, ("L3", 30): 50,
    }  # fmt: skip


def test_leads_are_scored_by_what_the_model_in_use_was_taught_with_until_another_is_released(
    context: Context,
) -> None:
    context.store.put("history_of", "tracked fields")
    context.store.put("first_reading", (BORN + timedelta(days=20)).isoformat())
    put(context, lead("L1", title="CFO"))
    since = {"old": BORN, "new": BORN + timedelta(days=99)}
    with context.store.begin() as db:
        for version, status in (("old", "champion"), ("new", "challenger")):
            made_of = {"known_since": {"title": since[version].isoformat()}, "barred_activities": [version]}
            db.execute(insert(t.model).values(
                version=version, created_at=BORN, status=status, sha256="", blob=b"", card={}, manifest=made_of
            ))  # fmt: skip
    with pytest.raises(TooFewOutcomes):
        train_model(context)
    view = looked_at(context)
    assert (view.known_since, view.barred_activities) == ({"title": BORN}, {"old"}), (
        "a training changes nothing"
    )
    assert looked_at(context, "new").barred_activities == {"new"}
    asked = [("L1", BORN + timedelta(days=5))]
    assert features(context, asked)["function"].to_pylist() == ["finance"]
    assert features(context, asked, view=looked_at(context, "new"))["function"].to_pylist() == [None]
    with context.store.begin() as db:
        db.execute(update(t.model).where(t.model.c.version == "old").values(status="retired"))
        db.execute(update(t.model).where(t.model.c.version == "new").values(status="champion"))
    assert looked_at(context).known_since == {"title": since["new"]}


def test_before_anything_was_read_training_and_audit_say_what_to_do(context: Context) -> None:
    with pytest.raises(NothingRead, match="candor backfill"):
        train_model(context)
    assert [line for line in audit(context).to_do if "candor backfill" in line]
    assert context.store.get("backtest_cut") is None


def test_outcomes_that_nobody_gave_one_by_one_are_told_and_learnt_from_only_if_an_admin_says_so(
    context: Context,
) -> None:
    names = [f"L{i}" for i in range(25)]
    closed = BORN + timedelta(days=250)
    changes = tuple(Change("lead", id, "status", closed, "Working", "Unqualified") for id in names)
    put(context, lead("Z1"), *(lead(id, status="Unqualified") for id in names), changes=changes)

    def doubted() -> tuple[int, list[str]]:
        _, _, doubts = audit_leaks(context)
        left_out = collect(context, doubtful=_doubtful(context, doubts)).left_out
        return left_out.get(DOUBTED, 0), [
            line for line in audit(context).to_do if "closed in one minute" in line
        ]

    out, to_do = doubted()
    assert (out, len(to_do)) == (0, 1)
    assert "training.doubtful" in to_do[0]
    for said, expected in (("use", 0), ("leave_out", 25)):
        training = context.settings.training.model_copy(update={"doubtful": said})
        context.settings = context.settings.model_copy(update={"training": training})
        assert doubted() == (expected, [])


COMPANY = ("colleagues_engaged_30d", "account_touches_30d", "followers_7d", "committee_size")


def mates_on(context: Context, day: float, *leads: str) -> list[float | None]:
    points = [(id, BORN + timedelta(days=day)) for id in leads]
    return list(features(context, points)["colleagues_engaged_30d"].to_pylist())


def page_views(*seen: tuple[str, float]) -> Page:
    views = tuple(
        Activity(f"A{i}", "page_view", BORN + timedelta(days=day), id, BORN + timedelta(days=day)) for i, (id, day) in enumerate(seen)
    )  # fmt: skip
    return Page("visits", "c", (), (), views)


def take(context: Context, page: Page) -> None:
    with context.store.begin() as db:
        records.take_in(db, page, now=context.clock.now(), tracked=frozenset({"title", "status"}), people=PEOPLE_FIELDS)  # fmt: skip


def test_a_company_linked_to_a_lead_is_known_from_when_we_saw_it_whatever_became_of_the_lead(
    context: Context,
) -> None:
    context.clock = Still(100)
    for id, values in {"L1": {}, "L2": {"converted_at": "2025-02-01T00:00:00+00:00"}, "L3": {}}.items():
        put(context, lead(id, email=f"{id}@gmail.com", account_id="C1", **values))
    take(context, page_views(("L1", 5), ("L2", 5), ("L3", 5), ("L1", 99)))
    context.clock = Still(101)
    assert mates_on(context, 7, "L1", "L2", "L3") == [None, None, None], "nobody saw it then"
    assert mates_on(context, 100, "L2", "L3") == [1, 1]


def test_a_lead_is_at_the_company_of_its_address_of_then(context: Context) -> None:
    context.clock = Still(50)
    put(
        context,
        lead("L1", email="ann@gmail.com"),
        lead("L2", email="bo@acme.example"),
        lead("L3", email=None, last_name="Li"),
    )
    take(context, page_views(("L1", 5), ("L2", 5), ("L1", 69), ("L2", 69)))
    asked = [(id, BORN + timedelta(days=7)) for id in ("L1", "L2", "L3")]
    before = features(context, asked).select(COMPANY)
    context.clock = Still(70)
    moved = [replace(found, modified_at=BORN + timedelta(days=60))
             for found in (lead("L1", email="ann@acme.example"), lead("L3", email="cy@acme.example", last_name="Li"))]  # fmt: skip
    put(context, *moved)
    assert features(context, asked).select(COMPANY).equals(before), (
        "what a lead was does not change by what it becomes"
    )
    assert mates_on(context, 7, "L1", "L2", "L3") == [None, 0, None]
    assert mates_on(context, 70, "L1", "L2", "L3") == [1, 1, 2]


def test_it_is_told_since_when_a_company_is_known(context: Context) -> None:
    assert company_known_since(context)["account_id"] == BORN + timedelta(days=400)
    context.store.put("first_reading", (BORN + timedelta(days=20)).isoformat())
    assert set(company_known_since(context).values()) == {BORN + timedelta(days=20)}
    context.store.put("tracked_fields", ["email", "title"])
    assert company_known_since(context)["email"] == ALWAYS


def test_an_address_with_history_is_known_by_it(context: Context) -> None:
    first = Change("lead", "L1", "email", BORN, None, "ann@acme.example")
    later = Change("lead", "L1", "email", BORN + timedelta(days=30), "ann@acme.example", "ann@gmail.com")
    filled = Change("lead", "L2", "email", BORN + timedelta(days=20), None, "bo@acme.example")
    put(
        context,
        lead("L1", email="ann@gmail.com"),
        lead("L2", email="bo@acme.example"),
        changes=(first, later, filled),
    )
    take(context, page_views(("L1", 5), ("L2", 5)))
    assert mates_on(context, 7, "L1", "L2") == [0, None]
    assert mates_on(context, 21, "L1", "L2") == [1, 1]
    assert mates_on(context, 31, "L1", "L2") == [None, 0]


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_a_few_leads_of_any_time_are_as_among_all(
    made: Made, tmp_path_factory: pytest.TempPathFactory, dice: Any
) -> None:
    with open_store_in(made, tmp_path_factory.mktemp("few")) as store:
        store.put("history_of", "tracked fields")
        context = Context(
            Settings(crm={"kind": "hubspot", "url": "https://nowhere.invalid"}),
            store,
            Still(0),
            load_policy(None),
        )
        names = [f"L{i}" for i in range(6)]
        hosts = ("acme.example", "mail.acme.example", "tarn.example", "gmail.com")
        for day in (10, 20, 30):
            context.clock = Still(day)
            put(context, *(
                replace(lead(id, email=f"{id}@{dice.choice(hosts)}", account_id=dice.choice((None, "C1", "C2"))),
                        modified_at=BORN + timedelta(days=day - 1))
                for id in names if day == 10 or dice.random() < 0.5
            ))  # fmt: skip
        take(context, page_views(*((dice.choice(names), dice.uniform(0, 40)) for _ in range(30))))
        context.clock = Still(40)
        points = [(id, BORN + timedelta(days=day)) for id in names for day in (5, 15, 25, 40)]
        whole = features(context, points).to_pylist()
        for i in dice.sample(range(len(points)), 5):
            assert features(context, [points[i]]).to_pylist() == [whole[i]]


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


def lake(context: Context, folder: Path, **views: str) -> None:
    """Activities of L1 (and of somebody else) in a file of DuckDB, and views of them; the last named is the one in use."""
    with duckdb.connect(str(folder / "lake.duckdb")) as there:
        there.execute("CREATE SCHEMA IF NOT EXISTS crm; SET TimeZone = 'UTC'")
        there.execute("""CREATE OR REPLACE TABLE crm.touches AS SELECT * FROM (VALUES
            ('A1', 'L1', TIMESTAMPTZ '2025-01-05', 'page_view', 'person'), ('A2', 'X9', TIMESTAMPTZ '2025-01-05', 'form', 'person'),
            ('A3', 'L1', TIMESTAMPTZ '2025-01-05', 'meeting', 'person')
        ) AS t(activity_id, lead_id, "at", kind, actor)""")
        for name, query in views.items():
            there.execute(f"CREATE OR REPLACE VIEW crm.{name} AS {query}")
    url, named = f"duckdb://{folder}/lake.duckdb", {"activities": f"crm.{list(views or ['touches'])[-1]}"}
    context.settings = Settings(**{**context.settings.model_dump(), "engine": url, "warehouse": named})


def test_activities_may_lie_in_a_table_of_the_engine(context: Context, tmp_path: Path) -> None:
    put(context, lead("L1"), lead("L2"))
    lake(context, tmp_path)
    asked = [("L1", BORN + timedelta(days=6)), ("L2", BORN + timedelta(days=6))]
    assert features(context, asked)["touches_7d"].to_pylist() == [2, 0]
    barred = replace(looked_at(context), barred_activities=frozenset({"meeting"}))
    assert features(context, asked, view=barred)["touches_7d"].to_pylist() == [1, 0]
    with context.store.begin() as db:
        found = evidence(context, db, look(context, db))
    assert sorted(found.activities["activity_id"].to_pylist()) == ["A1", "A3"], (
        "the audit reads what the model reads"
    )


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ("SELECT * REPLACE ('PageView' AS kind) FROM crm.touches", "`activities.kind` holds PageView"),
        (
            "SELECT * REPLACE ('z' || lead_id AS lead_id) FROM crm.touches",
            "none of them is of a lead that Candor knows",
        ),
        ('SELECT * REPLACE ("at"::TIMESTAMP AS "at") FROM crm.touches', "times must be timestamp"),
        ("SELECT * EXCLUDE kind FROM crm.touches", "no column `kind`"),
    ],
)
def test_a_table_of_the_engine_that_is_not_as_promised_is_refused(
    context: Context, tmp_path: Path, view: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(context, lead("L1"), lead("L2"))
    lake(context, tmp_path, odd=view)
    monkeypatch.setattr(examples, "_FEW", 0)
    with pytest.raises(InputError, match=says):
        features(context, [("L1", BORN + timedelta(days=6))])
    with pytest.raises(InputError, match=says):
        warehouse.look(context.settings, ["L1", "L2"])
    facts: dict[str, str] = {}
    [problem] = doctor._engine(context, facts)
    assert says in problem.what


def test_doctor_tells_what_lies_in_the_warehouse(context: Context, tmp_path: Path) -> None:
    put(context, lead("L1"))
    lake(context, tmp_path)
    facts: dict[str, str] = {}
    assert doctor._engine(context, facts) == []
    assert facts["activities in the warehouse"].startswith("3 rows")
    named = {"activities": "crm.gone"}
    context.settings = Settings(**{**context.settings.model_dump(), "warehouse": named})
    assert "no table crm.gone" in doctor._engine(context, {})[0].what


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


def say(context: Context, said: list[tuple[str, str, dict[str, Any]]], days_ago: float = 0) -> None:
    at = context.clock.now() - timedelta(days=days_ago)
    with context.store.begin() as db:
        for n, (kind, id, value) in enumerate(said):
            db.execute(insert(t.feedback).values(
                key=f"{days_ago}{n}", kind=kind, record_kind="lead", record_id=id, lead_id=id, at=at, value=value, by="Ada", score=50, run_id=1
            ))  # fmt: skip


def test_what_people_said_stands_beside_the_outcomes_with_what_is_known_by_now(context: Context) -> None:
    deal, change = won_deal("D1", 20)
    put(context, lead("L1", deal_id="D1"), lead("L2"), lead("L3", born=395), lead("L4", born=395))
    put(context, deal, changes=(change,), kind="deals")
    say(
        context,
        [("override", "L3", {"score": 90, "reason": "x"}), ("tag", "L4", {"tag": "score_seems_high"})],
    )
    say(context, [("tag", "L1", {"tag": "unexpected_fit"}), ("tag", "L2", {"tag": "unexpected_fit"})], 390)
    found = collect(context)
    assert set(found.rows["lead_id"].to_pylist()) == {"L1", "L2"}, "no word is an example"
    assert found.base_rate == pytest.approx(0.5), "of outcomes alone: one lead won, one lost"
    said = found.said
    assert said is not None
    known = dict(
        zip(said.rows["lead_id"].to_pylist(), zip(said.outcome, said.learnt, strict=True), strict=True)
    )
    assert known["L1"] == (1.0, True)
    assert known["L2"] == (0.0, True)
    assert np.isnan(known["L3"][0])
    assert not known["L3"][1]
    assert said.rows["as_of"].to_pylist()[-1] == context.clock.now(), "as the lead was when it was said"
    held = found.take(np.array([id != "L1" for id in found.rows["lead_id"].to_pylist()]))
    assert held.said is not None
    assert set(held.said.rows["lead_id"].to_pylist()) == {"L2", "L3", "L4"}, "with its rows go words about it"


def test_a_word_knows_nothing_that_comes_after_the_training(context: Context) -> None:
    deal, change = won_deal("D1", 398)
    put(context, lead("L1", born=300, deal_id="D1"), lead("L2", born=300))
    put(context, deal, changes=(change,), kind="deals")
    say(context, [("tag", "L1", {"tag": "unexpected_fit"}), ("tag", "L2", {"tag": "unexpected_fit"})], 50)
    said = collect(context).said
    assert said is not None
    assert dict(zip(said.rows["lead_id"].to_pylist(), said.outcome.tolist(), strict=True))["L1"] == 1.0, (
        "won two days ago"
    )
    assert np.isnan(said.outcome).sum() == 1
    assert not said.learnt.any(), "inside the horizon: no example yet"


def test_the_policy_can_leave_people_out(context: Context) -> None:
    put(context, lead("L1"), lead("L3", born=395))
    say(context, [("tag", "L3", {"tag": "unexpected_fit"})])
    models = context.policy.models.model_copy(update={"people_join": False})
    context.policy = context.policy.model_copy(update={"models": models})
    assert collect(context).said is None


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
