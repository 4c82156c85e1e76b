"""What a lead's page says beside the score: what would make us sure, leads like this one, and why the score moved."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.alike import leads_like
from connector.jobs.context import Context
from connector.jobs.fields import facts
from connector.jobs.said import said_by_its_owner
from connector.jobs.trends import Scored, trends
from scoring.features.catalogue import asked_for
from scoring.model import asking, words
from scoring.model.card import Model
from scoring.model.family import Family
from scoring.model.quantiles import Z90
from scoring.model.recent import Recent
from scoring.model.scores import Scores

WIDE = {
    "familiar": "past leads leave open how much what is known of this one counts, and some of what decides is on no record",
    "blanks": "of what the record doesn't say",
    "unseen": "of values that were hardly ever, or never, seen before",
    "recent": "recent outcomes leave open how far the market has moved since the model was trained",
}
"""of each doubt, why it makes a range wide"""
NOTHING = "Nothing that could be asked would narrow this much; more leads like it that have ended will."


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
    ask = [] if sure else asks(context, by, row)
    return {
        "wide": None if sure else why_wide(scores), "ask": ask, "ask_nothing": None if sure or ask else NOTHING,
        "like": {
            "leads": like.leads, "won": like.won, "gone": like.gone,
            "nearest": [
                {**asdict(past), "as_of": past.as_of.isoformat(), "text": past.text} for past in like.nearest
            ],
        },
        "words": said_by_its_owner(context, by.family, lead_id),
        "value": value(model, row, scores),
        "trend": _trend(context, by, row, float(scores.score[0])),
    }  # fmt: skip


def why_wide(scores: Scores) -> str:
    """The largest part of the doubt about the one lead."""
    largest = max(WIDE, key=lambda name: float(getattr(scores, f"width_{name}")[0]))
    width = float(scores.high[0] - scores.low[0])
    return f"The range is {width:.0f} points wide, mostly because {WIDE[largest]}."


def asks(context: Context, by: Scorer, row: pa.Table) -> list[dict[str, Any]]:
    """What to ask for, in fields that a rep knows, each once: what narrows the range most first."""
    every = asking.questions(by.model.asking, by.model.design, by.score, row, len(by.model.asking.facts))
    known = facts(context.settings)
    found: dict[str, asking.Question] = {}
    for question in every:
        found.setdefault(asked_for(question.feature, known) or question.label, question)
    return [_asked(ask_for, question) for ask_for, question in found.items()][: asking.TOP]


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


def _trend(context: Context, by: Scorer, row: pa.Table, score: float) -> dict[str, Any] | None:
    with context.store.begin() as db:
        (found,) = trends(
            db, Scored(row, [by.model], [score], by.recalibration, by.recent), context.clock.now()
        )
    return None if found is None else found.plain()


def _asked(ask_for: str, question: asking.Question) -> dict[str, Any]:
    said = ask_for if question.label == ask_for else f"{ask_for} ({words.lowered(question.label)})"
    return {
        "feature": question.feature, "ask_for": said,
        "width_now": round(question.now, 1), "width_after": round(question.width, 1),
        "cases": [
            {"text": case.text, "chance": round(case.chance, 3), "score": round(case.score, 1),
             "low": round(case.low, 1), "high": round(case.high, 1)}
            for case in question.cases
        ],
    }  # fmt: skip
