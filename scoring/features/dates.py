"""A date that the buyer named (S2.2): a field or a form's answer such as "needed by", read as of a time.

A date field holds a day; a form's answer may also be a month, a quarter, a year (each ends with its last day) or a time from
then on: "within 3 months", "1-3 months" (the later end), "immediately". Such an answer counts from the day on which it was
given. What is neither ("no timeline", "3/4/2026", which two continents read differently) is blank.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis
import pyarrow as pa

from scoring.features import asof
from scoring.features.inputs import DAY, Fact
from scoring.features.rules import cleaned

FAR = 3653
"""Days: ten years. A date further off is a slip of the pen, or stands for "never" (9999-12-31)."""

_EPOCH = date(1970, 1, 1)
_UNITS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_NOW = re.compile(r"(now|asap|as soon as possible|immediate(ly)?|right away|urgent(ly)?|today)")
_SPAN = re.compile(
    r"(?:(?:with)?in |less than |under |up to |over |more than |about |< ?|> ?)?(?:the )?(?:next )?"
    r"(?:(\d{1,3}) ?(?:-|–|to) ?)?(\d{1,3}|an?|one|this|next) ?\+? ?(day|week|month|quarter|year)s?\+?"
    r"(?: or (?:more|less|longer|later)| from now| and (?:more|over))?"
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "this": 1, "next": 2}
_BY = r"(?:by |until |before |in |end of |by (?:the )?end of |until (?:the )?end of )?"
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_ISO_MONTH = re.compile(r"(\d{4})-(\d{2})")
_MONTH = re.compile(rf"{_BY}([a-z]{{3,9}})\.? (\d{{4}})")
_QUARTER = re.compile(rf"{_BY}q([1-4]) ?/?-? ?(\d{{4}})|{_BY}(\d{{4}}) ?/?-? ?q([1-4])")
_YEAR = re.compile(rf"{_BY}(\d{{4}})")


def fields(facts: Sequence[Fact]) -> tuple[str, ...]:
    return tuple(fact.name for fact in facts if fact.type == "date")


def spans(values: Any, names: Sequence[str]) -> Any:
    """(lead_id, field, value, since, until): what the date fields said when, of a moment its day alone."""
    said = values.filter(values.field.isin(sorted(names)), values.value.notnull())
    day = said.value.re_search(r"^\d{4}-\d{2}-\d{2}")
    return said.mutate(value=day.ifelse(said.value.substr(0, 10), said.value))


def told(distinct: pa.Table) -> pa.Table:
    """(value, day, after) for the distinct texts of an org: the day that a text names, as days since 1970, or the days from
    when it was said."""
    found = [read(text) for text in distinct["value"].to_pylist()]
    days, after = ([pair[place] for pair in found] for place in (0, 1))
    return pa.table(
        {"value": distinct["value"], "day": pa.array(days, pa.int64()), "after": pa.array(after, pa.int64())}
    )


def named(said: Any, read: Any) -> Any:
    """The spans with the day that each named, as days since 1970, for its value."""
    of = read.select("day", "after", text="value")
    found = said.inner_join(of, said.value == of.text)
    value = ibis.coalesce(found.day, _day(found.since) + found.after)
    return found.select("lead_id", "field", "since", "until", value=value)


def known(points: Any, days: Any, names: Sequence[str]) -> Any:
    """(point, and the features of each date field)."""
    moment = points.select(**{"~point": points.point, "~today": _day(points.as_of)})
    then = asof.known(points, days, names).inner_join(moment, "~point")
    columns: dict[str, Any] = {}
    for name in names:
        ahead = then[name] - then["~today"]
        near = (ahead.abs() <= FAR).ifelse(ahead, None)
        columns |= {days_until(name): near, passed(name): (near < 0).cast("int64")}
    return then.select(point=then["~point"], **columns)


def days_until(field: str) -> str:
    """The name of the feature."""
    return f"days_until_{field}"


def passed(field: str) -> str:
    """The name of the feature."""
    return f"{field}_passed"


def _day(at: Any) -> Any:
    return (at / DAY).floor().cast("int64")


def read(text: str) -> tuple[int | None, int | None]:
    """The day that a text names, as days since 1970, or else the days from when it was said.

    >>> read("2026-03-01"), read("Q3 2026"), read("1-3 months"), read("just looking")
    ((20513, None), (20726, None), (None, 90), (None, None))
    """
    day, words = absolute(text), cleaned(text)
    if day is not None:
        return (day - _EPOCH).days, None
    if _NOW.fullmatch(words):
        return None, 0
    if span := _SPAN.fullmatch(words):
        count = _COUNTS.get(span[2]) or int(span[2])
        return None, count * _UNITS[span[3]]
    return None, None


def absolute(text: str) -> date | None:
    """The day that a text names, of a month, quarter or year the last one.

    >>> absolute("31.12.2026"), absolute("March 2026"), absolute("2026-02-30")
    (datetime.date(2026, 12, 31), datetime.date(2026, 3, 31), None)
    """
    text = cleaned(text)
    if m := _ISO.match(text):
        return _date(m[1], m[2], m[3]) if len(text) == 10 or text[10] in " t" else None
    if m := _DAY_FIRST.fullmatch(text):
        return _date(m[3], m[2], m[1])
    if m := _SLASHES.fullmatch(text):
        month_first, day_first = _date(m[3], m[1], m[2]), _date(m[3], m[2], m[1])
        return None if month_first and day_first and month_first != day_first else month_first or day_first
    if m := _QUARTER.fullmatch(text):
        return _end(m[2] or m[3], 3 * int(m[1] or m[4]))
    if m := _ISO_MONTH.fullmatch(text):
        return _end(m[1], int(m[2]))
    if m := _MONTH.fullmatch(text):
        month = next((n for n, name in enumerate(_MONTHS, 1) if name.startswith(m[1])), None)
        return None if month is None else _end(m[2], month)
    if m := _YEAR.fullmatch(text):
        return _end(m[1], 12)
    return None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _end(year: str, month: int) -> date | None:
    if not (1 <= month <= 12 and int(year) > 0):
        return None
    return date(int(year), month, monthrange(int(year), month)[1])
