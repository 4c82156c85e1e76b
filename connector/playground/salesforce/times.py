"""Times as Salesforce writes them: 2026-05-01T07:25:37.000+0000. [FACTS section 12]"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}+0000"


def bulk(text_: str) -> str:
    """The form of the CSV answers. [FACTS section 12]"""
    return text_[:-5] + "Z"


def ms(moment: datetime) -> int:
    return round((moment - _EPOCH).total_seconds() * 1000)


def moment(ms_: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms_)


def day(ms_: int) -> str:
    return moment(ms_).date().isoformat()


def parse(text_: str) -> int | None:
    """Milliseconds since 1970 of an ISO time with or without colon in its offset; None when it is none."""
    m = _TEXT.fullmatch(text_)
    if m is None:
        return None
    year, month, day_, hour, minute, second, fraction, zone = m.groups()
    try:
        at = datetime(int(year), int(month), int(day_), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    offset = 0
    if zone and zone.upper() != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[-2:])) * (1 if zone[0] == "+" else -1)
    return ms(at) - offset * 60_000 + int((fraction or "0").ljust(3, "0")[:3])


def is_day(text_: str) -> bool:
    try:
        return len(text_) == 10 and date.fromisoformat(text_) is not None
    except ValueError:
        return False


def range_of(name: str, n: int | None, now: int) -> tuple[date, date] | None:
    """The days [from, to) that a relative date literal names; None for a name that is none."""
    today = moment(now).date()
    one = timedelta(days=1)
    if name in ("TODAY", "YESTERDAY", "TOMORROW"):
        at = today + {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[name] * one
        return at, at + one
    if name == "LAST_N_DAYS" and n is not None:
        return today - n * one, today + one
    if name == "NEXT_N_DAYS" and n is not None:
        return today + one, today + (n + 1) * one
    first = today.replace(day=1)
    if name == "THIS_MONTH":
        return first, (first + 32 * one).replace(day=1)
    if name == "LAST_MONTH":
        return (first - one).replace(day=1), first
    if name == "THIS_YEAR":
        return date(today.year, 1, 1), date(today.year + 1, 1, 1)
    if name == "LAST_YEAR":
        return date(today.year - 1, 1, 1), date(today.year, 1, 1)
    return None
