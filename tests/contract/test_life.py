"""A lead's life at the CRM's edge, over each adapter: merged by its users, deleted and restored, owned by a queue, by
somebody who left, and coming in after hand-over. What the reading side makes of it is in integration/test_lineage.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.playground.desk import Refused
from connector.playground.world.model import Fate, FieldChange, Queue, World
from tests.contract.adapters import Bench, Site, Store, records, rows
from tests.contract.small_world import DAY, NOW, small_world


def _by(at: Bench) -> str:
    return next(iter(at.desk.owners()))


def _people(store: Store) -> dict[str, set[str]]:
    """activity kind -> the leads it belongs to, a merged one's being the survivor's (HubSpot moves an engagement's
    association and not its time, so it is not read anew: the merge itself tells)."""
    into = {r.id: r.merged_into for r in store.rows["leads"].values() if r.merged_into}
    found: dict[str, set[str]] = {}
    for stream, kept in store.rows.items():
        if stream not in ("leads", "accounts", "deals", "owners", "reviews"):
            for a in kept.values():
                if not a.deleted and a.person_id:
                    found.setdefault(a.kind, set()).add(into.get(a.person_id, a.person_id))
    return found


def test_a_merge_of_users_carries_both_sides_activities_to_the_survivor(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    loser, winner = at.id("lead", "L11"), at.id("lead", "L12")  # L11 did one of each kind
    before = {kind for kind, who in _people(store).items() if loser in who}
    survivor = at.desk.merge(loser, winner, by=_by(at))
    assert (survivor == winner) == (at.vendor == "salesforce")
    found = records(store.take(crm))
    assert found[loser].deleted
    assert found[loser].merged_into == survivor
    now = {kind for kind, who in _people(store).items() if survivor in who}
    assert before <= now
    assert not any(
        loser in who for kind, who in _people(store).items() if kind in ("call", "meeting", "page_view")
    )
    assert rows(store.take(crm)) == 0


def test_what_is_merged_can_not_be_restored(at: Bench) -> None:
    loser, winner = at.id("lead", "L11"), at.id("lead", "L12")
    at.desk.merge(loser, winner, by=_by(at))
    with pytest.raises((Refused, KeyError)):
        at.desk.restore(loser, by=_by(at))


def test_a_deleted_lead_is_told_and_restored_it_is_back_under_its_id(at: Bench) -> None:
    store, crm, id = Store(), at.connect(), at.id("lead", "L14")
    store.take(crm)
    at.desk.delete(id, by=_by(at))
    assert records(store.take(crm))[id].deleted
    with pytest.raises(KeyError):
        at.desk.delete(id, by=_by(at))
    at.desk.restore(id, by=_by(at))
    back = records(store.take(crm))[id]
    assert not back.deleted
    assert back.values["last_name"] == "Last14"
    assert rows(store.take(crm)) == 0


def test_passes_after_merges_and_deletions_stay_cheap(at: Bench) -> None:
    store, crm = Store(), at.connect()
    store.take(crm)
    for n in range(12, 18, 2):
        at.desk.merge(at.id("lead", f"L{n}"), at.id("lead", f"L{n + 1}"), by=_by(at))
    at.desk.delete(at.id("lead", "L20"), by=_by(at))
    store.take(crm)
    store.take(crm)
    before = crm.usage().calls
    assert rows(store.take(crm)) == 0
    assert crm.usage().calls - before <= at.quiet_pass


# --- as a world hands it over: laid down in the past, read in one backfill ---


def _handed_over() -> World:
    """L11 was merged into L10 three days ago, L14 deleted, L15 deleted and restored; L20 waits in a queue; Sam, who owns
    most leads, has left."""
    world = small_world()
    world.renames = [FieldChange("account", "A0", "domain", NOW - DAY, "was.example", "firm0.example", "O1")]
    world.queues = [Queue("Q1", "Inbound leads", ["O1"])]
    world.fates = [
        Fate("merged", "L11", NOW - 3 * DAY, "O1", "L10"), Fate("deleted", "L14", NOW - 2 * DAY, "O1"),
        Fate("deleted", "L15", NOW - 2 * DAY, "O1"), Fate("restored", "L15", NOW - DAY, "O1"),
    ]  # fmt: skip
    for person in world.people:
        person.owner = "Q1" if person.key == "L20" else person.owner
    for owner in world.owners:
        owner.active = owner.key != "O2"
    return world


def test_one_backfill_of_such_an_org_is_right(
    at: Bench, sites: dict[str, Site], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp(f"life-{at.vendor}")
    where = Site(type(at), folder, at.port, sites[at.vendor]._switch, at.ca)
    where.seed(_handed_over)
    with where.open(where.copy("bare", folder / "org.sqlite")) as bench:
        store, crm = Store(), bench.connect()
        store.take(crm)
        leads = store.rows["leads"]
        live = {r.values["last_name"] for r in leads.values() if not r.deleted}
        assert live == {f"Last{n}" for n in range(30)} - {"Last11", "Last14"}
        (survivor,) = [r for r in leads.values() if r.values.get("last_name") == "Last10"]
        hung = {kind for kind, who in _people(store).items() if survivor.id in who}
        assert {"call", "meeting", "page_view", "email_sent"} <= hung
        queued = next(r for r in leads.values() if r.values.get("last_name") == "Last20")
        owner = queued.values["owner_id"]
        assert owner is None if bench.vendor == "hubspot" else str(owner).startswith("00G")
        sam = next(r for r in store.rows["owners"].values() if r.values["email"] == "sam@seller.example")
        assert sam.values["active"] is False
        assert "Sam Setter" not in bench.desk.owners().values()
        firm = store.rows["accounts"][bench.id("account", "A0")]
        had = {c.old for c in store.changes if (c.kind, c.id, c.field) == ("account", firm.id, "domain")}
        assert firm.values["domain"] == "firm0.example"
        assert "was.example" in {*had, firm.values.get("other_domains")}, (
            "a rebranded company's former domain"
        )
        taker = next(iter(bench.desk.owners()))
        bench.desk.set("lead", queued.id, {"owner_id": taker}, by=taker)
        pages = store.take(crm)
        assert records(pages)[queued.id].values["owner_id"] == taker
        assert [c.new for c in store.changes if c.id == queued.id and c.field == "owner_id"][-1] == taker
        store.take(crm)
        assert rows(store.take(crm)) == 0


def test_a_lead_that_comes_in_later_is_read_like_any_other(at: Bench) -> None:
    store, crm, world = Store(), at.connect(), small_world()
    store.take(crm)
    model, account = (
        world.people[12],
        replace(world.accounts[0], key="N1", name="New Co", domain="newco.example"),
    )
    person = replace(model, key="N12", email="new@newco.example", last_name="Newcomer", account="N1")
    id = at.desk.make_lead(person, account)
    at.desk.log(
        id, "page_view", by=_by(at), detail={"session": "s7", "url": "/pricing", "content": "pricing"}
    )
    found = records(store.take(crm))[id].values
    assert (found["last_name"], found["employees"]) == ("Newcomer", 650)
    assert found["owner_id"] in store.rows["owners"]
    assert id in _people(store)["page_view"]
    assert (found["account_id"] in store.rows["accounts"]) == (at.vendor == "hubspot")
