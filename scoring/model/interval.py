"""The 90 % range of a score, on the logit: what is familiar, what is blank, what was never seen, added in
quadrature.

The familiar width is the Laplace posterior of the regression, together with that of random Fourier features over its
contributions (what effects do together), whose size is learnt as the regression's penalties are, and with half of what the
trees moved the average by. By what factor it is too narrow a parametric bootstrap finds inside training: truths are drawn from
both posteriors, outcomes from the truths, the model is refitted on three quarters of the leads, and the factor is what makes
the ranges of the other quarter hold 90 % of the known truths. To it belongs, too, what no record shows (blanks.py).
docs/decisions/0027 has what was compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.model import additive, blanks, unseen
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import Hidden
from scoring.model.design import Design, Encoded
from scoring.model.estimator import FEW_WINS, Parts, Point, Sample, folds, refit
from scoring.model.quantiles import Z90, weighted_quantile
from scoring.model.threads import each

Floats = npt.NDArray[np.float64]

DRAWS = 4
"""worlds: with two of them the factor goes by luck (0027)"""
FEATURES = 150
"""random Fourier features"""
AT_ONCE = 20_000
"""rows whose waves are held in memory together"""
LEAST_ROWS = 64
"""few rows are multiplied another way (OpenBLAS has a path of its own for small matrices), and their last digits would be others"""
KERNEL = 0.15 * 4.0
"""exp(-KERNEL · squared distance of the contributions in logits)"""
MOVED = 0.5
"""of what the trees move the average by, away from the regression: so much of it is in doubt"""
LEAST, MOST = 1.0, 4.0
"""bounds of the factor: the bootstrap's truth holds nothing that the model doesn't know, so it never narrows"""
FEW_FACTOR = 1.5
"""under 30 wins the bootstrap's truth is itself too smooth: never less than this"""


@dataclass(frozen=True)
class Fourier:
    """Random Fourier features of the contributions, and the Laplace covariance of a regression on them. `size`: the variance
    of what effects may do together before that is learnt, in squared logits: how rough the world is."""

    directions: Floats
    phases: Floats
    covariance: Floats
    size: float

    def drawn(self, contributions: Floats, random: np.random.Generator) -> Floats:
        """What effects together may add to the logit, one draw of their posterior."""
        weights = np.linalg.cholesky(self.covariance) @ random.standard_normal(len(self.covariance))
        return _waves(contributions, self.directions, self.phases) @ weights

    def variance(self, contributions: Floats) -> Floats:
        """In single precision: five figures of a width are enough."""
        covariance = self.covariance.astype(np.float32)
        out = np.empty(max(len(contributions), LEAST_ROWS))
        rows = np.zeros((len(out), contributions.shape[1]), np.float32)
        rows[: len(contributions)] = contributions
        for start in range(0, len(out), AT_ONCE):
            phi = _waves(rows[start : start + AT_ONCE], self.directions, self.phases)
            out[start : start + AT_ONCE] = np.einsum("ij,ij->i", phi @ covariance, phi)
        return np.maximum(out[: len(contributions)], 1e-12)


@dataclass(frozen=True)
class Familiar:
    factor: float
    fourier: Fourier


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
    interval: Interval, layout: Design, encoded: Encoded, design: Floats, point: Point, parts: Parts
) -> Doubts:  # fmt: skip
    """`parts`: the point model's of these rows."""
    f = interval.familiar
    sd = _deviation(f.fourier, layout, encoded, design, point, parts)
    familiar = (sd * f.factor) ** 2 + interval.hidden.always
    hidden = interval.hidden.variance(encoded.blank)
    below, above = interval.unseen @ layout.unfamiliar(encoded).T / Z90**2
    none = np.zeros(len(familiar))
    return Doubts(familiar, hidden, none, below, above, familiar + interval.hidden.mean * hidden)


