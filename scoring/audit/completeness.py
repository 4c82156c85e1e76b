"""Completeness bias (S1.3): a lead must not score higher merely because more fields are filled.

Of each fact that somebody could ask for, in a trained model: by how much a score moves when the fact is blank and when it
holds a known value, drawn at random from the leads that have one (`median`, `p99`), and what of that comes from the mere
filling, whatever it is filled with: the mean over its values (`filled`).

A fact whose *values* tell nothing (shuffled among the leads that have one, the predictions are no worse) may not move
scores by being filled: over the limit it leaves the model, which is then fitted anew, until none is over (`honest`). One
that moves them by its values alone, in a noisy tree or because what little it tells can't be shown yet, is hidden from the
trees and stays in the regression, which shrinks it and where a blank is an average value.

Of a fact whose values do matter, a score must move when it becomes known; what the mere filling does is reported for each,
and with `strict` held to the limit too. That costs ranking where blanks tell much (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.metrics.scores import auc
from scoring.model import additive
from scoring.model.additive import log_odds, sigmoid
from scoring.model.blanks import ENOUGH, facts
from scoring.model.card import Model
from scoring.model.design import BLANK, Design, Encoded
from scoring.model.estimator import Sample, folds, losses, refit
from scoring.model.scores import to_score
from scoring.model.threads import each, single
from scoring.model.train import Draft, sample_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEADS = 600
"""rows on which moves are measured, drawn at random"""
DRAWS = 12
"""known values put into each of them"""
MOST_FITS = 8
"""rounds before a model is given up"""
SHUFFLES = 5
FOLDS = 3
SURE = 3.0
"""standard errors by which shuffling a fact's values must hurt before they are taken to matter; of 30 planted noise fields
none came above 2.6 (facts of the leads file: 11 and more, or 1.1 and less)"""
PATTERN_RIDGE = 1.0


class Limits(Protocol):
    """Of a policy's [models]."""

    @property
    def filled_median(self) -> float: ...
    @property
    def filled_p99(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a model. Moves are in points of score."""

    names: tuple[str, ...]
    label: str
    blank: float
    """share of rows on which it is blank"""
    median: float
    """of |score with a known value − score without|"""
    p99: float
    filled: float
    """median of the mean move over its values: what filling it with nobody knows what does; above 0 it raises scores"""
    filled_p99: float
    """99th percentile of that move's size"""
    values_matter: float | None = None
    """standard errors by which shuffling its values hurts; None where nothing made it necessary to know"""

    @property
    def irrelevant(self) -> bool:
        return self.values_matter is not None and self.values_matter < SURE

    def biased(self, limits: Limits) -> bool:
        """Filling it moves scores whatever it is filled with."""
        return abs(self.filled) > limits.filled_median or self.filled_p99 > limits.filled_p99

    def moving(self, limits: Limits) -> bool:
        """Its values move scores."""
        return self.median > limits.filled_median or self.p99 > limits.filled_p99

    def over(self, limits: Limits, *, strict: bool) -> bool:
        """Whether it keeps a model from shipping. What is never blank can't be filled to please the score."""
        return self.biased(limits) and (self.irrelevant or (strict and self.blank > 0))


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of one model."""

    blanks_alone: float | None
    """AUC of which facts are blank, and nothing else, out of fold: of all facts, those left out as well"""
    facts: tuple[Fact, ...]
    left_out: tuple[Fact, ...]
    """facts that the model was fitted anew without: their values told nothing, their being filled moved scores (strict: or
    moved them even though no tree saw it)"""
    hidden: tuple[str, ...]
    """features of which the trees don't know whether they are blank"""
    limit_median: float
    limit_p99: float
    strict: bool
    fits: int
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            "blanks_alone_auc": self.blanks_alone, "limit": {"median": self.limit_median, "p99": self.limit_p99},
            "strict": self.strict, "fits": self.fits, "passed": self.passed, "hidden_from_trees": list(self.hidden),
            "facts": [_plain(fact) for fact in self.facts], "left_out": [_plain(fact) for fact in self.left_out],
        }  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The training rows that a model is judged on."""

    table: pa.Table
    won: Floats
    weight: Floats
    group: Ints = field(repr=False)


Fit = Callable[[Sequence[Any], tuple[str, ...]], Draft]
"""fit(features, hidden from trees): the model of these rows, as it would be released, not finished yet"""


def honest(
    fit: Fit, features: Sequence[Any], rows: Rows, limits: Limits, *, strict: bool = False, seed: int = 0
) -> tuple[Model, Completeness, tuple[Any, ...]]:
    """A model under the limit, what was measured of it, and the features that it was fitted with. Each round takes
    at least one fact from the model, or hides one from the trees; after MOST_FITS it has not passed."""
    features, out, fits = tuple(features), list[Fact](), 0
    hidden_names: tuple[str, ...] = ()
    alone: float | None = None
    judged: dict[tuple[str, ...], float] = {}

    def judge(model: Draft) -> tuple[list[Fact], list[Fact], list[Fact], list[Fact]]:
        """The facts of a model: all, those that keep it from shipping, those to leave out, those to hide."""
        found = measured(model, rows, limits, judged, seed=seed)
        judged.update({fact.names: fact.values_matter for fact in found if fact.values_matter is not None})
        unseen = set(hidden_names)
        over = [fact for fact in found if fact.over(limits, strict=strict)]
        leave = [fact for fact in over if fact.irrelevant or set(fact.names) <= unseen]
        hide = [fact for fact in over if fact not in leave]
        hide += [
            fact
            for fact in found
            if fact.irrelevant and fact.moving(limits) and fact not in over and not set(fact.names) <= unseen
        ]
        return found, over, leave, hide

    while True:
        model = fit(features, hidden_names)
        fits += 1
        alone = blanks_alone(model.design, rows, seed) if fits == 1 else alone
        found, over, leave, hide = judge(model)
        if not (leave or hide):  # as it would be released: trees for sparse records read blanks, too
            model = model.whole()
            found, over, leave, hide = judge(model)
        if not (leave or hide) or fits == MOST_FITS:
            break
        out += leave
        names = {name for fact in leave for name in fact.names}
        features = tuple(replace(f, role="routing") if f.name in names else f for f in features)
        hidden_names = tuple(sorted({*hidden_names, *(name for fact in hide for name in fact.names)}))
    report = Completeness(
        alone, tuple(found), tuple(out), hidden_names, limits.filled_median,
        limits.filled_p99, strict, fits, not over,
    )  # fmt: skip
    return model.finish(), report, features


def measured(
    model: Model | Draft,
    rows: Rows,
    limits: Limits,
    judged: Mapping[tuple[str, ...], float] | None = None,
    *,
    seed: int = 0,
) -> list[Fact]:
    """Each fact's moves; whether its values matter is found out for those that move scores beyond the limit and aren't
    `judged` yet."""
    with single():
        layout = model.design
        encoded = layout.encode(rows.table)
        blank = encoded.blank
        random = np.random.default_rng(seed)
        few = encoded.take(random.permutation(len(encoded))[:LEADS])
        plain, whole = layout.additive(few), layout.additive(encoded)
        found: list[tuple[list[int], Fact]] = []
        for of in facts(layout, blank):
            known = np.flatnonzero(~blank[:, of].any(axis=1))
            if len(known) < ENOUGH:
                continue
            said = _said(model, of, whole[known])
            along = known[np.argsort(said, kind="stable")]
            found.append((of, _moves(model, of, few, plain, encoded, along, blank, random)))
        z = dict(judged or {})
        doubtful = [
            (of, fact)
            for of, fact in found
            if fact.names not in z and (fact.moving(limits) or fact.biased(limits))
        ]
        told = _values_matter(model, rows, encoded, [of for of, _ in doubtful], seed)
        z |= zip((fact.names for _, fact in doubtful), told, strict=True)
        return [replace(fact, values_matter=z.get(fact.names)) for _, fact in found]


def blanks_alone(layout: Design, rows: Rows, seed: int) -> float | None:
    """AUC out of fold of a regression on which facts are blank."""
    with single():
        blank = layout.encode(rows.table).blank
        columns = [f for of in facts(layout, blank) for f in of[:1] if 0 < blank[:, f].mean() < 1]
        if not columns:
            return None
        x = blank[:, columns].astype(np.float64)
        x -= x.mean(axis=0)
        fold = folds(rows.group, rows.won, FOLDS, seed)
        out = np.zeros(len(x))
        spans = [(0, x.shape[1])]
        for k in range(FOLDS):
            rest = fold != k
            if rest.all() or rows.won[rest].min() == rows.won[rest].max():
                return None
            fitted = additive.fit(
                x[rest], rows.won[rest], rows.weight[rest], spans, penalties=np.array([PATTERN_RIDGE])
            )
            out[~rest] = fitted.logit(x[~rest])
        return auc(rows.won > 0.5, sigmoid(out))


def _moves(
    model: Model | Draft, of: list[int], few: Encoded, plain: Floats, encoded: Encoded, along: Ints, blank: Bools,
    random: np.random.Generator,
) -> Fact:  # fmt: skip
    """`plain`: the additive design of the `few`; `along`: the rows that know the fact, ordered by what they say of it."""
    layout = model.design
    base = log_odds(model.base_rate)

    def told(donors: Encoded | None) -> Floats:
        rows = _with(layout, few, of, donors)
        return model.point.logit(layout, rows, layout.refilled(plain, rows, of))

    without = told(None)
    filled = np.empty((DRAWS, len(few)))
    for d in range(DRAWS):
        places = ((d + random.random(len(few))) / DRAWS * len(along)).astype(np.int64)
        filled[d] = told(encoded.take(along[places]))
    at = to_score(without - base)
    moves = np.abs(to_score(filled - base) - at)
    mean = to_score(filled.mean(axis=0) - base) - at
    return Fact(
        tuple(layout.fields[f].name for f in of), layout.fields[of[0]].label, float(blank[:, of[0]].mean()),
        float(np.median(moves)), float(np.quantile(moves, 0.99)), float(np.median(mean)),
        float(np.quantile(np.abs(mean), 0.99)),
    )  # fmt: skip


def _said(model: Model | Draft, of: list[int], design: Floats) -> Floats:
    """What the regression makes of a fact's values: donors are drawn evenly along it, so that few of them speak for all."""
    spans = [model.design.spans[f] for f in of]
    coef = model.point.additive.coef
    said: Floats = np.sum([design[:, a:b] @ coef[1 + a : 1 + b] for a, b in spans], axis=0)
    return said


