"""One model for full and sparse records alike: trees that have seen blanks, and a gate that knows a sparse record.

Trees fitted on the rows as they are read a blank as the sign that it was in training; on a record of which somebody knows
little they are worse than the regression alone. Trees fitted on copies of the rows with facts blanked at random, each copy
at a rate of its own, are right on such records, and lose on full ones. So both are kept, and a logistic regression on which
fields are blank says for each lead which it is: a row like those of training, or one of the copies. Its chance mixes the
two on the logit; a lead that is surely one is asked of that one only, so a whole org is scored at the cost of one.

Blanked are only facts that somebody could ask for (blanks.ASKABLE), fields of one fact together. A field that is hidden
from the trees is hidden from the gate: filling it moves no score by a way round.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scoring.model import additive
from scoring.model.blanks import facts
from scoring.model.design import BLANK, Design, Encoded
from scoring.model.estimator import (
    FEW_WINS,
    Part,
    Point,
    Sample,
    Sparse,
    choose,
    fit_tree,
    folds,
    refit,
)
from scoring.model.threads import each

Floats = npt.NDArray[np.float64]

COPIES = 4
RATES = (0.1, 0.7)
"""of a copy's facts that are blanked, drawn evenly between the two for each row"""
HELD = 4
"""one in so many groups judges how many trees, and their share"""
SURE = 1.0
"""standard errors by which they must be better on sparse records than the model without them"""
GATE_RIDGE = 1.0


def learn(layout: Design, sample: Sample, point: Point, seed: int) -> Point:
    """The point model with its trees for sparse records. Below `FEW_WINS`, where trees don't help on full rows, or where on
    leads held out its own don't fare worse on blanks, it stays as it is: the regression takes a blank for an average value."""
    asked = facts(layout, sample.encoded.blank)
    if not point.trees or float((sample.won * sample.weight).sum()) < FEW_WINS or not asked:
        return point
    random = np.random.default_rng(seed + 3)
    held = folds(sample.group, sample.won, HELD, seed + 3) == 0
    if not 0 < sample.won[held].mean() < 1:
        return point
    rest, few, whole = (
        copied(layout, part, asked, random) for part in (sample.take(~held), sample.take(held), sample)
    )
    without = refit(layout, sample.take(~held), point, seed + 3)
    line, plain = without.additive.logit(few.design), without.logit(layout, few.encoded, few.design)
    share, rounds, (told,) = choose(layout, [Part(rest, few, line, line)], seed + 3, COPIES)
    if not _better(told, plain, few):
        return point
    dealt = [whole, *(copied(layout, sample, asked, random) for _ in point.trees[1:])] if share else []
    trees = each(
        lambda i: fit_tree(layout, dealt[i], rounds, seed + 3 + i, COPIES, point.trees[0]), range(len(dealt))
    )
    return replace(point, sparse=Sparse(tuple(trees), share, *gate(layout, sample, whole)))


def _better(told: Floats, plain: Floats, held: Sample) -> bool:
    """Whether the one's losses on sparse records are lower than the other's by more than chance, groups counted once."""
    gain = (np.logaddexp(0, plain) - np.logaddexp(0, told) - held.won * (plain - told)) * held.weight
    by_group = np.bincount(held.group, weights=gain)
    return float(by_group.sum()) > SURE * float(np.sqrt((by_group**2).sum()))


def copied(layout: Design, sample: Sample, asked: list[list[int]], random: np.random.Generator) -> Sample:
    """Copies of the rows with facts blanked; all copies of a row together weigh what it does."""
    rows = np.tile(np.arange(len(sample)), COPIES)
    rate = random.uniform(*RATES, len(rows))
    numbers, codes = sample.encoded.numbers[rows], sample.encoded.codes[rows]
    for fact in asked:
        gone = random.random(len(rows)) < rate
        for f in fact:
            if f < len(layout.numbers):
                numbers[gone, f] = np.nan
            else:
                codes[gone, f - len(layout.numbers)] = BLANK
    encoded = Encoded(numbers, codes)
    return Sample(
        encoded, layout.additive(encoded), sample.won[rows], sample.weight[rows] / COPIES, sample.group[rows],
        sample.lead[rows],
    )  # fmt: skip


def gate(layout: Design, sample: Sample, copies: Sample) -> tuple[Floats, float]:
    """One weight a field, and a constant."""
    seen = np.array([field.name not in layout.unseen_by_trees for field in layout.fields])
    blank = np.vstack([sample.encoded.blank, copies.encoded.blank])[:, seen]
    thin = np.repeat([0.0, 1.0], [len(sample), len(copies)])
    weight = np.concatenate([sample.weight, copies.weight])
    fitted = additive.fit(
        blank.astype(np.float64), thin, weight, ((0, blank.shape[1]),), penalties=np.array([GATE_RIDGE])
    )
    out = np.zeros(len(layout.fields))
    out[seen] = fitted.coef[1:]
    return out, float(fitted.coef[0])
