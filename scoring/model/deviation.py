"""What is out of the ordinary about a lead, each as a sentence a rep understands (S3.3).

A number is flagged when it lies beyond two robust standard deviations, on the scale where it is roughly
normal, *and* beyond all but a small share of the training leads: with forty numbers, two deviations alone
would flag every lead twice. A category is flagged when it was never seen, or was won at most twice and is
rare; a pair of common values when it hardly ever came together, and a lead whose facts as a whole look like those
of two leads (combinations.py), by the two that are oddest together. A clock (days since something happened) is no
deviation: it runs by itself, and an old open lead is nothing out of the ordinary.

What is rare enough is decided over whole leads, not field by field: of each kind the oddest come first, until so many of
the training leads carry one (`NUMBERS`, `RARE`, `PAIRS`). So an org with many fields has no more flagged leads than one
with few, and a flag stays something to look at.

Leads are counted, not the rows at which they were seen: a lead counts once for a value that it ever had, a win once, and
shares are of leads, each of whose rows stands for an even part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import combinations, words
from scoring.model.combinations import Coded, Combinations
from scoring.model.design import BLANK, FeatureLike, category_column, number_column

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = dict[str, tuple[npt.NDArray[np.int64], list[str]]]
"""of each column its rows' codes, and the values that they stand for"""

Z = 2.0
"""robust standard deviations beyond which a number is flagged, where the policy says nothing else (S3.3)"""
NUMBERS, RARE, PAIRS = 0.02, 0.02, 0.01
"""share of the training leads that have a number flagged, at the most; a rare value; an unusual pair"""
TAIL_MOST = 0.01
"""share of the leads that have a field that are flagged by it, at the most"""
RARE_SHARE = 0.01
"""and of them that a rare value is on"""
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
CLOSE = 1e-9
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
    few: float = np.inf
    """leads that a rare value is on, at the most"""


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
    rows: pa.Table,
    won: Floats,
    features: Sequence[FeatureLike],
    z: float = Z,
    rare_wins: int = RARE_WINS,
    *,
    lead: Ints | None = None,
) -> Ordinary:
    """`lead`: which lead each row is of; none: each row is a lead of its own."""
    lead = np.arange(rows.num_rows) if lead is None else lead
    part = 1 / np.bincount(lead)[lead]
    used = [feature for feature in features if feature.role == "model"]
    counts = [_counts(rows, won, lead, f) for f in used if f.type == "category"]
    counts = _rarest(rows, [c for c in counts if c.total >= MIN_KNOWN], rare_wins, part)
    return Ordinary(
        _ranges(rows, [f for f in used if f.type == "number" and not _clock(f)], z, part),
        tuple(counts),
        _pairs(rows, counts, lead, part),
        combinations.learn(rows, [f for f in used if not _clock(f)], lead),
        z,
        rare_wins,
    )


def _clock(feature: FeatureLike) -> bool:
    return feature.family == "temporal" and feature.unit == "days"


def _ranges(
    rows: pa.Table, features: Sequence[FeatureLike], most: float, part: Floats
) -> tuple[NumberRange, ...]:
    """From where each number is flagged, so that no more than `NUMBERS` of the leads have one."""
    columns = {f.name: number_column(rows, f.name) for f in features}
    known = [r for r in (_range(columns[f.name], f, part) for f in features) if r is not None]
    tails = np.ones(rows.num_rows)
    for one in known:
        far = np.abs(_deviations(one, columns[one.name])) > most
        tails[far] = np.minimum(tails[far], _tail(columns[one.name], part)[far])
    tail = min(TAIL_MOST / 2, _at_most(tails, NUMBERS, part))
    return tuple(_beyond(one, columns[one.name], tail, part) for one in known)


def _at_most(rarity: Floats, share: float, part: Floats) -> float:
    """The largest rarity so that at most this share of the leads are as rare (0: none are)."""
    order = np.argsort(rarity, kind="stable")
    sums, ranked = np.cumsum(part[order]), rarity[order]
    beyond = np.flatnonzero(sums > share * sums[-1] + CLOSE)
    below = ranked[ranked < ranked[beyond[0]]] if len(beyond) else ranked
    return float(below[-1]) if len(below) else 0.0


