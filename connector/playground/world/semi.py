"""Semi-synthetic worlds: real rows of a public data set, outcomes drawn anew from a model fitted on the real ones.

So the mix of leads, their blanks and their columns' ties are real, and yet the true chance of each is known
(../shared/facts/scoring.md section 4). The rows are read where they lie, at run time, and never kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connector.errors import InputError
from connector.playground.world import loans
from connector.playground.world.csv import read_table
from connector.playground.world.mapping import SHIPPED, ColumnType, TableMapping, read_mapping
from connector.playground.world.model import Truth, World
from connector.playground.world.scenario import Attention, DataSet, Form, Scenario
from connector.playground.world.table import from_table, read_rows

Floats = npt.NDArray[np.float64]
Rows = Sequence[dict[str, Any]]

_LOANS = "loan-applications"
_FILES = {"x_education": "leads/x_education.csv", "bank-calls": "bank-calls/calls.csv.gz"}
DATED: frozenset[DataSet] = frozenset({"loan-applications"})
"""Sets whose rows have a history with real dates; the others are seen at one moment (snapshot mode)."""
HORIZON_DAYS: Mapping[DataSet, int] = {"loan-applications": loans.HORIZON_DAYS}
"""Of dated sets: days within which a row is won or not at all, where that isn't the half-year of a policy's default."""
_RARE = 20
"""a value on fewer rows is one of "others" """


def of_scenario(scenario: Scenario, seed: int) -> tuple[World, Truth]:
    """The world of a scenario that names a data set (its `data`)."""
    assert scenario.data is not None
    return semi_synthetic(scenario.data, seed, form=scenario.form, attention=scenario.attention)


def semi_synthetic(
    name: DataSet, seed: int, *, form: Form = "spline", data: Path | None = None,
    attention: Attention | None = None,
) -> tuple[World, Truth]:  # fmt: skip
    """A world of real rows. `data` is the folder of the sets, by default CANDOR_DATA, then ../shared/data.
    `truth.luck` and `truth.probability` are filled; the same name, form and seed give the same world. `attention`: what a
    person's reaching a lead is worth, by default nothing."""
    attention = attention or Attention.off()
    if name == _LOANS:
        return _of_loans(folder_of(name, data), seed, form, attention)
    return _of_table(folder_of(name, data), table_of(name), seed, form, attention)


def folder_of(name: DataSet, data: Path | None = None) -> Path:
    """The file of a set of undated rows, the folder of a dated one. InputError when it isn't there."""
    if name not in get_args(DataSet):
        raise InputError(
            f"There is no real data set {name!r}.", fix=f"There are: {', '.join(get_args(DataSet))}."
        )
    folder = data or Path(os.environ.get("CANDOR_DATA", "../shared/data"))
    found = folder / _FILES.get(name, name)
    if not found.exists():
        raise InputError(
            f"The real rows of {name} are not at {found}: Candor comes without them.",
            fix="Set CANDOR_DATA to the folder that holds them (docs/scenarios.md).",
        )
    return found


def table_of(name: DataSet) -> TableMapping:
    """What the columns of a set of undated rows mean. KeyError: a dated one."""
    if name not in _FILES:
        raise KeyError(name)
    return read_mapping(SHIPPED / f"{name}.toml")


def described_by(name: DataSet) -> tuple[Mapping[str, ColumnType], Collection[str]]:
    """The columns of its own that its leads have, and which of the standard fields."""
    if name in DATED:
        return {loans.AMOUNT.name: "number"}, ()
    mapping = table_of(name)
    return {column: of.type for column, of in mapping.columns.items()}, mapping.lead


def _of_table(
    file: Path, mapping: TableMapping, seed: int, form: Form, attention: Attention
) -> tuple[World, Truth]:
    table = read_table(file)
    read = read_rows(table, mapping)
    columns = {**read.fields, **read.extra}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    p = chances(rows, np.array(read.won, float), form)
    luck = _lots(len(rows), seed)
    outcome = mapping.outcome
    said = pa.array(
        [outcome.won[0] if lot < chance else outcome.lost[0] for lot, chance in zip(luck, p, strict=True)]
    )
    table = table.set_column(table.column_names.index(outcome.column), outcome.column, said)
    world, truth = from_table(table, mapping)
    keys = [person.key for person in world.people]
    return replace(world, name=f"{mapping.name}, outcomes drawn anew"), _told(
        truth, keys, p, luck, f"{mapping.name} {form}", attention
    )


