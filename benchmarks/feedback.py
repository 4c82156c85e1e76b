"""Do people's words make Candor better, and do careless people make it worse? (S4.5)

    CANDOR_BENCH_SEEDS=20 CANDOR_BENCH_CACHE=/tmp python -m benchmarks feedback

Each seed is a generated world of its own. A model is trained; for 90 days ten reps and four reviewers, every second of them
careless, speak of the leads that come: 200 reviews of edge cases, and tags and overrides on the half of the leads with the
highest scores. Then two models are trained on the outcomes known by then, with what people said and without, and judged on the
edge cases (by the first model) of the next 90 days: expected log loss under the true chances, and the winners among the
leads with the highest scores, as many for both. What people know of a lead is its true chance through a mist of 18 points of
score (reviewers 10), as the world's author says, not an org. Of the careless half are lazy: nine times in ten they
say what pleases the score; the others are off by 60 points.
Intervals: over seeds, and within a seed over companies drawn anew.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hashlib
import pickle
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings, tables
from connector.demo.halfyear.people import People
from connector.jobs import voices
from connector.jobs.fields import facts, features_of
from connector.playground.world.generate import generate
from connector.playground.world.model import Person, Truth
from connector.playground.world.scenario import Reps
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.model.additive import sigmoid
from scoring.model.said import Said
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy

Floats = npt.NDArray[np.float64]

LEADS, MONTHS = 4000, 24
DAY = 86_400.0
SPOKEN = JUDGED = 90 * DAY
"""people speak for so long; then a model is trained, and judged on the leads that come after"""
HORIZON = 180 * DAY
REVIEWS, REPS, REVIEWERS, LOOKS = 200, 10, 4, 3
WORKED = 0.5
"""share of a week's leads, by score, that reps get to while people speak"""
REACHED = 0.3
"""share of the judged edge cases that the rep hours are enough for"""
CAREFUL, LAZY, NOISY = Reps(), Reps(honesty=0.1), Reps(noise=60, reviewer_noise=60)
DRAWS = 1000
NOISE = 0.975
"""A seed is down by more than noise where so large a share of draws is"""


@dataclass(frozen=True)
class Org:
    """A world at hand-over: a row a lead, as of its first scoring, in order of time."""

    rows: pa.Table
    at: npt.NDArray[np.float64]
    """seconds"""
    groups: npt.NDArray[Any]
    now: datetime
    truth: Truth
    persons: dict[str, Person]
    ended: dict[str, datetime]
    """when a lead that wasn't won was given up: disqualified, or its deal lost"""

    @property
    def keys(self) -> list[str]:
        found: list[str] = self.rows["lead_id"].to_pylist()
        return found


def org(seed: int) -> Org:
    """The world of a seed, from the cache where it is there."""
    folder = Path(os.environ.get("CANDOR_BENCH_CACHE", tempfile.gettempdir()))
    file = folder / f"feedback-{LEADS}-{MONTHS}-{seed}-{_code()}.pickle"
    if file.exists():
        found: Org = pickle.loads(file.read_bytes())
        return found
    made = _made(seed)
    file.write_bytes(pickle.dumps(made))
    return made


def _made(seed: int) -> Org:
    settings = play_settings()
    world, truth = generate(LEADS, MONTHS, seed)
    people = sorted(world.people, key=lambda p: truth.scored_at[p.key])
    people = [p for p in people if truth.scored_at[p.key] <= world.now]
    at = [truth.scored_at[p.key] for p in people]
    asked = pa.table({"lead_id": [p.key for p in people], "as_of": pa.array(at, pa.timestamp("us", "UTC"))})
    rows = build(connect(), Inputs(asked, *tables(world, truth, settings, world.now)), facts(settings))
    truth.ahead.clear()
    return Org(
        rows, np.array([x.timestamp() for x in at]),
        np.array([p.account or company_domain(p.email or "") or p.key for p in people], dtype=str),
        world.now, truth, {p.key: p for p in people},
        {c.key: c.at for c in world.changes if c.field == "status" and c.new == "disqualified"} | dict(truth.losses),
    )  # fmt: skip


