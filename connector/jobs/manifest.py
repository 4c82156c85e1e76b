"""What a training set was made of, kept with its model: from it set and model can be made again (connector/jobs/reproduce.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.examples import Examples
from scoring.features.inputs import Fact
from scoring.routing.policy import Flags


def recipe(
    examples: Examples, facts: Sequence[Fact], known_since: Mapping[str, datetime], flags: Flags, mode: str
) -> dict[str, Any]:
    """The part of a manifest from which its training set is made again: which fields, known since when, and what came out,
    a hash a column."""
    return {
        "facts": [asdict(fact) for fact in facts],
        "known_since": {name: at.isoformat() for name, at in known_since.items()},
        "flags": flags.model_dump(),
        "mode": mode,
        "columns": hashes(examples.rows),
    }


def points(examples: Examples) -> pa.Table:
    """A row an example: lead_id, as_of, won, weight, group, amount, feedback. Groups are numbered in the order of their
    names, which folds are dealt out by, so that no e-mail domain is kept."""
    _, number = np.unique(examples.groups, return_inverse=True)
    group = np.char.zfill(number.astype(str), 9)
    return pa.table(
        {
            "lead_id": examples.rows["lead_id"], "as_of": examples.rows["as_of"], "won": examples.won, "weight": examples.weight,
            "group": group, "amount": examples.amount, "feedback": examples.feedback,
        }
    )  # fmt: skip


def hashes(rows: pa.Table) -> dict[str, str]:
    """SHA-256 of each column's values and blanks, the first 16 digits."""
    return {name: _hash(rows[name]) for name in rows.column_names}


def _hash(column: pa.ChunkedArray) -> str:
    sink = pa.BufferOutputStream()
    table = pa.table({"": column.combine_chunks()})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.sha256(sink.getvalue()).hexdigest()[:16]
