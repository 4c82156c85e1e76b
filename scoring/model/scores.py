"""What the model says of each row, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from scoring.model.additive import sigmoid
from scoring.model.deviation import Flag
from scoring.model.interval import Doubts
from scoring.model.quantiles import Z90
from scoring.model.reasons import Reason

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Scores:
    """`score`, `low`, `high` and the widths are in points of score (0-100, 50 = the base rate); `low` and
    `high` bound the 90 % range, `confidence` is 100 less its width, rounded down. The four widths are each
    what the range would be if that doubt were the only one; they add up in quadrature on the logit. Amounts
    are in the org's currency, NaN when no won amount is known."""

    probability: Floats
    score: Floats
    low: Floats
    high: Floats
    confidence: Ints
    width_familiar: Floats
    width_blanks: Floats
    width_recent: Floats
    width_unseen: Floats
    evidence: Ints
    expected_amount: Floats
    expected_value: Floats
    flags: Sequence[list[Flag]]
    reasons: Sequence[list[Reason]]

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, eq=False)
class Spread(Sequence[Item]):
    """What stands in several sequences, in the order of a table: the entry of row i is `parts[part[i]][place[i]]`. Nothing is
    made of an entry before it is looked at."""

    parts: tuple[Sequence[Item], ...]
    part: Ints
    place: Ints

    def __len__(self) -> int:
        return len(self.part)

    @overload
    def __getitem__(self, which: int) -> Item: ...
    @overload
    def __getitem__(self, which: slice) -> list[Item]: ...
    def __getitem__(self, which: int | slice) -> Item | list[Item]:
        if isinstance(which, slice):
            return [self[i] for i in range(*which.indices(len(self)))]
        found: Item = self.parts[int(self.part[which])][int(self.place[which])]
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


def gathered(parts: Sequence[tuple[Ints, Scores]], n: int) -> Scores:
    """Scores of parts of a table, each with the places of its rows, as those of the table."""
    part, place = np.empty(n, np.int64), np.empty(n, np.int64)
    for number, (at, _) in enumerate(parts):
        part[at], place[at] = number, np.arange(len(at))
    values: dict[str, Any] = {}
    for name in (f.name for f in fields(Scores)):
        each = [getattr(scores, name) for _, scores in parts]
        if not isinstance(each[0], np.ndarray):
            values[name] = Spread(tuple(each), part, place)
            continue
        values[name] = np.empty(n, each[0].dtype)
        for (at, _), own in zip(parts, each, strict=True):
            values[name][at] = own
    return Scores(**values)


def ranges(logit: Floats, base: float, doubts: Doubts) -> dict[str, Floats]:
    """Score, range and widths from the logit and the variances of its four doubts."""
    shift = logit - base
    seen = doubts.familiar + doubts.recent + doubts.blanks
    # p is a mean over what is in doubt. Where most of what may be lies far from p, the middle of the logits lies nearer
    # to certainty than the logit of their mean: by half their variance, to second order. (How far a new value lies off was
    # measured from p's own logit, so there is nothing to move.)
    most = Z90 * np.sqrt(seen) / 2
    middle = shift - np.clip((0.5 - sigmoid(logit)) * doubts.mean, -most, most)
    return {
        "score": to_score(shift),
        "low": to_score(middle - Z90 * np.sqrt(seen + doubts.unseen_below)),
        "high": to_score(middle + Z90 * np.sqrt(seen + doubts.unseen_above)),
        "width_familiar": _width(shift, doubts.familiar, doubts.familiar),
        "width_blanks": _width(shift, doubts.blanks, doubts.blanks),
        "width_recent": _width(shift, doubts.recent, doubts.recent),
        "width_unseen": _width(shift, doubts.unseen_below, doubts.unseen_above),
    }


def confidence(spans: Mapping[str, Floats]) -> Ints:
    """100 less the points between the ends of each range, rounded down."""
    return np.floor(100 - (spans["high"] - spans["low"])).astype(np.int64)


def _width(shift: Floats, below: Floats, above: Floats) -> Floats:
    return to_score(shift + Z90 * np.sqrt(above)) - to_score(shift - Z90 * np.sqrt(below))


def to_score(shift: Floats) -> Floats:
    """Points of a logit measured from the base rate's."""
    return 100 * sigmoid(shift)
