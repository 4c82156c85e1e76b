"""Who ranks leads best, and says the truest chances? Ours, four rivals and Odoo's rule on the same fields and splits.

    python -m benchmarks discrimination               CANDOR_BENCH_SEEDS=1 for one split instead of five

*Reproduced*: before they are rivals, they reach the figures of ../shared/facts/scoring.md §1 (13 fields; EBM and CatBoost on
every column that doesn't leak, as there), on its split: five folds, seed 0, out of fold.

*x_education*: the screened fields (scoring.md §3: the three numbers and the four categories whose values matter), five folds,
five split seeds, out of fold. A figure is the mean over seeds; its interval a bootstrap of the leads, the same draws for all.
The deficit is the best rival's AUC less ours; "best" is whoever has the highest AUC, so its luck counts for it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.model_selection import StratifiedKFold

from benchmarks import point_rivals
from benchmarks.point_rivals import BEST, ODOO, Cells, cells
from benchmarks.real_leads import LEADS_NUMBERS, Column, leads
from benchmarks.row import Row, data_folder
from scoring.model.additive import sigmoid
from scoring.model.train import draft

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SEEDS = 5
FOLDS = 5
DRAWS = 500
NEAR = 0.001
DEFICIT = 0.002
OURS = "Candor"
SCREENED = ("current occupation", "Lead Source", "Lead Origin", "Do Not Email")
VARIED = 14
"""a category is one of the 13 fields if it is ever blank or has more rows than this off its commonest value"""
PUBLISHED: dict[str, tuple[point_rivals.Rival, str, float, float]] = {
    "Odoo's rule": (point_rivals.odoo, "13 fields", 0.689, 0.587),
    "Odoo's rule, deciles": (point_rivals.odoo_deciles, "13 fields", 0.8245, 0.4924),
    "logistic regression": (point_rivals.logistic, "13 fields", 0.8729, 0.4281),
    "HGB, tuned": (point_rivals.hgb, "13 fields", 0.8780, 0.4197),
    "LightGBM, tuned": (point_rivals.lightgbm, "13 fields", 0.8781, 0.4198),
    "EBM": (point_rivals.ebm, "all columns", 0.8767, 0.4233),
    "CatBoost": (point_rivals.catboost, "13 fields", 0.8802, 0.4166),
    "CatBoost, all columns": (point_rivals.catboost, "all columns", 0.8805, 0.4162),
}
"""of scoring.md: AUC, log loss, and on which columns"""


@dataclass(frozen=True)
class Told:
    """What one model said: seeds × leads, and the CPU seconds of fitting and asking."""

    chance: Floats
    seconds: float


def run() -> list[Row]:
    warnings.filterwarnings("ignore")
    return [*reproduced(), *x_education(range(int(os.environ.get("CANDOR_BENCH_SEEDS", SEEDS))))]


# -- the rivals are who they say they are --


def reproduced() -> list[Row]:
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    kinds = {"13 fields": thirteen(rows, columns), "all columns": _categories(columns)}
    found = []
    for name, (rival, of, auc_, loss) in PUBLISHED.items():
        table = cells(rows, sorted(LEADS_NUMBERS), kinds[of])
        said = _out_of_fold(_asked(rival, table, won), won, 0)
        own = auc(won, said), log_loss(won, said)
        near = abs(own[0] - auc_) <= NEAR and abs(own[1] - loss) <= NEAR
        found.append(Row(f"reproduced, {of}: {name}", own[0], f"within {NEAR}", near,
                         f"log loss {own[1]:.4f}; scoring.md {auc_} / {loss}"))  # fmt: skip
    return found


def thirteen(rows: pa.Table, columns: Sequence[Column]) -> list[str]:
    """The categories among scoring.md's 13 fields."""
    out = []
    for name in _categories(columns):
        known = rows.column(name).drop_null()
        most = max(count["counts"] for count in known.value_counts().to_pylist())
        if len(known) < rows.num_rows or len(known) - most > VARIED:
            out.append(name)
    return out


def _categories(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.type == "category"]


# -- x_education --


