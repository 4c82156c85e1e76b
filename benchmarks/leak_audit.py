"""Does the leakage audit find what it was not told of, and nothing else? And does as-of training keep it out?

Twenty-two ways in which an org lets outcomes into its records and activities (benchmarks/planted.py) are written into
worlds of six scenarios, all at once. *Found*: a finding names the field or activity (of activities and dates, with a kind
that fits). *Named right*: with the kind that was planted. False alarms are counted on 20 clean worlds: a finding on anything
that the world's own story does not fill in later (`OF_THE_WORLD`; every scenario's winners get a contract term, everybody's
points count touches), and, harder, on the same worlds with their outcomes dealt anew, where no finding at all can be true.

As-of: one model on rows as of the first scoring, with all planted fields as facts, against the same without, and
against today's records.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import numpy as np
import pyarrow as pa

from benchmarks.interval_world import FACTS
from benchmarks.planted import PLANTS, Books, evidence, inputs, open_books
from benchmarks.row import Row
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.audit.find import leakage
from scoring.audit.leakage import Finding, Kind
from scoring.audit.screen import barred, without
from scoring.audit.separation import numbers
from scoring.features.build import build
from scoring.features.catalogue import catalogue
from scoring.features.engine import connect
from scoring.features.inputs import Fact, Inputs
from scoring.model.train import train

LEADS, MONTHS = 3000, 18
PLANTED_IN = ("first", "default", "clean", "enterprise", "messy", "new_market")
SEED = 5
CLEAN = tuple(range(101, 121))
"""seeds of the clean worlds; the scenarios take turns after the first ten, which are `clean`"""
HORIZON = timedelta(days=180)
WORLDS_OWN = frozenset({"contract_term", "points"})
HYGIENE = frozenset({
    "title", "industry", "employees", "annual_revenue", "country", "phone", "linkedin", "product_interest", "use_case", "heard_from",
})  # fmt: skip
"""filled in by reps as a deal goes well, in every scenario but `clean`"""
ONLY_BY_KIND = frozenset({Kind.ACTIVITY_AFTER, Kind.ACTIVITY_IS_OUTCOME, Kind.BACK_DATED, Kind.BEFORE_CREATION, Kind.FUTURE, Kind.BORN_CLOSED})  # fmt: skip


def run() -> list[Row]:
    return [*planted(), *clean(), *as_of()]


def books(scenario: str, seed: int) -> Books:
    return open_books(*generate(LEADS, MONTHS, seed, scenario=read_scenario(scenario)))


def plant(into: Books, seed: int) -> dict[str, tuple[str, frozenset[Kind]]]:
    """Everything at once: the plant's name -> what it is called in the books, and the kinds that name it."""
    return {
        one.__name__: (one(into, Random(f"{one.__name__}/{seed}")), kinds) for one, kinds in PLANTS.items()
    }


def planted() -> list[Row]:
    found, named, rows = [], [], []
    for scenario in PLANTED_IN:
        made = books(scenario, SEED)
        told = plant(made, SEED)
        by_name: dict[str, set[Kind]] = {}
        for finding in leakage(evidence(made)).findings:
            by_name.setdefault(finding.what, set()).add(finding.kind)
        right = {n: bool(by_name.get(what, set()) & kinds) for n, (what, kinds) in told.items()}
        seen = {
            n: right[n] if kinds <= ONLY_BY_KIND else what in by_name for n, (what, kinds) in told.items()
        }
        found.append(np.mean([*seen.values()]))
        named.append(np.mean([*right.values()]))
        missed = ", ".join(n for n, ok in seen.items() if not ok)
        wrong = ", ".join(n for n, ok in right.items() if not ok)
        rows.append(Row(f"{scenario}: planted kinds found", float(found[-1] * len(told)), f"{len(told)}", bool(found[-1] == 1), missed or (wrong and f"named otherwise: {wrong}")))  # fmt: skip
    return [*rows, Row("share named by the kind that was planted", float(np.mean(named)))]


