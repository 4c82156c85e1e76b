"""What one pass promises: quiet when nothing is new, a dry run that can't lie, a pause that loses nothing (S9.4, S9.6, S11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from connector.jobs.pull import pull
from tests.whole_loop import CRMS, Loop, until

MOST_CALLS = {"salesforce": 6, "hubspot": 12}
LOOKED_AT = {
    "salesforce": {"Lead", "Account", "Opportunity", "User", "Candor_Review__c", "LeadHistory", "OpportunityFieldHistory", "AccountHistory",
                   "Task", "Event", "EmailMessage", "CampaignMember", "Web_Activity__c"},
    "hubspot": {"contacts", "companies", "deals", "owners", "tickets", "calls", "emails", "meetings", "tasks", "notes"},
}  # fmt: skip


@pytest.mark.parametrize("crm", CRMS)
def test_a_second_pass_at_the_same_clock_is_quiet(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "trained")
    first = loop.candor("sync", "--json").json()
    assert first["pushed"] == len(first["wrote"]) > 100
    assert len(loop.writes()) >= first["pushed"]
    mark = len(loop.writes())
    second = loop.candor("sync", "--json").json()
    assert second["write_calls"] == 0
    assert loop.writes()[mark:] == []
    assert second["wrote"] == []
    assert second["scored"] == 0
    assert second["calls"] <= MOST_CALLS[crm], second
    named = {
        word
        for looked in second["looked_at"]
        for word in (looked, looked.split(",")[0].split(":")[0].split(" ")[0])
    }
    assert named >= LOOKED_AT[crm]
    with loop.context() as context, context.store.begin() as db:
        assert (
            db.execute(text("select count(*) from candor.record where kind = 'lead' and touched")).scalar()
            == 0
        )


@pytest.mark.parametrize("crm", CRMS)
def test_a_dry_run_lists_what_the_real_one_writes_and_writes_nothing(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "trained")
    dry = loop.candor("sync", "--dry-run", "--json").json()
    assert dry["write_calls"] == 0
    assert loop.writes() == []
    again = loop.candor("sync", "--dry-run", "--json").json()
    assert again["would_write"] == dry["would_write"]
    real = loop.candor("sync", "--json").json()
    assert real["wrote"] == dry["would_write"]
    assert real["left_alone"] == dry["left_alone"]
    assert real["pushed"] == len(real["wrote"]) > 100
    told = loop.candor("status", "--json").json()
    assert [run["job"] for run in told["runs"]].count("dry run") == 0, "a rehearsal leaves nothing"


@pytest.mark.parametrize("crm", CRMS)
def test_pause_stops_writes_and_resume_loses_none(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "trained")
    assert "fiscal year end" in loop.candor("pause", "fiscal year end").out
    paused = loop.candor("sync", "--json").json()
    assert paused["paused"] == "fiscal year end"
    assert paused["write_calls"] == 0
    assert loop.writes() == []
    told = loop.candor("status", "--json").json()
    assert told["paused"]["reason"] == "fiscal year end"
    assert told["outbox"] == {"pending": len(paused["wrote"])}
    assert "fiscal year end" in loop.candor("status").out
    loop.candor("resume")
    sent = loop.candor("sync", "--json").json()
    assert sent["pushed"] == len(paused["wrote"])
    assert loop.candor("status", "--json").json()["outbox"] == {"done": sent["pushed"]}


@pytest.mark.parametrize("crm", CRMS)
def test_a_backfill_that_was_killed_goes_on_where_it_was(crm: str, loop_of: Callable[..., Loop]) -> None:
    whole = loop_of(crm, "trained")
    expected = stored(whole)
    broken = loop_of(crm, "trained")
    forget_everything(broken)
    client = broken.start("backfill", "--json")
    until(
        lambda: streams_done(broken) >= 2 or client.process.exitcode is not None, "two streams to be stored"
    )
    client.kill()
    before = streams_done(broken)
    assert before < len(expected["cursors"]), "killed too late to show anything"
    broken.candor("backfill", "--json").json()
    found = stored(broken)
    assert found == expected


def forget_everything(loop: Loop) -> None:
    with loop.context() as context, context.store.begin() as db:
        for table in ("record", "change", "activity", "cursor"):
            db.execute(text(f"delete from candor.{table}"))


def streams_done(loop: Loop) -> int:
    with loop.context() as context, context.store.begin() as db:
        return int(db.execute(text("select count(*) from candor.cursor")).scalar() or 0)


def stored(loop: Loop) -> dict[str, Any]:
    """What a backfill brought, without the times at which it was seen."""
    with loop.context() as context:
        pull(context)
        with context.store.begin() as db:
            return {
                "records": db.execute(text(
                    'select kind, id, created_at, modified_at, "values", deleted, merged_into from candor.record order by 1, 2'
                )).all(),
                "changes": db.execute(text(
                    "select kind, id, field, at, old, new from candor.change where source = 'crm' order by 1, 2, 3, 4"
                )).all(),
                "activities": db.execute(text(
                    "select id, stream, kind, at, person_id, account_id, actor, detail, deleted from candor.activity order by 1"
                )).all(),
                "cursors": sorted(r[0] for r in db.execute(text("select stream from candor.cursor"))),
            }  # fmt: skip
