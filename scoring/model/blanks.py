"""What a blank hides: how much the fact's contribution varies among leads that are alike in everything else.

Fields that are blank together (employees as a number and as a band) are one fact. For each fact, the spread
of its contribution among rows where it is known, less what the other facts' contributions foretell of it: a
fact that says nothing adds nothing when blank, and one that others give away adds little.

Only facts that somebody could ask for count (`ASKABLE`): a reply time is blank because nobody wrote, not
because nobody knows.

Not every blank is an omission. Where leads without an occupation are won far less often than the average
occupation would have it, the blank is a value of its own (they never got to that form), the trees have learnt
its rate, and there is nothing to widen for. So it is tested, fact by fact, whether the leads with a blank fare
as the average known value would; and that its own rate is meant is believed only of blanks that come as they
came in training, field for field: a record that lacks what was never lacking has been damaged, and hides.

Where such a fact is omitted all the same, the trees take the blank for that value, and are off by its effect. What
else trees make of blanks the regression can't foretell, so known facts of the training leads are taken away
at random, and by how far the point model's logit then moves the variances are scaled (never down).

And no record has every fact that matters. What is never asked no data can tell, but each fact on record can
be left out in turn, and those are the only sample there is: one more of their mean size is taken to be blank
in every record, so far as this org's blanks are omissions (`Hidden.always`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model.additive import Additive, sigmoid
from scoring.model.design import BLANK, MIN_LEADS, USUAL, Design, Encoded
from scoring.model.estimator import Point, Sample
from scoring.model.quantiles import Z90, weighted_quantile

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ASKABLE = frozenset({"firmographic", "fact", "date"})
"""families whose blanks mean that the value exists and is not known"""
TOGETHER = 0.98
"""share of rows on which two fields of one fact are blank or known alike"""
ENOUGH = 30
"""known rows a fact needs"""
RIDGE = 1.0
TAKEN = (0.1, 0.7)
"""shares of a lead's facts that are taken away to see how far its logit moves"""
BITS = 62
"""facts whose blanks make up a pattern: those that hide most"""


@dataclass(frozen=True)
class Hidden:
    """What blanks hide, in squared logits. `blank`: of each field, when it is blank and an omission. `own`: of
    each field the chance that its blank is a value of its own. `first`: a field of each fact whose blanks make
    up a pattern; `patterns`: those of training, sorted, with their `leads`. `always`: what no record shows.
    `mean`: 0-1, how far the chance of a lead with blanks is the mean over what they may hide."""

    blank: Floats
    own: Floats
    first: Ints
    patterns: Ints
    leads: Floats
    always: float
    mean: float

    def variance(self, blank: Bools) -> Floats:
        """Of each row of `blank` (n × fields): what its blanks hide."""
        seen = self.learnt(blank)
        out: Floats = blank @ self.blank - seen * (blank @ (self.blank * self.own))
        return out

    def learnt(self, blank: Bools) -> Floats:
        """0-1: how well known is it from training that just these facts are blank together?"""
        if not len(self.patterns):
            return np.zeros(len(blank))
        mine = _pattern(blank, self.first)
        place = np.minimum(np.searchsorted(self.patterns, mine), len(self.patterns) - 1)
        leads = np.where(self.patterns[place] == mine, self.leads[place], 0.0)
        return np.minimum(leads / MIN_LEADS, 1.0)


def variances(layout: Design, sample: Sample, point: Point, seed: int) -> Hidden:
    """A fact's variance is spread evenly over its fields.

    The effects are uncertain themselves, and shrunk toward zero, so their posterior variance counts too: a
    fact's mean squared contribution is beta' R beta + tr(R Sigma), R being the covariance of its columns.
    """
    additive = point.additive
    out = np.zeros(len(layout.fields))
    own = np.zeros(len(layout.fields))
    each: list[float] = []
    parts = layout.contributions(additive.coef, sample.design)
    blank = sample.encoded.blank
    found = facts(layout, blank)
    by_trees = np.array([bool(point.trees) and f.name not in layout.unseen_by_trees for f in layout.fields])
    for fact, alone, effect in zip(found, *_own(sample, additive, blank, found), strict=True):
        known: Bools = ~np.asarray(blank[:, fact].any(axis=1), bool)
        if known.sum() < ENOUGH:
            continue
        each.append(_hidden(layout, sample, additive, parts, known, fact))
        own[fact] = alone * by_trees[fact]
        out[fact] = (each[-1] + own[fact] * effect**2) / len(fact)
    first = np.array([fact[0] for fact in sorted(found, key=lambda fact: -out[fact].sum())[:BITS]], np.int64)
    patterns, back = np.unique(_pattern(blank, first), return_inverse=True)
    leads = np.bincount(back.reshape(-1), weights=sample.weight, minlength=len(patterns))
    most = float(sample.weight @ (blank @ out))
    omitted = float(sample.weight @ (blank @ (out * (1 - own)))) / most if most > 0 else 1.0
    always = omitted * float(np.mean(each)) if each else 0.0
    out, mean = _taken(layout, sample, point, found, out, np.random.default_rng(seed + 3))
    return Hidden(out, own, first, patterns, leads.astype(np.float64), always, mean)