def _with(layout: Design, rows: Encoded, of: list[int], donors: Encoded | None) -> Encoded:
    """The rows with a fact blank, or as the donors have it."""
    numbers, codes, count = rows.numbers.copy(), rows.codes.copy(), len(layout.numbers)
    for f in of:
        if f < count:
            numbers[:, f] = np.nan if donors is None else donors.numbers[:, f]
        else:
            codes[:, f - count] = BLANK if donors is None else donors.codes[:, f - count]
    return Encoded(numbers, codes)


def _values_matter(
    model: Model | Draft, rows: Rows, encoded: Encoded, doubtful: list[list[int]], seed: int
) -> list[float]:
    """For each fact: the rise of log loss, in its own standard errors, when its known values change places among
    the leads that have one, told by a model that has not seen them. Companies are counted once."""
    if not doubtful:
        return []
    layout = model.design
    sample = sample_of(layout, rows.table, rows.won, rows.weight, rows.group, rows.group)
    blank = encoded.blank
    fold = folds(rows.group, rows.won, FOLDS, seed)
    rise = np.zeros((len(doubtful), len(sample)))

    def judge(k: int) -> None:
        held, rest = np.flatnonzero(fold == k), sample.take(fold != k)
        if not len(held) or rest.won.min() == rest.won.max():
            return
        random = np.random.default_rng((seed + 1, k))
        point = refit(layout, rest, model.point, seed + k)
        here = encoded.take(held)
        plain = losses(point.logit(layout, here, layout.additive(here)), rows.won[held])
        for i, of in enumerate(doubtful):
            known = np.flatnonzero(~blank[held][:, of].any(axis=1))
            for _ in range(SHUFFLES if len(known) > 1 else 0):
                part = here.take(known)
                moved = _with(layout, part, of, part.take(random.permutation(len(known))))
                loss = losses(point.logit(layout, moved, layout.additive(moved)), rows.won[held][known])
                rise[i, held[known]] += (loss - plain[known]) / SHUFFLES

    each(judge, range(FOLDS))
    return [_in_errors(fact, sample) for fact in rise]


def _in_errors(rise: Floats, sample: Sample) -> float:
    """A sum over rows against what it varies by from company to company."""
    by_group = np.bincount(sample.group, weights=rise * sample.weight)
    spread = float(np.sqrt((by_group**2).sum()))
    return float(by_group.sum() / spread) if spread > 0 else 0.0


def _plain(fact: Fact) -> dict[str, Any]:
    return {
        "features": list(fact.names), "label": fact.label, "blank": fact.blank, "median": fact.median, "p99": fact.p99,
        "filled": fact.filled, "filled_p99": fact.filled_p99, "values_matter": fact.values_matter,
    }  # fmt: skip
