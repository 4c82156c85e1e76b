"""Why a score is what it is: what single fields add, in points of score, and what remains, named.

The additive design is fitted to the model's own logit, so each field has a contribution. Points share out
score − 50 in proportion to the logits, so that they and the remainder add up to it exactly. A contribution is
measured from a reference lead that scores 50, not from the average lead, which in most orgs scores below.
What is blank is no reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import contributions
from scoring.model.design import CategoryField, Design, Encoded
from scoring.model.estimator import Point, Sample

Floats = npt.NDArray[np.float64]

TOP = 5
LEAST = 1.0
"""points below which a field is no reason of its own"""
REST = "everything else together"


@dataclass(frozen=True)
class Reason:
    """`points` of score, to a tenth. The last reason of a lead is the remainder, with no feature."""

    text: str
    points: float
    feature: str


@dataclass(frozen=True)
class Explainer:
    """`surrogate`: the additive fit to the model's logit; `reference`: each field's contribution on a lead of
    score 50."""

    surrogate: Additive
    reference: Floats

    def reasons(
        self, layout: Design, rows: pa.Table, encoded: Encoded, design: Floats, shift: Floats
    ) -> list[list[Reason]]:
        """`shift` is each row's logit less the base rate's."""
        own = contributions(layout, self.surrogate, design) - self.reference
        own[layout.blank(encoded) & ~layout.behaves] = 0.0
        score = 100 * sigmoid(shift) - 50
        rate = np.where(np.abs(shift) < 1e-6, 25.0, score / np.where(np.abs(shift) < 1e-6, 1.0, shift))
        points = own * rate[:, None]
        order = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :TOP]
        raw = {f.name: rows.column(f.name).to_pylist() for f in layout.categories}
        return [
            self._one(layout, encoded, raw, i, order[i], points[i], float(score[i]))
            for i in range(rows.num_rows)
        ]

    def _one(
        self, layout: Design, encoded: Encoded, raw: dict[str, list[str | None]], i: int,
        order: npt.NDArray[np.int64], points: Floats, total: float,
    ) -> list[Reason]:  # fmt: skip
        out: list[Reason] = []
        for f in order:
            if abs(points[f]) < LEAST:
                break
            field = layout.fields[f]
            text = (
                words.category(field, raw[field.name][i])
                if isinstance(field, CategoryField)
                else words.figure(field, float(encoded.numbers[i, f]))
            )
            out.append(Reason(text, round(float(points[f]), 1), field.name))
        rest = round(total, 1) - sum(reason.points for reason in out)
        return [*out, Reason(REST, round(rest, 1), "")]


def learn(layout: Design, sample: Sample, point: Point, base: float) -> Explainer:
    """`base`: the logit of the base rate."""
    logit = point.logit(layout, sample.encoded, sample.design)
    p = sigmoid(logit)
    weight = sample.weight * p * (1 - p)
    full = np.column_stack([np.ones(len(sample)), sample.design])
    ridge = np.full(full.shape[1], 1.0)
    ridge[0] = 1e-9
    for (a, b), penalty in zip(layout.groups, point.additive.penalties, strict=True):
        # where there are trees, a field idle in the regression may still matter in them
        ridge[1 + a : 1 + b] = min(penalty, 10.0) if point.trees else penalty * 1e-3
    gram = full.T @ (full * weight[:, None]) + np.diag(ridge)
    coef = np.linalg.solve(gram, full.T @ (weight * logit))
    surrogate = Additive(coef, np.zeros((1, 1)), np.zeros(0))
    parts = contributions(layout, surrogate, sample.design)
    return Explainer(surrogate, _reference(parts, coef[0], sample, base))


def _reference(parts: Floats, constant: float, sample: Sample, base: float) -> Floats:
    """Mean contributions of a mixture of all leads and the won ones, mixed so that their logits sum to the
    base's."""
    everyone = np.average(parts, axis=0, weights=sample.weight)
    winners = np.average(parts, axis=0, weights=sample.weight * sample.won)
    gap = float((winners - everyone).sum())
    tilt = (base - constant - float(everyone.sum())) / gap if abs(gap) > 1e-9 else 0.0
    out: Floats = everyone + float(np.clip(tilt, -0.5, 1.5)) * (winners - everyone)
    return out
