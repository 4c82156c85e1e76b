"""How long a million leads take, ranges, flags and reasons included, beside a bare CatBoost of 500 trees; and one lead.

The leads are the real ones of ../shared/data/leads (without the columns that leak), drawn with replacement and every value
of every column drawn anew from another lead with chance a tenth, numbers moved a little, so that no two rows need be alike.
Both begin with the same strings and numbers in memory: ours with an Arrow table, CatBoost with a table of pandas made of it
beforehand; both use two threads. Timed are numbers alone, reasons and flags as columns; sentences are made of the leads that
are written, whose time is shown apart. Single leads are scored by the warm model, as webhooks bring them, each time another
one, its sentences included.

    CANDOR_BENCH_LEADS=100000 python -m benchmarks score_speed
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.real_leads import Column, leads
from benchmarks.row import Row, data_folder
from scoring.model import recent
from scoring.model.card import Model
from scoring.model.scores import Scores
from scoring.model.train import train

Floats = npt.NDArray[np.float64]

TREES = 500
ROUNDS = 3
"""both are timed so often, in turn; the best of each counts, as another process can only slow one down"""
THREADS = 2
MIXED = 0.1
SINGLE = 400
TIMES, GIGABYTES, MILLISECONDS = 5.0, 4.0, 20.0


def run() -> list[Row]:
    count = int(os.environ.get("CANDOR_BENCH_LEADS", "1000000"))
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    model = train(rows, won, features=columns, groups=np.arange(len(won)))
    many = mixed(rows, columns, count)
    theirs = _catboost(rows, won, columns)
    frame = many.to_pandas()
    state = model.begin()
    ours, other = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: model.score(many, state)))
        other.append(_timed(lambda: theirs(frame)))
    wall, cpu = np.min(ours, axis=0)
    their_wall, their_cpu = np.min(other, axis=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    each = np.array(_single(model, many, state))
    (middle, half_cpu), (most, most_cpu) = np.quantile(each, (0.5, 0.95), axis=0)
    return [
        Row(
            f"{count:,} leads, ours over CatBoost's", wall / their_wall, f"≤ {TIMES:.0f}", bool(wall <= TIMES * their_wall),
            f"{wall:.1f} s and {their_wall:.1f} s; of CPU {cpu:.1f} s and {their_cpu:.1f} s",
        ),
        Row("peak memory, GB, both and all tables", peak, f"≤ {GIGABYTES:.0f}", bool(peak <= GIGABYTES)),
        Row("10,000 leads, sentences made, s", _timed(lambda: _told(model.score(many.slice(0, 10_000), state)))[0]),
        Row(
            "one lead, warm, ms: 95 % are done within", most, f"≤ {MILLISECONDS:.0f}", bool(most <= MILLISECONDS),
            f"half within {middle:.1f}; of CPU {most_cpu:.1f} and {half_cpu:.1f}",
        ),
    ]  # fmt: skip


def mixed(rows: pa.Table, columns: Sequence[Column], count: int) -> pa.Table:
    """So many rows like these."""
    random = np.random.default_rng(0)
    whole = random.integers(0, rows.num_rows, count)
    out = {}
    for column in columns:
        own = np.where(random.random(count) < MIXED, random.integers(0, rows.num_rows, count), whole)
        values = rows[column.name].combine_chunks().take(pa.array(own))
        if column.type == "number":
            values = pc.multiply(values, pa.array(random.uniform(0.9, 1.1, count)))
        out[column.name] = values
    return pa.table(out)


def _catboost(rows: pa.Table, won: Floats, columns: Sequence[Column]):  # type: ignore[no-untyped-def]
    import catboost  # type: ignore[import-untyped]

    kinds = [c.name for c in columns if c.type == "category"]
    frame = rows.to_pandas()
    frame[kinds] = frame[kinds].fillna("")
    model = catboost.CatBoostClassifier(
        iterations=TREES, cat_features=kinds, random_seed=0, verbose=False, thread_count=THREADS, allow_writing_files=False
    )  # fmt: skip
    model.fit(frame, won)

    def predict(many):  # type: ignore[no-untyped-def]
        many = many.assign(**{name: many[name].fillna("") for name in kinds})
        return model.predict_proba(many, thread_count=THREADS)

    return predict


def _single(model: Model, rows: pa.Table, state: recent.Recent) -> list[tuple[float, float]]:
    """Milliseconds of the clock and of the processor, each lead's."""
    took = []
    for i in range(SINGLE + 20):
        one = rows.slice(i, 1)
        wall, cpu = _timed(partial(_one, model, one, state))
        took.append((1000 * wall, 1000 * cpu))
    return took[20:]


def _one(model: Model, row: pa.Table, state: recent.Recent) -> int:
    return _told(model.score(row, state))


def _told(scores: Scores) -> int:
    """How much is said, every sentence made."""
    return sum(len(one.text) for told in (scores.reasons, scores.flags) for each in told for one in each)


def _timed(what) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Seconds of the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu
