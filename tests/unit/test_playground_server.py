"""Control of the local CRM: its clock, the hand on its writes, pages closed to other sites."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from connector.cli.main import app
from connector.errors import InputError
from connector.playground.control import Faults, HoldWrites, is_write, routes
from connector.playground.org import Org
from connector.playground.pages.app import create_pages
from connector.playground.server import PlaygroundError, launched, open_playground
from connector.playground.world.generate import generate
from connector.playground.world.options import WorldOptions
from connector.playground.world.reps import record_ids
from tests.world_desk import plain_org


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    org = Org(tmp_path / "org.sqlite")
    world, _ = generate(leads=30, months=6, seed=1)
    desk = plain_org(org, world)
    faults = Faults()
    yield TestClient(create_pages(desk, org, routes(org, faults, lambda days, seed: {"seed": seed})))
    org.close()


def test_clock_stands_still_until_it_is_advanced(client: TestClient) -> None:
    assert client.get("/clock").json() == client.get("/clock").json() == {"now": "2026-06-30T12:00:00+00:00"}
    assert client.post("/clock/advance", json={"days": 1.5}).json() == {"now": "2026-07-02T00:00:00+00:00"}
    assert client.post("/clock/advance", json={"days": -1}).status_code == 422


def test_a_write_from_another_site_is_refused(client: TestClient) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        answer = client.post("/clock/advance", json={"days": 1}, headers={"sec-fetch-site": site})
        assert answer.status_code == status
    assert client.get("/clock", headers={"host": "evil.example"}).status_code == 400


def test_reps_and_write_log_answer(client: TestClient) -> None:
    assert client.post("/reps/react", json={"days": 1, "seed": 4}).json() == {"seed": 4}
    assert client.get("/write-log").json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "writes"),
    [
        ("GET", "/services/data/v63.0/query", b"", False),
        ("PATCH", "/services/data/v63.0/sobjects/Lead/00Q", b"{}", True),
        ("DELETE", "/crm/v3/objects/contacts/1", b"", True),
        ("POST", "/services/oauth2/token", b"grant_type=x", False),
        ("POST", "/crm/v3/objects/contacts/search", b"{}", False),
        ("POST", "/crm/v3/objects/contacts/batch/read", b"{}", False),
        ("POST", "/crm/v3/objects/contacts/batch/update", b"{}", True),
        ("POST", "/services/data/v63.0/composite", b'{"compositeRequest": [{"method": "GET"}]}', False),
        ("POST", "/services/data/v63.0/composite",
         b'{"compositeRequest": [{"method": "GET"}, {"method": "PATCH"}]}', True),
        ("POST", "/services/data/v63.0/composite/batch", b'{"batchRequests": [{"method": "Get"}]}', False),
        ("POST", "/services/data/v63.0/composite/sobjects/Lead", b'{"ids": ["1"], "fields": ["Id"]}', False),
        ("PATCH", "/services/data/v63.0/composite/sobjects", b'{"records": []}', True),
    ],
)  # fmt: skip
def test_what_counts_as_a_write(method: str, path: str, body: bytes, writes: bool) -> None:
    assert is_write(method, path, body) is writes


class _Wire:
    """One request to an app that counts what it did; the client can hang up."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.faults = Faults()
        self.app = HoldWrites(self._act, self.faults)

    async def _act(self, scope: Any, receive: Any, send: Any) -> None:
        self.done.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def request(self, body: bytes, gone: asyncio.Event, sent: list[Any], method: str = "PATCH") -> None:
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app({"type": "http", "method": method, "path": "/x"}, receive, send)


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("never came true")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("ends", ["released", "client gone"])
def test_the_nth_write_is_held(when: Any, ends: str) -> None:
    async def play() -> None:
        wire, gone = _Wire(), asyncio.Event()
        sent: list[Any] = []
        wire.faults.hold(when, 2)
        await wire.request(b"first", gone, sent)
        await wire.request(b"read", gone, sent, method="GET")
        assert len(sent) == 4
        held = asyncio.create_task(wire.request(b"second", gone, sent))
        await _until(lambda: wire.faults.held)
        assert (b"second" in wire.done) is (when == "after")
        assert len(sent) == 4
        if ends == "released":
            wire.faults.release()
        else:
            gone.set()
        await held
        assert not wire.faults.held
        assert (b"second" in wire.done) is (when == "after" or ends == "released")
        assert len(sent) == (6 if ends == "released" else 4)
        await wire.request(b"third", asyncio.Event(), sent)
        assert b"third" in wire.done

    asyncio.run(play())


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_an_org_of_either_vendor_opens_lives_and_survives(crm: Any, tmp_path: Path) -> None:
    options = WorldOptions(leads=60, months=6, seed=1)
    playground = open_playground(crm, tmp_path / "org", options)
    assert (tmp_path / "org" / "token").stat().st_mode & 0o777 == 0o600
    pages = TestClient(playground.pages)
    assert pages.get("/").status_code == 200
    lead = playground.desk.leads(limit=1)[0]
    path = f"/record/lead/{lead.id}"
    assert lead.name in pages.get(path).text
    said = pages.post(path, data={"do": "log", "what": "call answered"})
    assert "Logged." in said.text
    assert pages.post("/reps/react", json={"days": 1, "seed": 1}).json()["looks"] > 0
    log = playground.org.write_log()
    playground.close()
    again = open_playground(crm, tmp_path / "org", WorldOptions(leads=5))
    assert again.org.write_log() == log
    assert again.token == playground.token
    assert again.truth == playground.truth
    again.close()
    with pytest.raises(PlaygroundError, match="holds a"):
        open_playground("hubspot" if crm == "salesforce" else "salesforce", tmp_path / "org", options)


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_an_org_from_a_file_does_not_tell_how_open_leads_ended(crm: Any, tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 7},{'ab'[i % 2]},Select,{int(i % 3 == 0)}\n" for i in range(60))
    (tmp_path / "x.csv").write_text("ref,visits,origin,colour,converted\n" + rows)
    playground = open_playground(crm, tmp_path / "org", WorldOptions(csv=tmp_path / "x.csv"))
    ids = record_ids(playground.org, "lead", "contacts")
    held = {key for key, cause in playground.truth.cause.items() if cause == "held out"}
    shapes = set()
    for key in held:
        view = playground.desk.view("lead", ids[key])
        assert not playground.desk.deals(view.id)
        shapes.add((view.values["status"], len(playground.desk.timeline(view.id))))
    assert {playground.truth.probability[key] for key in held} == {0.0, 1.0}
    assert {status for status, _ in shapes} == {"new"}
    assert len(shapes) == 1
    playground.close()


