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
        flags. `recent`: what outcomes since the training say of this model; none: the model alone."""
        with single():
            return self._score(rows, recent)

    def logit(self, rows: pa.Table) -> Floats:
        """What the model alone says of each row: of its chance, the log odds."""
        with single():
            encoded = self.design.encode(rows)
            return self.point.logit(self.design, encoded, self.design.additive(encoded))

    def _score(self, rows: pa.Table, recent: Recent | None) -> Scores:
        encoded = self.design.encode(rows)
        design = self.design.additive(encoded)
        logit = self.point.logit(self.design, encoded, design)
        base = float(np.log(self.base_rate / (1 - self.base_rate)))
        doubts = intervals.doubts(self.interval, self.design, encoded, design, self.point)
        if recent is not None:
            logit, lately = recent.applied(logit)
            doubts = doubts.widened(lately)
        spans = ranges(logit, base, doubts)
        probability = sigmoid(logit)
        expected = self.amounts.expected(design)
        return Scores(
            probability=probability,
            confidence=np.floor(100 - (spans["high"] - spans["low"])).astype(np.int64),
            evidence=self.similar.count(self.design, encoded, rows),
            expected_amount=expected,
            expected_value=probability * expected,
            flags=self.ordinary.flags(rows),
            reasons=self.explainer.reasons(self.design, rows, encoded, design, logit - base),
            **spans,
        )
