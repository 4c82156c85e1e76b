"""The regression beside the trees: one that is told which facts are blank.

Alone, the regression takes a blank for an average value, which is right of a record that lacks what others have, and
wrong where blanks speak (leads without an occupation never came to that form). Trees read blanks. An average of trees
with a regression that doesn't is off by the regression's share of what blanks say, wherever they say something, and
nothing in the width of its range knows of it: docs/decisions/0027. So beside trees the regression has a column for each
field that may be blank, all with one penalty that is learnt like the others: where blanks say nothing, they add nothing.
(A penalty for each found effects in worlds that had none: with a hundred wins one field in ten looks as if its blanks
spoke.) Fields that are hidden from the trees (their filling would move scores though their values tell nothing) have
none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model import additive
from scoring.model.additive import Additive
from scoring.model.design import Design

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ENOUGH = 20
"""leads that a fact needs to be blank on, and to be known on"""
START = 10.0
"""penalty of blanks' effects before anything is learnt"""
STEPS, AGAIN = 12, 4
"""of a first fit, from the regression that reads no blanks, and of one from another fit's end"""


@dataclass(frozen=True)
class Told:
    """`places`: the fields whose blanks it reads, in the order of the last columns of `regression`, whose other columns are
    the additive design's."""

    places: Ints
    regression: Additive

    def columns(self, design: Floats, blank: Bools) -> Floats:
        """n × columns that the regression acts on. `blank`: n × fields."""
        return np.hstack([design, blank[:, self.places].astype(np.float64)])

    def logit(self, design: Floats, blank: Bools) -> Floats:
        return self.regression.logit(self.columns(design, blank))

    def contributions(self, layout: Design, design: Floats, blank: Bools) -> Floats:
        """n × fields: what each adds to the logit, by its value or by its blank."""
        out = layout.contributions(self.regression.coef, design)
        out[:, self.places] += blank[:, self.places] * self.regression.coef[1 + design.shape[1] :]
        return out


def learn(
    layout: Design, design: Floats, blank: Bools, won: Floats, weight: Floats, plain: Additive
) -> Told | None:
    """Fitted from where the regression without blanks ended; None where no field's blanks may say something."""
    read = places(layout, blank, weight)
    if not len(read):
        return None
    coef = np.append(plain.coef, np.zeros(len(read)))
    start = Additive(coef, np.zeros((1, 1)), np.append(plain.penalties, START))
    return again(layout, design, blank, won, weight, Told(read, start), STEPS)


def again(
    layout: Design, design: Floats, blank: Bools, won: Floats, weight: Floats, like: Told, steps: int = AGAIN
) -> Told:
    """The same on other rows or labels, from where `like` ended."""
    k, more = design.shape[1], len(like.places)
    fitted = additive.fit(
        like.columns(design, blank), won, weight,
        (*layout.groups, (k, k + more)), start=like.regression, usual=np.append(layout.usual, 0.0), steps=steps,
    )  # fmt: skip
    return Told(like.places, fitted)


def places(layout: Design, blank: Bools, weight: Floats) -> Ints:
    """Fields whose blanks may say something: those that trees may read, blank and known on enough leads, and blank on others
    than the fields before them. A behaviour's blank has its column already."""
    out: list[int] = []
    leads, every = weight @ blank, float(weight.sum())
    for f, field in enumerate(layout.fields):
        if field.name in layout.unseen_by_trees or layout.behaves[f]:
            continue
        if ENOUGH <= leads[f] <= every - ENOUGH and not any((blank[:, f] == blank[:, g]).all() for g in out):
            out.append(f)
    return np.array(out, np.int64)
