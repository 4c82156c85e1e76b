"""Your tag did this: what people's words (tags, overrides, reviews) changed in a model, all together and one by one.

All together is measured: the same settings are fitted again with and without their rows, and both are asked about leads
that neither has seen. A placebo says what of it is noise: as much weight of other rows, drawn by chance, left out
instead. Where the words moved no more than the placebo did, nothing can be shown, and only their number is told.

One by one is an influence step: from where the regression ended, one Newton step to where it would have ended without
one person's rows. The steps are linear in the rows, so they add up to the step of all together; what trees and
curvature make of it beyond that is the named remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model.design import CategoryField, Design, Encoded
from scoring.model.estimator import Point, Sample, refit
from scoring.model.scores import to_score

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ENOUGH = 20
"""events under which nothing is fitted again"""
BEYOND = 1.5
"""times the placebo's move from which on the words' own is shown"""
DRAWS = 400
TOP = 3


@dataclass(frozen=True)
class Effect:
    """A value of a field, or more of a number, and by how many points one person's words moved the leads that have it."""

    feature: str
    value: str | None
    points: float


@dataclass(frozen=True)
class Person:
    """`points`: mean move of a lead's score, up and down alike; `up`, `down`: leads moved by a point or more."""

    who: str
    events: int
    points: float | None
    up: int
    down: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Influence:
    """What all words together did to `leads` leads that were held out, in points, `placebo` beside it. `gain`: log loss
    without less with (above zero: the words helped), and its 95 % interval. Of the mean move, `remainder` is what
    the persons' steps don't add up to."""

    events: int
    leads: int
    shown: bool
    points: float | None
    placebo: float | None
    moved: int
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    remainder: float | None
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Held:
    """Leads that the words' effect is measured on."""

    encoded: Encoded
    design: Floats
    won: Floats
    group: npt.NDArray[np.int64]


def influence(
    layout: Design, sample: Sample, said: Bools, who: Sequence[str], like: Point, held: Held, base: float, seed: int
) -> Influence:  # fmt: skip
    """`said`: the rows that stand for words, two an event (part won, part lost); `who` said each row; `base`: the logit of
    the base rate."""
    names = np.array(who, dtype=str)
    counts = {str(name): int((names[said] == name).sum()) // 2 for name in np.unique(names[said])}
    events = sum(counts.values())
    if events < ENOUGH or len(held.won) == 0 or held.won.min() == held.won.max():
        people = tuple(Person(name, n, None, 0, 0, ()) for name, n in counts.items())
        return Influence(events, len(held.won), False, None, None, 0, None, None, None, None, people)
    within = refit(layout, sample, like, seed)
    with_words = within.logit(layout, held.encoded, held.design)
    without = refit(layout, sample.take(~said), like, seed).logit(layout, held.encoded, held.design)
    placebo = refit(layout, sample.take(~_drawn(sample, said, seed)), like, seed).logit(
        layout, held.encoded, held.design
    )
    move = to_score(with_words - base) - to_score(without - base)
    noise = float(np.abs(to_score(with_words - base) - to_score(placebo - base)).mean())
    points = float(np.abs(move).mean())
    shown = points >= BEYOND * noise
    gains = _loss(without, held.won) - _loss(with_words, held.won)
    low, high = _interval(gains, held.group)
    steps = _steps(layout, sample, within, {name: said & (names == name) for name in counts})
    told, total = [], np.zeros(len(move))
    for name, step in steps.items():
        logit = within.slope * (1 - within.share) * (step[0] + held.design @ step[1:])
        own = to_score(with_words - base) - to_score(with_words - logit - base)
        total += own
        effects = _effects(layout, step, within, held) if shown else ()
        told.append(
            Person(name, counts[name], float(np.abs(own).mean()) if shown else None, int((own >= 1).sum()),
                   int((own <= -1).sum()), effects)
        )  # fmt: skip
    return Influence(
        events, len(held.won), shown, points, noise, int((np.abs(move) >= 1).sum()), float(gains.mean()), low, high,
        float((move - total).mean()), tuple(sorted(told, key=lambda p: (-p.events, p.who))),
    )  # fmt: skip


def _steps(layout: Design, sample: Sample, point: Point, rows: dict[str, Bools]) -> dict[str, Floats]:
    """What each set of rows added to the regression's effects, the constant first."""
    fitted = point.additive
    full = np.column_stack([np.ones(len(sample)), sample.design])
    p = 1 / (1 + np.exp(-(full @ fitted.coef)))
    ridge = np.full(full.shape[1], 1e-6)
    for (a, b), penalty in zip(layout.groups, fitted.penalties, strict=True):
        ridge[1 + a : 1 + b] = penalty
    hessian = full.T @ (full * (sample.weight * p * (1 - p))[:, None]) + np.diag(ridge)
    pull = full * (sample.weight * (sample.won - p))[:, None]
    pulls = np.array([pull[mask].sum(axis=0) for mask in rows.values()])
    return dict(zip(rows, np.linalg.solve(hessian, pulls.T).T, strict=True))


def _effects(layout: Design, step: Floats, point: Point, held: Held) -> tuple[Effect, ...]:
    """Where the step is largest: of a category the value that moved most, of a number its leads' mean move. At 50 a
    logit is 25 points."""
    found = []
    scale = 25 * point.slope * (1 - point.share)
    for field, (a, b) in zip(layout.fields, layout.spans, strict=True):
        own = step[1 + a : 1 + b]
        if isinstance(field, CategoryField):
            moves = own - own @ field.shares
            k = int(np.abs(moves).argmax())
            found.append(Effect(field.name, field.values[k], round(scale * float(moves[k]), 1)))
        else:
            spread = float((held.design[:, a:b] @ own).std())
            found.append(Effect(field.name, None, round(scale * spread * float(np.sign(own[0])), 1)))
    return tuple(sorted((e for e in found if abs(e.points) >= 0.5), key=lambda e: -abs(e.points))[:TOP])


def _drawn(sample: Sample, said: Bools, seed: int) -> Bools:
    """Other rows of about the same weight, whole leads."""
    out = np.zeros(len(sample), bool)
    wanted, weight = float(sample.weight[said].sum()), 0.0
    leads = np.unique(sample.lead[~said])
    for lead in np.random.default_rng(seed).permutation(leads):
        mine = (sample.lead == lead) & ~said
        out |= mine
        weight += float(sample.weight[mine].sum())
        if weight >= wanted:
            break
    return out


def _loss(logit: Floats, won: Floats) -> Floats:
    out: Floats = np.logaddexp(0, logit) - won * logit
    return out


def _interval(values: Floats, group: npt.NDArray[np.int64]) -> tuple[float, float]:
    """95 %, of a mean over leads of companies."""
    _, place = np.unique(group, return_inverse=True)
    sums, counts = np.bincount(place.reshape(-1), values), np.bincount(place.reshape(-1))
    draws = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.quantile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)
