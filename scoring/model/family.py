"""The models of an org as one: the universal model, those of segments and of edge cases, and the router between them (S4.2, S4.3).

A family is what is released, scores and is brought back. Where nothing has earned a model it is the universal one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.metrics.scores import losses
from scoring.model.card import Model
from scoring.model.edge import Edge
from scoring.model.recent import Recent
from scoring.model.router import UNIVERSAL, Routed, Router
from scoring.model.scores import Scores, gathered
from scoring.model.segments import Segment

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Family:
    """`members` are the models of `router.segments`, in their order; `edge` is the one of edge cases, where they earned one."""

    universal: Model
    members: tuple[Model, ...] = ()
    router: Router = field(default_factory=partial(Router, ()))
    edge: Edge | None = None

    @property
    def version(self) -> str:
        return self.universal.version

    @property
    def base_rate(self) -> float:
        return self.universal.base_rate

    @property
    def models(self) -> tuple[Model, ...]:
        """Each at the place that the router names it by; that of edge cases is the last."""
        return (self.universal, *self.members, *([] if self.edge is None else [self.edge.model]))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models beside the universal one, in the same order."""
        own = [segment.name for segment in self.router.segments]
        return (*own, *([] if self.edge is None else [self.edge.cases.name]))

    def part(self, name: str) -> Callable[[pa.Table], Bools]:
        """Which rows the model of that name is fitted on. Raises KeyError."""
        if self.edge is not None and name == self.edge.cases.name:
            return partial(self.edge.cases.of, self.universal, self.router)
        return {segment.name: segment.of for segment in self.router.segments}[name]

    def route(self, rows: pa.Table) -> Routed:
        """Which model scores each row: a segment's, where hard facts or the tree say so; of the others the edge cases go to a
        model of their own where there is one, and the rest to the universal model."""
        routed = self.router.route(rows)
        if self.edge is None:
            return routed
        edge = self.edge.cases.among(self.universal, routed, rows)
        return Routed(np.where(edge, len(self.members) + 1, routed.place), routed.by_facts)

    def score(self, rows: pa.Table, routed: Routed | None = None, recent: Recent | None = None) -> Scores:
        """Scores of each row by the model that the router picks for it, or as `routed`. `recent`: what outcomes since the
        training say of the family."""
        parts = [
            (at, model.score(rows.take(pa.array(at)), recent)) for model, at in self._parts(rows, routed)
        ]
        return gathered(parts, rows.num_rows) if parts else self.universal.score(rows, recent)

    def logit(self, rows: pa.Table) -> Floats:
        """What the models alone say of each row: of its chance, the log odds."""
        out = np.empty(rows.num_rows)
        for model, at in self._parts(rows, None):
            out[at] = model.logit(rows.take(pa.array(at)))
        return out if self.names else self.universal.logit(rows)

    def _parts(self, rows: pa.Table, routed: Routed | None) -> list[tuple[Model, Ints]]:
        """Each model that has rows, with their places; none where the universal model is alone."""
        if not self.names:
            return []
        place = (routed or self.route(rows)).place
        found = [(model, np.flatnonzero(place == i)) for i, model in enumerate(self.models)]
        return [(model, at) for model, at in found if len(at)]

    def scored_by(self, routed: Routed) -> list[str]:
        """The version of the model that scores each row."""
        names = [model.version for model in self.models]
        return [names[i] for i in routed.place]

    def without(self, retired: Sequence[str]) -> Family:
        """The family in which the universal model scores the leads of these segments, or the edge cases, again."""
        kept = [i for i, segment in enumerate(self.router.segments) if segment.name not in retired]
        edge = None if self.edge is None or self.edge.cases.name in retired else self.edge
        if len(kept) == len(self.members):
            return self if edge is self.edge else replace(self, edge=edge)
        new_place = {UNIVERSAL: UNIVERSAL, **{old + 1: new for new, old in enumerate(kept, start=1)}}
        rules = tuple(replace(r, place=new_place.get(r.place, UNIVERSAL)) for r in self.router.rules)
        router = Router(tuple(self.router.segments[i] for i in kept), rules)
        return Family(self.universal, tuple(self.members[i] for i in kept), router, edge)


Chances = Callable[[pa.Table], Floats]
"""what a model says of rows"""


def routing_error(
    router: Router, models: Sequence[Chances], rows: pa.Table, won: Floats
) -> dict[str, float | int | None]:
    """What routing costs, on leads that none of the models (each at its place) has seen: the share that hard facts decide, and
    of those leads, were these facts blank: the share that the tree sends to another model, and the log loss (nats a lead) that
    comes of it."""
    routed = router.route(rows)
    sure = routed.by_facts
    found: dict[str, float | int | None] = {
        "leads": rows.num_rows, "by_facts": float(sure.mean()) if rows.num_rows else None, "misrouted": None, "extra_log_loss": None,
    }  # fmt: skip
    if not router.segments or not sure.any():
        return found
    blanked = router.hidden(rows.filter(pa.array(sure)))
    right, guessed = routed.place[sure], router.route(blanked).place
    wrong = np.flatnonzero(guessed != right)
    part, y = blanked.take(pa.array(wrong)), won[sure][wrong] > 0.5
    more = (
        (losses(y, _said(models, guessed[wrong], part)) - losses(y, _said(models, right[wrong], part))).sum()
        if len(wrong)
        else 0.0
    )
    found |= {"misrouted": len(wrong) / int(sure.sum()), "extra_log_loss": float(more) / int(sure.sum())}
    return found


def _said(models: Sequence[Chances], place: Ints, rows: pa.Table) -> Floats:
    out = np.empty(rows.num_rows)
    for i in np.unique(place):
        at = np.flatnonzero(place == i)
        out[at] = models[i](rows.take(pa.array(at)))
    return out


def segment_of(plain: Mapping[str, Any]) -> Segment:
    """A segment as a manifest keeps it."""
    return Segment(plain["fact"], plain["label"], tuple(plain["values"]))
