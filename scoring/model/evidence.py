"""How many training leads are like this one at its age: those that agree on all but one of the fields that matter
most.

Numbers count as equal within a fifth of the training leads, and all rare and new values are one value, so a
lead of a new kind finds few like it, and "none" is an answer. A training lead was seen at several ages; it is
looked at as it was at the age nearest to this lead's, and so counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.additive import Additive
from scoring.model.blanks import contributions
from scoring.model.design import Design, Encoded, number_column
from scoring.model.estimator import Sample

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIELDS = 6
BINS = 5
AGE = "lead_age_days"
"""the column that says how old a lead was"""
CHUNK = 500
"""patterns compared at once"""
AGES = 8
"""ages that leads were seen at, at the most: of more, classes of equal count are made"""
NEW = 99
"""pattern value of a never-seen category: like nothing"""


@dataclass(frozen=True)
class Evidence:
    """`patterns` distinct combinations of the fields `chosen` and, last, the class of the lead's age, whose
    upper ends are `ages` (days); each with its number of training `leads`."""

    chosen: Ints
    edges: tuple[Floats, ...]
    ages: Floats
    patterns: Ints
    leads: Floats

    def count(self, layout: Design, encoded: Encoded, rows: pa.Table) -> Ints:
        mine, back = _distinct(self.pattern(layout, encoded, rows))
        counts = np.zeros(len(mine))
        for age in np.unique(mine[:, -1]):
            theirs = self.patterns[:, -1] == age
            of_age = np.flatnonzero(mine[:, -1] == age)
            for some in np.array_split(of_age, -(-len(of_age) // CHUNK)):
                agree = _agreeing(mine[some, :-1], self.patterns[theirs, :-1])
                counts[some] = (agree >= len(self.chosen) - 1) @ self.leads[theirs]
        return np.rint(counts[back]).astype(np.int64)

    def pattern(self, layout: Design, encoded: Encoded, rows: pa.Table) -> Ints:
        """n × (fields + 1): what of each row is compared."""
        return np.column_stack([_pattern(layout, encoded, self.chosen, self.edges), _age(rows, self.ages)])


def agreeing(one: Ints, others: Ints) -> Ints:
    """In how many fields each of other patterns agrees with this one; -1 where it isn't alike."""
    agree = _agreeing(one[None, :-1], others[:, :-1])[0].astype(np.int64)
    out: Ints = np.where((others[:, -1] == one[-1]) & (agree >= len(one) - 2), agree, -1)
    return out


def _agreeing(mine: Ints, theirs: Ints) -> npt.NDArray[np.int8]:
    agree = np.zeros((len(mine), len(theirs)), np.int8)
    for column in range(mine.shape[1]):
        known = mine[:, column] != NEW
        agree += (mine[:, column, None] == theirs[None, :, column]) & known[:, None]
    return agree


def _distinct(patterns: Ints) -> tuple[Ints, Ints]:
    """The distinct rows and where each row is among them. A row becomes one number, since rows take ten times as long to
    sort as numbers do."""
    key = np.zeros(len(patterns), np.int64)
    for column in patterns.T:
        key = key * (NEW + 2) + (column + 1)  # -1 to NEW, seven columns: far from the end of 64 bits
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    return patterns[first], back


def once(lead: Ints, age: Ints) -> Ints:
    """The rows that stand for a lead at an age, one each: the first."""
    _, first = np.unique(np.column_stack([lead, age]), axis=0, return_index=True)
    return np.sort(first)


def learn(layout: Design, sample: Sample, surrogate: Additive, rows: pa.Table) -> Evidence:
    parts = contributions(layout, surrogate, sample.design)
    spread = parts.std(axis=0) if len(layout.fields) else np.zeros(0)
    chosen = np.argsort(-spread, kind="stable")[:FIELDS].astype(np.int64)
    edges = tuple(
        _edges(sample.encoded.numbers[:, f]) if f < len(layout.numbers) else np.zeros(0) for f in chosen
    )
    ages = _ages(rows)
    found = Evidence(chosen, edges, ages, np.zeros((0, len(chosen) + 1), np.int64), np.zeros(0))
    pattern = found.pattern(layout, sample.encoded, rows)
    pattern = pattern[once(sample.lead, pattern[:, -1])]
    patterns, leads = np.unique(pattern, axis=0, return_counts=True)
    return Evidence(chosen, edges, ages, patterns, leads.astype(np.float64))


def _ages(rows: pa.Table) -> Floats:
    """Between the ages that leads were seen at, in the middle of their logarithms."""
    known = number_column(rows, AGE) if AGE in rows.column_names else np.zeros(0)
    days, counts = np.unique(np.round(known[np.isfinite(known)]), return_counts=True)
    days = days[counts >= 0.01 * counts.sum()]
    if len(days) > AGES:
        days = np.unique(np.quantile(known[np.isfinite(known)], np.linspace(0.1, 0.9, 5)))
    out: Floats = np.expm1((np.log1p(days[1:]) + np.log1p(days[:-1])) / 2)
    return out


def _age(rows: pa.Table, ages: Floats) -> Ints:
    if not len(ages):
        return np.zeros(rows.num_rows, np.int64)
    return np.searchsorted(ages, np.nan_to_num(number_column(rows, AGE))).astype(np.int64)


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
