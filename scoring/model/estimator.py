"""The point model: boosted trees and an additive logistic regression, averaged on the logit, calibrated where
that helps.

The regression alone takes a blank for an average value. Beside trees, which read blanks, it is one that reads them
too (told.py), or it would pull their average away wherever blanks speak.

The trees' share, their number and the calibration are chosen by grouped cross-validated log loss, so a file
of three hundred wins may end with the regression alone, and one of thousands with mostly trees. Settings of
the trees (8 leaves, 15 % of the fields a split, L2 5) were measured: docs/decisions/0018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from scoring.model import additive, forest
from scoring.model import told as readers
from scoring.model.additive import Additive, sigmoid
from scoring.model.design import BLANK, Design, Encoded
from scoring.model.threads import each
from scoring.model.told import Told

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLDS = 4
SEEDS = 2
RATE = 0.07
ROUNDS = (30, 60, 100, 160)
"""numbers of trees that compete, until more of them no longer help"""
SHARES = tuple(np.round(np.arange(0, 1.01, 0.1), 1))
LEAVES = 8
FIELDS = 0.15
"""share of the fields that a split is chosen from"""
LEAST_LEAF = 20
"""leads in a leaf"""
NEARLY = 0.01
"""a row that is sparse to less than this is not, to more than its complement wholly so"""
BINS = 128
SMOOTHING = 10.0
"""leads of the base rate added to each value's own"""
FEW_WINS = 30
"""below this no trees and no learnt penalties: a strong ridge only"""
STRONG_RIDGE = 20.0
CERTAIN = 1e-4
"""no probability nearer to 0 or 1 than this"""


@dataclass(frozen=True)
class Sample:
    """Training rows ready for fitting."""

    encoded: Encoded
    design: Floats
    won: Floats
    weight: Floats
    group: Ints
    lead: Ints

    def __len__(self) -> int:
        return len(self.won)

    def take(self, rows: Ints | npt.NDArray[np.bool_]) -> Sample:
        return Sample(
            self.encoded.take(rows), self.design[rows], self.won[rows], self.weight[rows], self.group[rows],
            self.lead[rows],
        )  # fmt: skip

    def relabelled(self, won: Floats) -> Sample:
        return replace(self, won=won)


@dataclass(frozen=True)
class Part:
    """A fold: rows to fit on, rows to ask, and the logit of the latter by a regression that hasn't seen them: the one that
    would be alone, and the one beside trees."""

    rest: Sample
    held: Sample
    line: Floats
    beside: Floats


@dataclass(frozen=True)
class Boosted:
    """Trees on numbers cut into bins, and on the level of each category's value: its smoothed rate, so that a
    split between levels is a split between good and bad values. (scikit-learn's own categories would need
    code trusted on loading, and its own binning of weighted rows took nine tenths of the time.)
    """

    estimator: Any
    cuts: tuple[Floats, ...]
    levels: tuple[Floats, ...]

    def reads(self, encoded: Encoded) -> forest.Places:
        """n × fields, the rows as these trees take them; all trees of a model read alike."""
        return forest.of_rows(encoded, self.cuts, self.levels)

    def logit(self, layout: Design, read: forest.Places) -> Floats:
        hidden = frozenset(f for f, field in enumerate(layout.fields) if field.name in layout.unseen_by_trees)
        return forest.tables(self.estimator, self.cuts, self.levels, hidden).logit(read)


@dataclass(frozen=True)
class Sparse:
    """What is said of a sparse record (sparse.py): its own trees, their share beside the regression, and the regression
    on which fields are blank that tells such a record (logit above 0) from a row of training."""

    trees: tuple[Boosted, ...]
    share: float
    gate: Floats
    """one a field, in logits; 0 for a field that is hidden from the trees"""
    constant: float

    def weight(self, encoded: Encoded) -> Floats:
        """How far each row counts as sparse: 0 to 1, and exactly 0 or 1 where it is nearly so."""
        out = sigmoid(self.constant + encoded.blank @ self.gate)
        return np.where(out < NEARLY, 0.0, np.where(out > 1 - NEARLY, 1.0, out))

    def logit(self, layout: Design, read: forest.Places, line: Floats) -> Floats:
        if not self.trees:
            return line
        return (1 - self.share) * line + self.share * _mean(self.trees, layout, read)


