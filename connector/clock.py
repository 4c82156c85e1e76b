"""The one clock: the machine's, or in a demo the local CRM's, where half a year runs in minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import httpx2

from connector.errors import CandorError


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC time."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class RemoteClock:
    """Asks `url` for {"now": ISO time}. Raises CandorError where nobody answers; `start`: the command that mends that."""

    def __init__(self, url: str, start: str = "candor playground") -> None:
        self._url, self._start = url, start
        self._client = httpx2.Client(trust_env=False, timeout=30)

    def now(self) -> datetime:
        try:
            answer = self._client.get(self._url)
            answer.raise_for_status()
        except httpx2.HTTPError:
            raise CandorError(
                "The local CRM isn't up: nobody answers at the clock_url of candor.toml.",
                fix=f"Start it in another terminal: {self._start}",
            ) from None
        return datetime.fromisoformat(answer.json()["now"])
