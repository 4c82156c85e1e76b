"""Does the default world bite? What two simple models promise there, and what they keep; each pathology off beside it.

*Usual practice* is scoring/model/baseline.py: today's records, closed-won against closed-lost deals, firmographics.
The *naive model* is the same regression on all earlier leads, won or not. Both learn from the earlier 70 % of leads as
their records look at handover, blanks and late entries included. Both are asked twice: about a third of the
closed deals that they hold back, as a team tests its model (`promised`), and about the later 30 % of all leads, as
their records stood when they were first scored (`kept`).

*Exceptions* are leads whose outcome a pathology explains (world/pathologies.py): no standard lead, no merely incomplete
one, no committee as it should be. Skill is log loss against saying the base
rate, after the model's base rate is set right, so only its ranking and its daring count. *Missed*: of the winners, the
share outside the fifth of leads that score highest; `perfect knowledge` sends as many by the true chances.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.as_of import as_of, edits
from benchmarks.row import Row
from connector.playground.world.generate import generate
from connector.playground.world.model import Truth, World
from connector.playground.world.scenario import PATHOLOGIES, Scenario
from connector.playground.world.scenario_file import read_scenario
from scoring.metrics.scores import auc, log_loss
from scoring.model.baseline import UsualPractice, train_usual_practice

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEADS, MONTHS, SEEDS = 6000, 24, (1, 2, 3)
EARLIER, TO_PEOPLE = 0.7, 0.2
NUMBERS = ("employees", "annual_revenue")
CATEGORIES = (
    "title",
    "industry",
    "country",
    "source",
    "product_interest",
    "use_case",
    "heard_from",
    "hand_raiser",
)
ORDINARY = ("standard", "incomplete", "committee")
ONLY_FILLED = ("phone", "linkedin")
"""of these nobody reads the value, but whether there is one"""


@dataclass(frozen=True)
class Firmographic:
    name: str
    type: str
    family: str = "firmographic"
    unit: str = ""
    role: str = "model"

    @property
    def label(self) -> str:
        return self.name


FEATURES = (
    *(Firmographic(name, "number") for name in NUMBERS),
    *(Firmographic(name, "category") for name in (*CATEGORIES, *ONLY_FILLED)),
)


@dataclass(frozen=True)
class Case:
    """Leads in order of their first scoring; records as they look today and as they looked then."""

    today: pa.Table
    then: pa.Table
    won: Bools
    """within the horizon, known to the truth alone for late leads"""
    won_today: Bools
    closed: Bools
    """has a deal that was won or lost by today"""
    true: Floats
    cause: npt.NDArray[np.str_]
    amount: Floats
    """of the deal, 0 where there is none"""

    @property
    def cut(self) -> int:
        return int(EARLIER * len(self.won))


def case(scenario: Scenario, seed: int, leads: int = LEADS) -> Case:
    world, truth = generate(leads, MONTHS, seed, scenario=scenario)
    return built(world, truth)


def built(world: World, truth: Truth) -> Case:
    people = sorted(world.people, key=lambda person: (truth.scored_at[person.key], person.key))
    keys = [person.key for person in people]
    names = (*NUMBERS, *CATEGORIES, *ONLY_FILLED)
    changes = edits(world)
    today = [{name: person.fields.get(name) for name in names} for person in people]
    then = [
        {
            name: as_of(value, changes.get((key, name), ()), truth.scored_at[key])
            for name, value in now.items()
        }
        for key, now in zip(keys, today, strict=True)
    ]
    won_today = [key in truth.wins and truth.wins[key] <= world.now for key in keys]
    lost = [key in truth.losses and truth.losses[key] <= world.now for key in keys]
    return Case(
        _table(today), _table(then), np.array([key in truth.wins for key in keys]), np.array(won_today),
        np.array(won_today) | np.array(lost), np.array([truth.probability[key] for key in keys]),
        np.array([truth.cause[key] for key in keys]), np.array([truth.amounts.get(key, 0.0) for key in keys]),
    )  # fmt: skip


def measure(of: Case) -> dict[str, float]:
    """Every figure of one world."""
    early = np.arange(len(of.won)) < of.cut
    late = of.then.slice(of.cut)
    won, true, amount = of.won[of.cut :], of.true[of.cut :], of.amount[of.cut :]
    odd = ~np.isin(of.cause[of.cut :], ORDINARY)
    base = float(of.won_today[early].mean())
    found: dict[str, float] = {}
    for name, used in (("usual practice", early & of.closed), ("naive model", early)):
        rows = np.flatnonzero(used)
        held = rows % 3 == 0
        model, trial = _fit(of, rows), _fit(of, rows[~held])
        tested = rows[held & of.closed[rows]]
        promised = trial.score(of.today.take(pa.array(tested))).probability
        found[f"{name}: AUC promised"] = _auc(of.won_today[tested], promised)
        if name == "usual practice":
            found[f"{name}: accuracy promised"] = float(np.mean((promised >= 0.5) == of.won_today[tested]))
        score = model.score(late).score
        p = _at_rate(model.score(late).probability, model.base_rate, base)
        found[f"{name}: AUC kept"] = _auc(won, score)
        found[f"{name}: exceptions' AUC"] = _auc(won[odd], score[odd])
        found[f"{name}: exceptions' skill"] = _skill(won[odd], p[odd], base)
        found[f"{name}: winners missed"] = _missed(won, score)
        found[f"{name}: revenue missed"] = _missed(won * amount, score)
        found[f"{name}: exceptional winners missed"] = _missed(won & odd, score)
    found["perfect knowledge: AUC"] = _auc(won, true)
    found["perfect knowledge: exceptions' skill"] = _skill(won[odd], true[odd], base)
    found["perfect knowledge: winners missed"] = _missed(won, true)
    found["perfect knowledge: revenue missed"] = _missed(won * amount, true)
    found["exceptions' share of leads"] = float(odd.mean())
    found["exceptions' share of winners"] = float(odd[won].mean())
    found["exceptions' share of revenue"] = float(amount[odd & won].sum() / amount[won].sum())
    return found


def variants(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    yield scenario.name, scenario
    for name in PATHOLOGIES:
        yield f"without {name}", scenario.without(name)
    yield "clean", read_scenario("clean")


def table(scenario: Scenario, seeds: tuple[int, ...] = SEEDS) -> dict[str, dict[str, tuple[float, float]]]:
    """variant -> figure -> (mean over the seeds, its standard error)."""
    found = {}
    for name, variant in variants(scenario):
        each = [measure(case(variant, seed)) for seed in seeds]
        found[name] = {key: _mean([one[key] for one in each]) for key in each[0]}
    return found


def run() -> list[Row]:
    found = table(Scenario())
    whole = found["default"]
    rows = []
    for name, figures in found.items():
        for key, (mean, error) in figures.items():
            if np.isnan(mean):
                continue
            note = f"± {error:.3f}"
            if name != "default":
                note += f"; {mean - whole[key][0]:+.3f} against the default world"
            rows.append(Row(f"{name}, {key}", mean, note=note))
    promised, kept = whole["usual practice: AUC promised"][0], whole["usual practice: AUC kept"][0]
    skill, missed = (
        whole["usual practice: exceptions' skill"][0],
        whole["usual practice: exceptional winners missed"][0],
    )
    return [
        Row("usual practice promises (AUC)", promised, note="on closed deals that it held back"),
        Row("and keeps less by", promised - kept, "≥ 0.10", promised - kept >= 0.10, "on all later leads"),
        Row("its skill on exceptions", skill, "≤ 0", skill <= 0, "no better than saying the base rate"),
        Row("exceptional winners that it misses", missed, "≥ 0.5", missed >= 0.5, "a fifth of leads goes to people"),
        *rows,
    ]  # fmt: skip


def _fit(of: Case, rows: npt.NDArray[np.int64]) -> UsualPractice:
    return train_usual_practice(of.today.take(pa.array(rows)), of.won_today[rows], features=FEATURES)


def _at_rate(p: Floats, had: float, base: float) -> Floats:
    """Probabilities moved from the base rate they were learned at to another one (a shift of the log odds)."""
    odds = p / (1 - p) * (base / (1 - base)) / (had / (1 - had))
    out: Floats = odds / (1 + odds)
    return out


def _auc(won: Bools, score: Floats) -> float:
    found = auc(won, score)
    return float("nan") if found is None else found


def _skill(won: Bools, p: Floats, base: float) -> float:
    if not len(won):
        return float("nan")
    mine, plain = log_loss(won, p), log_loss(won, np.full(len(won), base))
    return float("nan") if mine is None or not plain else 1 - mine / plain


def _missed(worth: npt.NDArray[Any], score: Floats) -> float:
    """Share of `worth` (winners, or their revenue) outside the fifth that scores highest."""
    sent = np.zeros(len(score), bool)
    sent[np.argsort(-score, kind="stable")[: round(TO_PEOPLE * len(score))]] = True
    return float(worth[~sent].sum() / worth.sum()) if worth.any() else float("nan")


def _mean(values: list[float]) -> tuple[float, float]:
    """nan where a world has none of the kind."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return float(np.mean(values)), error


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    def text(name: str, value: Any) -> str | None:
        return None if value is None else "filled" if name in ONLY_FILLED else str(value)

    return pa.table({
        **{name: pa.array([None if row[name] is None else float(row[name]) for row in rows], pa.float64()) for name in NUMBERS},
        **{name: pa.array([text(name, row[name]) for row in rows], pa.string()) for name in (*CATEGORIES, *ONLY_FILLED)},
    })  # fmt: skip


def main() -> None:
    """Another scenario than the default: python -m benchmarks.world_bites FILE-OR-NAME"""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("scenario", nargs="?", default="default")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    found = table(read_scenario(asked.scenario), tuple(range(1, asked.seeds + 1)))
    for key in next(iter(found.values())):
        print(f"\n{key}")
        for name, figures in found.items():
            print(f"  {name:<28} {figures[key][0]:>7.3f} ± {figures[key][1]:.3f}")


if __name__ == "__main__":
    main()
