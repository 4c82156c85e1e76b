"""Why a score moved: what has changed of the lead, in points that add up to the move with a named remainder, and what a
new model made of what had not changed.

Both moments are explained with the present model's contributions, so that a field that is the same has no part in it.
What lies between the present model's score of the lead as it was and the score that was said then is the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import sigmoid
from scoring.model.design import CategoryField, Design, Encoded
from scoring.model.reasons import LEAST, REST, Explainer
from scoring.model.scores import Scores

Floats = npt.NDArray[np.float64]

TOP = 3
"""causes that are told, at the most"""
MODEL = "the model changed"


@dataclass(frozen=True)
class Cause:
    """`points` of score, to a tenth. The remainder has no feature."""

    text: str
    points: float
    feature: str


@dataclass(frozen=True)
class Move:
    """`points` is the whole move, which the causes add up to; the largest first, the remainder last."""

    points: float
    causes: tuple[Cause, ...]

    @property
    def text(self) -> str:
        """'Colleagues active this month 3, was 0; the model changed (-2)', or nothing where nothing of weight changed."""
        told = [cause for cause in self.causes if cause.text != REST and cause.points * self.points > 0]
        against = [
            c for c in self.causes if c.text != REST and c.points * self.points < 0 and abs(c.points) >= 3
        ]
        said = [words.lowered(cause.text) for cause in told]
        return "; ".join([*said, *(f"{words.lowered(c.text)} ({c.points:+.0f})" for c in against)])


def moves(
    explainer: Explainer, layout: Design, score: Callable[[pa.Table], Scores], then: pa.Table, now: pa.Table,
    said: Sequence[float | None],
) -> list[Move]:  # fmt: skip
    """Of leads, a row each in `then` and in `now`, tables of the same columns. `score`: the present model's; `said`: the score
    that another model gave then, None where it was this one."""
    n = now.num_rows
    rows = pa.concat_tables([then, now])
    found = score(rows).score
    encoded = layout.encode(rows)
    own = explainer.own(layout, encoded, layout.additive(encoded))
    shift = np.log(found / (100 - found))
    out = []
    for i, was in enumerate(said):
        moved, logits = float(found[n + i] - found[i]), float(shift[n + i] - shift[i])
        slope = 100 * sigmoid(shift[n + i]) * (1 - sigmoid(shift[n + i]))
        points = (own[n + i] - own[i]) * (moved / logits if abs(logits) > 1e-6 else float(slope))
        causes = _causes(explainer, layout, encoded, rows, points, (i, n + i))
        if was is not None and abs(found[i] - was) >= LEAST:
            causes.append(Cause(MODEL, round(float(found[i]) - was, 1), ""))
        whole = float(found[n + i]) - (float(found[i]) if was is None else was)
        causes = sorted(causes, key=lambda cause: -abs(cause.points))[:TOP]
        rest = round(round(whole, 1) - sum(cause.points for cause in causes), 1)
        out.append(Move(round(whole, 1), (*causes, Cause(REST, rest, ""))))
    return out


def _causes(
    explainer: Explainer, layout: Design, encoded: Encoded, rows: pa.Table, points: Floats, between: tuple[int, int]
) -> list[Cause]:  # fmt: skip
    out = []
    for side in explainer.sides:
        total = float(points[list(side)].sum())
        if abs(total) < LEAST:
            continue
        first = max(side, key=lambda f: points[f] * np.sign(total))
        told = _said(layout, encoded, rows, first, between)
        out.append(Cause(told, round(total, 1), layout.fields[first].name))
    return out


def _said(layout: Design, encoded: Encoded, rows: pa.Table, f: int, between: tuple[int, int]) -> str:
    """'Employees 200, was 12'."""
    field = layout.fields[f]
    if isinstance(field, CategoryField):
        before, now = (rows.column(field.name)[i].as_py() for i in between)
        return f"{words.category(field, now)}, was {words.category(field, before).removeprefix(f'{field.label}: ')}"
    before, now = (float(encoded.numbers[i, f]) for i in between)
    was = words.quantity(field.unit, before) if np.isfinite(before) else "none"
    return f"{words.figure(field, now)}, was {was}"
