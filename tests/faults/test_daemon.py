"""`candor run`: it ends cleanly in the middle of a pass, the next one goes on, and only one of two is active (S9.4)."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from connector.store import outbox
from connector.store import schema as t
from tests.faults.test_kill_at_every_write import doubled, everything_arrived
from tests.whole_loop import CRMS, Loop, Process, until


def said(daemon: Process, event: str) -> bool:
    return f'"event": "{event}"' in daemon.err()


def counts(loop: Loop) -> dict[str, int]:
    with loop.context() as context, context.store.begin() as db:
        return outbox.counts(db)


def jobs(loop: Loop) -> list[Any]:
    with loop.context() as context, context.store.begin() as db:
        return [tuple(r) for r in db.execute(select(t.run.c.job, t.run.c.status).order_by(t.run.c.id))]


@pytest.mark.parametrize("crm", CRMS)
def test_sigterm_in_the_middle_of_a_push_finishes_the_request_and_stops(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "waiting")
    loop.control("POST", "/faults", {"hold": "before", "nth": 1})
    daemon = loop.start("run")
    until(
        lambda: loop.playground.faults.held or daemon.process.exitcode is not None, "the daemon's first write"
    )
    os.kill(daemon.pid, signal.SIGTERM)
    until(lambda: said(daemon, "stopping"), "the daemon to hear it")
    assert daemon.process.exitcode is None, "a request that runs is waited for"
    loop.control("DELETE", "/faults")
    ended = daemon.end()
    assert ended.code == 0, ended.err
    assert said(daemon, "stopped")
    assert "Traceback" not in ended.err
    after = counts(loop)
    assert after.get("sending", 0) == 0, "no half state"
    assert after["done"] > 0
    assert after["pending"] > 0, "it stopped between two requests"
    assert jobs(loop)[-1] == ("sync", "done")
    loop.candor("sync", "--json").json()
    everything_arrived(loop, "after SIGTERM")
    assert doubled(loop) == {}


def test_a_daemon_killed_with_its_database_leaves_nothing_to_mend(loop_of: Callable[..., Loop]) -> None:
    """kill -9 of the process that owns the built-in database: the next one starts it again and goes on."""
    loop = loop_of("hubspot", "waiting", embedded=True)
    loop.control("POST", "/faults", {"hold": "after", "nth": 2})
    daemon = loop.start("run")
    until(
        lambda: loop.playground.faults.held or daemon.process.exitcode is not None,
        "the daemon's second write",
    )
    daemon.kill()
    until(lambda: not loop.playground.faults.held, "the local CRM to see that its client is gone")
    loop.control("DELETE", "/faults")
    found = loop.candor("sync", "--json").json()
    assert found["found_done"] > 0
    everything_arrived(loop, "after kill -9")
    assert doubled(loop) == {}


def test_only_one_of_two_daemons_is_active(loop_of: Callable[..., Loop]) -> None:
    loop = loop_of("salesforce", "waiting")
    first = loop.start("run")
    until(lambda: said(first, "pushed") or first.process.exitcode is not None, "the first daemon's pass")
    second = loop.start("run")
    until(
        lambda: said(second, "standing by") or second.process.exitcode is not None, "the second to stand by"
    )
    assert not said(second, "running")
    os.kill(second.pid, signal.SIGTERM)
    assert second.end().code == 0
    os.kill(first.pid, signal.SIGTERM)
    assert first.end().code == 0
    assert Counter(jobs(loop))[("sync", "done")] >= 1
    everything_arrived(loop, "two daemons")
    assert doubled(loop) == {}
