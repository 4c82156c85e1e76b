"""A bank's calls in order of time, through a market that turns: 6 % say yes in the training part, 25 % after it.

The model is trained on the first 28,831 calls and retrained at the start of each month, as the policy has it, on all
calls so far; between trainings the outcomes of the days before recalibrate it (scoring/model/recent.py). It is scored
day by day on the last 12,357 calls; what is learnt from a day counts from the next day on. The filter lives through the
training part first, from the second month on, with models of those months, as it would have. Fields: what was known
before the call without the economy (set b of the data's README). Rival: the share of yes among the last 200 calls
before the day, for everyone; beside it the same model retrained and not recalibrated, and the one trained once.

Differences are paired by day: the bootstrap draws days. A month's range holds when the observed share lies between the
mean lower and the mean upper end of the month's calls. Settings of the filter were looked at on the training part only
(docs/decisions/0021).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as csv
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.real_leads import Column, calls
from benchmarks.row import Row, data_folder
from scoring.model.additive import log_odds, sigmoid
from scoring.model.card import Model
from scoring.model.estimator import calibration_error
from scoring.model.recent import Recent, begin, unsure
from scoring.model.scores import Scores
from scoring.model.train import Draft, draft

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TRAINING = 28_831
WINDOW = 200
HANDED_OVER = 1_000
"""calls on which a new model takes over from the old one"""
BEFORE = 5
"""days whose record is held against the doubt of the next"""
DRAWS = 1_000


@dataclass(frozen=True)
class Calls:
    """`day`, `month`: of each call, counted from the first."""

    rows: pa.Table
    won: Floats
    columns: list[Column]
    day: Ints
    month: Ints
    names: list[str]
    """of the months"""

    def __len__(self) -> int:
        return len(self.won)

    def days(self, start: int, end: int) -> Iterator[slice]:
        """The calls of each day among those from `start` to `end`."""
        edges = np.flatnonzero(np.diff(self.day[start:end])) + start + 1
        yield from map(slice, [start, *edges], [*edges, end])


@dataclass(frozen=True)
class Said:
    """Of each call: its chance, the ends of its range as chances, the width of the range's familiar part in points of
    score, and the deviation of the logit that recent outcomes add."""

    p: Floats
    low: Floats
    high: Floats
    familiar: Floats
    doubt: Floats


def run() -> list[Row]:
    data = read()
    rate = running(data, WINDOW)[TRAINING:]
    told = live(data)
    return [
        *_against(data, rate, told["recalibrated"].p),
        *_others(data, {name: said.p for name, said in told.items() if name != "recalibrated"}),
        *_turn(data, rate, told["recalibrated"].p),
        *_sureness(data, told),
    ]


def read() -> Calls:
    path = data_folder() / "bank-calls" / "calls.csv.gz"
    rows, won, columns = calls(path)
    when = csv.read_csv(
        path, convert_options=csv.ConvertOptions(include_columns=["year", "month", "day_of_week"])
    )
    year, month, weekday = (np.array(when[name].to_pylist()) for name in ("year", "month", "day_of_week"))
    new_month = np.append(True, (month[1:] != month[:-1]) | (year[1:] != year[:-1]))
    new_day = new_month | np.append(True, weekday[1:] != weekday[:-1])
    names = [f"{year[i]}-{month[i]}" for i in np.flatnonzero(new_month)]
    return Calls(rows, won, columns, np.cumsum(new_day) - 1, np.cumsum(new_month) - 1, names)


def running(data: Calls, window: int) -> Floats:
    """The share of yes among the last calls before each call's day."""
    out = np.full(len(data), np.nan)
    for day in data.days(0, len(data)):
        out[day] = data.won[max(0, day.start - window) : day.start].mean() if day.start else np.nan
    return out


def live(data: Calls) -> dict[str, Said]:
    """What is said of each call of the test part, by the recalibrated model, the same without that, and the first one
    for good."""
    starts = [int(i) for i in np.flatnonzero(np.diff(data.month)) + 1]
    starts = sorted({*starts, TRAINING})
    state: Recent | None = None
    before: Draft | None = None
    first: Model | None = None
    told: dict[str, list[Said]] = {"recalibrated": [], "retrained monthly": [], "trained once": []}
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        now = draft(
            data.rows.slice(0, start), data.won[:start], features=data.columns, groups=np.arange(start)
        )
        state = _taken_over(state, before, now, data, start)
        before = now
        if start < TRAINING:
            for day in data.days(start, end):
                state = state.waited(1).learnt(_logit(now, data, day), data.won[day])
            continue
        model = now.finish()
        first = first or model
        for day in data.days(start, end):
            rows = data.rows.slice(day.start, day.stop - day.start)
            state = state.waited(1)
            logit = model.logit(rows)
            told["recalibrated"].append(
                _said(model.score(rows, state), model, np.sqrt(state.applied(logit)[1]))
            )
            for name, which in (("retrained monthly", model), ("trained once", first)):
                told[name].append(_said(which.score(rows), which, np.zeros(len(logit))))
            state = state.learnt(logit, data.won[day])
    return {name: _joined(parts) for name, parts in told.items()}


def _taken_over(state: Recent | None, old: Draft | None, new: Draft, data: Calls, start: int) -> Recent:
    said = new.point.logit(new.design, new.sample.encoded, new.sample.design)
    own = unsure(said, new.sample.weight, new.base_rate)
    if state is None or old is None:
        return begin(new.base_rate, own, float((data.day[start] - data.day[:start]).mean()))
    latest = slice(max(0, start - HANDED_OVER), start)
    return state.succeeded(_logit(old, data, latest), _logit(new, data, latest), begin(new.base_rate, own))


