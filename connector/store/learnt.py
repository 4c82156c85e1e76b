"""What models learnt from, lead by lead, kept beside them: a lead that is deleted in the CRM goes out of it (S10.3).

What is left of it among a model's examples is nobody's: how it looked to the model, as coarse classes, and how it ended, so that
"based on 212 leads like this" stays true. Its words, and its line in the backtest, go whole. A model can't be made again then.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select, update

from connector.store import schema as t
from connector.store.bulk import from_ipc, to_ipc

_LEAD = "lead_id"
_NOBODYS = ("won", "like", "logit")
"""columns of an example that stay, with those of a family's other models (`like/NAME`)"""


def forget(db: Connection, leads: Collection[str]) -> None:
    """Take leads out of what every model learnt from."""
    if not leads:
        return
    columns = (t.model.c.version, t.model.c.examples, t.model.c.said, t.model.c.backtest)
    for row in db.execute(select(*columns)).all():
        changed = {
            "examples": _without(row.examples, leads, _NOBODYS),
            "said": _without(row.said, leads, ()),
            "backtest": _dropped(row.backtest, leads),
        }
        changed = {name: blob for name, blob in changed.items() if blob is not None}
        if changed:
            db.execute(update(t.model).where(t.model.c.version == row.version).values(**changed))


def _without(blob: bytes | None, leads: Collection[str], kept: tuple[str, ...]) -> bytes | None:
    """The table with nothing but columns `kept` of these leads, each of which gets a name that says nothing; None where it
    holds none."""
    if blob is None:
        return None
    table = from_ipc(blob)
    theirs, gone = _theirs(table, leads)
    if not gone.any():
        return None
    taken = {lead for lead in theirs if lead.startswith("gone ")}
    free = (name for n in range(len(theirs) + 1) if (name := f"gone {n}") not in taken)
    renamed = {lead: next(free) for lead in dict.fromkeys(theirs[gone].tolist())}
    columns = {}
    for field in table.schema:
        column = table[field.name]
        if field.name == _LEAD:
            columns[field.name] = pa.array([renamed.get(lead, lead) for lead in theirs.tolist()], field.type)
        elif field.name.partition("/")[0] in kept:
            columns[field.name] = column
        else:
            columns[field.name] = pc.if_else(pa.array(gone), pa.scalar(None, field.type), column)
    return to_ipc(pa.table(columns))


def _dropped(blob: bytes | None, leads: Collection[str]) -> bytes | None:
    """The table without their lines; None where it holds none."""
    if blob is None:
        return None
    table = from_ipc(blob)
    _, gone = _theirs(table, leads)
    return to_ipc(table.filter(pa.array(~gone))) if gone.any() else None


def _theirs(table: pa.Table, leads: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    ids = np.array(table[_LEAD].to_pylist(), dtype=str)
    return ids, np.isin(ids, list(leads))
