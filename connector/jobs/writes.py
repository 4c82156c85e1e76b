"""What a decision comes to in the CRM: the fields of a lead that moved enough to be written, its review case, a rep's
own score that has expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connector.jobs.before import Before
from connector.jobs.stages import LeaveAlone, OpenReview, Stage, UpdateRecord
from connector.jobs.words import lead_values
from connector.store.records import plain
from scoring.routing.decide import Decision, LeadState, Route
from scoring.routing.explore import HOLDOUT
from scoring.routing.policy import Policy

_KEPT_UNSCORED = ("candor_route", "candor_route_reason")
"""What a lead that is not to be scored still shows."""


def lead_update(
    shown: Mapping[str, Any], row: Mapping[str, Any], decision: Decision, policy: Policy
) -> UpdateRecord | LeaveAlone:
    """`shown`: the lead's fields in the CRM, with what waits to be written. `row`: its new row of the score table. The trend is
    told of those that are written (`with_trend`)."""
    new = lead_values(row, decision, policy)
    if hidden(shown, decision):
        new = {k: v if k in _KEPT_UNSCORED else None for k, v in (*new.items(), ("candor_trend", None))}
    difference = {k: v for k, v in new.items() if _differs(shown.get(k), v)}
    why = _worth_writing(shown, difference, row["score"], decision, policy.writes.delta)
    if why is None:
        return LeaveAlone(row["lead_id"], "nothing moved enough to be written")
    return UpdateRecord("lead", row["lead_id"], difference, why)


def hidden(shown: Mapping[str, Any], decision: Decision) -> bool:
    """Whether no score is shown: of who is not to be scored, and of who is held out, who is to be worked as if Candor were not
    there."""
    return shown.get("candor_do_not_score") is True or decision.rule == HOLDOUT


def with_trend(update: UpdateRecord, shown: Mapping[str, Any], told: str) -> UpdateRecord:
    if shown.get("candor_trend") == told:
        return update
    return replace(update, values={**update.values, "candor_trend": told})


def review_case(
    row: Mapping[str, Any], state: LeadState, decision: Decision, in_review: Set[str], policy: Policy
) -> Stage | None:
    """The case of a lead routed to review: at most one a model. `in_review`: the leads that have an open case, and the
    keys of all cases."""
    lead = row["lead_id"]
    key = f"{lead}:{row['model']}"
    if decision.route is not Route.REVIEW or {lead, key} & in_review:
        return None
    due = row["at"] + timedelta(hours=decision.due_hours or policy.due.review)
    tier = decision.review_tier or "standard"
    values = {
        "candor_key": key,
        "candor_lead": lead,
        "candor_score": round(state.score),
        "candor_confidence": round(state.confidence),
        "candor_tier": tier,
        "candor_due": due,
        "candor_status": "open",
    }
    return OpenReview(key, lead, values, tier, due, state.score, state.confidence, decision.why)


def expired_overrides(
    values: Mapping[str, Mapping[str, Any]], before: Mapping[str, Before], leads: Sequence[str]
) -> list[Stage]:
    """A rep's own score stands for the policy's days; then its field is blank again (the event is kept)."""
    blank = {"candor_override_score": None, "candor_override_reason": None}
    return [
        UpdateRecord("lead", lead, blank, "the rep's own score expired")
        for lead in leads
        if values[lead].get("candor_override_score") is not None and before[lead].override is None
    ]


def _worth_writing(
    shown: Mapping[str, Any], difference: Mapping[str, Any], score: float, decision: Decision, delta: float
) -> str | None:
    """Why this lead is written, or None: a score that moved by the policy's step, another band, flag or route."""
    if not difference:
        return None
    if shown.get("candor_route") is None:
        return "first score"
    if "candor_route" in difference:
        return f"route {shown.get('candor_route')} to {decision.route}"
    if "candor_flags" in difference:
        return "flags changed"
    if "candor_band" in difference:
        return "another band"
    moved = abs(float(shown.get("candor_score") or 0) - score)
    return f"score moved by {moved:.0f}" if moved >= delta else None


def _differs(there: Any, new: Any) -> bool:
    if there in (None, "") and new in (None, ""):
        return False
    return bool(plain({"v": new})["v"] != there)
