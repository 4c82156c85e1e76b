"""What people said of leads, as evidence beside the outcomes: what a person's words are worth is measured, never assumed.

A word says that a lead is better or worse than the score that its author saw. Two things are measured of each author:

- how wide their departures from that score are, by an ordered probit of their decisions on it. A model that is off by some
  logits is corrected by departures of that size: who never departs from the score knows nothing beside it (an echo), and who
  departs much further than the model can be wrong is guessing. Both weigh next to nothing.
- whether leads then ended as they had said, beside what the score had said, where the outcome is known by now. Authors are
  pooled: with few outcomes each is taken for a colleague.

The words about leads whose outcome isn't learnt from yet then move the regression as its own posterior lets them: most where it is unsure,
and for all leads alike in the ways that it is unsure about. docs/decisions/0023 has what it gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.optimize import minimize
from scipy.special import ndtr

from scoring.model.additive import log_odds, sigmoid
from scoring.model.design import Design
from scoring.model.estimator import Point

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

REVIEW, OVERRIDE, TAG = "review", "override", "tag"
DECISIONS = ("disqualify", "re_score", "route")
"""of a review, from the worst to the best"""

HIDDEN = 1.5
"""The model is off by this multiple of its own variance: some of a lead no field tells. Like the next three, chosen on
development worlds (docs/decisions/0023)."""
REVIEWED = 1.25
"""variance of a review's reading by a person whose departures are as wide as the model's error, in units of that error's"""
IN_PASSING = 2.5
"""the same of a tag or an override, said in passing and only where it stood out"""
FALLS = 2
"""power with which a review counts less the further its author's departures are from the model's error in size"""

USUAL_WIDTH, AUTHORS_WIDTH = 1.0, 0.7
"""deviations (of a logarithm) of all authors' width, and of each author's beside it, before anything was said"""
BORNE_OUT, BORNE_OUT_AUTHOR = 0.3, 0.3
"""deviations, before outcomes are seen, of how far words are borne out (1: as said), and of each author's beside the others'"""
MIN_REACH = 0.3
"""of the regression in the average with the trees: below it words move the average less, not the regression more"""


@dataclass(frozen=True, eq=False)
class Said:
    """Words, one entry each, beside a table of their leads' features as of then.

    `says`: of a review the place of its decision in DECISIONS, of an override the score that was set, of a tag 1 (better than
    its score) or -1. `shown`: the score that the author saw, 0 to 100. `outcome`: 1 won, 0 lost, NaN while nobody knows.
    `learnt`: whether that outcome is among those that the model is trained on, which then count alone."""

    rows: pa.Table
    kind: npt.NDArray[Any]
    says: Floats
    by: npt.NDArray[Any]
    shown: Floats
    outcome: Floats
    learnt: Bools

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, mask: Bools) -> Said:
        return Said(
            self.rows.filter(pa.array(mask)), self.kind[mask], self.says[mask], self.by[mask], self.shown[mask],
            self.outcome[mask], self.learnt[mask],
        )  # fmt: skip


@dataclass(frozen=True)
class Author:
    """`width`: of their departures in reviews, logits; NaN without reviews. `borne_out`: 1 where leads end as they say, 0
    where what they say tells nothing. `weight`: of a word of theirs, of one by the best of authors."""

    name: str
    words: int
    known: int
    width: float
    borne_out: float
    weight: float


@dataclass(frozen=True, eq=False)
class Heard:
    """What each word is taken to say. `departure`: logits from the score shown; `noise`: its variance, infinite for a word
    that counts for nothing."""

    departure: Floats
    noise: Floats
    authors: tuple[Author, ...]


