"""Control of the local CRM: its clock, the hand on its writes, pages closed to other sites."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connector.playground.control import Faults, HoldWrites, is_write, routes
from connector.playground.org import Org
from connector.playground.pages.app import create_pages
from connector.playground.world.generate import generate
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
