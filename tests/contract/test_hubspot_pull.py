"""What is HubSpot's own: windows of a search, bins, batches that fail as one, merges, limits, two versions of paths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import hubspot.crm.contacts as vendor
import pytest
from hubspot import Client

from connector.crm.base import Activity, AuthError, OverBudget, PermissionDenied, Write, Written
from connector.crm.hubspot import bins, search
from connector.crm.hubspot.adapter import HubSpotCRM
from connector.crm.hubspot.cursor import Bin, Cursor
from connector.crm.hubspot.history import conversion
from tests.contract.adapters import HubSpotBench, Store, records, rows

SECOND = timedelta(seconds=1)


def push(store: Store, crm: Any, ids: Sequence[str], score: float) -> list[Written]:
    """As the core pushes: what was answered is known from then on."""
    answers: list[Written] = []
    for start in range(0, len(ids), 100):
        answers += crm.write("lead", [Write(i, {"candor_score": score}) for i in ids[start : start + 100]])
    for a in answers:
        assert a.ok, a
        if a.modified_at is not None:
            kept = store.rows["leads"][a.id]
            store.rows["leads"][a.id] = type(kept)(
                kept.kind, kept.id, kept.created_at, a.modified_at, kept.values
            )
    return answers


def ready(hubspot: HubSpotBench, more: int = 0) -> tuple[Store, Any]:
    if more:
        hubspot.add_leads(more, hubspot.newest("lead") + SECOND)
    store, crm = Store(), hubspot.connect()
    store.take(crm)
    store.take(crm)
    return store, crm


def test_the_vendors_client_works_on_it(hubspot: HubSpotBench) -> None:
    client = Client.create(access_token=hubspot.connection().token, host=hubspot.connection().url)
    basic, batch = client.crm.contacts.basic_api, client.crm.contacts.batch_api
    page = basic.get_page(
        limit=5, properties=["email"], properties_with_history=["hs_lead_status"], associations=["deals"]
    )
    assert len(page.results) == 5
    assert page.results[0].properties_with_history["hs_lead_status"][0].source_type
    id = hubspot.id("lead", "L12")
    batch.update(
        vendor.BatchInputSimplePublicObjectBatchInput(inputs=[{"id": id, "properties": {"jobtitle": "CTO"}}])
    )
    assert basic.get_by_id(id, properties=["jobtitle"]).properties["jobtitle"] == "CTO"
    found = client.crm.contacts.search_api.do_search(
        vendor.PublicObjectSearchRequest(query="firm12", limit=5)
    )
    assert [r.id for r in found.results] == [id]
    assert {p.id for p in client.crm.pipelines.pipelines_api.get_all("deals").results} == {"default"}
    assert client.crm.owners.owners_api.get_page().results[0].email
    names = {p.name for p in client.crm.properties.core_api.get_all("contacts").results}
    assert {"candor_score", "email"} <= names


def test_after_our_own_push_of_thousands_a_pass_costs_no_more(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot, more=5_000)
    push(store, crm, list(store.rows["leads"]), 60)
    for fresh in (crm, hubspot.connect()):
        before = fresh.usage().calls
        assert rows(store.take(fresh)) == 0
        assert fresh.usage().calls - before <= hubspot.quiet_pass


def test_our_echo_does_not_hide_what_somebody_else_changed(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    id = hubspot.id("lead", "L12")
    hubspot.desk.log(id, "page_view", by="x", detail={"session": "s9", "content": "pricing"})
    answers = push(store, crm, [id, hubspot.id("lead", "L13")], 60)
    assert [a.modified_at is None for a in answers] == [True, False]
    pages = store.take(crm)
    assert set(records(pages)) == {id}
    assert [a.detail["session"] for p in pages for a in p.activities if a.kind == "page_view"] == ["s9"]


def test_a_late_change_deep_in_our_push_is_found(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot, more=1_000)
    late = hubspot.id("lead", "L12")
    ids = sorted(set(store.rows["leads"]) - {late})
    push(store, crm, ids, 60)
    hubspot.put("lead", late, {"jobtitle": "Late"}, hubspot.stamp("lead", ids[0]) - SECOND)
    assert set(records(store.take(crm))) == {late}


def test_a_change_amid_our_push_of_what_we_had_just_written_is_found_in_time(hubspot: HubSpotBench) -> None:
    """The window counts as many rows as are known: only the slow second look meets it."""
    store, crm = ready(hubspot, more=1_000)
    ids = sorted(store.rows["leads"])
    push(store, crm, ids[:500], 60)
    hubspot.desk.set("lead", ids[250], {"title": "Amid"}, by=next(iter(hubspot.desk.owners())))
    push(store, crm, ids[500:], 60)
    found: dict[str, Any] = {}
    for _ in range(1_030 // 200 + 2):
        before = crm.usage().calls
        found |= records(store.take(crm))
        if found:
            break
        assert crm.usage().calls - before <= hubspot.quiet_pass
    assert found[ids[250]].values["title"] == "Amid"
    for _ in range(1_030 // 200 + 2):
        assert rows(store.take(crm)) == 0
    assert Cursor.parse(store.cursors["leads"]).round.upper == 0  # type: ignore[union-attr]


def test_more_rows_than_a_search_gives_all_come(
    hubspot: HubSpotBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST", 400)
    store, crm = ready(hubspot)
    start = hubspot.newest("lead") + SECOND
    ids = {i for n in range(4) for i in hubspot.add_leads(300, start + n * SECOND)}
    ids |= set(hubspot.add_leads(900, start))  # more than the cap in one millisecond
    assert ids <= set(records(store.take(crm)))


def test_one_bad_value_costs_only_its_own_record(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot, more=100)
    ids = sorted(store.rows["leads"])[:100]
    writes = [Write(i, {"candor_score": "much" if n == 37 else 50.0}) for n, i in enumerate(ids)]
    before = crm.usage().calls
    answers = crm.write("lead", writes)
    assert [a.id for a in answers] == ids
    assert [a.id for a in answers if not a.ok] == [ids[37]]
    assert answers[37].code == "INVALID_INTEGER"
    assert "much" not in str(answers[37].message)
    assert crm.usage().calls - before <= 16


def test_a_property_that_is_gone_fails_only_those_who_write_it(hubspot: HubSpotBench) -> None:
    crm = hubspot.connect()
    ids = [hubspot.id("lead", f"L{n}") for n in range(10, 20)]
    crm.write("lead", [Write(ids[0], {"candor_score": 1})])
    hubspot._schema().archive_properties("contacts", ["candor_trend"])
    writes = [
        Write(i, {"candor_score": 5, **({"candor_trend": "up"} if n < 3 else {})}) for n, i in enumerate(ids)
    ]
    before = crm.usage().calls
    answers = crm.write("lead", writes)
    assert [a.ok for a in answers] == [False] * 3 + [True] * 7
    assert {a.code for a in answers[:3]} == {"PROPERTY_DOESNT_EXIST"}
    assert crm.usage().calls - before == 2


def test_a_deleted_deal_is_told_at_the_next_pass(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    store.take(crm)
    for key in ("D3", "D4"):
        id = hubspot.id("deal", key)
        hubspot.delete("deal", id)
        assert records(store.take(crm), "deals")[id].deleted
        assert rows(store.take(crm)) == 0


def test_a_bin_of_several_pages_is_walked_over_the_passes(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    gone = hubspot.add_leads(250, hubspot.newest("lead") + SECOND)
    store.take(crm)
    for id in gone:
        hubspot.delete("lead", id)
    told: set[str] = set()
    for _ in range(3):
        told |= {r.id for r in records(store.take(crm)).values() if r.deleted}
    assert told == set(gone)
    late = hubspot.id("lead", "L29")
    hubspot.delete("lead", late)
    found = [r.id for _ in range(4) for r in records(store.take(crm)).values() if r.deleted]
    assert found == [late]


def test_beside_contacts_one_bin_a_pass_and_each_has_its_turn() -> None:
    looked = [
        {o for o in bins.TURNS if bins.due(o, n, contacts_changed=False, taken=False)} for n in range(24)
    ]
    assert all("contacts" in one and len(one) == 2 for one in looked)
    assert set.union(*looked) == set(bins.TURNS)


def test_a_merge_carries_what_both_did(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    a, b = hubspot.id("lead", "L11"), hubspot.id("lead", "L12")
    did = {x.kind for x in store.rows["behaviour"].values() if x.person_id == a}
    hubspot.merge(a, b)
    store.take(crm)
    survivor = store.rows["leads"][a].merged_into
    assert survivor == store.rows["leads"][b].merged_into
    live = [x for x in store.rows["behaviour"].values() if isinstance(x, Activity) and not x.deleted]
    assert {x.kind for x in live if x.person_id == survivor} == did
    assert not [x for x in live if x.person_id in (a, b)]
    assert rows(store.take(crm)) == 0


def test_leads_and_what_they_did_meet_again_after_a_crash_between_their_pages(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    id = hubspot.id("lead", "L12")
    hubspot.desk.log(id, "page_view", by="x", detail={"session": "s9"})
    cursors = {s.name: store.cursors.get(s.name) for s in crm.streams()}
    for page in crm.pull(cursors, store.known):
        if page.stream == "behaviour":
            store.rows["behaviour"].update({x.id: x for x in page.activities})
            store.cursors["behaviour"] = page.cursor
            break  # killed here: the lead's own page was never stored
    hubspot.desk.set("lead", id, {"title": "New"}, by=next(iter(hubspot.desk.owners())))
    assert records(store.take(crm))[id].values["title"] == "New"
    store.take(crm)
    assert rows(store.take(crm)) == 0


def test_what_leads_did_is_owed_when_their_records_alone_were_read(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot, more=300)
    push(store, crm, sorted(store.rows["leads"]), 60)
    id = hubspot.id("lead", "L12")
    hubspot.desk.log(id, "page_view", by="x", detail={"session": "s9"})
    for page in crm.pull({"leads": store.cursors["leads"]}, store.known):  # as a push reads back
        store.rows["leads"].update({r.id: r for r in page.records})
        store.cursors["leads"] = page.cursor
    before = crm.usage().calls
    pages = store.take(crm)
    assert [a.detail["session"] for p in pages for a in p.activities if a.kind == "page_view"] == ["s9"]
    assert crm.usage().calls - before <= hubspot.quiet_pass + 6
    assert rows(store.take(crm)) == 0


def test_both_versions_of_the_paths_give_the_same(hubspot: HubSpotBench) -> None:
    stores = []
    for version in ("v3", "2026-09"):
        store, crm = Store(), hubspot.connect(options={"version": version})
        store.take(crm)
        assert crm.check().id
        assert crm.write("lead", [Write(hubspot.id("lead", "L12"), {"candor_score": 7})])[0].ok
        stores.append(store)
    first, second = (
        {
            (s, i): (r.values if hasattr(r, "values") else r.at)
            for s, found in store.rows.items()
            for i, r in found.items()
        }
        for store in stores
    )
    changed = {k for k in first if first[k] != second.get(k)}
    assert changed == {("leads", hubspot.id("lead", "L12"))}


def test_a_wide_mapping_does_not_break_the_address(hubspot: HubSpotBench) -> None:
    schema = hubspot._schema()
    names = [f"column_{n}_{'x' * 60}" for n in range(80)]
    for name in names:
        schema.create_property(
            "contacts",
            {
                "name": name,
                "label": name,
                "type": "string",
                "fieldType": "text",
                "groupName": "contactinformation",
            },
        )
    store, crm = Store(), hubspot.connect(fields={"lead": {n: n for n in names}})
    store.take(crm)
    assert len(store.rows["leads"]) == 30
    assert set(names) <= set(store.rows["leads"][hubspot.id("lead", "L12")].values)


def test_history_that_hubspot_has_cut_is_read_as_far_as_it_goes(hubspot: HubSpotBench) -> None:
    hubspot.org.set_meta("history_versions", 1)
    store = Store()
    store.take(hubspot.connect())
    (change,) = [c for c in store.changes if c.id == hubspot.id("lead", "L10") and c.field == "employees"]
    assert (change.old, change.new) == (None, 550)


def test_a_limit_of_seconds_is_waited_for_and_the_days_is_not(hubspot: HubSpotBench) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        hubspot.org.advance(round(seconds * 1000) + 1)

    hubspot.org.set_meta("limits", {"ten_seconds": 3})
    crm = HubSpotCRM(hubspot.connection(), sleep=sleep)
    for _ in range(4):
        crm.check()
    assert waits == [10.0]
    hubspot.org.set_meta("limits", {"search_a_second": 2})
    Store().take(crm)
    assert set(waits[1:]) == {1.0}
    waits.clear()
    hubspot.org.set_meta("limits", {"daily": crm.usage().calls})
    with pytest.raises(OverBudget):
        crm.check()
    assert waits == []
    crm.close()


def test_the_budget_counts_what_was_spent_before(hubspot: HubSpotBench) -> None:
    crm = hubspot.connect(budget=100, options={"calls_today": "99"})
    crm.check()
    with pytest.raises(OverBudget):
        crm.check()


def test_oauth_tokens_are_renewed_when_they_run_out(hubspot: HubSpotBench, tmp_path: Path) -> None:
    app = hubspot.org.meta("oauth")
    (tmp_path / "secret").write_text(app["client_secret"])
    options = {"client_id": app["client_id"], "client_secret_file": str(tmp_path / "secret")}
    crm = hubspot.connect(token=app["refresh_token"], options=options)
    crm.check()
    crm.check()
    assert crm.usage().calls == 3
    hubspot.org.advance(1_801_000)  # half an hour by HubSpot's clock, nothing by ours
    assert crm.write("lead", [Write(hubspot.id("lead", "L12"), {"candor_score": 1})])[0].ok
    with pytest.raises(AuthError):
        hubspot.connect(token="wrong", options=options).check()


def test_missing_scopes_are_named_by_the_doctor(hubspot: HubSpotBench) -> None:
    hubspot.org.set_meta("scopes", ["crm.objects.contacts.read", "crm.schemas.contacts.read"])
    problems = hubspot.connect().doctor({})
    assert any("deals" in p.what and "crm.objects.deals.read" in p.fix for p in problems)
    assert not any("contacts" in p.what for p in problems)
    with pytest.raises(PermissionDenied):
        hubspot.connect().write("lead", [Write(hubspot.id("lead", "L12"), {"candor_score": 1})])


def test_a_review_is_associated_once_and_reopened_by_its_status(hubspot: HubSpotBench) -> None:
    crm, lead = hubspot.connect(), hubspot.id("lead", "L12")
    (made,) = crm.write("review", [Write("c1", {"candor_lead": lead, "candor_status": "open"})])
    before = crm.usage().writes
    crm.write("review", [Write("c1", {"candor_lead": lead, "candor_status": "completed"})])
    assert crm.usage().writes - before == 1
    assert hubspot.org.links("contacts", [lead], "tickets") == {lead: [made.crm_id]}
    assert hubspot.desk.reviews() == []
    crm.write("review", [Write("c1", {"candor_lead": lead, "candor_score": 3})])
    assert hubspot.desk.reviews() == []  # a write without a status leaves it alone
    crm.write("review", [Write("c1", {"candor_status": "open"})])
    assert [v.id for v in hubspot.desk.reviews()] == [made.crm_id]


def test_a_review_of_a_lead_that_is_gone_does_not_stop_the_others(hubspot: HubSpotBench) -> None:
    crm, gone = hubspot.connect(), hubspot.id("lead", "L14")
    hubspot.delete("lead", gone)
    answers = crm.write(
        "review", [Write("a", {"candor_lead": gone}), Write("b", {"candor_lead": hubspot.id("lead", "L12")})]
    )
    assert [a.ok for a in answers] == [False, True]


def test_an_owner_who_left_is_told_once(hubspot: HubSpotBench) -> None:
    store, crm = ready(hubspot)
    id = hubspot.id("owner", "O3")
    hubspot.org.delete("owners", id, by="admin")
    assert records(store.take(crm), "owners")[id].values["active"] is False
    before = crm.usage().calls
    assert rows(store.take(crm)) == 0
    assert crm.usage().calls - before <= hubspot.quiet_pass


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Contact us: New form", "form"), ("Webinar: Trust", "webinar"), ("E-book download: Guide", "download"),
     ("Campaign: Fair", "campaign_response"), ("newsletter", "form")],
)  # fmt: skip
def test_what_a_conversion_was(name: str, kind: str) -> None:
    assert conversion(name)[0] == kind


def test_a_cursor_is_text_and_back() -> None:
    cursor = Cursor(since=5, passes=3, bin=Bin(after="7", done=4), pipeline="9", retired=("1",))
    assert Cursor.parse(str(cursor)) == cursor
    assert Cursor.parse(None) is None
