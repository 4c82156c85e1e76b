"""Why a score is what it is: what its sides add, in points of score, and what remains, named.

The additive design is fitted to the model's own logit, so each field has a contribution. Fields that share an
effect (what the lead does; what colleagues do; employees and revenue) are one reason, for their single
contributions are arbitrary and often cancel. Points share out score − 50 in proportion to the logits, so that
they and the remainder add up to it exactly. A contribution is measured from a reference lead that scores 50,
not from the average lead, which in most orgs scores below. What recent outcomes add (recent.py) is a reason of its
own where they bear it out.

What remains has a name, too (`RESTS`). What is blank is no reason, and neither is that nothing is: where leads with
the same blanks start is one rest, and a known value is compared with known values only. What the facts come to beyond
the sum of each is another. The last holds what is too small to be told, and what recent outcomes may have moved by
chance. The first two are zero on average over leads that score 50 (docs/decisions/0026).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import together
from scoring.model.design import Design, Encoded
from scoring.model.estimator import Point, Sample

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int16]

TOP = 6
"""reasons that are told, at the most, beside the rests"""
LEAST = 1.0
"""points below which a field is no reason of its own"""
REST = "everything else together"
"""of a move of the score (trend.py), what no cause explains"""
SAME_BLANKS, TOGETHER, SMALLER = "same_blanks", "facts_together", "smaller_things"
RESTS = {
    SAME_BLANKS: "what leads with the same blanks have in common",
    TOGETHER: "how these facts come together",
    SMALLER: "smaller things together",
}
"""what remains beside the reasons, in the order in which it is told: the code in the place of a feature, and its name"""
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
RIDGE = 3.0
"""of the surrogate's fit, toward the regression's own effects"""
CARRIES = 0.75
"""share of a side's points from which on its strongest field speaks for it alone"""


@dataclass(frozen=True)
class Reason:
    """`points` of score, to a tenth. After a lead's reasons come the rests, which have a code of RESTS for a feature; the
    last one always."""

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
    rests: Floats
    """n × 2: what leads with the same blanks have in common, how the facts come together; 0 where it is told among smaller things"""
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
        for code, points in zip((SAME_BLANKS, TOGETHER), self.rests[i].tolist(), strict=True):
            if points:
                out.append(Reason(RESTS[code], round(points, 1), code))
        rest = round(float(self.total[i]), 1) - sum(reason.points for reason in out)
        return [*out, Reason(RESTS[SMALLER], round(rest, 1), SMALLER)]


@dataclass(frozen=True)
class Shifts:
    """Of each row, in logits from the base rate's: `now`, what its score comes of; `alone`, without recent outcomes;
    `lately`, what of the difference they bear out. `sparse`: 0-1, how far the model takes it for a sparse record."""

    now: Floats
    alone: Floats
    lately: Floats
    sparse: Floats


@dataclass(frozen=True)
class Explainer:
    """`surrogate`: the additive fit to the model's logit; `reference`: each field's contribution on a lead of
    score 50 that has it; `blank`: what a blank of each field adds instead, less the reference; `start`: how far the
    references come to more than the base rate, as where they are all known nothing is blank; `sides`: the places of the
    fields that are one reason."""

    surrogate: Additive
    reference: Floats
    blank: Floats
    start: float
    sides: tuple[tuple[int, ...], ...]

    def reasons(
        self, layout: Design, rows: pa.Table, encoded: Encoded, design: Floats, shifts: Shifts
    ) -> Reasons:
        """Encoded, design and shifts may have rows more than the table."""
        blank = lacks(layout, encoded)
        own = self._own(layout, blank, design)
        score, by = 100 * sigmoid(shifts.now) - 50, rate(shifts.now)
        rests = self.rests(own, blank, shifts) * by[:, None]
        rests[np.abs(rests) < LEAST] = 0.0
        own *= by[:, None]
        sums = np.empty((len(score), len(self.sides) + 1))
        for s, side in enumerate(self.sides):
            sums[:, s] = own[:, side[0]] if len(side) == 1 else own[:, list(side)].sum(axis=1)
        sums[:, -1] = shifts.lately * by
        shown, points = _strongest(sums)
        n = rows.num_rows
        return Reasons(
            layout, self.sides, shown[:n], points[:n], self._spoken(layout, own, shown, points)[:n], rests[:n], score[:n],
            encoded.numbers[:n], rows.select([field.name for field in layout.categories]),
        )  # fmt: skip

    def own(self, layout: Design, encoded: Encoded, design: Floats) -> Floats:
        """n × fields: what each adds on the logit, measured from a lead of score 50; a blank fact adds nothing."""
        return self._own(layout, lacks(layout, encoded), design)

    def _own(self, layout: Design, blank: Bools, design: Floats) -> Floats:
        out = layout.contributions(self.surrogate.coef, design)
        out -= self.reference
        out[blank] = 0.0
        return out

    def rests(self, own: Floats, blank: Bools, shifts: Shifts) -> Floats:
        """n × 2, logits: what blanks add, and what the facts come to beyond what each adds. On a record that the model takes
        for a sparse one, the latter is what it makes of so many blanks."""
        out = np.empty((len(own), 2))
        out[:, 0] = blank @ self.blank + self.start
        beyond = shifts.alone - own.sum(axis=1) - out[:, 0]
        thin = shifts.sparse * beyond
        out[:, 0] += thin
        out[:, 1] = beyond - thin
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


