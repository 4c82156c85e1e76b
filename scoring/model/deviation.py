"""What is out of the ordinary about a lead, each as a sentence a rep understands (S3.3).

A number is flagged when it lies beyond two robust standard deviations, on the scale where it is roughly
normal, *and* beyond all but a small share of the training leads: with forty numbers, two deviations alone
would flag every lead twice. That share is set so that a typical lead has no number flagged. A category is
flagged when it was never seen, or was won at most twice and is rare; a pair of common values when it hardly
ever came together, and a lead whose facts as a whole look like those of two leads (combinations.py), by the
two that are oddest together. A clock (days since something happened) is no deviation: it runs by itself, and an old open
lead is nothing out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import combinations, words
from scoring.model.combinations import Coded, Combinations
from scoring.model.design import BLANK, FeatureLike, category_column, number_column

Floats = npt.NDArray[np.float64]

Z = 2.0
"""robust standard deviations beyond which a number is flagged, where the policy says nothing else (S3.3)"""
TAIL_BUDGET = 0.2
"""numbers flagged on a training lead, on average, at the most"""
TAIL_MOST = 0.01
"""… and of one field, the share of its known rows"""
RARE_SHARE = 0.01
RARE_WINS = 2
"""a value won at most this often is rare, where the policy says nothing else (S3.3)"""
PAIR_SHARE = 0.03
"""both values of an unusual pair are at least this common"""
PAIR_EXPECTED = 15.0
"""leads that independence would promise"""
PAIR_LIFT = 0.12
"""an unusual pair came together at most this often, relative to independence"""
PAIR_FIELDS = 8
MIN_KNOWN = 50
MOST_TIMES = 10_000
"""a multiple beyond this tells nobody anything"""


@dataclass(frozen=True)
class Flag:
    """`code`: number, rare, new or pair. `strength` 0-1 orders the flags of a lead."""

    code: str
    text: str
    feature: str
    strength: float


@dataclass(frozen=True)
class NumberRange:
    name: str
    label: str
    unit: str
    log: bool
    median: float
    low: float
    high: float
    centre: float
    spread: float


@dataclass(frozen=True)
class ValueCounts:
    name: str
    label: str
    leads: dict[str, int]
    wins: dict[str, int]
    total: int


@dataclass(frozen=True)
class OddPair:
    first: str
    first_value: str
    second: str
    second_value: str
    seen: int
    expected: float


@dataclass(frozen=True)
class Ordinary:
    """What is ordinary among the training leads."""

    numbers: tuple[NumberRange, ...]
    categories: tuple[ValueCounts, ...]
    pairs: tuple[OddPair, ...]
    combined: Combinations = combinations.NONE
    z: float = Z
    rare_wins: int = RARE_WINS

    def flags(self, rows: pa.Table) -> list[list[Flag]]:
        """The flags of each row, strongest first."""
        out: list[list[Flag]] = [[] for _ in range(rows.num_rows)]
        for known in self.numbers:
            _flag_numbers(out, known, number_column(rows, known.name), self.z)
        columns = {c.name: category_column(rows, c.name) for c in self.categories}
        for counts in self.categories:
            _flag_values(out, counts, *columns[counts.name], self.rare_wins)
        labels = {c.name: c.label for c in self.categories}
        for pair in self.pairs:
            _flag_pair(out, pair, columns, labels)
        _flag_combinations(out, self.combined, rows)
        for flags in out:
            flags.sort(key=lambda flag: (-flag.strength, flag.feature))
        return out


def learn(
    rows: pa.Table, won: Floats, features: Sequence[FeatureLike], z: float = Z, rare_wins: int = RARE_WINS
) -> Ordinary:
    used = [feature for feature in features if feature.role == "model"]
    numeric = [f for f in used if f.type == "number" and not _clock(f)]
    tail = min(TAIL_MOST, TAIL_BUDGET / max(len(numeric), 1)) / 2
    ranges = [_range(number_column(rows, f.name), f, tail) for f in numeric]
    counts = [_counts(rows, won, f) for f in used if f.type == "category"]
    return Ordinary(
        tuple(r for r in ranges if r is not None),
        tuple(c for c in counts if c.total >= MIN_KNOWN),
        _pairs(rows, [c for c in counts if c.total >= MIN_KNOWN]),
        combinations.learn(rows, [f for f in used if not _clock(f)]),
        z,
        rare_wins,
    )


def _clock(feature: FeatureLike) -> bool:
    return feature.family == "temporal" and feature.unit == "days"


def _range(values: Floats, feature: FeatureLike, tail: float) -> NumberRange | None:
    x = values[np.isfinite(values)]
    if len(x) < MIN_KNOWN or len(np.unique(x)) <= 2:
        return None
    q = np.quantile(x, (0.05, 0.5, 0.95))
    logs = np.quantile(np.log1p(np.maximum(x, 0)), (0.05, 0.5, 0.95))
    log = bool(x.min() >= 0 and abs(logs[0] + logs[2] - 2 * logs[1]) < abs(q[0] + q[2] - 2 * q[1]))
    scaled = np.log1p(x) if log else x
    a, centre, b = np.quantile(scaled, (0.25, 0.5, 0.75))
    spread = float(b - a) / 1.349
    if (
        spread <= 0
    ):  # more than half of the leads share one value: the plain deviation says how the rest spread
        spread = float(scaled.std())
    low, high = np.quantile(x, (tail, 1 - tail))
    return NumberRange(
        feature.name, feature.label, feature.unit, log, float(np.median(x)), float(low), float(high),
        float(centre), spread,
    )  # fmt: skip


def _flag_numbers(out: list[list[Flag]], known: NumberRange, values: Floats, most: float) -> None:
    scaled = np.log1p(np.maximum(values, 0)) if known.log else values
    with np.errstate(invalid="ignore"):
        z = (scaled - known.centre) / known.spread
        odd = np.flatnonzero((np.abs(z) > most) & ((values > known.high) | (values < known.low)))
    for i in odd:
        strength = float(1 - 1 / (1 + (abs(z[i]) - most) / 2))
        out[i].append(Flag("number", _compared(known, float(values[i])), known.name, round(strength, 3)))


def _compared(known: NumberRange, value: float) -> str:
    _, plain = words.natural(known.unit, value)
    _, typical = words.natural(known.unit, known.median)
    said = words.measured(known.label, known.unit, value)
    if typical > 0 and 2 <= plain / typical <= MOST_TIMES:
        return f"{said}: {words.number(round(plain / typical))}× your typical lead"
    if typical > 0 and plain > typical / MOST_TIMES and typical / plain >= 2:
        return f"{said}: a typical lead has {words.number(round(typical / plain))}× that"
    side, usual = "above" if plain > typical else "below", words.quantity(known.unit, known.median)
    return f"{said}: far {side} your typical lead ({usual})"


def _counts(rows: pa.Table, won: Floats, feature: FeatureLike) -> ValueCounts:
    codes, values = category_column(rows, feature.name)
    known = codes != BLANK
    leads = np.bincount(codes[known], minlength=len(values))
    wins = np.bincount(codes[known], weights=won[known], minlength=len(values))
    return ValueCounts(
        feature.name, feature.label,
        {v: int(n) for v, n in zip(values, leads, strict=True)},
        {v: round(float(n)) for v, n in zip(values, wins, strict=True)}, int(known.sum()),
    )  # fmt: skip


def _flag_values(
    out: list[list[Flag]],
    counts: ValueCounts,
    codes: npt.NDArray[np.int64],
    values: list[str],
    rare_wins: int,
) -> None:
    for code, value in enumerate(values):
        leads, wins = counts.leads.get(value, 0), counts.wins.get(value, 0)
        label = counts.label.lower() if not counts.label.isupper() else counts.label
        if leads == 0:
            flag = Flag("new", f"New {label} for you: {value}", counts.name, 1.0)
        elif leads <= RARE_SHARE * counts.total and wins <= rare_wins:
            times = {1: "once", 2: "twice"}.get(wins, f"{wins} times")
            often = f"won only {times} before" if wins else "never won before"
            plural = "lead" if leads == 1 else "leads"
            flag = Flag("rare", f"Rare {label}: {value} ({often}, {leads} {plural} so far)", counts.name, 0.7)
        else:
            continue
        for i in np.flatnonzero(codes == code):
            out[i].append(flag)


def _pairs(rows: pa.Table, counts: list[ValueCounts]) -> tuple[OddPair, ...]:
    out: list[OddPair] = []
    several = [c for c in counts if sum(n >= PAIR_SHARE * c.total for n in c.leads.values()) >= 2][
        :PAIR_FIELDS
    ]
    coded = {c.name: category_column(rows, c.name) for c in several}
    for i, first in enumerate(several):
        for second in several[i + 1 :]:
            out += _odd_pairs(first, second, coded)
    return tuple(out)


def _odd_pairs(
    first: ValueCounts, second: ValueCounts, coded: dict[str, tuple[npt.NDArray[np.int64], list[str]]]
) -> list[OddPair]:
    (a, a_values), (b, b_values) = coded[first.name], coded[second.name]
    both = (a != BLANK) & (b != BLANK)
    table = np.zeros((len(a_values), len(b_values)))
    np.add.at(table, (a[both], b[both]), 1)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    total = max(float(table.sum()), 1.0)
    expected = np.outer(rows, columns) / total
    common = np.outer(rows >= PAIR_SHARE * total, columns >= PAIR_SHARE * total)
    # one field that follows from the other (size band and number) makes many empty pairs: those are no news
    follows = (table > 0).sum() <= 0.6 * table.size
    if follows:
        return []
    odd = np.argwhere(common & (expected >= PAIR_EXPECTED) & (table <= PAIR_LIFT * expected))
    return [
        OddPair(first.name, a_values[i], second.name, b_values[j], int(table[i, j]), float(expected[i, j]))
        for i, j in odd
    ]


def _flag_pair(
    out: list[list[Flag]], pair: OddPair, columns: dict[str, tuple[npt.NDArray[np.int64], list[str]]],
    labels: dict[str, str],
) -> None:  # fmt: skip
    (a, a_values), (b, b_values) = columns[pair.first], columns[pair.second]
    if pair.first_value not in a_values or pair.second_value not in b_values:
        return
    hit = (a == a_values.index(pair.first_value)) & (b == b_values.index(pair.second_value))
    often = "never before" if pair.seen == 0 else f"only {pair.seen} times before"
    text = (
        f"Unusual together: {labels[pair.first].lower()} {pair.first_value} and "
        f"{labels[pair.second].lower()} {pair.second_value} ({often})"
    )
    strength = round(1 - pair.seen / max(pair.expected, 1e-9) / (2 * PAIR_LIFT), 3)
    for i in np.flatnonzero(hit):
        out[i].append(Flag("pair", text, f"{pair.first}+{pair.second}", strength))


def _flag_combinations(out: list[list[Flag]], known: Combinations, rows: pa.Table) -> None:
    for i, first, second, seen, beyond in known.flagged(rows):
        if any(flag.code == "pair" for flag in out[i]):
            continue
        often = "never before" if seen == 0 else f"{seen:,} of {known.total:,} leads so far"
        text = f"Unusual together: {_said(first, rows, i)} and {_said(second, rows, i)} ({often})"
        strength = round(1 - 1 / (2 + beyond), 3)
        out[i].append(Flag("pair", text, f"{first.name}+{second.name}", strength))


def _said(field: Coded, rows: pa.Table, i: int) -> str:
    value = rows.column(field.name)[i].as_py()
    if value is None or value != value:
        return f"no {words.lowered(field.label)}"
    if field.edges is not None:
        return words.lowered(words.measured(field.label, field.unit, float(value)))
    return f"{words.lowered(field.label)} {value}"
