"""How scores moved of late, and why (S3.4): one trend of a lead, in its field in the CRM, on its page, from the command line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from connector.store.bulk import sql
from scoring.model import trend
from scoring.model.card import Model
from scoring.model.recent import Recent

BACK = timedelta(days=7)
"""how far back a move is looked for"""
AT_ONCE = 20_000
"""leads whose former inputs are held in memory together"""
LEAST = 1.0
"""points below which a score hasn't moved"""
FIRST = "First score"
MOST = 255
"""characters that a text field of a CRM takes"""


@dataclass(frozen=True, slots=True)
class Trend:
    """The greatest move to now from a score of the last week (or the last one before it), with its cause."""

    since: datetime
    score_then: float
    move: trend.Move

    @property
    def unchanged(self) -> bool:
        return abs(self.move.points) < LEAST

    @property
    def text(self) -> str:
        """'+14 since Tuesday 24 November: colleagues active this month 2, was 0'. The day is named whole: a text in a CRM stays
        for weeks."""
        day = f"{self.since:%A} {self.since.day} {self.since:%B}"
        if self.unchanged:
            return f"Unchanged since {day}"
        because = self.move.text
        return f"{self.move.points:+.0f} since {day}" + (f": {because}" if because else "")

    def plain(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(), "score_then": self.score_then, "points": self.move.points,
            "causes": [asdict(cause) for cause in self.move.causes], "text": self.text,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """Leads as of now, a row each: by which model, and with what score."""

    rows: pa.Table
    by: Sequence[Model]
    score: Sequence[float]
    recalibration: str | None
    recent: Recent | None


def trends(db: Connection, now: Scored, at: datetime) -> list[Trend | None]:
    """In the order of the rows; None for a lead that has no score yet, or an unchanged one of the same day only."""
    out: list[Trend | None] = []
    for start in range(0, now.rows.num_rows, AT_ONCE):
        some = slice(start, start + AT_ONCE)
        rows = now.rows.slice(start, AT_ONCE)
        out += _trends(db, replace(now, rows=rows, by=now.by[some], score=now.score[some]), at)
    return out


def _trends(db: Connection, now: Scored, at: datetime) -> list[Trend | None]:
    leads = now.rows["lead_id"].to_pylist()
    then = _before(db, leads, dict(zip(leads, now.score, strict=True)), at)
    out: list[Trend | None] = [None] * len(leads)
    together: dict[str, list[int]] = defaultdict(list)
    for i, lead in enumerate(leads):
        if lead in then:
            together[now.by[i].version].append(i)
    for places in together.values():
        was = [then[leads[i]] for i in places]
        model = now.by[places[0]]
        rows = now.rows.take(pa.array(places))
        same = (model.version, now.recalibration)
        found = trend.moves(
            model.explainer, model.design, partial(model.score, recent=now.recent),
            as_they_were(rows, [one.inputs for one in was]), rows,
            [None if (one.model, one.recalibration) == same else float(one.score) for one in was],
        )  # fmt: skip
        for i, one, move in zip(places, was, found, strict=True):
            trended = Trend(one.at, float(one.score), move)
            out[i] = None if trended.unchanged and one.at.date() == at.date() else trended
    return out


def in_field(found: Trend | None) -> str:
    """As it is written into the CRM."""
    said = FIRST if found is None else found.text
    return said if len(said) <= MOST else said[: MOST - 1].rsplit(" ", 1)[0] + "…"


def _before(db: Connection, leads: Sequence[str], score: Mapping[str, float], at: datetime) -> dict[str, Any]:
    """The score of each lead from which it moved furthest, whole, the earliest where it hasn't moved; no entry without any."""
    furthest: dict[str, tuple[tuple[float, float], datetime]] = {}
    for row in db.execute(text(sql("lately")), {"ids": list(leads), "since": at - BACK}):
        moved = round(abs(score[row.lead_id] - row.score), 1)
        far = (moved, row.at.timestamp()) if moved >= LEAST else (0.0, -row.at.timestamp())
        if row.lead_id not in furthest or far > furthest[row.lead_id][0]:
            furthest[row.lead_id] = (far, row.at)
    if not furthest:
        return {}
    chosen = {"ids": list(furthest), "times": [when for _, when in furthest.values()]}
    return {row.lead_id: row for row in db.execute(text(sql("scores_of_then")), chosen)}


def as_they_were(rows: pa.Table, inputs: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of the same columns with stored inputs in them: numbers and texts, all that a model or a flag reads."""
    columns = {}
    for field in rows.schema:
        plain = not pa.types.is_temporal(field.type)
        values = [one.get(field.name) for one in inputs]
        columns[field.name] = pa.array(
            [value if plain and isinstance(value, int | float | str) else None for value in values],
            field.type,
        )
    return pa.table(columns, schema=rows.schema)
