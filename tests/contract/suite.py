"""What every adapter promises: one suite, run over each (conftest.py's `at`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.crm.base import AuthError, FieldMissing, NoAnswer, OverBudget, Transient, Write
from tests.contract.adapters import Bench, Store, records, rows
from tests.contract.small_world import DEALS, LEADS, NOW, TOUCHES, small_world

SECOND = timedelta(seconds=1)


# --- who and what ---


def test_it_tells_which_org_and_user_it_is(at: Bench) -> None:
    org = at.connect().check()
    assert org.id
    assert org.name
    assert org.user
    assert len(org.currency) == 3


def test_it_describes_the_fields_of_a_lead(at: Bench) -> None:
    fields = {f.canonical: f for f in at.connect().describe("lead") if f.canonical}
    assert fields["employees"].type == "number"
    assert fields["title"].type == "text"
    assert fields["hand_raiser"].type == "flag"
    assert fields["needed_by"].type == "time"
    assert fields["candor_tags"].type == "choices"
    assert fields["candor_tags"].choices
    assert fields["status"].choices
    assert fields["candor_score"].writable
    assert fields["title"].name == at.title


def test_a_wrong_token_is_an_error_of_its_own(at: Bench) -> None:
    with pytest.raises(AuthError):
        at.connect(token="wrong").check()


def test_an_org_out_of_reach_is_transient_and_not_unknown(at: Bench) -> None:
    at.wire.close()
    nowhere = at.connection().url.rsplit(":", 1)[0] + ":9"
    with pytest.raises(Transient) as error:
        at.connect(url=nowhere).write("lead", [Write(at.id("lead", "L12"), {"candor_score": 5})])
    assert not isinstance(error.value, NoAnswer)


def test_the_secret_is_in_no_text(at: Bench) -> None:
    assert at.connection().token not in repr(at.connection())


# --- backfill ---


def test_a_backfill_brings_everything_that_is_there(at: Bench) -> None:
    store, crm, world = Store(), at.connect(), small_world()
    pages = store.take(crm)
    assert {p.stream for p in pages} == {s.name for s in crm.streams()}
    leads = store.rows["leads"]
    assert len(leads) == LEADS
    assert len(store.rows["deals"]) == DEALS
    assert len(store.rows["accounts"]) >= DEALS
    for person in world.people:
        values = leads[at.id("lead", person.key)].values
        assert values["last_name"] == person.last_name
        assert values["email"] == person.email
        for field in (
            "title",
            "employees",
            "annual_revenue",
            "hand_raiser",
            "opted_out",
            "points",
            "linkedin",
        ):
            assert (values[field] or None) == (person.fields.get(field) or None), (person.key, field)
        named = person.fields.get("needed_by")
        assert values["needed_by"] == (named and datetime.fromisoformat(named).replace(tzinfo=UTC))
        assert abs(leads[at.id("lead", person.key)].created_at - person.created_at) < SECOND


def test_a_blank_is_none_and_not_absent(at: Bench) -> None:
    store = Store()
    store.take(at.connect())
    bare = store.rows["leads"][at.id("lead", "L08")].values
    assert bare["title"] is None
    assert bare["employees"] is None
    assert bare["candor_override_score"] is None


def test_leads_are_counted_by_status_without_being_read(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(at.connect())
    statuses = [lead.values["status"] for lead in store.rows["leads"].values() if not lead.deleted]
    assert dict(crm.count("lead", "status")) == {s: statuses.count(s) for s in set(statuses) if s}
    assert crm.usage().calls <= 12
    with pytest.raises(FieldMissing):
        crm.count("lead", "no_such_field")


def test_deals_and_owners_carry_what_training_needs(at: Bench) -> None:
    store = Store()
    store.take(at.connect())
    won, lost = (store.rows["deals"][at.id("deal", key)].values for key in ("D0", "D2"))
    assert (won["is_won"], won["is_closed"], won["amount"]) == (True, True, 10_000)
    assert (lost["is_won"], lost["is_closed"]) == (False, True)
    lead = store.rows["leads"][at.id("lead", "L00")]
    assert lead.id in won["lead_ids"] or lead.values["contact_id"] in won["lead_ids"]
    assert lead.values["owner_id"] in store.rows["owners"]
    assert won["account_id"] in store.rows["accounts"]
    assert store.rows["accounts"][won["account_id"]].values["domain"] == "firm0.example"


def test_candors_fields_are_absent_before_they_are_there(untouched: Bench) -> None:
    store = Store()
    store.take(untouched.connect())
    values = store.rows["leads"][untouched.id("lead", "L12")].values
    assert not [name for name in values if name.startswith("candor_")]


def test_a_backfill_resumes_where_it_stopped(at: Bench) -> None:
    at.add_leads(2_300, at.newest("lead") + SECOND)
    store, crm = Store(), at.connect()
    cursors = {s.name: None for s in crm.streams() if s.name == "leads"}
    first = next(iter(crm.pull(cursors, store.known)))
    assert 0 < len(first.records) < LEADS + 2_300
    rest = list(at.connect().pull({"leads": first.cursor}, store.known))
    seen = {r.id for r in first.records} | set(records(rest))
    assert len(seen) == LEADS + 2_300
    assert len(records(rest)) < LEADS + 2_300


# --- what is new ---


def test_a_pass_with_nothing_new_brings_nothing_and_costs_little(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    store.take(crm)
    before = crm.usage().calls
    assert rows(store.take(crm)) == 0
    assert crm.usage().calls - before <= at.quiet_pass
    fresh = (
        at.connect()
    )  # as `candor sync` in a new process: whatever it has to learn about the org is in the price
    assert rows(store.take(fresh)) == 0
    assert fresh.usage().calls <= at.quiet_pass


def test_a_change_is_seen_once(at: Bench) -> None:
    store, crm, id = Store(), at.connect(), at.id("lead", "L12")
    store.take(crm)
    store.take(crm)
    at.desk.set("lead", id, {"title": "Chief of Everything"}, by=next(iter(at.desk.owners())))
    pages = store.take(crm)
    assert records(pages)[id].values["title"] == "Chief of Everything"
    assert rows(store.take(crm)) == 0


def test_a_row_that_shows_late_is_found(at: Bench) -> None:
    store, crm = Store(), at.connect()
    at.put("lead", at.id("lead", "L13"), {}, at.newest("lead") + timedelta(minutes=1))
    store.take(crm)
    store.take(crm)
    late = at.newest("lead") - timedelta(seconds=30)
    at.put("lead", at.id("lead", "L12"), {at.title: "Late"}, late)
    (new,) = at.add_leads(1, late - SECOND)
    pages = store.take(crm)
    assert records(pages)[at.id("lead", "L12")].values["title"] == "Late"
    assert new in records(pages)
    assert rows(store.take(crm)) == 0


def test_many_rows_of_one_moment_all_come(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    moment = at.newest("lead") + timedelta(minutes=1)
    ids = set(at.add_leads(2_300, moment))
    assert ids <= set(records(store.take(crm)))
    more = set(at.add_leads(50, moment))
    assert more <= set(records(store.take(crm)))


def test_deletions_and_merges_are_told(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    gone, loser, winner = (at.id("lead", key) for key in ("L14", "L15", "L16"))
    at.delete("lead", gone)
    at.merge(loser, winner)
    found = records(store.take(crm))
    assert found[gone].deleted
    assert found[gone].merged_into is None
    assert found[loser].merged_into is not None
    survivor = found[loser].merged_into
    assert not store.rows["leads"][survivor].deleted
    assert rows(store.take(crm)) == 0


# --- history and activities ---


def test_history_is_dated_as_it_happened(at: Bench) -> None:
    store = Store()
    store.take(at.connect())
    world, wanted = small_world(), {"L10": "employees", "L21": "status"}
    for change in world.changes:
        if wanted.get(change.key) != change.field:
            continue
        id = at.id("lead", change.key)
        found = [
            c
            for c in store.changes
            if c.id == id and c.field == change.field and abs(c.at - change.at) < SECOND
        ]
        assert found, change
        if change.field == "employees":
            assert found[0].new == change.new
            assert found[0].old in (change.old, None)
    deals = [c for c in store.changes if c.kind == "deal" and c.field == "stage"]
    assert {c.id for c in deals} >= {at.id("deal", "D0"), at.id("deal", "D2")}


def test_every_kind_of_activity_comes_dated_and_with_its_person(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    lead = at.id("lead", "L11")
    names = {s.name for s in crm.streams() if s.rows == "activities"}
    mine = [a for name in names for a in store.rows.get(name, {}).values() if a.person_id == lead]
    kinds = {a.kind for a in mine}
    impossible = set(crm.capabilities.not_implemented)
    assert {k for k in TOUCHES if k not in impossible} <= kinds | {"campaign_response"}
    for a in mine:
        assert NOW - timedelta(days=6) < a.at <= NOW, a.kind
    view = next(a for a in mine if a.kind == "page_view")
    assert view.at == NOW - timedelta(days=5)
    call = next(a for a in mine if a.kind == "call")
    assert call.detail["minutes"] == 7
    assert call.detail["answered"] is True
    replied = next(a for a in mine if a.kind == "email_replied")
    assert replied.detail["subject"].endswith("Hello")
    forwarded = next(a for a in mine if a.kind == "email_forwarded")
    assert forwarded.detail["cc"] == ["boss@firm11.example"]
    converted = store.rows["leads"][at.id("lead", "L00")]
    people = {a.person_id for name in names for a in store.rows.get(name, {}).values()}
    assert people & {converted.id, converted.values["contact_id"]}


# --- writing ---


def test_what_is_written_can_be_read_and_comes_back(at: Bench) -> None:
    store, crm, id = Store(), at.connect(), at.id("lead", "L12")
    store.take(crm)
    when = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    values = {
        "candor_score": 62,
        "candor_route": "review",
        "candor_flags": "New industry for you",
        "candor_scored_at": when,
    }
    before = crm.usage()
    (answer,) = crm.write("lead", [Write(id, values)])
    assert (answer.id, answer.ok, answer.crm_id) == (id, True, id)
    assert crm.usage().writes == before.writes + 1
    found = crm.read("lead", [id, at.id("lead", "L13")], [*values, "candor_tags", "title"])
    assert {k: found[id][k] for k in values} == values
    assert found[id]["candor_tags"] is None
    assert found[at.id("lead", "L13")]["candor_score"] is None
    assert records(store.take(crm))[id].values["candor_score"] == 62


def test_a_blank_can_be_written(at: Bench) -> None:
    crm, id = at.connect(), at.id("lead", "L12")
    crm.write("lead", [Write(id, {"candor_score": 10, "candor_trend": "up"})])
    crm.write("lead", [Write(id, {"candor_score": None, "candor_trend": None})])
    assert crm.read("lead", [id], ["candor_score", "candor_trend"])[id] == {
        "candor_score": None,
        "candor_trend": None,
    }


def test_one_refused_write_does_not_stop_the_others(at: Bench) -> None:
    crm = at.connect()
    gone, good = at.id("lead", "L14"), at.id("lead", "L12")
    at.delete("lead", gone)
    answers = crm.write("lead", [Write(gone, {"candor_score": 1}), Write(good, {"candor_score": 2})])
    assert [a.id for a in answers] == [gone, good]
    assert [a.ok for a in answers] == [False, True]
    assert answers[0].code
    assert not answers[0].retry
    assert crm.read("lead", [gone, good], ["candor_score"]) == {good: {"candor_score": 2}}


def test_deals_and_accounts_can_be_written(at: Bench) -> None:
    crm, deal, account = at.connect(), at.id("deal", "D0"), at.id("account", "A0")
    assert crm.write("deal", [Write(deal, {"candor_score_at_conversion": 71})])[0].ok
    assert crm.write("account", [Write(account, {"candor_committee_maturity": 40})])[0].ok
    assert crm.read("deal", [deal], ["candor_score_at_conversion"])[deal] == {
        "candor_score_at_conversion": 71
    }


def test_a_review_case_is_made_once(at: Bench) -> None:
    crm, store = at.connect(), Store()
    case = {
        "candor_lead": at.id("lead", "L12"),
        "candor_score": 55,
        "candor_status": "open",
        "candor_tier": "standard",
    }
    (first,) = crm.write("review", [Write("case-1", case)])
    (second,) = crm.write("review", [Write("case-1", {**case, "candor_score": 60})])
    assert first.ok, first
    assert second.ok, second
    assert first.crm_id == second.crm_id
    store.take(crm)
    cases = [r for r in store.rows["reviews"].values() if r.values["candor_key"] == "case-1"]
    assert [c.values["candor_score"] for c in cases] == [60]
    assert cases[0].values["candor_lead"] == case["candor_lead"]
    assert cases[0].id == first.crm_id


def test_a_connection_that_breaks_after_the_commit_is_no_answer(at: Bench) -> None:
    crm, id = at.connect(url=at.through_the_wire()), at.id("lead", "L12")
    crm.read("lead", [id], ["candor_score"])
    at.wire.cut_next_answer()
    with pytest.raises(NoAnswer):
        crm.write("lead", [Write(id, {"candor_score": 33})])
    assert at.connect().read("lead", [id], ["candor_score"])[id] == {"candor_score": 33}
    assert crm.usage().failed >= 1


# --- limits and what is hidden ---


def test_each_request_is_counted_and_the_budget_holds(at: Bench) -> None:
    crm = at.connect(budget=10)
    crm.check()
    assert 1 <= crm.usage().calls <= 10
    crm.close()
    spent = at.connect(budget=0)
    with pytest.raises(OverBudget):
        spent.check()
    assert spent.usage().calls == 0


def test_failed_requests_are_counted(at: Bench) -> None:
    crm = at.connect(token="wrong")
    with pytest.raises(AuthError):
        crm.check()
    assert crm.usage().failed >= 1


def test_a_mapped_field_that_is_hidden_is_named(at: Bench) -> None:
    mapping = {"lead": at.hide_points()}
    vendor = mapping["lead"]["points"]
    crm = at.connect(fields=mapping)
    with pytest.raises(FieldMissing, match=vendor) as error:
        Store().take(crm)
    assert (error.value.kind, error.value.field) == ("lead", "points")
    problems = at.connect(fields=mapping).doctor(mapping)
    assert any(vendor in p.what and p.fatal and p.fix for p in problems)
    store = Store()
    store.take(at.connect())  # not mapped: not missed
    assert "points" not in store.rows["leads"][at.id("lead", "L12")].values


def test_a_healthy_org_has_no_fatal_problem(at: Bench) -> None:
    assert [p for p in at.connect().doctor({}) if p.fatal] == []
