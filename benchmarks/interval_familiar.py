"""Is the range of a familiar lead true, and no wider than it must be? Against six others in the same run.

- Semi-synthetic worlds (benchmarks/semi_worlds.py: real rows, the truth a CatBoost or a spline regression, 7,392 leads to
  learn from, 1,848 asked about, three draws of outcomes each): the share of leads whose true chance lies in the range, and
  its mean width in points of score.
- Real outcomes of the leads file and of 12,000 bank calls, each lead asked about once, out of five folds: groups are made
  without labels and without the ranges (values of facts, pairs of values, clusters, score bands) of at least 300 leads, and
  the group's observed rate must lie between the mean lower and the mean upper end, plainly, with no allowance for luck.
- Generated worlds (`interval_world`: 8,000 leads in 24 months, the later 30 % asked about): the chance of a lead as far as
  its record can tell, the full truth beside it, and the width of an oracle that is told which columns matter and how.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.cluster import KMeans
from sklearn.model_selection import StratifiedKFold

from benchmarks import interval_world, rival_ranges, told
from benchmarks.real_leads import calls
from benchmarks.rival_ranges import Range
from benchmarks.row import Row, data_folder
from benchmarks.semi_worlds import DRAWS, KINDS, World, education, world
from scoring.model.additive import log_odds, sigmoid
from scoring.model.card import Model
from scoring.model.design import FeatureLike, category_column, learn, number_column
from scoring.model.scores import to_score
from scoring.model.train import train

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

OURS = "Candor"
LEAST, MOST, WIDEST = 0.88, 0.93, 17.0
GROUP = 300
"""leads of a group"""
INSIDE = 0.90
CLUSTERS, BANDS, FOLDS = 30, 20, 5
CALLS = 12_000


def run() -> list[Row]:
    return [*_semi(), *_groups(), *_generated()]


# -- worlds of real rows --


def _semi() -> Iterator[Row]:
    found: dict[str, list[tuple[float, float]]] = {}
    for kind in KINDS:
        for draw in DRAWS:
            for name, (covered, width) in judged(world(kind, draw)).items():
                found.setdefault(f"{kind}: {name}", []).append((covered, width))
    for name, each in found.items():
        covered, width = np.mean(each, axis=0)
        spread = float(np.std([c for c, _ in each], ddof=1))
        ours = name.endswith(OURS)
        yield Row(
            f"{name}: true chance inside", covered, f"{LEAST} to {MOST}" if ours else None,
            bool(LEAST <= covered <= MOST) if ours else None, f"sd over draws {spread:.3f}; width {width:.1f} points",
        )  # fmt: skip
        if ours:
            yield Row(f"{name}: mean width", width, f"≤ {WIDEST:.0f}", bool(width <= WIDEST))


def judged(of: World) -> dict[str, tuple[float, float]]:
    """Of each range: the share of test leads whose true chance lies inside, and the mean width in points."""
    base = float(of.won[of.fit].mean())
    truth = _logit(of.true[of.test])
    return {name: _covered(one, truth, base) for name, one in asked(of).items()}


def asked(of: World, bags: int = rival_ranges.BAGS, seeds: int = rival_ranges.SEEDS) -> dict[str, Range]:
    model = train(of.rows.take(of.fit), of.won[of.fit], features=of.features, groups=of.fit, seed=0)
    return {
        OURS: ours(model, of.rows.take(of.test)),
        **_rivals(of.rows, of.features, of.won, of.fit, of.test, bags, seeds),
    }


def ours(model: Model, rows: pa.Table) -> Range:
    scores = model.score(rows)
    base = log_odds(model.base_rate)
    return Range(*(_logit(points / 100) + base for points in (scores.score, scores.low, scores.high)))


def _rivals(
    rows: pa.Table, features: Sequence[FeatureLike], won: Floats, fit: Ints, test: Ints,
    bags: int = rival_ranges.BAGS, seeds: int = rival_ranges.SEEDS,
) -> dict[str, Range]:  # fmt: skip
    layout = learn(rows.take(fit), features)
    learnt, told = layout.encode(rows.take(fit)), layout.encode(rows.take(test))
    return rival_ranges.ranges(layout, learnt, won[fit], told, bags, seeds)


def _covered(one: Range, truth: Floats, base: float) -> tuple[float, float]:
    inside = (one.low <= truth) & (truth <= one.high)
    return float(inside.mean()), float(points_wide(one, base).mean())


def points_wide(one: Range, base: float) -> Floats:
    shift = np.log(base / (1 - base))
    return to_score(one.high - shift) - to_score(one.low - shift)


# -- groups of real leads --


@dataclass(frozen=True)
class Group:
    kind: str
    rows: Bools


def _groups() -> Iterator[Row]:
    rows, won, columns = education()
    yield from grouped("leads", rows, won, columns)
    rows, won, found = calls(data_folder() / "bank-calls" / "calls.csv.gz")
    some = np.random.default_rng(0).permutation(len(won))[:CALLS]
    yield from grouped("calls", rows.take(some), won[some], tuple(found))


def grouped(name: str, rows: pa.Table, won: Floats, columns: Sequence[FeatureLike]) -> Iterator[Row]:
    found = out_of_fold(rows, won, columns)
    groups = [*_by_values(rows, columns), *_clusters(rows, columns), *_bands(found[OURS].logit)]
    for rival, one in found.items():
        low, high = sigmoid(one.low), sigmoid(one.high)
        inside = np.array([low[g.rows].mean() <= won[g.rows].mean() <= high[g.rows].mean() for g in groups])
        share, error = float(inside.mean()), float(inside.std() / np.sqrt(len(inside)))
        kinds = {g.kind: None for g in groups}
        parts = ", ".join(f"{kind} {inside[[g.kind == kind for g in groups]].mean():.2f}" for kind in kinds)
        mine = rival == OURS
        width = float(points_wide(one, float(won.mean())).mean())
        yield Row(
            f"{name}, {len(groups)} groups: {rival}", share, f"≥ {INSIDE}" if mine else None,
            bool(share >= INSIDE) if mine else None, f"se {error:.3f}; {parts}; width {width:.1f}",
        )  # fmt: skip


def out_of_fold(rows: pa.Table, won: Floats, columns: Sequence[FeatureLike]) -> dict[str, Range]:
    """Each row's range by a model that hasn't seen it, by name."""
    parts: dict[str, list[Floats]] = {}
    order: list[npt.NDArray[np.int64]] = []
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(won, won):
        order.append(test)
        model = train(rows.take(fit), won[fit], features=columns, groups=fit, seed=0)
        for name, one in {
            OURS: ours(model, rows.take(test)),
            **_rivals(rows, columns, won, fit, test),
        }.items():
            parts.setdefault(name, []).append(np.array([one.logit, one.low, one.high]))
    back = np.argsort(np.concatenate(order))
    return {name: Range(*np.hstack(each)[:, back]) for name, each in parts.items()}


def _by_values(rows: pa.Table, columns: Sequence[FeatureLike]) -> Iterator[Group]:
    """Values of facts (blank is one), and pairs of them."""
    named = [c.name for c in columns if c.type == "category"]
    values = {name: category_column(rows, name)[0] for name in named}
    masks = {name: [codes == code for code in np.unique(codes)] for name, codes in values.items()}
    for name in named:
        yield from (Group("values", mask) for mask in masks[name] if _enough(mask))
    for a, b in combinations(named, 2):
        yield from (Group("pairs", one & two) for one in masks[a] for two in masks[b] if _enough(one & two))


def _enough(mask: Bools) -> bool:
    return bool(mask.sum() >= GROUP and (~mask).sum() >= GROUP)


def _clusters(rows: pa.Table, columns: Sequence[FeatureLike]) -> Iterator[Group]:
    layout = learn(rows, columns)
    parts = []
    for column in columns:
        if column.type == "number":
            x = number_column(rows, column.name)
            x = np.log1p(np.where(np.isfinite(x), x, np.nanmedian(x)))
            parts.append(((x - x.mean()) / x.std())[:, None])
        else:
            codes, found = category_column(rows, column.name)
            parts.append(np.eye(len(found) + 1)[codes])
    count = min(CLUSTERS, len(rows) // GROUP)
    label = KMeans(count, n_init=3, random_state=0).fit_predict(np.hstack(parts))
    assert layout.fields
    yield from (Group("clusters", label == k) for k in range(count) if _enough(label == k))


def _bands(logit: Floats) -> Iterator[Group]:
    place = np.argsort(np.argsort(logit))
    count = min(BANDS, len(logit) // GROUP)
    yield from (Group("bands", place * count // len(logit) == k) for k in range(count))


# -- generated worlds --


def _generated() -> Iterator[Row]:
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    rates = []
    for seed in interval_world.SEEDS:
        case = interval_world.case(seed)
        rates.append(case.won.mean())
        fit, test = np.arange(case.cut), np.arange(case.cut, len(case.won))
        model, _ = interval_world.fitted(case)
        informed, _ = interval_world.fitted(replace(case, rows=case.told, features=told.features(case.told)))
        base = model.base_rate
        full = _logit(case.true[test])
        knowable = _logit(interval_world.knowable(case.rows, case.features, case.true)[0][test])
        oracle = points_wide(ours(informed, case.told.slice(case.cut)), informed.base_rate).mean()
        ranges = {OURS: ours(model, case.rows.slice(case.cut))}
        ranges |= _rivals(case.rows, case.features, case.won, fit, test)
        for name, one in ranges.items():
            all_, width = _covered(one, full, base)
            found.setdefault(name, []).append(
                (all_, _covered(one, knowable, base)[0], width, width / float(oracle))
            )
    for name, each in found.items():
        all_, known, width, ratio = np.mean(each, axis=0)
        yield Row(
            f"generated: {name}: true chance inside", all_,
            note=f"chance as far as records tell {known:.3f}; width {width:.1f}, {ratio:.2f} of the oracle's",
        )  # fmt: skip
    yield Row(
        "generated: base rate",
        float(np.mean(rates)),
        note=f"{interval_world.LEADS} leads, seeds {interval_world.SEEDS}",
    )


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    out: Floats = np.log(p / (1 - p))
    return out
