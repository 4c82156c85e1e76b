"""Score and route: the leads that a pass touched (or all open ones), decided and turned into a list of stages. Pure up to
`commit`: a dry run stops before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from connector.jobs import models
from connector.jobs.companions import account_stages, deal_stages
from connector.jobs.context import Context
from connector.jobs.examples import features as feature_rows
from connector.jobs.fields import features_of
from connector.jobs.forms import forms_due
from connector.jobs.scope import Outcomes, in_scope
from connector.jobs.stages import LeaveAlone, OpenReview, Stage, UpdateRecord, enqueue
from connector.jobs.states import Before, Reference, is_edge_case, states
from connector.jobs.words import lead_values, trend
from connector.store import asof, outbox, records
from connector.store import schema as t
from connector.store.bulk import sql
from connector.store.store import put
from scoring.routing import engagement as rank
from scoring.routing.decide import Decision, LeadState, Route, decide
from scoring.routing.explore import explore
from scoring.routing.policy import Policy


@dataclass(slots=True)
class Scored:
    """What a pass decided, before anything is stored or sent."""

    at: datetime
    model: str
    stages: list[Stage] = field(default_factory=list)
    score_rows: list[dict[str, Any]] = field(default_factory=list)
    decision_rows: list[dict[str, Any]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    reference: dict[str, Any] | None = None
    states: dict[str, LeadState] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)


def score(context: Context, *, everything: bool = False) -> Scored:
    """Score what was touched since the last pass, or all open leads. Reads only."""
    now, policy = context.clock.now(), context.policy
    model, manifest = models.champion(context)
    with context.store.begin() as db:
        values = records.record_values(db, "lead")
        lives = {life.lead_id: life for life in asof.lives(db)}
        touched = {
            r[0] for r in db.execute(text("select id from candor.record where kind = 'lead' and touched"))
        }
        last_model = db.execute(select(t.state.c.value).where(t.state.c.key == "scored_by")).scalar()
        kept = db.execute(select(t.state.c.value).where(t.state.c.key == "reference")).scalar()
        before = _before(db, values, now, policy)
        reviews = db.execute(select(t.review.c.key, t.review.c.lead_id, t.review.c.status)).all()
        scores_before = {r.lead_id: r.score for r in db.execute(text(sql("last_scores")))}
        unsent = outbox.unsent(db, "lead")
    outcomes = Outcomes(context.settings.outcome.status)
    everything = everything or last_model != [model.version, policy.version] or kept is None
    open_leads = [
        id for id in sorted(values)
        if id in lives and outcomes.is_open(lives[id]) and in_scope(values[id], context.settings) is None
    ]  # fmt: skip
    wanted = open_leads if everything else [id for id in open_leads if id in touched]
    result = Scored(now, model.version, looked_at=sorted(touched))
    for id in sorted(touched - set(wanted)) if not everything else []:
        why = in_scope(values[id], context.settings) if id in values else "gone"
        result.stages.append(LeaveAlone(id, why or "its outcome is known"))
    in_review = {r.lead_id for r in reviews if r.status == "open"} | {r.key for r in reviews}
    if wanted:
        _score(
            context,
            result,
            model,
            manifest,
            wanted,
            # What waits in the outbox counts as shown: what changes back before it is sent must be said again.
            {id: {**values[id], **unsent.get(id, {})} for id in wanted},
            before,
            scores_before,
            in_review,
            None if everything else kept,
        )
    result.stages += _expired_overrides(values, before, open_leads)
    if context.store.get("schema_applied") is not None:
        result.stages += deal_stages(context)
    result.stages += forms_due(context, values, lives, now)
    return result


def commit(context: Context, db: Connection, run_id: int, result: Scored) -> int:
    """Scores, decisions and the outbox in one transaction. Returns how many writes wait."""
    for rows, table in ((result.score_rows, t.score), (result.decision_rows, t.decision)):
        if rows:
            ids = [row["lead_id"] for row in rows]
            db.execute(table.delete().where(table.c.at == result.at, table.c.lead_id.in_(ids)))
            db.execute(insert(table), [{**row, "run_id": run_id} for row in rows])
    db.execute(
        update(t.record)
        .where(t.record.c.kind == "lead", t.record.c.id.in_(result.looked_at))
        .values(touched=False)
    )
    if result.reference is not None:
        put(db, "reference", result.reference)
        put(db, "scored_by", [result.model, context.policy.version])
    return enqueue(db, run_id, result.at, result.stages)


def _score(
    context: Context, result: Scored, model: Any, manifest: Mapping[str, Any], wanted: Sequence[str],
    values: Mapping[str, Mapping[str, Any]], before: Mapping[str, Before], scores_before: Mapping[str, float],
    in_review: Set[str], kept: Mapping[str, Any] | None,
) -> None:  # fmt: skip
    policy, now = context.policy, result.at
    features = features_of(context.settings)
    family = {f.name: f.family for f in features}
    context.progress("Scoring: features as of now", 0, len(wanted))
    rows = feature_rows(context, [(id, now) for id in wanted])
    scores = model.score(rows)
    reference = Reference.of({**manifest, **(kept or {})})
    lead_states = states(rows, scores, features, policy, context.settings, reference, before)
    if kept is None:
        touches = [x or 0.0 for x in rows["engagement_touches"].to_pylist()]
        result.reference = {
            "engagement": sorted(touches), "expected": sorted(s.expected_value for s in lead_states.values()),
            "segments": manifest.get("segments", {}), "industries": manifest.get("industries", {}),
        }  # fmt: skip
    decisions = {lead: decide(state, policy) for lead, state in lead_states.items()}
    drawn = {lead for lead in decisions if lead in before and before[lead].explored}
    decisions |= explore(lead_states, decisions, policy, day=now.date(), drawn=drawn)
    inputs = rows.drop_columns(["as_of"]).to_pylist()
    for i, lead in enumerate(rows["lead_id"].to_pylist()):
        state, decision = lead_states[lead], decisions[lead]
        fit = rank.fit((family.get(r.feature, ""), r.points) for r in scores.reasons[i])
        result.score_rows.append(
            {
                "lead_id": lead, "at": now, "model": model.version, "policy": policy.version,
                "probability": float(scores.probability[i]), "score": float(scores.score[i]), "low": float(scores.low[i]),
                "high": float(scores.high[i]), "confidence": float(scores.confidence[i]), "fit": fit, "engagement": state.engagement,
                "expected_amount": _none(scores.expected_amount[i]), "expected_value": _none(scores.expected_value[i]),
                "evidence": int(scores.evidence[i]),
                "flags": [{"code": f.code, "text": f.text, "feature": f.feature} for f in scores.flags[i]],
                "reasons": [{"text": r.text, "points": round(float(r.points), 2), "feature": r.feature} for r in scores.reasons[i]],
                "inputs": {k: v for k, v in inputs[i].items() if v is not None and k != "lead_id"},
            }
        )  # fmt: skip
        result.decision_rows.append(
            {
                "lead_id": lead, "at": now, "route": str(decision.route), "rule": decision.rule, "why": decision.why,
                "qualified": decision.qualified, "added": [a.kind for a in decision.added],
                "edge_case": is_edge_case(state, policy), "explored": decision.explored, "propensity": decision.chance,
            }
        )  # fmt: skip
        row = result.score_rows[-1]
        result.stages.append(_update(context, values[lead], row, decision, scores_before.get(lead)))
        if decision.route is Route.REVIEW and not {lead, _case(row)} & in_review:
            result.stages.append(_review(context, row, state, decision))
    if context.store.get("schema_applied") is not None:
        result.stages += account_stages(context, rows, values)
    result.states |= lead_states
    result.decisions |= decisions
    context.progress("Scoring: features as of now", len(wanted), len(wanted))


def _update(
    context: Context,
    shown: Mapping[str, Any],
    row: Mapping[str, Any],
    decision: Decision,
    score_before: float | None,
) -> Stage:
    lead, policy = row["lead_id"], context.policy
    new = lead_values(row, decision, policy, trend(score_before, row, shown))
    if shown.get("candor_do_not_score") is True:
        kept = ("candor_route", "candor_route_reason")
        new = {k: v if k in kept else None for k, v in new.items()}
    difference = {k: v for k, v in new.items() if _differs(shown.get(k), v)}
    why = _worth_writing(shown, difference, row, decision, policy.writes.delta)
    return (
        UpdateRecord("lead", lead, difference, why)
        if why
        else LeaveAlone(lead, "nothing moved enough to be written")
    )


def _expired_overrides(
    values: Mapping[str, Mapping[str, Any]], before: Mapping[str, Before], leads: Sequence[str]
) -> list[Stage]:
    """A rep's own score stands for the policy's days; then its field is blank again (the event is kept)."""
    blank = {"candor_override_score": None, "candor_override_reason": None}
    return [
        UpdateRecord("lead", lead, blank, "the rep's own score expired")
        for lead in leads
        if values[lead].get("candor_override_score") is not None and before[lead].override is None
    ]


def _case(row: Mapping[str, Any]) -> str:
    """The key of a lead's review case: at most one a model."""
    return f"{row['lead_id']}:{row['model']}"