@dataclass(frozen=True, eq=False)
class Lessons:
    """A point model that heard people, and how."""

    point: Point
    heard: Heard
    open: int
    """words about leads whose outcome it wasn't trained on: those that moved it"""
    steps: Floats
    """authors × the regression's effects, the constant first: what each author's words moved them by; together the whole
    move"""
    counted: Ints
    """words of each author among the open"""

    def card(self) -> dict[str, Any]:
        """For the model's card: no author by name."""
        authors = self.heard.authors
        return {
            "words": len(self.heard.noise), "open": self.open, "authors": len(authors),
            "authors_heard": sum(a.weight > 0.1 for a in authors),
            "known_outcomes": sum(a.known for a in authors),
            "borne_out": float(np.average([a.borne_out for a in authors], weights=[a.words for a in authors])) if authors else None,
        }  # fmt: skip


def lessons(layout: Design, point: Point, said: Said, base_rate: float) -> Lessons:
    """The point model, moved by what was said of leads whose outcome it was not trained on."""
    design = layout.additive(layout.encode(said.rows))
    base = log_odds(base_rate)
    spread = (
        HIDDEN * float(np.mean((point.slope * point.additive.deviation(design)) ** 2)) if len(said) else 1.0
    )
    heard = hear(said, base, spread)
    told = ~said.learnt & np.isfinite(heard.noise)
    author = np.unique(said.by, return_inverse=True)[1].reshape(-1)[told]
    own = steps(point, design[told], heard.departure[told], heard.noise[told], author, len(heard.authors))
    move = own.sum(axis=0)
    counted = np.bincount(author, minlength=len(heard.authors))
    return Lessons(_moved(point, move), heard, int(told.sum()), own, counted)


def _moved(point: Point, move: Floats) -> Point:
    """Both regressions, the one that is told of blanks in what it shares with the other."""
    plain = replace(point.additive, coef=point.additive.coef + move)
    if point.told is None:
        return replace(point, additive=plain)
    coef = point.told.regression.coef.copy()
    coef[: len(move)] += move
    return replace(
        point, additive=plain, told=replace(point.told, regression=replace(point.told.regression, coef=coef))
    )


def steps(
    point: Point, design: Floats, departure: Floats, noise: Floats, author: Ints, authors: int
) -> Floats:
    """By author, what the readings move the regression's posterior by. `design`: n × columns of the leads spoken of."""
    full = np.column_stack((np.ones(len(design)), design))
    precision = np.linalg.inv(point.additive.covariance) + full.T @ (full / noise[:, None])
    pull = np.zeros((authors, full.shape[1]))
    np.add.at(pull, author, full * (departure / noise)[:, None])
    reach = max(point.slope * (1 - point.share), MIN_REACH)
    out: Floats = (np.linalg.solve(precision, pull.T).T / reach).astype(np.float64)
    return out


def hear(said: Said, base: float, spread: float) -> Heard:
    """`base`: logit of the base rate; `spread`: variance of the model's error, logits²."""
    shown = base + _logit(said.shown / 100)
    names, author = np.unique(said.by, return_inverse=True)
    author = author.reshape(-1).astype(np.int64)
    departure, noise = np.zeros(len(said)), np.full(len(said), IN_PASSING * spread)
    width = np.full(len(names), np.nan)
    known_score = np.isfinite(shown)
    reviews = (said.kind == REVIEW) & known_score
    if reviews.any():
        places, by = np.unique(author[reviews], return_inverse=True)
        away, widths = departures(
            shown[reviews], said.says[reviews].astype(np.int64), by.reshape(-1).astype(np.int64)
        )
        width[places] = widths
        departure[reviews] = away
        ratio = widths[by.reshape(-1)] ** 2 / spread
        noise[reviews] = REVIEWED * spread * np.maximum(ratio, 1 / ratio) ** FALLS
    step = np.sqrt(spread)
    tags, overrides = said.kind == TAG, (said.kind == OVERRIDE) & known_score
    departure[tags] = step * np.sign(said.says[tags])
    departure[overrides] = np.clip(base + _logit(said.says[overrides] / 100) - shown[overrides], -step, step)
    share = borne_out(shown, departure, author, len(names), said.outcome)
    silent = ~(reviews | tags | overrides) | (share[author] <= 0)
    noise = np.where(silent, np.inf, noise / np.maximum(share[author], 1e-9))
    known = np.isfinite(said.outcome)
    best = np.where(said.kind == REVIEW, REVIEWED, IN_PASSING) * spread / noise
    authors = tuple(
        Author(
            str(name), int(mine.sum()), int((mine & known).sum()), float(width[a]), float(share[a]), float(best[mine].mean())
        )
        for a, name in enumerate(names)
        for mine in [author == a]
    )  # fmt: skip
    return Heard(departure, noise, authors)


