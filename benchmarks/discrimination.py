"""Who ranks leads best, and says the truest chances? Ours, four rivals and Odoo's rule on the same fields and splits.

    python -m benchmarks discrimination               CANDOR_BENCH_SEEDS=1 for one split instead of five

*Reproduced*: before they are rivals, they reach the figures of ../shared/facts/scoring.md §1 (13 fields; EBM and CatBoost on
every column that doesn't leak, as there), on its split: five folds, seed 0, out of fold.

*x_education*: the screened fields (scoring.md §3: the three numbers and the four categories whose values matter), five folds,
five split seeds, out of fold. A figure is the mean over seeds; its interval a bootstrap of the leads, the same draws for all.
The deficit is the best rival's AUC less ours; "best" is whoever has the highest AUC, so its luck counts for it.

*Worlds*: `first` and `default`, 6,000 leads each, the catalogue's features as of first scoring, fitted on the earlier 70 %, asked
about the later 30 %, judged against the true chances (benchmarks/expected.py). Seeds 1 to 3; those above 100 served for development.

*loan-applications*: the catalogue's features with the process family (benchmarks/loan_applications.py), three cuts. At its test
split, and pooled over rolling origins: at each, a model fitted on leads whose 30 days were over is asked about those that came
until the next. A lead that is asked about at several cuts is drawn with all of them.

Ours is the point model as a training makes it, its trees for sparse records included. EBM takes nine tenths of the time.
CANDOR_BENCH_PARTS names the parts to run: reproduced, x_education, worlds, loans; CANDOR_BENCH_RIVALS the rivals that count.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.model_selection import StratifiedKFold

from benchmarks import expected, point_rivals
from benchmarks import loan_applications as loan
from benchmarks.interval_world import case
from benchmarks.point_rivals import BEST, ODOO, Cells, cells
from benchmarks.real_leads import LEADS_NUMBERS, Column, leads
from benchmarks.row import Row, data_folder
from scoring.model.additive import sigmoid
from scoring.model.design import category_column, number_column
from scoring.model.train import draft

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SEEDS = 5
FOLDS = 5
DRAWS = 500
NEAR = 0.001
DEFICIT = 0.002
OURS = "Candor"
SCENARIOS, WORLDS, WORLD_LEADS = ("first", "default"), 3, 6000
POOLED = 0.005
ORIGINS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""shares of the log's time; before the first too few leads are 30 days old"""
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
    count = int(os.environ.get("CANDOR_BENCH_SEEDS", SEEDS))
    parts: dict[str, Callable[[], list[Row]]] = {
        "reproduced": reproduced, "x_education": lambda: x_education(range(count)),
        "worlds": lambda: worlds(range(1, 1 + min(count, WORLDS))), "loans": loans,
    }  # fmt: skip
    chosen = os.environ.get("CANDOR_BENCH_PARTS", ",".join(parts)).split(",")
    return [row for name in chosen for row in parts[name]()]


def rivals() -> dict[str, point_rivals.Rival]:
    """The rivals that count."""
    named = os.environ.get("CANDOR_BENCH_RIVALS")
    return {name: BEST[name] for name in named.split(",")} if named else BEST


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
    for name, rival in {**rivals(), **ODOO}.items():
        ask = _asked(rival, table, won)
        told[name] = over(seeds, lambda seed, ask=ask: _out_of_fold(ask, won, seed))  # type: ignore[misc]
    return compared("x_education", won, told, DEFICIT)


Ask = Callable[[Ints, Ints, int], Floats]
"""(rows to fit on, rows to ask, seed) -> chances"""


def _ours(rows: pa.Table, won: Floats, columns: Sequence[Any]) -> Ask:
    def ask(fit: Ints, test: Ints, seed: int) -> Floats:
        return candor(rows.take(fit), won[fit], columns, fit, rows.take(test), seed)

    return ask


def candor(
    fit: pa.Table, won: Floats, features: Sequence[Any], groups: Any, test: pa.Table, seed: int
) -> Floats:
    made = draft(fit, won, features=features, groups=groups, seed=seed).whole()
    encoded = made.design.encode(test)
    return sigmoid(made.point.logit(made.design, encoded, made.design.additive(encoded)))


def _asked(rival: point_rivals.Rival, table: Cells, won: Floats) -> Ask:
    return lambda fit, test, seed: rival(table.take(fit), won[fit], table.take(test), seed)


def _out_of_fold(ask: Ask, won: Floats, seed: int) -> Floats:
    out = np.empty(len(won))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(won, won):
        out[test] = ask(fit, test, seed)
    return out


# -- the generated worlds --


def worlds(seeds: Sequence[int]) -> list[Row]:
    out = []
    for scenario in SCENARIOS:
        told: dict[str, list[Floats]] = {name: [] for name in (OURS, *rivals(), *ODOO)}
        chances = []
        for seed in seeds:
            world = case(seed, WORLD_LEADS, 24, scenario)
            features = [f for f in world.features if f.role == "model"]
            won, rows, cut = world.won, world.rows, world.cut
            chances.append(world.true[cut:])
            told[OURS].append(candor(rows.slice(0, cut), won[:cut], features, world.group[:cut], rows.slice(cut), seed))  # fmt: skip
            table = _varying(rows, features, cut)
            fit, test = np.arange(cut), np.arange(cut, len(won))
            for name, rival in {**rivals(), **ODOO}.items():
                told[name].append(rival(table.take(fit), won[:cut], table.take(test), seed))
        groups = [(expected.auc, _expected_loss, chance, None) for chance in chances]
        out += deficits(f"world {scenario}", told, groups, DEFICIT, upper=True)
    return out


