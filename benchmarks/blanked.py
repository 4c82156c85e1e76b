"""Standard fields that are blank at scoring time: what is lost when 40 % of them are gone (S2.4).

    CANDOR_BENCH_LEADS=8000 python -m benchmarks blanked

On the scenarios `first` and `default` the model is trained on the earlier 70 % of the leads as they were known at their first
scoring, and asked about the later 30 % twice: as they were known, and with each known standard field of each of them (e-mail,
title, industry, employees, revenue, country, source …) taken away with probability 0.4, before features are built. Means
over five masks, their range beside. Called a winner: whoever scores 50 or more, likelier than a typical lead. Measured
against the true chances (benchmarks/expected.py).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import expected
from benchmarks.interval_world import EARLIER, FACTS, MONTHS, TIME, tables
from benchmarks.row import Row
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.features.build import build
from scoring.features.catalogue import STANDARD, catalogue
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.model.train import train

LEADS, SEED, MASKS, BLANKED = 8000, 7, 5, 0.4
SCENARIOS = ("first", "default")


def run() -> list[Row]:
    leads = int(os.environ.get("CANDOR_BENCH_LEADS", LEADS))
    return [row for scenario in SCENARIOS for row in measure(scenario, leads)]


def measure(scenario: str, leads: int) -> list[Row]:
    world, truth = generate(leads, MONTHS, SEED, scenario=read_scenario(scenario))
    people = sorted(
        (p for p in world.people if truth.scored_at[p.key] <= world.now), key=lambda p: truth.scored_at[p.key]
    )
    cut = int(EARLIER * len(people))
    keys = [p.key for p in people]
    points = pa.table({"lead_id": keys, "as_of": pa.array([truth.scored_at[key] for key in keys], TIME)})
    whole = Inputs(points, *tables(world))
    rows = _built(whole)
    won = np.array([float(key in truth.wins) for key in keys])
    account = [p.account or (p.email or p.key).split("@")[-1] for p in people]
    model = train(rows.slice(0, cut), won[:cut], features=catalogue(FACTS), groups=account[:cut], seed=0)
    chance = np.array([truth.probability[key] for key in keys[cut:]])
    full = model.score(rows.slice(cut))
    auc, found = expected.auc(chance, full.probability), []
    for mask in range(MASKS):
        scores = model.score(_built(_without(whole, keys[cut:], mask)).slice(cut))
        found.append((
            expected.balanced_accuracy(chance, scores.score >= 50), auc - expected.auc(chance, scores.probability),
            float(np.mean(scores.high - scores.low)),
        ))  # fmt: skip
    (right, drop, width), low, high = np.mean(found, axis=0), np.min(found, axis=0), np.max(found, axis=0)
    at = f"{MASKS} masks"
    return [
        Row(f"{scenario}: balanced accuracy, 40 % blanked", right, "≥ 0.70", bool(right >= 0.7),
            f"{low[0]:.4f} to {high[0]:.4f} over {at}; nothing blanked {expected.balanced_accuracy(chance, full.score >= 50):.4f}"),
        Row(f"{scenario}: AUC lost", drop, "≤ 0.05", bool(drop <= 0.05), f"{low[1]:.4f} to {high[1]:.4f} over {at}; AUC before {auc:.4f}"),
        Row(f"{scenario}: mean width of the range, blanked", width, note=f"before {np.mean(full.high - full.low):.2f}"),
    ]  # fmt: skip


def _without(inputs: Inputs, leads: list[str], seed: int) -> Inputs:
    """The same with 40 % of the standard fields of `leads` never told."""
    dice = np.random.default_rng(seed)
    gone = {(lead, field) for lead in leads for field in STANDARD if dice.random() < BLANKED}
    told = zip(inputs.changes["lead_id"].to_pylist(), inputs.changes["field"].to_pylist(), strict=True)
    kept = inputs.changes.filter(pa.array([one not in gone for one in told]))
    nameless = pa.array([(lead, "email") in gone for lead in inputs.leads["lead_id"].to_pylist()])
    email = pc.if_else(nameless, pa.scalar(None, pa.string()), inputs.leads["email"])
    place = inputs.leads.column_names.index("email")
    return replace(inputs, changes=kept, leads=inputs.leads.set_column(place, "email", email))


def _built(inputs: Inputs) -> pa.Table:
    engine = connect()
    try:
        return build(engine, inputs, FACTS)
    finally:
        engine.disconnect()
