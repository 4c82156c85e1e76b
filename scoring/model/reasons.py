"""Why a score is what it is: what its sides add, in points of score, and what remains, named.

The additive design is fitted to the model's own logit, so each field has a contribution. Fields that share an
effect (what the lead does; what colleagues do; employees and revenue) are one reason, for their single
contributions are arbitrary and often cancel. Points share out score − 50 in proportion to the logits, so that
they and the remainder add up to it exactly. A contribution is measured from a reference lead that scores 50,
not from the average lead, which in most orgs scores below. What is blank is no reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import contributions
from scoring.model.design import CategoryField, Design, Encoded, Field
from scoring.model.estimator import Point, Sample

Floats = npt.NDArray[np.float64]

TOP = 5
LEAST = 1.0
"""points below which a field is no reason of its own"""
REST = "everything else together"
SIDES = {
    "behavioural": "Activity on the site and by e-mail", "temporal": "Activity on the site and by e-mail",
    "actors": "Activity on the site and by e-mail", "graph": "Others at their company",
}  # fmt: skip
"""families whose fields are one reason, and its name"""
ALIKE = 0.4
"""correlation of two contributions from which on they share an effect"""
CARRIES = 0.75
"""share of a side's points from which on its strongest field speaks for it alone"""


@dataclass(frozen=True)
class Reason:
    """`points` of score, to a tenth. The last reason of a lead is the remainder, with no feature."""

    text: str
    points: float
    feature: str


@dataclass(frozen=True)
class Explainer:
    """`surrogate`: the additive fit to the model's logit; `reference`: each field's contribution on a lead of
    score 50; `sides`: the places of the fields that are one reason."""

    surrogate: Additive
    reference: Floats
    sides: tuple[tuple[int, ...], ...]

    def reasons(
        self, layout: Design, rows: pa.Table, encoded: Encoded, design: Floats, shift: Floats
    ) -> list[list[Reason]]:
        """`shift` is each row's logit less the base rate's."""
        own = self.own(layout, encoded, design)
        score = 100 * sigmoid(shift) - 50
        rate = np.where(np.abs(shift) < 1e-6, 25.0, score / np.where(np.abs(shift) < 1e-6, 1.0, shift))
        points = own * rate[:, None]
        raw = {f.name: rows.column(f.name).to_pylist() for f in layout.categories}
        return [self._one(layout, encoded, raw, i, points[i], float(score[i])) for i in range(rows.num_rows)]

    def own(self, layout: Design, encoded: Encoded, design: Floats) -> Floats:
        """n × fields: what each adds on the logit, measured from a lead of score 50; a blank fact adds nothing."""
        out = contributions(layout, self.surrogate, design) - self.reference
        out[layout.blank(encoded) & ~layout.behaves] = 0.0
        return out

    def _one(
        self, layout: Design, encoded: Encoded, raw: dict[str, list[str | None]], i: int, points: Floats,
        total: float,
    ) -> list[Reason]:  # fmt: skip
        sums = [float(points[list(side)].sum()) for side in self.sides]
        out: list[Reason] = []
        for s in sorted(range(len(sums)), key=lambda s: -abs(sums[s]))[:TOP]:
            if abs(sums[s]) < LEAST:
                break
            same = [f for f in self.sides[s] if points[f] * sums[s] > 0]
            same.sort(key=lambda f: -abs(points[f]))
            said = [self._said(layout.fields[f], encoded, raw, i, f) for f in same[:2]]
            name = SIDES.get(layout.fields[same[0]].family)
            if name is None or len(said) == 1 or points[same[0]] / sums[s] >= CARRIES:
                text = said[0]
            else:
                text = f"{name} ({'; '.join(words.lowered(each) for each in said)})"
            out.append(Reason(text, round(sums[s], 1), layout.fields[same[0]].name))
        rest = round(total, 1) - sum(reason.points for reason in out)
        return [*out, Reason(REST, round(rest, 1), "")]

    def _said(self, field: Field, encoded: Encoded, raw: dict[str, list[str | None]], i: int, f: int) -> str:
        if isinstance(field, CategoryField):
            return words.category(field, raw[field.name][i])
        return words.figure(field, float(encoded.numbers[i, f]))


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
    return Explainer(surrogate, _reference(parts, coef[0], sample, base), _sides(layout, parts))


def _sides(layout: Design, parts: Floats) -> tuple[tuple[int, ...], ...]:
    """Fields of one of SIDES together; of the others those whose contributions go together."""
    spread = parts.std(axis=0)
    centred = (parts - parts.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    alike = np.abs(centred.T @ centred) / max(len(parts), 1) >= ALIKE
    sides: list[list[int]] = []
    for f, field in enumerate(layout.fields):
        name = SIDES.get(field.family)
        for side in sides:
            theirs = SIDES.get(layout.fields[side[0]].family)
            if name == theirs and (name is not None or alike[f, side].any()):
                side.append(f)
                break
        else:
            sides.append([f])
    return tuple(tuple(side) for side in sides)


def _reference(parts: Floats, constant: float, sample: Sample, base: float) -> Floats:
    """Mean contributions of a mixture of all leads and the won ones, mixed so that their logits sum to the
    base's."""
    everyone = np.average(parts, axis=0, weights=sample.weight)
    winners = np.average(parts, axis=0, weights=sample.weight * sample.won)
    gap = float((winners - everyone).sum())
    tilt = (base - constant - float(everyone.sum())) / gap if abs(gap) > 1e-9 else 0.0
    out: Floats = everyone + float(np.clip(tilt, -0.5, 1.5)) * (winners - everyone)
    return out
