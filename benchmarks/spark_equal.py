"""DuckDB and Spark on 50 random worlds: the same features to the last digit?

    CANDOR_BENCH_WORLDS=50 CANDOR_BENCH_SIZE=300 CANDOR_ENGINE='spark://local[2]' python -m benchmarks spark_equal

Each world has a seed and one of the shipped scenarios; its leads are looked at 1, 7, 30 and 90 days after they came in and
today. Every world is a build of its own on both engines. The tests hold the same on smaller, stranger histories
(tests/integration/test_engines.py).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import sys
import time
from datetime import timedelta

import pyarrow as pa

from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings, tables
from connector.jobs.fields import facts
from connector.playground.world.generate import generate
from connector.playground.world.model import World
from connector.playground.world.scenario_file import read_scenario, shipped
from scoring.features import Inputs, build, connect

WORLDS, SIZE, MONTHS, ENGINE = 50, 300, 12, "spark://local[2]"
FIRST_SEED = 1200
AGES_DAYS = (1, 7, 30, 90)


def run() -> list[Row]:
    count = int(os.environ.get("CANDOR_BENCH_WORLDS", WORLDS))
    size = int(os.environ.get("CANDOR_BENCH_SIZE", SIZE))
    url = os.environ.get("CANDOR_ENGINE", ENGINE)
    scenarios = itertools.cycle(shipped())
    there, settings = connect(url), play_settings()
    points = cells = different = 0
    here_seconds = there_seconds = 0.0
    for seed, scenario in zip(range(FIRST_SEED, FIRST_SEED + count), scenarios, strict=False):
        world, truth = generate(size, MONTHS, seed, scenario=read_scenario(scenario))
        inputs = Inputs(looks(world), *tables(world, truth, settings, world.now))
        start = time.perf_counter()
        one = build(connect(), inputs, facts(settings))
        here_seconds += time.perf_counter() - start
        start = time.perf_counter()
        other = build(there, inputs, facts(settings))
        there_seconds += time.perf_counter() - start
        points += one.num_rows
        cells += one.num_rows * one.num_columns
        for name in one.column_names:
            if not one[name].equals(other[name]):
                pairs = zip(one[name].to_pylist(), other[name].to_pylist(), strict=True)
                unlike = [(a, b) for a, b in pairs if a != b]
                different += len(unlike)
                print(f"  seed {seed}, {scenario}: {name} {unlike[:3]}", file=sys.stderr)
        if sys.stderr.isatty():
            print(f"  {seed}: {points} points, {different} cells differ", file=sys.stderr)
    there.disconnect()
    return [
        Row("worlds", count),
        Row("points", points),
        Row("cells compared", cells),
        Row("cells that differ", different, "0", different == 0),
        Row("seconds of DuckDB, one thread", here_seconds),
        Row(f"seconds of {url}", there_seconds),
    ]


def looks(world: World) -> pa.Table:
    """(lead, moment) pairs: at each age that lies in the past, and today."""
    pairs = [
        (person.key, at)
        for person in world.people
        for at in (*(person.created_at + timedelta(days=age) for age in AGES_DAYS), world.now)
        if at <= world.now
    ]
    return pa.table({
        "lead_id": pa.array([lead for lead, _ in pairs], pa.string()),
        "as_of": pa.array([at for _, at in pairs], pa.timestamp("us", "UTC")),
    })  # fmt: skip
