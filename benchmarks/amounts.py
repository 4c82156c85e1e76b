"""What a deal would bring: the amount and its 90 % range on won leads that were held out, beside what rivals say.

    CANDOR_BENCH_LEADS=6000 python -m benchmarks amounts

On the scenarios `first` and `default`, two seeds each, everything is fitted on the earlier 70 % of the leads, as known
at their first scoring, and asked about those of the later 30 % that were won. Rivals: the median of the segment (size
band × industry; of fewer than 20 won leads, of the size band, then of all) with its 5 % and 95 % quantiles; quantile
regression by scikit-learn's histogram trees on all features (three fits: 5 %, 50 %, 95 %).

- *Coverage* of the won amount, and how wide that takes: the geometric mean of upper over lower end.
- *Error*: mean distance of the logarithms of the typical amount (the median) and the one that came.
- *Money*: the sum of expected values (chance × amount) of all later leads, over what they brought.

Training weighed by revenue (each lead by its expected amount, from 1/4 to 4 times the mean: `[training] by_revenue`): the
share of the later leads' revenue among the fifth that is ranked first by expected value, and the log loss weighed by
expected amount, with less without. Intervals: 95 %, bootstrapped over companies, worlds pooled.
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
from sklearn.ensemble import HistGradientBoostingRegressor

from benchmarks.interval_world import MONTHS, Case, built
from benchmarks.row import Row
from connector.playground.world.generate import generate
from connector.playground.world.scenario_file import read_scenario
from scoring.model import amount as amounts
from scoring.model.additive import sigmoid
from scoring.model.design import Design, Encoded
from scoring.model.train import by_amount, draft

Floats = npt.NDArray[np.float64]

LEADS, SCENARIOS, SEEDS = 6000, ("first", "default"), (11, 12)
FEW = 20
FIFTH = 0.2
DRAWS = 400


@dataclass(frozen=True)
class Asked:
    """Later won leads: what came and what was said, each of typical, low, high."""

    account: list[str]
    came: Floats
    said: dict[str, tuple[Floats, Floats, Floats]]


@dataclass(frozen=True)
class Weighed:
    """Later leads: what they brought, and of both trainings the expected value and the loss in money."""

    account: list[str]
    brought: Floats
    value: tuple[Floats, Floats]
    loss: tuple[Floats, Floats]


def run() -> list[Row]:
    leads = int(os.environ.get("CANDOR_BENCH_LEADS", LEADS))
    asked, weighed = [], []
    for scenario in SCENARIOS:
        for seed in SEEDS:
            world, truth = generate(leads, MONTHS, seed, scenario=read_scenario(scenario))
            case = built(world, truth)
            keys = case.rows["lead_id"].to_pylist()
            amount = np.array([truth.amounts.get(key, np.nan) for key in keys])
            amount[case.won == 0] = np.nan
            said, trained = measure(case, amount)
            asked.append(said)
            weighed.append(trained)
    return [*_amounts(asked), *_weighed(weighed)]


def measure(case: Case, amount: Floats) -> tuple[Asked, Weighed]:
    cut = case.cut
    how: dict[str, Any] = {
        "features": case.features,
        "groups": case.group[:cut],
        "amount": amount[:cut],
        "seed": 0,
    }
    plain = draft(case.rows.slice(0, cut), case.won[:cut], **how)
    layout = plain.design
    encoded = layout.encode(case.rows)
    design = layout.additive(encoded)
    _, group = np.unique(case.group, return_inverse=True)
    ours = amounts.learn(
        design[:cut],
        case.won[:cut],
        amount[:cut],
        lead=np.arange(cut),
        group=group[:cut],
        columns=layout.groups,
    )
    later = np.flatnonzero((np.arange(len(amount)) >= cut) & (case.won > 0) & (amount > 0))
    said = {
        "ours": (_typical(ours, design[later]), *ours.ranges(design[later])),
        "segment": _segment(case.rows, amount, cut, later),
        "trees": _trees(layout, encoded, amount, cut, later),
    }
    asked = Asked([case.group[i] for i in later], amount[later], said)
    money = ours.expected(design)
    heavy = draft(case.rows.slice(0, cut), case.won[:cut], by_revenue=True, **how)
    test = slice(cut, len(amount))
    values, losses = [], []
    for trained in (plain, heavy):
        logit = trained.point.logit(layout, encoded, design)[test]
        values.append(sigmoid(logit) * money[test])
        losses.append((np.logaddexp(0, logit) - case.won[test] * logit) * by_amount(money)[test])
    brought = np.where(case.won[test] > 0, np.nan_to_num(amount[test]), 0.0)
    return asked, Weighed(case.group[cut:], brought, (values[0], values[1]), (losses[0], losses[1]))


def _typical(ours: amounts.Amounts, design: Floats) -> Floats:
    out: Floats = ours.ranges(design)[0] * np.exp(-ours.below)
    return out


def _segment(
    rows: pa.Table, amount: Floats, cut: int, later: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    size, industry = (np.array(rows[name].to_pylist(), object) for name in ("size_band", "industry"))
    known = np.flatnonzero(np.isfinite(amount[:cut]) & (amount[:cut] > 0))
    out = []
    for i in later:
        same_size = size[known] == size[i]
        for among in (known[same_size & (industry[known] == industry[i])], known[same_size], known):
            if len(among) >= FEW:
                break
        out.append(np.quantile(amount[among], (0.5, 0.05, 0.95)))
    middle, low, high = np.array(out).T
    return middle, low, high


def _trees(
    layout: Design, encoded: Encoded, amount: Floats, cut: int, later: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    codes = np.where(encoded.codes < 0, np.nan, encoded.codes)
    x = np.hstack([encoded.numbers, codes])
    x[:, ~np.isfinite(x[:cut]).any(axis=0)] = 0.0
    known = np.flatnonzero(np.isfinite(amount[:cut]) & (amount[:cut] > 0))

    def at(quantile: float) -> Floats:
        trees = HistGradientBoostingRegressor(
            loss="quantile",
            quantile=quantile,
            max_iter=100,
            learning_rate=0.05,
            max_leaf_nodes=8,
            random_state=0,
        )
        out: Floats = np.exp(trees.fit(x[known], np.log(amount[known])).predict(x[later]))
        return out

    return at(0.5), at(0.05), at(0.95)


def _amounts(asked: Sequence[Asked]) -> list[Row]:
    account = np.array([name for a in asked for name in a.account])
    came = np.concatenate([a.came for a in asked])
    error = {}
    out = []
    for name in ("ours", "segment", "trees"):
        middle, low, high = (np.concatenate([a.said[name][k] for a in asked]) for k in range(3))
        inside, note = _mean((low <= came) & (came <= high), account)
        error[name] = np.abs(np.log(middle / came))
        wide = float(np.exp(np.log(high / low).mean()))
        told = name == "ours"
        bar, met = ("0.87 to 0.93", bool(0.87 <= inside <= 0.93)) if told else (None, None)
        out += [
            Row(f"{name}: won amount inside its range", inside, bar, met, f"{note}; {len(came)} won leads"),
            Row(f"{name}: upper end over lower", wide),
            Row(f"{name}: mean distance of logarithms", float(error[name].mean())),
        ]
    for name in ("segment", "trees"):
        less, note = _mean(error["ours"] - error[name], account)
        out.append(Row(f"distance, ours less {name}'s", less, "≤ 0", bool(less <= 0), note))
    return out


def _weighed(weighed: Sequence[Weighed]) -> list[Row]:
    account = np.array([f"{k} {name}" for k, w in enumerate(weighed) for name in w.account])
    brought = np.concatenate([w.brought for w in weighed])
    value = [np.concatenate([w.value[k] for w in weighed]) for k in range(2)]
    first = [np.concatenate([_first(w.value[k]) for w in weighed]) for k in range(2)]
    loss = [np.concatenate([w.loss[k] for w in weighed]) for k in range(2)]
    money, money_note = _ratio(value[0], brought, account)
    caught = [float((brought * f).sum() / brought.sum()) for f in first]
    more, more_note = _ratio(brought * (first[1] - first[0]), brought, account)
    worse, worse_note = _mean(loss[1] - loss[0], account)
    return [
        Row("expected values over what came", money, "0.9 to 1.1", bool(0.9 <= money <= 1.1), money_note),
        Row("share of revenue in the first fifth", caught[0], note=f"weighed by revenue {caught[1]:.4f}"),
        Row("… weighed by revenue less plain", more, note=more_note),
        Row("log loss in money, weighed by revenue less plain", worse, note=worse_note),
    ]  # fmt: skip


def _first(value: Floats) -> Floats:
    return (value >= np.quantile(value, 1 - FIFTH)).astype(float)


def _mean(values: npt.NDArray[np.generic], groups: npt.NDArray[np.str_]) -> tuple[float, str]:
    return _ratio(values.astype(float), np.ones(len(values)), groups)


def _ratio(over: Floats, under: Floats, groups: npt.NDArray[np.str_]) -> tuple[float, str]:
    """A ratio of sums, and its interval over draws of whole groups."""
    _, place = np.unique(groups, return_inverse=True)
    a, b = np.bincount(place, over), np.bincount(place, under)
    draws = np.random.default_rng(0).integers(0, len(a), (DRAWS, len(a)))
    low, high = np.quantile(a[draws].sum(axis=1) / b[draws].sum(axis=1), (0.025, 0.975))
    return float(over.sum() / under.sum()), f"95 %: {low:.3f} to {high:.3f}"