def test_a_killed_process_comes_back_on_the_same_ports_with_what_was_committed(tmp_path: Path) -> None:
    """A write is held after its commit, the process is killed: the write is there when it comes back."""
    options = WorldOptions(leads=30, months=4)
    with launched("salesforce", tmp_path, options) as (process, info):
        trusted = ssl.create_default_context(cafile=info["ca"])
        token = Path(info["token_file"]).read_text()
        api = httpx2.Client(base_url=info["url"], verify=trusted, trust_env=False, timeout=20,
                            headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        pages = httpx2.Client(base_url=info["pages"], trust_env=False, timeout=20)
        found = api.get("/services/data/v63.0/query", params={"q": "SELECT Id FROM Lead LIMIT 1"}).json()
        url = f"/services/data/v63.0/sobjects/Lead/{found['records'][0]['Id']}"
        pages.post("/faults", json={"hold": "after", "nth": 1})
        with pytest.raises(httpx2.ReadTimeout):
            api.patch(url, json={"Title": "Head of Rivers"}, timeout=0.5)
        process.kill()
        process.wait()
    with launched("salesforce", tmp_path, options) as (_, again):
        assert (again["url"], again["pages"]) == (info["url"], info["pages"])
        assert api.get(url).json()["Title"] == "Head of Rivers"


_STARTER = """
import sys
from pathlib import Path
from connector.playground.server import launch, let_go
from connector.playground.world.options import WorldOptions
process, info = launch("hubspot", Path(sys.argv[1]), WorldOptions(leads=20, months=4))
if sys.argv[2] == "let go":
    let_go(process)
print(info["pid"], flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["held", "let go"])
def test_a_local_crm_ends_with_whoever_started_it_unless_let_go(how: str, tmp_path: Path) -> None:
    """Killed, so that the starter can do nothing about it. The CRM holds a lock while it is up."""
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(tmp_path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with starter, (tmp_path / "lock").open("a") as lock:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
        starter.wait()
        if how == "let go":
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.kill(pid, signal.SIGTERM)
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits until it has ended


@pytest.mark.parametrize("given", [["--leads", "0"], ["--months", "0"]])
def test_a_world_of_nothing_is_refused(given: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["playground", "--data", str(tmp_path / "org"), *given])
    assert isinstance(result.exception, InputError)
    assert f"{given[0]} is 0" in str(result.exception)
    assert not (tmp_path / "org").exists()
