"""Why two models score the same lead differently: the side of the lead whose points differ the most between them, the way the
score moved.

Each model explains its own score (reasons.py); fields are put together as the new model does, so that what is one reason there
is compared as one. What recent outcomes bear out of each is a side of its own, as it is a reason, and so are the rests that no
field explains; what of recent outcomes' move may be chance is in the last of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import log_odds
from scoring.model.card import Model
from scoring.model.design import Encoded
from scoring.model.reasons import LATELY, RESTS, Shifts, lacks, rate
from scoring.model.recent import Recent
from scoring.model.scores import to_score

Floats = npt.NDArray[np.float64]

RECENT = "what recent outcomes add"


@dataclass(frozen=True)
class Difference:
    """`points` that a side adds to the score by the one model and by the other. What no field explains has a code for a
    feature."""

    text: str
    points: tuple[float, float]
    feature: str

    @property
    def sentence(self) -> str:
        """'industry: mining: +3 → +12 points'."""
        then, now = (round(each) for each in self.points)
        return f"{words.lowered(self.text)}: {then:+d} → {now:+d} points"


@dataclass(frozen=True)
class _Told:
    """What a model says of one lead: its score, points by feature, what recent outcomes bear out, and what is left, in the
    order of RESTS."""

    score: float
    encoded: Encoded
    fields: dict[str, float]
    lately: float
    rests: tuple[float, ...]


def difference(
    was: tuple[Model, Recent | None, pa.Table], now: tuple[Model, Recent | None, pa.Table]
) -> Difference:
    """Of one lead: a model, what recent outcomes say of it, and the lead as it sees it, a table of one row."""
    (old, new), layout = (_told(*was), _told(*now)), now[0].design
    sides = [[layout.fields[f].name for f in side] for side in now[0].explainer.sides]
    sides += [[name] for name in old.fields if name not in new.fields]
    found = [Difference(RECENT, (old.lately, new.lately), LATELY)]
    for (code, text), then, later in zip(RESTS.items(), old.rests, new.rests, strict=True):
        found.append(Difference(text, (then, later), code))
    sign = 1.0 if new.score >= old.score else -1.0
    for side in sides:
        apart = {name: sign * (new.fields.get(name, 0.0) - old.fields.get(name, 0.0)) for name in side}
        first = max(side, key=lambda name: apart[name])
        model, told, rows = (now[0], new, now[2]) if first in new.fields else (was[0], old, was[2])
        points = (sum(old.fields.get(n, 0.0) for n in side), sum(new.fields.get(n, 0.0) for n in side))
        found.append(Difference(_said(model, told, rows, first), points, first))
    return max(found, key=lambda one: sign * (one.points[1] - one.points[0]))


def _told(model: Model, recent: Recent | None, rows: pa.Table) -> _Told:
    encoded = model.design.encode(rows)
    design = model.design.additive(encoded)
    parts = model.point.parts(model.design, encoded, design)
    alone = model.point.combine(parts)
    logit, borne_out = alone, np.zeros(1)
    if recent is not None:
        moved = recent.moved(alone)
        logit, borne_out = moved.logit, moved.told
    base = log_odds(model.base_rate)
    shift = logit - base
    by = float(rate(shift)[0])
    explainer, layout = model.explainer, model.design
    own = explainer.own(layout, encoded, design)
    shifts = Shifts(shift, alone - base, borne_out, parts.sparse)
    rests = (explainer.rests(own, lacks(layout, encoded), shifts)[0] * by).tolist()
    points = (own[0] * by).tolist()
    lately = float(borne_out[0]) * by
    score = float(to_score(shift)[0])
    left = score - 50 - sum(points) - lately - sum(rests)
    return _Told(score, encoded, dict(zip(layout.names, points, strict=True)), lately, (*rests, left))


def _said(model: Model, told: _Told, rows: pa.Table, name: str) -> str:
    place = model.design.names.index(name)
    return words.told(model.design.fields[place], rows, told.encoded.numbers, 0, place)