def clean() -> list[Row]:
    with_alarm, dealt, true_ones = 0, 0, 0
    notes: list[str] = []
    others = [name for name in PLANTED_IN if name != "clean"]
    for i, seed in enumerate(CLEAN):
        scenario = "clean" if i < 10 else others[i % len(others)]
        made = books(scenario, seed)
        findings = leakage(evidence(made)).findings
        false = [f for f in findings if not _of_the_world(f, scenario)]
        true_ones += len(findings) - len(false)
        with_alarm += bool(false)
        notes += [f"{scenario} {seed}: {f.what} {f.kind}" for f in false]
        keys = list(made.ends)
        won = [made.ends[key].won for key in keys]
        Random(seed).shuffle(won)
        for key, outcome in zip(keys, won, strict=True):
            made.ends[key].won = outcome
        again = leakage(evidence(made)).findings
        dealt += bool(again)
        notes += [f"dealt anew {scenario} {seed}: {f.what} {f.kind}" for f in again]
    return [
        Row("clean worlds with a false alarm, of 20", with_alarm, "≤ 1", with_alarm <= 1, "; ".join(notes)),
        Row("the same with outcomes dealt anew, any finding, of 20", dealt, "≤ 1", dealt <= 1),
        Row("true findings a clean world (its own late fields, counts over a life)", true_ones / len(CLEAN)),
    ]


def _of_the_world(finding: Finding, scenario: str) -> bool:
    """Whether the world's story makes it so: what is done after the first scoring follows the outcome."""
    if finding.kind is Kind.GROWS and (finding.what in ("activities", "days with activities", "people who acted") or finding.what.startswith("activity ")):  # fmt: skip
        return True
    if finding.kind is Kind.ACTIVITY_AFTER:
        return True  # visits of the disqualified go on; a won deal ends the world's visits
    return finding.what in WORLDS_OWN or (scenario != "clean" and finding.what in HYGIENE)


def as_of(scenario: str = "first") -> list[Row]:
    made = books(scenario, SEED)
    plain = books(scenario, SEED)
    told = plant(made, SEED)
    names = [what for what, _ in told.values() if what in made.today]
    kinds = {n: _type(made, n) for n in names}
    extra = [Fact(n, "number" if kinds[n] else "category", n) for n in names]
    audit = leakage(evidence(made))
    bar = barred(audit)
    points, won = _points(plain)
    without_plants = _rows(inputs(plain, points, list(FACTS)), FACTS)
    with_plants = inputs(made, points, [*FACTS, *extra])
    screened = Inputs(
        with_plants.points, with_plants.leads, with_plants.changes, without(with_plants.activities, bar.activities)
    )  # fmt: skip
    kept = [f for f in (*FACTS, *extra) if f.name not in bar.fields]
    facts = [*FACTS, *extra]
    honest = _auc(without_plants, won, FACTS, points)
    planted_as_of = _auc(_rows(screened, kept), won, kept, points)
    today = _auc(_rows(inputs(made, points, facts, today=True), facts), won, facts, points)
    known = _rows(screened, kept)
    filled = max(
        1 - known[f"fact_{n}"].null_count / known.num_rows
        for n in names
        if f"fact_{n}" in known.column_names and n not in ("relation", "account_team", "is_client", "likelihood", "mobile")
    )  # fmt: skip
    return [
        Row("as-of AUC without any plant", honest),
        Row("as-of AUC with all planted", planted_as_of, "within 0.02", bool(abs(planted_as_of - honest) <= 0.02),
            f"activities left out by the gate: {', '.join(sorted(bar.activities)) or 'none'}; fields: {', '.join(sorted(bar.fields)) or 'none'}"),
        Row("AUC on today's records with all planted", today, note="what a table of today's records would boast"),
        Row("largest share of as-of rows on which a planted late field is known", filled),
    ]  # fmt: skip


def _points(made: Books) -> tuple[list[tuple[str, datetime]], np.ndarray]:
    """Leads still open at their first scoring whose outcome within the horizon is known."""
    points, won = [], []
    for lead, at in made.scored.items():
        end = made.ends.get(lead)
        if at + HORIZON <= made.now and (end is None or end.at > at):
            points.append((lead, at))
            won.append(float(end is not None and end.won and end.at <= at + HORIZON))
    return points, np.array(won)


def _rows(given: Inputs, facts: Sequence[Fact]) -> pa.Table:
    engine = connect()
    try:
        return build(engine, given, facts)
    finally:
        engine.disconnect()


def _auc(
    rows: pa.Table, won: np.ndarray, facts: Sequence[Fact], points: Sequence[tuple[str, datetime]]
) -> float:
    model = train(rows, won, features=catalogue(facts), groups=[lead for lead, _ in points], seed=0)
    return float(model.card["metrics"]["auc"])


def _type(made: Books, name: str) -> bool:
    values = np.array(
        [*(None if v is None else str(v) for v in made.today[name].values()), None], dtype=object
    )
    return numbers(values[:-1]) is not None
