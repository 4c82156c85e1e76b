"""Are leads unlike the training data noticed? (SPEC S3.3; ../shared/facts/scoring.md, section 5)

- *Visible*: each of the 15 values of origin, source and occupation on at least 50 leads is held out in turn; its leads and a
  fifth of the rest are asked about, and the flags for values never seen, ties by oddness, must tell them apart. A false alarm
  is such a flag on a lead of the rest.
- *Odd combinations*: four fields of each of the asked leads are replaced by those of another asked lead, at random (a lead
  that is none the other for it stands for nothing and is left out). Rivals: the rarest pair, the likelihood under a Chow-Liu
  tree, and (the ceiling) trees trained to tell leads from such mixtures.
- *Hidden*: the value's column is dropped. No bar: beside it stands the ceiling, trees that are told which training leads are
  the held-out ones.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from benchmarks.interval_unseen import LEADS_FIELDS, LEADS_LEAST
from benchmarks.row import Row
from benchmarks.semi_worlds import education
from scoring.model import combinations, deviation
from scoring.model.combinations import Combinations
from scoring.model.design import FeatureLike

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

HELD = 0.2
TAKEN = 4
SEEDS = range(5)
VISIBLE, ALARMS, MIXED = 0.99, 0.01, 0.90
MILLION = 1_000_000


def run() -> list[Row]:
    return [*_values(), *_mixtures(), _cost()]


def _values() -> Iterator[Row]:
    rows, _, columns = education()
    seen, hidden, ceiling, alarms = [], [], [], []
    for name in LEADS_FIELDS:
        for value in pc.value_counts(rows[name].drop_null()).to_pylist():
            if value["counts"] < LEADS_LEAST:
                continue
            has = np.array(pc.fill_null(pc.equal(rows[name], value["values"]), False))
            others = np.random.default_rng(0).permutation(np.flatnonzero(~has))
            cut = int(HELD * len(others))
            fit, rest = rows.take(others[cut:]), rows.take(others[:cut])
            asked = pa.concat_tables([rest, rows.filter(pa.array(has))])
            new = np.repeat([0.0, 1.0], [rest.num_rows, int(has.sum())])
            auc, alarm = _visible(fit, asked, new, columns)
            seen.append(auc)
            alarms.append(alarm)
            left = [c for c in columns if c.name != name]
            hidden.append(float(roc_auc_score(new, combinations.learn(fit, left).oddness(asked))))
            ceiling.append(_ceiling(combinations.learn(fit, left), asked, new))
    yield Row(f"unseen value visible: mean AUROC of {len(seen)}", float(np.mean(seen)), f"≥ {VISIBLE}",
              bool(np.mean(seen) >= VISIBLE), f"least {min(seen):.4f}")  # fmt: skip
    yield Row("unseen value visible: false alarms", float(np.mean(alarms)), f"≤ {ALARMS}",
              bool(np.mean(alarms) <= ALARMS), f"most {max(alarms):.4f}")  # fmt: skip
    yield Row("column hidden: mean AUROC of oddness", float(np.mean(hidden)),
              note=f"least {min(hidden):.3f}; ceiling, told which they are, {np.mean(ceiling):.3f}")  # fmt: skip


def _visible(
    fit: pa.Table, asked: pa.Table, new: Floats, columns: Sequence[FeatureLike]
) -> tuple[float, float]:
    ordinary = deviation.learn(fit, np.zeros(fit.num_rows), columns)
    flagged = np.array([any(f.code == "new" for f in flags) for flags in ordinary.flags(asked)], np.float64)
    odd = rankdata(ordinary.combined.oddness(asked)) / len(new)
    return float(roc_auc_score(new, flagged + odd / 2)), float(flagged[new == 0].mean())


def _ceiling(coded: Combinations, asked: pa.Table, new: Floats) -> float:
    codes = np.column_stack([field.codes(asked) for field in coded.fields])
    trees = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    told = cross_val_predict(trees, codes, new, cv=3, method="predict_proba")[:, 1]
    return float(roc_auc_score(new, told))


def _mixtures() -> Iterator[Row]:
    rows, _, columns = education()
    found: dict[str, list[float]] = {}
    alarms, caught, every = [], [], []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        order = random.permutation(rows.num_rows)
        cut = int(HELD * len(order))
        fit, asked = rows.take(order[cut:]), rows.take(order[:cut])
        known = combinations.learn(fit, columns)
        mixed, differs = _mix(asked, random)
        real, other = known.oddness(asked), known.oddness(mixed)
        alarms.append(float((real > known.odd).mean()))
        caught.append(float((other[differs] > known.odd).mean()))
        every.append(_auc(real, other))
        for name, (a, b) in {"oddness": (real, other), **_rivals(known, fit, asked, mixed, random)}.items():
            found.setdefault(name, []).append(_auc(a, b[differs]))
    for name, each in found.items():
        mine = name == "oddness"
        note = f"; of all mixed {np.mean(every):.4f}; flagged {np.mean(caught):.2f}, false alarms {np.mean(alarms):.4f}"
        yield Row(f"four fields of another lead: {name}", float(np.mean(each)), f"≥ {MIXED:.2f}" if mine else None,
                  bool(np.mean(each) >= MIXED) if mine else None,
                  f"{min(each):.4f} to {max(each):.4f} over {len(each)} splits" + (note if mine else ""))  # fmt: skip


def _auc(real: Floats, mixed: Floats) -> float:
    return float(roc_auc_score(np.repeat([0, 1], [len(real), len(mixed)]), np.concatenate([real, mixed])))


def _mix(rows: pa.Table, random: np.random.Generator) -> tuple[pa.Table, Bools]:
    """The rows with four fields of another each, and which of them differ from what they were."""
    count, names = rows.num_rows, rows.column_names
    donor = random.permutation(count)
    taken = np.argsort(random.random((count, len(names))), axis=1)[:, :TAKEN]
    columns, differs = {}, np.zeros(count, bool)
    for place, name in enumerate(names):
        source = np.where((taken == place).any(axis=1), donor, np.arange(count))
        columns[name] = rows[name].take(pa.array(source))
        before, after = rows[name].to_pylist(), columns[name].to_pylist()
        differs |= np.array([a != b for a, b in zip(before, after, strict=True)])
    return pa.table(columns), differs


def _rivals(
    known: Combinations, fit: pa.Table, asked: pa.Table, mixed: pa.Table, random: np.random.Generator
) -> dict[str, tuple[Floats, Floats]]:
    fit_codes, real, other = (
        np.column_stack([f.codes(t) for f in known.fields]) for t in (fit, asked, mixed)
    )
    count = real.shape[1]
    lifts: dict[tuple[int, int], Floats] = {}
    told: dict[tuple[int, int], float] = {}
    for a in range(count):
        for b in range(a + 1, count):
            together = combinations.counts(known.fields, fit_codes, (a, b))
            lifts[a, b] = combinations.lift(together)
            told[a, b] = float((together * lifts[a, b]).sum())
    tree = _spanning(told, count)

    def each(codes: Ints) -> tuple[Floats, Floats]:
        found = {pair: t[codes[:, pair[0]], codes[:, pair[1]]] for pair, t in lifts.items()}
        return -np.min(list(found.values()), axis=0), -np.sum([found[pair] for pair in tree], axis=0)

    (rarest, likely), (rarest_mixed, likely_mixed) = each(real), each(other)
    swapped = np.where(
        random.random(fit_codes.shape) < TAKEN / count,
        fit_codes[random.permutation(len(fit_codes))],
        fit_codes,
    )
    trees = HistGradientBoostingClassifier(max_iter=300, random_state=0)
    trees.fit(np.vstack([fit_codes, swapped]), np.repeat([0, 1], len(fit_codes)))
    return {
        "rarest pair": (rarest, rarest_mixed), "Chow-Liu tree": (likely, likely_mixed),
        "trees trained to tell (ceiling)": (trees.decision_function(real), trees.decision_function(other)),
    }  # fmt: skip


def _spanning(told: dict[tuple[int, int], float], count: int) -> list[tuple[int, int]]:
    """The tree of the pairs that tell most of each other."""
    group = list(range(count))
    out = []
    for a, b in sorted(told, key=lambda pair: -told[pair]):
        if group[a] != group[b]:
            old, kept = group[b], group[a]
            group = [kept if g == old else g for g in group]
            out.append((a, b))
    return out


def _cost() -> Row:
    rows, _, columns = education()
    known = combinations.learn(rows, columns)
    many = rows.take(np.random.default_rng(0).integers(0, rows.num_rows, MILLION // 4))
    start = time.process_time()
    known.oddness(many)
    seconds = 4 * (time.process_time() - start)
    return Row("oddness of 1 M leads, seconds of CPU", seconds, "≤ 1", bool(seconds <= 1.0))
