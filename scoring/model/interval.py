"""The 90 % range of a score, on the logit: what is familiar, what is blank, what was never seen, added in
quadrature.

The familiar width is a Laplace posterior: that of the additive regression alone, or together with that of
random Fourier features over its contributions. Which of them, and by what factor, a parametric bootstrap decides inside
training: truths are drawn from both posteriors, outcomes from the truths, the model is refitted on three quarters of the
leads, and the factor is what makes the ranges of the other quarter hold 90 % of the known truths. To it belongs, too, what no record shows (blanks.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.model import blanks, unseen
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import Hidden
from scoring.model.design import Design, Encoded
from scoring.model.estimator import FEW_WINS, Point, Sample, folds, refit
from scoring.model.quantiles import Z90, weighted_quantile
from scoring.model.threads import each

Floats = npt.NDArray[np.float64]

DRAWS = 2
KINDS = ("additive", "both")
FEATURES = 150
"""random Fourier features"""
AT_ONCE = 20_000
"""rows whose waves are held in memory together"""
KERNEL = 0.15 * 4.0
"""exp(-KERNEL · squared distance of the contributions in logits)"""
LEAST, MOST = 1.0, 4.0
"""bounds of the factor: the bootstrap's truth holds nothing that the model doesn't know, so it never narrows"""
FEW_FACTOR = 1.5
"""under 30 wins the bootstrap's truth is itself too smooth: never less than this"""


