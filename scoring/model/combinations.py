"""Is this the mix of facts of one lead? A lead whose every value is common may still be put together as no lead was:
what belongs to two leads under one name, or a new kind of lead.

Of each two fields it is known how much more or less often than by chance each pair of values came together (the lift, as
a log). How much the lifts of the pairs weigh is learnt from the leads themselves: a quarter of them, as they are, against the
same with some fields of another lead each (noise-contrastive estimation; Gutmann & Hyvärinen 2010). The lifts are counted
on another half, so a pair that happened once is no evidence for itself; the last quarter says whether facts tell enough of each
other for any mix to be odd, and from when one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from scoring.model import additive
from scoring.model.design import BLANK, FeatureLike, category_column, number_column

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 8
"""bins of a number, by quantiles"""
COMMON = 5
"""leads a value needs to be told from other rare ones"""
LEAST, MOST = 400, 10_000
"""leads needed, and leads looked at"""
PAIRS = 60
"""pairs of fields: those that tell most of each other"""
TAKEN = 0.3
"""chance that a field of a mixed lead comes from the other"""
RIDGE = 10.0
TELLING = 0.6
"""AUC of telling leads from mixed ones, below which no mix is called odd"""
RARE = 0.005
"""share of ordinary leads that may be called odd"""


@dataclass(frozen=True)
class Coded:
    """A field as codes: 0 is blank; a number's bins, or a category's common values and one code for all others."""

    name: str
    label: str
    unit: str
    edges: Floats | None
    values: tuple[str, ...]

    @property
    def width(self) -> int:
        return 2 + (len(self.edges) if self.edges is not None else len(self.values))

    def codes(self, rows: pa.Table) -> Ints:
        if self.edges is not None:
            numbers = number_column(rows, self.name)
            return np.where(np.isfinite(numbers), 1 + np.searchsorted(self.edges, numbers), 0)
        codes, found = category_column(rows, self.name)
        own = {value: 1 + i for i, value in enumerate(self.values)}
        table = np.array([own.get(value, self.width - 1) for value in found] + [0], np.int64)
        return table[np.where(codes == BLANK, len(found), codes)]


@dataclass(frozen=True)
class Combinations:
    """`weights`, `seen`: of each of `pairs` (places among `fields`) what two codes together add to the oddness of a lead,
    and how many of `total` training leads had them together, at whatever age. A lead above `odd` is out of the ordinary."""

    fields: tuple[Coded, ...]
    pairs: tuple[tuple[int, int], ...]
    weights: tuple[Floats, ...]
    seen: tuple[Ints, ...]
    total: int
    odd: float

    def oddness(self, rows: pa.Table) -> Floats:
        """Of each row, in logits: the higher the likelier that it is put together of two leads."""
        return self._sum([field.codes(rows) for field in self.fields], rows.num_rows)

    def flagged(self, rows: pa.Table) -> list[tuple[int, Coded, Coded, int, float]]:
        """Rows above `odd`: its place, the two fields that are oddest together, how often these came together, and how far
        above it is."""
        codes = [field.codes(rows) for field in self.fields]
        oddness = self._sum(codes, rows.num_rows)
        out = []
        for i in np.flatnonzero(oddness > self.odd):
            added = [
                table[codes[a][i], codes[b][i]]
                for (a, b), table in zip(self.pairs, self.weights, strict=True)
            ]
            worst = int(np.argmax(added))
            a, b = self.pairs[worst]
            seen = int(self.seen[worst][codes[a][i], codes[b][i]])
            out.append((int(i), self.fields[a], self.fields[b], seen, float(oddness[i] - self.odd)))
        return out

    def _sum(self, codes: list[Ints], count: int) -> Floats:
        out = np.zeros(count)
        for (a, b), table in zip(self.pairs, self.weights, strict=True):
            out += table.ravel()[codes[a] * table.shape[1] + codes[b]]
        return out


NONE = Combinations((), (), (), (), 0, np.inf)


def learn(
    rows: pa.Table, features: Sequence[FeatureLike], lead: Ints | None = None, seed: int = 0
) -> Combinations:
    """NONE where there are too few leads or fields. `lead`: which lead each row is of; none: each row is a lead of its own. A
    lead is learnt from as it was at one age, drawn by lot: of two of its rows one would be evidence for the other."""
    random = np.random.default_rng(seed + 5)
    lead = np.arange(rows.num_rows) if lead is None else lead
    leads = lead[np.sort(np.unique(lead, return_index=True)[1])]
    if len(leads) > MOST:
        leads = leads[np.sort(random.permutation(len(leads))[:MOST])]
    taken = np.isin(lead, leads)
    seen_rows, seen_lead = rows.filter(pa.array(taken)), lead[taken]
    rows = seen_rows.take(pa.array(_one_each(seen_lead, leads, seed)))
    coded = [field for field in (_coded(rows, feature) for feature in features) if field is not None]
    if rows.num_rows < LEAST or len(coded) < 2:
        return NONE
    fields = tuple(coded)
    codes = np.column_stack([field.codes(rows) for field in fields])
    pairs = _telling(fields, codes)
    part = random.permutation(len(codes)) % 4
    lifts = [lift(counts(fields, codes[part < 2], pair)) for pair in pairs]
    fitted, asked = (
        _features(lifts, pairs, np.vstack([codes[part == k], _mixed(codes[part == k], random)]))
        for k in (2, 3)
    )
    weighed = additive.fit(
        fitted, _halves(fitted), np.ones(len(fitted)), ((0, fitted.shape[1]),), penalties=np.array([RIDGE])
    )
    said = asked @ weighed.coef[1:]
    if roc_auc_score(_halves(said), said) < TELLING:
        return NONE
    less, more = weighed.coef[1 : 1 + len(pairs)], weighed.coef[1 + len(pairs) :]
    odd = float(np.quantile(said[: len(said) // 2], 1 - RARE))
    ever = np.column_stack([field.codes(seen_rows) for field in fields])
    seen = [_leads(fields, ever, seen_lead, pair) for pair in pairs]
    weights = []
    for table, low, high in zip(map(lift, seen), less, more, strict=True):
        weights.append(low * np.minimum(table, 0.0) + high * np.maximum(table, 0.0))
    return Combinations(fields, pairs, tuple(weights), tuple(seen), len(codes), odd)


def _one_each(lead: Ints, leads: Ints, seed: int) -> Ints:
    """Of each lead the place of one of its rows."""
    lot = np.random.default_rng(seed + 6).permutation(len(lead))
    place = np.empty(int(lead.max(initial=-1)) + 1, np.int64)
    place[lead[lot]] = lot
    return place[leads]


def _coded(rows: pa.Table, feature: FeatureLike) -> Coded | None:
    if feature.type == "number":
        numbers = number_column(rows, feature.name)
        known = numbers[np.isfinite(numbers)]
        if not len(known) or np.ptp(known) == 0:
            return None
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
        return Coded(feature.name, feature.label, feature.unit, edges, ())
    codes, values = category_column(rows, feature.name)
    rows_of = np.bincount(codes[codes != BLANK], minlength=len(values))
    common = tuple(value for value, count in zip(values, rows_of, strict=True) if count >= COMMON)
    if len(common) + int((codes == BLANK).any()) < 2:
        return None
    return Coded(feature.name, feature.label, feature.unit, None, common)


def _telling(fields: tuple[Coded, ...], codes: Ints) -> tuple[tuple[int, int], ...]:
    """The pairs of fields with the most mutual information."""
    found = []
    for a in range(len(fields)):
        for b in range(a + 1, len(fields)):
            together = counts(fields, codes, (a, b))
            found.append((float((together * lift(together)).sum()), (a, b)))
    return tuple(pair for _, pair in sorted(found, key=lambda one: (-one[0], one[1]))[:PAIRS])


def counts(fields: tuple[Coded, ...], codes: Ints, pair: tuple[int, int]) -> Ints:
    """How often each two codes of the two fields came together."""
    a, b = pair
    rows, columns = fields[a].width, fields[b].width
    both = np.bincount(codes[:, a] * columns + codes[:, b], minlength=rows * columns)
    return both.reshape(rows, columns).astype(np.int64)


def _leads(fields: tuple[Coded, ...], codes: Ints, lead: Ints, pair: tuple[int, int]) -> Ints:
    """How many leads had each two codes of the two fields together."""
    a, b = pair
    rows, columns = fields[a].width, fields[b].width
    had = np.unique(lead * (rows * columns) + codes[:, a] * columns + codes[:, b])
    together = np.bincount(had % (rows * columns), minlength=rows * columns)
    return together.reshape(rows, columns).astype(np.int64)


def lift(together: Ints) -> Floats:
    """log of how much more often than by chance, one of each added."""
    expected = np.outer(together.sum(axis=1), together.sum(axis=0)) / max(int(together.sum()), 1)
    out: Floats = np.log((together + 1.0) / (expected + 1.0))
    return out


def _features(lifts: list[Floats], pairs: tuple[tuple[int, int], ...], codes: Ints) -> Floats:
    found = np.column_stack([t[codes[:, a], codes[:, b]] for t, (a, b) in zip(lifts, pairs, strict=True)])
    return np.hstack([np.minimum(found, 0.0), np.maximum(found, 0.0)])


def _halves(rows: Floats) -> Floats:
    """Leads as they are, then as many mixed ones."""
    return np.repeat([0.0, 1.0], len(rows) // 2)


def _mixed(codes: Ints, random: np.random.Generator) -> Ints:
    """Each row with some fields of another."""
    other = codes[random.permutation(len(codes))]
    return np.where(random.random(codes.shape) < TAKEN, other, codes)