def careless(person: int) -> Reps:
    """Every second person is, by turns lazy and noisy."""
    return CAREFUL if person % 2 == 0 else (LAZY, NOISY)[person // 2 % 2]


@dataclass(frozen=True)
class Setting:
    """An org when people have spoken: masks of its rows, and what was said."""

    org: Org
    chance: Floats
    won: Floats
    known: npt.NDArray[np.bool_]
    judged: npt.NDArray[np.bool_]
    """edge cases of the time that follows"""
    events: list[dict[str, Any]]
    now: float


def setting(seed: int, reviews: int = REVIEWS, team: Any = careless) -> Setting:
    o = org(seed)
    keys, truth, now = o.keys, o.truth, o.now.timestamp() - JUDGED
    begin = now - SPOKEN
    chance = np.array([truth.reached[key] for key in keys])
    win = np.array([truth.wins[key].timestamp() if key in truth.wins else np.inf for key in keys])
    won = (win <= o.at + HORIZON).astype(float)
    first = fitted(o, won, o.at + HORIZON <= begin).finish().score(o.rows)
    edge = (first.confidence < 70) | np.array([bool(flags) for flags in first.flags])
    heard = (o.at > begin) & (o.at <= now)
    events = spoken(o, seed, np.flatnonzero(heard), np.flatnonzero(heard & edge), first.score, reviews, team)
    return Setting(o, chance, won, o.at + HORIZON <= now, (o.at > now) & edge, events, now)


def spoken(
    o: Org, seed: int, leads: Any, edge: Any, score: Floats, reviews: int, team: Any
) -> list[dict[str, Any]]:
    """As harvest keeps it: kind, lead, time, what was said and by whom, the score at that time."""
    keys, random, found = o.keys, np.random.default_rng(seed), []

    def add(i: int, by: str, event: dict[str, Any]) -> None:
        found.append({**event, "value": {**event["value"], "by": by}, "score": float(score[i])})

    for n, i in enumerate(sorted(random.permutation(edge)[:reviews])):
        one = n % REVIEWERS
        people = People(o.truth, o.persons, seed * 1000, team(one))
        add(i, f"reviewer {one}", people.review(keys[i], float(score[i]), _at(o, i)))
    for week in np.unique((o.at[leads] // (7 * DAY)).astype(int)):
        new = leads[(o.at[leads] // (7 * DAY)).astype(int) == week]
        for i in new[np.argsort(-score[new], kind="stable")][: int(np.ceil(len(new) * WORKED))]:
            one = sum(keys[i].encode()) % REPS
            for look in range(LOOKS):
                people = People(o.truth, o.persons, seed * 1000 + look, team(one))
                for event in people.work(keys[i], float(score[i]), _at(o, i)):
                    add(i, f"rep {one}", event)
    return found


def said(s: Setting, policy: Policy) -> Said:
    """What the product makes of the events, with the outcomes that are known when it is trained."""
    place = {key: i for i, key in enumerate(s.org.keys)}
    words = voices.words(s.events, policy.models)
    rows = s.org.rows.take(pa.array([place[w.lead_id] for w in words], pa.int64()))
    return voices.said(words, rows, [_known(s, w.lead_id) for w in words])


def _known(s: Setting, lead: str) -> float:
    won, lost = s.org.truth.wins.get(lead), s.org.ended.get(lead)
    if won is not None and won.timestamp() <= s.now:
        return 1.0
    return 0.0 if lost is not None and lost.timestamp() <= s.now else np.nan


def fitted(o: Org, won: Floats, rows: Any, people: Said | None = None) -> Draft:
    lines = np.flatnonzero(rows)
    return draft(
        o.rows.take(pa.array(lines)), won[lines], features=features_of(play_settings()), groups=o.groups[lines], said=people
    )  # fmt: skip


def logit(d: Draft, point: Any, rows: pa.Table) -> Floats:
    encoded = d.design.encode(rows)
    found: Floats = point.logit(d.design, encoded, d.design.additive(encoded))
    return found


def _at(o: Org, i: int) -> datetime:
    return o.truth.scored_at[o.keys[i]]


def _code() -> str:
    root, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for folder in ("connector/playground/world", "scoring/features"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