@dataclass(frozen=True)
class Parts:
    """Of rows, what is averaged: the logits of the regression and of the trees; and 0 to 1, how far each counts as `sparse`."""

    line: Floats
    trees: Floats
    sparse: Floats


@dataclass(frozen=True)
class Point:
    """`share` is the trees' part of the average; the calibrated logit is offset + slope × average. `sparse` takes their
    place on records of which little is known, `told` that of the regression on all others."""

    additive: Additive
    trees: tuple[Boosted, ...]
    rounds: int
    share: float
    slope: float
    offset: float
    sparse: Sparse | None = None
    told: Told | None = None

    def parts(self, layout: Design, encoded: Encoded, design: Floats) -> Parts:
        """What regression and trees say (where there are none, the regression twice). On a sparse record "the trees" say what
        makes the average come to what `sparse` says of it."""
        line = self.additive.logit(design)
        thinness = np.zeros(len(line)) if self.sparse is None else self.sparse.weight(encoded)
        if not self.trees:
            return Parts(line, line, thinness)
        beside = line
        if self.told is not None:
            beside = _mixed(thinness, self.told.logit(design, encoded.blank), lambda: line)
        read = self.trees[0].reads(encoded)
        if self.sparse is None or not thinness.any():
            return Parts(beside, _mean(self.trees, layout, read), thinness)
        out = np.zeros(len(line))
        full, thin = np.flatnonzero(thinness < 1), np.flatnonzero(thinness > 0)
        if len(full):
            out[full] = (1 - thinness[full]) * _mean(self.trees, layout, read[full])
        wanted = (self.sparse.logit(layout, read[thin], line[thin]) - self.offset) / self.slope
        out[thin] += thinness[thin] * (wanted - (1 - self.share) * line[thin]) / self.share
        return Parts(beside, out, thinness)

    def contributions(self, layout: Design, encoded: Encoded, design: Floats, sparse: Floats) -> Floats:
        """n × fields: what each adds to the regression's logit. `sparse`: of the rows' parts."""

        def alone() -> Floats:
            return layout.contributions(self.additive.coef, design)

        if self.told is None:
            return alone()
        return _mixed(sparse[:, None], self.told.contributions(layout, design, encoded.blank), alone)

    def deviation(self, encoded: Encoded, design: Floats, sparse: Floats) -> Floats:
        """The standard deviation of the regression's logit, before calibration. `sparse`: of the rows' parts."""
        if self.told is None:
            return self.additive.deviation(design)
        own = self.told.regression.deviation(self.told.columns(design, encoded.blank))
        return _mixed(sparse, own, lambda: self.additive.deviation(design))

    def combine(self, parts: Parts) -> Floats:
        raw = self.offset + self.slope * ((1 - self.share) * parts.line + self.share * parts.trees)
        edge = np.log(CERTAIN / (1 - CERTAIN))
        out: Floats = np.clip(raw, edge, -edge)
        return out

    def logit(self, layout: Design, encoded: Encoded, design: Floats) -> Floats:
        return self.combine(self.parts(layout, encoded, design))


@dataclass(frozen=True)
class Trained:
    """A point model with what cross-validation said of it: each row judged by a model that had not seen its
    group."""

    point: Point
    metrics: dict[str, float]


def fit_point(layout: Design, sample: Sample, seed: int) -> Trained:
    few = _wins(sample) < FEW_WINS
    whole = _fit_additive(sample, layout, None, few)
    fold = folds(sample.group, sample.won, FOLDS, seed)
    line = whole.logit(sample.design)
    masks = [
        (held, rest)
        for k in range(FOLDS)
        for held, rest in [(fold == k, sample.take(fold != k))]
        if held.any() and rest.won.min() < rest.won.max()
    ]
    fitted = each(lambda part: _fit_additive(part[1], layout, whole, few), masks)
    for (held, _), additive_ in zip(masks, fitted, strict=True):
        line[held] = additive_.logit(sample.design[held])
    share, rounds, mixed, told = 0.0, 0, line.copy(), None
    if not few and layout.fields and masks:
        told = readers.learn(layout, sample.design, sample.encoded.blank, sample.won, sample.weight, whole)
        beside = line.copy()
        if told is not None:
            again = each(partial(_told_again, layout, told), [rest for _, rest in masks])
            for (held, _), reader in zip(masks, again, strict=True):
                beside[held] = reader.logit(sample.design[held], sample.encoded.take(held).blank)
        parts = [Part(rest, sample.take(held), line[held], beside[held]) for held, rest in masks]
        share, rounds, said = choose(layout, parts, seed)
        for (held, _), logit in zip(masks, said, strict=True):
            mixed[held] = logit
    slope, offset, mixed = _calibrate(mixed, sample, fold)
    seeds = range(seed + 100, seed + 100 + SEEDS) if share else ()
    trees = tuple(each(lambda s: fit_tree(layout, sample, rounds, s), seeds))
    point = Point(whole, trees, rounds, share, slope, offset, told=told if trees else None)
    return Trained(point, metrics(mixed, sample.won, sample.weight))


