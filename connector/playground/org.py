"""An org's data, whatever the vendor: records, field history, associations, a write log and a clock, in one SQLite file.

Both local CRMs stand on it. It survives a kill: each request is one transaction (`with org.transaction():`).
Times are integers, milliseconds since 1970 UTC.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists record(
    obj text, id text, created integer, modified integer, modified_by text, deleted integer default 0, data text,
    primary key (obj, id)) without rowid;
create index if not exists record_modified on record(obj, modified, id);
create table if not exists history(
    seq integer primary key, obj text, id text, field text, at integer, old text, new text, by text, via text);
create index if not exists history_record on history(obj, id, field, at);
create index if not exists history_at on history(obj, at);
create table if not exists link(
    a_obj text, a_id text, b_obj text, b_id text, label text default '', primary key (a_obj, a_id, b_obj, b_id, label))
    without rowid;
create table if not exists meta(key text primary key, value text);
create table if not exists write_log(
    seq integer primary key, at integer, by text, op text, obj text, id text, data text);
"""


@dataclass(frozen=True, slots=True)
class Row:
    obj: str
    id: str
    created: int
    modified: int
    deleted: bool
    data: dict[str, Any]


class Org:
    """Records of one local CRM. Thread-safe by one lock; nested transactions join the outer one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + _SCHEMA)
        self._lock = threading.RLock()
        self._depth = 0

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            if self._depth == 0:
                self._db.execute("begin immediate")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("rollback")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("commit")

    def sql(self, query: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A read for what the methods below don't cover (SOQL compiles to this)."""
        with self._lock:
            return self._db.execute(query, args).fetchall()

    # -- the clock: stands still until it is advanced, but no two writes share a millisecond --

    def now(self) -> int:
        return int(self.meta("clock", 0))

    def tick(self) -> int:
        """The clock, moved on by one millisecond: the time of a write."""
        now = self.now() + 1
        self.set_meta("clock", now)
        return now

    def advance(self, ms: int) -> int:
        with self.transaction():
            self.set_meta("clock", self.now() + ms)
            return self.now()

    # -- meta: schema changes, tokens, jobs … as JSON by key --

    def meta(self, key: str, default: Any = None) -> Any:
        rows = self.sql("select value from meta where key = ?", (key,))
        return json.loads(rows[0][0]) if rows else default

    def set_meta(self, key: str, value: Any) -> None:
        with self.transaction():
            self._db.execute("insert or replace into meta values (?, ?)", (key, json.dumps(value)))

    # -- records --

    def get(self, obj: str, id: str) -> Row | None:
        rows = self.sql(
            "select obj, id, created, modified, deleted, data from record where obj = ? and id = ?", (obj, id)
        )
        return _row(rows[0]) if rows else None

    def all(self, obj: str, *, deleted: bool | None = False) -> list[Row]:
        """Every record of an object by id; deleted=None: live and deleted ones."""
        where = "" if deleted is None else f" and deleted = {int(deleted)}"
        return [_row(r) for r in self.sql(
            f"select obj, id, created, modified, deleted, data from record where obj = ?{where} order by id", (obj,))]  # fmt: skip

    def load(self, obj: str, rows: Iterable[tuple[str, int, int, Mapping[str, Any]]]) -> None:
        """Bulk seeding, (id, created, modified, data), outside history and write log."""
        with self.transaction():
            self._db.executemany(
                "insert or replace into record values (?, ?, ?, ?, 'seed', 0, ?)",
                ((obj, id, created, modified, json.dumps(data)) for id, created, modified, data in rows),
            )

    def load_history(self, rows: Iterable[tuple[str, str, str, int, Any, Any, str, str]]) -> None:
        """Bulk seeding of history: (obj, id, field, at, old, new, by, via)."""
        with self.transaction():
            self._db.executemany(
                "insert into history(obj, id, field, at, old, new, by, via) values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (o, i, f, at, json.dumps(old), json.dumps(new), by, via)
                    for o, i, f, at, old, new, by, via in rows
                ),
            )

    def load_links(self, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        """Bulk seeding of associations, (a_obj, a_id, b_obj, b_id, label), one direction a row."""
        with self.transaction():
            self._db.executemany("insert or ignore into link values (?, ?, ?, ?, ?)", rows)

    def create(self, obj: str, id: str, data: Mapping[str, Any], *, by: str, via: str = "api") -> Row:
        with self.transaction():
            at = self.tick()
            self._db.execute(
                "insert into record values (?, ?, ?, ?, ?, 0, ?)",
                (obj, id, at, at, by, json.dumps(dict(data))),
            )
            self._history(obj, id, {k: (None, v) for k, v in data.items() if v is not None}, at, by, via)
            self._log(at, by, "create", obj, id, data)
        row = self.get(obj, id)
        assert row is not None
        return row

    def update(self, obj: str, id: str, data: Mapping[str, Any], *, by: str, via: str = "api") -> Row:
        """Change some fields; the record's time moves even when no value does, as with the vendors. KeyError: no record."""
        with self.transaction():
            row = self.get(obj, id)
            if row is None:
                raise KeyError(id)
            at = self.tick()
            changed = {k: (row.data.get(k), v) for k, v in data.items() if row.data.get(k) != v}
            merged = {**row.data, **data}
            self._db.execute(
                "update record set modified = ?, modified_by = ?, data = ? where obj = ? and id = ?",
                (at, by, json.dumps(merged), obj, id),
            )
            self._history(obj, id, changed, at, by, via)
            self._log(at, by, "update", obj, id, data)
        return Row(obj, id, row.created, at, row.deleted, merged)

    def delete(self, obj: str, id: str, *, by: str, extra: Mapping[str, Any] | None = None) -> None:
        """Into the bin. `extra` sets fields with it (a merge's survivor)."""
        with self.transaction():
            row = self.get(obj, id)
            if row is None:
                raise KeyError(id)
            at = self.tick()
            self._db.execute(
                "update record set deleted = 1, modified = ?, modified_by = ?, data = ? where obj = ? and id = ?",
                (at, by, json.dumps({**row.data, **(extra or {})}), obj, id),
            )
            self._log(at, by, "delete", obj, id, extra or {})

    def restore(self, obj: str, id: str, *, by: str) -> None:
        """Out of the bin again, as it went in."""
        with self.transaction():
            row = self.get(obj, id)
            if row is None:
                raise KeyError(id)
            at = self.tick()
            self._db.execute(
                "update record set deleted = 0, modified = ?, modified_by = ? where obj = ? and id = ?",
                (at, by, obj, id),
            )
            self._log(at, by, "restore", obj, id, {})

    @contextmanager
    def at(self, ms: int) -> Iterator[None]:
        """Writes as of an earlier moment: a history that is being laid down."""
        with self.transaction():
            now = self.now()
            self.set_meta("clock", ms)
            yield
            self.set_meta("clock", now)

    def strip(self, obj: str, fields: Sequence[str]) -> None:
        """Remove fields from every record of an object: what deleting a field does. Times don't move."""
        with self.transaction():
            gone = set(fields)
            rows = self.sql("select id, data from record where obj = ?", (obj,))
            self._db.executemany(
                "update record set data = ? where obj = ? and id = ?",
                [
                    (json.dumps({k: v for k, v in json.loads(data).items() if k not in gone}), obj, id)
                    for id, data in rows
                ],
            )

    # -- history, associations, the write log --

    def history(self, obj: str, id: str | None = None, *, since: int = -1) -> list[dict[str, Any]]:
        """Changes, oldest first: {seq, id, field, at, old, new, by, via}."""
        where, args = (
            ("obj = ? and at > ?", [obj, since])
            if id is None
            else ("obj = ? and at > ? and id = ?", [obj, since, id])
        )
        rows = self.sql(
            f"select seq, id, field, at, old, new, by, via from history where {where} order by at, seq", args
        )
        return [
            {
                "seq": s,
                "id": i,
                "field": f,
                "at": at,
                "old": json.loads(o),
                "new": json.loads(n),
                "by": by,
                "via": via,
            }
            for s, i, f, at, o, n, by, via in rows
        ]

    def link(self, a_obj: str, a_id: str, b_obj: str, b_id: str, label: str = "") -> None:
        self.load_links([(a_obj, a_id, b_obj, b_id, label), (b_obj, b_id, a_obj, a_id, label)])

    def links(self, a_obj: str, a_ids: Sequence[str], b_obj: str) -> dict[str, list[str]]:
        """id -> the ids of b_obj associated with it."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(a_ids), 500):
            part = list(a_ids[start : start + 500])
            marks = ",".join("?" * len(part))
            for a, b in self.sql(
                f"select distinct a_id, b_id from link where a_obj = ? and b_obj = ? and a_id in ({marks}) order by b_id",
                [a_obj, b_obj, *part],
            ):
                found.setdefault(a, []).append(b)
        return found

    def write_log(self, since: int = 0) -> list[dict[str, Any]]:
        """Every create, update and delete since a sequence number: {seq, at, by, op, obj, id, data}."""
        rows = self.sql(
            "select seq, at, by, op, obj, id, data from write_log where seq > ? order by seq", (since,)
        )
        return [
            dict(zip(("seq", "at", "by", "op", "obj", "id", "data"), (*r[:6], json.loads(r[6])), strict=True))
            for r in rows
        ]

    def _history(
        self, obj: str, id: str, changed: Mapping[str, tuple[Any, Any]], at: int, by: str, via: str
    ) -> None:
        self.load_history([(obj, id, f, at, old, new, by, via) for f, (old, new) in changed.items()])

    def _log(self, at: int, by: str, op: str, obj: str, id: str, data: Mapping[str, Any]) -> None:
        self._db.execute(
            "insert into write_log(at, by, op, obj, id, data) values (?, ?, ?, ?, ?, ?)",
            (at, by, op, obj, id, json.dumps(dict(data))),
        )


def _row(r: tuple[Any, ...]) -> Row:
    return Row(r[0], r[1], r[2], r[3], bool(r[4]), json.loads(r[5]))
