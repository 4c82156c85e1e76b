"""Does a score rise because a field is filled? Four fields of pure noise, planted into real leads.

    python -m benchmarks filled_noise

scoring.md §3, x_education, three folds (seed 0): *url* has one value, filled for 70 % of winners and 30 % of the rest;
*fillbias* eight values, filled for 80 and 50 %; *mcar* eight, filled for 60 % at random; *never* eight, never blank. The model
as it ships (benchmarks/shipped.py) is fitted on the rows with all columns that don't leak and the four planted ones; each test
lead is scored with each planted field blank and with a known value drawn at random. A CatBoost stands beside it.

What honesty costs on real leads is `price of completeness` in `python -m benchmarks real_leads`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.model_selection import StratifiedKFold

from benchmarks import point_rivals
from benchmarks.discrimination import auc
from benchmarks.point_rivals import cells
from benchmarks.real_leads import LEADS_NUMBERS, Column, leads
from benchmarks.row import Row, data_folder
from benchmarks.shipped import shipped
from scoring.model.scores import to_score

Floats = npt.NDArray[np.float64]

FOLDS = 3
MEDIAN, P99 = 1.0, 3.0
"""points of score"""
PLANTED = ("url", "fillbias", "mcar", "never")
VALUES = 8


def run() -> list[Row]:
    warnings.filterwarnings("ignore")
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    rows = planted(rows, won)
    columns = [*columns, *(Column(name, "fact", "category", "", name, "model") for name in PLANTED)]
    names = [column.name for column in columns if column.type == "category"]
    moves: dict[tuple[str, str], list[Floats]] = {}
    areas: dict[str, list[float]] = {"Candor": [], "CatBoost": []}
    fits = []
    for k, (fit, test) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(won, won)):
        model, found = shipped(rows.take(fit), won[fit], columns, fit, 0)
        fits.append(found.fits)
        numbers = sorted(LEADS_NUMBERS)
        table = cells(rows.take(fit), numbers, names)
        versions = _versions(rows.take(test), np.random.default_rng(k))
        together = pa.concat_tables(list(versions.values()))
        base = {"Candor": model.base_rate, "CatBoost": float(won[fit].mean())}
        said = {
            "Candor": model.score(together).probability,
            "CatBoost": point_rivals.catboost(table, won[fit], cells(together, numbers, names), 0),
        }
        for who, chance in said.items():
            logit = np.log(chance / (1 - chance)) - np.log(base[who] / (1 - base[who]))
            part = dict(zip(versions, to_score(logit).reshape(len(versions), -1), strict=True))
            areas[who].append(auc(won[test], part["as it is"]))
            for name in PLANTED:
                moves.setdefault((who, name), []).append(
                    np.abs(part[f"{name} filled"] - part[f"{name} blank"])
                )
    out = []
    for name in PLANTED:
        own, theirs = (np.concatenate(moves[who, name]) for who in ("Candor", "CatBoost"))
        for what, figure, bar in (("median", _median, MEDIAN), ("99th percentile", _p99, P99)):
            at = figure(own)
            out.append(Row(f"{name}: {what} of the move", at, f"≤ {bar:g}", bool(at <= bar), f"CatBoost {figure(theirs):.2f}"))  # fmt: skip
    area = {who: float(np.mean(found)) for who, found in areas.items()}
    return [*out, Row("AUC with the planted fields", area["Candor"],
                      note=f"CatBoost {area['CatBoost']:.4f}, which takes the planted bias; fits until honest: {fits}")]  # fmt: skip


def planted(rows: pa.Table, won: Floats) -> pa.Table:
    dice = np.random.default_rng(0)
    filled = {
        "url": np.where(won > 0, 0.7, 0.3), "fillbias": np.where(won > 0, 0.8, 0.5),
        "mcar": np.full(len(won), 0.6), "never": np.ones(len(won)),
    }  # fmt: skip
    for name, chance in filled.items():
        values = _values(name, len(won), dice)
        there = dice.random(len(won)) < chance
        rows = rows.append_column(name, pa.array(np.where(there, values, None), pa.string()))
    return rows


def _values(name: str, count: int, dice: np.random.Generator) -> npt.NDArray[np.object_]:
    kinds = np.array(["known"] if name == "url" else [f"value {i}" for i in range(VALUES)], object)
    return kinds[dice.integers(0, len(kinds), count)]


def _versions(rows: pa.Table, dice: np.random.Generator) -> dict[str, pa.Table]:
    out = {"as it is": rows}
    for name in PLANTED:
        at = rows.column_names.index(name)
        blank = pa.nulls(rows.num_rows, pa.string())
        known = pa.array(_values(name, rows.num_rows, dice), pa.string())
        out |= {
            f"{name} blank": rows.set_column(at, name, blank),
            f"{name} filled": rows.set_column(at, name, known),
        }
    return out


def _median(moves: Floats) -> float:
    return float(np.median(moves))


def _p99(moves: Floats) -> float:
    return float(np.quantile(moves, 0.99))