def _logit(model: Draft, data: Calls, which: slice) -> Floats:
    encoded = model.design.encode(data.rows.slice(which.start, which.stop - which.start))
    return model.point.logit(model.design, encoded, model.design.additive(encoded))


def _said(scores: Scores, model: Model, doubt: Floats) -> Said:
    base = log_odds(model.base_rate)
    low, high = (sigmoid(np.log(x / (100 - x)) + base) for x in (scores.low, scores.high))
    return Said(scores.probability, low, high, scores.width_familiar, doubt)


def _joined(parts: list[Said]) -> Said:
    return Said(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Said)))


def _against(data: Calls, rate: Floats, p: Floats) -> Iterator[Row]:
    won, day = data.won[TRAINING:], data.day[TRAINING:]
    mine, theirs = _losses(p, won), _losses(rate, won)
    draws = list(_days_drawn(day))
    worse = [float((mine - theirs)[i].mean()) for i in draws]
    better = [_auc(p[i], won[i]) - _auc(rate[i], won[i]) for i in draws]
    wide = [calibration_error(p[i], won[i], np.ones(len(i))) for i in draws]
    low, high = np.quantile(worse, (0.025, 0.975))
    yield Row(
        "log loss", float(mine.mean()), "≤ running rate's", bool(mine.mean() <= theirs.mean()),
        f"running rate of {WINDOW}: {theirs.mean():.4f}; difference {(mine - theirs).mean():+.4f} ({low:+.4f} to {high:+.4f})",
    )  # fmt: skip
    low, high = np.quantile(wide, (0.025, 0.975))
    ece = [calibration_error(q, won, np.ones(len(won))) for q in (p, rate)]
    yield Row(
        "ECE",
        ece[0],
        "≤ 0.03",
        bool(ece[0] <= 0.03),
        f"running rate {ece[1]:.4f}; days drawn anew {low:.3f} to {high:.3f}",
    )
    low, high = np.quantile(better, (0.025, 0.975))
    auc = [_auc(q, won) for q in (p, rate)]
    yield Row(
        "AUC", auc[0], "> running rate's", bool(auc[0] > auc[1]),
        f"running rate {auc[1]:.4f}; difference {auc[0] - auc[1]:+.4f} ({low:+.4f} to {high:+.4f})",
    )  # fmt: skip


def _others(data: Calls, told: dict[str, Floats]) -> Iterator[Row]:
    won = data.won[TRAINING:]
    for name, p in told.items():
        note = f"AUC {_auc(p, won):.4f}, ECE {calibration_error(p, won, np.ones(len(won))):.4f}"
        yield Row(f"log loss, {name}, not recalibrated", float(_losses(p, won).mean()), note=note)


def _turn(data: Calls, rate: Floats, p: Floats) -> Iterator[Row]:
    """How the first weeks of the test went, where the market turns."""
    won, day = data.won[TRAINING:], data.day[TRAINING:]
    for month in (8, 10):
        here = data.month[TRAINING:] == month
        yield Row(
            f"log loss, {data.names[month]}", float(_losses(p, won)[here].mean()),
            note=f"running rate {_losses(rate, won)[here].mean():.4f}, n {here.sum()}, {len(np.unique(day[here]))} days",
        )  # fmt: skip


def _sureness(data: Calls, told: dict[str, Said]) -> Iterator[Row]:
    """Whether doubt follows the record, and each month's observed share against the range."""
    won, month = data.won[TRAINING:], data.month[TRAINING:]
    ours = told["recalibrated"]
    surprise = _losses(ours.p, won) - _losses(ours.p, ours.p)
    worse, doubt = [], []
    days = [slice(day.start - TRAINING, day.stop - TRAINING) for day in data.days(TRAINING, len(data))]
    for i, day in enumerate(days[BEFORE:], start=BEFORE):
        worse.append(float(surprise[days[i - BEFORE].start : day.start].mean()))
        doubt.append(float(ours.doubt[day].mean()))
    rank = float(spearmanr(worse, doubt).statistic)
    fifths = np.array_split(np.argsort(worse, kind="stable"), 5)
    each = ", ".join(f"{np.mean(np.array(doubt)[fifth]):.2f}" for fifth in fifths)
    yield Row(
        f"rank correlation: loss over the promised in {BEFORE} days, doubt after", rank, "> 0", rank > 0,
        f"deviation added (logits) by fifth of the loss: {each}",
    )  # fmt: skip
    for name, said in told.items():
        held, lines = [], []
        for m in np.unique(month):
            here = month == m
            rate = float(won[here].mean())
            low, high = float(said.low[here].mean()), float(said.high[here].mean())
            held.append(low <= rate <= high)
            lines.append(f"{data.names[m]} {rate:.2f} in {low:.2f}-{high:.2f}, {said.doubt[here].mean():.2f}")
        width = float((said.high - said.low).mean())
        yield Row(
            f"months whose share lies in the range, {name}",
            float(np.mean(held)),
            note=f"mean width {width:.2f}; " + "; ".join(lines),
        )


def _losses(p: Floats, won: Floats) -> Floats:
    q = np.clip(p, 1e-6, 1 - 1e-6)
    return -(won * np.log(q) + (1 - won) * np.log(1 - q))


def _auc(p: Floats, won: Floats) -> float:
    return float(roc_auc_score(won, p))


def _days_drawn(day: Ints) -> Iterator[Ints]:
    """Calls of days drawn with replacement."""
    random = np.random.default_rng(0)
    _, start = np.unique(day, return_index=True)
    end = np.append(start[1:], len(day))
    for _ in range(DRAWS):
        which = random.integers(0, len(start), len(start))
        yield np.concatenate([np.arange(start[i], end[i]) for i in which])
