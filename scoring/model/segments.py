"""Segments whose leads follow dynamics of their own, found from data, and what a model of their own would gain (S4.1, S4.2).

A segment is a value, or a group of values, of one hard fact: source, channel, size, industry, region. It is a candidate when
its leads convert more than 40 % more or less often than the others, when its deals take more than twice or less than half as
long, or when what makes a lead likely turns round in it. Leads are the units, companies are kept together in every error,
groups of values are made on one half of the companies and tested on the other, and false discovery is controlled over all
that was looked at (Benjamini and Hochberg). That is the screen; it costs one pass over the rows.

A candidate earns a model only where one fitted to its leads alone saves 15 % of the universal model's log loss on held-out
leads, and surely saves some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import false_discovery_control

from scoring.metrics.rates import bootstrap_ratio
from scoring.model import additive
from scoring.model.additive import Additive, sigmoid
from scoring.model.design import Design, category_column
from scoring.model.dynamics import (
    FALSE_DISCOVERY,
    SURE,
    Condition,
    History,
    Misses,
    conversion,
    cycle,
    importance,
)
from scoring.model.estimator import Sample, folds
from scoring.model.threads import each, single
from scoring.routing.policy import Models, Words

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HARD_FACTS = ("channel", "source", "size_band", "industry", "country", "fact_region")
"""columns whose values may make a segment, where the table has them"""
MOST_VALUES = 12
"""values of one fact that are looked at one by one: the commonest"""
LARGEST = 0.7
"""share of all leads beyond which a segment is the org itself"""
FOLDS = 4
STEPS = 8
"""Newton's, of a regression that only has to tell whether a model is worth its fit"""


@dataclass(frozen=True)
class Segment:
    """The leads whose `fact` is one of `values`."""

    fact: str
    label: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """A short name for the record: letters, digits and hyphens."""
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(self.values).lower()).strip("-")
        return f"{self.fact.removeprefix('fact_').replace('_', '-')}-{words}"[:60].rstrip("-")

    @property
    def said(self) -> str:
        return f"{self.label}: {', '.join(self.values)}"

    def of(self, rows: pa.Table) -> Bools:
        """Which rows are known to be in it."""
        codes, values = category_column(rows, self.fact)
        inside = np.array([value in self.values for value in values] + [False], bool)
        return inside[codes]


@dataclass(frozen=True)
class Candidate:
    """A segment that meets a condition. `early` is what a regression of its own saved of the universal one's log loss, each
    lead judged by a fit that hadn't seen its company."""

    segment: Segment
    leads: float
    wins: float
    conditions: tuple[Condition, ...]
    early: Gain


@dataclass(frozen=True)
class Gain:
    """On so many leads with so many wins: the share of the universal model's log loss that a segment's own model saves, with its interval."""

    leads: int
    wins: int
    saved: float
    low: float
    high: float

    def earned(self, policy: Models) -> bool:
        return self.saved >= policy.keep_gain and self.low > 0


@dataclass(frozen=True)
class Screen:
    """`looked_at` segments, of which `candidates` meet a condition, the most promising first."""

    looked_at: int
    candidates: tuple[Candidate, ...]


def screen(
    history: History,
    layout: Design,
    universal: Additive,
    facts: Sequence[tuple[str, str]],
    policy: Models,
    words: Words,
    seed: int = 0,
) -> Screen:
    """The candidates among the values of `facts` (column, label). `universal` is the regression of the universal model."""
    with single():
        misses = Misses.of(history.sample, layout, universal)
        found = _tested(history, misses, facts, policy, words, seed)
        if not found:
            return Screen(0, ())
        looked_at = len(found)
        adjusted = iter(false_discovery_control([c.chance for _, _, cs in found for c in cs]))
        kept: list[tuple[Segment, Bools, tuple[Condition, ...]]] = []
        for segment, inside, conditions in found:
            all_of_it = [replace(c, adjusted=float(next(adjusted))) for c in conditions]
            met = tuple(c for c in all_of_it if c.said and c.adjusted <= FALSE_DISCOVERY)
            if met:
                kept.append((segment, inside, met))
        if not kept:
            return Screen(looked_at, ())
        early = _early(misses, [inside for _, inside, _ in kept], seed)
    weight, won = history.sample.weight, history.sample.won
    candidates = [
        Candidate(s, float(weight[inside].sum()), float((weight * won)[inside].sum()), met, gain)
        for (s, inside, met), gain in zip(kept, early, strict=True)
    ]
    candidates.sort(key=lambda c: (-c.early.saved * c.leads, c.segment.name))
    return Screen(looked_at, tuple(candidates))


def promising(candidates: Sequence[Candidate], policy: Models) -> list[Candidate]:
    """Those worth a model's fit: half the gain that is asked for has shown up early, and surely some."""
    return [c for c in candidates if c.early.saved >= policy.keep_gain / 2 and c.early.low > 0]


def gain(won: Floats, own: Floats, universal: Floats, group: Ints, seed: int = 0) -> Gain:
    """What probabilities `own` save of the log loss of `universal` on the same leads, companies drawn anew together."""
    ours, theirs = (_by_company(_losses(won, p), group) for p in (own, universal))
    wins = int(np.round(won.sum()))
    if not theirs.sum():
        return Gain(len(won), wins, 0.0, 0.0, 0.0)
    low, high = bootstrap_ratio(ours, theirs, SURE, seed)
    return Gain(len(won), wins, float(1 - ours.sum() / theirs.sum()), 1 - high, 1 - low)


def _by_company(losses: Floats, group: Ints) -> Floats:
    return np.bincount(group, weights=losses).astype(np.float64)


def _losses(won: Floats, p: Floats) -> Floats:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    out: Floats = -(won * np.log(clipped) + (1 - won) * np.log(1 - clipped))
    return out


