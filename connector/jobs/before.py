"""What was decided about each lead before, what people have said of it since, and whether a rep is at work on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from connector.store import schema as t
from connector.store.bulk import sql
from scoring.routing.decide import Route
from scoring.routing.explore import HOLDOUT
from scoring.routing.policy import Policy

_AT_WORK = timedelta(days=14)
"""A call, meeting or e-mail of a person's counts as work on a lead for so long."""
_REVIEWED = {"route": Route.PERSON_SDR, "disqualify": Route.NURTURE}


@dataclass(frozen=True, slots=True)
class Before:
    """One lead as its last decision left it."""

    route: Route | None = None
    qualified: bool | None = None
    worked: bool = False
    """a person called, met or wrote in the last two weeks, after the lead was routed to a person"""
    reviewed: Route | None = None
    do_not_score: bool = False
    explored: bool = False
    """drawn by lot at its last decision"""
    held_out: bool = False
    """left to the org's own rules by lot"""
    override: float | None = None
    """a rep's own score that stands: it is what routing goes by"""


def before(
    db: Connection, values: Mapping[str, Mapping[str, Any]], now: datetime, policy: Policy
) -> dict[str, Before]:
    """lead id -> what was before, for each lead of `values` (its fields by canonical name)."""
    last = {r.lead_id: r for r in db.execute(text(sql("last_decisions")), {"since": now - _AT_WORK})}
    reviews = select(t.review.c.lead_id, t.review.c.decision).where(t.review.c.status == "completed")
    reviewed = {r.lead_id: _REVIEWED.get(r.decision) for r in db.execute(reviews)}
    standing = _overrides(db, now - timedelta(days=policy.forms.override_days))
    out = {}
    for lead, fields in values.items():
        was = last.get(lead)
        route = None if was is None else Route(was.route)
        out[lead] = Before(
            route=route,
            qualified=None if was is None else was.qualified,
            worked=was is not None and was.worked and route is not None and route.person,
            reviewed=reviewed.get(lead),
            do_not_score=fields.get("candor_do_not_score") is True,
            explored=was is not None and was.explored,
            held_out=was is not None and was.rule == HOLDOUT,
            override=standing.get(lead) if fields.get("candor_override_score") is not None else None,
        )
    return out


def _overrides(db: Connection, since: datetime) -> dict[str, float]:
    """The last score that a rep set on each lead since then, in 0-100."""
    said = (
        select(t.feedback.c.lead_id, t.feedback.c.value)
        .where(t.feedback.c.kind == "override", t.feedback.c.at > since)
        .order_by(t.feedback.c.at)
    )
    return {r.lead_id: min(100.0, max(0.0, float(r.value["score"]))) for r in db.execute(said)}