def choose(
    layout: Design, parts: Sequence[Part], seed: int, copies: int = 1
) -> tuple[float, int, list[Floats]]:
    """Share and number of trees with the least loss on the rows held out, and the logits of that mixture for each part. A
    tie within a ten-thousandth goes to fewer trees; where more of them don't help, none are added. `copies`: how often a
    lead comes in the rows."""
    won, weight = (np.concatenate([getattr(part.held, name) for part in parts]) for name in ("won", "weight"))
    lines, beside = [part.line for part in parts], [part.beside for part in parts]
    best, choice = log_loss(np.concatenate(lines), won, weight), (0.0, 0, lines)
    growing = [_Growing(layout, part.rest, seed + k, copies) for k, part in enumerate(parts)]
    for rounds in ROUNDS:
        grown = each(partial(_ahead, layout, rounds), zip(growing, parts, strict=True))
        before = best
        for share in SHARES[1:]:
            mixed = [(1 - share) * line + share * logit for line, logit in zip(beside, grown, strict=True)]
            loss = log_loss(np.concatenate(mixed), won, weight)
            if loss < best - 1e-4:
                best, choice = loss, (float(share), rounds, mixed)
        if best == before and rounds > ROUNDS[0]:
            break
    return choice


def _ahead(layout: Design, rounds: int, pair: tuple[_Growing, Part]) -> Floats:
    """What trees of so many rounds say of rows that they haven't seen."""
    tree, part = pair
    grown = tree.grown(rounds)
    return grown.logit(layout, grown.reads(part.held.encoded))


def _mixed(sparse: Floats, full: Floats, thin: Callable[[], Floats]) -> Floats:
    """What is said of full records, drawn toward what is said of sparse ones, which is worked out only if there are any."""
    return (1 - sparse) * full + sparse * thin() if sparse.any() else full


def _mean(trees: Sequence[Boosted], layout: Design, read: forest.Places) -> Floats:
    out: Floats = np.mean([one.logit(layout, read) for one in trees], axis=0)
    return out


def refit(layout: Design, sample: Sample, like: Point, seed: int) -> Point:
    """The same settings on other rows or labels, cheaply: penalties start where they ended, one seed of trees, none for
    sparse records."""
    line = _fit_additive(sample, layout, like.additive, _wins(sample) < FEW_WINS)
    trees = (fit_tree(layout, sample, like.rounds, seed),) if like.trees else ()
    told = None if like.told is None else _told_again(layout, like.told, sample)
    return Point(line, trees, like.rounds, like.share, like.slope, like.offset, told=told)


def fit_tree(
    layout: Design, sample: Sample, rounds: int, seed: int, copies: int = 1, like: Boosted | None = None
) -> Boosted:
    """`like`: trees that these have to read rows alike with."""
    return _Growing(layout, sample, seed, copies, like).grown(rounds)


class _Growing:
    """Trees that can be added to: what is grown already is not grown again."""

    def __init__(
        self, layout: Design, sample: Sample, seed: int, copies: int, like: Boosted | None = None
    ) -> None:
        if like is not None:
            self.cuts, self.levels = like.cuts, like.levels
        else:
            self.cuts = tuple(_cuts(sample.encoded.numbers[:, i]) for i in range(len(layout.numbers)))
            self.levels = tuple(_levels(sample, c, field.width) for c, field in enumerate(layout.categories))
        self.x = layout.trees(sample.encoded, self.cuts, self.levels)
        self.x[:, ~np.isfinite(self.x).any(axis=0)] = (
            0.0  # a column with no known value would crash the binning
        )
        self.sample = sample
        self.trees = HistGradientBoostingClassifier(
            learning_rate=RATE, max_leaf_nodes=LEAVES, max_features=FIELDS, l2_regularization=5.0,
            min_samples_leaf=LEAST_LEAF * copies, early_stopping=False, warm_start=True, random_state=seed,
        )  # fmt: skip

    def grown(self, rounds: int) -> Boosted:
        self.trees.set_params(max_iter=rounds)
        self.trees.fit(self.x, self.sample.won, sample_weight=self.sample.weight)
        return Boosted(self.trees, self.cuts, self.levels)


