"""Milliseconds since 1970 (what Org keeps) to and from what HubSpot writes: ISO with milliseconds and a Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_NAIVE = datetime(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    return (_NAIVE + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def ms_of(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def parse(text: str) -> int:
    """Epoch milliseconds, ISO date or ISO time as a request may have them. ValueError otherwise."""
    if text.lstrip("-").isdigit():
        return int(text)
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return ms_of(at if at.tzinfo else at.replace(tzinfo=UTC))
