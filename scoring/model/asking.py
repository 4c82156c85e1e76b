"""What would make us sure: of each fact that a lead's record lacks and somebody could ask for, the answers it may turn
out to have, how likely each is for this lead, and the score and range that each would bring.

An answer's chance is conditional: a ridge regression of "it is this answer" on everything else that is known, among
the training leads whose answer is known. No lead's row is kept, so nobody can be found in a model's file.

The score now *is* a mean over the answers: were their mean another, filling the field would raise or lower the score
whatever is filled in. So the chances are tilted, as little as possible (in relative entropy), until the mean of the
chances to win after the answer makes a score within `NEAR` points of the score now. Not nearer, for the tilt costs: what
the rest of a lead foretells of an answer is real, and a model that takes a blank for the average knows nothing of it
(docs/decisions/0022 has the figures). Where no answers' mean comes that near, nothing is promised.

The same goes for a fact whose answers differ by no more than the model doubts its own effects: its range would get
narrower, and nobody would know more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model import words
from scoring.model.additive import Additive, sigmoid
from scoring.model.blanks import ENOUGH, facts
from scoring.model.design import CategoryField, Design, Field, NumberField
from scoring.model.estimator import Sample
from scoring.model.quantiles import Z90
from scoring.model.scores import Scores, to_score

Floats = npt.NDArray[np.float64]

BINS = 8
"""answers that a number is cut into, of equal count"""
ROWS = 4000
"""training rows that the chances of the answers are learnt from, at the most"""
RIDGE = 20.0
"""rows of no information beside the real ones"""
FLOOR = 0.1
"""share of its overall chance that an answer keeps whatever else is known of a lead"""
SHARE = 0.01
"""of the leads, that an answer needs"""
NEAR = 3.0
"""points of score by which the mean over the answers may differ from the score now"""
LEAST = 3.0
"""points of range: a question that promises less isn't worth asking"""
APART = 5.0
"""points of score between two cases that are told apart"""
CASES = 3
TOP = 2
"""questions of one lead, at the most"""


@dataclass(frozen=True)
class Fact:
    """A fact's answers. `names`: its fields, the one that is spoken of first; `values`: for each field the value that
    goes with each answer; `uppers`: of a number, the upper end of each answer but the last; `coef` acts on the
    additive design and gives the change of each answer's `share`; `doubt`: variance of the fact's effects by
    the model's doubt of them alone, in squared logits."""

    names: tuple[str, ...]
    values: tuple[tuple[float | str | None, ...], ...]
    uppers: tuple[float, ...]
    shares: Floats
    coef: Floats
    doubt: float

    def chances(self, design: Floats) -> Floats:
        """Of each answer, for one row of the additive design, before they are tilted."""
        raw = np.maximum(self.shares + design @ self.coef, FLOOR * self.shares)
        out: Floats = raw / raw.sum()
        return out


@dataclass(frozen=True)
class Asking:
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Case:
    """Answers that come to much the same: in words, their chance, and score and range if it is one of them."""

    text: str
    chance: float
    score: float
    low: float
    high: float
    answers: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """`width` is the mean width of the range after the answer, in points, `now` before it. One entry an answer:
    `chances`, `probability`, `low`, `high`."""

    feature: str
    label: str
    now: float
    width: float
    cases: tuple[Case, ...]
    chances: Floats
    probability: Floats
    low: Floats
    high: Floats

    @property
    def narrows(self) -> float:
        return self.now - self.width


def learn(layout: Design, sample: Sample, additive: Additive) -> Asking:
    """The facts that can be asked for and their answers."""
    blank = sample.encoded.blank
    parts = layout.contributions(additive.coef, sample.design)
    found = [_fact(layout, sample, additive, fact, blank, parts) for fact in facts(layout, blank)]
    return Asking(tuple(fact for fact in found if fact is not None))


def questions(
    asking: Asking, layout: Design, score: Callable[[pa.Table], Scores], row: pa.Table, top: int = TOP
) -> list[Question]:
    """What to ask of the lead of a table of one row: the facts that narrow its range most, the best first; none where
    none is blank, or none would tell. `score`: the model's."""
    encoded = layout.encode(row)
    blank = dict(zip(layout.names, encoded.blank[0], strict=True))
    open_facts = [fact for fact in asking.facts if all(blank[name] for name in fact.names)]
    if not open_facts:
        return []
    design = layout.additive(encoded)[0]
    row = _plain(row, layout)
    counts = [len(fact.shares) for fact in open_facts]
    scores = score(pa.concat_tables([row, *(_answered(row, fact) for fact in open_facts)]))
    out, at = [], 1
    for fact, count in zip(open_facts, counts, strict=True):
        question = _question(fact, layout, scores, slice(at, at + count), fact.chances(design))
        out += [question] if question is not None else []
        at += count
    return sorted(out, key=lambda q: -q.narrows)[:top]


