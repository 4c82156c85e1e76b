"""Boosted trees asked by tables instead of walks: a quarter of the time, the same logits bit for bit.

A field has few values for a tree: the bins of a number, the values of a category, blank. So for each of them and each
tree it is known beforehand which leaves it rules out, as bits of a word; the leaf of a row is the leftmost that none of
its fields rules out (QuickScorer: Lucchese et al. 2015). Four trees share one word of 64 bits, so a field is looked up
once for four trees. A single row is asked all trees at a time instead.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.model.design import BLANK, Encoded

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]

LEAVES = 16
"""leaves a tree may have: the bits of its part of a word"""
TOGETHER = 4
"""trees that share a word"""
ALL = np.uint16(0xFFFF)
CHUNK = 16_384
"""rows asked at a time: what is looked up stays in the processor's cache"""
FEW = 64
"""rows up to which all trees are asked at a time"""


@dataclass(frozen=True)
class Forest:
    """`ruled`: of each field, places × trees, the leaves that a value leaves; `words`: the same of the fields that each
    four trees look at, a word for four. `leaves`: of each four trees 64 values."""

    start: float
    fields: tuple[int, ...]
    """those that any tree looks at"""
    ruled: tuple[npt.NDArray[np.uint16], ...]
    words: tuple[tuple[tuple[int, Words], ...], ...]
    leaves: Floats
    trees: int

    def logit(self, places: list[Places]) -> Floats:
        """`places`: of each field where a row's value stands in its table (`of_rows`)."""
        rows = len(places[0]) if places else 0
        if rows <= FEW:
            return self._few(places, rows)
        out = np.empty(rows)
        for begin in range(0, rows, CHUNK):
            some = slice(begin, begin + CHUNK)
            out[some] = self._many([place[some] for place in places])
        return out

    def _few(self, places: list[Places], rows: int) -> Floats:
        left = np.full((rows, self.leaves.size // LEAVES), ALL)
        for f, table in zip(self.fields, self.ruled, strict=True):
            left &= table[places[f]]
        place = _leftmost(left) + LEAVES * np.arange(left.shape[1])
        steps = np.empty((rows, self.trees + 1))
        steps[:, 0] = self.start
        steps[:, 1:] = self.leaves.ravel()[place[:, : self.trees]]
        # a running sum, since adding in any other order is another number in the last bit
        return steps.cumsum(axis=1)[:, -1]

    def _many(self, places: list[Places]) -> Floats:
        rows = len(places[0])
        left, one = np.empty(rows, np.uint64), np.empty(rows, np.uint64)
        out = np.full(rows, self.start)
        step = (LEAVES * np.arange(TOGETHER)).astype(np.uint8)
        for looked_at, values in zip(self.words, self.leaves, strict=True):
            left.fill(np.uint64(0xFFFF_FFFF_FFFF_FFFF))
            for f, table in looked_at:
                table.take(places[f], out=one, mode="clip")
                np.bitwise_and(left, one, out=left)
            found = values.take(_leftmost(left.view(np.uint16).reshape(rows, TOGETHER)) + step)
            for tree in range(TOGETHER):
                out += found[:, tree]
        return out


def of_rows(rows: Encoded, cuts: tuple[Floats, ...], levels: tuple[Floats, ...]) -> list[Places]:
    """Of each field where a row's value stands among those that trees tell apart: a number's place among the cuts, a
    category's own place, then rare and unseen ones, and blank last."""
    out = []
    for i, cut in enumerate(cuts):
        values = rows.numbers[:, i]
        out.append(np.where(np.isfinite(values), np.searchsorted(cut, values), len(cut) + 1).astype(np.intp))
    for c, level in enumerate(levels):
        codes = rows.codes[:, c]
        known = np.where(codes < BLANK, len(level) - 1, codes)
        out.append(np.where(codes == BLANK, len(level), known).astype(np.intp))
    return out


def tables(
    estimator: Any, cuts: tuple[Floats, ...], levels: tuple[Floats, ...], hidden: frozenset[int]
) -> Forest:
    """Of scikit-learn's trees, made once for each estimator. `hidden`: fields that trees don't see (all zeros to
    them)."""
    key, grown = id(estimator), estimator._predictors
    made = _MADE.get(key)
    forest = made[1] if made is not None and made[0]() is estimator else None
    if forest is None or forest.trees != len(grown):
        forest = _tables(estimator, cuts, levels, hidden)
        _MADE[key] = (weakref.ref(estimator, lambda _: _MADE.pop(key, None)), forest)
    return forest


_MADE: dict[int, tuple[weakref.ref[Any], Forest]] = {}


def _tables(
    estimator: Any, cuts: tuple[Floats, ...], levels: tuple[Floats, ...], hidden: frozenset[int]
) -> Forest:
    values = [np.append(np.arange(len(cut) + 1.0), np.nan) for cut in cuts]
    values += [np.append(level, np.nan) for level in levels]
    values = [np.zeros(len(v)) if f in hidden else v for f, v in enumerate(values)]
    grown = [stage[0].nodes for stage in estimator._predictors]
    fours = -(-len(grown) // TOGETHER)
    ruled = [np.full((len(v), fours * TOGETHER), ALL) for v in values]
    leaves = np.zeros((fours * TOGETHER, LEAVES))
    looked_at: list[set[int]] = [set() for _ in range(fours)]
    for tree, nodes in enumerate(grown):
        spans = _spans(nodes)
        for node, (first, last) in spans.items():
            if nodes["is_leaf"][node]:
                leaves[tree, first] = nodes["value"][node]
                continue
            f = int(nodes["feature_idx"][node])
            blank = np.isnan(values[f])
            goes_left = np.where(
                blank, nodes["missing_go_to_left"][node] > 0, values[f] <= nodes["num_threshold"][node]
            )
            first, last = spans[int(nodes["left"][node])]
            ruled[f][~goes_left, tree] &= ALL ^ np.uint16((1 << last) - (1 << first))
            looked_at[tree // TOGETHER].add(f)
    words = tuple(
        tuple((f, np.ascontiguousarray(ruled[f][:, four * TOGETHER : (four + 1) * TOGETHER]).view(np.uint64).ravel()) for f in sorted(fields))
        for four, fields in enumerate(looked_at)
    )  # fmt: skip
    used = tuple(sorted(set().union(*looked_at)))
    start = float(np.ravel(estimator._baseline_prediction)[0])
    return Forest(
        start,
        used,
        tuple(ruled[f] for f in used),
        words,
        leaves.reshape(fours, TOGETHER * LEAVES),
        len(grown),
    )


def _spans(nodes: Any) -> dict[int, tuple[int, int]]:
    """Of each node the leaves under it, numbered from the left: the first, and the one after the last."""
    spans: dict[int, tuple[int, int]] = {}
    count = 0

    def walk(node: int) -> tuple[int, int]:
        nonlocal count
        if nodes["is_leaf"][node]:
            count += 1
            spans[node] = count - 1, count
        else:
            first, _ = walk(int(nodes["left"][node]))
            spans[node] = first, walk(int(nodes["right"][node]))[1]
        return spans[node]

    walk(0)
    return spans


def _leftmost(left: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """The place of the lowest bit."""
    out: npt.NDArray[np.uint8] = np.bitwise_count((left - np.uint16(1)) & ~left)
    return out
