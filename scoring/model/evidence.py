"""How many training leads are like this one at its age: those that agree on all but one of the fields that matter
most, and that the model takes for about as likely to win (the same tenth of the training leads, or the next).

Without the second, the one field that may differ may be the one that decides, and what became of such leads says
little of this one (docs/decisions/0022).

Numbers count as equal within a fifth of the training leads, and all rare and new values are one value, so a
lead of a new kind finds few like it, and "none" is an answer. A training lead was seen at several ages; it is
looked at as it was at the age nearest to this lead's, and so counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.additive import Additive
from scoring.model.design import Design, Encoded, number_column
from scoring.model.estimator import Sample

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIELDS = 6
BINS = 5
AGE = "lead_age_days"
"""the column that says how old a lead was"""
LEVELS = 10
CHUNK = 500
"""patterns compared at once"""
AGES = 8
"""ages that leads were seen at, at the most: of more, classes of equal count are made"""
NEW = 99
"""pattern value of a never-seen category: like nothing"""


@dataclass(frozen=True)
class Evidence:
    """`patterns` distinct combinations of the fields `chosen`, of the level of the lead's chance (upper ends `levels`,
    logits) and, last, of the class of its age (upper ends `ages`, days); each with its number of training `leads`."""

    chosen: Ints
    edges: tuple[Floats, ...]
    levels: Floats
    ages: Floats
    patterns: Ints
    leads: Floats

    def count(self, layout: Design, encoded: Encoded, rows: pa.Table, logit: Floats) -> Ints:
        mine, back = _distinct(self.pattern(layout, encoded, rows, logit))
        counts = np.zeros(len(mine))
        # compared by level and age first: most patterns are of another
        for level, age in np.unique(mine[:, -2:], axis=0):
            some = np.flatnonzero((mine[:, -2] == level) & (mine[:, -1] == age))
            near = (self.patterns[:, -1] == age) & (np.abs(self.patterns[:, -2] - level) <= 1)
            for part in np.array_split(some, -(-len(some) // CHUNK)):
                agree = _agreeing(mine[part, :-2], self.patterns[near, :-2])
                counts[part] = (agree >= len(self.chosen) - 1) @ self.leads[near]
        return np.rint(counts[back]).astype(np.int64)

    def pattern(self, layout: Design, encoded: Encoded, rows: pa.Table, logit: Floats) -> Ints:
        """n × (fields + 2): what of each row is compared. `logit`: the model's of it."""
        level = np.searchsorted(self.levels, logit)
        fields = _pattern(layout, encoded, self.chosen, self.edges)
        return np.column_stack([fields, level, _age(rows, self.ages)]).astype(np.int64)


def agreeing(one: Ints, others: Ints) -> Ints:
    """In how many fields each of other patterns agrees with this one; -1 where it isn't alike."""
    agree = _agreeing(one[None, :-2], others[:, :-2])[0].astype(np.int64)
    near = (others[:, -1] == one[-1]) & (np.abs(others[:, -2] - one[-2]) <= 1)
    out: Ints = np.where(near & (agree >= len(one) - 3), agree, -1)
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


def learn(layout: Design, sample: Sample, surrogate: Additive, rows: pa.Table, logit: Floats) -> Evidence:
    """`logit`: the model's of each row."""
    parts = layout.contributions(surrogate.coef, sample.design)
    spread = parts.std(axis=0) if len(layout.fields) else np.zeros(0)
    chosen = np.argsort(-spread, kind="stable")[:FIELDS].astype(np.int64)
    edges = tuple(
        _edges(sample.encoded.numbers[:, f]) if f < len(layout.numbers) else np.zeros(0) for f in chosen
    )
    levels = np.unique(np.quantile(logit, np.linspace(0, 1, LEVELS + 1)[1:-1]))
    none = np.zeros((0, len(chosen) + 2), np.int64)
    found = Evidence(chosen, edges, levels, _ages(rows), none, np.zeros(0))
    pattern = found.pattern(layout, sample.encoded, rows, logit)
    pattern = pattern[once(sample.lead, pattern[:, -1])]
    patterns, leads = np.unique(pattern, axis=0, return_counts=True)
    return replace(found, patterns=patterns, leads=leads.astype(np.float64))


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
