"""A model for edge cases (S4.5): the leads that the universal model would score and of which it is unsure, or that deviate.

It is one of the few (S4.2): it competes from so many reviewed leads on, is fitted to edge cases alone with what people said of
them, and stays only under the rule of a segment's model. Which leads are edge cases is the universal model's to say, of a
lead as it is; recent outcomes, which widen ranges, don't move a lead from one model to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.card import Model
from scoring.model.router import UNIVERSAL, Routed, Router

Bools = npt.NDArray[np.bool_]

NAME = "edge-cases"
"""stands for the model beside the names of segments, each of which begins with a fact's"""


@dataclass(frozen=True)
class EdgeCases:
    """The leads that no segment's model scores, and that the universal model is less than `sure` (points of confidence) of or
    flags."""

    sure: float

    @property
    def name(self) -> str:
        return NAME

    @property
    def said(self) -> str:
        return f"confidence below {self.sure:g} % or a deviation flag"

    def of(self, universal: Model, router: Router, rows: pa.Table) -> Bools:
        return self.among(universal, router.route(rows), rows)

    def among(self, universal: Model, routed: Routed, rows: pa.Table) -> Bools:
        """The same where it is known already which model each row goes to without this one."""
        out: Bools = routed.place == UNIVERSAL
        at = np.flatnonzero(out)
        out[at] = universal.unsure(rows.take(pa.array(at)), self.sure)
        return out


@dataclass(frozen=True)
class Edge:
    """The model of edge cases, and which leads those are."""

    cases: EdgeCases
    model: Model

    @classmethod
    def of(cls, cases: EdgeCases, universal: Model, model: Model) -> Edge:
        """What deviates is measured against all training leads: beside other odd ones an odd lead would look ordinary."""
        return cls(cases, replace(model, ordinary=universal.ordinary))