def _taken(
    layout: Design, sample: Sample, point: Point, found: list[list[int]], variance: Floats,
    random: np.random.Generator,
) -> tuple[Floats, float]:  # fmt: skip
    """The variances, scaled so that 90 % of the moves lie in the range that they make when known facts are taken
    away; and how far the moves go where they would if the logit left were that of the mean chance (scores.ranges)."""
    encoded = sample.encoded
    share = random.uniform(*TAKEN, len(sample))
    gone = np.zeros((len(sample), len(layout.fields)), bool)
    for fact in found:
        gone[:, fact] = (random.random(len(sample)) < share)[:, None]
    gone &= ~encoded.blank
    count = len(layout.numbers)
    less = Encoded(
        np.where(gone[:, :count], np.nan, encoded.numbers), np.where(gone[:, count:], BLANK, encoded.codes)
    )
    before = point.logit(layout, encoded, sample.design)
    after = point.logit(layout, less, layout.additive(less))
    moved, wide = after - before, gone @ variance
    some = wide > 0
    if some.sum() < ENOUGH:
        return variance, 1.0
    miss = np.abs(moved[some]) / np.sqrt(wide[some])
    out = variance * max(1.0, (weighted_quantile(miss, sample.weight[some], 0.9) / Z90) ** 2)
    lean = (0.5 - sigmoid(after)) * (gone @ out)
    size = float(sample.weight @ lean**2)
    slope = float(sample.weight @ (lean * moved)) / size if size > 0 else 1.0
    return out, float(np.clip(slope, 0.0, 1.0))


def _hidden(
    layout: Design, sample: Sample, additive: Additive, parts: Floats, known: Bools, fact: list[int]
) -> float:
    """How much a fact's contribution varies where it is known, less what the others' foretell of it."""
    columns = np.concatenate([np.arange(*layout.spans[f]) for f in fact])
    own = sample.design[known][:, columns]
    rest = np.delete(parts[known], fact, axis=1)
    rest, own = rest - rest.mean(axis=0), own - own.mean(axis=0)
    gram = rest.T @ rest + RIDGE * np.eye(rest.shape[1])
    own = own - rest @ np.linalg.solve(gram, rest.T @ own)
    spread = own.T @ own / len(own)
    coef = additive.coef[1 + columns]
    doubt = additive.covariance[np.ix_(1 + columns, 1 + columns)]
    return float(coef @ spread @ coef + (spread * doubt).sum())


def _own(sample: Sample, additive: Additive, blank: Bools, found: list[list[int]]) -> tuple[Floats, Floats]:
    """Of each fact, the chance that its blank has an effect of its own, of the usual size, against none, even odds before: by
    the score test of a column that the regression doesn't have (there a blank is the average known value). And that effect."""
    lacks = (
        np.column_stack([blank[:, fact].any(axis=1) for fact in found]).astype(np.float64)
        if found
        else np.zeros((len(blank), 0))
    )
    full = np.column_stack([np.ones(len(sample)), sample.design])
    p = sigmoid(full @ additive.coef)
    curve = sample.weight * p * (1 - p)
    cross = full.T @ (lacks * curve[:, None])
    told = (lacks * curve[:, None]).sum(axis=0) - np.einsum("ij,ij->j", cross, additive.covariance @ cross)
    told = np.maximum(told, 1e-9)
    score = lacks.T @ (sample.weight * (sample.won - p))
    usual = told * USUAL**2
    none = 0.5 * np.log1p(usual) - 0.5 * score**2 / told * usual / (1 + usual)
    chance: Floats = np.where(lacks.sum(axis=0) >= ENOUGH, sigmoid(-none), 0.0)
    return chance, score / (told + USUAL**-2)


def _pattern(blank: Bools, first: Ints) -> Ints:
    out: Ints = blank[:, first].astype(np.int64) @ (np.int64(1) << np.arange(len(first), dtype=np.int64))
    return out


def facts(layout: Design, blank: npt.NDArray[np.bool_]) -> list[list[int]]:
    """The fields that somebody could ask for, those together that are blank together."""
    return together(blank, [f for f, field in enumerate(layout.fields) if field.family in ASKABLE])


def together(blank: npt.NDArray[np.bool_], places: Iterable[int]) -> list[list[int]]:
    """Fields at `places`, those together that are blank together; one that never is stands alone."""
    found: list[list[int]] = []
    for f in places:
        for own in found if blank[:, f].any() else []:
            if (blank[:, f] == blank[:, own[0]]).mean() >= TOGETHER and blank[:, own[0]].any():
                own.append(f)
                break
        else:
            found.append([f])
    return found
