"""A lead's life goes on through a merge (S10.3): what was done with either side is the survivor's from then on.

Salesforce keeps the master's id; HubSpot gives a new one, under which the store knows nothing yet. Scores and decisions
follow only to a survivor that has none of its own: where it has, they are its history, and the loser's stay the loser's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from sqlalchemy import Connection, select, text, update

from connector.crm.base import Record
from connector.store import schema as t

_ALWAYS = (
    "update candor.activity set person_id = :winner where person_id = :loser",
    "update candor.feedback set lead_id = :winner where lead_id = :loser",
    "update candor.review set lead_id = :winner where lead_id = :loser",
    "update candor.form set lead_id = :winner where lead_id = :loser",
    "update candor.outbox set state = 'superseded', message = 'merged into ' || cast(:winner as text) "
    "where kind = 'lead' and record_id = :loser and state = 'pending'",
)
_PAST = tuple(
    f"update candor.{name} r set lead_id = :winner where lead_id = :loser and not exists "
    f"(select from candor.{name} o where o.lead_id = :winner and o.at = r.at)"
    for name in ("score", "decision")
)


def follow(db: Connection, merged: Sequence[Record]) -> None:
    """`merged`: leads that are known since this page to have become part of another."""
    winners = {str(r.merged_into) for r in merged}
    scored = set(db.scalars(select(t.score.c.lead_id).where(t.score.c.lead_id.in_(winners)).distinct()))
    for record in merged:
        pair = {"loser": record.id, "winner": record.merged_into}
        for statement in (*_ALWAYS, *(() if record.merged_into in scored else _PAST)):
            db.execute(text(statement), pair)
    db.execute(
        update(t.record).where(t.record.c.kind == "lead", t.record.c.id.in_(winners)).values(touched=True)
    )


def inherited(
    values: Mapping[str, Any], sides: Sequence[Mapping[str, Any]], old: Mapping[str, Any] | None, people: Set[str]
) -> dict[str, Any]:  # fmt: skip
    """What the survivor of a merge counts as having held before: values that one of its sides had are no news on it. Of
    one that kept its id (`old`) that goes for what people said alone; its facts did change."""
    had = {k: v for k, v in values.items() if any(k in one and one[k] == v for one in sides)}
    return had if old is None else {**old, **{k: v for k, v in had.items() if k in people}}


def survivor(db: Connection, kind: str, id: str) -> str:
    """The record that this one has become part of, or its own id."""
    seen = {id}
    while True:
        into = db.execute(
            select(t.record.c.merged_into).where(t.record.c.kind == kind, t.record.c.id == id)
        ).scalar()
        if into is None or into in seen:
            return id
        seen.add(into)
        id = into
