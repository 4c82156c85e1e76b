"""The store on a real PostgreSQL: pages taken in once, what was known when, lives, the built-in server (S1.1, S10.3)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from connector.crm.base import Activity, Change, Page, Record
from connector.errors import StoreError
from connector.jobs.addresses import SALT, digest, hidden
from connector.jobs.fields import PEOPLE_FIELDS
from connector.jobs.gaps import ALWAYS
from connector.store import asof, quality, records
from connector.store.server import EmbeddedServer
from connector.store.store import Store, open_store
from tests.whole_loop import Made, open_store_in, until

BORN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TRACKED = frozenset({"status", "title"})


@pytest.fixture
def store(made: Made, tmp_path: Path) -> Iterator[Store]:
    with open_store_in(made, tmp_path) as found:
        yield found


def day(n: float) -> datetime:
    return BORN + timedelta(days=n)


def lead(id: str = "L1", at: float = 0, **values: Any) -> Record:
    return Record("lead", id, BORN, day(at), {"title": None, "status": "new", "employees": None, **values})


def take(store: Store, *pages: Page, now: datetime = NOW) -> list[records.TakenIn]:
    with store.begin() as db:
        return [records.take_in(db, p, now=now, tracked=TRACKED, people=PEOPLE_FIELDS) for p in pages]


def leads(*found: Record) -> Page:
    return Page("leads", "c", records=found)


def all_rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.begin() as db:
        return [tuple(row) for row in db.execute(text(query))]


def touched(store: Store) -> set[str]:
    return {r[0] for r in all_rows(store, "select id from candor.record where kind = 'lead' and touched")}


def settle(store: Store) -> None:
    with store.begin() as db:
        db.execute(text("update candor.record set touched = false"))


EVERYTHING = (
    'select kind, id, created_at, modified_at, "values", deleted, merged_into from candor.record order by 1, 2',
    "select kind, id, field, at, old, new, source from candor.change order by 1, 2, 3, 4, 7",
    "select id, stream, kind, at, person_id, detail, deleted from candor.activity order by 1",
)


def whole(store: Store) -> list[list[tuple[Any, ...]]]:
    return [all_rows(store, query) for query in EVERYTHING]


# --- taking in -------------------------------------------------------------------------------------------------------


def test_the_same_page_twice_is_the_page_once(store: Store) -> None:
    page = Page(
        "leads",
        "c1",
        (lead(title="CFO"), lead("L2")),
        (Change("lead", "L1", "title", day(3), "Buyer", "CFO"),),
    )
    [first] = take(store, page)
    assert (first.rows, first.new, first.changed) == (3, 2, 0)
    before = whole(store)
    [again] = take(store, page, now=NOW + timedelta(hours=1))
    assert (again.new, again.changed) == (0, 0)
    assert whole(store) == before


_changes = st.lists(
    st.builds(
        lambda id, field, at, new: Change("lead", id, field, day(at), None, new),
        st.sampled_from(["L1", "L2"]), st.sampled_from(["title", "status"]), st.integers(1, 40), st.sampled_from("abc"),
    ),
    max_size=8, unique_by=lambda c: (c.id, c.field, c.at),
)  # fmt: skip
_activities = st.lists(
    st.builds(
        lambda id, at: Activity(id, "page_view", day(at), "L1", day(at)),
        st.sampled_from([f"a{n}" for n in range(8)]), st.integers(1, 40),
    ),
    max_size=8, unique_by=lambda a: a.id,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_changes, _activities, st.randoms(use_true_random=False))
def test_history_and_activities_come_in_any_order_and_any_number_of_times(
    store: Store, changes: list[Change], activities: list[Activity], rnd: Any
) -> None:
    pages = [Page("lead_history", "c", changes=(c,)) for c in changes]
    pages += [Page("web", "c", activities=(a,)) for a in activities]
    with store.rehearsal():
        take(store, leads(lead(), lead("L2")), *pages)
        straight = whole(store)
    mixed = [*pages, *rnd.sample(pages, len(pages) // 2)]
    rnd.shuffle(mixed)
    with store.rehearsal():
        take(store, leads(lead(), lead("L2")), *mixed)
        assert whole(store) == straight
    assert whole(store) == [[], [], []], "a rehearsal leaves nothing"


def test_our_own_write_coming_back_touches_nothing_but_a_persons_does(store: Store) -> None:
    take(store, leads(lead(candor_score=None, candor_tags=None)))
    settle(store)
    with store.begin() as db:
        records.written(db, "lead", "L1", {"candor_score": 62, "candor_scored_at": NOW}, None)
    echo = lead(at=10, candor_score=62, candor_tags=None, candor_scored_at=NOW)
    [taken] = take(store, leads(echo))
    assert (taken.new, taken.changed, touched(store)) == (0, 0, set())
    foreign = replace(echo, values={**echo.values, "candor_score": 99})
    take(store, leads(foreign))
    assert touched(store) == set(), "a value of ours that somebody else set is no news about the lead"
    take(
        store,
        leads(replace(echo, modified_at=day(11), values={**echo.values, "candor_tags": ["unexpected_fit"]})),
    )
    assert touched(store) == {"L1"}
    assert all_rows(store, "select field, at, old, new from candor.change where source = 'seen' and field like 'candor%'") == [
        ("candor_tags", day(11), None, ["unexpected_fit"])
    ]  # fmt: skip


def test_deleted_leads_leave_and_come_back_and_a_merge_moves_what_they_did(store: Store) -> None:
    take(
        store,
        leads(lead(), lead("L2")),
        Page("web", "c", activities=(Activity("a1", "page_view", day(2), "L2", day(2)),)),
    )
    settle(store)
    gone = replace(lead("L2", at=5), deleted=True, merged_into="L1")
    take(store, leads(gone))
    with store.begin() as db:
        assert set(records.record_values(db, "lead")) == {"L1"}
        assert asof.tables(db, fields=["title"], tracked={}).activities["lead_id"].to_pylist() == ["L1"]
    take(store, leads(replace(gone, deleted=False, merged_into=None, modified_at=day(6))))
    with store.begin() as db:
        assert set(records.record_values(db, "lead")) == {"L1", "L2"}
    assert "L2" in touched(store)


@pytest.mark.parametrize("told", ["seen", "listed", "history"])
def test_a_rebranded_companys_domains_are_one_company(store: Store, told: str) -> None:
    def account(id: str, domain: str, others: str | None = None, at: float = 0) -> Record:
        return Record("account", id, BORN, day(at), {"domain": domain, "other_domains": others})

    was = lead("L1", email="ann@mail-old.example")
    mates = lead("L2", email="bo@New.example"), lead("L3", email="cy@third.example")
    take(store, leads(was, *mates), Page("accounts", "c", (account("A2", "third.example"),)))
    if told == "seen":
        take(store, Page("accounts", "c", (account("A1", "mail-old.example"),)))
        take(store, Page("accounts", "c", (account("A1", "new.example", at=3),)))
    elif told == "listed":
        take(store, Page("accounts", "c", (account("A1", "new.example", "mail-old.example; third.example"),)))
    else:
        old = Change("account", "A1", "domain", day(3), "mail-old.example", "new.example")
        take(store, Page("accounts", "c", (account("A1", "new.example"),), (old,)))
    with store.begin() as db:
        assert asof.former_domains(db) == {"mail-old.example": "new.example"}, "never another account's own"
        one = asof.tables(db, fields=["title"], tracked={}, leads=["L2"]).leads
        every = asof.tables(db, fields=["title"], tracked={}).leads
    assert dict(zip(one["lead_id"].to_pylist(), one["email"].to_pylist(), strict=True)) == {
        "L1": "ann@new.example", "L2": "bo@New.example",
    }  # fmt: skip
    assert every["email"].to_pylist() == ["ann@new.example", "bo@New.example", "cy@third.example"]


def test_a_lead_comes_with_its_company_and_with_nobody_else(store: Store) -> None:
    people = {
        "L1": "ann@acme.example", "L2": "bo@eu.Acme.example", "L3": "cy@notacme.example", "L4": "di@acme.example.org",
        "L5": "ed@gmail.com", "L6": "fi@gmail.com", "L7": "no address",
    }  # fmt: skip
    take(store, leads(*(lead(id, email=address) for id, address in people.items())))

    def beside(*ids: str) -> set[str]:
        with store.begin() as db:
            return set(asof.tables(db, fields=["title"], tracked=[], leads=ids).leads["lead_id"].to_pylist())

    assert beside("L1") == beside("L2") == {"L1", "L2"}
    assert beside("L3") == {"L3"}
    assert beside("L5") == {"L5"}, "one mail provider is no company"
    assert beside("L6", "L7") == {"L6", "L7"}


# --- what was known when ---------------------------------------------------------------------------------------------


def known(store: Store, field: str) -> list[tuple[datetime, str | None]]:
    with store.begin() as db:
        table = asof.tables(db, fields=[field], tracked=dict.fromkeys(TRACKED, ALWAYS)).changes
    rows = [(r["at"], r["value"]) for r in table.to_pylist() if r["field"] == field]
    return sorted(rows, key=lambda r: r[0])


def test_a_lead_is_found_by_the_short_id_of_reports(store: Store) -> None:
    take(store, leads(lead("00QgK00000000MTUAY"), lead("00QgK00000000MtUAI"), lead("123456789012345")))
    with store.begin() as db:
        assert records.full_id(db, "lead", "00QgK00000000MT") == "00QgK00000000MTUAY"
        assert records.full_id(db, "lead", "00QgK00000000M%") is None
        assert records.full_id(db, "lead", "123456789012345") is None
        assert records.full_id(db, "lead", "00QgK") is None


def test_a_tracked_field_had_its_first_old_value_from_the_beginning(store: Store) -> None:
    changes = (
        Change("lead", "L1", "title", day(3), "Buyer", "CFO"),
        Change("lead", "L1", "title", day(9), "CFO", "CEO"),
    )
    take(store, Page("leads", "c", (lead(title="CEO"),), changes))
    assert known(store, "title") == [(BORN, "Buyer"), (day(3), "CFO"), (day(9), "CEO")]


def test_a_tracked_field_that_never_changed_was_always_as_it_is(store: Store) -> None:
    take(store, leads(lead(title="CEO")))
    assert known(store, "title") == [(BORN, "CEO")]


def test_a_field_without_history_is_not_known_before_it_was_seen(store: Store) -> None:
    take(store, leads(lead(employees=50)))
    assert known(store, "employees") == [(NOW, "50")]
    take(store, leads(lead(at=155, employees=80)), now=NOW + timedelta(days=9))
    assert known(store, "employees") == [(NOW, "50"), (day(155), "80")]


# --- lives -----------------------------------------------------------------------------------------------------------


def life(store: Store) -> asof.Life:
    with store.begin() as db:
        [found] = asof.lives(db)
    return found


def deal(at: float, **values: Any) -> Record:
    return Record(
        "deal",
        "D1",
        day(20),
        day(at),
        {"amount": None, "stage": None, "is_won": False, "is_closed": False, **values},
    )


@pytest.mark.parametrize("linked", [{"deal_id": "D1"}, {}])
def test_a_lead_is_won_when_its_deal_reached_the_won_stage(store: Store, linked: dict[str, str]) -> None:
    """Salesforce: the lead became the deal. HubSpot: the deal is associated with it."""
    names = {} if linked else {"lead_ids": ["L1", "L9"]}
    take(store, leads(lead(**linked)), Page("deals", "c", (deal(25, amount=9000.0, stage="talk", **names),)))
    assert (life(store).won_at, life(store).running_deal, life(store).running_amount) == (None, "D1", 9000.0)
    won = deal(60, amount=12_000.0, stage="won", is_won=True, is_closed=True, close_at=day(90), **names)
    take(store, Page("deals", "c", (won,), (Change("deal", "D1", "stage", day(55), "talk", "won"),)))
    found = life(store)
    assert (found.won_at, found.won_amount, found.won_deal, found.running_deal) == (
        day(55),
        12_000.0,
        "D1",
        None,
    )


def test_a_lost_deal_and_a_conversion_have_their_times(store: Store) -> None:
    take(store, leads(lead(deal_id="D1", converted_at=day(20))),
         Page("deals", "c", (deal(40, stage="lost", is_closed=True, close_at=day(38)),)))  # fmt: skip
    found = life(store)
    assert (found.converted_at, found.lost_at, found.won_at) == (day(20), day(38), None)


def test_a_status_has_the_time_of_its_last_change(store: Store) -> None:
    take(
        store,
        Page(
            "leads",
            "c",
            (lead(at=30, status="lost"),),
            (Change("lead", "L1", "status", day(12), "new", "lost"),),
        ),
    )
    assert (life(store).status, life(store).status_at) == ("lost", day(12))


# --- the store itself ------------------------------------------------------------------------------------------------


def test_only_one_holds_the_pass(store: Store) -> None:
    with store.the_one("pass") as mine, store.the_one("pass") as theirs, store.the_one("scheduler") as other:
        assert (mine, theirs, other) == (True, False, True)
    with store.the_one("pass") as again:
        assert again


def test_opening_again_changes_nothing(made: Made, tmp_path: Path) -> None:
    url, drop = made.database()
    with open_store(tmp_path, url) as first:
        first.put("mark", {"a": 1})
    with open_store(tmp_path, url.replace("postgresql+psycopg", "postgresql")) as second:
        assert second.get("mark") == {"a": 1}
    drop()


_HOLD = """
import sys
from pathlib import Path
from connector.store.store import open_store
with open_store(Path(sys.argv[1]), None) as store:
    store.put("owner", "the first")
    print("ready", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def servers(folder: Path) -> set[int]:
    """Live processes whose command names this folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command and b"bin/postgres" in command and b"keeper.py" not in command:
                found.add(int(entry.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; elsewhere the server stops at exit only")
def test_the_built_in_server_is_shared_and_goes_with_its_last_user(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        with open_store(tmp_path, None) as attached:
            assert attached.get("owner") == "the first"
            assert len(servers(tmp_path)) == 1, "the second process attaches"
        assert servers(tmp_path), "and leaves it running"
        mode = (tmp_path / "database").stat().st_mode & 0o777
        assert mode == 0o700
        with open_store(tmp_path, None) as attached:
            # `candor train` made it, the daemon came, the command ends: the daemon goes on.
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            assert attached.get("owner") == "the first"
            assert len(servers(tmp_path)) == 1
        assert not servers(tmp_path), "whoever leaves last waits until it is down"
    finally:
        first.kill()
        first.wait()
    second = holder(tmp_path)
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    # At once, while the old server may still be on its way down: the lock says when its files are free.
    with open_store(tmp_path, None) as again:
        assert again.get("owner") == "the first"
        assert len(servers(tmp_path)) == 1
    until(lambda: not servers(tmp_path), "the server to stop with its last user")


def test_a_database_that_goes_away_is_a_clear_error(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "database") as server:
        url = server.url
        with open_store(tmp_path, url) as store:
            with store.the_one("pass") as ours:
                assert ours
                server.__exit__(None, None, None)
                with pytest.raises(StoreError, match="does not answer"):
                    store.get("anything")
            with pytest.raises(StoreError, match="does not answer"), store.the_one("pass"):
                pass
            with pytest.raises(StoreError, match="does not answer"), store.rehearsal():
                pass
    with pytest.raises(StoreError, match="does not answer"), open_store(tmp_path, url):
        pass


def test_of_people_copied_on_e_mails_all_but_the_lead_count_and_no_address_is_kept(store: Store) -> None:
    mail = Activity(
        "m1", "email_replied", day(2), "C1", day(2), detail={"cc": ["Ann@acme.com", "bob@acme.com"]}
    )
    alone = Activity("m2", "email_replied", day(2), "L1", day(2), detail={"cc": ["ann@acme.com"]})
    salt = store.get(SALT)
    take(
        store,
        leads(lead(email="ANN@acme.com", contact_id="C1")),
        hidden(Page("emails", "c", activities=(mail, alone)), salt),
    )
    with store.begin() as db:
        found = asof.tables(db, fields=["title"], tracked={}).activities.to_pylist()
    assert {row["activity_id"]: row["cc"] for row in found} == {
        "m1": digest("bob@acme.com", salt),
        "m2": None,
    }
    assert "bob" not in str(all_rows(store, "select detail::text from candor.activity"))


def test_addresses_that_were_kept_before_are_hidden_by_the_migration(store: Store) -> None:
    def migrate(to: Callable[[Config, str], None], version: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(records.__file__).parent / "migrations"))
        with store.engine.begin() as config.attributes["connection"]:
            to(config, version)

    migrate(command.downgrade, "0006")
    kept = Activity(
        "m1",
        "email_sent",
        day(2),
        "L1",
        day(2),
        detail={"cc": ["Bob@acme.com", "no address"], "subject": "Hi"},
    )
    plain = Activity("m2", "email_sent", day(2), "L1", day(2), detail={"subject": "Hi"})
    take(store, leads(lead()), Page("emails", "c", activities=(kept, plain)))
    with store.begin() as db:
        quality.set_aside(db, "emails", [quality.Odd("activity", "m3", "odd", kept)], NOW)
    migrate(command.upgrade, "head")
    hid = [digest("bob@acme.com", store.get(SALT))]
    assert all_rows(store, "select detail from candor.activity order by id") == [
        ({"cc": hid, "subject": "Hi"},),
        ({"subject": "Hi"},),
    ]
    assert all_rows(store, "select \"row\" #> '{detail,cc}' from candor.quarantine") == [(hid,)]