def tilted(chances: Floats, outcome: Floats, mean: float) -> Floats | None:
    """The chances nearest to these (in relative entropy) under which the outcome's mean is this; None where it is
    beyond all outcomes."""
    if not outcome.min() < mean < outcome.max():
        return None
    scale = float(outcome.max() - outcome.min())
    low, high = -200.0, 200.0
    for _ in range(80):
        middle = (low + high) / 2
        log = np.log(chances) + middle * (outcome - mean) / scale
        found: Floats = np.exp(log - log.max())
        found /= found.sum()
        low, high = (middle, high) if found @ outcome < mean else (low, middle)
    return found


def _question(fact: Fact, layout: Design, scores: Scores, part: slice, chances: Floats) -> Question | None:
    p, low, high = scores.probability[part], scores.low[part], scores.high[part]
    logit = np.log(p / (1 - p))
    base = float(logit[0] - _logit(scores.score[part][0] / 100))
    near = sigmoid(_logit(np.clip(scores.score[0] + np.array([-NEAR, NEAR]), 0.1, 99.9) / 100) + base)
    mean = float(np.clip(chances @ p, *near))
    chance = chances if mean == float(chances @ p) else tilted(chances, p, mean)
    if chance is None or not p.min() < scores.probability[0] < p.max():
        return None
    now, width = float(scores.high[0] - scores.low[0]), float(chance @ (high - low))
    if now - width < LEAST or float(chance @ (logit - chance @ logit) ** 2) <= fact.doubt:
        return None
    field = next(f for f in layout.fields if f.name == fact.names[0])
    cases = _cases(fact, field, chance, p, low, high, base)
    return Question(field.name, field.label, now, width, cases, chance, p, low, high)


def _cases(
    fact: Fact, field: Field, chance: Floats, p: Floats, low: Floats, high: Floats, base: float
) -> tuple[Case, ...]:
    """Two or three groups of answers, those of a number side by side, that differ most in the score."""
    logit = np.log(p / (1 - p))
    order = np.arange(len(p)) if isinstance(field, NumberField) else np.argsort(logit, kind="stable")
    for count in range(min(CASES, len(p)), 1, -1):
        splits = [np.split(order, cuts) for cuts in combinations(range(1, len(p)), count - 1)]
        best = min(splits, key=lambda groups: sum(_within(chance[g], logit[g]) for g in groups))
        cases = [_case(fact, field, best, k, chance, p, low, high, base) for k in range(count)]
        apart = [abs(a.score - b.score) for a, b in pairwise(cases)]
        if min(apart) >= APART or count == 2:
            break
    return tuple(sorted(cases, key=lambda case: -case.score))


def _case(
    fact: Fact, field: Field, groups: list[npt.NDArray[np.int64]], k: int, chance: Floats, p: Floats,
    low: Floats, high: Floats, base: float,
) -> Case:  # fmt: skip
    group = groups[k]
    share = chance[group] / chance[group].sum()
    middle = (_logit(low[group] / 100) + _logit(high[group] / 100)) / 2
    half = (_logit(high[group] / 100) - _logit(low[group] / 100)) / 2
    # within a case both what each answer leaves open and which of them it is are in doubt
    centre = float(share @ middle)
    wide = float(np.sqrt(share @ half**2 + Z90**2 * (share @ (middle - centre) ** 2)))
    mean = float(share @ p[group])
    score, ends = (
        to_score(_logit(np.array([mean])) - base),
        to_score(np.array([centre - wide, centre + wide])),
    )
    return Case(
        _said(fact, field, groups, k, chance), float(chance[group].sum()), float(score[0]), float(ends[0]),
        float(ends[1]), tuple(int(a) for a in group),
    )  # fmt: skip


def _said(fact: Fact, field: Field, groups: list[npt.NDArray[np.int64]], k: int, chance: Floats) -> str:
    group = groups[k]
    if isinstance(field, CategoryField):
        named = [str(fact.values[0][a]) for a in sorted(group, key=lambda a: -chance[a])]
        few, more = named[:2], len(named) - 2
        return " or ".join(few) if more <= 0 else f"{', '.join(few)} or {more} other{'s' if more > 1 else ''}"
    if field.unit == "0 or 1":
        return words.quantity(field.unit, float(fact.values[0][group[0]] or 0.0))
    below = words.quantity(field.unit, fact.uppers[group[0] - 1]) if k else ""
    above = words.quantity(field.unit, fact.uppers[group[-1]]) if k < len(groups) - 1 else ""
    if below and above:
        return f"{below} to {above}"
    return f"over {below}" if below else f"up to {above}"