def lacks(layout: Design, encoded: Encoded) -> Bools:
    """n × fields: where a value is not known (a behaviour's blank is known: it never happened)."""
    return encoded.blank & ~layout.behaves


def learn(layout: Design, sample: Sample, point: Point, base: float) -> Explainer:
    """`base`: the logit of the base rate."""
    logit = point.logit(layout, sample.encoded, sample.design)
    blank = lacks(layout, sample.encoded)
    coef, blanks = _fitted(layout, sample, point, blank, logit, rate(logit - base))
    surrogate = Additive(coef, np.zeros((1, 1)), np.zeros(0))
    parts = layout.contributions(surrogate.coef, sample.design)
    reference, mean = _reference(parts, blank, sample, logit, base)
    beyond = mean(logit - coef[0] - parts.sum(axis=1) - blank @ blanks)
    start = coef[0] + beyond + float(reference.sum()) - base
    return Explainer(surrogate, reference, blanks - reference, start, _sides(layout, parts))


def _fitted(
    layout: Design, sample: Sample, point: Point, blank: Bools, logit: Floats, by: Floats
) -> tuple[Floats, Floats]:
    """The additive fit to the model's logit, each row as weighty as it is in points of score: the coefficients of the design,
    the constant first, and what a blank of each field adds. Blanks have columns of their own, fields that are blank together
    one, or known values would answer for them. What the rows leave open is as in the model's own regression."""
    lacking = together(blank, np.flatnonzero(blank.any(axis=0)).tolist())
    full = np.column_stack(
        [np.ones(len(sample)), sample.design, *(blank[:, fact].mean(axis=1) for fact in lacking)]
    )
    ridge = np.full(full.shape[1], RIDGE)
    ridge[0] = 1e-9
    toward = np.zeros(full.shape[1])
    count = 1 + sample.design.shape[1]
    speaks = point.additive if point.told is None else point.told.regression
    toward[:count] = point.slope * speaks.coef[:count]
    toward[0] += point.offset
    weight = sample.weight * (by / 50) ** 2
    gram = full.T @ (full * weight[:, None]) + np.diag(ridge)
    coef = toward + np.linalg.solve(gram, full.T @ (weight * (logit - full @ toward)))
    blanks = np.zeros(len(layout.fields))
    for fact, effect in zip(lacking, coef[count:], strict=True):
        blanks[fact] = effect / len(fact)
    return coef[:count], blanks


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


def _reference(
    parts: Floats, blank: Bools, sample: Sample, logit: Floats, base: float
) -> tuple[Floats, Callable[[Floats], float]]:
    """Each field's mean contribution where it is known, in a mixture of all leads and the won ones whose mean logit is the
    base's; and what takes the mean of values of rows in that mixture."""
    everyone = sample.weight / sample.weight.sum()
    winners = sample.weight * sample.won / float(sample.weight @ sample.won)
    gap = float((winners - everyone) @ logit)
    tilt = float(np.clip((base - float(everyone @ logit)) / gap, -0.5, 1.5)) if abs(gap) > 1e-9 else 0.0

    def known(weight: Floats) -> tuple[Floats, Floats]:
        share = weight @ ~blank
        return share, (weight @ np.where(blank, 0.0, parts)) / np.where(share > 0, share, 1.0)

    (_, usual), (some, won) = known(everyone), known(winners)
    out: Floats = np.where(some > 0, usual + tilt * (won - usual), usual)
    return out, lambda values: float((everyone + tilt * (winners - everyone)) @ values)
