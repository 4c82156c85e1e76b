"""From a table of features to matrices: numbers, category codes, and the additive design of splines and
one-hots.

A blank number is NaN, a blank category is BLANK; of a fact both are all zeros in the additive design, whose
columns are centred on the known rows, so a blank counts as the average known value and never as a sign of its
own. A behaviour's blank says that it never happened (no reply, so no time to reply): that is a column of its
own. A value never seen in training is UNSEEN, one seen fewer than `MIN_LEADS` times is RARE: zeros too, and
the interval widens for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.errors import MissingColumn, WrongColumn

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLANK, UNSEEN, RARE = -1, -2, -3
MIN_LEADS = 5
"""rows a category value needs for an effect of its own"""
MAX_VALUES = 40
"""values of one field with an effect of their own: the commonest"""
MIN_KNOWN = 20
"""known rows a field needs to enter the model at all"""
BEHAVIOUR = frozenset({"behavioural", "temporal", "process"})
"""families whose blanks mean that it never happened; elsewhere a blank is something that nobody recorded"""
USUAL = 0.4
"""logits: the usual deviation of a category's effects, toward which they are drawn"""
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""quantiles of the spline's knots (Harrell's placement for five)"""
FEW = 16
"""rows up to which a table is read value by value"""
EDGES = (0.005, 0.995)
"""beyond these quantiles of training the spline is held constant: no extrapolation into what nobody has
seen"""


class FeatureLike(Protocol):
    """What the model needs to know of a feature (scoring.features.catalogue.Feature has more)."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True)
class NumberField:
    """A number's place in the design: its scale, its knots, and the matrix that makes its spline's columns
    uncorrelated."""

    name: str
    label: str
    unit: str
    family: str
    log: bool
    median: float
    low: float
    high: float
    centre: float
    scale: float
    knots: Floats
    mode: float | None
    bend_on_line: Floats
    bend_centre: Floats
    bend: Floats
    happened: float | None
    """of a behaviour that doesn't always happen: the share of rows where it did"""

    @property
    def curve(self) -> int:
        """Columns of line and bends."""
        return 1 + int(self.bend.shape[1])

    @property
    def width(self) -> int:
        return self.curve + (self.happened is not None)

    def columns(self, values: Floats) -> Floats:
        """n × width: the straight line, then the bends, zeros where the value is blank; then whether it
        happened."""
        known = np.isfinite(values)
        x = np.where(known, values, self.median)
        raw = _line(x, self)
        out = np.empty((len(x), self.width))
        out[:, 0] = raw
        if self.curve > 1:
            bends = _bends(x, raw, self.knots, self.mode)
            out[:, 1 : self.curve] = (bends - self.bend_centre - np.outer(raw, self.bend_on_line)) @ self.bend
        out[~known] = 0.0
        if self.happened is not None:
            out[:, -1] = (known - self.happened) / np.sqrt(self.happened * (1 - self.happened))
        return out


@dataclass(frozen=True)
class CategoryField:
    """A category's place in the design: the values with an effect of their own, all values seen, and their
    shares."""

    name: str
    label: str
    family: str
    values: tuple[str, ...]
    shares: Floats
    seen: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.values)

    def columns(self, codes: Ints) -> Floats:
        table = np.vstack([np.eye(self.width) - self.shares, np.zeros(self.width)])
        out: Floats = table[np.where(codes < 0, self.width, codes)]
        return out


Field = NumberField | CategoryField


