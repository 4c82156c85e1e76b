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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks import told
from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings, tables, worked_times
from connector.jobs import attention
from connector.jobs.fields import facts, features_of
from connector.jobs.recalibrate import LEAST_KNOWN
from connector.playground.world.generate import generate
from connector.playground.world.model import World
from connector.playground.world.scenario_file import read_scenario
from connector.settings import Settings
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.model import recent
from scoring.model.additive import log_odds, sigmoid
from scoring.model.card import Model
from scoring.model.design import FeatureLike
from scoring.model.recent import Recent
from scoring.model.scores import Scores, to_score
from scoring.model.train import train

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

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
LEAST, MOST = 0.88, 0.93
"""share of leads whose true chance should lie in the range that is released"""


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", "4"))
    found = [measure(seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
    rows = []
    for name in found[0]:
        each = [one[name] for one in found]
        still = name == "still: recalibrated less alone"
        turned = name == "turned: recalibrated less alone"
        released = name.endswith("true chance inside, recalibrated")
        mean = float(np.mean(each))
        met = mean <= HARM if still else mean < 0 if turned else within(mean) if released else None
        bar = f"≤ {HARM}" if still else "< 0" if turned else f"{LEAST} to {MOST}" if released else None
        rows.append(Row(name, mean, bar, met, ", ".join(f"{x:+.4f}" for x in each)))
    return rows


def within(covered: float) -> bool:
    return LEAST <= covered <= MOST


@dataclass(frozen=True)
class History:
    """A world's leads in order of time, each as it was when first scored. Times in days since the first."""

    world: World
    settings: Settings
    first: datetime
    points: list[tuple[str, datetime]]
    at: Floats
    rows: pa.Table
    waits: Floats
    """until the deal is won, infinite where none is within the horizon"""
    true: Floats
    """the chance of being won if somebody works the lead"""
    groups: Names
    told: pa.Table
    """the truth's own columns, as far as the record shows them"""

    def turned(self, when: float, seed: int) -> History:
        """The same with half of the wins failing from the day `when` on."""
        later = self.at >= when
        fails = later & (np.random.default_rng(seed).random(len(self.at)) < FAIL)
        return replace(
            self,
            waits=np.where(fails, np.inf, self.waits),
            true=np.where(later, (1 - FAIL) * self.true, self.true),
        )

    def ripe(self, now: float) -> Bools:
        return self.at + HORIZON <= now

    def model(self, now: float) -> Model:
        """Trained on that day on the leads whose time is up."""
        return self._trained(self.rows, features_of(self.settings), now)

    def oracle(self, now: float) -> Model:
        """The same model, trained alike on the truth's own columns."""
        return self._trained(self.told, told.features(self.told), now)

    def _trained(self, rows: pa.Table, features: Sequence[FeatureLike], now: float) -> Model:
        ripe, won = self.ripe(now), np.isfinite(self.waits).astype(float)
        return train(
            rows.filter(pa.array(ripe)), won[ripe], features=features, groups=self.groups[ripe],
            weight=self.weights(ripe, now, won),
        )  # fmt: skip

    def lately(self, trained: float, now: float) -> Lately:
        """What is known by `now` of the leads that a model trained on the day `trained` did not learn from."""
        ripe = self.ripe(trained)
        known = (self.at + self.waits <= now).astype(float)
        share = recent.known_by(self.waits[ripe & np.isfinite(self.waits)], now - self.at)
        share[now - self.at >= HORIZON] = 1.0
        seen = ~ripe & (self.at <= now - YOUNGEST) & (share >= LEAST_KNOWN)
        day = np.floor(self.at[seen] - (trained - HORIZON)).astype(np.int64)
        return Lately(
            self.rows.filter(pa.array(seen)), day, known[seen], share[seen], self.weights(seen, now, known)
        )

    def asked(self, now: float, days: float) -> Bools:
        return (self.at > now) & (self.at <= now + days)

    def weights(self, which: Bools, now: float, known: Floats) -> Floats:
        """The product's, by who was worked."""
        some = [self.points[i] for i in np.flatnonzero(which)]
        times = worked_times(self.world, self.first + timedelta(days=now))
        found = attention.weights(
            self.settings, facts(self.settings), self.rows.filter(pa.array(which)), some, known[which],
            attention.was_worked(some, times), self.groups[which], {},
        )  # fmt: skip
        return np.ones(len(some)) if found is None else found

    def start(self, model: Model, trained: float) -> Recent:
        """Where the recalibration begins: with the first lead that the model did not learn from."""
        return model.begin((self.first + timedelta(days=trained - HORIZON)).timestamp())


@dataclass(frozen=True)
class Lately:
    """Leads that recalibrate a model: their rows, the whole days since the first of them, whether they are known to be won,
    the share of wins that would be known, and how many leads each counts as."""

    rows: pa.Table
    day: npt.NDArray[np.int64]
    known: Floats
    share: Floats
    weight: Floats


def history(seed: int, scenario: str = SCENARIO, leads: int = LEADS, months: int = MONTHS) -> History:
    settings = play_settings()
    world, truth = generate(leads, months, seed, scenario=read_scenario(scenario))
    first = min(truth.scored_at.values())
    people = sorted(
        (p for p in world.people if truth.scored_at[p.key] <= world.now), key=lambda p: truth.scored_at[p.key]
    )
    points = [(p.key, truth.scored_at[p.key]) for p in people]
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
    waits = np.array([_days(when, truth.wins[key]) if key in truth.wins else np.inf for key, when in points])
    waits[waits > HORIZON] = np.inf
    return History(
        world, settings, first, points, np.array([_days(first, when) for _, when in points]), rows, waits,
        np.array([truth.reached[key] for key, _ in points]),
        np.array([p.account or company_domain(p.email or "") or p.key for p in people], dtype=str),
        told.table(world, people, truth),
    )  # fmt: skip


def measure(seed: int) -> dict[str, float]:
    still = history(seed)
    now = TRAINED + LATER
    out: dict[str, float] = {}
    for name, case in {"still": still, "turned": still.turned(TRAINED - TURN, seed)}.items():
        model, lately, test = case.model(TRAINED), case.lately(TRAINED, now), case.asked(now, ASKED)
        rows, chance = case.rows.filter(pa.array(test)), case.true[test]
        said, alone = model.logit(lately.rows), model.logit(rows)
        ones = np.ones(len(said))
        ways = {
            "recalibrated": (lately.share, lately.weight),
            "taking what is not yet won for lost": (ones, lately.weight),
            "recalibrated, unworked leads counting fully": (lately.share, ones),
        }
        loss = _log_loss(alone, chance)
        out |= {
            f"{name}: log loss, model alone": loss,
            f"{name}: leads asked about": float(test.sum()),
            f"{name}: leads learnt from": float(len(said)),
        }
        for way, (share, counts) in ways.items():
            state = recent.lived(
                case.start(model, TRAINED),
                lately.day,
                said,
                lately.known,
                share,
                counts,
                int(LATER + HORIZON),
            )
            moved, variance = state.applied(alone)
            out[f"{name}: {way} less alone"] = _log_loss(moved, chance) - loss
            if way == "recalibrated":
                out[f"{name}: offset of a typical lead, logits"] = float(state.line[0][0])
                out[f"{name}: deviation added, logits"] = float(np.sqrt(variance.mean()))
                for kind, scores in {
                    "recalibrated": model.score(rows, state),
                    "alone": model.score(rows),
                }.items():
                    out[f"{name}: true chance inside, {kind}"] = float(inside(scores, model, chance).mean())
                    out[f"{name}: mean width, {kind}"] = float((scores.high - scores.low).mean())
    return out


def inside(scores: Scores, model: Model, chance: Floats) -> Bools:
    """Whether each range holds the true chance."""
    truth = to_score(np.log(chance / (1 - chance)) - log_odds(model.base_rate))
    out: Bools = (scores.low <= truth) & (truth <= scores.high)
    return out


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=1)


def _log_loss(logit: Floats, true: Floats) -> float:
    p = np.clip(sigmoid(logit), 1e-6, 1 - 1e-6)
    return float(-(true * np.log(p) + (1 - true) * np.log(1 - p)).mean())
