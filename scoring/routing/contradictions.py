"""When a rep is asked: only where behaviour contradicts the model (S6.4). Pure, over plain rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scoring.routing.policy import Policy


class Contradiction(StrEnum):
    OVERRIDE = "override"
    LOW_MEETS = "low_meets"
    HIGH_DARK = "high_dark"

    @property
    def question(self) -> str:
        """What the form opens with: it asks what the rep saw."""
        return {
            Contradiction.OVERRIDE: "You set another score. What did you see?",
            Contradiction.LOW_MEETS: "A low-scored lead took a meeting. What brought them?",
            Contradiction.HIGH_DARK: "A high-scored lead went quiet. What happened?",
        }[self]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happened with one lead lately. `score` is the one it was routed with; times are aware UTC."""

    lead_id: str
    rep: str | None
    score: float
    overridden_at: datetime | None = None
    meeting_id: str | None = None
    meeting_booked_at: datetime | None = None
    first_touch_at: datetime | None = None
    """the first outreach by a person"""
    last_reply_at: datetime | None = None
    closed: bool = False
    """won, lost or disqualified: its silence is no news"""


@dataclass(frozen=True, slots=True)
class FormDue:
    lead_id: str
    rep: str | None
    contradiction: Contradiction
    event: str
    """names the event, so that it is never asked about twice"""
    at: datetime


def due(
    leads: Iterable[Behaviour],
    *,
    now: datetime,
    asked: Collection[str],
    asked_today: Iterable[str | None],
    policy: Policy,
) -> list[FormDue]:
    """The forms to ask now, the freshest events first, one per lead and a few per rep.

    `asked` are the events of forms that were ever asked; `asked_today` the rep of each form asked today.
    """
    waiting = sorted(
        (form for lead in leads for form in _of(lead, now, policy) if form.event not in asked),
        key=lambda form: (-form.at.timestamp(), form.event),
    )
    used = Counter(asked_today)
    leads_asked: set[str] = set()
    chosen = []
    for form in waiting:
        if form.lead_id in leads_asked or used[form.rep] >= policy.forms.per_rep_day:
            continue
        chosen.append(form)
        leads_asked.add(form.lead_id)
        used[form.rep] += 1
    return chosen


def _of(lead: Behaviour, now: datetime, policy: Policy) -> list[FormDue]:
    forms, found = policy.forms, []

    def add(kind: Contradiction, name: str, at: datetime) -> None:
        found.append(FormDue(lead.lead_id, lead.rep, kind, f"{kind}:{lead.lead_id}:{name}", at))

    if lead.overridden_at is not None:
        add(Contradiction.OVERRIDE, lead.overridden_at.isoformat(), lead.overridden_at)
    if lead.meeting_booked_at is not None and lead.score < forms.low_score:
        add(
            Contradiction.LOW_MEETS,
            lead.meeting_id or lead.meeting_booked_at.isoformat(),
            lead.meeting_booked_at,
        )
    if lead.first_touch_at is not None and lead.score > forms.high_score and not lead.closed:
        dark_at = lead.first_touch_at + timedelta(days=forms.dark_days)
        replied = lead.last_reply_at is not None and lead.last_reply_at >= lead.first_touch_at
        if now >= dark_at and not replied:
            add(Contradiction.HIGH_DARK, lead.first_touch_at.isoformat(), dark_at)
    return found
