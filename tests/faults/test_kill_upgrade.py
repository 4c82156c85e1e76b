"""kill -9 at writes of an upgrade over two versions (rounds.py), before they act and after they are done: the next run ends at the
same org, with every value, and with what someone said in between."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_schema.plan import drift, plan
from crm_schema.walk import apply
from tests.contract.adapters import BENCHES, Bench, Site, site
from tests.contract.small_world import small_world
from tests.faults import schema_process
from tests.faults.rounds import last_reached
from tests.faults.test_kill_schema import Killer, plain
from tests.integration.schema_versions import declare
from tests.integration.test_schema_upgrade import CARRIED, PEOPLE, name, said, say

LATE = "said while the upgrade lay still"


@pytest.fixture(scope="module", params=BENCHES, ids=[b.vendor for b in BENCHES])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with one more org to copy from, "old": Candor 0.1 set it up, and people have used it."""
    with site(request.param, tmp_path_factory.mktemp(request.param.vendor)) as made:
        made.seed(small_world)
        with pytest.MonkeyPatch.context() as patch:
            declare("0.1", patch.setattr)
            with made.open(made.copy("bare", made._folder / "old.sqlite")) as bench:
                port = bench.connect().schema()
                apply(plan(port), port)
                say(bench, PEOPLE)
        yield made


def someone_speaks(bench: Bench) -> None:
    """A person writes why: into the old field as long as it is there, into the new one when it is shown."""
    there = fields(bench)
    key = "why" if name(bench, "why") in there else "override_reason"
    say(bench, {"L05": {key: LATE}})


def fields(bench: Bench) -> Any:
    found = bench.connect().schema().read()["objects"]["Lead" if bench.vendor == "salesforce" else "contacts"]
    return found["fields" if bench.vendor == "salesforce" else "properties"]


def state(found: Any) -> Any:
    return {k: plain(v) for k, v in found.items() if k not in ("custom_fields", "custom_properties")}


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_run_ends_where_an_uninterrupted_one_does(
    where: Site, tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.schema_process"])
    schema_process.upgrading(monkeypatch.setattr)
    with where.open(where.copy("old", tmp_path / "whole.sqlite")) as bench:
        crm = bench.connect()
        port = crm.schema()
        shown = plan(port)
        apply(shown, port)
        writes = crm.usage().writes
        assert writes == shown.calls
        whole = state(port.read())
        assert said(bench, CARRIED) == CARRIED
    late = {"L05": {"override_reason": LATE}}

    def ended_alike(nth: int) -> bool:
        with where.open(where.copy("old", tmp_path / f"{nth}.sqlite")) as bench:
            killer = Killer(where._switch.app, when, nth)
            where._switch.app = killer
            child = processes.Process(
                target=schema_process.run, args=(bench.vendor, bench.connection(), "upgrade")
            )
            child.start()
            killer.victim = child.pid
            child.join(60)
            assert child.exitcode == (-signal.SIGKILL if killer.killed else 0)
            where._switch.app = killer.app
            someone_speaks(bench)
            port = bench.connect().schema()
            apply(plan(port), port)
            assert said(bench, CARRIED | late) == CARRIED | late, f"{when} write {nth}"
            assert state(port.read()) == whole, f"{when} write {nth}"
            assert plan(port).empty
            assert drift(port) == []
        return killer.killed

    assert last_reached(ended_alike) >= writes, "the last write was tried, and what HubSpot is asked by POST"
