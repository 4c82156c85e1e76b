"""Your tag did this: what people's words changed in a model, all together and one by one (S6.1).

Measured against the same model without them, on leads that neither has seen. A person's part is the step that their words
made the regression take (said.py); the steps add up to the whole, and what the curve between logit and score makes of
their order is the named remainder. Below `ENOUGH` words, or where no lead moved by a point, only their number is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.model.design import CategoryField, Design, Encoded
from scoring.model.estimator import Point, losses
from scoring.model.said import Lessons
from scoring.model.scores import to_score

Floats = npt.NDArray[np.float64]

ENOUGH = 20
"""words under which nothing is shown"""
MOVED = 1.0
"""points from which on a lead counts as moved"""
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
    words: int
    points: float | None
    up: int
    down: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Influence:
    """What all words together did to `leads` leads that were held out, in points. `gain`: log loss without less with (above
    zero: the words helped), and its 95 % interval. Of the mean move, `remainder` is what the persons' steps don't add
    up to."""

    words: int
    leads: int
    shown: bool
    points: float
    moved: int
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    remainder: float
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Held:
    """Leads that the words' effect is measured on."""

    encoded: Encoded
    design: Floats
    won: Floats
    group: npt.NDArray[np.int64]


def influence(layout: Design, lessons: Lessons, without: Point, held: Held, base: float) -> Influence:
    """`without`: the point model before it heard `lessons`; `base`: the logit of the base rate."""
    heard = lessons.point.logit(layout, held.encoded, held.design)
    plain = without.logit(layout, held.encoded, held.design)
    scores = to_score(heard - base)
    move = scores - to_score(plain - base)
    moved = int((np.abs(move) >= MOVED).sum())
    shown = lessons.open >= ENOUGH and moved > 0
    reach = without.slope * (1 - without.share)
    people, total = [], np.zeros(len(move))
    for author, step, words in zip(
        lessons.heard.authors, lessons.steps, lessons.counted.tolist(), strict=True
    ):
        own = scores - to_score(heard - reach * (step[0] + held.design @ step[1:]) - base)
        total += own
        people.append(
            Person(author.name, words, float(np.abs(own).mean()) if shown and len(own) else None,
                   int((own >= MOVED).sum()), int((own <= -MOVED).sum()), _effects(layout, step, reach, held) if shown else ())
        )  # fmt: skip
    gain = low = high = None
    if len(held.won) and held.won.min() < held.won.max():
        gains = losses(plain, held.won) - losses(heard, held.won)
        gain, (low, high) = float(gains.mean()), _interval(gains, held.group)
    n = max(len(move), 1)
    return Influence(
        lessons.open, len(move), shown, float(np.abs(move).sum() / n), moved, gain, low, high,
        float((move - total).sum() / n), tuple(sorted(people, key=lambda p: (-p.words, p.who))),
    )  # fmt: skip


def _effects(layout: Design, step: Floats, reach: float, held: Held) -> tuple[Effect, ...]:
    """Where the step is largest: of a category the value that moved most, of a number its leads' mean move. At 50 a
    logit is 25 points."""
    found = []
    scale = 25 * reach
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


def _interval(values: Floats, group: npt.NDArray[np.int64]) -> tuple[float, float]:
    """95 %, of a mean over leads of companies."""
    _, place = np.unique(group, return_inverse=True)
    sums, counts = np.bincount(place.reshape(-1), values), np.bincount(place.reshape(-1))
    draws = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.quantile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)
