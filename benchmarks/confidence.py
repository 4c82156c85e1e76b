"""Does confidence mean something? (SPEC S3.1; ../shared/facts/scoring.md, section 6: judged by the error of the *score*.)

- Semi-synthetic worlds: rank correlation of a range's width with how far the score lies from the true score, ours and the
  rivals', and that error by fifth of width. Max-probability is the width of a lead by its distance from one half alone.
- Real outcomes: leads file, 12,000 bank calls (five folds each), loan applications at +7 days (the folder's split in time). By
  fifth of confidence: how far rates lie from what was said, in ten bins, less what chance alone would make of it (outcomes drawn from
  the chances themselves); the sureest two fifths against the least sure two, with a 90 % interval from bootstraps of the leads.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import spearmanr
from sklearn.model_selection import StratifiedKFold

from benchmarks import loan_applications
from benchmarks.interval_familiar import CALLS, FOLDS, OURS, asked, ours, points_wide
from benchmarks.real_leads import calls
from benchmarks.row import Row, data_folder
from benchmarks.semi_worlds import DRAWS, KINDS, education, world
from scoring.features import catalogue
from scoring.model.additive import sigmoid
from scoring.model.design import FeatureLike
from scoring.model.scores import to_score
from scoring.model.train import train

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RANKED, RATIO = 0.50, 4.0
FIFTHS, BINS = 5, 10
BOOTSTRAPS, CHANCE, LEVEL = 200, 50, 0.90
DAYS = 7
BAGS = 5
"""bootstraps of the rival: enough for a rank correlation"""


def run() -> list[Row]:
    return [*_worlds(), *_real()]


def _worlds() -> Iterator[Row]:
    ranks: dict[str, list[float]] = {}
    errors = []
    for kind in KINDS:
        for draw in DRAWS:
            of = world(kind, draw)
            base = float(of.won[of.fit].mean())
            shift = np.log(base / (1 - base))
            truth = to_score(np.log(of.true[of.test] / (1 - of.true[of.test])) - shift)
            for name, one in asked(of, BAGS, 0).items():
                wide, error = points_wide(one, base), np.abs(to_score(one.logit - shift) - truth)
                ranks.setdefault(name, []).append(float(spearmanr(wide, error).statistic))
                if name == OURS:
                    errors.append([float(error[part].mean()) for part in _fifths(wide)])
    for name, each in ranks.items():
        mine = name == OURS
        yield Row(f"worlds: rank correlation of width and error: {name}", float(np.mean(each)),
                  f"≥ {RANKED:.2f}" if mine else None, bool(np.mean(each) >= RANKED) if mine else None,
                  f"{min(each):.3f} to {max(each):.3f} over {len(each)} worlds")  # fmt: skip
    mean = np.mean(errors, axis=0)
    ratio = float(mean[-1] / mean[0])
    yield Row("worlds: error of the widest fifth over the narrowest's", ratio, f"≥ {RATIO:.0f}", bool(ratio >= RATIO),
              "points by fifth: " + ", ".join(f"{e:.1f}" for e in mean))  # fmt: skip


def _real() -> Iterator[Row]:
    for name, (p, wide, won) in {"leads": _leads(), "calls": _calls(), "loans": _loans()}.items():
        random = np.random.default_rng(0)
        order = _fifths(wide)
        each = [_beyond_chance(p[part], won[part], random) for part in order]
        drawn = []
        for _ in range(BOOTSTRAPS):
            gaps = []
            for part in order:
                some = random.choice(part, len(part))
                gaps.append(_beyond_chance(p[some], won[some], random, 5))
            drawn.append(np.mean(gaps[-2:]) - np.mean(gaps[:2]))
        gap = float(np.mean(each[-2:]) - np.mean(each[:2]))
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        yield Row(f"{name}: calibration error, least sure less surest", gap, "> 0", bool(gap > 0),
                  f"{low:+.4f} to {high:+.4f}; by fifth, surest first: " + ", ".join(f"{e:.4f}" for e in each))  # fmt: skip


def _fifths(wide: Floats) -> list[Ints]:
    """Places, the narrowest fifth first."""
    return np.array_split(np.argsort(wide, kind="stable"), FIFTHS)


def _beyond_chance(p: Floats, won: Floats, random: np.random.Generator, draws: int = CHANCE) -> float:
    """Calibration error less that of outcomes drawn from the chances themselves."""
    parts = np.array_split(np.argsort(p, kind="stable"), BINS)
    luck = [_error(p, (random.random(len(p)) < p).astype(np.float64), parts) for _ in range(draws)]
    return _error(p, won, parts) - float(np.mean(luck))


def _error(p: Floats, won: Floats, parts: list[Ints]) -> float:
    return float(sum(abs((won[part] - p[part]).sum()) for part in parts) / len(p))


def _leads() -> tuple[Floats, Floats, Floats]:
    return _out_of_fold(*education())


def _calls() -> tuple[Floats, Floats, Floats]:
    rows, won, columns = calls(data_folder() / "bank-calls" / "calls.csv.gz")
    some = np.random.default_rng(0).permutation(len(won))[:CALLS]
    return _out_of_fold(rows.take(some), won[some], columns)


def _out_of_fold(
    rows: pa.Table, won: Floats, columns: Sequence[FeatureLike]
) -> tuple[Floats, Floats, Floats]:
    p, wide = np.empty(len(won)), np.empty(len(won))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(won, won):
        model = train(rows.take(fit), won[fit], features=columns, groups=fit, seed=0)
        one = ours(model, rows.take(test))
        p[test], wide[test] = sigmoid(one.logit), points_wide(one, model.base_rate)
    return p, wide, won


def _loans() -> tuple[Floats, Floats, Floats]:
    """The later leads, asked of the earlier."""
    process = loan_applications.steps()
    _, ours_, outcome, earlier, later = loan_applications.sides(DAYS, process)
    rows, y = pa.Table.from_pandas(ours_, preserve_index=False), outcome.to_numpy(float)
    fit, test = np.flatnonzero(earlier), np.flatnonzero(later)
    features = [f for f in catalogue(loan_applications.FACTS, process) if f.name in rows.column_names]
    model = train(rows.take(fit), y[fit], features=features, groups=fit, seed=0)
    one = ours(model, rows.take(test))
    return sigmoid(one.logit), points_wide(one, model.base_rate), y[test]