def _tail(values: Floats, part: Floats) -> Floats:
    """Of each known value the share of the leads that have one that are as far out on its side, 1 of a blank."""
    known, sums = _sorted(values, part)
    before = np.append(0.0, sums)
    below = before[np.searchsorted(known, values, side="right")]
    above = sums[-1] - before[np.searchsorted(known, values, side="left")]
    shares = np.round(np.minimum(below, above) / sums[-1], 12)  # so that what is as rare is equal
    out: Floats = np.where(np.isfinite(values), shares, 1.0)
    return out


def _beyond(one: NumberRange, values: Floats, tail: float, part: Floats) -> NumberRange:
    known, sums = _sorted(values, part)
    cut = tail * sums[-1] + CLOSE
    low = np.flatnonzero(sums > cut)[0]
    high = np.flatnonzero(sums[-1] - np.append(0.0, sums[:-1]) > cut)[-1]
    return replace(one, low=float(known[low]), high=float(known[high]))


def _sorted(values: Floats, part: Floats) -> tuple[Floats, Floats]:
    """The known values in order, and how many leads there are up to each."""
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    return values[known][order], np.cumsum(part[known][order])


def _quantiles(values: Floats, part: Floats, at: Sequence[float]) -> Floats:
    """Of leads: between two, halfway between their values."""
    known, sums = _sorted(values, part)
    wanted = np.array(at) * sums[-1]
    first = np.searchsorted(sums, wanted - CLOSE)
    second = np.minimum(np.searchsorted(sums, wanted + CLOSE), len(known) - 1)
    out: Floats = (known[first] + known[second]) / 2
    return out


def _range(values: Floats, feature: FeatureLike, part: Floats) -> NumberRange | None:
    known = np.isfinite(values)
    x, part = values[known], part[known]
    if part.sum() < MIN_KNOWN - CLOSE or len(np.unique(x)) <= 2:
        return None
    q = _quantiles(x, part, (0.05, 0.5, 0.95))
    logs = _quantiles(np.log1p(np.maximum(x, 0)), part, (0.05, 0.5, 0.95))
    log = bool(x.min() >= 0 and abs(logs[0] + logs[2] - 2 * logs[1]) < abs(q[0] + q[2] - 2 * q[1]))
    scaled = np.log1p(x) if log else x
    a, centre, b = _quantiles(scaled, part, (0.25, 0.5, 0.75))
    spread = float(b - a) / 1.349
    if (
        spread <= 0
    ):  # more than half of the leads share one value: the plain deviation says how the rest spread
        spread = float(np.sqrt(np.average((scaled - np.average(scaled, weights=part)) ** 2, weights=part)))
    return NumberRange(
        feature.name, feature.label, feature.unit, log, float(q[1]), float(x.min()), float(x.max()),
        float(centre), spread,
    )  # fmt: skip


def _deviations(known: NumberRange, values: Floats) -> Floats:
    """Robust standard deviations from the middle; NaN of a blank."""
    scaled = np.log1p(np.maximum(values, 0)) if known.log else values
    out: Floats = (scaled - known.centre) / known.spread
    return out


def _flag_numbers(out: list[list[Flag]], known: NumberRange, values: Floats, most: float) -> None:
    z = _deviations(known, values)
    with np.errstate(invalid="ignore"):
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


def _counts(rows: pa.Table, won: Floats, lead: Ints, feature: FeatureLike) -> ValueCounts:
    codes, values = category_column(rows, feature.name)
    known = codes != BLANK
    had, place = np.unique(lead[known] * len(values) + codes[known], return_inverse=True)
    code = had % max(len(values), 1)
    leads = np.bincount(code, minlength=len(values))
    wins = np.bincount(code[np.bincount(place, weights=won[known]) > 0], minlength=len(values))
    return ValueCounts(
        feature.name, feature.label,
        {v: int(n) for v, n in zip(values, leads, strict=True)},
        {v: int(n) for v, n in zip(values, wins, strict=True)}, len(np.unique(lead[known])),
    )  # fmt: skip


