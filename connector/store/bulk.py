"""Many rows at once: COPY into a temporary table, then one INSERT … ON CONFLICT; and columns out as Arrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from psycopg.sql import SQL, Composable, Composed, Identifier
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
    act: Composable = SQL("nothing")
    if update:
        each = [SQL("{0} = excluded.{0}").format(Identifier(c)) for c in update]
        act = SQL("update set {}").format(SQL(", ").join(each))
    with staged(db, table, unique.values(), columns) as raw:
        raw.execute(
            SQL("insert into {target} ({columns}) select {columns} from {new} on conflict ({key}) do {act}").format(
                target=Identifier(*_target(table)), columns=_names(columns), new=_staging(table),
                key=_names(key), act=act,
            )
        )  # fmt: skip
        return int(raw.rowcount)


@contextmanager
def staged(
    db: Connection, table: Table, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]
) -> Iterator[Any]:
    """A cursor that sees the rows in the temporary table new_<name>, which is gone afterwards."""
    names = {"new": _staging(table), "columns": _names(columns), "target": Identifier(*_target(table))}
    jsons = {c for c in columns if isinstance(table.c[c].type, JSONB)}
    raw = db.connection.cursor()
    raw.execute(
        SQL("create temporary table {new} on commit drop as select {columns} from {target} with no data").format(**names)
    )  # fmt: skip
    with raw.copy(SQL("copy {new} ({columns}) from stdin").format(**names)) as copy:
        for row in rows:
            copy.write_row(
                [as_json(row[c]) if c in jsons and row[c] is not None else row[c] for c in columns]
            )
    yield raw
    raw.execute(SQL("drop table {new}").format(**names))


def _staging(table: Table) -> Identifier:
    return Identifier(f"new_{table.name}")


def _target(table: Table) -> tuple[str, ...]:
    return (table.name,) if table.schema is None else (table.schema, table.name)


def _names(columns: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))


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


def to_ipc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_ipc(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(io.BytesIO(data)).read_all()
