"""Does "what would make us sure" keep its promise? A known fact is taken away, asked for, and filled in again.

    CANDOR_BENCH_LEADS=6000 python -m benchmarks what_would_tell

On a world whose true chances are known the model is trained on the earlier 70 % of the leads and asked about later
ones. Of each, facts that the record holds are blanked (the fields that go blank together, at the features); what is
promised for a fact (the width after, the cases with their chances and ranges) is held against what comes when its
true value is filled in again.

- *Promise*: the mean width that was promised, less the mean that came, over all facts that were proposed.
- *Cases*: the share of leads whose true chance lies in the range of the case that came true, and whether cases come
  true as often as they were said to (expected calibration error over ten bins of the chances).
- *Nothing for filling*: the mean of the chance to win after, less that before, and of the score.
- *Choice*: of a lead with three facts blanked, by how much the range narrows when the first that we propose is filled
  in; beside it the rivals: one of the three at random, and always the fact that narrows most on average.
- Log loss of the answers that came, by the conditional chances, those tilted as shown, and the plain shares.

Leads within a company aren't independent, so intervals are bootstrapped over accounts.
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

from benchmarks.interval_world import Case, case, fitted
from benchmarks.row import Row
from scoring.model.asking import Fact, Question, questions
from scoring.model.card import Model
from scoring.model.scores import to_score

Floats = npt.NDArray[np.float64]

LEADS, SEEDS, ASKED, BLANKED = 6000, (11, 12), 200, 3
"""`NEAR` of scoring/model/asking.py was chosen on seed 7"""
DRAWS = 400
ALL = 99


@dataclass(frozen=True)
class Answered:
    """One fact of one lead, asked for and filled in again. `chances`: of the answer that came (conditional, tilted,
    its plain share); `cases`: chance of each case and whether it came true."""

    account: str
    fact: str
    promised: float
    came: float
    inside: bool
    chances: tuple[float, float, float]
    cases: tuple[tuple[float, bool], ...]
    gain: float
    points: float


@dataclass(frozen=True)
class Chosen:
    """How much narrower the range of one lead became by the fact that we proposed first, and by the rivals'."""

    account: str
    ours: float
    chance: float
    usual: float


def run() -> list[Row]:
    leads = int(os.environ.get("CANDOR_BENCH_LEADS", LEADS))
    found = [measure(case(seed, leads)) for seed in SEEDS]
    return rows([a for answers, _ in found for a in answers], [c for _, chosen in found for c in chosen])


def rows(answers: Sequence[Answered], chosen: Sequence[Chosen]) -> list[Row]:
    by = np.array([a.account for a in answers])

    def of(values: Sequence[float]) -> tuple[float, str]:
        return _mean(np.array(values, float), by)

    gap, gap_note = of([a.promised - a.came for a in answers])
    inside, inside_note = of([a.inside for a in answers])
    gain, gain_note = of([a.gain for a in answers])
    points, points_note = of([a.points for a in answers])
    said = np.array([case for a in answers for case in a.cases], float)
    order = np.array_split(np.argsort(said[:, 0], kind="stable"), 10)
    off = float(sum(abs((said[i, 0] - said[i, 1]).sum()) for i in order) / len(said))
    losses = [-np.mean([np.log(a.chances[k]) for a in answers]) for k in range(3)]
    pairs = np.array([(c.ours, c.chance, c.usual) for c in chosen])
    groups = np.array([c.account for c in chosen])
    random, random_note = _mean(pairs[:, 0] - pairs[:, 1], groups)
    usual, usual_note = _mean(pairs[:, 0] - pairs[:, 2], groups)
    return [
        Row("promised width less the width that came, points", gap, "within 2", bool(abs(gap) <= 2), gap_note),
        Row("mean distance of the two, points", float(np.mean([abs(a.promised - a.came) for a in answers]))),
        Row("true chance inside the case that came true", inside, "≥ 0.85", bool(inside >= 0.85), inside_note),
        Row("cases come true as often as said: calibration error", off, "≤ 0.05", bool(off <= 0.05)),
        Row("chance to win after, less before", gain, "within 0.01", bool(abs(gain) <= 0.01), gain_note),
        Row("score after, less before, points", points, note=points_note),
        Row("log loss of the answers, tilted chances as shown", float(losses[1]), "≤ the plain shares'",
            bool(losses[1] <= losses[2]), f"conditional {losses[0]:.4f}, plain shares {losses[2]:.4f}"),
        Row("range narrowed by the fact proposed first, points", float(pairs[:, 0].mean()),
            note=f"at random {pairs[:, 1].mean():.2f}, always the usual best {pairs[:, 2].mean():.2f}; {len(pairs)} leads"),
        Row("… less one at random", random, "> 0", bool(random > 0), random_note),
        Row("… less always the same fact", usual, note=usual_note),
        Row("facts asked for and answered", float(len(answers)), note=_counted(answers)),
    ]  # fmt: skip


