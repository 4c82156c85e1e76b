"""What an outcome says when nobody may have worked the lead: training weights by the chance of attention (S1.5).

Leads that look weak get few calls, so they convert less, so they look weak. So among leads that look alike, one that was
worked counts against one that was not by the inverse of the chance that such a lead is worked
(inverse-propensity weighting: Rosenbaum & Rubin 1983), and the few weak ones that somebody did work speak for those that
nobody did. All weights of a kind of lead are multiplied by that chance (stabilised: Robins, Hernán & Brumback 2000),
which changes no conditional chance and keeps a rarely worked lead from drowning the rest: so a worked lead
counts 1, an unworked one the chance. Measured on worlds with neglect: docs/decisions/0013.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import additive
from scoring.model import design as layouts
from scoring.model.additive import sigmoid
from scoring.model.design import FeatureLike
from scoring.model.estimator import folds
from scoring.model.threads import single

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LEAST = 0.05
"""no chance counts as smaller, so that no outcome is without any weight"""
FOLDS = 4
FEW = 30
"""leads on either side that are needed before anything is learnt from who was worked"""
LOGGED = 0.7
"""share of won leads whose work must show in the activities: below it, reps log elsewhere and "not worked" means nothing"""
DRAWS = 60
"""of companies, for an interval"""


@dataclass(frozen=True)
class Attention:
    """One entry a row. `chance`: that its lead would be worked, as recorded where a lot decided, else learnt out of
    fold; `weight`: what its outcome counts, at most 1."""

    chance: Floats
    weight: Floats


@dataclass(frozen=True)
class Hidden:
    """What the loop would otherwise hide: of leads that nobody worked, how many more would have been won if they had been
    worked like the others, with a 90 % interval."""

    leads: int
    unworked: int
    won: int
    """of the unworked"""
    more: float
    low: float
    high: float


def is_logged(won: Bools, worked: Bools) -> bool:
    """Whether the activities tell who was worked, one entry a lead: most leads that were won show it, and enough leads of
    either kind are there."""
    if min(int(worked.sum()), int((~worked).sum())) < FEW or not won.any():
        return False
    return float(worked[won].mean()) >= LOGGED


def weigh(
    rows: pa.Table,
    worked: Bools,
    *,
    features: Sequence[FeatureLike],
    group: Ints,
    recorded: Floats,
    seed: int = 0,
) -> Attention:
    """`worked`: whether a person worked the lead around the row's moment. `recorded`: the chance where a lot
    decided, NaN elsewhere. `features` may hold what the model itself must not see, the org's own points above
    all: reps go by them."""
    with single():
        learnt = _learnt(rows, worked, features, group, seed)
    chance = np.where(np.isfinite(recorded), recorded, learnt)
    return Attention(chance, np.where(worked, 1.0, np.maximum(chance, LEAST)))


def hidden(
    rows: pa.Table, won: Floats, worked: Bools, *, features: Sequence[FeatureLike], group: Ints, seed: int = 0
) -> Hidden | None:
    """One row a lead. A regression on the worked leads says what the others would have come to; the interval redraws
    companies. Without the org's own points: leads that nobody works at any points have no like among the worked. On
    worlds it is a fifth too high, since who is won was worked more surely (docs/decisions/0013). None where too few worked
    leads were won."""
    if min(float(won[worked].sum()), int((~worked).sum())) < FEW:
        return None
    with single():
        layout = layouts.learn(rows.filter(pa.array(worked)), features)
        design = layout.additive(layout.encode(rows))
        x, y, rest = design[worked], won[worked], design[~worked]
        fitted = additive.fit(x, y, np.ones(len(y)), layout.groups, usual=layout.usual)
        would = float(sigmoid(fitted.logit(rest)).sum())
        drawn = []
        for weight in _redrawn(group[worked], np.random.default_rng(seed)):
            again = additive.fit(x, y, weight, layout.groups, start=fitted, usual=layout.usual, steps=3)
            drawn.append(float(sigmoid(again.logit(rest)).sum()))
    come = float(won[~worked].sum())
    low, high = np.quantile(drawn, [0.05, 0.95])
    return Hidden(
        len(won), int((~worked).sum()), round(come), would - come, float(low) - come, float(high) - come
    )


def _redrawn(group: Ints, random: np.random.Generator) -> Iterator[Floats]:
    """Weights of leads whose companies are drawn anew with replacement: colleagues share their luck."""
    _, place = np.unique(group, return_inverse=True)
    count = int(place.max()) + 1
    for _ in range(DRAWS):
        yield np.bincount(random.integers(count, size=count), minlength=count)[place].astype(np.float64)


def _learnt(rows: pa.Table, worked: Bools, features: Sequence[FeatureLike], group: Ints, seed: int) -> Floats:
    hit = worked.astype(np.float64)
    layout = layouts.learn(rows, features)
    design = layout.additive(layout.encode(rows))
    fold = folds(group, hit, FOLDS, seed)
    out = np.full(len(hit), float(hit.mean()))
    start = None
    for k in range(FOLDS):
        rest = fold != k
        if rest.all() or not rest.any() or hit[rest].min() == hit[rest].max():
            continue
        start = additive.fit(design[rest], hit[rest], np.ones(int(rest.sum())), layout.groups, start=start)
        out[~rest] = sigmoid(start.logit(design[~rest]))
    return out
