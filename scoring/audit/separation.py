"""How well one column alone tells the outcomes apart, and how sure that is.

The rate of each value (of a number: of each twentieth) is learnt on one half of the leads and told on the other, then the
other way round, so that a column of names that fits nobody else separates nothing. A blank is a value of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.metrics.scores import auc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Values = npt.NDArray[np.object_]
"""texts as a CRM shows them; None is a blank"""

PARTS = 20
SMOOTHING = 5.0
"""leads of the base rate added to each value's own"""
FEW_KNOWN = 50
"""leads of either outcome that have a value, before they are judged apart"""
NUMERIC = 0.98
"""share of known values that must read as numbers"""
ID_SHARE = 0.9
"""of known values that are distinct: beyond it a text names the lead, and only whether it is there can tell anything"""


@dataclass(frozen=True, slots=True)
class Separation:
    """`auc` 0.5 tells nothing, 1 everything; `error` is its standard error (Hanley and McNeil 1982)."""

    auc: float
    error: float
    n: int
    wins: int


NOTHING = Separation(0.5, 0.5, 0, 0)


def numbers(values: Values) -> Floats | None:
    """The values as numbers, NaN where blank; None when they are not numbers."""
    known = np.array([v is not None for v in values], bool)
    if not known.any():
        return None
    out = np.full(len(values), np.nan)
    for i in np.flatnonzero(known):
        try:
            out[i] = float(values[i])
        except ValueError:
            continue
    out[~np.isfinite(out)] = np.nan
    return out if np.isfinite(out[known]).mean() >= NUMERIC else None


def groups(values: Values) -> Ints:
    """A code for each value: of text the value, of numbers the twentieth; 0 where blank. Texts that are all but
    distinct are known or not, nothing else."""
    as_numbers = numbers(values)
    if as_numbers is not None:
        return number_groups(as_numbers)
    texts = np.array(["" if v is None else v for v in values], dtype=str)
    kinds, codes = np.unique(texts, return_inverse=True)
    blank = texts == ""
    known = int((~blank).sum())
    if len(kinds) - bool(blank.any()) > max(ID_SHARE * known, 20):
        there: Ints = (~blank).astype(np.int64)
        return there
    coded: Ints = np.where(blank, 0, codes.reshape(-1) + 1).astype(np.int64)
    return coded


def number_groups(values: Floats) -> Ints:
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.int64)
    cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, PARTS + 1)[1:-1]))
    place = np.searchsorted(cuts, np.where(known, values, 0), side="right") + 1
    coded: Ints = np.where(known, place, 0).astype(np.int64)
    return coded


def separation(codes: Ints, won: Bools) -> Separation:
    """Of grouped values; the mean of both halves."""
    wins, n = int(won.sum()), len(won)
    if wins in (0, n):
        return NOTHING
    half = np.arange(n) % 2 == 0
    halves = [auc(won[b], _rates(codes, won, a)[codes[b]]) for a, b in ((half, ~half), (~half, half))]
    found = [value for value in halves if value is not None]
    if not found:
        return NOTHING
    value = float(np.mean(found))
    return Separation(value, standard_error(value, wins, n - wins), n, wins)


def alone(values: Values, won: Bools) -> Separation:
    return separation(groups(values), won)


def strongest(values: Values, won: Bools) -> Separation:
    """Of all leads, or of those alone that have a value: what is filled for half of them can know all about that half."""
    whole = alone(values, won)
    known = np.array([v is not None for v in values], bool)
    wins = int(won[known].sum())
    if known.all() or min(wins, int(known.sum()) - wins) < FEW_KNOWN:
        return whole
    part = alone(values[known], won[known])
    return part if part.auc > whole.auc else whole


def standard_error(value: float, wins: int, losses: int) -> float:
    a = max(value, 1 - value)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    spread = a * (1 - a) + (wins - 1) * (q1 - a * a) + (losses - 1) * (q2 - a * a)
    return float(np.sqrt(max(spread, 1e-12) / (wins * losses)))


def runs(values: Sequence[str]) -> float:
    """How often neighbouring rows differ, beside how often two rows at random do: near 0 the column follows the order of
    the rows, so it tells when one was written."""
    _, codes, counts = np.unique(np.asarray(values, dtype=str), return_inverse=True, return_counts=True)
    n = len(codes)
    chance = 1 - float(((counts / n) ** 2).sum())
    return float((np.diff(codes.reshape(-1)) != 0).mean()) / chance if chance and n > 1 else 1.0


def _rates(codes: Ints, won: Bools, rows: Bools) -> Floats:
    size = int(codes.max()) + 1
    wins = np.bincount(codes[rows], weights=won[rows].astype(float), minlength=size)
    counts = np.bincount(codes[rows], minlength=size)
    out: Floats = (wins + float(won.mean()) * SMOOTHING) / (counts + SMOOTHING)
    return out
