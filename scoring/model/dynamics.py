"""Three ways in which the leads of a part differ from the others: how often they convert, how long their deals take, and what
makes one likely (S4.1). Leads are the units, companies are kept together in every error.

Importances are compared by a score test: what the universal regression leaves unexplained among the part's rows, feature by
feature. One step from its effects gives those of the part and of the rest, with their errors; nothing is fitted, so hundreds of
parts can be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from scoring.model.additive import Additive, sigmoid
from scoring.model.design import USUAL, CategoryField, Design
from scoring.model.estimator import Sample
from scoring.routing.policy import Models

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FALSE_DISCOVERY = 0.05
"""share of the candidates' conditions that may be chance"""
MATERIAL = 0.1
"""logits per standard deviation from which on a feature counts as moving a lead's chances"""
TURNED = 2.0
"""times by which a feature's importance has to change for it to have changed places with another"""
SURE = 0.90
"""level of the intervals shown"""

Kind = Literal["conversion", "cycle", "importance"]


CONSTANT = 1e-9
"""spread below which a column holds one value: rounding leaves a little more than none"""


@dataclass(frozen=True)
class Condition:
    """One way in which a candidate's dynamics differ. `ratio` is to the other leads, NaN for importances; `chance` how often
    as much comes by chance, `adjusted` the same over all that was looked at."""

    kind: Kind
    said: str
    ratio: float
    low: float
    high: float
    chance: float
    adjusted: float = 1.0


@dataclass(frozen=True)
class History:
    """The rows to screen: those that the universal model was fitted on, one weight a row, with the company and the lead of
    each. `days`: from when a lead came in to when it was won, NaN for all others."""

    rows: pa.Table
    sample: Sample
    days: Floats

    @property
    def timed(self) -> Bools:
        return np.isfinite(self.days) & (self.days > 0)

    @property
    def log_days(self) -> Floats:
        out: Floats = np.log(np.where(self.timed, self.days, 1.0))
        return out


def conversion(sample: Sample, here: Bools, there: Bools, policy: Models) -> Condition | None:
    inside, outside = (_rate(sample.won, sample, m) for m in (here, there))
    if min(inside[0], outside[0]) <= 0:
        return None
    ratio, low, high, chance = _compared(inside, outside)
    beyond = ratio >= 1 + policy.conversion_differs or ratio <= 1 / (1 + policy.conversion_differs)
    said = f"{inside[0]:.1%} of its leads are won, {outside[0]:.1%} of the others" if beyond else ""
    return Condition("conversion", said, ratio, low, high, chance)


def cycle(history: History, here: Bools, there: Bools, policy: Models) -> Condition | None:
    """Of the won deals: how many times as long they took, by the mean of log days."""
    here, there = here & history.timed, there & history.timed
    sample = history.sample
    if min(len(np.unique(sample.group[m])) for m in (here, there)) < 10:
        return None
    inside, outside = (_log_mean(history.log_days, sample, m) for m in (here, there))
    ratio, low, high, chance = _compared(inside, outside)
    beyond = ratio >= policy.cycle_differs or ratio <= 1 / policy.cycle_differs
    said = f"its deals take {inside[0]:.0f} days, the others' {outside[0]:.0f}" if beyond else ""
    return Condition("cycle", said, ratio, low, high, chance)


def _rate(values: Floats, sample: Sample, rows: Bools) -> tuple[float, float]:
    """A weighted mean and the relative standard error of it, companies kept together."""
    weight, group = sample.weight[rows], sample.group[rows]
    total = float(weight.sum())
    if total <= 0:
        return 0.0, 0.0
    mean = float((values[rows] * weight).sum() / total)
    by_group = np.bincount(group, weights=weight * (values[rows] - mean))
    return mean, float(np.sqrt((by_group**2).sum())) / total / max(abs(mean), 1e-12)


def _log_mean(log: Floats, sample: Sample, rows: Bools) -> tuple[float, float]:
    """The exponential of a mean of logs and its relative standard error."""
    mean, relative = _rate(log, sample, rows)
    return float(np.exp(mean)), relative * abs(mean)


def _compared(inside: tuple[float, float], outside: tuple[float, float]) -> tuple[float, float, float, float]:
    """The ratio of two positive figures, its interval, and the chance of one so far from 1."""
    ratio = inside[0] / outside[0]
    error = float(np.hypot(inside[1], outside[1]))
    z = abs(float(np.log(ratio))) / max(error, 1e-9)
    span = float(np.exp(norm.ppf((1 + SURE) / 2) * error))
    return ratio, ratio / span, ratio * span, float(2 * norm.sf(z))