def _expected_loss(chance: Floats, said: Floats) -> float:
    p = np.clip(said, 1e-12, 1 - 1e-12)
    return float(-(chance * np.log(p) + (1 - chance) * np.log(1 - p)).mean())


def _varying(rows: pa.Table, features: Sequence[Any], cut: int) -> Cells:
    """The rivals' table: what varies in the rows to fit on."""
    fit = rows.slice(0, cut)
    numbers = [
        f.name for f in features if f.type == "number" and np.isfinite(number_column(fit, f.name)).any()
    ]
    numbers = [name for name in numbers if np.nanstd(number_column(fit, name)) > 0]
    words = [f.name for f in features if f.type != "number" and len(category_column(fit, f.name)[1]) > 1]
    return cells(rows, numbers, words)


# -- loan-applications --


def loans() -> list[Row]:
    out = []
    rolling: dict[str, list[Floats]] = {name: [] for name in (OURS, *rivals(), *ODOO)}
    asked: list[tuple[Any, ...]] = []
    for days in loan.CUTS:
        _, ours, won, train, test = loan.sides(days)
        kept = ours[loan._informative(ours[train])]
        columns = [
            Column(n, "process", "category" if kept[n].dtype.kind not in "fi" else "number", "", n, "model")
            for n in kept
        ]
        rows, y, ids = (
            pa.Table.from_pandas(kept, preserve_index=False),
            won.to_numpy(float),
            won.index.to_numpy(),
        )
        splits = [(np.flatnonzero(train), np.flatnonzero(test)), *_origins(won.index)]
        for k, (fit, ask) in enumerate(splits):
            table = _varying(rows.take(np.concatenate([fit, ask])), columns, len(fit))
            here = {OURS: candor(rows.take(fit), y[fit], columns, fit, rows.take(ask), 0)}
            for name, rival in {**rivals(), **ODOO}.items():
                here[name] = rival(table.take(np.arange(len(fit))), y[fit], table.take(np.arange(len(fit), len(fit) + len(ask))), 0)  # fmt: skip
            group = (auc, log_loss, y[ask], ids[ask])
            if k == 0:
                out += deficits(
                    f"loans +{days} d", {n: [s] for n, s in here.items()}, [group], 0.0, upper=False
                )
            else:
                asked.append(group)
                for name, said in here.items():
                    rolling[name].append(said)
    return [*out, *deficits("loans, rolling origins", rolling, asked, POOLED, upper=None)]


def _origins(ids: Any) -> list[tuple[Ints, Ints]]:
    """(rows to fit on, rows to ask) at each origin."""
    cases, _, _ = loan._frames()
    came = cases.set_index("case_id").created_at.loc[ids]
    first, last = came.min(), came.max()
    at = [first + (last - first) * share for share in (*ORIGINS, 1.0)]
    out = []
    for start, end in itertools.pairwise(at):
        fit = (came + loan.reference().HORIZON <= start).to_numpy()
        ask = ((came >= start) & (came < end)).to_numpy()
        out.append((np.flatnonzero(fit), np.flatnonzero(ask)))
    return out


def deficits(
    name: str, told: Mapping[str, Sequence[Floats]], groups: Sequence[tuple[Any, ...]], bar: float, *, upper: bool | None
) -> list[Row]:  # fmt: skip
    """As `compared`, over groups of leads: (figure of AUC, of log loss, outcomes or chances, ids or none). `upper`: the bar
    holds the upper limit of the deficit; False: its lower limit, so that none is significant; None: the deficit itself."""
    mean = {
        who: [
            float(np.mean([g[i](g[2], said) for g, said in zip(groups, each, strict=True)])) for i in (0, 1)
        ]
        for who, each in told.items()
    }
    out = [
        Row(f"{name}: {who}", area, note=f"AUC; log loss {loss:.4f}") for who, (area, loss) in mean.items()
    ]
    best = max(rivals(), key=lambda who: mean[who][0])
    dice, gaps = np.random.default_rng(0), []
    for _ in range(DRAWS):
        takes = _drawn(groups, dice)
        gaps.append([
            np.mean([g[i](g[2][t], a[t]) - g[i](g[2][t], b[t]) for g, a, b, t in zip(groups, told[best], told[OURS], takes, strict=True)])
            for i in (0, 1)
        ])  # fmt: skip
    low, high = np.quantile(gaps, (0.025, 0.975), axis=0)
    gap = [mean[best][i] - mean[OURS][i] for i in (0, 1)]
    figure, what = {True: (high[0], "upper 95 %"), False: (low[0], "lower 95 %"), None: (gap[0], "mean")}[
        upper
    ]
    return [
        *out,
        Row(f"{name}: AUC behind {best}, {what}", float(figure), f"≤ {bar}", bool(figure <= bar),
            f"{gap[0]:+.4f} ({low[0]:+.4f} to {high[0]:+.4f}); minus: ahead"),
        Row(f"{name}: log loss above {best}'s", -gap[1], note=f"{-high[1]:+.4f} to {-low[1]:+.4f}"),
    ]  # fmt: skip


def _drawn(groups: Sequence[tuple[Any, ...]], dice: np.random.Generator) -> list[Ints]:
    """Rows of each group; where leads have ids, a lead comes as often in every group."""
    if groups[0][3] is None:
        return [dice.integers(0, len(g[2]), len(g[2])) for g in groups]
    names = np.unique(np.concatenate([g[3] for g in groups]))
    often = np.bincount(dice.integers(0, len(names), len(names)), minlength=len(names))
    takes = [np.repeat(np.arange(len(g[3])), often[np.searchsorted(names, g[3])]) for g in groups]
    return takes if all(0 < g[2][t].mean() < 1 for g, t in zip(groups, takes, strict=True)) else _drawn(groups, dice)  # fmt: skip


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
    best = max(rivals(), key=lambda who: mean[who][0])
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
