"""Usual practice, to be measured against: what a team builds that takes its CRM as it stands today.

Records as they look now, not as they were; closed-won against closed-lost deals only, so leads that nobody
worked are no part of it; firmographics only; a blank is a value like any other, so tidy records win; one
number, one threshold, no range. It is built with care otherwise: a regularised logistic regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from scoring.errors import TooFewOutcomes
from scoring.model.additive import log_odds, sigmoid
from scoring.model.blanks import ASKABLE
from scoring.model.design import BLANK, CategoryField, Design, FeatureLike, learn
from scoring.model.scores import to_score
from scoring.model.threads import single

Floats = npt.NDArray[np.float64]

THRESHOLD = 50.0
"""one line for every lead: better or worse than the average closed deal"""


@dataclass(frozen=True)
class UsualScores:
    """`qualifies`: at or above the one threshold."""

    probability: Floats
    score: Floats
    qualifies: npt.NDArray[np.bool_]
    sentences: list[str]
    """one a lead, in words"""


@dataclass(frozen=True)
class UsualPractice:
    base_rate: float
    threshold: float
    design: Design
    regression: Any

    def score(self, rows: pa.Table) -> UsualScores:
        with single():
            logit = self.regression.decision_function(_matrix(self.design, rows))
        score = to_score(logit - log_odds(self.base_rate))
        blank = self.design.encode(rows).blank.sum(axis=1)
        qualifies = score >= self.threshold
        return UsualScores(sigmoid(logit), score, qualifies, [
            self._sentence(float(s), bool(q), int(b)) for s, q, b in zip(score, qualifies, blank, strict=True)
        ])  # fmt: skip

    def say(self, rows: pa.Table) -> str:
        """One sentence about the first lead of `rows`."""
        return self.score(rows.slice(0, 1)).sentences[0]

    def _sentence(self, score: float, qualifies: bool, blank: int) -> str:
        side = "over" if qualifies else "under"
        verb = "is" if blank == 1 else "are"
        missing = f", {blank} of its {len(self.design.fields)} fields {verb} blank" if blank else ""
        return (
            f"Usual practice would say {score:.0f} and nothing more: {side} its one line of {self.threshold:.0f}"
            f"{missing}, and what the lead did is not looked at."
        )


def train_usual_practice(
    rows: pa.Table,
    won: npt.ArrayLike,
    closed: npt.ArrayLike | None = None,
    *,
    features: Sequence[FeatureLike],
    threshold: float = THRESHOLD,
) -> UsualPractice:
    """`rows`: one a lead, features of today's snapshot. `closed`: which leads have a deal that was won or
    lost; the others are left out, as is usual. None when the rows are closed deals only."""
    use = np.arange(rows.num_rows) if closed is None else np.flatnonzero(np.asarray(closed, bool))
    y = np.asarray(won, np.float64)[use]
    if not len(y) or y.min() == y.max():
        raise TooFewOutcomes(
            "Usual practice needs closed-won and closed-lost deals, and there is only one kind."
        )
    fit = rows.take(pa.array(use))
    design = learn(fit, [feature for feature in features if feature.family in ASKABLE])
    with single():
        regression = LogisticRegression(C=1.0, max_iter=500).fit(_matrix(design, fit), y)
    return UsualPractice(float(y.mean()), threshold, design, regression)


def _matrix(design: Design, rows: pa.Table) -> Floats:
    """Numbers on one scale, blanks at the median with a sign of their own; a column for each value and for
    blank."""
    encoded = design.encode(rows)
    parts = [np.zeros((len(encoded), 1))]
    for i, number in enumerate(design.numbers):
        parts.append(number.columns(encoded.numbers[:, i])[:, :1])
        parts.append(~np.isfinite(encoded.numbers[:, [i]]))
    for i, category in enumerate(design.categories):
        parts.append(_one_hot(encoded.codes[:, i], category))
    return np.hstack(parts).astype(np.float64)


def _one_hot(codes: npt.NDArray[np.int64], field: CategoryField) -> Floats:
    out = np.zeros((len(codes), field.width + 1))
    known = codes >= 0
    out[np.flatnonzero(known), codes[known]] = 1.0
    out[codes == BLANK, -1] = 1.0
    return out
