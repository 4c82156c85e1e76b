"""Do weights by the chance of attention undo what neglect taught? On worlds that know what work would have done (S1.5).

    CANDOR_BENCH_SEEDS=2 python -m benchmarks neglect

The world's reps have hours for a part of the leads and go by the org's points. The model is trained on the earlier 70 % of
the leads with all outcomes counting alike, with the product's weights, and with the worked leads alone, and asked about
the later ones; judged by the true chance of being won *if somebody works the lead*. Paired by seed. No bar is set.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings, tables, worked_times
from connector.jobs import attention
from connector.jobs.fields import facts, features_of
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.model.attention import hidden
from scoring.model.train import train

Floats = npt.NDArray[np.float64]

LEADS, MONTHS, FIRST_SEED = 8000, 24, 1
SCENARIO = "default"
EARLIER = 0.7
HORIZON = timedelta(days=180)
NOTHING = 1e-9
DRAWS = 20
"""of outcomes from the true chances, for an AUC"""


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", "6"))
    found = [measure(seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
    return [
        Row(name, float(np.mean(each)), note=f"{min(each):.4f} to {max(each):.4f}; above 0 on {sum(x > 0 for x in each)} of {seeds}")
        for name in found[0]
        for each in [[one[name] for one in found]]
    ]  # fmt: skip


def measure(seed: int) -> dict[str, float]:
    settings = play_settings()
    world, truth = generate(LEADS, MONTHS, seed, scenario=read_scenario(SCENARIO))
    people = sorted(
        (p for p in world.people if truth.scored_at[p.key] <= world.now - HORIZON),
        key=lambda p: truth.scored_at[p.key],
    )
    points = [(p.key, truth.scored_at[p.key]) for p in people]
    keys = [key for key, _ in points]
    asked = pa.table(
        {"lead_id": keys, "as_of": pa.array([at for _, at in points], pa.timestamp("us", "UTC"))}
    )
    seen = attention.with_points(facts(settings))
    rows = build(connect(), Inputs(asked, *tables(world, truth, settings, world.now)), seen)
    won = np.array([float(key in truth.wins) for key in keys])
    groups = np.array([p.account or company_domain(p.email or "") or p.key for p in people], dtype=str)
    worked = attention.was_worked(points, worked_times(world, world.now))
    if_worked = np.array([truth.reached[key] for key in keys])
    neglected = np.isin(keys, list(truth.neglected))
    cut = int(EARLIER * len(keys))
    weights = attention.weights(
        settings, facts(settings), rows.slice(0, cut), points[:cut], won[:cut], worked[:cut], groups[:cut], {}
    )
    features = features_of(settings)
    out: dict[str, float] = {"leads that nobody worked, share": float((~worked).mean())}
    judged: dict[str, dict[str, float]] = {}
    for name, weight in (
        ("all alike", None), ("by attention", weights), ("worked alone", np.where(worked[:cut], 1.0, NOTHING)),
    ):  # fmt: skip
        model = train(rows.slice(0, cut), won[:cut], features=features, groups=groups[:cut], weight=weight)
        p = np.asarray(model.score(rows.slice(cut)).probability)
        judged[name] = {
            **_judge(p, if_worked[cut:], "all leads"),
            **_judge(p[neglected[cut:]], if_worked[cut:][neglected[cut:]], "neglected"),
            "log loss, as it happened": _log_loss(p, won[cut:]),
        }
        out |= {f"{name}: {what}": value for what, value in judged[name].items()}
    for what, plain in judged["all alike"].items():
        out[f"by attention less all alike: {what}"] = judged["by attention"][what] - plain
    may_feed = tuple(f for f in features if f.role == "model")
    estimate = hidden(rows, won, worked, features=may_feed, group=np.unique(groups, return_inverse=True)[1])
    if estimate is not None:
        true = float((if_worked - won)[~worked].sum())
        out |= {"wins hidden by neglect, estimated": estimate.more, "wins hidden by neglect, true": true,
                "the truth inside the estimate's range": float(estimate.low <= true <= estimate.high)}  # fmt: skip
    return out


def _judge(p: Floats, true: Floats, of: str) -> dict[str, float]:
    random = np.random.default_rng(0)
    drawn = [random.random(len(true)) < true for _ in range(DRAWS)]
    return {
        f"AUC if worked, {of}": float(np.mean([roc_auc_score(won, p) for won in drawn if won.any()])),
        f"log loss if worked, {of}": _log_loss(p, true),
    }


def _log_loss(p: Floats, true: Floats) -> float:
    return float(-(true * np.log(p) + (1 - true) * np.log(1 - p)).mean())
