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
from scoring.model.additive import sigmoid
from scoring.model.amount import Amounts
from scoring.model.asking import Asking
from scoring.model.design import Design
from scoring.model.deviation import Ordinary
from scoring.model.estimator import Point
from scoring.model.evidence import Evidence
from scoring.model.interval import Interval
from scoring.model.reasons import Explainer
from scoring.model.recent import Recent
from scoring.model.scores import Scores, ranges
from scoring.model.threads import single

Floats = npt.NDArray[np.float64]

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

    def score(self, rows: pa.Table, recent: Recent | None = None) -> Scores:
        """Scores of each row; the table needs the model's columns (`self.design.names`) and those of the
        flags. `recent`: what outcomes since the training say of this model; none: the model alone. A row's scores
        are the same bit for bit whichever rows it comes with."""
        with single():
            return self._score(rows, recent)

    def logit(self, rows: pa.Table) -> Floats:
        """What the model alone says of each row: of its chance, the log odds."""
        with single():
            encoded = self.design.encode(rows)
            return self.point.logit(self.design, encoded, self.design.additive(encoded))

    def _score(self, rows: pa.Table, recent: Recent | None) -> Scores:
        n, even = rows.num_rows, _even(rows)
        encoded = self.design.encode(even)
        design = self.design.additive(encoded)
        logit = self.point.logit(self.design, encoded, design)
        base = float(np.log(self.base_rate / (1 - self.base_rate)))
        doubts = intervals.doubts(self.interval, self.design, encoded, design, self.point)
        if recent is not None:
            logit, lately = recent.applied(logit)
            doubts = doubts.widened(lately)
        spans = {name: values[:n] for name, values in ranges(logit, base, doubts).items()}
        probability = sigmoid(logit)[:n]
        expected = self.amounts.expected(design)[:n]
        return Scores(
            probability=probability,
            confidence=np.floor(100 - (spans["high"] - spans["low"])).astype(np.int64),
            evidence=self.similar.count(self.design, encoded, even)[:n],
            expected_amount=expected,
            expected_value=probability * expected,
            flags=self.ordinary.flags(rows),
            reasons=self.explainer.reasons(self.design, rows, encoded, design, logit - base),
            **spans,
        )


def _even(rows: pa.Table) -> pa.Table:
    """The rows, filled up to whole blocks: linear algebra takes the rows left over from a block another way, and its last digit
    would be another."""
    missing = -rows.num_rows % BLOCK
    if not missing or not rows.num_rows:
        return rows
    return rows.take(pa.array(np.append(np.arange(rows.num_rows), np.zeros(missing, np.int64))))
