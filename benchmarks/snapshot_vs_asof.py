"""What a backtest promises and what the same model keeps live: trained as of then, and on records as they look today (S1.2).

    CANDOR_BENCH_SEEDS=3 python -m benchmarks snapshot_vs_asof

On each world the earlier 55 % of the leads train, the next 15 % are the backtest, the latest 30 % are live: scored at
their first scoring. The as-of model sees the first two as they were known at theirs; the snapshot model sees both as they look
at hand-over. Live both see what was known. As-of figures are against the true chances (benchmarks/expected.py); so is the
snapshot's live one, but its backtest is against what came of the leads, since that is what its records have learnt.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from benchmarks import expected
from benchmarks.interval_world import FACTS, MONTHS, TIME, tables
from benchmarks.row import Row
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.features.build import build
from scoring.features.catalogue import catalogue
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.model.train import train

LEADS, SCENARIO, FIRST_SEED = 8000, "default", 1
TRAINED, BACKTESTED = 0.55, 0.70
BAR = 0.02


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", "3"))
    leads = int(os.environ.get("CANDOR_BENCH_LEADS", LEADS))
    found = [measure(seed, leads) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
    mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    apart = abs(mean["as-of, backtest"] - mean["as-of, live"])
    each = ", ".join(f"{one['as-of, backtest'] - one['as-of, live']:+.4f}" for one in found)
    return [
        Row("as-of: backtest and live apart, AUC", apart, f"≤ {BAR}", apart <= BAR, f"worlds {each}"),
        *(
            Row(f"{name}, AUC", value, note=", ".join(f"{one[name]:.4f}" for one in found))
            for name, value in mean.items()
        ),
        Row("snapshot: what the backtest promises too much", mean["snapshot, backtest"] - mean["snapshot, live"]),
    ]  # fmt: skip


def measure(seed: int, leads: int) -> dict[str, float]:
    world, truth = generate(leads, MONTHS, seed, scenario=read_scenario(SCENARIO))
    people = sorted(
        (p for p in world.people if truth.scored_at[p.key] <= world.now), key=lambda p: truth.scored_at[p.key]
    )
    keys = [p.key for p in people]
    first, last = int(TRAINED * len(keys)), int(BACKTESTED * len(keys))
    then = pa.array([truth.scored_at[key] for key in keys], TIME)
    now = pa.array([world.now] * last, TIME)
    told, engine = tables(world), connect()
    try:
        as_of = build(engine, Inputs(pa.table({"lead_id": keys, "as_of": then}), *told), FACTS)
        today = build(engine, Inputs(pa.table({"lead_id": keys[:last], "as_of": now}), *told), FACTS)
    finally:
        engine.disconnect()
    won = np.array([float(key in truth.wins) for key in keys])
    chance = np.array([truth.probability[key] for key in keys])
    account = [p.account or (p.email or p.key).split("@")[-1] for p in people]
    found = {}
    for name, rows in (("as-of", as_of), ("snapshot", today)):
        model = train(
            rows.slice(0, first), won[:first], features=catalogue(FACTS), groups=account[:first], seed=0
        )
        held = model.score(rows.slice(first, last - first)).probability
        live = model.score(as_of.slice(last)).probability
        backtest = expected.auc(chance[first:last], held) if name == "as-of" else float(roc_auc_score(won[first:last], held))  # fmt: skip
        found |= {f"{name}, backtest": backtest, f"{name}, live": expected.auc(chance[last:], live)}
    return found