def _of_loans(folder: Path, seed: int, form: Form, attention: Attention) -> tuple[World, Truth]:
    cases = loans.read(folder)
    p = chances([case.described() for case in cases], np.array([case.won for case in cases], float), form)
    luck = _lots(len(cases), seed)
    won = [bool(lot < chance) for lot, chance in zip(luck, p, strict=True)]
    world, truth = loans.world(cases, won, seed)
    return world, _told(truth, [case.key for case in cases], p, luck, f"{_LOANS} {form}", attention)


def _told(truth: Truth, keys: list[str], p: Floats, luck: Floats, name: str, attention: Attention) -> Truth:
    chance = dict(zip(keys, p.tolist(), strict=True))
    in_time = timedelta(days=attention.days)
    return replace(
        truth, probability=chance, luck=dict(zip(keys, luck.tolist(), strict=True)), scenario=f"semi-synthetic: {name}",
        reached={key: one * attention.reached for key, one in chance.items()},
        unreached={key: one * attention.unreached for key, one in chance.items()},
        reach_by={key: at + in_time for key, at in truth.scored_at.items()},
    )  # fmt: skip


def _lots(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).random(count)


def chances(rows: Rows, won: Floats, form: Form) -> Floats:
    """A chance for each row from a model fitted on all of them: what is taken to be the truth from then on."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    numbers, categories = _split(rows)
    if form == "trees":
        coded = np.column_stack([numbers, *(_codes(column) for column in categories)])
        trees = HistGradientBoostingClassifier(max_iter=120, learning_rate=0.08, max_leaf_nodes=12, min_samples_leaf=40, random_state=0)  # fmt: skip
        out: Floats = trees.fit(coded, won).predict_proba(coded)[:, 1]
        return np.clip(out, 0.002, 0.998)
    parts = [_spline(numbers[:, i]) for i in range(numbers.shape[1])]
    parts += [np.eye(int(codes.max()) + 1)[codes.astype(int)] for codes in map(_codes, categories)]
    x = np.hstack(parts)
    out = LogisticRegression(solver="newton-cholesky", max_iter=100).fit(x, won).predict_proba(x)[:, 1]
    return np.clip(out, 0.002, 0.998)


def _split(rows: Rows) -> tuple[Floats, list[list[str]]]:
    """Columns of numbers (NaN for blank), and all others as text ("" for blank)."""
    names = list(rows[0])
    plain: Callable[[Any], bool] = lambda v: isinstance(v, int | float) and not isinstance(v, bool)  # noqa: E731
    numeric = [n for n in names if all(row[n] is None or plain(row[n]) for row in rows) and any(row[n] is not None for row in rows)]  # fmt: skip
    numbers = np.array([[np.nan if row[n] is None else float(row[n]) for n in numeric] for row in rows])
    texts = [["" if row[n] is None else str(row[n]) for row in rows] for n in names if n not in numeric]
    return numbers, texts


def _codes(column: list[str]) -> Floats:
    values, index, counts = np.unique(column, return_inverse=True, return_counts=True)
    kept = np.where(counts >= _RARE, np.arange(len(values)), len(values))
    _, codes = np.unique(kept[index], return_inverse=True)
    return codes.astype(np.float64)


def _spline(column: Floats) -> Floats:
    """Natural bends at the column's own quantiles: straight pieces, with a column for blank."""
    blank = ~np.isfinite(column)
    known = column[~blank]
    scale = max(float(known.std()), 1e-9) if len(known) else 1.0
    knots = np.unique(np.quantile(known, (0.1, 0.3, 0.5, 0.7, 0.9))) if len(known) else np.array([])
    filled = np.where(blank, float(np.median(known)) if len(known) else 0.0, column)
    bends = [np.maximum(filled - knot, 0) / scale for knot in knots]
    return np.column_stack([filled / scale, *bends, blank.astype(float)])
