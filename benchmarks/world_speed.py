"""Is the local CRM fast enough to play with? 50,000 leads with 1,000,000 activities made and loaded into a local
Salesforce org; then every lead listed through the API's own app, 40 fields, pages of 2,000.

Both are of one core: the clock is the process's own, so other work on the machine doesn't count.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from benchmarks.row import Row
from connector.playground.org import Org
from connector.playground.salesforce.app import create_app
from connector.playground.salesforce.schema import Schemas
from connector.playground.salesforce.seed import seed
from connector.playground.world.generate import generate
from connector.playground.world.scenario import Basics, Scenario

LEADS, MONTHS, ACTIVITIES = 50_000, 18, 1_000_000
BUSY = 2.6
"""visits that make 20 activities a lead"""
FIELDS = 40


def run() -> list[Row]:
    return measure(LEADS, ACTIVITIES)


def measure(leads: int, activities: int) -> list[Row]:
    start, wall = time.process_time(), time.perf_counter()
    world, _ = generate(leads, MONTHS, 7, scenario=Scenario(world=Basics(visits=BUSY)))
    made = time.process_time() - start
    touches = len(world.touches)
    with tempfile.TemporaryDirectory() as folder:
        org = Org(Path(folder) / "org.sqlite")
        seed(org, world)
        whole, wall = time.process_time() - start, time.perf_counter() - wall
        people = len(world.people)
        del world
        read, seconds = asyncio.run(_list(org))
        org.close()
    return [
        Row("leads", people, f"{leads:,}", people == leads),
        Row("activities", touches, f"≥ {activities:,}", touches >= activities),
        Row("seconds to make the world", made),
        Row("seconds to make and load it", whole, "≤ 120", whole <= 120),
        Row("the same by the wall's clock", wall),
        Row("records a second in list pages of 40 fields", read / seconds, "≥ 10,000", read / seconds >= 10_000),
    ]  # fmt: skip


async def _list(org: Org) -> tuple[int, float]:
    """All leads through the app, page by page: (records, seconds of this process)."""
    app = create_app(org)
    fields = list(Schemas(org).get(None).find("Lead").fields)[:FIELDS]  # type: ignore[union-attr]
    token = str(org.meta("token"))
    path: str | None = "/services/data/v66.0/query"
    query = f"q=SELECT {', '.join(fields)} FROM Lead".replace(" ", "+")
    read, start = 0, time.process_time()
    while path is not None:
        page = orjson.loads(await _get(app, path, query, token))
        read += len(page["records"])
        path, query = page.get("nextRecordsUrl"), ""
    seconds = time.process_time() - start
    assert len(page["records"][0]) == FIELDS + 1  # and its attributes
    return read, seconds


async def _get(app: Any, path: str, query: str, token: str) -> bytes:
    """One GET by the app's own protocol, without a client whose work would be counted too."""
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        parts.append(message.get("body", b""))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"local"), (b"authorization", f"Bearer {token}".encode())],
        "server": ("local", 80), "client": ("local", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return b"".join(parts)
