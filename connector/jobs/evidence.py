"""What the store holds, as the audits look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from connector.jobs import gaps, warehouse
from connector.jobs.context import Context
from connector.jobs.examples import contact, lot
from connector.jobs.fields import facts
from connector.jobs.scope import Outcomes, in_scope
from connector.store import asof, records
from connector.store.asof import Life
from scoring.audit.evidence import TIME, Evidence, no_rows
from scoring.audit.suspect import Doubtful, Suspect, doubtful, persons, suspect
from scoring.features.inputs import REFUSED

MOST = 40_000
"""leads that the leakage audit looks at, drawn by their ids: more say nothing new"""
_NAMES = frozenset({"first_name", "last_name", "email", "company", "account_id"})
"""Who a lead is, and the account that conversion makes: no description of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Leads in scope with their records and lives, read once."""

    values: Mapping[str, Mapping[str, Any]]
    lives: tuple[Life, ...]
    closed_by: Mapping[str, str | None]
    owners: frozenset[str]


def look(context: Context, db: Connection) -> Seen:
    values = records.record_values(db, "lead")
    lives = tuple(life for life in asof.lives(db) if in_scope(values[life.lead_id], context.settings) is None)
    return Seen(values, lives, asof.closed_by(db), frozenset(records.record_values(db, "owner")))


def evidence(context: Context, db: Connection, seen: Seen) -> Evidence:
    """For the leakage audit: every mapped field but those that say who a lead is or define its outcome."""
    settings, outcomes = context.settings, Outcomes(context.settings.outcome.status)
    snapshot = settings.training.mode == "snapshot"
    some = len(seen.lives) > MOST
    lives = [life for life in seen.lives if not some or lot(life.lead_id) < MOST / len(seen.lives)]
    names = sorted({
        name for life in lives for name in seen.values[life.lead_id]
        if name not in REFUSED and name not in _NAMES and not name.startswith("candor_")
    })  # fmt: skip
    tracked: Mapping[str, datetime] = {} if snapshot else gaps.known_since(context)
    ids = [life.lead_id for life in lives]
    ends = [outcomes.ended_at(life) for life in lives]
    won = [outcomes.won(life) for life in lives]
    leads: dict[str, Any] = {"lead_id": pa.array(ids, pa.string()), "won": pa.array(won, pa.bool_())}
    changes, activities = no_rows("changes"), no_rows("activities")
    if not snapshot:
        leads |= {
            "created_at": pa.array([life.created_at for life in lives], TIME),
            "ended_at": pa.array(
                [_ended(life, end, w) for life, end, w in zip(lives, ends, won, strict=True)], TIME
            ),
        }
        changes, activities = asof.for_audit(db, fields=names, tracked=tracked, leads=ids if some else None)
        if there := warehouse.named_in(settings):
            with warehouse.engine(settings) as engine:
                if "changes" in there:
                    changes = warehouse.for_audit(engine, settings, "changes", leads=ids, fields=names)
                    tracked = dict.fromkeys(changes["field"].unique().to_pylist(), gaps.ALWAYS)
                if "activities" in there:
                    activities = warehouse.for_audit(engine, settings, "activities", leads=ids)
    columns = {
        name: pa.array([_text(seen.values[lead].get(name)) for lead in ids], pa.string()) for name in names
    }
    return Evidence(
        pa.table(leads), pa.table({"lead_id": pa.array(ids, pa.string()), **columns}), changes, activities,
        frozenset(tracked), None if snapshot else context.clock.now(),
        {fact.name: fact.label for fact in facts(settings)},
    )  # fmt: skip


def suspects(context: Context, seen: Seen) -> Suspect:
    """One person as several leads, and labels that nobody gave one by one."""
    outcomes = Outcomes(context.settings.outcome.status)
    person = persons(contact(life.lead_id, seen.values[life.lead_id]) for life in seen.lives)
    outcome = {life.lead_id: bool(outcomes.won(life)) for life in seen.lives if outcomes.ended_at(life)}
    calculated = context.store.get("calculated_fields", [])
    return suspect(person, outcome, doubts(context, seen), calculated)


def doubts(context: Context, seen: Seen) -> list[Doubtful]:
    """Labels that nobody gave one by one; none in a table without times."""
    if context.settings.training.mode == "snapshot":
        return []
    outcomes = Outcomes(context.settings.outcome.status)
    closed = [(life, end) for life in seen.lives if (end := outcomes.ended_at(life)) is not None]
    return doubtful(
        [life.lead_id for life, _ in closed],
        np.array([int(end.timestamp() * 1e6) for _, end in closed], np.int64),
        np.array([bool(outcomes.won(life)) for life, _ in closed], bool),
        [seen.closed_by.get(life.lead_id) for life, _ in closed],
        seen.owners,
    )


def listed(labels: Sequence[Doubtful], most: int) -> list[dict[str, Any]]:
    """JSON-ready, with the first `most` ids of each."""
    return [
        {"why": one.why, "leads": len(one.leads), "won": one.won, "at": one.at, "ids": list(one.leads[:most])}
        for one in labels
    ]


def _ended(life: Life, end: datetime | None, won: bool | None) -> datetime | None:
    """When the outcome was known: of a lead that became a deal, when the deal ended."""
    if won is None:
        return None
    if won and life.won_at is not None:
        return life.won_at
    return max(filter(None, (end, life.lost_at)), default=None)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
