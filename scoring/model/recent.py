"""What recent outcomes say of a model between two trainings: an offset and a tilt of its logit that follow the market.

Both are a random walk, and each day's outcomes an observation of it (a Kalman filter whose update is a Laplace
approximation: West, Harrison and Migon 1985). How fast the market walks nobody knows beforehand, so several speeds run
side by side, weighed by how well each foretold the outcomes so far; every day a little weight is dealt out anew, so
that a fast one is at hand when the market turns (Harrison and Stevens 1976). Where outcomes go otherwise than
promised the fast walks gain, and with them the doubt: the range of every score widens by it, so far as it is more than
what the training itself was unsure of, which the range holds already.

An outcome needs no ripe age. Of a lead scored u days ago a win is known by now with chance p · F(u), F being the share
of wins that come within u days; to count it as one of chance p would be too bleak, to count only what has ended too
rosy, since wins and losses don't end equally fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.model.additive import log_odds, sigmoid
from scoring.model.quantiles import Z90

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OFFSETS = {0.005: 0.9, 0.02: 0.08, 0.1: 0.019, 0.3: 0.001}
"""logits that the offset walks in a day (standard deviation), from hardly at all to a turn within days, and how likely each
speed is beforehand: a tenth of a logit in a usual month"""
TILTS = {0.0: 0.8, 0.01: 0.15, 0.03: 0.05}
"""the same of the tilt (1 + tilt is the slope)"""
UNTOLD = (0.3, 0.2)
"""standard deviations of a model's offset (logits) and tilt at its training, where its card doesn't say (cards before 0025)"""
RENEWED = (0.05, 0.2)
"""the same of what is new about both when a model follows another"""
FAINT = 1.0
"""leads' worth of information (1 / logits²) that offset and tilt are taken to have beside the training's: a deviation of one"""
SHARED = 0.1
"""weight dealt out among the speeds each day, as is likely beforehand: a speed lasts ten days"""
STEPS = 20
LONGEST = 2.0
"""logits that a Newton step may move a lead"""
CLOSE = 1e-6


@dataclass(frozen=True)
class Moved:
    """`logit` after recalibration; the `variance` that its doubt adds to the model's own; `told`: what of the move the outcomes
    bear out, nothing of a lead whose offset and tilt could as well be none (zero lies within their 90 % range). What the doubt
    draws toward one half is no part of it."""

    logit: Floats
    variance: Floats
    told: Floats


@dataclass(frozen=True)
class Recent:
    """Offset and tilt of one model's logit, by each of K speeds: recalibrated is logit + offset + tilt · (logit −
    centre). `leads`, `wins` and `promised`: from how many it was learnt since the model came, how many of them were won
    by then, and how many the model alone had promised by then."""

    centre: float
    """logit about which it tilts: the base rate's"""
    weights: Floats
    means: Floats
    """K × 2"""
    covariances: Floats
    """K × 2 × 2"""
    own: Floats
    """2 × 2: how unsure the training was of both, which the model's own range holds already"""
    leads: float = 0.0
    wins: float = 0.0
    promised: float = 0.0

    def waited(self, days: float) -> Recent:
        """The same so many days later."""
        kept = (1 - SHARED) ** days
        return replace(
            self,
            weights=kept * self.weights + (1 - kept) * _beforehand(),
            covariances=self.covariances + days * _walks(),
        )

    def learnt(
        self, logit: Floats, won: Floats, known: Floats | None = None, weight: Floats | None = None
    ) -> Recent:
        """The same with the outcomes of one day's leads. `logit`: what the model itself said of them; `known`: the
        share of their wins that would be known by now (none: all); `weight`: how many leads each counts as."""
        if not len(logit):
            return self
        share = np.ones(len(logit)) if known is None else known
        counts = np.ones(len(logit)) if weight is None else weight
        day = _Day(logit, self._basis(logit), won, share, counts)
        means, covariances, evidence = _posterior(self.means, self.covariances, day)
        log = np.log(np.maximum(self.weights, 1e-300)) + evidence
        weights = np.exp(log - log.max())
        return replace(
            self,
            weights=weights / weights.sum(),
            means=means,
            covariances=covariances,
            leads=self.leads + float(counts.sum()),
            wins=self.wins + float((counts * won).sum()),
            promised=self.promised + float((counts * share * sigmoid(logit)).sum()),
        )

    def succeeded(self, old: Floats, new: Floats, fresh: Recent) -> Recent:
        """Where the next model begins. `old`, `new`: what both models themselves say of the latest leads; on average
        the new one says of them what the old one said after its recalibration. `fresh`: where the new one would begin if
        it followed none."""
        after = replace(fresh, weights=self.weights)
        before, x = self._basis(old), after._basis(new)
        p = sigmoid(old + before @ self.line[0])
        bent = (x * (p * (1 - p))[:, None]).T
        solve = np.linalg.inv(bent @ x + np.diag([1e-6, 1.0]))
        onto = solve @ bent @ before
        means = self.means @ onto.T + solve @ bent @ (old - new)
        covariances = onto @ self.covariances @ onto.T + np.diag(np.square(RENEWED))
        return replace(after, means=means, covariances=covariances)

    @property
    def line(self) -> tuple[Floats, Floats]:
        """Offset and tilt over all speeds: mean and covariance."""
        mean: Floats = self.weights @ self.means
        apart = self.means - mean
        spread: Floats = np.tensordot(
            self.weights, self.covariances + apart[:, :, None] * apart[:, None, :], 1
        )
        return mean, spread

    def moved(self, logit: Floats) -> Moved:
        """What becomes of each logit. The doubt draws the chance toward one half, as the mean over it does (MacKay 1992)."""
        mean, spread = self.line
        x = self._basis(logit)
        off: Floats = x @ mean
        unsure = np.sqrt(np.einsum("ij,ij->i", x @ spread, x))
        variance: Floats = np.maximum(np.einsum("ij,ij->i", x @ (spread - self.own), x), 0.0)
        drawn = np.sqrt(1 + np.pi * variance / 8)
        return Moved((logit + off) / drawn, variance, np.where(np.abs(off) > Z90 * unsure, off / drawn, 0.0))

    def applied(self, logit: Floats) -> tuple[Floats, Floats]:
        """The logit after recalibration, and the variance that its doubt adds to the model's own."""
        moved = self.moved(logit)
        return moved.logit, moved.variance

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, exact: `read` makes the same of them."""
        return {
            "centre": self.centre, "weights": self.weights.tolist(), "means": self.means.tolist(),
            "covariances": self.covariances.tolist(), "own": self.own.tolist(), "leads": self.leads, "wins": self.wins,
            "promised": self.promised,
        }  # fmt: skip

    def _basis(self, logit: Floats) -> Floats:
        return np.column_stack([np.ones(len(logit)), logit - self.centre])


def begin(base_rate: float, own: Floats | None = None, days: float = 0.0) -> Recent:
    """Of a model that follows none. `own`: how unsure its training was of offset and tilt (`unsure`; none: nobody knows);
    `days`: how long before, on average, what it learnt from was so."""
    weights = _beforehand()
    doubt: Floats = np.diag(np.square(UNTOLD)).astype(np.float64) if own is None else own
    none = np.zeros((2, 2))
    covariances = np.tile(doubt, (len(weights), 1, 1))
    state = Recent(
        log_odds(base_rate), weights, np.zeros((len(weights), 2)), covariances, none if own is None else own
    )
    return state.waited(days)


def unsure(logit: Floats, weight: Floats, base_rate: float) -> Floats:
    """2 × 2: the covariance of offset and tilt that the outcomes of leads leave, of which a model says `logit`."""
    x = np.column_stack([np.ones(len(logit)), logit - log_odds(base_rate)])
    p = sigmoid(logit)
    covariance = np.linalg.inv(x.T @ (x * (weight * p * (1 - p))[:, None]) + np.diag([FAINT, FAINT]))
    out: Floats = (covariance + covariance.T) / 2
    return out


def lived(
    state: Recent, day: Ints, logit: Floats, won: Floats, known: Floats, weight: Floats, until: int
) -> Recent:
    """`state`, as of day 0, after all leads up to the day `until`: each row's `day` (whole days, from 0 on), what the
    model said of it, whether it is known to be won, and as for `learnt` what share of wins would be known and how many
    leads it counts as."""
    at = 0
    for today in np.unique(day):
        rows = day == today
        state = state.waited(int(today) - at).learnt(logit[rows], won[rows], known[rows], weight[rows])
        at = int(today)
    return state.waited(until - at)


def known_by(waits: Floats, ages: Floats) -> Floats:
    """Of leads so many days old, the share of their wins that would be known. `waits`: days that past wins took, of leads
    whose time is up; half a win is added on either side, for no sample shows the first and the last."""
    came = np.searchsorted(np.sort(waits), ages, side="right")
    out: Floats = (came + 0.5) / (len(waits) + 1)
    return out


def read(value: Mapping[str, Any]) -> Recent:
    kept = {"own": np.zeros((2, 2)), **value}  # states before 0025 take nothing off
    arrays = {name: np.array(kept[name], np.float64) for name in ("weights", "means", "covariances", "own")}
    return Recent(**{**kept, **arrays})


@dataclass(frozen=True)
class _Day:
    """`x`: n × 2; by a state of K × 2 the chance that a lead is known to be won is `share` · sigmoid(logit + x ·
    state)."""

    logit: Floats
    x: Floats
    won: Floats
    share: Floats
    counts: Floats

    def likelihood(self, state: Floats) -> Floats:
        """K, the logarithm."""
        p = self.share * sigmoid(self.logit + state @ self.x.T)
        out: Floats = np.where(self.won > 0, np.log(p), np.log1p(-p)) @ self.counts
        return out

    def step(self, state: Floats) -> tuple[Floats, Floats]:
        """The likelihood's gradient (K × 2), and the information that is to be expected (Fisher's, K × 2 × 2)."""
        p = sigmoid(self.logit + state @ self.x.T)
        lost = self.share * (1 - p) / (1 - self.share * p)
        slope = np.where(self.won > 0, 1 - p, -p * lost)
        return (self.counts * slope) @ self.x, np.einsum(
            "kn,ni,nj->kij", self.counts * p * (1 - p) * lost, self.x, self.x, optimize=True
        )


def _posterior(means: Floats, covariances: Floats, day: _Day) -> tuple[Floats, Floats, Floats]:
    """Means, covariances and log evidence after the day, by speed."""
    precision = np.linalg.inv(covariances)
    state = means
    for _ in range(STEPS):
        gradient, information = day.step(state)
        pull = np.einsum("kij,kj->ki", precision, state - means)
        move = np.linalg.solve(precision + information, (gradient - pull)[:, :, None])[:, :, 0]
        largest = np.abs(move @ day.x.T).max(axis=1)
        state = state + move * np.minimum(1.0, LONGEST / np.maximum(largest, CLOSE))[:, None]
        if float(np.abs(move).max()) < CLOSE:
            break
    after = np.linalg.inv(precision + day.step(state)[1])
    off = state - means
    evidence = day.likelihood(state) - np.einsum("ki,kij,kj->k", off, precision, off) / 2
    evidence += (np.linalg.slogdet(after)[1] - np.linalg.slogdet(covariances)[1]) / 2
    return state, (after + after.swapaxes(1, 2)) / 2, evidence


def _walks() -> Floats:
    """K × 2 × 2: what a day adds to the covariance, by speed."""
    return np.array([np.diag(np.square([offset, tilt])) for offset in OFFSETS for tilt in TILTS])


def _beforehand() -> Floats:
    """K: how likely each speed is."""
    return np.array([a * b for a in OFFSETS.values() for b in TILTS.values()])