def departures(shown: Floats, decision: Ints, author: Ints) -> tuple[Floats, Floats]:
    """How far each decision departs from the score, as a logit: its mean under an ordered probit whose thresholds all authors
    share and whose width is each author's own, drawn to the others'. With it the authors' widths."""
    count = int(author.max()) + 1
    centre = float(np.mean(shown))

    def ends(x: Floats) -> tuple[Floats, Floats, Floats]:
        cuts = np.array([-np.inf, x[0], x[0] + np.exp(x[1]), np.inf])
        widths = np.exp(x[2] + x[3:])
        return (
            (cuts[decision] - shown) / widths[author],
            (cuts[decision + 1] - shown) / widths[author],
            widths,
        )

    def loss(x: Floats) -> float:
        low, high, _ = ends(x)
        prior = ((x[0] - centre) / 2) ** 2 + x[1] ** 2 + (x[2] / USUAL_WIDTH) ** 2
        return float(
            -np.log(_between(low, high)).sum() + 0.5 * (prior + ((x[3:] / AUTHORS_WIDTH) ** 2).sum())
        )

    start = np.concatenate([[centre - 0.5, 0.0, 0.0], np.zeros(count)])
    low, high, widths = ends(minimize(loss, start, method="L-BFGS-B").x)
    mean = (_density(low) - _density(high)) / _between(low, high)
    return widths[author] * mean, widths


def borne_out(shown: Floats, departure: Floats, author: Ints, count: int, outcome: Floats) -> Floats:
    """For each author how far leads ended as they had said, from 0 to 1: the slope of a logistic regression of the known
    outcomes on what was said, beside the score shown. Its middle before any outcome is 1: as said."""
    known = np.isfinite(outcome) & np.isfinite(shown) & (departure != 0)
    won, offset, by = outcome[known], shown[known], author[known]
    x = np.zeros((len(won), 2 + count))
    x[:, 0], x[:, 1] = 1.0, departure[known]
    x[np.arange(len(won)), 2 + by] = departure[known]
    middle = np.zeros(2 + count)
    middle[1] = 1.0
    ridge = 1 / np.concatenate([[1.0, BORNE_OUT], np.full(count, BORNE_OUT_AUTHOR)]) ** 2
    coef = middle.copy()
    for _ in range(30):
        p = sigmoid(offset + x @ coef)
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + np.diag(ridge)
        step = np.linalg.solve(hessian, x.T @ (won - p) - ridge * (coef - middle))
        coef = coef + step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    out: Floats = np.clip(coef[1] + coef[2:], 0.0, 1.0)
    return out


def ordered(decisions: Sequence[str]) -> Floats:
    """Decisions of reviews as `Said.says`; one that is none of DECISIONS is NaN."""
    place = {name: float(i) for i, name in enumerate(DECISIONS)}
    return np.array([place.get(name, np.nan) for name in decisions])


def _logit(p: Floats) -> Floats:
    inside = np.clip(p, 0.005, 0.995)
    out: Floats = np.log(inside / (1 - inside))
    return out


def _between(low: Floats, high: Floats) -> Floats:
    """The standard normal's mass between two ends, never 0."""
    # in the tail where both ends are on one side, for precision
    flip = low > 0
    out: Floats = np.maximum(np.where(flip, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low)), 1e-12)
    return out


def _density(x: Floats) -> Floats:
    out: Floats = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return out
