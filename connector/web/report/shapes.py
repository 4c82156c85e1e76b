"""What a section of the report is made of: plain dicts, ready for JSON, that the templates draw.

A section says its finding first, then draws it, then keeps the table for those who can't see the drawing. One
that has nothing to show yet says so, with the next step (`empty`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from connector.web.report.words import rate_text
from scoring.metrics.rates import Rate, Share

Section = dict[str, Any]
Row = dict[str, Any]


def section(
    key: str,
    topic: str,
    finding: str,
    *,
    say: Sequence[str] = (),
    charts: Sequence[Mapping[str, Any]] = (),
    table: Mapping[str, Any] | None = None,
    facts: Sequence[tuple[str, str]] = (),
    method: str = "",
) -> Section:
    """`topic` is a word or two above the finding; `method` the small print below."""
    return {
        "key": key,
        "topic": topic,
        "finding": finding,
        "say": list(say),
        "charts": [dict(chart) for chart in charts],
        "table": dict(table) if table else None,
        "facts": [list(fact) for fact in facts],
        "method": method,
        "empty": None,
    }


def empty(key: str, topic: str, finding: str, next_step: str) -> Section:
    """A section without data yet: what is missing, and what to do or wait for."""
    return {**section(key, topic, finding), "empty": next_step}


def row(
    label: str,
    rate: Rate | Share | None = None,
    *,
    value: float | None = None,
    text: str | None = None,
    mark: float | None = None,
    mark_text: str = "",
    note: str = "",
    state: str = "",
) -> Row:
    """One line of a range chart. `mark` is what it is compared with: the promise, the budget, the rival."""
    return {
        "label": label,
        "value": rate.value if rate is not None else value,
        "low": rate.low if rate is not None else None,
        "high": rate.high if rate is not None else None,
        "n": rate.n if rate is not None else None,
        "text": text if text is not None else rate_text(rate) if rate is not None else "",
        "mark": mark,
        "mark_text": mark_text,
        "note": note,
        "state": state,
    }


def ranges(
    rows: Sequence[Row], *, title: str = "", key: str = "", least: float = 0.0, most: float | None = None
) -> dict[str, Any]:
    """Tracks from `least` to `most`, each with its likely range as a band, its value as a tick, its mark as a
    diamond.
    """
    ends = [x for r in rows for x in (r["value"], r["high"], r["mark"]) if x is not None]
    starts = [x for r in rows for x in (r["value"], r["low"]) if x is not None]
    top = most if most is not None else _round_up(max(ends, default=1.0))
    bottom = least if not starts or min(starts) >= least else -_round_up(-min(starts))
    ends_named = (
        (bottom, 0.0, top) if bottom < 0 else tuple(top * i / _parts(top) for i in range(_parts(top) + 1))
    )
    return {
        "kind": "ranges",
        "title": title,
        "key": key,
        "rows": list(rows),
        "min": bottom,
        "max": top,
        "ticks": list(ends_named),
    }


def plot(
    points: Sequence[Mapping[str, Any]],
    *,
    title: str,
    x: str,
    y: str,
    diagonal: bool,
    bands: Sequence[str] = (),
) -> dict[str, Any]:
    """Points with intervals. `x` and `y` of a point are shares; with `bands`, x is the place of a named band."""
    tops = [p["high"] for p in points] + [p["mark"] for p in points if p.get("mark") is not None]
    if diagonal:
        tops += [p["x"] for p in points]
    top = _round_up(max(tops, default=1.0))
    return {
        "kind": "plot",
        "title": title,
        "x": x,
        "y": y,
        "points": [dict(p) for p in points],
        "max": top,
        "ticks": [top * i / _parts(top) for i in range(_parts(top) + 1)],
        "diagonal": diagonal,
        "bands": list(bands),
    }


def grid(
    title: str, across: Sequence[str], rows: Sequence[Mapping[str, Any]], x: str, y: str
) -> dict[str, Any]:
    """A small table whose cells are tinted by their value."""
    return {
        "kind": "grid",
        "title": title,
        "across": list(across),
        "rows": [dict(r) for r in rows],
        "x": x,
        "y": y,
    }


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {"caption": caption, "columns": list(columns), "rows": [list(r) for r in rows]}


AXIS_ENDS = {0.01: 2, 0.02: 4, 0.05: 5, 0.1: 5, 0.2: 4, 0.25: 5, 0.4: 4, 0.5: 5, 0.6: 3, 0.8: 4, 1.0: 4}
"""where an axis may end, and into how many round steps it is cut then"""


def _round_up(value: float) -> float:
    return next((end for end in AXIS_ENDS if end >= value - 1e-9), float(math.ceil(value)))


def _parts(end: float) -> int:
    return AXIS_ENDS.get(end, 2)
