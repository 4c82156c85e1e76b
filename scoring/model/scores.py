"""What the model says of each row, column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model.additive import sigmoid
from scoring.model.deviation import Flag
from scoring.model.interval import Doubts
from scoring.model.quantiles import Z90
from scoring.model.reasons import Reason

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
    flags: list[list[Flag]]
    reasons: list[list[Reason]]

    def __len__(self) -> int:
        return len(self.score)


def ranges(logit: Floats, base: float, doubts: Doubts) -> dict[str, Floats]:
    """Score, range and widths from the logit and the variances of its three doubts."""
    shift = logit - base
    each = (doubts.familiar, doubts.blanks, doubts.unseen)
    half = Z90 * np.sqrt(sum(each))
    # p is a mean over what is in doubt. Where most of what may be lies far from p, the middle of the logits lies nearer
    # to certainty than the logit of their mean: by half their variance, to second order.
    lean = np.clip((0.5 - sigmoid(logit)) * doubts.mean, -half / 2, half / 2)
    low, high = to_score(shift - lean - half), to_score(shift - lean + half)
    widths = [to_score(shift + Z90 * np.sqrt(v)) - to_score(shift - Z90 * np.sqrt(v)) for v in each]
    return {
        "score": to_score(shift), "low": low, "high": high,
        "width_familiar": widths[0], "width_blanks": widths[1], "width_unseen": widths[2],
    }  # fmt: skip


def to_score(shift: Floats) -> Floats:
    """Points of a logit measured from the base rate's."""
    return 100 * sigmoid(shift)
