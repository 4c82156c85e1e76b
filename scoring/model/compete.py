"""Which segments earn a model of their own: the screen's candidates against the universal model on held-out leads (S4.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.additive import sigmoid
from scoring.model.dynamics import History
from scoring.model.segments import Candidate, Gain, Screen, Segment, gain, promising, screen
from scoring.model.threads import single
from scoring.model.train import Draft
from scoring.routing.policy import Models, Words

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OVERLAP = 0.5
"""share of a segment's leads beyond which it is the same story as one that was taken before"""


@dataclass(frozen=True)
class Held:
    """Held-out leads, a row each: as they were first scored, what became of them, which company each is of, and the chance
    that the universal model gives them."""

    rows: pa.Table
    won: Floats
    group: Ints
    universal: Floats

    def gain(self, inside: Bools, own: Draft) -> Gain:
        """What a model of their own saves on the leads `inside` a part."""
        said = chances(own, self.rows.filter(pa.array(inside)))
        return gain(self.won[inside], said, self.universal[inside], self.group[inside])


@dataclass(frozen=True)
class Judged:
    """A candidate whose own model was held against the universal one."""

    candidate: Candidate
    gain: Gain
    draft: Draft = field(repr=False)


@dataclass(frozen=True)
class Competition:
    """`earned`: the segments that get a model, the largest gain first."""

    screen: Screen
    judged: tuple[Judged, ...]
    earned: tuple[Judged, ...]


def compete(
    history: History,
    universal: Draft,
    held: Held,
    fit: Callable[[Segment], Draft],
    facts: Sequence[tuple[str, str]],
    policy: Models,
    words: Words,
    *,
    room: int,
    seed: int = 0,
    has_one: Sequence[Segment] = (),
) -> Competition:
    """`universal` was fitted on leads of which the history holds a row each; `fit` fits a segment's model on the same leads. At
    most `room` segments win and twice as many models are fitted, the most promising first. `has_one`: segments that have a
    model already."""
    if room <= 0:
        return Competition(Screen(0, ()), (), ())
    found = screen(history, universal.design, universal.point.additive, facts, policy, words, seed)
    judged: list[Judged] = []
    earned: list[Judged] = []
    taken = np.zeros(history.rows.num_rows, bool)
    for segment in has_one:
        taken |= segment.of(history.rows)
    for candidate in promising(found.candidates, policy):
        if len(earned) == room or len(judged) == 2 * room:
            break
        inside = candidate.segment.of(history.rows)
        if (inside & taken).sum() > OVERLAP * inside.sum():
            continue
        own = fit(candidate.segment)
        one = Judged(candidate, held.gain(candidate.segment.of(held.rows), own), own)
        judged.append(one)
        if one.gain.earned(policy):
            earned.append(one)
            taken |= inside
    return Competition(found, tuple(judged), tuple(earned))


def chances(model: Draft, rows: pa.Table) -> Floats:
    """What a model whose ranges aren't learnt yet says of rows."""
    if not rows.num_rows:
        return np.zeros(0)
    with single():
        encoded = model.design.encode(rows)
        return sigmoid(model.point.logit(model.design, encoded, model.design.additive(encoded)))
