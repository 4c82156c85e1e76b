"""A lead's life goes on through merge, deletion, restoration and a queue, as Candor sees it from outside (S10.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from connector.playground.world.model import Queue
from connector.store import records
from connector.store import schema as t
from tests.whole_loop import CRMS, Loop


def _rows(loop: Loop, table: Any, *ids: str) -> list[dict[str, Any]]:
    with loop.context() as context, context.store.begin() as db:
        return [dict(r) for r in db.execute(select(table).where(table.c.lead_id.in_(ids))).mappings()]


def _live(loop: Loop) -> set[str]:
    with loop.context() as context, context.store.begin() as db:
        return set(records.record_values(db, "lead"))


def _scored(loop: Loop) -> list[str]:
    desk = loop.playground.desk
    return [v.id for v in desk.leads(limit=200) if v.values.get("candor_score") is not None]


@pytest.mark.parametrize("crm", CRMS)
def test_what_people_said_of_either_side_is_the_survivors_and_is_said_once(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    desk = loop.playground.desk
    by = next(iter(desk.owners()))
    case = next(c for c in desk.reviews())
    loser = str(case.values["candor_lead"])
    into = next(id for id in _scored(loop) if id != loser)
    assert loop.click("lead", loser, do="tag", tag="unexpected_fit") == 303
    assert loop.click("lead", into, do="override", score="91", reason="Their board asked for this") == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.sync().harvested == {"tag": 1, "override": 1}

    survivor = desk.merge(loser, into, by=by)
    loop.control("POST", "/clock/advance", {"days": 0.01})
    again = loop.sync()
    assert again.harvested == {}, "nothing that was said before is news on the survivor"
    assert survivor in _live(loop)
    assert not {loser, into} - {survivor} & _live(loop)
    assert {f["kind"] for f in _rows(loop, t.feedback, survivor)} == {"tag", "override"}
    assert case.values["candor_lead"] == loser
    assert {r["status"] for r in _rows(loop, t.review, survivor)} == {"open"}
    assert _rows(loop, t.score, survivor)
    assert desk.view("lead", survivor).values["candor_score"] is not None
    found = loop.candor("score", loser, "--json").json()
    assert found["lead"] == survivor, "an old id still leads to it"

    # The case that was about the loser is decided, and counts for the survivor.
    assert loop.click("review", case.id, do="decide", decision="route", reason="hidden_budget") == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.sync().harvested == {"review": 1}
    assert "review" in {f["kind"] for f in _rows(loop, t.feedback, survivor)}
    loop.sync()
    mark = loop.playground.org.write_log()[-1]["seq"]
    loop.sync()
    assert loop.playground.org.write_log(mark) == []


@pytest.mark.parametrize("crm", CRMS)
def test_a_deleted_lead_is_left_alone_and_restored_it_goes_on(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "settled")
    desk = loop.playground.desk
    by, id = next(iter(desk.owners())), _scored(loop)[0]
    before = desk.view("lead", id).values["candor_score"]
    desk.delete(id, by=by)
    loop.control("POST", "/clock/advance", {"days": 0.01})
    mark = loop.playground.org.write_log()[-1]["seq"]
    loop.sync()
    assert id not in _live(loop)
    assert id not in {e["id"] for e in loop.playground.org.write_log(mark)}
    desk.restore(id, by=by)
    desk.log(id, "page_view", by=by, detail={"session": "back", "url": "/pricing", "content": "pricing"})
    loop.control("POST", "/clock/advance", {"days": 0.01})
    loop.sync()
    assert id in _live(loop)
    scores = sorted(_rows(loop, t.score, id), key=lambda r: r["at"])
    assert len(scores) == 2
    assert before is not None
    assert (
        abs(desk.view("lead", id).values["candor_score"] - scores[-1]["score"]) < 5
    )  # a point is not worth a write


@pytest.mark.parametrize("crm", CRMS)
def test_leads_that_a_queue_owns_are_scored_and_taken_and_new_ones_keep_coming(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    org, desk = loop.playground.org, loop.playground.desk
    id = _scored(loop)[0]
    queue: str | None = None
    if crm == "salesforce":
        from connector.playground.salesforce import queues

        known = {"U07": next(iter(desk.owners()))}
        queues.made(org, [Queue("Q01", "Inbound leads", ["U07"])], known, org.now())
        queue = known["Q01"]
    desk.set("lead", id, {"owner_id": queue}, by=next(iter(desk.owners())))
    assert desk.view("lead", id).owner == ("Inbound leads" if queue else "")
    loop.control("POST", "/clock/advance", {"days": 0.01})
    before = _live(loop)
    loop.sync(everything=True)
    with loop.context() as context, context.store.begin() as db:
        assert records.record_values(db, "lead", [id])[id]["owner_id"] == queue

    counts = loop.control("POST", "/reps/react", {"days": 8, "seed": 3})
    assert counts["new leads"] >= 2
    assert counts["taken"] >= 1
    assert desk.view("lead", id).values["owner_id"] in desk.owners()
    loop.sync()
    new = _live(loop) - before
    assert len(new) == counts["new leads"]
    with loop.context() as context, context.store.begin() as db:
        acts = (
            db.execute(select(t.activity.c.person_id).where(t.activity.c.person_id.in_(new))).scalars().all()
        )
    assert acts, "with what they did"
    assert any(desk.view("lead", one).values.get("candor_score") is not None for one in new)