@dataclass(frozen=True)
class Fourier:
    """Random Fourier features of the contributions, and the Laplace covariance of a regression on them."""

    directions: Floats
    phases: Floats
    covariance: Floats

    def drawn(self, contributions: Floats, random: np.random.Generator) -> Floats:
        """What effects together may add to the logit, one draw of their posterior."""
        weights = np.linalg.cholesky(self.covariance) @ random.standard_normal(len(self.covariance))
        return _waves(contributions, self.directions, self.phases) @ weights

    def variance(self, contributions: Floats) -> Floats:
        """In single precision: five figures of a width are enough."""
        covariance = self.covariance.astype(np.float32)
        out = np.empty(len(contributions))
        for start in range(0, len(out), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            phi = _waves(contributions[some].astype(np.float32), self.directions, self.phases)
            out[some] = np.einsum("ij,ij->i", phi @ covariance, phi)
        return np.maximum(out, 1e-12)


@dataclass(frozen=True)
class Familiar:
    kind: str
    """additive | both: with the variance of the Fourier features added"""
    factor: float
    fourier: Fourier | None


@dataclass(frozen=True)
class Doubts:
    """Variances of the logit, one a row; what is unseen reaches further to one side. `recent`: the market's since the
    training; `mean`: how much of these and the familiar and the blanks' the chance is a mean over."""

    familiar: Floats
    blanks: Floats
    recent: Floats
    unseen_below: Floats
    unseen_above: Floats
    mean: Floats

    def widened(self, lately: Floats) -> Doubts:
        """With the doubt of a model whose market moves; the chance is a mean over it."""
        return replace(self, recent=self.recent + lately, mean=self.mean + lately)


@dataclass(frozen=True)
class Interval:
    familiar: Familiar
    hidden: Hidden
    unseen: Floats
    """2 × fields: how far below and above its prediction a never-seen value may lie, in squared logits"""


def learn(layout: Design, sample: Sample, point: Point, seed: int) -> Interval:
    return Interval(
        _familiar(layout, sample, point, seed),
        blanks.variances(layout, sample, point, seed),
        unseen.reaches(layout, sample, point),
    )


def doubts(
    interval: Interval,
    layout: Design,
    encoded: Encoded,
    design: Floats,
    point: Point,
) -> Doubts:
    f = interval.familiar
    sd = _deviation(f.kind, f.fourier, layout, encoded, design, point)
    familiar = (sd * f.factor) ** 2 + interval.hidden.always
    hidden = interval.hidden.variance(layout.blank(encoded))
    below, above = interval.unseen @ layout.unfamiliar(encoded).T / Z90**2
    none = np.zeros(len(familiar))
    return Doubts(familiar, hidden, none, below, above, familiar + interval.hidden.mean * hidden)


def _familiar(layout: Design, sample: Sample, point: Point, seed: int) -> Familiar:
    random = np.random.default_rng(seed + 1)
    fitted = point.logit(layout, sample.encoded, sample.design)
    columns, speaks = _speaking(layout, sample, point)
    root = np.linalg.cholesky(speaks.covariance)
    fourier = _fourier(layout, sample, point, seed)
    parts = point.contributions(layout, sample.encoded, sample.design)
    few = float((sample.won * sample.weight).sum()) < FEW_WINS
    least = FEW_FACTOR if few else LEAST
    worlds = []
    for _ in range(DRAWS):
        # the fitted effects are shrunk: a truth drawn from their posterior is as rough as the real one may be
        moved = root @ random.standard_normal(len(root))
        together = fourier.drawn(parts, random)
        truth = fitted + point.slope * (moved[0] + columns @ moved[1:] + together)
        worlds.append((truth, _drawn(truth, sample, random)))

    def judged(draw: int) -> list[tuple[float, float]]:
        """Of each candidate: the mean width that it needs in this world, and its factor."""
        truth, won = worlds[draw]
        held = folds(sample.group, won, 4, seed + draw) == 0
        rest = sample.relabelled(won).take(~held)
        if rest.won.min() == rest.won.max():
            return []
        again = refit(layout, rest, point, seed + 1000 + draw)
        fourier = _fourier(layout, rest, again, seed)
        test = sample.take(held)
        error = np.abs(again.logit(layout, test.encoded, test.design) - truth[held])
        found = []
        for kind in KINDS:
            sd = _deviation(kind, fourier, layout, test.encoded, test.design, again)
            factor = max(weighted_quantile(error / sd, test.weight, 0.9) / Z90, least)
            half = Z90 * factor * sd
            width = sigmoid(truth[held] + half) - sigmoid(truth[held] - half)
            found.append((float(np.average(width, weights=test.weight)), factor))
        return found

    by_world = [found for found in each(judged, range(DRAWS)) if found]
    _, factor, kind = min(
        (
            (*np.mean([found[i] for found in by_world], axis=0).tolist(), kind)
            for i, kind in enumerate(KINDS)
            if by_world
        ),
        default=(0.0, FEW_FACTOR, KINDS[0]),
    )
    factor = min(factor, MOST)
    fourier_now = _fourier(layout, sample, point, seed) if kind == "both" else None
    return Familiar(kind, factor, fourier_now)


def _drawn(truth: Floats, sample: Sample, random: np.random.Generator) -> Floats:
    """Outcomes from the truth; rows of one lead share their luck, as they share their outcome."""
    luck = random.random(int(sample.lead.max()) + 1)[sample.lead]
    return (luck < sigmoid(truth)).astype(np.float64)


def _speaking(layout: Design, sample: Sample, point: Point) -> tuple[Floats, Additive]:
    """The regression that is part of the average on leads like those of training, and the columns that it acts on."""
    if point.told is None:
        return sample.design, point.additive
    return point.told.columns(sample.design, layout.blank(sample.encoded)), point.told.regression


def _deviation(
    kind: str, fourier: Fourier | None, layout: Design, encoded: Encoded, design: Floats, point: Point
) -> Floats:
    variance = point.deviation(layout, encoded, design) ** 2
    if kind == "both" and fourier is not None:
        variance = variance + fourier.variance(point.contributions(layout, encoded, design))
    out: Floats = point.slope * np.sqrt(variance)
    return out


def _fourier(layout: Design, sample: Sample, point: Point, seed: int) -> Fourier:
    random = np.random.default_rng(seed + 2)
    parts = point.contributions(layout, sample.encoded, sample.design)
    directions = random.normal(0.0, np.sqrt(2 * KERNEL), (parts.shape[1], FEATURES))
    phases = random.uniform(0, 2 * np.pi, FEATURES)
    phi = _waves(parts, directions, phases)
    p = sigmoid(point.logit(layout, sample.encoded, sample.design))
    precision = phi.T @ (phi * (sample.weight * p * (1 - p))[:, None]) + np.eye(FEATURES)
    return Fourier(directions, phases, np.linalg.inv(precision).astype(np.float64))


def _waves(parts: npt.NDArray[Any], directions: Floats, phases: Floats) -> npt.NDArray[Any]:
    """In the precision of `parts`."""
    kind = parts.dtype
    inner = parts @ directions.astype(kind) + phases.astype(kind)
    out: npt.NDArray[Any] = np.cos(inner, out=inner)
    out *= kind.type(np.sqrt(2.0 / len(phases)))
    return out
