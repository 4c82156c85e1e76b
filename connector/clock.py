"""The one clock: the machine's, or in a demo the local CRM's, where half a year runs in minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import httpx2


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC time."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class RemoteClock:
    """Asks `url` for {"now": ISO time}."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx2.Client(trust_env=False, timeout=30)

    def now(self) -> datetime:
        answer = self._client.get(self._url)
        answer.raise_for_status()
        return datetime.fromisoformat(answer.json()["now"])