def _within(chance: Floats, logit: Floats) -> float:
    mean = float(chance @ logit) / float(chance.sum())
    return float(chance @ (logit - mean) ** 2)


def _fact(
    layout: Design, sample: Sample, additive: Additive, fact: list[int], blank: npt.NDArray[np.bool_], parts: Floats
) -> Fact | None:  # fmt: skip
    known = np.flatnonzero(~blank[:, fact].any(axis=1))
    if len(known) < ENOUGH:
        return None
    spread = parts[known][:, fact].std(axis=0)
    numbers = [i for i, f in enumerate(fact) if f < len(layout.numbers)]
    first = max(numbers or range(len(fact)), key=lambda i: spread[i])
    fact = [fact[first], *fact[:first], *fact[first + 1 :]]
    some = sample.take(known[:: -(-len(known) // ROWS)])
    answer, uppers = _answers(layout, some, fact[0])
    weight = some.weight
    share = np.bincount(
        answer[answer >= 0], weights=weight[answer >= 0], minlength=answer.max(initial=-1) + 1
    )
    kept = np.flatnonzero(share >= SHARE * share.sum())
    if len(kept) < 2 or (uppers and len(kept) < len(share)):
        return None
    place = np.full(len(share) + 1, -1)
    place[kept] = np.arange(len(kept))
    answer = place[answer]
    use = answer >= 0
    some, answer, weight = some.take(use), answer[use], weight[use]
    share = np.bincount(answer, weights=weight) / weight.sum()
    own = np.concatenate([np.arange(*layout.spans[f]) for f in fact])
    x = some.design.copy()
    x[:, own] = 0.0
    x = x - np.average(x, axis=0, weights=weight)
    told = (np.arange(len(share)) == answer[:, None]) - share
    gram = x.T @ (x * weight[:, None])
    gram[np.diag_indices(len(gram))] += RIDGE
    coef = np.linalg.solve(gram, x.T @ (told * weight[:, None]))
    coef[own] = 0.0
    design = some.design[:, own] - some.design[:, own].mean(axis=0)
    doubt = additive.covariance[np.ix_(1 + own, 1 + own)]
    return Fact(
        tuple(layout.fields[f].name for f in fact),
        tuple(_values(layout, some, f, answer, len(share)) for f in fact),
        uppers, share, coef, float((design.T @ design / len(design) * doubt).sum()),
    )  # fmt: skip


def _answers(layout: Design, some: Sample, f: int) -> tuple[npt.NDArray[np.int64], tuple[float, ...]]:
    """Each row's answer, -1 for none with an effect of its own; of a number also the upper end of each but the last."""
    if f >= len(layout.numbers):
        codes = some.encoded.codes[:, f - len(layout.numbers)]
        return np.where(codes >= 0, codes, -1), ()
    values = some.encoded.numbers[:, f]
    levels = np.unique(values)
    if len(levels) <= BINS:
        uppers = levels[:-1]
    else:
        uppers = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
        uppers = uppers[uppers < values.max()]
    return np.searchsorted(uppers, values, side="left").astype(np.int64), tuple(uppers.tolist())


def _values(
    layout: Design, some: Sample, f: int, answer: npt.NDArray[np.int64], count: int
) -> tuple[float | str | None, ...]:
    """The value of a field that goes with each answer: a number's median, a category's commonest."""
    out: list[float | str | None] = []
    for a in range(count):
        rows = answer == a
        if f < len(layout.numbers):
            out.append(float(np.nanmedian(some.encoded.numbers[rows, f])))
            continue
        codes = some.encoded.codes[rows, f - len(layout.numbers)]
        own = codes[codes >= 0]
        field = layout.categories[f - len(layout.numbers)]
        out.append(field.values[int(np.bincount(own).argmax())] if len(own) else None)
    return tuple(out)


def _answered(row: pa.Table, fact: Fact) -> pa.Table:
    """The row once an answer, with the answer filled in."""
    out = row.take(pa.array(np.zeros(len(fact.shares), np.int64)))
    for name, values in zip(fact.names, fact.values, strict=True):
        at = out.column_names.index(name)
        out = out.set_column(at, name, pa.array(values, out.schema.field(name).type))
    return out


def _plain(row: pa.Table, layout: Design) -> pa.Table:
    """With the model's columns as float64 or string, whatever they came as: a blank one may have no type of its own."""
    for field in layout.fields:
        at = row.column_names.index(field.name)
        kind = pa.float64() if isinstance(field, NumberField) else pa.string()
        row = row.set_column(at, field.name, row.column(at).cast(kind))
    return row


def _logit(p: Floats) -> Floats:
    safe = np.clip(p, 1e-9, 1 - 1e-9)
    out: Floats = np.log(safe / (1 - safe))
    return out