def measure(world: Case, model: Model | None = None) -> tuple[list[Answered], list[Chosen]]:
    model = model or fitted(world)[0]
    dice = np.random.default_rng(0)
    later = dice.permutation(np.arange(world.cut, len(world.won)))
    answers: list[Answered] = []
    trials: list[tuple[str, str, dict[str, float]]] = []
    for i in later:
        row = world.rows.slice(int(i), 1)
        known = [fact for fact in model.asking.facts if _answer(fact, model, row) is not None]
        if len(known) < BLANKED:
            continue
        some = [known[k] for k in dice.choice(len(known), BLANKED, replace=False)]
        truth = float(to_score(_logit(world.true[i]) - _logit(model.base_rate)))
        answers += [
            a for fact in some if (a := _answered(model, fact, row, truth, world.group[i])) is not None
        ]
        trial = _trial(model, some, row)
        trials += [(world.group[i], *trial)] if trial is not None else []
        if len(trials) >= ASKED:
            break
    total: dict[str, list[float]] = {}
    for _, _, by in trials:
        for name, narrowed in by.items():
            total.setdefault(name, []).append(narrowed)
    usual = {name: float(np.mean(narrowed)) for name, narrowed in total.items()}
    chosen = [
        Chosen(
            account, by[first], float(np.mean(list(by.values()))), by[max(by, key=lambda name: usual[name])]
        )
        for account, first, by in trials
    ]
    return answers, chosen


def _answered(model: Model, fact: Fact, row: pa.Table, truth: float, account: str) -> Answered | None:
    blank = _blanked(row, [fact])
    question = next((q for q in _asked(model, blank) if q.feature == fact.names[0]), None)
    answer = _answer(fact, model, row)
    if question is None or answer is None:
        return None
    before, after = model.score(blank), model.score(row)
    design = model.design.additive(model.design.encode(blank))[0]
    came = next(case for case in question.cases if answer in case.answers)
    return Answered(
        account, question.label, question.width, float(after.high[0] - after.low[0]), bool(came.low <= truth <= came.high),
        (float(fact.chances(design)[answer]), float(question.chances[answer]), float(fact.shares[answer])),
        tuple((case.chance, case is came) for case in question.cases),
        float(after.probability[0] - before.probability[0]), float(after.score[0] - before.score[0]),
    )  # fmt: skip


def _trial(model: Model, facts: Sequence[Fact], row: pa.Table) -> tuple[str, dict[str, float]] | None:
    """What we propose first of facts that are all blank, and by how much each narrows the range when filled in."""
    blank = _blanked(row, facts)
    mine = {fact.names[0] for fact in facts}
    first = next((q.feature for q in _asked(model, blank) if q.feature in mine), None)
    if first is None:
        return None
    filled = [_blanked(row, [other for other in facts if other is not fact]) for fact in facts]
    scores = model.score(pa.concat_tables([blank, *filled]))
    width = scores.high - scores.low
    return first, {fact.names[0]: float(width[0] - w) for fact, w in zip(facts, width[1:], strict=True)}


def _asked(model: Model, row: pa.Table) -> list[Question]:
    return questions(model.asking, model.design, model.score, row, top=ALL)


def _answer(fact: Fact, model: Model, row: pa.Table) -> int | None:
    """Which of a fact's answers a row holds; None where it is blank or none of them."""
    value = row.column(fact.names[0])[0].as_py()
    if value is None or any(row.column(name)[0].as_py() is None for name in fact.names):
        return None
    if fact.names[0] in {field.name for field in model.design.numbers}:
        return int(np.searchsorted(fact.uppers, float(value)))
    return fact.values[0].index(str(value)) if str(value) in fact.values[0] else None


def _blanked(row: pa.Table, facts: Sequence[Fact]) -> pa.Table:
    for name in (name for fact in facts for name in fact.names):
        at = row.column_names.index(name)
        row = row.set_column(at, row.schema.field(name), pa.nulls(1, row.schema.field(name).type))
    return row


def _mean(values: Floats, groups: npt.NDArray[Any]) -> tuple[float, str]:
    """The mean, and its 95 % interval over draws of whole groups."""
    _, place = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    dice = np.random.default_rng(0)
    draws = dice.integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.quantile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), (0.025, 0.975))
    return float(values.mean()), f"95 %: {low:.3f} to {high:.3f}"


def _counted(answers: Sequence[Answered]) -> str:
    names, counts = np.unique([a.fact for a in answers], return_counts=True)
    return ", ".join(
        f"{name} {n}" for name, n in sorted(zip(names, counts, strict=True), key=lambda x: -x[1])[:5]
    )


def _logit(p: float) -> Any:
    return np.log(p / (1 - p))
