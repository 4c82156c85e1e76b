"""The outbox: what is to be written into the CRM, born in the transaction that decided it.

A row is pending, then sending (committed before the call goes out), then done or refused. One that is still sending when
a pass begins was sent by a process that died before the answer came: it is read back before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from connector.store import schema as t
from connector.store.bulk import sql
from connector.store.records import plain


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    kind: str
    record_id: str
    values: Mapping[str, Any]
    why: str
    attempts: int


def add(
    db: Connection, run_id: int, now: datetime, rows: Sequence[tuple[str, str, Mapping[str, Any], str]]
) -> None:
    """Queue (kind, record id, values, why). What an older pending row of the same record would write is folded in."""
    if not rows:
        return
    found = db.execute(
        select(t.outbox.c.seq, t.outbox.c.kind, t.outbox.c.record_id, t.outbox.c["values"]).where(
            t.outbox.c.state == "pending", t.outbox.c.record_id.in_([r[1] for r in rows])
        )
    ).all()
    # An id alone names no record: a contact and a company may have the same.
    named = {(kind, id) for kind, id, _, _ in rows}
    waiting = [row for row in found if (row.kind, row.record_id) in named]
    older: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(waiting, key=lambda r: r.seq):
        older.setdefault((row.kind, row.record_id), {}).update(row[3])
    if waiting:
        db.execute(
            update(t.outbox).where(t.outbox.c.seq.in_([w.seq for w in waiting])).values(state="superseded")
        )
    db.execute(
        insert(t.outbox),
        [
            {"run_id": run_id, "kind": kind, "record_id": id, "why": why, "state": "pending", "created_at": now,
             "values": {**older.get((kind, id), {}), **plain(values)}}
            for kind, id, values, why in rows
        ],
    )  # fmt: skip


def waiting(db: Connection) -> list[Entry]:
    return _entries(db, t.outbox.c.state.in_(("pending", "sending")))


def unanswered(db: Connection) -> list[Entry]:
    return _entries(db, t.outbox.c.state == "sending")


def unsent(db: Connection, kind: str) -> dict[str, dict[str, Any]]:
    """Values that wait, by record: what the CRM will show on top of what it shows now."""
    found: dict[str, dict[str, Any]] = {}
    for entry in waiting(db):
        if entry.kind == kind:
            found.setdefault(entry.record_id, {}).update(entry.values)
    return found


def give_back(db: Connection, entry: Entry) -> None:
    """It never arrived: it waits again, or is folded into what was decided about the same record since."""
    newer = db.execute(
        select(t.outbox.c.seq, t.outbox.c["values"]).where(
            t.outbox.c.state == "pending", t.outbox.c.kind == entry.kind, t.outbox.c.record_id == entry.record_id
        )
    ).first()  # fmt: skip
    if newer is not None:
        both = {**entry.values, **newer[1]}
        db.execute(update(t.outbox).where(t.outbox.c.seq == newer.seq).values({"values": both}))
    settle(db, [entry.seq], "pending" if newer is None else "superseded")


def claim(db: Connection, kind: str, limit: int) -> list[Entry]:
    """Take the oldest pending rows of a kind to be sent; another process never gets the same."""
    rows = db.execute(text(sql("claim")), {"kind": kind, "limit": limit}).all()
    return sorted((Entry(*row) for row in rows), key=lambda e: e.seq)


def settle(
    db: Connection, seqs: Sequence[int], state: str, *, now: datetime | None = None, code: str | None = None,
    message: str | None = None,
) -> None:  # fmt: skip
    if seqs:
        db.execute(
            update(t.outbox)
            .where(t.outbox.c.seq.in_(list(seqs)))
            .values(state=state, sent_at=now, code=code, message=message)
        )


def counts(db: Connection) -> dict[str, int]:
    return {
        row[0]: row[1]
        for row in db.execute(select(t.outbox.c.state, func.count()).group_by(t.outbox.c.state))
    }


def _entries(db: Connection, where: Any) -> list[Entry]:
    columns = (
        t.outbox.c.seq,
        t.outbox.c.kind,
        t.outbox.c.record_id,
        t.outbox.c["values"],
        t.outbox.c.why,
        t.outbox.c.attempts,
    )
    return [Entry(*row) for row in db.execute(select(*columns).where(where).order_by(t.outbox.c.seq))]
