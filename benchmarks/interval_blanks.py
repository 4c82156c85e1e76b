"""How wide must the range be when values are blank? (Not studied in ../shared/facts/scoring.md.)

Semi-synthetic worlds (benchmarks/semi_worlds.py): the model learns from the rows as they are; of the leads that it is asked
about 10 %, 25 %, 40 % or 60 % of the known values are blanked at random, and the range must still hold the true chance of the
*whole* record for about 90 % of them. What "no allowance" would do stands beside it: the familiar range alone. `Needed` is
the width that the same ranges, all stretched by one factor, would need for exactly 90 %.

Generated worlds blank facts of themselves: there the full truth knows what the record doesn't (`interval_familiar`).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.interval_familiar import ours, points_wide
from benchmarks.rival_ranges import Range
from benchmarks.row import Row
from benchmarks.semi_worlds import KINDS, World, world
from scoring.model import interval
from scoring.model.card import Model
from scoring.model.quantiles import Z90
from scoring.model.train import train

Floats = npt.NDArray[np.float64]

DRAWS = range(2)
SHARES = (0.0, 0.1, 0.25, 0.4, 0.6)
LEAST, MOST = 0.86, 0.94


def run() -> list[Row]:
    found: dict[float, list[tuple[float, float, float, float]]] = {share: [] for share in SHARES}
    for kind in KINDS:
        for draw in DRAWS:
            of = world(kind, draw)
            model = train(of.rows.take(of.fit), of.won[of.fit], features=of.features, groups=of.fit, seed=0)
            for share in SHARES:
                found[share].append(_judged(model, of, share, draw))
    return list(_rows(found))


def _rows(found: dict[float, list[tuple[float, float, float, float]]]) -> Iterator[Row]:
    for share, each in found.items():
        covered, wide, needed, bare = np.mean(each, axis=0)
        yield Row(
            f"{100 * share:.0f} % blanked: true chance of the whole record inside", covered, f"{LEAST} to {MOST}",
            bool(LEAST <= covered <= MOST),
            f"width {wide:.1f}, needed {needed:.1f}; without an allowance {bare:.3f}",
        )  # fmt: skip


def blanked(rows: pa.Table, share: float, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    columns = {}
    for name in rows.column_names:
        gone = pa.array(random.random(rows.num_rows) < share)
        columns[name] = pc.if_else(gone, pa.scalar(None, rows[name].type), rows[name].combine_chunks())
    return pa.table(columns)


def _judged(model: Model, of: World, share: float, seed: int) -> tuple[float, float, float, float]:
    rows = blanked(of.rows.take(of.test), share, seed)
    truth = np.log(of.true[of.test] / (1 - of.true[of.test]))
    said = ours(model, rows)
    inside = (said.low <= truth) & (truth <= said.high)
    middle, half = (said.low + said.high) / 2, (said.high - said.low) / 2
    stretch = float(np.quantile(np.abs(truth - middle) / half, 0.9))
    needed = Range(middle, middle - stretch * half, middle + stretch * half)
    layout = model.design
    encoded = layout.encode(rows)
    design = layout.additive(encoded)
    said = model.point.parts(layout, encoded, design)
    familiar = Z90 * np.sqrt(
        interval.doubts(model.interval, layout, encoded, design, model.point, said).familiar
    )
    bare = np.abs(truth - model.point.logit(layout, encoded, design)) <= familiar
    wide = points_wide(said, model.base_rate)
    return (
        float(inside.mean()),
        float(wide.mean()),
        float(points_wide(needed, model.base_rate).mean()),
        float(bare.mean()),
    )
