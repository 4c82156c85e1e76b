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
from scoring.model.design import Design
from scoring.model.deviation import Ordinary
from scoring.model.estimator import Point
from scoring.model.evidence import Evidence
from scoring.model.interval import Interval
from scoring.model.reasons import Explainer
from scoring.model.scores import Scores, ranges
from scoring.model.threads import single

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
    card: Mapping[str, Any]
    """data, metrics (out of fold), features, choices, versions"""

    def score(self, rows: pa.Table) -> Scores:
        """Scores of each row; the table needs the model's columns (`self.design.names`) and those of the
        flags. A row's scores are the same bit for bit whichever rows it comes with."""
        with single():
            return self._score(rows)

    def _score(self, rows: pa.Table) -> Scores:
        n = rows.num_rows
        encoded = self.design.encode(_even(rows))
        design = self.design.additive(encoded)
        line, trees = self.point.parts(self.design, encoded, design)
        logit = self.point.combine(line, trees)
        base = float(np.log(self.base_rate / (1 - self.base_rate)))
        doubts = intervals.variances(self.interval, self.design, encoded, design, self.point, line, trees)
        spans = {name: values[:n] for name, values in ranges(logit, base, doubts).items()}
        probability = sigmoid(logit)[:n]
        expected = self.amounts.expected(design)[:n]
        return Scores(
            probability=probability,
            confidence=np.floor(100 - (spans["high"] - spans["low"])).astype(np.int64),
            evidence=self.similar.count(self.design, encoded)[:n],
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
