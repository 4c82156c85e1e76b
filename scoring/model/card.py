"""A trained model with its card: everything that a score needs, and what an admin should know before trusting
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import interval as intervals
from scoring.model import recent as recents
from scoring.model.additive import log_odds, sigmoid
from scoring.model.amount import Amounts
from scoring.model.asking import Asking
from scoring.model.design import Design, Encoded
from scoring.model.deviation import Ordinary
from scoring.model.estimator import Parts, Point
from scoring.model.evidence import Evidence
from scoring.model.interval import Interval
from scoring.model.reasons import Explainer, Shifts
from scoring.model.recent import Recent
from scoring.model.scores import Scores, confidence, gathered, ranges
from scoring.model.threads import each, single

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CHUNK = 32_768
"""rows scored at a time, as many chunks side by side as there are cores"""
BLOCK = 16
"""rows that linear algebra takes at a time, at most, on the processors that we know of"""


@dataclass(frozen=True)
class Model:
    """`base_rate` is the org's, so that the scores of several models compare; `created` is the caller's
    clock, ISO 8601."""

    version: str
    created: str
    horizon_days: int
    base_rate: float
    seed: int
    design: Design
    point: Point
    interval: Interval
    ordinary: Ordinary
    explainer: Explainer
    similar: Evidence
    amounts: Amounts
    asking: Asking
    card: Mapping[str, Any]
    """data, metrics (out of fold), features, choices, versions"""

    def begin(self, since: float | None = None) -> Recent:
        """What is known of how it is calibrated right after its training, as of the time `since` (seconds since 1970; none:
        of what it learnt from)."""
        line = self.card.get("line", {})
        own, at = line.get("unsure"), line.get("as_of")
        days = 0.0 if at is None or since is None else max(0.0, (since - at) / 86_400)
        return recents.begin(self.base_rate, None if own is None else np.array(own, np.float64), days)

    def score(self, rows: pa.Table, recent: Recent | None = None) -> Scores:
        """Scores of each row; the table needs the model's columns (`self.design.names`) and those of the
        flags. `recent`: what outcomes since the training say of this model; none: the model alone. A row's scores are the
        same bit for bit whichever rows it comes with."""
        n = rows.num_rows
        with single():
            if n <= CHUNK:
                return self._score(rows, recent)
            starts = range(0, n, CHUNK)
            parts = each(lambda start: self._score(rows.slice(start, CHUNK), recent), starts)
        return gathered(
            [(start + np.arange(len(part)), part) for start, part in zip(starts, parts, strict=True)], n
        )

    def unsure(self, rows: pa.Table, sure: float) -> Bools:
        """Which rows are edge cases for the model alone: its confidence is below `sure` points, or something deviates."""
        with single():
            parts = each(
                lambda start: self._unsure(rows.slice(start, CHUNK), sure), range(0, rows.num_rows, CHUNK)
            )
        return np.concatenate([np.zeros(0, bool), *parts])

    def _unsure(self, rows: pa.Table, sure: float) -> Bools:
        n = rows.num_rows
        encoded, design, parts = self._alone(self.design.encode(rows))
        doubts = intervals.doubts(self.interval, self.design, encoded, design, self.point, parts)
        spans = ranges(self.point.combine(parts), log_odds(self.base_rate), doubts)
        flagged = np.array([bool(flags) for flags in self.ordinary.flags(rows)], bool)
        return flagged | (confidence(spans)[:n] < sure)

    def logit(self, rows: pa.Table) -> Floats:
        """What the model alone says of each row: of its chance, the log odds."""
        with single():
            return self.point.combine(self._alone(self.design.encode(rows))[2])[: rows.num_rows]

    def _alone(self, told: Encoded) -> tuple[Encoded, Floats, Parts]:
        """Rows as they are computed with (`_even`), their design, and what the parts of the model alone say of them."""
        encoded = _even(told)
        design = self.design.additive(encoded)
        return encoded, design, self.point.parts(self.design, encoded, design)

    def _score(self, rows: pa.Table, recent: Recent | None) -> Scores:
        n = rows.num_rows
        told = self.design.encode(rows)
        encoded, design, parts = self._alone(told)
        base, alone = log_odds(self.base_rate), self.point.combine(parts)
        doubts = intervals.doubts(self.interval, self.design, encoded, design, self.point, parts)
        logit, lately = alone, np.zeros(len(alone))
        if recent is not None:
            moved = recent.moved(alone)
            logit, lately = moved.logit, moved.told
            doubts = doubts.widened(moved.variance)
        spans = {name: values[:n] for name, values in ranges(logit, base, doubts).items()}
        shifts = Shifts(logit - base, alone - base, lately, parts.sparse)
        probability, expected = sigmoid(logit)[:n], self.amounts.expected(design)[:n]
        return Scores(
            probability=probability,
            confidence=confidence(spans),
            evidence=self.similar.count(self.design, told, rows, alone[:n]),
            expected_amount=expected,
            expected_value=probability * expected,
            flags=self.ordinary.flags(rows),
            reasons=self.explainer.reasons(self.design, rows, encoded, design, shifts),
            **spans,
        )


def _even(rows: Encoded) -> Encoded:
    """The rows, filled up to whole blocks: linear algebra takes what is left over from a block another way, and its last
    digit would be another."""
    missing = -len(rows) % BLOCK
    if not missing or not len(rows):
        return rows
    return rows.take(np.append(np.arange(len(rows)), np.zeros(missing, np.int64)))
