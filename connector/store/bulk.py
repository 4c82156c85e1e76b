"""Many rows at once: COPY into a temporary table, then one INSERT … ON CONFLICT; and columns out as Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects.postgresql import JSONB


def as_json(value: Any) -> str:
    return orjson.dumps(value, default=_iso).decode()


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def copy_in(
    db: Connection, table: Table, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, key: Sequence[str],
    update: Sequence[str] = (),
) -> int:  # fmt: skip
    """Insert rows; where `key` is there already, set `update` (nothing: leave it). Returns how many were new or set.

    Of rows with the same key the last one counts.
    """
    unique = {tuple(str(row[k]) for k in key): row for row in rows}
    if not unique:
        return 0
    jsons = {c for c in columns if isinstance(table.c[c].type, JSONB)}
    name, target = f"new_{table.name}", f"{table.schema}.{table.name}"
    names = ", ".join(f'"{c}"' for c in columns)
    raw = db.connection.cursor()
    raw.execute(f"create temporary table {name} on commit drop as select {names} from {target} with no data")
    with raw.copy(f"copy {name} ({names}) from stdin") as copy:
        for row in unique.values():
            copy.write_row(
                [as_json(row[c]) if c in jsons and row[c] is not None else row[c] for c in columns]
            )
    what = "nothing"
    if update:
        what = "update set " + ", ".join(f'"{c}" = excluded."{c}"' for c in update)
    raw.execute(
        f"insert into {target} ({names}) select {names} from {name} on conflict ({', '.join(key)}) do {what}"
    )
    count = raw.rowcount
    raw.execute(f"drop table {name}")
    return int(count)


@cache
def sql(name: str) -> str:
    """The statement in sql/<name>.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def arrow(
    db: Connection, query: str, types: Mapping[str, pa.DataType], args: Mapping[str, Any] | None = None
) -> pa.Table:
    """A query's answer as an Arrow table with the columns and types of `types`."""
    rows = db.execute(text(query), args or {}).all()
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in types]
    return pa.table({n: pa.array(c, type=t) for (n, t), c in zip(types.items(), columns, strict=True)})
