"""Does recalibration on recent outcomes do harm where the market stands still, and good where it turns, with outcomes that
come late? On worlds whose true chances are known.

    CANDOR_BENCH_SEEDS=2 python -m benchmarks market_still

Each world's model is trained at a day on the leads whose 180 days are up, with the product's weights; a month later the
outcomes known by then recalibrate it, those of leads scored in the last half-year included (a win counts as known with the
share of past wins that took as long). It is asked about the leads of the next three months and judged by their true
chances of being won if somebody works them, which is what the product's weights aim at. "Turned": from 120 days before
the training on, half of the wins fail. Beside it two simpler ways: nothing, and a filter that takes what is not yet won
for lost. Paired by world.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings, tables, worked_times
from connector.jobs import attention
from connector.jobs.fields import facts, features_of
from connector.jobs.recalibrate import LEAST_KNOWN
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.model import recent
from scoring.model.additive import sigmoid
from scoring.model.train import train

Floats = npt.NDArray[np.float64]

LEADS, MONTHS, FIRST_SEED = 8000, 24, 31
"""seeds 1-6 were looked at while this was built"""
SCENARIO = "default"
HORIZON = 180.0
TRAINED, LATER, ASKED = 470.0, 30.0, 90.0
"""days: the training from the world's first day, the recalibration after that, whose leads are asked about after that"""
TURN, FAIL = 120.0, 0.5
YOUNGEST = attention.AFTER / timedelta(days=1)
HARM = 0.001
"""nats that count as noise"""


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", "4"))
    found = [measure(seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
    rows = []
    for name in found[0]:
        each = [one[name] for one in found]
        still = name == "still: recalibrated less alone"
        turned = name == "turned: recalibrated less alone"
        mean = float(np.mean(each))
        met = mean <= HARM if still else mean < 0 if turned else None
        bar = f"≤ {HARM}" if still else "< 0" if turned else None
        rows.append(Row(name, mean, bar, met, ", ".join(f"{x:+.4f}" for x in each)))
    return rows


def measure(seed: int) -> dict[str, float]:
    settings = play_settings()
    world, truth = generate(LEADS, MONTHS, seed, scenario=read_scenario(SCENARIO))
    first = min(truth.scored_at.values())
    people = sorted(world.people, key=lambda p: truth.scored_at[p.key])
    points = [(p.key, truth.scored_at[p.key]) for p in people]
    at = np.array([_days(first, when) for _, when in points])
    asked = pa.table(
        {
            "lead_id": [k for k, _ in points],
            "as_of": pa.array([a for _, a in points], pa.timestamp("us", "UTC")),
        }
    )
    rows = build(
        connect(),
        Inputs(asked, *tables(world, truth, settings, world.now)),
        attention.with_points(facts(settings)),
    )
    wait = np.array([_days(when, truth.wins[key]) if key in truth.wins else np.inf for key, when in points])
    wait[wait > HORIZON] = np.inf
    true = np.array([truth.reached[key] for key, _ in points])
    groups = np.array([p.account or company_domain(p.email or "") or p.key for p in people], dtype=str)
    features = features_of(settings)
    out: dict[str, float] = {}
    for name, failed in (("still", False), ("turned", True)):
        later = at >= TRAINED - TURN
        fails = failed & later & (np.random.default_rng(seed).random(len(at)) < FAIL)
        waited, chance = np.where(fails, np.inf, wait), np.where(failed & later, (1 - FAIL) * true, true)

        def weights(which: npt.NDArray[np.bool_], now: float, known: Floats) -> Floats:
            some = [points[i] for i in np.flatnonzero(which)]
            times = worked_times(world, first + timedelta(days=now))
            found = attention.weights(
                settings, facts(settings), rows.filter(pa.array(which)), some, known[which],
                attention.was_worked(some, times), groups[which], {},
            )  # fmt: skip
            return np.ones(len(some)) if found is None else found

        ripe = at + HORIZON <= TRAINED
        won = np.isfinite(waited).astype(float)
        model = train(
            rows.filter(pa.array(ripe)), won[ripe], features=features, groups=groups[ripe],
            weight=weights(ripe, TRAINED, won),
        )  # fmt: skip
        now = TRAINED + LATER
        known = (at + waited <= now).astype(float)
        share = recent.known_by(waited[ripe & (won > 0)], now - at)
        share[now - at >= HORIZON] = 1.0
        seen = ~ripe & (at <= now - YOUNGEST) & (share >= LEAST_KNOWN)
        weight, said = weights(seen, now, known), model.logit(rows.filter(pa.array(seen)))
        day = np.floor(at[seen] - (TRAINED - HORIZON)).astype(np.int64)
        test = (at > now) & (at <= now + ASKED)
        alone = model.logit(rows.filter(pa.array(test)))
        ways = {
            "recalibrated": (share[seen], weight),
            "taking what is not yet won for lost": (np.ones(int(seen.sum())), weight),
            "recalibrated, unworked leads counting fully": (share[seen], np.ones(int(seen.sum()))),
        }
        loss = _log_loss(alone, chance[test])
        out |= {
            f"{name}: log loss, model alone": loss,
            f"{name}: leads asked about": float(test.sum()),
            f"{name}: leads learnt from": float(seen.sum()),
        }
        for way, (known_share, counts) in ways.items():
            state = recent.lived(
                recent.begin(model.base_rate),
                day,
                said,
                known[seen],
                known_share,
                counts,
                int(LATER + HORIZON),
            )
            moved, variance = state.applied(alone)
            out[f"{name}: {way} less alone"] = _log_loss(moved, chance[test]) - loss
            if way == "recalibrated":
                out[f"{name}: offset of a typical lead, logits"] = float(state.line[0][0])
                out[f"{name}: deviation added, logits"] = float(np.sqrt(variance.mean()))
    return out


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=1)


def _log_loss(logit: Floats, true: Floats) -> float:
    p = np.clip(sigmoid(logit), 1e-6, 1 - 1e-6)
    return float(-(true * np.log(p) + (1 - true) * np.log(1 - p)).mean())
