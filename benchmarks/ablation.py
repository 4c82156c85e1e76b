"""What each family of features is worth: the AUC that the model loses without it.

    CANDOR_BENCH_SEEDS=2 CANDOR_BENCH_LEADS=6000 python -m benchmarks ablation

On the default scenario: trained on the earlier 70 % of the leads as of their first scoring, asked about the later 30 %,
against the true chances (benchmarks/expected.py); mean over worlds. On the loan applications: Candor's own model at each of the
three cuts, with the split of benchmarks/loan_applications.py (whose docstring says what its test has been asked before), against
outcomes; mean over cuts. Intervals: 90 %, paired, 300 bootstraps of the asked leads. Families overlap, so they don't add up.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks import expected, interval_world, loan_applications
from benchmarks.row import Row
from scoring.features.catalogue import Feature, catalogue
from scoring.model.train import train

Floats = npt.NDArray[np.float64]

LEADS, SCENARIO, FIRST_SEED = 6000, "default", 1
DRAWS, LEVEL = 300, 0.90


@dataclass(frozen=True)
class Asked:
    """What was said of leads, with all families and without each, beside the chance that they be won (or 1 and 0)."""

    chance: Floats
    said: dict[str, Floats]


def run() -> list[Row]:
    seeds = int(os.environ.get("CANDOR_BENCH_SEEDS", "2"))
    leads = int(os.environ.get("CANDOR_BENCH_LEADS", LEADS))
    worlds = [world(FIRST_SEED + n, leads) for n in range(seeds)]
    return [*_rows(SCENARIO, worlds), *_rows("loans", [loans(days) for days in loan_applications.CUTS])]


def _rows(name: str, asked: Sequence[Asked]) -> list[Row]:
    dice = np.random.default_rng(0)
    whole = [np.arange(len(one.chance)) for one in asked]
    drawn = [[dice.integers(0, len(take), len(take)) for take in whole] for _ in range(DRAWS)]
    rows = [Row(f"{name}: AUC, all families", _mean(asked, "", whole))]
    for family in (f for f in asked[0].said if f):
        worth = _mean(asked, "", whole) - _mean(asked, family, whole)
        low, high = np.quantile([_mean(asked, "", d) - _mean(asked, family, d) for d in drawn], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])  # fmt: skip
        rows.append(Row(f"{name}: AUC lost without {family}", worth, note=f"{low:+.4f} to {high:+.4f}"))
    return rows


def _mean(asked: Sequence[Asked], family: str, takes: Sequence[Any]) -> float:
    return float(np.mean([expected.auc(one.chance[t], one.said[family][t]) for one, t in zip(asked, takes, strict=True)]))  # fmt: skip


def world(seed: int, leads: int) -> Asked:
    case = interval_world.case(seed, leads, scenario=SCENARIO)
    fit, ask = case.rows.slice(0, case.cut), case.rows.slice(case.cut)
    return Asked(
        case.true[case.cut :],
        _with_and_without(fit, case.won[: case.cut], ask, case.features, case.group[: case.cut]),
    )


def loans(days: int) -> Asked:
    _, ours, won, train_rows, test = loan_applications.sides(days)
    features = catalogue(loan_applications.FACTS, loan_applications.steps())
    rows = [pa.Table.from_pandas(ours[mask], preserve_index=False) for mask in (train_rows, test)]
    y = won.to_numpy(float)
    groups = [str(n) for n in range(int(train_rows.sum()))]
    wanted = [f for f in features if f.name in ours.columns]
    said = _with_and_without(rows[0], y[train_rows], rows[1], wanted, groups)
    return Asked(y[test], said)


def _with_and_without(
    fit: pa.Table, won: Floats, ask: pa.Table, features: Sequence[Feature], groups: Sequence[str]
) -> dict[str, Floats]:
    families = dict.fromkeys(["", *(f.family for f in features if f.role == "model")])
    found = {}
    for family in families:
        kept = [f for f in features if f.family != family]
        found[family] = train(fit, won, features=kept, groups=list(groups), seed=0).score(ask).probability
    return found
