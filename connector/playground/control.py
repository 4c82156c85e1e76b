"""How tests and the demo steer the local CRM: its clock, its reps, its write log, and a hand on its writes.

The routes are those of docs/architecture.md §7. A held write shows what a kill or a broken connection leaves
behind: "before" holds a request that has not acted yet, "after" one that is committed and not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from connector.playground.org import Org

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

DAY_MS = 86_400_000
_READS_BY_POST = ("/search", "/batch/read", "/query", "/token", "/login", "/introspect", "/access-token-info")
"""Ends or parts of paths that are asked by POST and write nothing."""


class Faults:
    """Holds the nth write from now, until it is let go or its client has gone."""

    def __init__(self) -> None:
        self._when: Literal["before", "after"] | None = None
        self._left = 0
        self._release = asyncio.Event()
        self.held = False

    def hold(self, when: Literal["before", "after"], nth: int) -> None:
        self.release()
        self._when, self._left, self._release = when, nth, asyncio.Event()

    def release(self) -> None:
        """Let go of what is held, and forget what was to be held."""
        self._when = None
        self._release.set()

    def take(self) -> Literal["before", "after"] | None:
        """Counts a write; what to do with it."""
        if self._when is None:
            return None
        self._left -= 1
        if self._left > 0:
            return None
        when, self._when = self._when, None
        return when

    async def wait(self, receive: Receive) -> bool:
        """Hold; whether it was let go (False: the client is gone)."""
        self.held = True
        let_go = asyncio.ensure_future(self._release.wait())
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({let_go, gone}, return_when=asyncio.FIRST_COMPLETED)
            return let_go.done()
        finally:
            self.held = False
            let_go.cancel()
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def is_write(method: str, path: str, body: bytes) -> bool:
    """Whether a request changes the org: by its method, less the reads that vendors ask for by POST."""
    if method not in ("POST", "PUT", "PATCH", "DELETE"):
        return False
    path = path.rstrip("/")
    if method == "POST" and any(f"{part}/" in f"{path}/" for part in _READS_BY_POST):
        return False
    if method != "POST" or "/composite" not in path:
        return True
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return True
    if not isinstance(said, dict):
        return True
    if "ids" in said:
        return False
    parts = said.get("compositeRequest") or said.get("batchRequests") or []
    return not parts or any(part.get("method", "GET").upper() != "GET" for part in parts)


class HoldWrites:
    """ASGI middleware around the vendor's API."""

    def __init__(self, app: App, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        when = self._faults.take() if is_write(scope["method"], scope["path"], body) else None
        if when == "before" and not await self._faults.wait(receive):
            return
        if when != "after":
            await self._app(scope, _again(body, receive), send)
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, _again(body, receive), keep)
        if await self._faults.wait(receive):
            for message in answer:
                await send(message)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(_Ask):
    days: float = Field(gt=0, le=3660)


class React(_Ask):
    days: float = Field(gt=0, le=366)
    seed: int | None = None


class Hold(_Ask):
    hold: Literal["before", "after"]
    nth: int = Field(default=1, ge=1)


def routes(org: Org, faults: Faults, react: Callable[[float, int], dict[str, int]]) -> APIRouter:
    """`react(days, seed)` lets the reps live; without a seed each call has its own, from the clock."""
    router = APIRouter()

    @router.get("/clock")
    def clock() -> dict[str, str]:
        return {"now": _iso(org.now())}

    @router.post("/clock/advance")
    def advance(ask: Advance) -> dict[str, str]:
        return {"now": _iso(org.advance(round(ask.days * DAY_MS)))}

    @router.post("/reps/react")
    def reps(ask: React) -> dict[str, int]:
        return react(ask.days, org.now() // 1000 if ask.seed is None else ask.seed)

    @router.get("/write-log")
    def write_log(since: int = 0) -> list[dict[str, Any]]:
        return org.write_log(since)

    @router.post("/faults")
    async def hold(ask: Hold) -> dict[str, bool]:
        if faults.held:
            raise HTTPException(409, "A write is held already. DELETE /faults lets it go.")
        faults.hold(ask.hold, ask.nth)
        return {"held": False}

    @router.get("/faults")
    async def held() -> dict[str, bool]:
        return {"held": faults.held}

    @router.delete("/faults")
    async def release() -> dict[str, bool]:
        faults.release()
        return {"held": False}

    return router


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()
