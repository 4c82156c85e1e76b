"""Harvest: what people said in the CRM since the last pass, each once, with the score and confidence of that moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from connector.jobs.context import Context, log
from connector.store import outbox, records
from connector.store import schema as t
from connector.store.bulk import sql
from connector.store.store import put

_CURSOR = "harvested"
_ANSWERS = tuple(f"candor_feedback_{n}" for n in range(1, 6))


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a person said. `key` makes it one event."""

    key: str
    kind: str
    record_kind: str
    record_id: str
    lead_id: str | None
    at: datetime
    value: Mapping[str, Any]
    by: str | None
    """whose record it is, who is taken to have said it; None where the record has no owner"""


def harvest(context: Context, run_id: int) -> Counter[str]:
    """New events by kind. Reads what pull noticed and moves its own cursor in the same transaction."""
    now = context.clock.now()
    with context.store.begin() as db:
        since = db.execute(select(t.state.c.value).where(t.state.c.key == _CURSOR)).scalar() or 0
        rows = db.execute(
            select(t.change).where(t.change.c.seq > since, t.change.c.source == "seen", t.change.c.field.like("candor_%"))
            .order_by(t.change.c.seq)
        ).mappings().all()  # fmt: skip
        found: Counter[str] = Counter()
        for said in _events(db, rows):
            at_that_time = db.execute(
                select(t.score.c.score, t.score.c.confidence, t.score.c.model)
                .where(t.score.c.lead_id == said.lead_id, t.score.c.at <= said.at)
                .order_by(t.score.c.at.desc()).limit(1)
            ).first()  # fmt: skip
            score, confidence, model = at_that_time or (None, None, None)
            new = _once(
                db, key=said.key, kind=said.kind, record_kind=said.record_kind, record_id=said.record_id,
                lead_id=said.lead_id, at=said.at, value=dict(said.value), by=said.by, score=score, confidence=confidence, model=model,
                run_id=run_id,
            )  # fmt: skip
            found[said.kind] += new
            if new and said.kind == "form":
                _answered(db, said, run_id, now)
        _reviews(db, rows, run_id, now, found)
        if rows:
            put(db, _CURSOR, rows[-1]["seq"])
    if found:
        log.info("harvested", **found)
    return found


def _events(db: Connection, rows: Sequence[Any]) -> Iterator[Said]:
    lead_of_deal = {r.deal_id: r.lead_id for r in db.execute(text(sql("deal_leads")))} if rows else {}
    answers: dict[tuple[str, datetime], dict[str, Any]] = defaultdict(dict)
    owner = _owners(db, rows)
    for row in rows:
        kind, id, field, at, old, new = (row[c] for c in ("kind", "id", "field", "at", "old", "new"))
        lead, by = id if kind == "lead" else lead_of_deal.get(id), owner.get((kind, id))
        if field == "candor_tags":
            for tag in sorted(set(new or ()) - set(old or ())):
                yield Said(
                    f"tag:{kind}:{id}:{tag}:{at.isoformat()}", "tag", kind, id, lead, at, {"tag": tag}, by
                )
        elif field == "candor_override_score" and new is not None:
            values = records.record_values(db, kind, [id]).get(id, {})
            said = {"score": new, "reason": values.get("candor_override_reason")}
            yield Said(f"override:{id}:{at.isoformat()}", "override", kind, id, lead, at, said, by)
        elif field in _ANSWERS and new not in (None, ""):
            answers[id, at][field] = new
        elif field == "candor_outcome_as_expected" and new not in (None, ""):
            values = records.record_values(db, kind, [id]).get(id, {})
            said = {"as_expected": new, "reason": values.get("candor_surprise_reason")}
            yield Said(f"closing:{kind}:{id}:{at.isoformat()}", "closing", kind, id, lead, at, said, by)
    for (id, at), given in answers.items():
        yield Said(f"form:{id}:{at.isoformat()}", "form", "lead", id, id, at, given, owner.get(("lead", id)))


def _owners(db: Connection, rows: Sequence[Any]) -> dict[tuple[str, str], str | None]:
    """(kind, id) -> who owns the record now."""
    found: dict[tuple[str, str], str | None] = {}
    for kind in ("lead", "deal"):
        ids = sorted({row["id"] for row in rows if row["kind"] == kind})
        values = records.record_values(db, kind, ids) if ids else {}
        found |= {(kind, id): values.get(id, {}).get("owner_id") for id in ids}
    return found


def _answered(db: Connection, said: Said, run_id: int, now: datetime) -> None:
    """The form is done: its question leaves the record, so that the next one starts blank."""
    db.execute(
        update(t.form).where(t.form.c.lead_id == said.record_id, t.form.c.state == "asked")
        .values(state="answered", answered_at=said.at)
    )  # fmt: skip
    blank = {"candor_feedback_due": "none"} | dict.fromkeys(_ANSWERS)
    outbox.add(db, run_id, now, [("lead", said.record_id, blank, "the form was answered")])


def _reviews(db: Connection, rows: Sequence[Any], run_id: int, now: datetime, found: Counter[str]) -> None:
    """Completed review cases; one completed without decision or reason is opened again (where the CRM could not refuse)."""
    ids = sorted({row["id"] for row in rows if row["kind"] == "review"})
    values = records.record_values(db, "review", ids) if ids else {}
    for id in ids:
        case = values.get(id, {})
        key = case.get("candor_key")
        if key is None or case.get("candor_status") != "completed":
            continue
        decision, reason = case.get("candor_decision"), case.get("candor_reason")
        if not decision or not reason:
            blank = {
                "candor_status": "open",
                "candor_note": "Opened again by Candor: a review needs a decision and a reason.",
            }
            outbox.add(db, run_id, now, [("review", key, blank, "completed without decision or reason")])
            continue
        ours = db.execute(select(t.review).where(t.review.c.key == key)).mappings().first()
        if ours is None:
            continue
        at = max(row["at"] for row in rows if row["kind"] == "review" and row["id"] == id)
        said = {"decision": decision, "reason": reason, "note": case.get("candor_note")}
        found["review"] += _once(
            db, key=f"review:{key}", kind="review", record_kind="review", record_id=id, lead_id=ours["lead_id"], at=at,
            value=said, score=ours["score"], confidence=ours["confidence"], model=None, run_id=run_id,
        )  # fmt: skip
        db.execute(
            update(t.review).where(t.review.c.key == key)
            .values(status="completed", decision=decision, reason=reason, decided_at=at)
        )  # fmt: skip
        records.touch(db, [ours["lead_id"]])


def _once(db: Connection, **event: Any) -> bool:
    """Store an event unless it is there already; whether it was new."""
    statement = insert(t.feedback).values(**event).on_conflict_do_nothing().returning(t.feedback.c.key)
    return db.execute(statement).first() is not None
