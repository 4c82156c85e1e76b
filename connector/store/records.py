"""Taking in what a pull brought: records, history and activities, with the cursor that stands for them, in one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from connector.crm.base import Activity, Change, Page, Record
from connector.store import schema as t
from connector.store.bulk import copy_in, sql, staged
from connector.store.learnt import forget
from connector.store.lineage import follow, inherited

OWN = "candor_"


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many rows a page brought and what they changed."""

    rows: int
    new: int
    changed: int


def take_in(
    db: Connection, page: Page, *, now: datetime, tracked: frozenset[str], people: frozenset[str]
) -> TakenIn:
    """Store a page and its cursor.

    `tracked`: lead fields whose history the CRM keeps (others get a dated row of our own each time they are seen to differ);
    `people`: Candor's fields that people write (their differences are what `harvest` reads).
    """
    new = changed = 0
    records = list({r.id: r for r in page.records}.values())
    if records:
        new, changed = _records(db, records, now, tracked, people)
    if page.changes:
        _changes(db, page.changes)
    if page.activities:
        new += _activities(db, page.stream, page.activities)
    rows = len(page.records) + len(page.changes) + len(page.activities)
    statement = insert(t.cursor).values(stream=page.stream, value=page.cursor, at=now, rows=rows)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["stream"], set_={"value": page.cursor, "at": now, "rows": t.cursor.c.rows + rows}
        )
    )
    return TakenIn(rows, new, changed)


def _records(
    db: Connection, records: Sequence[Record], now: datetime, tracked: frozenset[str], people: frozenset[str]
) -> tuple[int, int]:
    kind = records[0].kind
    found = db.execute(
        select(t.record.c.id, t.record.c["values"], t.record.c.deleted, t.record.c.merged_into).where(
            t.record.c.kind == kind, t.record.c.id.in_([r.id for r in records])
        )
    )
    before = {row.id: (row[1], row.deleted, row.merged_into) for row in found}
    merged = [
        r for r in records if r.merged_into and before.get(r.id, (None, False, None))[2] != r.merged_into
    ]
    sides: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for r in merged:
        sides[r.merged_into] += [before[r.id][0]] if r.id in before else []
    rows: list[dict[str, Any]] = []
    seen: list[dict[str, Any]] = []
    new = changed = 0
    for record in records:
        values = plain(record.values)
        old, was_deleted, _ = before.get(record.id, (None, False, None))
        is_new = old is None
        if kind == "lead" and (both := sides.get(record.id)):
            old = inherited(values, both, old, people)
        difference = {k: v for k, v in values.items() if old is None or old.get(k) != v}
        of_others = {k for k in difference if not k.startswith(OWN) or k in people}
        touched = is_new or bool(of_others) or was_deleted != record.deleted
        new += is_new
        changed += not is_new and touched
        rows.append(
            {"kind": kind, "id": record.id, "created_at": record.created_at, "modified_at": record.modified_at,
             "values": {**(old or {}), **values}, "deleted": record.deleted, "merged_into": record.merged_into,
             "touched": touched}
        )  # fmt: skip
        for field in of_others:
            own_watch = field in people or kind == "review" or (kind == "lead" and field not in tracked)
            own_watch |= (
                kind == "account" and field == "domain" and not is_new
            )  # a rebrand, where no history tells it
            if own_watch and (old is not None or values[field] is not None):
                # A field that the CRM keeps no history of is known from the moment we first saw it, not before.
                at = now if old is None and field not in people else record.modified_at
                seen.append(
                    {"kind": kind, "id": record.id, "field": field, "at": at, "old": (old or {}).get(field),
                     "new": values[field], "by": None, "source": "seen"}
                )  # fmt: skip
    columns = ("kind", "id", "created_at", "modified_at", "values", "deleted", "merged_into", "touched")
    with staged(db, t.record, rows, columns) as raw:
        raw.execute(sql("upsert_records"))
    if seen:
        copy_in(db, t.change, seen, ("kind", "id", "field", "at", "old", "new", "by", "source"),
                key=("kind", "id", "field", "at", "source"), update=("new",))  # fmt: skip
    if merged and kind == "lead":
        follow(db, merged)
    if kind == "lead":
        there = {id for id, (_, deleted, _) in before.items() if not deleted}
        forget(db, [r.id for r in records if r.deleted and not r.merged_into and r.id in there])
    return new, changed


