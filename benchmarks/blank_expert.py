"""The same model with 40 % of its values blanked, against experts trained for nothing but blanks, on the same fields.

    python -m benchmarks blank_expert

x_education, five folds (seed 0), out of fold. Each cell of the test rows is blanked with chance 0.4, generator restarted in
each fold (scoring.md's masks 0-4; mask 0 is a lucky one). The experts are fitted on copies of the training rows, each row at
its own rate of blanks, uniform 0.1-0.7: CatBoost on 4 copies, scikit-learn's trees on 8. "Full rows lost" is what the trees
for sparse records cost where nothing was blanked.

*Screened* fields are those of benchmarks/discrimination.py. *All* are the 13 fields less "what matters most": its one value
is filled or not, and tells nothing else, so the model never takes it; with it an expert reaches 0.82, which is what its being
filled adds (scoring.md §3).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
import warnings

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from benchmarks import point_rivals
from benchmarks.discrimination import FOLDS, SCREENED, auc, log_loss, thirteen
from benchmarks.point_rivals import Cells, Rival, cells
from benchmarks.real_leads import LEADS_NUMBERS, Column, leads
from benchmarks.row import Row, data_folder
from scoring.model import sparse
from scoring.model.additive import sigmoid
from scoring.model.design import BLANK, Design, Encoded
from scoring.model.estimator import Point
from scoring.model.train import draft

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MASKS, BLANKED = 5, 0.4
RATES = (0.1, 0.7)
EXPERTS: dict[str, tuple[Rival, int]] = {
    "CatBoost on 4 blank copies": (point_rivals.catboost, 4),
    "HGB on 8 blank copies": (point_rivals.hgb, 8),
}
BEHIND, LOST = 0.005, 0.001
DRAWS = 500
ONE_VALUE = "What matters most to you in choosing a course"
ABOUT = {"screened": (0.80, 0.75), "all": (0.82, 0.76)}
"""of scoring.md: AUC and accuracy that an expert reaches"""


def run() -> list[Row]:
    warnings.filterwarnings("ignore")
    rows, won, columns = leads(data_folder() / "leads" / "x_education.csv")
    every = [name for name in thirteen(rows, columns) if name != ONE_VALUE]
    found = []
    for name, chosen in (("screened", list(SCREENED)), ("all", every)):
        used = [column for column in columns if column.name in {*LEADS_NUMBERS, *chosen}]
        found += compared(name, rows, won, used, cells(rows, sorted(LEADS_NUMBERS), chosen))
    return found


def compared(name: str, rows: object, won: Floats, used: list[Column], table: Cells) -> list[Row]:
    full = {who: np.empty(len(won)) for who in ("with", "without")}
    thin = {who: np.empty((MASKS, len(won))) for who in ("ours", "without", *EXPERTS)}
    cost = 0.0
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(won, won):
        made = draft(rows.take(fit), won[fit], features=used, groups=fit, seed=0)  # type: ignore[attr-defined]
        start = time.process_time()
        point = sparse.learn(made.design, made.sample, made.point, 0)
        cost += (time.process_time() - start) / FOLDS
        asked = made.design.encode(rows.take(test))  # type: ignore[attr-defined]
        masks = [np.random.default_rng(m).random((len(test), len(used))) < BLANKED for m in range(MASKS)]
        full["with"][test] = _said(point, made.design, asked)
        full["without"][test] = _said(made.point, made.design, asked)
        for m, gone in enumerate(masks):
            few = _blanked(made.design, asked, used, gone)
            thin["ours"][m, test] = _said(point, made.design, few)
            thin["without"][m, test] = _said(made.point, made.design, few)
        for who, (rival, count) in EXPERTS.items():
            copies, outcomes = _copies(table.take(fit), won[fit], count)
            asks = [table.take(test).blanked(_in_order(gone, used)) for gone in masks]
            # one fit for all masks: their rows in one table
            together = Cells(
                np.vstack([a.numbers for a in asks]), np.vstack([a.codes for a in asks]), table.words
            )
            thin[who][:, test] = rival(copies, outcomes, together, 0).reshape(MASKS, len(test))
    return [*_rows(name, won, full, thin), Row(f"{name}: CPU seconds that the trees for sparse records take", cost,
            note=f"a training of {int(len(won) * (FOLDS - 1) / FOLDS)} leads")]  # fmt: skip


def _rows(name: str, won: Floats, full: dict[str, Floats], thin: dict[str, Floats]) -> list[Row]:
    area = {who: float(np.mean([auc(won, one) for one in said])) for who, said in thin.items()}
    out = []
    for who, said in thin.items():
        loss, right = (float(np.mean(f)) for f in ([log_loss(won, one) for one in said], (said > 0.5) == won))
        about = f"; scoring.md about {ABOUT[name][0]} / {ABOUT[name][1]}" if who == "ours" else ""
        out.append(Row(f"{name}, blanked: {who}", area[who], note=f"AUC; log loss {loss:.4f}, accuracy {right:.4f}{about}"))  # fmt: skip
    best = max(EXPERTS, key=lambda who: area[who])
    dice, behind, lost = np.random.default_rng(0), [], []
    for _ in range(DRAWS):
        take = dice.integers(0, len(won), len(won))
        y = won[take]
        m = int(dice.integers(0, MASKS))
        behind.append(auc(y, thin[best][m, take]) - auc(y, thin["ours"][m, take]))
        lost.append(auc(y, full["without"][take]) - auc(y, full["with"][take]))
    gap, price = area[best] - area["ours"], auc(won, full["without"]) - auc(won, full["with"])
    return [
        *out,
        Row(f"{name}, blanked: AUC behind {best}", gap, f"≤ {BEHIND}", bool(gap <= BEHIND), _range(behind)),
        Row(f"{name}, full rows: AUC", auc(won, full["with"]), note=f"log loss {log_loss(won, full['with']):.4f}; without {log_loss(won, full['without']):.4f}"),
        Row(f"{name}, full rows lost: AUC", price, f"≤ {LOST}", bool(price <= LOST), _range(lost)),
    ]  # fmt: skip


def _range(draws: list[float]) -> str:
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{low:+.4f} to {high:+.4f}"


def _said(point: Point, design: Design, rows: Encoded) -> Floats:
    return sigmoid(point.logit(design, rows, design.additive(rows)))


def _blanked(design: Design, rows: Encoded, used: list[Column], gone: Bools) -> Encoded:
    """`gone` has a column for each of `used`."""
    place = {column.name: i for i, column in enumerate(used)}
    numbers = gone[:, [place[field.name] for field in design.numbers]]
    codes = gone[:, [place[field.name] for field in design.categories]]
    return Encoded(np.where(numbers, np.nan, rows.numbers), np.where(codes, BLANK, rows.codes))


def _in_order(gone: Bools, used: list[Column]) -> Bools:
    """The same cells in the order of `Cells`."""
    places = {column.name: i for i, column in enumerate(used)}
    numbers = sorted(LEADS_NUMBERS)
    rest = [column.name for column in used if column.name not in LEADS_NUMBERS]
    return gone[:, [places[name] for name in [*numbers, *rest]]]


def _copies(fit: Cells, won: Floats, count: int) -> tuple[Cells, Floats]:
    dice = np.random.default_rng(1)
    rows = np.tile(np.arange(len(won)), count)
    width = fit.numbers.shape[1] + fit.codes.shape[1]
    gone = dice.random((len(rows), width)) < dice.uniform(*RATES, len(rows))[:, None]
    return fit.take(rows).blanked(gone), won[rows]