@dataclass(frozen=True)
class Misses:
    """What the universal regression leaves unexplained, row by row: the base of a score test for an effect of its own in a
    part of the rows. `columns`: n × k, of unit spread, with the regression's own effects of them; `groups`: the columns of each
    field, `usual` the deviation toward which its effects are drawn."""

    sample: Sample
    columns: Floats
    groups: tuple[tuple[int, int], ...]
    usual: Floats
    effects: Floats
    labels: tuple[str, ...]
    rest: Floats
    curve: Floats

    @classmethod
    def of(cls, sample: Sample, layout: Design, universal: Additive) -> Misses:
        at: list[int] = []
        labels: list[str] = []
        groups: list[tuple[int, int]] = []
        for field, (start, end) in zip(layout.fields, layout.spans, strict=True):
            if isinstance(field, CategoryField):
                at += range(start, end)
                labels += [f"{field.label} {value}" for value in field.values]
            else:  # its straight line: a bend that turns round alone is no story that anyone could tell
                at.append(start)
                labels.append(field.label)
            groups.append((groups[-1][1] if groups else 0, len(at)))
        usual = np.array([USUAL if isinstance(field, CategoryField) else 0.0 for field in layout.fields])
        columns = sample.design[:, at]
        spread = columns.std(axis=0)
        spread = np.where(spread > CONSTANT, spread, 1.0)
        p = sigmoid(universal.logit(sample.design))
        return cls(
            sample, columns / spread, tuple(groups), usual, universal.coef[1:][at] * spread, tuple(labels),
            sample.weight * (sample.won - p), sample.weight * p * (1 - p),
        )  # fmt: skip

    def moves(self, rows: Bools) -> tuple[Floats, Floats, Floats]:
        """Each column's effect among `rows` (logits a standard deviation, one step from the regression's own), its standard
        error with companies kept together, and the step alone over that error; the rows' own level is taken out."""
        x, curve, rest = self.columns[rows], self.curve[rows], self.rest[rows]
        total = float(curve.sum())
        if total <= 0:
            nothing = np.zeros(self.columns.shape[1])
            return self.effects, np.full(len(nothing), np.inf), nothing
        centred = x - (curve @ x) / total
        level = float(rest.sum()) / total
        each_row = centred * (rest - level * curve)[:, None]
        order = np.argsort(self.sample.group[rows], kind="stable")
        starts = np.flatnonzero(np.diff(self.sample.group[rows][order], prepend=-1))
        sums = np.add.reduceat(each_row[order], starts)
        information = curve @ centred**2
        known = information > 1e-3 * total
        step = np.where(known, sums.sum(axis=0) / np.where(known, information, 1.0), 0.0)
        error = np.where(known, np.sqrt((sums**2).sum(axis=0)) / np.where(known, information, 1.0), np.inf)
        return self.effects + step, error, np.where(known, step / np.maximum(error, 1e-9), 0.0)


def importance(misses: Misses, here: Bools, there: Bools) -> Condition | None:
    """Whether a feature's effect turns round, or two features change places; the chance is of the surest difference among all
    features (Bonferroni)."""
    inside, error_in, _ = misses.moves(here)
    outside, error_out, _ = misses.moves(there)
    error = np.hypot(error_in, error_out)
    known = np.isfinite(error)
    if not known.any():
        return None
    z = np.where(known, np.abs(inside - outside) / np.where(known, np.maximum(error, 1e-9), 1.0), 0.0)
    chances = np.minimum(1.0, 2 * norm.sf(z) * known.sum())
    differs = (chances <= FALSE_DISCOVERY) & known
    turned = differs & (inside * outside < 0) & (np.minimum(abs(inside), abs(outside)) >= MATERIAL)
    more = differs & (abs(inside) >= np.maximum(TURNED * abs(outside), MATERIAL))
    less = differs & (abs(outside) >= np.maximum(TURNED * abs(inside), MATERIAL))
    said = ""
    if turned.any():
        first = int(np.argmax(np.where(turned, z, 0.0)))
        way = ("for", "against") if inside[first] > 0 else ("against", "for")
        said = f"{misses.labels[first]} speaks {way[0]} a lead here, {way[1]} it elsewhere"
    elif more.any() and less.any():
        a, b = (int(np.argmax(np.where(m, z, 0.0))) for m in (more, less))
        said = f"{misses.labels[a]} counts more here than elsewhere, {misses.labels[b]} less"
    return Condition("importance", said, float("nan"), float("nan"), float("nan"), float(chances.min()))