# --- the screen ---

Tested = list[tuple[Segment, Bools, tuple[Condition, ...]]]


def _tested(
    history: History, misses: Misses, facts: Sequence[tuple[str, str]], policy: Models, words: Words, seed: int
) -> Tested:  # fmt: skip
    """Every segment that is large enough, with the three conditions, each with its chance; one that isn't met says nothing."""
    sample = history.sample
    half = np.random.default_rng(seed).random(int(sample.group.max(initial=-1)) + 1)[sample.group] < 0.5
    out: Tested = []
    seen: set[bytes] = set()
    for fact, label in facts:
        if fact not in history.rows.column_names:
            continue
        for segment, inside, judged in _segments(fact, label, history, misses, half):
            key = np.packbits(inside).tobytes()
            if key in seen or not _large(sample, inside, words):
                continue
            seen.add(key)
            here, there = inside & judged, ~inside & judged
            conditions = (
                conversion(sample, here, there, policy),
                cycle(history, here, there, policy),
                importance(misses, here, there),
            )
            out.append((segment, inside, tuple(c for c in conditions if c is not None)))
    return out


def _large(sample: Sample, inside: Bools, words: Words) -> bool:
    """As many leads and wins as an established segment has, as many losses, and not all but everybody."""
    leads = float(sample.weight[inside].sum())
    wins = float((sample.weight * sample.won)[inside].sum())
    return (
        leads >= words.established_leads
        and min(wins, leads - wins) >= words.established_wins
        and leads <= LARGEST * float(sample.weight.sum())
    )


def _segments(
    fact: str, label: str, history: History, misses: Misses, half: Bools
) -> Iterator[tuple[Segment, Bools, Bools]]:
    """Each value of a fact, tested on all rows; then groups of values that were made on half of the companies, tested on the
    other half."""
    codes, values = category_column(history.rows, fact)
    weight = history.sample.weight
    volume = np.bincount(codes[codes >= 0], weights=weight[codes >= 0], minlength=len(values))
    common = [int(v) for v in np.argsort(-volume, kind="stable")[:MOST_VALUES] if volume[v] > 0]
    everyone = np.ones(len(codes), bool)
    for v in common:
        yield Segment(fact, label, (values[v],)), codes == v, everyone
    if len(common) < 4:
        return
    for order in _orders(history, misses, codes, common, half):
        for cut in range(2, len(common) - 1):
            for chosen in (order[:cut], order[cut:]):
                if len(chosen) <= len(common) / 2:
                    named = tuple(sorted(values[v] for v in chosen))
                    yield Segment(fact, label, named), np.isin(codes, chosen), ~half


def _orders(
    history: History, misses: Misses, codes: Ints, common: Sequence[int], half: Bools
) -> Iterator[list[int]]:
    """The values in the order of their conversion, of their cycle, and along the direction in which what the universal
    regression misses differs most between them; on `half` of the companies."""
    sample = history.sample
    parts = [(codes == v) & half for v in common]
    rates = [_mean(sample.won[m], sample.weight[m]) for m in parts]
    yield [common[i] for i in np.argsort(rates, kind="stable")]
    days = [_mean(history.log_days[m & history.timed], sample.weight[m & history.timed]) for m in parts]
    if np.isfinite(days).sum() >= 4:
        yield [common[i] for i in np.argsort(np.nan_to_num(days, nan=float(np.nanmean(days))), kind="stable")]
    shifts = np.array([misses.moves(m)[2] for m in parts])
    shifts -= shifts.mean(axis=0)
    size = np.sqrt([max(float(sample.weight[m].sum()), 1e-9) for m in parts])
    _, _, axes = np.linalg.svd(shifts, full_matrices=False)
    along = shifts @ axes[0] / size
    yield [common[i] for i in np.argsort(along, kind="stable")]


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight)) if weight.sum() > 0 else float("nan")


def _early(misses: Misses, parts: Sequence[Bools], seed: int) -> list[Gain]:
    """For each part of the rows: a regression of its own against one for all, out of fold. Both on straight lines alone, which is
    a tenth of the work and tells the hopeless apart."""
    sample, x = misses.sample, misses.columns
    fold = folds(sample.group, sample.won, FOLDS, seed)

    def fitted(rows: Bools, like: Additive | None) -> Additive:
        return additive.fit(
            x[rows], sample.won[rows], sample.weight[rows], misses.groups, start=like, usual=misses.usual, steps=STEPS
        )  # fmt: skip

    universal = fitted(np.ones(len(sample), bool), None)
    whole = np.empty(len(sample))
    for k, for_all in enumerate(each(lambda k: fitted(fold != k, universal), range(FOLDS))):
        whole[fold == k] = for_all.logit(x[fold == k])

    def judged(inside: Bools) -> Gain:
        own = whole.copy()
        for k in range(FOLDS):
            rest, held = inside & (fold != k), inside & (fold == k)
            won = sample.won[rest]
            if held.any() and len(won) and won.min() < won.max():
                own[held] = fitted(rest, universal).logit(x[held])
        return _weighed(sample, inside, own, whole, seed)

    return each(judged, parts)


def _weighed(sample: Sample, inside: Bools, own: Floats, universal: Floats, seed: int) -> Gain:
    weight = sample.weight[inside]
    _, group = np.unique(sample.group[inside], return_inverse=True)
    won = sample.won[inside]
    ours, theirs = (
        _by_company(weight * _losses(won, sigmoid(logit[inside])), group) for logit in (own, universal)
    )
    low, high = bootstrap_ratio(ours, theirs, SURE, seed)
    return Gain(
        round(float(weight.sum())), round(float((weight * won).sum())), float(1 - ours.sum() / theirs.sum()), 1 - high, 1 - low
    )  # fmt: skip
