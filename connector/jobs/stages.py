"""What a pass would do to the CRM, as a list: `explain` prints it, `enqueue` puts it into the outbox. A preview can't
drift from the deed, since both walk the same list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from connector.store import outbox
from connector.store import schema as t


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """Set Candor's fields on a record of the org."""

    kind: str
    id: str
    values: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class OpenReview:
    """Make a review case for a lead."""

    key: str
    lead_id: str
    values: Mapping[str, Any]
    tier: str
    due: datetime
    score: float
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class AskForm:
    """Show a rep the short form: behaviour contradicts the model."""

    key: str
    lead_id: str
    kind: str
    owner_id: str | None
    values: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """A record that was looked at and is not written."""

    id: str
    why: str


Stage = UpdateRecord | OpenReview | AskForm | LeaveAlone


def explain(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """One plain dict a stage, in the order of the deed."""
    return [_line(stage) for stage in stages]


def _line(stage: Stage) -> dict[str, Any]:
    match stage:
        case UpdateRecord():
            return {
                "do": "write",
                "kind": stage.kind,
                "id": stage.id,
                "values": dict(stage.values),
                "why": stage.why,
            }
        case OpenReview():
            return {
                "do": "open review",
                "kind": "review",
                "id": stage.key,
                "values": dict(stage.values),
                "why": stage.why,
            }
        case AskForm():
            return {
                "do": "ask",
                "kind": "lead",
                "id": stage.lead_id,
                "values": dict(stage.values),
                "why": stage.why,
            }
        case LeaveAlone():
            return {"do": "leave alone", "kind": "lead", "id": stage.id, "values": {}, "why": stage.why}
    raise TypeError(f"unknown stage {stage!r}")


def enqueue(db: Connection, run_id: int, now: datetime, stages: Sequence[Stage]) -> int:
    """The same list into the outbox, in the caller's transaction. Returns how many writes wait."""
    rows: list[tuple[str, str, Mapping[str, Any], str]] = []
    for stage in stages:
        match stage:
            case UpdateRecord():
                rows.append((stage.kind, stage.id, stage.values, stage.why))
            case OpenReview():
                db.execute(
                    insert(t.review).values(
                        key=stage.key, lead_id=stage.lead_id, opened_at=now, due=stage.due, tier=stage.tier,
                        score=stage.score, confidence=stage.confidence, status="open",
                    ).on_conflict_do_nothing()
                )  # fmt: skip
                rows.append(("review", stage.key, stage.values, stage.why))
            case AskForm():
                db.execute(
                    insert(t.form).values(
                        key=stage.key, lead_id=stage.lead_id, kind=stage.kind, owner_id=stage.owner_id, asked_at=now,
                        state="asked",
                    ).on_conflict_do_nothing()
                )  # fmt: skip
                rows.append(("lead", stage.lead_id, stage.values, stage.why))
            case LeaveAlone():
                pass
            case _:
                raise TypeError(f"unknown stage {stage!r}")
    outbox.add(db, run_id, now, _folded(rows))
    return len(rows)


def _folded(
    rows: Sequence[tuple[str, str, Mapping[str, Any], str]],
) -> list[tuple[str, str, Mapping[str, Any], str]]:
    """Several stages on one record are one write."""
    merged: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {}
    for kind, id, values, why in rows:
        into, whys = merged.setdefault((kind, id), ({}, []))
        into.update(values)
        whys.append(why)
    return [(kind, id, values, "; ".join(whys)) for (kind, id), (values, whys) in merged.items()]
