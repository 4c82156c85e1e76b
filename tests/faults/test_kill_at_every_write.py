"""kill -9 at write requests of a push (rounds.py), before they act and after they are committed: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from connector.store import outbox, records
from connector.store import schema as t
from tests.faults.rounds import last_reached
from tests.whole_loop import CRMS, Loop, until


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("crm", CRMS)
def test_the_next_sync_completes_a_push_that_was_killed(
    crm: str, when: str, loop_of: Callable[..., Loop]
) -> None:
    def completed(nth: int) -> bool:
        loop = loop_of(crm, "waiting")
        killed = kill_at(loop, when, nth)
        found = loop.candor("sync", "--json").json()
        where = f"{when} write {nth} ({'killed' if killed else 'not reached'}): {found}"
        assert found["refused"] == {}, where
        everything_arrived(loop, where)
        assert doubled(loop) == {}, where
        return killed

    assert last_reached(completed) >= 2, "a push has several write requests"


def kill_at(loop: Loop, when: str, nth: int) -> bool:
    """Kill `candor sync` while its nth write is held. False: it made fewer and ended by itself."""
    loop.control("POST", "/faults", {"hold": when, "nth": nth})
    client = loop.start("sync", "--json")
    until(lambda: loop.playground.faults.held or client.process.exitcode is not None, "a write to be held")
    held = loop.playground.faults.held
    if held:
        client.kill()
        until(lambda: not loop.playground.faults.held, "the local CRM to see that its client is gone")
    else:
        assert client.end().code == 0, client.err()
    loop.control("DELETE", "/faults")
    with loop.context() as context:
        # A killed process's session ends on its own, and its locks with it.
        until(lambda: _free(context), "the database to notice")
    return held


def _free(context: Any) -> bool:
    with context.store.the_one("pass") as free:
        return bool(free)


def everything_arrived(loop: Loop, where: str) -> None:
    """Each lead's fields in the CRM are the store's, and nothing waits."""
    desk = loop.playground.desk
    with loop.context() as context, context.store.begin() as db:
        counts = outbox.counts(db)
        leads = records.record_values(db, "lead")
        scores = {r.lead_id: r for r in db.execute(select(t.score).order_by(t.score.c.at))}
        cases = {r.key: r.lead_id for r in db.execute(select(t.review.c.key, t.review.c.lead_id))}
        reviews = db.execute(select(func.count()).where(t.record.c.kind == "review")).scalar()
    assert set(counts) <= {"done", "superseded"}, (where, counts)
    assert scores, where
    for id, values in leads.items():
        shown = desk.view("lead", id).values
        ours = {k: v for k, v in values.items() if k.startswith("candor_")}
        for name, value in ours.items():
            assert alike(shown.get(name), value), (where, id, name, shown.get(name), value)
        if id in scores:
            assert shown["candor_score"] == round(scores[id].score), (where, id)
            assert shown["candor_confidence"] == round(scores[id].confidence), (where, id)
    shown_cases = Counter(case.values["candor_lead"] for case in desk.reviews(open_only=False))
    assert shown_cases == Counter(cases.values()), where
    assert reviews in (0, len(cases)), where


def alike(there: Any, value: Any) -> bool:
    if there in (None, "", []) or value in (None, "", []):
        return there in (None, "", []) and value in (None, "", [])
    if isinstance(there, datetime):
        return there.replace(microsecond=0) == datetime.fromisoformat(value).replace(microsecond=0)
    return bool(there == value)


def doubled(loop: Loop) -> dict[Any, int]:
    """By the CRM's own log: what was written more than once."""
    written = Counter(
        (w["op"], w["obj"], w["id"], name, str(value))
        for w in loop.writes()
        for name, value in w["data"].items()
    )
    return {what: n for what, n in written.items() if n > 1}
