"""How many training leads are like this one: those that agree on all but one of the fields that matter most.

Numbers count as equal within a fifth of the training leads, and all rare and new values are one value, so a
lead of a new kind finds few like it, and "none" is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model.additive import Additive
from scoring.model.blanks import contributions
from scoring.model.design import Design, Encoded
from scoring.model.estimator import Sample

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIELDS = 6
BINS = 5
TOGETHER = 500
"""patterns compared at a time"""


@dataclass(frozen=True)
class Evidence:
    """`patterns` distinct combinations of the fields `chosen`, each with its number of training leads."""

    chosen: Ints
    edges: tuple[Floats, ...]
    patterns: Ints
    leads: Floats

    def count(self, layout: Design, encoded: Encoded) -> Ints:
        if not len(self.chosen):
            return np.full(len(encoded), round(float(self.leads.sum())), np.int64)
        mine, back = _distinct(_pattern(layout, encoded, self.chosen, self.edges))
        counts = np.zeros(len(mine))
        for start in range(0, len(mine), TOGETHER):
            some = mine[start : start + TOGETHER]
            agree = np.zeros((len(some), len(self.patterns)), np.int8)
            for column in range(len(self.chosen)):
                known = some[:, column] != NEW
                agree += (some[:, column, None] == self.patterns[None, :, column]) & known[:, None]
            counts[start : start + TOGETHER] = (agree >= len(self.chosen) - 1) @ self.leads
        return np.rint(counts[back]).astype(np.int64)


NEW = 99
"""pattern value of a never-seen category: like nothing"""


def _distinct(patterns: Ints) -> tuple[Ints, Ints]:
    """The distinct rows and where each row is among them. A row is one number, since rows take ten times as long to sort
    as numbers do."""
    key = np.zeros(len(patterns), np.int64)
    for column in patterns.T:
        key = key * (NEW + 2) + (column + 1)  # -1 to NEW, six fields: far from the end of 64 bits
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    return patterns[first], back


def learn(layout: Design, sample: Sample, surrogate: Additive) -> Evidence:
    parts = contributions(layout, surrogate, sample.design)
    spread = parts.std(axis=0) if len(layout.fields) else np.zeros(0)
    chosen = np.argsort(-spread, kind="stable")[:FIELDS].astype(np.int64)
    edges = tuple(
        _edges(sample.encoded.numbers[:, f]) if f < len(layout.numbers) else np.zeros(0) for f in chosen
    )
    patterns, back = np.unique(_pattern(layout, sample.encoded, chosen, edges), axis=0, return_inverse=True)
    leads = np.bincount(back.reshape(-1), weights=sample.weight, minlength=len(patterns))

    return Evidence(chosen, edges, patterns, leads.astype(np.float64))


def _edges(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)


def _pattern(layout: Design, encoded: Encoded, chosen: Ints, edges: tuple[Floats, ...]) -> Ints:
    out = np.empty((len(encoded), len(chosen)), np.int64)
    for column, (f, cuts) in enumerate(zip(chosen, edges, strict=True)):
        if f < len(layout.numbers):
            values = encoded.numbers[:, f]
            out[:, column] = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="left"), -1)
        else:
            codes = encoded.codes[:, f - len(layout.numbers)]
            out[:, column] = np.where(codes < -1, NEW, codes)
    return out
