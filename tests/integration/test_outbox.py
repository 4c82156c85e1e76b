"""The outbox: decided once, sent once, and what changes back before it is sent is not forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connector.store import outbox
from connector.store.store import Store
from tests.faults.test_kill_at_every_write import doubled, everything_arrived, kill_at
from tests.whole_loop import CRMS, Loop, Made, open_store_in

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def store(made: Made, tmp_path: Path) -> Any:
    with open_store_in(made, tmp_path) as found:
        yield found


def test_what_waits_is_folded_into_what_comes_later(store: Store) -> None:
    with store.begin() as db:
        outbox.add(db, 1, NOW, [("lead", "L1", {"candor_score": 40, "candor_band": "sure"}, "first"),
                                ("lead", "L2", {"candor_score": 50}, "first")])  # fmt: skip
        outbox.add(
            db,
            2,
            NOW,
            [("lead", "L1", {"candor_score": 60}, "moved"), ("account", "L2", {"candor_x": 1}, "other")],
        )
        [second, first, other] = sorted(outbox.waiting(db), key=lambda e: (e.kind != "lead", -e.seq))
        assert (first.record_id, first.values) == ("L2", {"candor_score": 50})
        assert (second.record_id, second.values) == ("L1", {"candor_score": 60, "candor_band": "sure"})
        assert (other.kind, other.values) == ("account", {"candor_x": 1})
        assert outbox.counts(db) == {"pending": 3, "superseded": 1}
        assert outbox.unsent(db, "lead") == {"L1": second.values, "L2": first.values}


def test_two_processes_never_claim_the_same_row(store: Store) -> None:
    with store.begin() as db:
        outbox.add(db, 1, NOW, [("lead", f"L{n}", {"candor_score": n}, "") for n in range(10)])
    with store.begin() as one, store.begin() as other:
        mine, theirs = outbox.claim(one, "lead", 6), outbox.claim(other, "lead", 6)
        assert [e.record_id for e in mine] == [f"L{n}" for n in range(6)]
        assert [e.record_id for e in theirs] == [f"L{n}" for n in range(6, 10)]
        assert outbox.claim(other, "account", 6) == []
    with store.begin() as db:
        assert outbox.counts(db) == {"sending": 10}
        assert {e.attempts for e in outbox.unanswered(db)} == {1}


def test_a_row_that_never_arrived_gives_way_to_a_newer_one_of_its_record(store: Store) -> None:
    with store.begin() as db:
        outbox.add(db, 1, NOW, [("lead", "L1", {"candor_score": 40, "candor_band": "sure"}, "")])
        [sent] = outbox.claim(db, "lead", 1)
        outbox.add(db, 2, NOW, [("lead", "L1", {"candor_score": 60}, "")])
        outbox.give_back(db, sent)
        [left] = outbox.waiting(db)
        assert left.values == {"candor_score": 60, "candor_band": "sure"}
        assert outbox.counts(db) == {"superseded": 1, "pending": 1}


@pytest.mark.parametrize("crm", CRMS)
def test_what_changes_while_a_write_is_unanswered_is_sent_once(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    """Killed before the write acted; then everything is scored anew, a month later: each record is written once."""
    loop = loop_of(crm, "waiting")
    assert kill_at(loop, "before", 1)
    loop.control("POST", "/clock/advance", {"days": 30})
    found = loop.candor("sync", "--all", "--json").json()
    assert found["refused"] == {}
    with loop.context() as context, context.store.begin() as db:
        assert set(outbox.counts(db)) <= {"done", "superseded"}
    assert doubled(loop) == {}


@pytest.mark.parametrize("crm", CRMS)
def test_what_changes_back_during_a_pause_is_not_written_stale(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    loop.candor("pause", "audit")
    with loop.context() as context, context.store.begin() as db:
        # A pass in the pause decided something else about every lead; nothing of it was sent.
        rows = db.execute(text(
            """select id, "values" ->> 'candor_route' from candor.record where kind = 'lead' and "values" ? 'candor_route'
               and "values" ->> 'candor_route' is not null"""
        )).all()  # fmt: skip
        outbox.add(db, 1, context.clock.now(), [
            ("lead", id, {"candor_route": "held" if route != "held" else "nurture", "candor_trend": "stale"}, "a pass in the pause")
            for id, route in rows
        ])  # fmt: skip
    assert len(rows) > 100
    loop.sync(everything=True)
    loop.candor("resume")
    loop.sync()
    everything_arrived(loop, "after the pause")
    with loop.context() as context, context.store.begin() as db:
        latest = dict(
            tuple(r)
            for r in db.execute(
                text(
                    "select distinct on (lead_id) lead_id, route from candor.decision order by lead_id, at desc"
                )
            )
        )
    for id, _ in rows:
        assert loop.playground.desk.view("lead", id).values["candor_route"] == latest[id], id