def _cuts(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))


def _levels(sample: Sample, column: int, width: int) -> Floats:
    codes = sample.encoded.codes[:, column]
    codes = np.where(codes < BLANK, width, codes)
    known = codes >= 0
    base = np.average(sample.won, weights=sample.weight)
    leads = np.bincount(codes[known], weights=sample.weight[known], minlength=width + 1)
    wins = np.bincount(codes[known], weights=(sample.weight * sample.won)[known], minlength=width + 1)
    out: Floats = (wins + SMOOTHING * base) / (leads + SMOOTHING)
    return out


def folds(group: Ints, won: Floats, count: int, seed: int) -> Ints:
    """A fold for each row: groups stay whole, and groups with a win are dealt out evenly."""
    names, place = np.unique(group, return_inverse=True)
    any_win = np.zeros(len(names))
    np.maximum.at(any_win, place, won)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(any_win[order], kind="stable")]
    fold = np.empty(len(names), np.int64)
    fold[order] = np.arange(len(names)) % count
    return fold[place]


def losses(logit: Floats, won: Floats) -> Floats:
    """Of each row, in nats."""
    out: Floats = np.logaddexp(0, logit) - won * logit
    return out


def log_loss(logit: Floats, won: Floats, weight: Floats) -> float:
    return float((losses(logit, won) * weight).sum() / weight.sum())


def metrics(logit: Floats, won: Floats, weight: Floats) -> dict[str, float]:
    p = sigmoid(logit)
    return {
        "auc": float(roc_auc_score(won, p, sample_weight=weight)),
        "log_loss": log_loss(logit, won, weight),
        "brier": float((weight * (p - won) ** 2).sum() / weight.sum()),
        "ece": calibration_error(p, won, weight),
    }


def calibration_error(p: Floats, won: Floats, weight: Floats, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count."""
    parts = np.array_split(np.argsort(p, kind="stable"), bins)
    gaps = [abs(float((weight[i] * (won[i] - p[i])).sum())) for i in parts if len(i)]
    return float(sum(gaps) / weight.sum())


def _wins(sample: Sample) -> float:
    return float((sample.won * sample.weight).sum())


def _fit_additive(sample: Sample, layout: Design, start: Additive | None, few: bool) -> Additive:
    fixed = np.full(len(layout.groups), STRONG_RIDGE) if few else None
    steps = additive.STEPS if start is None or few else 4
    return additive.fit(
        sample.design, sample.won, sample.weight, layout.groups,
        start=start, penalties=fixed, usual=layout.usual, steps=steps,
    )  # fmt: skip


def _told_again(layout: Design, like: Told, sample: Sample) -> Told:
    return readers.again(layout, sample.design, sample.encoded.blank, sample.won, sample.weight, like)


def _calibrate(logit: Floats, sample: Sample, fold: Ints) -> tuple[float, float, Floats]:
    """Slope and offset of a sigmoid, if cross-fitted ones lower the loss, and the logits that come of
    them. Never one that turns the order round: on a handful of wins a falling sigmoid wins by chance."""
    fitted = np.empty(len(logit))
    for k in range(FOLDS):
        held = fold == k
        slope, offset = _platt(logit[~held], sample.won[~held], sample.weight[~held])
        fitted[held] = offset + slope * logit[held]
    before = log_loss(logit, sample.won, sample.weight)
    if log_loss(fitted, sample.won, sample.weight) >= before:
        return 1.0, 0.0, logit
    slope, offset = _platt(logit, sample.won, sample.weight)
    return (slope, offset, fitted) if slope > 0 else (1.0, 0.0, logit)


def _platt(logit: Floats, won: Floats, weight: Floats) -> tuple[float, float]:
    fitted = additive.fit(logit[:, None], won, weight, ((0, 1),), penalties=np.array([1e-3]))
    return float(fitted.coef[1]), float(fitted.coef[0])
