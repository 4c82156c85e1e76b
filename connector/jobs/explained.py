"""What a lead's page says beside the score: what would make us sure, leads like this one, and why the score moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from connector.jobs.alike import leads_like
from connector.jobs.context import Context
from connector.jobs.said import said_by_its_owner
from connector.store import schema as t
from scoring.model import asking, trend
from scoring.model.card import Model
from scoring.model.family import Family
from scoring.model.quantiles import Z90
from scoring.model.recent import Recent
from scoring.model.scores import Scores

BACK = timedelta(days=7)
"""how far back a move is looked for"""


@dataclass(frozen=True, slots=True)
class Scorer:
    """What scored a lead: the model that the router picked of its family, and what recent outcomes say of it."""

    family: Family
    model: Model
    recalibration: str | None
    recent: Recent | None

    def score(self, rows: pa.Table) -> Scores:
        return self.model.score(rows, self.recent)


def explained(context: Context, by: Scorer, lead_id: str, row: pa.Table, scores: Scores) -> dict[str, Any]:
    """`row`: the lead's features as of now, a table of one row; `scores`: the model's of it."""
    sure = int(scores.confidence[0]) >= context.policy.words.edge_case_confidence
    like = leads_like(context, by.model, lead_id, row)
    model = by.model
    return {
        "ask": [] if sure else [_asked(q) for q in asking.questions(model.asking, model.design, by.score, row)],
        "like": {
            "leads": like.leads, "won": like.won, "gone": like.gone,
            "nearest": [
                {**asdict(past), "as_of": past.as_of.isoformat(), "text": past.text} for past in like.nearest
            ],
        },
        "words": said_by_its_owner(context, by.family, lead_id),
        "value": value(model, row, scores),
        "trend": moved(context, by, lead_id, row, float(scores.score[0])),
    }  # fmt: skip


def value(model: Model, row: pa.Table, scores: Scores) -> dict[str, Any] | None:
    """What the deal would bring if it is won, and the expected value, each with its 90 % range; None where no amount is
    known. The first range is of this one deal, the second of what such leads bring on average: the doubts of the chance
    and of the mean amount, which add up in quadrature on the logarithm."""
    expected = float(scores.expected_value[0])
    if not math.isfinite(expected):
        return None
    design = model.design.additive(model.design.encode(row))
    low, high = model.amounts.ranges(design)
    odds = model.base_rate / (1 - model.base_rate)
    ends = np.array([scores.low[0], scores.high[0]]) / 100
    chances = ends * odds / (1 - ends + ends * odds)
    doubt = Z90 * float(model.amounts.doubt(design)[0])
    far = np.hypot(np.log(chances / float(scores.probability[0])), doubt)
    return {
        "if_won": float(scores.expected_amount[0]), "if_won_low": float(low[0]), "if_won_high": float(high[0]),
        "expected": expected, "low": expected * math.exp(-far[0]), "high": expected * math.exp(far[1]),
    }  # fmt: skip


def _asked(question: asking.Question) -> dict[str, Any]:
    return {
        "feature": question.feature, "ask_for": question.label,
        "width_now": round(question.now, 1), "width_after": round(question.width, 1),
        "cases": [
            {"text": case.text, "chance": round(case.chance, 3), "score": round(case.score, 1),
             "low": round(case.low, 1), "high": round(case.high, 1)}
            for case in question.cases
        ],
    }  # fmt: skip


def moved(context: Context, by: Scorer, lead_id: str, row: pa.Table, score: float) -> dict[str, Any] | None:
    """The greatest move to now from a score of the last week (or the last one before it), with its cause; None before the
    first score."""
    now, model = context.clock.now(), by.model
    query = select(
        t.score.c.at, t.score.c.score, t.score.c.model, t.score.c.recalibration, t.score.c.inputs
    ).where(t.score.c.lead_id == lead_id)
    with context.store.begin() as db:
        lately = db.execute(query.where(t.score.c.at >= now - BACK).order_by(t.score.c.at)).all()
        before = db.execute(
            query.where(t.score.c.at < now - BACK).order_by(t.score.c.at.desc()).limit(1)
        ).all()
    if not lately and not before:
        return None
    then = max([*before, *lately], key=lambda was: (round(abs(score - was.score), 1), was.at))
    found = trend.move(
        model.explainer, model.design, by.score, pa.concat_tables([as_it_was(row, then.inputs), row]),
        None if (then.model, then.recalibration) == (model.version, by.recalibration) else then.score,
    )  # fmt: skip
    return {
        "since": then.at.isoformat(), "score_then": then.score, "points": found.points,
        "causes": [asdict(cause) for cause in found.causes], "text": said(found, then.at, now),
    }  # fmt: skip


def as_it_was(row: pa.Table, inputs: Mapping[str, Any]) -> pa.Table:
    """A row of the same columns with stored inputs in them: numbers and texts, all that a model or a flag reads."""
    columns = {}
    for field in row.schema:
        value = inputs.get(field.name)
        plain = isinstance(value, int | float | str) and not pa.types.is_temporal(field.type)
        columns[field.name] = pa.array([value if plain else None], field.type)
    return pa.table(columns, schema=row.schema)


def said(move: trend.Move, then: datetime, now: datetime) -> str:
    """'+14 since Tuesday: others at their company: colleagues active this month 2, was 0'."""
    day = (
        f"{then:%A}"
        if now - then < timedelta(days=6) and now.date() != then.date()
        else f"{then.day} {then:%B}"
    )
    if now.date() == then.date():
        day = "this morning" if then.hour < 12 else "today"
    if abs(move.points) < 1:
        return f"Unchanged since {day}"
    because = move.text
    return f"{move.points:+.0f} since {day}" + (f": {because}" if because else "")
