"""kill -9 at writes of an apply and of a removal (rounds.py), before they act and after they are done: the next run ends at the
same org."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_schema.plan import plan, removal
from crm_schema.walk import apply
from tests.contract.adapters import BENCHES, Site, site
from tests.contract.small_world import small_world
from tests.faults import schema_process
from tests.faults.rounds import last_reached

STAMPS = ("createdAt", "updatedAt", "archivedAt", "id", "displayOrder")
"""What differs between two orgs that are the same: when things were made, and ids that the CRM gives."""


class Killer:
    """Stands before the local CRM; kills the client at its nth write, `before` it reaches the org or `after` it is done."""

    def __init__(self, app: Any, when: str, nth: int) -> None:
        self.app, self.when, self.left = app, when, nth
        self.victim: int | None = None
        self.killed = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self._counts(scope):
            await self.app(scope, receive, send)
            return
        self.left -= 1
        if self.left != 0:
            await self.app(scope, receive, send)
            return
        if self.when == "after":
            await self.app(scope, receive, _nothing)
        assert self.victim is not None
        self.killed = True  # first: whoever waits for the death looks at once
        os.kill(self.victim, signal.SIGKILL)
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _counts(self, scope: Any) -> bool:
        path = str(scope["path"])
        reads = ("/search", "/batch/read", "/token", "/composite", "/query")
        if "/Soap/" in path:
            return False  # the adapter only reads by it
        return scope["method"] in ("POST", "PATCH", "PUT", "DELETE") and not path.rstrip("/").endswith(reads)


async def _nothing(_: Any) -> None:
    """An answer that nobody hears."""


def plain(found: Any) -> Any:
    """What was read of an org, without stamps and ids."""
    if isinstance(found, dict):
        return {k: plain(v) for k, v in sorted(found.items()) if k not in STAMPS}
    if isinstance(found, list):
        return sorted((plain(v) for v in found), key=repr)
    return found


@pytest.fixture(scope="module", params=BENCHES, ids=[b.vendor for b in BENCHES])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(request.param, tmp_path_factory.mktemp(request.param.vendor)) as made:
        made.seed(small_world)
        yield made


@pytest.mark.parametrize("purpose", ["apply", "remove"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_run_ends_where_an_uninterrupted_one_does(
    where: Site, tmp_path: Path, when: str, purpose: str
) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.schema_process"])
    start, make = ("bare", plan) if purpose == "apply" else ("candor", removal)
    with where.open(where.copy(start, tmp_path / "whole.sqlite")) as bench:
        crm = bench.connect()
        port = crm.schema()
        apply(make(port), port)
        writes = crm.usage().writes
        whole = plain(port.read())

    def ended_alike(nth: int) -> bool:
        with where.open(where.copy(start, tmp_path / f"{nth}.sqlite")) as bench:
            killer = Killer(where._switch.app, when, nth)
            where._switch.app = killer
            child = processes.Process(
                target=schema_process.run, args=(bench.vendor, bench.connection(), purpose)
            )
            child.start()
            killer.victim = child.pid
            child.join(60)
            assert child.exitcode == (-signal.SIGKILL if killer.killed else 0)
            where._switch.app = killer.app
            port = bench.connect().schema()
            apply(make(port), port)
            assert plain(port.read()) == whole, f"{when} write {nth}"
            assert make(port).empty
        return killer.killed

    assert last_reached(ended_alike) >= writes, "the last write was tried, and what HubSpot is asked by POST"