def _familiar(layout: Design, sample: Sample, point: Point, seed: int) -> Familiar:
    random = np.random.default_rng(seed + 1)
    parts = point.parts(layout, sample.encoded, sample.design)
    fitted = point.combine(parts)
    columns, speaks = _speaking(sample, point)
    root = np.linalg.cholesky(speaks.covariance)
    effects = point.contributions(layout, sample.encoded, sample.design, parts.sparse)
    fourier = _fourier(sample, point, fitted, effects, seed)
    few = float((sample.won * sample.weight).sum()) < FEW_WINS
    least = FEW_FACTOR if few else LEAST
    worlds = []
    for _ in range(DRAWS):
        # the fitted effects are shrunk: a truth drawn from their posterior is as rough as the real one may be
        moved = root @ random.standard_normal(len(root))
        together = fourier.drawn(effects, random)
        truth = fitted + point.slope * (moved[0] + columns @ moved[1:] + together)
        worlds.append((truth, _drawn(truth, sample, random)))

    def judged(draw: int) -> float | None:
        """The factor that this world needs."""
        truth, won = worlds[draw]
        held = folds(sample.group, won, 4, seed + draw) == 0
        rest = sample.relabelled(won).take(~held)
        if rest.won.min() == rest.won.max():
            return None
        again = refit(layout, rest, point, seed + 1000 + draw)
        learnt = again.parts(layout, rest.encoded, rest.design)
        effects = again.contributions(layout, rest.encoded, rest.design, learnt.sparse)
        anew = _fourier(rest, again, again.combine(learnt), effects, seed)
        test = sample.take(held)
        parts = again.parts(layout, test.encoded, test.design)
        error = np.abs(again.combine(parts) - truth[held])
        sd = _deviation(anew, layout, test.encoded, test.design, again, parts)
        return max(weighted_quantile(error / sd, test.weight, 0.9) / Z90, least)

    found = [factor for factor in each(judged, range(DRAWS)) if factor is not None]
    return Familiar(min(float(np.mean(found)), MOST) if found else FEW_FACTOR, fourier)


def _drawn(truth: Floats, sample: Sample, random: np.random.Generator) -> Floats:
    """Outcomes from the truth; rows of one lead share their luck, as they share their outcome."""
    luck = random.random(int(sample.lead.max()) + 1)[sample.lead]
    return (luck < sigmoid(truth)).astype(np.float64)


def _speaking(sample: Sample, point: Point) -> tuple[Floats, Additive]:
    """The regression that is part of the average on leads like those of training, and the columns that it acts on."""
    if point.told is None:
        return sample.design, point.additive
    return point.told.columns(sample.design, sample.encoded.blank), point.told.regression


def _deviation(
    fourier: Fourier, layout: Design, encoded: Encoded, design: Floats, point: Point, parts: Parts
) -> Floats:  # fmt: skip
    variance = point.deviation(encoded, design, parts.sparse) ** 2
    variance += fourier.variance(point.contributions(layout, encoded, design, parts.sparse))
    variance += (MOVED * point.share * (parts.trees - parts.line)) ** 2
    out: Floats = point.slope * np.sqrt(variance)
    return out


def _fourier(sample: Sample, point: Point, logit: Floats, effects: Floats, seed: int) -> Fourier:
    """`logit`: the point model's of the sample's rows; `effects`: its contributions."""
    random = np.random.default_rng(seed + 2)
    directions = random.normal(0.0, np.sqrt(2 * KERNEL), (effects.shape[1], FEATURES))
    phases = random.uniform(0, 2 * np.pi, FEATURES)
    phi = _waves(effects, directions, phases)
    p = sigmoid(logit)
    curve = sample.weight * p * (1 - p)
    gram = phi.T @ (phi * curve[:, None])
    size = 1 / _penalty(sample, point, phi) + additive.LOOSE**2
    precision = gram + np.eye(FEATURES) / size
    return Fourier(directions, phases, np.linalg.inv(precision).astype(np.float64), size)


def _penalty(sample: Sample, point: Point, phi: Floats) -> float:
    """Of what effects do together, beside the regression: learnt as its own penalties are."""
    columns, speaks = _speaking(sample, point)
    both = np.column_stack([speaks.logit(columns), phi])
    fitted = additive.fit(both, sample.won, sample.weight, ((0, 1), (1, 1 + phi.shape[1])))
    return float(fitted.penalties[1])


def _waves(parts: npt.NDArray[Any], directions: Floats, phases: Floats) -> npt.NDArray[Any]:
    """In the precision of `parts`."""
    kind = parts.dtype
    inner = parts @ directions.astype(kind) + phases.astype(kind)
    out: npt.NDArray[Any] = np.cos(inner, out=inner)
    out *= kind.type(np.sqrt(2.0 / len(phases)))
    return out