def _changes(db: Connection, changes: Sequence[Change]) -> None:
    copy_in(
        db, t.change,
        [{"kind": c.kind, "id": c.id, "field": c.field, "at": c.at, "old": c.old, "new": c.new, "by": c.by, "source": "crm"}
         for c in changes],
        ("kind", "id", "field", "at", "old", "new", "by", "source"), key=("kind", "id", "field", "at", "source"),
        update=("old", "new"),
    )  # fmt: skip


def _activities(db: Connection, stream: str, activities: Sequence[Activity]) -> int:
    rows = [
        {"id": a.id, "stream": stream, "kind": a.kind, "at": a.at, "person_id": a.person_id, "account_id": a.account_id,
         "actor": a.actor, "detail": plain(a.detail), "modified_at": a.modified_at, "deleted": a.deleted}
        for a in activities
    ]  # fmt: skip
    columns = tuple(rows[0])
    count = copy_in(db, t.activity, rows, columns, key=("id",), update=columns[1:])
    touch(db, sorted({a.person_id for a in activities if a.person_id}))
    return count


def take_late(db: Connection, rows: Sequence[tuple[str, str, Activity | Change]]) -> None:
    """Rows that were kept aside until now: (stream, kept under, row)."""
    for stream, _, row in rows:
        if isinstance(row, Activity):
            _activities(db, stream, [row])
        else:
            _changes(db, [row])


def touch(db: Connection, person_ids: Sequence[str]) -> None:
    """Mark leads (by their own id or that of the contact they became) to be scored anew."""
    db.execute(text(sql("touch")), {"ids": list(person_ids)})


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As it will come back from JSON, so that two readings compare equal."""
    return {k: _plain(v) for k, v in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    return value


def cursors(db: Connection) -> dict[str, str]:
    return {row.stream: row.value for row in db.execute(select(t.cursor.c.stream, t.cursor.c.value))}


def known(db: Connection, kind: str | None, stream: str, since: datetime) -> dict[str, datetime]:
    """id -> modified_at of what the store has of a stream since a time (records by kind, activities by stream)."""
    if kind is not None:
        query = select(t.record.c.id, t.record.c.modified_at).where(
            t.record.c.kind == kind, t.record.c.modified_at >= since
        )
    else:
        query = select(t.activity.c.id, t.activity.c.modified_at).where(
            t.activity.c.stream == stream, t.activity.c.modified_at >= since
        )
    return {row[0]: row[1] for row in db.execute(query)}


def record_values(db: Connection, kind: str, ids: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Live records' values by id."""
    query = select(t.record.c.id, t.record.c["values"]).where(t.record.c.kind == kind, ~t.record.c.deleted)
    if ids is not None:
        query = query.where(t.record.c.id.in_(list(ids)))
    return {row[0]: row[1] for row in db.execute(query)}


def full_id(db: Connection, kind: str, short: str) -> str | None:
    """The id of 18 characters whose first 15 these are: Salesforce shows the short ones in reports and old pages."""
    if len(short) != 15:
        return None
    query = select(t.record.c.id).where(
        t.record.c.kind == kind, t.record.c.id.startswith(short, autoescape=True)
    )
    return next((row[0] for row in db.execute(query.limit(1)) if len(row[0]) == 18), None)


def forget_own(db: Connection, people: frozenset[str]) -> None:
    """Candor's fields and cases were taken out of the org: what it wrote there is there no more. What people said stays."""
    db.execute(text(sql("forget_own")), {"own": OWN, "people": sorted(people)})
    db.execute(update(t.record).where(t.record.c.kind == "review").values(deleted=True))
    db.execute(t.review.delete().where(t.review.c.status == "open"))


def written(
    db: Connection, kind: str, id: str, values: Mapping[str, Any], modified_at: datetime | None
) -> None:
    """Remember what the CRM now holds of our fields, so that our own write coming back is no news."""
    db.execute(
        text(sql("written")),
        {"kind": kind, "id": id, "values": json.dumps(plain(values)), "modified_at": modified_at},
    )
