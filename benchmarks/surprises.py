"""Do surprises and form answers make a model better, by a weight of their own? (S4.5)

    CANDOR_BENCH_SEEDS=20 CANDOR_BENCH_FIRST_SEED=1 python -m benchmarks surprises

The worlds, people and edge cases of `feedback`. A surprise is an outcome that went strongly otherwise than promised: above 80 and
lost, or below 40 and won, by a model that hadn't seen the lead's company. Models are fitted with surprises at several weights.
Beside the words of `feedback`, forms are asked as the product asks them (every override, some low-scored leads that meet, some
high-scored ones that go silent) and answered by the playground's own reps; the mean place of their answers, from the strongest
sign of a buyer to the weakest, is heard as an override, a tag or a review would be. No bar: the gain in edge-case skill says what
each is worth, 0 being outcomes (words) as they are.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.feedback import (
    HORIZON,
    REPS,
    SEEDS,
    SPOKEN,
    Setting,
    careless,
    chances,
    expected_loss,
    fitted,
    mean_row,
    outcome_of,
    said,
    setting,
)
from benchmarks.row import Row
from connector.demo.halfyear.known import play_settings
from connector.demo.halfyear.people import People
from connector.jobs.fields import features_of
from crm_schema.choices import QUESTIONS
from scoring.model.additive import log_odds
from scoring.model.said import OVERRIDE, REVIEW, TAG, Said, lessons
from scoring.model.scores import to_score
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy

Floats = npt.NDArray[np.float64]

WEIGHTS = (0.5, 0.8, 1.25, 2.0, 4.0)
HIGH, LOW = 80, 40
MEETS, SILENT = 0.5, 0.4
"""shares: of low-scored leads, times their chance, that meet somebody; of high-scored ones that go silent"""
UNLIKELY, LIKELY = 33, 60
"""mean answers (100: the strongest sign) between which a review would say neither"""


def judge(seed: int) -> dict[str, float]:
    s = setting(seed)
    o, policy = s.org, Policy()
    rows, true = s.org.rows.filter(pa.array(s.judged)), s.chance[s.judged]
    plain = fitted(o, s.won, s.known)
    base = float(expected_loss(true, np.full(len(true), plain.base_rate)).sum())

    def loss(d: Draft) -> float:
        return float(expected_loss(true, chances(d, rows)).sum())

    promised = _promised(s, seed)
    surprise = np.where(s.won > 0.5, promised < LOW, promised > HIGH)
    found = {"surprises among the outcomes": float(surprise[s.known].mean())}
    without = loss(plain)
    for weight in WEIGHTS:
        way = _weighed(s, np.where(surprise, weight, 1.0))
        found[f"a surprise counts {weight:g} times"] = (without - loss(way)) / base
    people, forms = said(s, policy), _forms(s, seed)

    def told(words: Said) -> float:
        heard = lessons(plain.design, plain.trained.point, words, plain.base_rate)
        return loss(replace(plain, lessons=heard))

    usual = told(people)
    found["forms"] = float(len(forms))
    for kind in (OVERRIDE, TAG, REVIEW):
        found[f"forms heard as {kind}s"] = (usual - told(_joined(s, people, forms, kind))) / base
    return found


def _promised(s: Setting, seed: int) -> Floats:
    """The score of each lead by a model fitted on the other half of the companies."""
    _, company = np.unique(s.org.groups, return_inverse=True)
    half = (np.random.default_rng(seed).random(int(company.max()) + 1) < 0.5)[company]
    out = np.zeros(len(half))
    for side in (half, ~half):
        model = fitted(s.org, s.won, s.known & side)
        out[~side] = _score(model, s.org.rows.filter(pa.array(~side)))
    return out


def _score(model: Draft, rows: pa.Table) -> Floats:
    p = chances(model, rows)
    return to_score(np.log(p / (1 - p)) - log_odds(model.base_rate))


def _weighed(s: Setting, weight: Floats) -> Draft:
    lines = np.flatnonzero(s.known)
    return draft(
        s.org.rows.take(pa.array(lines)), s.won[lines], features=features_of(play_settings()), groups=s.org.groups[lines],
        weight=weight[lines],
    )  # fmt: skip


Form = tuple[int, str, float, float]
"""row of the lead, who answered, mean place of the answers (0 to 100), the score shown"""


def _forms(s: Setting, seed: int) -> list[Form]:
    """While people speak: what the forms that are due were answered with."""
    o, random = s.org, np.random.default_rng(seed)
    then = s.now - SPOKEN
    score = _score(fitted(o, s.won, o.at + HORIZON <= then), o.rows)
    overridden = {event["lead_id"] for event in s.events if event["kind"] == OVERRIDE}
    out: list[Form] = []
    for i in np.flatnonzero((o.at > then) & (o.at <= s.now)):
        key = o.keys[i]
        meets = score[i] < LOW and random.random() < s.chance[i] * MEETS
        silent = score[i] > HIGH and random.random() < SILENT
        if not (key in overridden or meets or silent):
            continue
        rep = sum(key.encode()) % REPS
        answers = People(o.truth, o.persons, seed * 1000, careless(rep)).form(key, float(score[i]))
        places = [_place(name, value) for name, value in answers.items()]
        if places:
            out.append((int(i), f"rep {rep}", float(np.mean(places)), float(score[i])))
    return out


def _place(name: str, value: Any) -> float:
    """100: the strongest sign of a buyer."""
    options = [choice.value for choice in QUESTIONS[int(name.rpartition("_")[2]) - 1][2]]
    return 100 * (1 - options.index(value) / (len(options) - 1))


def _joined(s: Setting, people: Said, forms: list[Form], kind: str) -> Said:
    if not forms:
        return people
    at = np.array([form[0] for form in forms])
    place, shown = np.array([form[2] for form in forms]), np.array([form[3] for form in forms])
    says = {
        OVERRIDE: place, TAG: np.sign(place - shown), REVIEW: np.digitize(place, [UNLIKELY, LIKELY]).astype(float),
    }[kind]  # fmt: skip
    rows = s.org.rows.take(pa.array(at)).select(people.rows.column_names)
    return Said(
        pa.concat_tables([people.rows, rows]),
        np.concatenate([people.kind, np.full(len(at), kind)]),
        np.concatenate([people.says, says]),
        np.concatenate([people.by, [form[1] for form in forms]]),
        np.concatenate([people.shown, shown]),
        np.concatenate([people.outcome, [outcome_of(s, s.org.keys[i]) for i in at]]),
        np.concatenate([people.learnt, s.known[at]]),
    )


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", str(SEEDS)))
    first = int(os.environ.get("CANDOR_BENCH_FIRST_SEED", "1"))
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + seeds):
        for name, value in judge(seed).items():
            found[name].append(value)
    return [mean_row(name, each) for name, each in found.items()]
