"""A trained model with its card: everything that a score needs, and what an admin should know before trusting
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
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
from scoring.model.scores import Scores, ranges
from scoring.model.threads import single


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

    def score(self, rows: pa.Table) -> Scores:
        """Scores of each row; the table needs the model's columns (`self.design.names`) and those of the
        flags."""
        with single():
            return self._score(rows)

    def _score(self, rows: pa.Table) -> Scores:
        encoded = self.design.encode(rows)
        design = self.design.additive(encoded)
        line, trees = self.point.parts(self.design, encoded, design)
        logit = self.point.combine(line, trees)
        base = float(np.log(self.base_rate / (1 - self.base_rate)))
        doubts = intervals.variances(self.interval, self.design, encoded, design, self.point, line, trees)
        spans = ranges(logit, base, doubts)
        probability = sigmoid(logit)
        expected = self.amounts.expected(design)
        return Scores(
            probability=probability,
            confidence=np.floor(100 - (spans["high"] - spans["low"])).astype(np.int64),
            evidence=self.similar.count(self.design, encoded, rows, logit),
            expected_amount=expected,
            expected_value=probability * expected,
            flags=self.ordinary.flags(rows),
            reasons=self.explainer.reasons(self.design, rows, encoded, design, logit - base),
            **spans,
        )
