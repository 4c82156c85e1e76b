"""Where the model was wrong in a pattern (S7.1-S7.3): groups whose outcomes missed their own promises.

A lead scored above 80 that did not convert is no error by itself: its probability promised only so much. So a
group (a value of one characteristic, or of two together) is a pattern when its wins among high-scored leads
fall short of the sum of its own probabilities, or among low-scored ones exceed it, by more than chance; with
many groups looked at, the false discovery rate is controlled (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.stats import binom, false_discovery_control

from scoring.audit.category import Category, categorise
from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import Rate, rate
from scoring.routing.policy import Policy

Direction = Literal["above", "below"]
Values = tuple[tuple[str, str], ...]

CHARACTERISTICS = ("industry", "size_band", "source", "function", "region", "channel", "segment")
"""looked at where the table has them, with every further text column after them"""

NOT_CHARACTERISTICS = frozenset({"route"})

MOST_VALUES = 30
"""of one characteristic, by frequency: the rest are too rare to be a group"""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`direction` "above": scored above 80, converted less than promised; "below": scored under 40, converted
    more.
    """

    direction: Direction
    values: Values
    """(characteristic, value), one or two"""
    observed: Rate
    promised: float
    """conversion that the group's own probabilities promised"""
    mispredicted: int
    """leads of it that ended against their score"""
    chance: float
    """p-value: how often as big a gap comes by chance alone"""
    adjusted: float
    """the same after Benjamini and Hochberg"""
    revenue: float
    """won amounts nobody expected ("below"), or expected value that never came ("above")"""
    category: Category
    why: str
    """one sentence for the category"""


@dataclass(frozen=True, slots=True)
class Audit:
    n: int
    above: Rate
    """of leads scored above 80: not converted"""
    above_promised: float | None
    below: Rate
    """of leads scored below 40: converted"""
    below_promised: float | None
    revenue_above: float
    revenue_below: float
    groups_looked_at: int
    patterns: tuple[Pattern, ...]
    """most revenue first"""


@dataclass(frozen=True, slots=True)
class _Group:
    direction: Direction
    values: Values
    mask: Bools


def audit(outcomes: Outcomes, policy: Policy) -> Audit:
    """The mispredictions of matured leads and their patterns. Pass the leads of the policy's months."""
    high, low = outcomes.score > policy.audit.above, outcomes.score < policy.audit.below
    groups = [
        *_groups(outcomes, high, "above", policy),
        *_groups(outcomes, low, "below", policy),
    ]
    found = _surest_first(groups, outcomes, policy)
    patterns = [_pattern(group, chance, adjusted, outcomes, policy) for group, chance, adjusted in found]
    expected = outcomes.probability * np.nan_to_num(outcomes.predicted_amount)
    return Audit(
        n=len(outcomes),
        above=rate(~outcomes.won[high], policy),
        above_promised=_mean(1 - outcomes.probability[high]),
        below=rate(outcomes.won[low], policy),
        below_promised=_mean(outcomes.probability[low]),
        revenue_above=float(expected[high & ~outcomes.won].sum()),
        revenue_below=float(outcomes.amount[low].sum()),
        groups_looked_at=len(groups),
        patterns=tuple(sorted(patterns, key=lambda p: (-p.revenue, p.adjusted, p.values))),
    )


def _groups(outcomes: Outcomes, side: Bools, direction: Direction, policy: Policy) -> Iterator[_Group]:
    """Every value, and every pair of values of two characteristics, that holds enough leads on this side."""
    least = policy.audit.group_leads
    names = [name for name in CHARACTERISTICS if name in outcomes.texts]
    names += sorted(set(outcomes.texts) - set(names) - NOT_CHARACTERISTICS)
    singles: list[tuple[str, str, Bools]] = []
    for name in names:
        column = outcomes.text(name)
        for value in _common(column[side], least):
            singles.append((name, value, side & (column == value)))
    for name, value, mask in singles:
        yield _Group(direction, ((name, value),), mask)
    for (a, x, first), (b, y, second) in combinations(singles, 2):
        both = first & second
        inside = int(both.sum())
        if a != b and least <= inside < min(int(first.sum()), int(second.sum())):
            yield _Group(direction, ((a, x), (b, y)), both)


def _common(column: np.ndarray[tuple[int], np.dtype[np.object_]], least: int) -> list[str]:
    known = column[np.array([v is not None for v in column], dtype=bool)].astype(str)
    values, counts = np.unique(known, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    return [str(values[i]) for i in order if counts[i] >= least and values[i]]


def _surest_first(
    groups: list[_Group], outcomes: Outcomes, policy: Policy
) -> list[tuple[_Group, float, float]]:
    """Groups with their p-value, raw and adjusted. The surest is taken and its leads are set aside, then all
    are tested anew on what is left: else one odd industry would come back as every region, size and source
    that it is part of. A group counts only the leads that no surer one explains, so that revenue adds up.
    """
    left = {side: np.ones(len(outcomes), dtype=bool) for side in ("above", "below")}
    found: list[tuple[_Group, float, float]] = []
    while True:
        tested = [
            (group, mask)
            for group in groups
            if (mask := group.mask & left[group.direction]).sum() >= policy.audit.group_leads
        ]
        if not tested:
            return found
        chances = _chances(tested, outcomes)
        adjusted = false_discovery_control(chances)
        best = int(np.argmin(chances))
        if adjusted[best] > policy.audit.false_discovery:
            return found
        group, mask = tested[best]
        found.append(
            (_Group(group.direction, group.values, mask), float(chances[best]), float(adjusted[best]))
        )
        left[group.direction] &= ~group.mask


def _chances(tested: Sequence[tuple[_Group, Bools]], outcomes: Outcomes) -> Floats:
    """How likely so big a gap is by chance. The binomial with a group's mean is a little wider than the truth
    (a sum of unequal chances varies less), so the test errs towards silence.
    """
    wins = np.array([np.sum(outcomes.won[mask]) for _, mask in tested])
    n = np.array([np.sum(mask) for _, mask in tested])
    promised = np.array([np.sum(outcomes.probability[mask]) for _, mask in tested]) / n
    above = np.array([group.direction == "above" for group, _ in tested])
    chances = np.where(above, binom.cdf(wins, n, promised), binom.sf(wins - 1, n, promised))
    clipped: Floats = np.clip(chances, 0.0, 1.0)
    return clipped


def _pattern(group: _Group, chance: float, adjusted: float, outcomes: Outcomes, policy: Policy) -> Pattern:
    part = outcomes.where(group.mask)
    above = group.direction == "above"
    wrong = ~part.won if above else part.won
    lost = float((part.probability * np.nan_to_num(part.predicted_amount))[wrong].sum())
    category, why = categorise(outcomes, group.mask & (outcomes.won != above), policy)
    return Pattern(
        direction=group.direction,
        values=group.values,
        observed=rate(part.won, policy, needed=1),
        promised=float(part.probability.mean()),
        mispredicted=int(wrong.sum()),
        chance=chance,
        adjusted=adjusted,
        revenue=lost if above else float(part.amount.sum()),
        category=category,
        why=why,
    )


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