def _review(context: Context, row: Mapping[str, Any], state: LeadState, decision: Decision) -> Stage:
    due = row["at"] + timedelta(hours=decision.due_hours or context.policy.due.review)
    tier = decision.review_tier or "standard"
    values = {
        "candor_key": _case(row), "candor_lead": row["lead_id"], "candor_score": round(state.score),
        "candor_confidence": round(state.confidence), "candor_tier": tier, "candor_due": due, "candor_status": "open",
    }  # fmt: skip
    return OpenReview(
        _case(row), row["lead_id"], values, tier, due, state.score, state.confidence, decision.why
    )


def _worth_writing(
    shown: Mapping[str, Any],
    difference: Mapping[str, Any],
    row: Mapping[str, Any],
    decision: Decision,
    delta: float,
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
    moved = abs(float(shown.get("candor_score") or 0) - row["score"])
    return f"score moved by {moved:.0f}" if moved >= delta else None


def _differs(there: Any, new: Any) -> bool:
    if there in (None, "") and new in (None, ""):
        return False
    return bool(records.plain({"v": new})["v"] != there)


def _before(
    db: Connection, values: Mapping[str, Mapping[str, Any]], now: datetime, policy: Policy
) -> dict[str, Before]:
    """Last decisions, what reviewers chose, and which leads a rep is at work on (a person's call, meeting or e-mail in the
    last two weeks, after the lead was routed to a person)."""
    last = {
        r.lead_id: r for r in db.execute(text(sql("last_decisions")), {"since": now - timedelta(days=14)})
    }
    reviewed = {
        r.lead_id: {"route": Route.PERSON_SDR, "disqualify": Route.NURTURE}.get(r.decision)
        for r in db.execute(
            select(t.review.c.lead_id, t.review.c.decision).where(t.review.c.status == "completed")
        )
    }
    standing = {
        r.lead_id: r.value["score"] for r in db.execute(
            select(t.feedback.c.lead_id, t.feedback.c.value).where(
                t.feedback.c.kind == "override", t.feedback.c.at > now - timedelta(days=policy.forms.override_days)
            ).order_by(t.feedback.c.at)
        )
    }  # fmt: skip
    out = {}
    for lead, v in values.items():
        was = last.get(lead)
        own = standing.get(lead) if v.get("candor_override_score") is not None else None
        out[lead] = Before(
            route=Route(was.route) if was else None, qualified=was.qualified if was else None,
            worked=bool(was and was.worked and Route(was.route).person), reviewed=reviewed.get(lead),
            do_not_score=v.get("candor_do_not_score") is True, explored=bool(was and was.explored),
            override=None if own is None else min(100.0, max(0.0, float(own))),
        )  # fmt: skip
    return out


def _none(value: float) -> float | None:
    return float(value) if value == value else None
