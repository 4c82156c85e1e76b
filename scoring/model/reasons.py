"""Why a score is what it is: what its sides add, in points of score, and what remains, named.

The additive design is fitted to the model's own logit, so each field has a contribution. Fields that share an
effect (what the lead does; what colleagues do; employees and revenue) are one reason, for their single
contributions are arbitrary and often cancel. Points share out score − 50 in proportion to the logits, so that
they and the remainder add up to it exactly. A contribution is measured from a reference lead that scores 50,
not from the average lead, which in most orgs scores below. What is blank is no reason. What recent outcomes add
(recent.py) is a reason of its own where they bear it out; where it may be chance it is part of the remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import Additive, sigmoid
from scoring.model.design import Design, Encoded
from scoring.model.estimator import Point, Sample

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int16]

TOP = 5
LEAST = 1.0
"""points below which a field is no reason of its own"""
REST = "everything else together"
LATELY = "recent_outcomes"
"""stands for a feature where recent outcomes are the reason"""
MORE, LESS = "Such leads were won more often lately", "Such leads were won less often lately"
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


@dataclass(frozen=True, eq=False)
class Reasons(Sequence[list[Reason]]):
    """The reasons of each row, kept as numbers; sentences are made of those that are looked at. A reason is a side of the
    lead (its place in `sides`, -1 where there are fewer than TOP; one beyond them: recent outcomes), its points, and the
    one or two fields that speak for it (-1: none)."""

    layout: Design
    sides: tuple[tuple[int, ...], ...]
    side: Places
    """n × TOP, the strongest first, as are the others"""
    points: Floats
    spoken: Places
    """n × TOP × 2"""
    total: Floats
    """score less 50"""
    numbers: Floats
    values: pa.Table
    """of the categories, as text"""

    def __len__(self) -> int:
        return len(self.total)

    @overload
    def __getitem__(self, which: int) -> list[Reason]: ...
    @overload
    def __getitem__(self, which: slice) -> list[list[Reason]]: ...
    def __getitem__(self, which: int | slice) -> list[Reason] | list[list[Reason]]:
        if isinstance(which, slice):
            return [self._row(i) for i in range(*which.indices(len(self)))]
        return self._row(range(len(self))[which])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def _row(self, i: int) -> list[Reason]:
        out = []
        for side, points, spoken in zip(
            self.side[i].tolist(), self.points[i].tolist(), self.spoken[i].tolist(), strict=True
        ):
            if side < 0:
                break
            if side == len(self.sides):
                out.append(Reason(MORE if points > 0 else LESS, round(points, 1), LATELY))
                continue
            fields = self.layout.fields
            said = [words.told(fields[f], self.values, self.numbers, i, f) for f in spoken if f >= 0]
            first = fields[spoken[0]]
            together = f"{SIDES.get(first.family)} ({'; '.join(words.lowered(each) for each in said)})"
            out.append(Reason(said[0] if len(said) == 1 else together, round(points, 1), first.name))
        rest = round(float(self.total[i]), 1) - sum(reason.points for reason in out)
        return [*out, Reason(REST, round(rest, 1), "")]


@dataclass(frozen=True)
class Explainer:
    """`surrogate`: the additive fit to the model's logit; `reference`: each field's contribution on a lead of
    score 50; `sides`: the places of the fields that are one reason."""

    surrogate: Additive
    reference: Floats
    sides: tuple[tuple[int, ...], ...]

    def reasons(
        self, layout: Design, rows: pa.Table, encoded: Encoded, design: Floats, shift: Floats, lately: Floats
    ) -> Reasons:
        """`shift` is each row's logit less the base rate's, `lately` what of it recent outcomes bear out. Encoded, design and
        shift may have rows more than the table."""
        own = self.own(layout, encoded, design)
        score, by = 100 * sigmoid(shift) - 50, rate(shift)
        own *= by[:, None]
        sums = np.empty((len(score), len(self.sides) + 1))
        for s, side in enumerate(self.sides):
            sums[:, s] = own[:, side[0]] if len(side) == 1 else own[:, list(side)].sum(axis=1)
        sums[:, -1] = lately * by
        shown, points = _strongest(sums)
        n = rows.num_rows
        return Reasons(
            layout, self.sides, shown[:n], points[:n], self._spoken(layout, own, shown, points)[:n], score[:n], encoded.numbers[:n],
            rows.select([field.name for field in layout.categories]),
        )  # fmt: skip

    def own(self, layout: Design, encoded: Encoded, design: Floats) -> Floats:
        """n × fields: what each adds on the logit, measured from a lead of score 50; a blank fact adds nothing."""
        out = layout.contributions(self.surrogate.coef, design) - self.reference
        out[layout.blank(encoded) & ~layout.behaves] = 0.0
        return out

    def _spoken(self, layout: Design, own: Floats, shown: Places, points: Floats) -> Places:
        """The strongest field of each side shown that pulls its way, and the next of a side with a name, unless the first
        carries most of it."""
        out = np.full((*shown.shape, 2), -1, np.int16)
        for s, side in enumerate(self.sides):
            row, place = np.nonzero(shown == s)
            if len(side) == 1 or not len(row):
                out[row, place, 0] = side[0]
                continue
            total = points[row, place]
            pull = own[np.ix_(row, np.array(side))] * np.sign(total)[:, None]
            order = np.argsort(-pull, axis=1, kind="stable")[:, :2]
            fields, each = np.array(side)[order], np.take_along_axis(pull, order, axis=1)
            out[row, place, 0] = fields[:, 0]
            if layout.fields[side[0]].family in SIDES:
                two = (each[:, 1] > 0) & (each[:, 0] < CARRIES * np.abs(total))
                out[row[two], place[two], 1] = fields[two, 1]
        return out


def rate(shift: Floats) -> Floats:
    """Points of score for each logit of a lead's distance from the base rate."""
    none = np.abs(shift) < 1e-6
    out: Floats = np.where(none, 25.0, (100 * sigmoid(shift) - 50) / np.where(none, 1.0, shift))
    return out


def _strongest(sums: Floats) -> tuple[Places, Floats]:
    """Of each row the TOP sides by size, of at least LEAST points, and their points; -1 beyond."""
    size = np.abs(sums)
    most = min(TOP, sums.shape[1])
    order = np.argsort(-size, axis=1, kind="stable")[:, :most]
    points = np.take_along_axis(sums, order, axis=1)
    shown = np.where(np.abs(points) >= LEAST, order, -1).astype(np.int16)
    return shown, np.where(shown >= 0, points, 0.0)


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
    parts = layout.contributions(surrogate.coef, sample.design)
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