def x_education(seeds: Sequence[int]) -> list[Row]:
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    table = cells(rows, sorted(LEADS_NUMBERS), SCREENED)
    used = [column for column in columns if column.name in {*LEADS_NUMBERS, *SCREENED}]
    told = {OURS: over(seeds, lambda seed: _out_of_fold(_ours(rows, won, used), won, seed))}
    for name, rival in {**BEST, **ODOO}.items():
        ask = _asked(rival, table, won)
        told[name] = over(seeds, lambda seed, ask=ask: _out_of_fold(ask, won, seed))  # type: ignore[misc]
    return compared("x_education", won, told, DEFICIT)


Ask = Callable[[Ints, Ints, int], Floats]
"""(rows to fit on, rows to ask, seed) -> chances"""


def _ours(rows: pa.Table, won: Floats, columns: Sequence[Any]) -> Ask:
    def ask(fit: Ints, test: Ints, seed: int) -> Floats:
        made = draft(rows.take(fit), won[fit], features=columns, groups=fit, seed=seed)
        encoded = made.design.encode(rows.take(test))
        return sigmoid(made.point.logit(made.design, encoded, made.design.additive(encoded)))

    return ask


def _asked(rival: point_rivals.Rival, table: Cells, won: Floats) -> Ask:
    return lambda fit, test, seed: rival(table.take(fit), won[fit], table.take(test), seed)


def _out_of_fold(ask: Ask, won: Floats, seed: int) -> Floats:
    out = np.empty(len(won))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(won, won):
        out[test] = ask(fit, test, seed)
    return out


# -- what all sets share --


def over(seeds: Sequence[int], say: Callable[[int], Floats]) -> Told:
    start = time.process_time()
    return Told(np.array([say(seed) for seed in seeds]), time.process_time() - start)


def compared(name: str, won: Floats, told: Mapping[str, Told], bar: float) -> list[Row]:
    """A row a model, and the deficits to the best rival, in AUC (with its bar) and log loss. Intervals: 95 %."""
    out = []
    mean = {who: (_mean(auc, won, t.chance), _mean(log_loss, won, t.chance)) for who, t in told.items()}
    for who, (area, loss) in mean.items():
        out.append(Row(f"{name}: {who}", area, note=f"AUC; log loss {loss:.4f}; {told[who].seconds:.0f} s of CPU"))  # fmt: skip
    best = max(BEST, key=lambda who: mean[who][0])
    dice = np.random.default_rng(0)
    gaps = []
    for _ in range(DRAWS):
        take = dice.integers(0, len(won), len(won))
        gaps.append([
            _mean(figure, won[take], told[best].chance[:, take]) - _mean(figure, won[take], told[OURS].chance[:, take])
            for figure in (auc, log_loss)
        ])  # fmt: skip
    low, high = np.quantile(gaps, (0.025, 0.975), axis=0)
    area, loss = (mean[best][i] - mean[OURS][i] for i in (0, 1))
    return [
        *out,
        Row(f"{name}: AUC behind {best}, upper 95 %", float(high[0]), f"≤ {bar}", bool(high[0] <= bar),
            f"{area:+.4f} ({low[0]:+.4f} to {high[0]:+.4f}); minus: ahead"),
        Row(f"{name}: log loss above {best}'s", -loss, note=f"{-high[1]:+.4f} to {-low[1]:+.4f}"),
    ]  # fmt: skip


def _mean(figure: Callable[[Floats, Floats], float], won: Floats, chance: Floats) -> float:
    return float(np.mean([figure(won, one) for one in chance]))


def auc(won: Floats, said: Floats) -> float:
    """Ties count half."""
    order = np.argsort(said, kind="stable")
    _, first, count = np.unique(said[order], return_index=True, return_counts=True)
    ranks = np.repeat(first + (count + 1) / 2, count)
    wins = won.sum()
    return float((ranks[won[order] == 1].sum() - wins * (wins + 1) / 2) / (wins * (len(won) - wins)))


def log_loss(won: Floats, said: Floats) -> float:
    p = np.clip(said, 1e-12, 1 - 1e-12)
    return float(-np.log(np.where(won == 1, p, 1 - p)).mean())