def _is_rare(leads: int, wins: int, counts: ValueCounts, rare_wins: int) -> bool:
    return leads <= min(RARE_SHARE * counts.total, counts.few) and wins <= rare_wins


def _rarest(rows: pa.Table, counts: list[ValueCounts], rare_wins: int, part: Floats) -> list[ValueCounts]:
    """The same with how many leads a rare value may be on, so that no more than `RARE` of the leads have one."""
    least = np.full(rows.num_rows, np.inf)
    for one in counts:
        codes, values = category_column(rows, one.name)
        rare = [v for v in values if _is_rare(one.leads[v], one.wins[v], one, rare_wins)]
        on = np.array([one.leads[v] if v in rare else np.inf for v in values] + [np.inf])
        least = np.minimum(least, on[np.where(codes == BLANK, len(values), codes)])
    few = _at_most(least, RARE, part)
    return [replace(one, few=few) for one in counts]


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
        elif _is_rare(leads, wins, counts, rare_wins):
            times = {1: "once", 2: "twice"}.get(wins, f"{wins} times")
            often = f"won only {times} before" if wins else "never won before"
            plural = "lead" if leads == 1 else "leads"
            flag = Flag("rare", f"Rare {label}: {value} ({often}, {leads} {plural} so far)", counts.name, 0.7)
        else:
            continue
        for i in np.flatnonzero(codes == code):
            out[i].append(flag)


def _pairs(rows: pa.Table, counts: list[ValueCounts], lead: Ints, part: Floats) -> tuple[OddPair, ...]:
    """The unusual ones, the oddest first, as long as no more than `PAIRS` of the leads have one."""
    several = [c for c in counts if sum(n >= PAIR_SHARE * c.total for n in c.leads.values()) >= 2][
        :PAIR_FIELDS
    ]
    coded = {c.name: category_column(rows, c.name) for c in several}
    found = [
        odd for i, first in enumerate(several) for second in several[i + 1 :]
        for odd in _odd_pairs(first, second, coded, lead)
    ]  # fmt: skip
    kept, has = [], np.zeros(rows.num_rows, bool)
    for pair in sorted(found, key=lambda pair: pair.seen / pair.expected):
        has |= _together(pair, coded)
        if part @ has > PAIRS * part.sum() + CLOSE:
            break
        kept.append(pair)
    return tuple(kept)


def _together(pair: OddPair, columns: Codes) -> npt.NDArray[np.bool_]:
    """Rows on which the two values stand."""
    (a, a_values), (b, b_values) = columns[pair.first], columns[pair.second]
    if pair.first_value not in a_values or pair.second_value not in b_values:
        return np.zeros(len(a), bool)
    out: npt.NDArray[np.bool_] = (a == a_values.index(pair.first_value)) & (
        b == b_values.index(pair.second_value)
    )
    return out


def _odd_pairs(first: ValueCounts, second: ValueCounts, coded: Codes, lead: Ints) -> list[OddPair]:
    (a, a_values), (b, b_values) = coded[first.name], coded[second.name]
    both = (a != BLANK) & (b != BLANK)
    size = len(a_values) * len(b_values)
    had = np.unique(lead[both] * size + a[both] * len(b_values) + b[both])
    table = np.bincount(had % size, minlength=size).reshape(len(a_values), len(b_values)).astype(np.float64)
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


def _flag_pair(out: list[list[Flag]], pair: OddPair, columns: Codes, labels: dict[str, str]) -> None:
    often = (
        "never before"
        if pair.seen == 0
        else f"only {pair.seen} {'lead' if pair.seen == 1 else 'leads'} so far"
    )
    text = (
        f"Unusual together: {labels[pair.first].lower()} {pair.first_value} and "
        f"{labels[pair.second].lower()} {pair.second_value} ({often})"
    )
    strength = round(1 - pair.seen / max(pair.expected, 1e-9) / (2 * PAIR_LIFT), 3)
    for i in np.flatnonzero(_together(pair, columns)):
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
    if value is None or value != value or not str(value).strip():
        return f"no {words.lowered(field.label)}"
    if field.edges is not None:
        return words.lowered(words.measured(field.label, field.unit, float(value)))
    return f"{words.lowered(field.label)} {value}"
