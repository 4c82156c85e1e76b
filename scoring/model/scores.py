"""What the model says of each row, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from scoring.model import reasons
from scoring.model.additive import sigmoid
from scoring.model.deviation import Flag
from scoring.model.interval import Z90
from scoring.model.reasons import Reasons

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """`score`, `low`, `high` and the widths are in points of score (0-100, 50 = the base rate); `low` and
    `high` bound the 90 % range, `confidence` is 100 less its width, rounded down. The three widths are each
    what the range would be if that doubt were the only one; they add up in quadrature on the logit. Amounts
    are in the org's currency, NaN when no won amount is known."""

    probability: Floats
    score: Floats
    low: Floats
    high: Floats
    confidence: Ints
    width_familiar: Floats
    width_blanks: Floats
    width_unseen: Floats
    evidence: Ints
    expected_amount: Floats
    expected_value: Floats
    flags: Sequence[list[Flag]]
    reasons: Reasons

    def __len__(self) -> int:
        return len(self.score)


def joined(parts: Sequence[Scores]) -> Scores:
    """Of the rows of all parts, in their order."""
    arrays = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Scores)
        if f.name not in ("flags", "reasons")
    }
    flags = [each for part in parts for each in part.flags]
    return Scores(**arrays, flags=flags, reasons=reasons.joined([part.reasons for part in parts]))


def ranges(logit: Floats, base: float, variances: tuple[Floats, Floats, Floats]) -> dict[str, Floats]:
    """Score, range and widths from the logit and the variances of its three doubts."""
    shift = logit - base
    total = sum(variances)
    half = Z90 * np.sqrt(total)
    # p is a mean over what is in doubt. Where most of what may be lies far from p, the middle of the logits lies nearer
    # to certainty than the logit of their mean: by half their variance, to second order.
    lean = np.clip((0.5 - sigmoid(logit)) * total, -half / 2, half / 2)
    low, high = to_score(shift - lean - half), to_score(shift - lean + half)
    each = [to_score(shift + Z90 * np.sqrt(v)) - to_score(shift - Z90 * np.sqrt(v)) for v in variances]
    return {
        "score": to_score(shift), "low": low, "high": high,
        "width_familiar": each[0], "width_blanks": each[1], "width_unseen": each[2],
    }  # fmt: skip


def to_score(shift: Floats) -> Floats:
    """Points of a logit measured from the base rate's."""
    return 100 * sigmoid(shift)
