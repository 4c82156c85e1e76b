"""Which reps are asked: only where behaviour contradicts the model, never twice for the same event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from connector.jobs.context import Context
from connector.jobs.scope import Outcomes
from connector.jobs.stages import AskForm, Stage
from connector.store import schema as t
from connector.store.asof import Life
from connector.store.bulk import sql
from scoring.routing.contradictions import Behaviour, Contradiction, due

_FIELD = {
    Contradiction.OVERRIDE: "override",
    Contradiction.LOW_MEETS: "low_but_meeting",
    Contradiction.HIGH_DARK: "high_but_dark",
}
_LOOK_BACK = timedelta(days=60)


def forms_due(
    context: Context, values: Mapping[str, Mapping[str, Any]], lives: Mapping[str, Life], now: datetime
) -> list[Stage]:
    """The forms to ask now, as stages."""
    outcomes = Outcomes(context.settings.outcome.status)
    with context.store.begin() as db:
        behaviour = db.execute(text(sql("behaviour")), {"since": now - _LOOK_BACK}).all()
        forms = db.execute(
            select(t.form.c.key, t.form.c.owner_id, t.form.c.asked_at, t.form.c.state, t.form.c.lead_id)
        ).all()
    waiting = {f.lead_id for f in forms if f.state == "asked"}
    leads = [
        Behaviour(
            lead_id=b.lead_id, rep=values[b.lead_id].get("owner_id"), score=b.score, overridden_at=b.overridden_at,
            meeting_id=b.meeting_id, meeting_booked_at=b.meeting_at, first_touch_at=b.first_touch_at,
            last_reply_at=b.last_reply_at, closed=not outcomes.is_open(lives[b.lead_id]),
        )
        for b in behaviour if b.lead_id in values and b.lead_id in lives and b.lead_id not in waiting
        and lives[b.lead_id].converted_at is None
    ]  # fmt: skip
    asked_today = [f.owner_id for f in forms if f.asked_at.date() == now.date()]
    chosen = due(leads, now=now, asked={f.key for f in forms}, asked_today=asked_today, policy=context.policy)
    return [
        AskForm(f.event, f.lead_id, str(f.contradiction), f.rep, {"candor_feedback_due": _FIELD[f.contradiction]},
                f.contradiction.question)
        for f in chosen
    ]  # fmt: skip
