"""The table that every metric reads: first-routed leads whose outcome has matured, as arrays.

The columns are those of docs/architecture.md, section 6. Four more are used where they are there: `threshold`
(the score from which the lead qualified, points), `completeness` (percent of mapped fields known),
`conflicting` (bool) and `old_probability` (what the model before would have said). Every other text column
(region, function, title_function …) is a characteristic that the audit may use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring.errors import MissingColumn

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NUMBERS = ("score", "probability", "low", "high", "confidence")
TRUTHS = ("edge_case", "reached_person", "hand_raiser", "won")
KNOWN_TEXTS = ("route", "channel", "segment", "size_band", "industry", "source", "function", "region")

NEEDED = {"lead_id": pa.string(), "scored_at": pa.timestamp("us", "UTC")}
NEEDED |= {name: pa.float64() for name in NUMBERS} | {name: pa.bool_() for name in TRUTHS}
NEEDED |= {"flags": pa.list_(pa.string()), "route": pa.string()}
OPTIONAL = {name: pa.string() for name in KNOWN_TEXTS if name != "route"}
OPTIONAL |= {"amount": pa.float64(), "predicted_amount": pa.float64(), "surprise": pa.bool_()}

SCHEMA = pa.schema(list((NEEDED | OPTIONAL).items()))
"""the contract as an Arrow schema"""


@dataclass(frozen=True)
class Outcomes:
    """One entry per lead in every array. Points 0-100; amounts in the org's currency; NaN where nothing is
    known.
    """

    lead_id: NDArray[np.object_]
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    confidence: Floats
    edge_case: Bools
    reached_person: Bools
    hand_raiser: Bools
    won: Bools
    amount: Floats
    """won amount; 0 for leads that were not won"""
    predicted_amount: Floats
    threshold: Floats
    """NaN where it was not recorded"""
    completeness: Floats
    surprise: Bools
    """the outcome came for other reasons than expected"""
    conflicting: Bools
    old_probability: Floats
    """what the model before would have said; NaN where it was not asked"""
    flags: tuple[tuple[str, ...], ...]
    texts: Mapping[str, NDArray[np.object_]]
    """route, channel, segment … and any further text column; None where blank"""

    def __len__(self) -> int:
        return len(self.won)

    def where(self, mask: Bools) -> Outcomes:
        """The leads for which `mask` is true."""
        values: dict[str, Any] = {
            name: value[mask] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        values["flags"] = tuple(f for f, keep in zip(self.flags, mask, strict=True) if keep)
        values["texts"] = {name: value[mask] for name, value in self.texts.items()}
        return Outcomes(**values)

    def text(self, name: str) -> NDArray[np.object_]:
        """A text column, all blank where the table has none of that name."""
        return self.texts.get(name, np.full(len(self), None, dtype=object))

    @property
    def value(self) -> Floats:
        """What a lead was or would be worth: the won amount, else the predicted one, else 0."""
        won_amount = np.where(self.won & (self.amount > 0), self.amount, np.nan)
        return np.nan_to_num(np.where(np.isnan(won_amount), self.predicted_amount, won_amount))


def read(table: pa.Table) -> Outcomes:
    """The outcomes of an Arrow table. Raises MissingColumn."""
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise MissingColumn(
            f"The table of matured leads lacks {', '.join(missing)} (docs/architecture.md, 6)."
        )
    won = _bools(table, "won")
    texts = {
        field.name: _objects(table, field.name)
        for field in table.schema
        if field.name != "lead_id" and _is_text(field.type)
    }
    return Outcomes(
        lead_id=_objects(table, "lead_id"),
        score=_floats(table, "score"),
        probability=np.clip(_floats(table, "probability"), 1e-6, 1 - 1e-6),
        low=_floats(table, "low"),
        high=_floats(table, "high"),
        confidence=_floats(table, "confidence"),
        edge_case=_bools(table, "edge_case"),
        reached_person=_bools(table, "reached_person"),
        hand_raiser=_bools(table, "hand_raiser"),
        won=won,
        amount=np.where(won, np.nan_to_num(_floats(table, "amount")), 0.0),
        predicted_amount=_floats(table, "predicted_amount"),
        threshold=_floats(table, "threshold"),
        completeness=_floats(table, "completeness"),
        surprise=_bools(table, "surprise"),
        conflicting=_bools(table, "conflicting"),
        old_probability=_floats(table, "old_probability"),
        flags=tuple(tuple(f or ()) for f in table.column("flags").to_pylist()),
        texts=texts,
    )


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _floats(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table.column(name).cast(pa.float64()).combine_chunks()
    return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _bools(table: pa.Table, name: str) -> Bools:
    if name not in table.column_names:
        return np.zeros(table.num_rows, dtype=bool)
    return np.array(
        table.column(name).cast(pa.bool_()).fill_null(False).combine_chunks().to_numpy(False), dtype=bool
    )


def _objects(table: pa.Table, name: str) -> NDArray[np.object_]:
    return np.array([*table.column(name).to_pylist(), None], dtype=object)[:-1]