@dataclass(frozen=True)
class Encoded:
    """The rows of one table: `numbers` n × k (NaN = blank), `codes` n × c (BLANK, UNSEEN, RARE or a value's
    place)."""

    numbers: Floats
    codes: Ints

    def __len__(self) -> int:
        return int(self.numbers.shape[0])

    @cached_property
    def blank(self) -> npt.NDArray[np.bool_]:
        """n × fields: where nothing is known."""
        return np.hstack([~np.isfinite(self.numbers), self.codes == BLANK])

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Encoded:
        return Encoded(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class Design:
    """Which fields feed the model and how; learnt from the training rows and never changed after."""

    numbers: tuple[NumberField, ...]
    categories: tuple[CategoryField, ...]
    unseen_by_trees: tuple[str, ...] = ()
    """fields that feed the regression alone: there a blank is an average value, a tree would tell it from one"""

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return (*self.numbers, *self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """Ranges of additive columns that share one penalty: a number's line, its bends, a category's
        values."""
        out: list[tuple[int, int]] = []
        at = 0
        for number in self.numbers:
            out.append((at, at + 1))
            if number.curve > 1:
                out.append((at + 1, at + number.curve))
            if number.happened is not None:
                out.append((at + number.curve, at + number.width))
            at += number.width
        for category in self.categories:
            out.append((at, at + category.width))
            at += category.width
        return tuple(out)

    @property
    def usual(self) -> Floats:
        """Of each of `groups`, the usual deviation of its effects; 0 where the data alone say it."""
        numbers = len(self.groups) - len(self.categories)
        return np.concatenate([np.zeros(numbers), np.full(len(self.categories), USUAL)])

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The range of additive columns of each field, in the order of `fields`."""
        ends = (
            np.cumsum([field.width for field in self.fields], dtype=int) if self.fields else np.array([], int)
        )
        return tuple((int(end) - field.width, int(end)) for end, field in zip(ends, self.fields, strict=True))

    def encode(self, rows: pa.Table) -> Encoded:
        numbers = [number_column(rows, field.name) for field in self.numbers]
        codes = [_codes(rows, field) for field in self.categories]
        return Encoded(
            np.column_stack(numbers) if numbers else np.empty((rows.num_rows, 0)),
            np.column_stack(codes) if codes else np.empty((rows.num_rows, 0), np.int64),
        )

    def additive(self, rows: Encoded) -> Floats:
        """n × columns of the additive design, without the constant."""
        out = np.empty((len(rows), sum(field.width for field in self.fields)))
        self._fill(out, rows, range(len(self.fields)))
        return out

    def contributions(self, coef: Floats, design: Floats) -> Floats:
        """n × fields: what each field adds to the logit of a regression on the additive design, the constant its first."""
        parts = [design[:, a:b] @ coef[1 + a : 1 + b] for a, b in self.spans]
        return np.column_stack(parts) if parts else np.zeros((len(design), 0))

    def refilled(self, design: Floats, rows: Encoded, changed: Sequence[int]) -> Floats:
        """`additive(rows)`, made of the design of rows that differ from these in the fields at `changed` only."""
        out = design.copy()
        self._fill(out, rows, changed)
        return out

    def _fill(self, out: Floats, rows: Encoded, places: Sequence[int]) -> None:
        fields, spans = self.fields, self.spans
        for i in places:
            field, (a, b) = fields[i], spans[i]
            if isinstance(field, NumberField):
                out[:, a:b] = field.columns(rows.numbers[:, i])
            else:
                out[:, a:b] = field.columns(rows.codes[:, i - len(self.numbers)])

    def trees(self, rows: Encoded, cuts: Sequence[Floats], levels: Sequence[Floats]) -> Floats:
        """n × fields for trees: blank is NaN, a number is its place among the cuts, a category is the level
        of its value (one array a field, whose last entry stands for rare and unseen values)."""
        parts = []
        for i, cut in enumerate(cuts):
            values = rows.numbers[:, i]
            parts.append(np.where(np.isfinite(values), np.searchsorted(cut, values), np.nan)[:, None])
        for c, level in enumerate(levels):
            codes = rows.codes[:, c]
            column = level[np.where(codes < BLANK, len(level) - 1, codes)]
            column[codes == BLANK] = np.nan
            parts.append(column[:, None])
        for i, field in enumerate(self.fields):
            if field.name in self.unseen_by_trees:
                parts[i] = np.zeros((len(rows), 1))
        return np.hstack(parts) if parts else np.empty((len(rows), 0))

    @property
    def behaves(self) -> npt.NDArray[np.bool_]:
        """Of each field, whether its blank says that something never happened."""
        return np.array([isinstance(f, NumberField) and f.happened is not None for f in self.fields], bool)

    def unfamiliar(self, rows: Encoded) -> npt.NDArray[np.bool_]:
        """n × fields: where the value was never, or hardly ever, seen."""
        return np.hstack([np.zeros(rows.numbers.shape, bool), rows.codes < BLANK])


def learn(rows: pa.Table, features: Sequence[FeatureLike], unseen_by_trees: Sequence[str] = ()) -> Design:
    """The design of a training table. Fields that are all but blank or constant stay out."""
    numbers: list[NumberField] = []
    categories: list[CategoryField] = []
    for feature in features:
        if feature.role != "model":
            continue
        if feature.type == "number":
            number = _learn_number(number_column(rows, feature.name), feature)
            numbers += [number] if number else []
        else:
            category = _learn_category(rows, feature)
            categories += [category] if category else []
    return Design(tuple(numbers), tuple(categories), tuple(unseen_by_trees))


def number_column(rows: pa.Table, name: str) -> Floats:
    """A column as float64, NaN where null: pyarrow's null must not reach numpy as None. Raises MissingColumn, WrongColumn."""
    column = _column(rows, name)
    if pa.types.is_null(column.type):
        return np.full(rows.num_rows, np.nan)
    values = pc.fill_null(_cast(column, name, pa.float64(), "numbers"), float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def category_column(rows: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """A column as codes into its own values; BLANK where null, or a text of nothing but spaces. Raises MissingColumn,
    WrongColumn."""
    column = _column(rows, name)
    if pa.types.is_null(column.type):
        return np.full(rows.num_rows, BLANK, np.int64), []
    if rows.num_rows <= FEW and pa.types.is_string(
        column.type
    ):  # Arrow's calls take longer than a dictionary
        told = [value if value and value.strip() else None for value in column.to_pylist()]
        own = {value: i for i, value in enumerate(dict.fromkeys(v for v in told if v is not None))}
        return np.array([BLANK if v is None else own[v] for v in told], np.int64), list(own)
    coded = _cast(column, name, pa.string(), "text").combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    codes = pc.fill_null(coded.indices.cast(pa.int64()), BLANK).to_numpy(zero_copy_only=False)
    values = [str(value) for value in coded.dictionary.to_pylist()]
    said = [value for value in values if value.strip()]
    own = {value: i for i, value in enumerate(said)}
    place = np.array([own.get(value, BLANK) for value in values] + [BLANK], np.int64)
    return place[codes.astype(np.int64)], said


def _column(rows: pa.Table, name: str) -> pa.ChunkedArray:
    place = rows.schema.get_field_index(name)
    if place < 0:
        raise MissingColumn(
            f"The table has no column {name!r}, which the model needs.", fix="Build the features again."
        )
    return rows.column(place)


def _cast(column: pa.ChunkedArray, name: str, to: pa.DataType, what: str) -> pa.ChunkedArray:
    """The values are named in no message: they may be somebody's."""
    try:
        return column.cast(to)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise WrongColumn(
            f"The column {name!r} ({column.type}) has values that can't be read as {what}, which the model needs.",
            fix=f"Give it as {what}, blank where unknown, or build the features again.",
        ) from error


def _codes(rows: pa.Table, field: CategoryField) -> Ints:
    codes, values = category_column(rows, field.name)
    own = {value: i for i, value in enumerate(field.values)}
    seen = set(field.seen)
    table = np.array(
        [own.get(value, RARE if value in seen else UNSEEN) for value in values] + [BLANK], np.int64
    )
    return table[codes]


def _learn_category(rows: pa.Table, feature: FeatureLike) -> CategoryField | None:
    codes, values = category_column(rows, feature.name)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    if counts.sum() < MIN_KNOWN:
        return None
    order = sorted(range(len(values)), key=lambda i: (-counts[i], values[i]))
    own = [i for i in order[:MAX_VALUES] if counts[i] >= MIN_LEADS]
    if len(own) < 2 and counts.sum() - counts[own].sum() < MIN_LEADS:
        return None
    shares = counts[own] / max(counts[own].sum(), 1)
    return CategoryField(
        feature.name, feature.label, feature.family,
        tuple(values[i] for i in own), shares, tuple(sorted(values[i] for i in order if counts[i])),
    )  # fmt: skip


def _learn_number(values: Floats, feature: FeatureLike) -> NumberField | None:
    x = values[np.isfinite(values)]
    if len(x) < MIN_KNOWN or np.ptp(x) == 0:
        return None
    low, high = np.quantile(x, EDGES)
    if low == high:
        low, high = x.min(), x.max()
    levels, counts = np.unique(x, return_counts=True)
    log = bool(x.min() >= 0 and _skewed(x))
    clipped = _scaled(np.clip(x, low, high), log)
    centre, scale = float(clipped.mean()), float(clipped.std()) or 1.0
    line = (clipped - centre) / scale
    common = int(counts.argmax())
    # A step is for "nothing happened", which differs from a little of it. Any other commonest value is one place on a
    # continuous line (ages are trained at a few, and asked about at all): a step there would be a cliff beside it.
    nothing = levels[common] == 0 and counts[common] >= 0.2 * len(x) and len(levels) > 2
    mode = 0.0 if nothing else None
    away = line if mode is None or len(levels) < 8 else line[x != mode]
    knots = np.unique(np.quantile(away, KNOTS)) if len(levels) > 4 else np.array([])
    bends = _bends(x, line, knots, mode)
    on_line, bend_centre, bend = _whiten(bends, line)
    behaves = feature.family in BEHAVIOUR and len(values) - len(x) >= MIN_KNOWN
    return NumberField(
        feature.name, feature.label, feature.unit, feature.family, log, float(np.median(x)),
        float(low), float(high), centre, scale, knots, mode, on_line, bend_centre, bend,
        len(x) / len(values) if behaves else None,
    )  # fmt: skip


def _whiten(bends: Floats, line: Floats) -> tuple[Floats, Floats, Floats]:
    """What makes the bends uncorrelated with the line and each other, each of unit size, so that one penalty
    fits all."""
    if not bends.shape[1]:
        return np.empty(0), np.empty(0), np.empty((0, 0))
    centre = bends.mean(axis=0)
    on_line = ((bends - centre) * line[:, None]).mean(axis=0)
    rest = bends - centre - np.outer(line, on_line)
    size, axes = np.linalg.eigh(rest.T @ rest / len(rest))
    keep = size > 1e-6 * max(float(size.max()), 1e-3)
    return on_line, centre, axes[:, keep] / np.sqrt(size[keep])


def _line(values: Floats, field: NumberField) -> Floats:
    clipped: Floats = (
        _scaled(np.clip(values, field.low, field.high), field.log) - field.centre
    ) / field.scale
    return clipped


def _bends(values: Floats, line: Floats, knots: Floats, mode: float | None) -> Floats:
    """Natural cubic splines less their straight line (Hastie et al., Elements, 5.2.1), and a step at the
    commonest value."""
    parts: list[Floats] = []
    if len(knots) >= 3:
        last = _cubic(line, knots, -2)
        parts += [_cubic(line, knots, k) - last for k in range(len(knots) - 2)]
    if mode is not None:
        parts.append((values == mode).astype(np.float64))
    return np.column_stack(parts) if parts else np.empty((len(line), 0))


def _cubic(line: Floats, knots: Floats, k: int) -> Floats:
    top = knots[-1]
    rise: Floats = np.maximum(line - knots[k], 0) ** 3 - np.maximum(line - top, 0) ** 3
    return rise / float(top - knots[k])


def _scaled(values: Floats, log: bool) -> Floats:
    out: Floats = np.log1p(values) if log else values
    return out


def _skewed(values: Floats) -> bool:
    """Whether log(1 + x) is nearer to symmetric than x is, by how unevenly the 5-50-95 % quantiles lie."""

    def unevenness(v: Floats) -> float:
        low, middle, high = np.quantile(v, (0.05, 0.5, 0.95))
        return abs(float(high + low - 2 * middle)) / max(float(high - low), 1e-12)

    return unevenness(np.log1p(values)) < unevenness(values) or float(values.max()) > 50 * max(
        float(np.median(values)), 1
    )
