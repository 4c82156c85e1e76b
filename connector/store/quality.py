"""Rows that can't be right, kept aside whole with the reason, and a profile of what each pull brought."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from connector.crm.base import Activity, Change, Record
from connector.store import schema as t
from connector.store.bulk import as_json, copy_in, sql
from connector.store.records import plain

_KEPT = timedelta(days=400)
"""profiles older than this are forgotten"""
_TIMES = ("at", "modified_at", "created_at")


@dataclass(frozen=True, slots=True)
class Odd:
    """One row and why it is kept aside. `ready_at`: when it stops being odd by itself."""

    what: Literal["record", "change", "activity"]
    id: str
    reason: str
    row: Record | Change | Activity
    ready_at: datetime | None = None


def set_aside(db: Connection, stream: str, rows: Sequence[Odd], now: datetime) -> None:
    copy_in(
        db, t.quarantine,
        [{"stream": stream, "id": f"{odd.what} {odd.id}", "reason": odd.reason, "at": now,
          "row": {"what": odd.what, **plain(asdict(odd.row))}, "ready_at": odd.ready_at} for odd in rows],
        ("stream", "id", "reason", "at", "row", "ready_at"), key=("stream", "id"), update=("reason", "row", "ready_at"),
    )  # fmt: skip


def release(db: Connection, stream: str, ids: Collection[str]) -> None:
    """Rows that came again and are right now: `ids` as "activity <id>" …"""
    if ids:
        db.execute(
            delete(t.quarantine).where(t.quarantine.c.stream == stream, t.quarantine.c.id.in_(list(ids)))
        )


def ready(db: Connection, now: datetime) -> list[tuple[str, str, Activity | Change]]:
    """Rows whose time has come, taken out of quarantine: (stream, kept under, row)."""
    found = db.execute(
        delete(t.quarantine).where(t.quarantine.c.ready_at <= now).returning(t.quarantine.c.stream, t.quarantine.c.id, t.quarantine.c.row)
    ).all()  # fmt: skip
    return [(row.stream, row.id, _back(row.row)) for row in found]


def created(db: Connection, kind: str, ids: Collection[str]) -> dict[str, datetime]:
    query = select(t.record.c.id, t.record.c.created_at).where(
        t.record.c.kind == kind, t.record.c.id.in_(list(ids))
    )
    return {row.id: row.created_at for row in db.execute(query)}


def twins(db: Connection, activities: Sequence[Activity]) -> dict[tuple[Any, ...], str]:
    """What makes an activity the same as another -> the id under which it is there already."""
    args = {
        "people": sorted({a.person_id for a in activities if a.person_id}),
        "times": sorted({a.at for a in activities}),
    }
    return {sameness(r.person_id, r.kind, r.at, r.detail): r.id for r in db.execute(text(sql("twins")), args)}


def sameness(person: str | None, kind: str, at: datetime, detail: Mapping[str, Any]) -> tuple[Any, ...]:
    return (person, kind, at.timestamp(), as_json(dict(sorted(plain(detail).items()))))


def remember(
    db: Connection, stream: str, at: datetime, rows: int, odd: int, found: Mapping[str, Any]
) -> None:
    """A pull's profile of one stream."""
    db.execute(delete(t.profile).where(t.profile.c.at < at - _KEPT))
    values = {"rows": rows, "odd": odd, "found": dict(found)}
    statement = insert(t.profile).values(stream=stream, at=at, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["stream", "at"], set_=values))


def profiles(db: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The newest first."""
    query = select(t.profile).order_by(t.profile.c.at.desc(), t.profile.c.stream).limit(limit)
    return [dict(row) for row in db.execute(query).mappings()]


def usual(db: Connection, stream: str) -> dict[str, Any] | None:
    """The profile of the stream's biggest pull so far: what its blanks usually are."""
    query = (
        select(t.profile.c.found)
        .where(t.profile.c.stream == stream)
        .order_by(t.profile.c.rows.desc())
        .limit(1)
    )
    row = db.execute(query).first()
    return None if row is None else dict(row.found)


def by_reason(db: Connection) -> dict[str, int]:
    query = select(t.quarantine.c.reason, func.count()).group_by(t.quarantine.c.reason)
    return {row[0]: row[1] for row in db.execute(query.order_by(t.quarantine.c.reason))}


def _back(row: Mapping[str, Any]) -> Activity | Change:
    values = {k: v for k, v in row.items() if k != "what"}
    for name in _TIMES:
        if isinstance(values.get(name), str):
            values[name] = datetime.fromisoformat(values[name])
    return Activity(**values) if row["what"] == "activity" else Change(**values)
