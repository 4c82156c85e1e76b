"""Which model of a family scores a lead (S4.3): hard facts first, and where they are blank or contradict each other a small tree
that picks the model whose training leads this one is most like. It never scores.

The tree has at most eight leaves and is kept as rules that can be printed; what it looks at leaves out the facts that define the
segments and their like, since those are what is missing when it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.tree import DecisionTreeClassifier

from scoring.model.design import BLANK, FeatureLike, category_column, number_column
from scoring.model.segments import Segment

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RULES = 8
"""leaves of the tree at most (S4.3)"""
LEAST = 20
"""leads that a rule rests on at least"""
MOST_VALUES = 10
"""values of one category that the tree may ask for: the commonest"""
SAME_FIELD = (frozenset({"channel", "source"}), frozenset({"size_band", "log_employees", "employees"}))
"""columns that are made of one field of the CRM, so blank together"""
UNIVERSAL = 0
"""the place of the universal model; a segment's model has the segment's place from 1"""


@dataclass(frozen=True)
class Question:
    """One condition of a rule. Of a category `value` is asked for (above: it is that value), of a number whether it is above
    `cut`; `blank` says whether a blank answers yes."""

    column: str
    label: str
    value: str
    above: bool
    cut: float
    blank: bool

    def of(self, rows: pa.Table) -> Bools:
        if self.value:
            codes, values = category_column(rows, self.column)
            same = np.array([v == self.value for v in values] + [False], bool)[codes]
            return same if self.above else ~same
        x = number_column(rows, self.column)
        known = np.isfinite(x)
        beyond = np.where(known, x, 0.0) > self.cut
        out: Bools = np.where(known, beyond == self.above, self.blank)
        return out

    @property
    def said(self) -> str:
        if self.value:
            return f"{self.label} {'is' if self.above else 'is not'} {self.value}"
        blank = " or unknown" if self.blank else ""
        return f"{self.label} {'above' if self.above else 'at most'} {self.cut:.4g}{blank}"


@dataclass(frozen=True)
class Rule:
    """Where all questions are answered with yes, the model at `place` scores. Of the `leads` it was learnt from, the share
    `right` were that model's."""

    questions: tuple[Question, ...]
    place: int
    leads: int
    right: float

    def of(self, rows: pa.Table) -> Bools:
        yes = np.ones(rows.num_rows, bool)
        for question in self.questions:
            yes &= question.of(rows)
        return yes


@dataclass(frozen=True)
class Routed:
    """For each row the place of the model that scores it, and whether hard facts alone said so."""

    place: Ints
    by_facts: Bools


@dataclass(frozen=True)
class Router:
    """`segments` in the order in which they are asked; `rules` are the tree's leaves, none where it learnt nothing."""

    segments: tuple[Segment, ...]
    rules: tuple[Rule, ...] = ()

    def route(self, rows: pa.Table) -> Routed:
        place = np.full(rows.num_rows, UNIVERSAL, np.int64)
        matches = np.zeros(rows.num_rows, np.int64)
        blank = np.zeros(rows.num_rows, bool)
        for i, segment in enumerate(self.segments, start=1):
            inside = segment.of(rows)
            place[inside & (matches == 0)] = i
            matches += inside
            blank |= category_column(rows, segment.fact)[0] == BLANK
        unsure = (matches > 1) | (blank & (matches == 0))
        for rule in self.rules:
            place[unsure & rule.of(rows)] = rule.place
        return Routed(place, ~unsure)

    def printed(self, names: Sequence[str]) -> list[str]:
        """The rules in words, a line each; `names` are those of the models, the universal one first."""
        return [
            f"{' and '.join(q.said for q in rule.questions) or 'always'}: {names[rule.place]} ({rule.leads:,} leads, {rule.right:.0%} right)"
            for rule in self.rules
        ]

    @property
    def facts(self) -> frozenset[str]:
        """The columns that define the segments, with those made of the same fields."""
        own = {segment.fact for segment in self.segments}
        return frozenset(own.union(*(same for same in SAME_FIELD if same & own)))

    def hidden(self, rows: pa.Table) -> pa.Table:
        """The rows as if their deciding facts were blank."""
        for i, name in enumerate(rows.column_names):
            if name in self.facts:
                rows = rows.set_column(i, name, pa.nulls(rows.num_rows, rows.schema.field(name).type))
        return rows


def learn(
    segments: Sequence[Segment],
    rows: pa.Table,
    features: Sequence[FeatureLike],
    weight: Floats,
    seed: int = 0,
) -> Router:
    """A router whose tree has learnt, from rows that hard facts decide, to tell the models' leads apart by everything else."""
    plain = Router(tuple(segments))
    routed = plain.route(rows)
    sure = routed.by_facts
    place = routed.place[sure]
    if len(np.unique(place)) < 2:
        return plain
    columns = _columns(rows, [f for f in features if f.role == "model" and f.name not in plain.facts])
    if not columns:
        return plain
    x = np.column_stack([values for _, _, values in columns])
    tree = DecisionTreeClassifier(max_leaf_nodes=RULES, min_samples_leaf=LEAST, random_state=seed)
    tree.fit(x[sure], place, sample_weight=weight[sure])
    return Router(plain.segments, _rules(tree, columns))


Columns = list[tuple[FeatureLike, str, Floats]]


def _columns(rows: pa.Table, features: Sequence[FeatureLike]) -> Columns:
    """What the tree looks at: numbers as they are (NaN = blank), of a category whether it is each of its common values."""
    out: Columns = []
    for feature in features:
        if feature.name not in rows.column_names:
            continue
        if feature.type == "number":
            x = number_column(rows, feature.name)
            if np.isfinite(x).any():
                out.append((feature, "", x))
            continue
        codes, values = category_column(rows, feature.name)
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        for v in sorted(range(len(values)), key=lambda v: (-counts[v], values[v]))[:MOST_VALUES]:
            out.append((feature, values[v], (codes == v).astype(np.float64)))
    return out


def _rules(fitted: Any, columns: Columns) -> tuple[Rule, ...]:
    tree, out = fitted.tree_, []

    def walk(node: int, questions: tuple[Question, ...]) -> None:
        if tree.children_left[node] < 0:
            shares = tree.value[node][0] / tree.value[node][0].sum()
            best = int(np.argmax(shares))
            leads = int(tree.n_node_samples[node])
            out.append(Rule(questions, int(fitted.classes_[best]), leads, float(shares[best])))
            return
        feature, value, _ = columns[tree.feature[node]]
        cut, blank_left = float(tree.threshold[node]), bool(tree.missing_go_to_left[node])
        for child, above in ((tree.children_left[node], False), (tree.children_right[node], True)):
            asked = Question(feature.name, feature.label, value, above, cut, blank_left is not above)
            walk(int(child), (*questions, asked))

    walk(0, ())
    return tuple(out)
