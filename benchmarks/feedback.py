"""Do people's words make Candor better, and do careless people make it worse? (S4.5)

    CANDOR_BENCH_SEEDS=20 CANDOR_BENCH_FIRST_SEED=1 python -m benchmarks feedback

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
import sys
from dataclasses import dataclass, replace
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
from scoring.model.said import REVIEW, TAG, Author, Said, lessons
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy

Floats = npt.NDArray[np.float64]

LEADS, MONTHS = 4000, 24
DAY = 86_400.0
SPOKEN = JUDGED = 90 * DAY
"""people speak for so long; then a model is trained, and judged on the leads that come after"""
HORIZON = 180 * DAY
SEEDS = 20
REVIEWS, REPS, REVIEWERS, LOOKS = 200, 10, 4, 3
EDGE_REVIEWS = 300
"""from which a model of edge cases alone may compete (S4.5)"""
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
    """The world of a seed, from the folder CANDOR_BENCH_CACHE where one is named and it is there."""
    folder = os.environ.get("CANDOR_BENCH_CACHE")
    if folder is None:
        return _made(seed)
    file = Path(folder) / f"feedback-{LEADS}-{MONTHS}-{seed}-{_code()}.pickle"
    if file.exists():
        found: Org = pickle.loads(file.read_bytes())
        return found
    found = _made(seed)
    file.write_bytes(pickle.dumps(found))
    return found


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
    """by the end of the days in which people speak"""
    edge: npt.NDArray[np.bool_]
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
    return Setting(o, chance, won, o.at + HORIZON <= now, edge, (o.at > now) & edge, events, now)


def spoken(
    o: Org, seed: int, leads: Any, edge: Any, score: Floats, reviews: int, team: Any
) -> list[dict[str, Any]]:
    """As harvest keeps it: kind, lead, time, what was said and by whom, the score at that time."""
    keys, random, found = o.keys, np.random.default_rng(seed), []

    def add(i: int, by: str, event: dict[str, Any]) -> None:
        found.append({**event, "by": by})

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
    learnt = [bool(s.known[place[w.lead_id]]) for w in words]
    return voices.said(words, rows, [outcome_of(s, w.lead_id) for w in words], learnt)


def outcome_of(s: Setting, lead: str) -> float:
    won, lost = s.org.truth.wins.get(lead), s.org.ended.get(lead)
    if won is not None and won.timestamp() <= s.now:
        return 1.0
    return 0.0 if lost is not None and lost.timestamp() <= s.now else np.nan


def fitted(o: Org, won: Floats, rows: Any, people: Said | None = None) -> Draft:
    lines = np.flatnonzero(rows)
    return draft(
        o.rows.take(pa.array(lines)), won[lines], features=features_of(play_settings()), groups=o.groups[lines], said=people
    )  # fmt: skip


def chances(d: Draft, rows: pa.Table) -> Floats:
    encoded = d.design.encode(rows)
    return sigmoid(d.point.logit(d.design, encoded, d.design.additive(encoded)))


def as_before(s: Setting, people: Said) -> Draft:
    """The way until 0.3: each word is a lead part won, part lost, by what was said on the score's own scale, at 0.3 of an
    outcome, whoever said it."""
    says = np.array([_ONCE_SAID.get((k, v), v / 100) for k, v in zip(people.kind, people.says, strict=True)])
    base = s.won[s.known].mean()
    odds = np.clip(says, 0.02, 0.98) / (1 - np.clip(says, 0.02, 0.98)) * base / (1 - base)
    share = odds / (1 + odds)
    spoken_of = says != 0.5
    lines, n = np.flatnonzero(s.known), int(spoken_of.sum())
    names = s.org.rows.column_names
    words = people.rows.select(names).filter(pa.array(spoken_of))
    place = {key: i for i, key in enumerate(s.org.keys)}
    group = s.org.groups[[place[key] for key in words["lead_id"].to_pylist()]]
    return draft(
        pa.concat_tables([s.org.rows.take(pa.array(lines)), words, words]),
        np.concatenate([s.won[lines], np.ones(n), np.zeros(n)]),
        features=features_of(play_settings()),
        groups=np.concatenate([s.org.groups[lines], group, group]),
        weight=np.concatenate([np.ones(len(lines)), 0.6 * share[spoken_of], 0.6 * (1 - share[spoken_of])]),
        base_rate=base,
    )


_ONCE_SAID = {(REVIEW, 2.0): 0.8, (REVIEW, 1.0): 0.5, (REVIEW, 0.0): 0.1, (TAG, 1.0): 0.75, (TAG, -1.0): 0.25}


@dataclass(frozen=True)
class Judged:
    """Of one seed: what each way gains in edge-case skill over the outcomes alone; `reached`: expected winners of the leads that
    the hours are enough for, the same number for each; `down`: whether words as measured cost more than noise."""

    without: float
    perfect: float
    gain: dict[str, float]
    reached: dict[str, float]
    down: bool
    edge_model: float
    """log loss skill of a model of edge cases alone, with 300 reviews, over the universal one with them"""
    weights: dict[str, float]
    """mean weight of the reviews by careful, lazy and noisy people"""


WITHOUT, MEASURED, NAMELESS, BEFORE, CARELESS = (
    "outcomes alone", "as measured", "as measured, nobody by name", "all alike at 0.3 of an outcome", "as measured, all of them careless",
)  # fmt: skip


def judge(seed: int) -> Judged:
    policy = Policy()
    s = setting(seed)
    people = said(s, policy)
    plain = fitted(s.org, s.won, s.known)
    all_careless = said(setting(seed, team=lambda one: careless(2 * one + 1)), policy)
    measured = lessons(plain.design, plain.trained.point, people, plain.base_rate)
    nameless = replace(people, by=np.full(len(people), "", dtype=people.by.dtype))

    def told(d: Draft, words: Said) -> Draft:
        return replace(d, lessons=lessons(d.design, d.trained.point, words, d.base_rate))

    ways = {
        WITHOUT: plain, MEASURED: replace(plain, lessons=measured), NAMELESS: told(plain, nameless), BEFORE: as_before(s, people),
        CARELESS: told(plain, all_careless),
    }  # fmt: skip
    rows, true = s.org.rows.filter(pa.array(s.judged)), s.chance[s.judged]
    loss = {name: expected_loss(true, chances(d, rows)) for name, d in ways.items()}
    base = expected_loss(true, np.full(len(true), plain.base_rate))
    hours = int(REACHED * len(true))
    more = setting(seed, EDGE_REVIEWS)
    many = said(more, policy)
    universal, special = told(plain, many), fitted(s.org, s.won, s.known & s.edge, many)
    of_edge = [expected_loss(true, chances(d, rows)).sum() for d in (special, universal)]
    return Judged(
        1 - float(loss[WITHOUT].sum() / base.sum()),
        1 - float(expected_loss(true, true).sum() / base.sum()),
        {name: float((loss[WITHOUT] - each).sum() / base.sum()) for name, each in loss.items() if name != WITHOUT},
        {
            name: float(true[np.argsort(-chances(d, rows), kind="stable")[:hours]].sum())
            for name, d in ways.items()
        },
        _down(loss[MEASURED] - loss[WITHOUT], s.org.groups[s.judged]),
        1 - float(of_edge[0] / of_edge[1]),
        _weights(measured.heard.authors),
    )  # fmt: skip


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", str(SEEDS)))
    first = int(os.environ.get("CANDOR_BENCH_FIRST_SEED", "1"))
    found = []
    for seed in range(first, first + seeds):
        found.append(judge(seed))
        sys.stderr.write(f"  seed {seed}: {found[-1].gain[MEASURED]:+.4f}\n")
    rows = [
        mean_row("edge-case skill, outcomes alone", [one.without for one in found]),
        mean_row("edge-case skill of the true chances", [one.perfect for one in found]),
    ]
    for name in found[0].gain:
        each = [one.gain[name] for one in found]
        low, _ = _interval(each)
        bar = ("above 0", low > 0) if name == MEASURED else (None, None)
        rows.append(mean_row(f"gain in edge-case skill: {name}", each, *bar))
    of_room = [one.gain[MEASURED] / (one.perfect - one.without) for one in found]
    rows += [
        mean_row("of the gap to the true chances, closed", of_room),
        Row("seeds down by more than noise", sum(one.down for one in found), "0", not any(one.down for one in found)),
        mean_row("expected winners reached, outcomes alone", [one.reached[WITHOUT] for one in found]),
        *(
            mean_row(f"expected winners reached, relative: {name}", [one.reached[name] / one.reached[WITHOUT] - 1 for one in found])
            for name in found[0].gain
        ),
        *(mean_row(f"weight of a review by {who} people", [one.weights[who] for one in found]) for who in found[0].weights),
        mean_row("log loss skill of a model of edge cases alone over the universal one, 300 reviews", [one.edge_model for one in found]),
    ]  # fmt: skip
    return rows


def mean_row(name: str, each: list[float], bar: str | None = None, met: bool | None = None) -> Row:
    low, high = _interval(each)
    note = f"{low:.4f} to {high:.4f}; {min(each):.4f} at the least; above 0 on {sum(x > 0 for x in each)} of {len(each)}"
    return Row(name, float(np.mean(each)), bar, met, note)


def _interval(each: list[float]) -> tuple[float, float]:
    """of the mean over seeds, 95 %, seeds drawn anew"""
    drawn = np.random.default_rng(0).choice(each, (4000, len(each))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _down(cost: Floats, company: npt.NDArray[Any]) -> bool:
    """Whether the mean cost is above 0 in almost all draws of companies."""
    _, place = np.unique(company, return_inverse=True)
    total = np.bincount(place, weights=cost)
    drawn = np.random.default_rng(0).multinomial(len(total), np.full(len(total), 1 / len(total)), size=DRAWS)
    return bool((drawn @ total > 0).mean() >= NOISE)


def _weights(authors: tuple[Author, ...]) -> dict[str, float]:
    names = {CAREFUL: "careful", LAZY: "lazy", NOISY: "noisy"}
    found: dict[str, list[float]] = {name: [] for name in names.values()}
    for author in authors:
        who, _, number = author.name.partition(" ")
        if who == "reviewer":
            found[names[careless(int(number))]].append(author.weight)
    return {name: float(np.mean(each)) for name, each in found.items() if each}


def expected_loss(true: Floats, p: Floats) -> Floats:
    out: Floats = -(true * np.log(p) + (1 - true) * np.log(1 - p))
    return out


def _at(o: Org, i: int) -> datetime:
    return o.truth.scored_at[o.keys[i]]


def _code() -> str:
    root, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for folder in ("connector/playground/world", "scoring/features"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
