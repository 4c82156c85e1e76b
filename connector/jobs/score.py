"""Score and route: the leads that a pass touched (or all open ones), decided and turned into a list of stages. Pure up to
`commit`: a dry run stops before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, insert, select, update

from connector.jobs import models, recalibrate, trends, warm
from connector.jobs.before import Before, before
from connector.jobs.companions import account_stages, deal_stages
from connector.jobs.context import Context
from connector.jobs.examples import features as feature_rows
from connector.jobs.examples import looked_at
from connector.jobs.fields import features_of
from connector.jobs.forms import forms_due
from connector.jobs.scope import Outcomes, in_scope
from connector.jobs.stages import LeaveAlone, Stage, UpdateRecord, enqueue
from connector.jobs.states import Reference, is_edge_case, known, states
from connector.jobs.writes import expired_overrides, hidden, lead_update, review_case, with_trend
from connector.store import asof, outbox, records
from connector.store import schema as t
from connector.store.store import put
from scoring.model.family import Family
from scoring.model.recent import Recent
from scoring.model.scores import Scores
from scoring.routing import engagement as rank
from scoring.routing.decide import Decision, LeadState, decide
from scoring.routing.explore import explore, hold_out
from scoring.routing.queue import in_order, room


@dataclass(frozen=True, slots=True)
class Alone:
    """What a model that is tried would say of a lead, and what would be decided, without what recent outcomes say."""

    score: float
    confidence: float
    route: str


@dataclass(slots=True)
class Scored:
    """What a pass decided, before anything is stored or sent. `alone`: of each lead, where a model was tried."""

    at: datetime
    model: str
    recalibration: str | None = None
    stages: list[Stage] = field(default_factory=list)
    score_rows: list[dict[str, Any]] = field(default_factory=list)
    decision_rows: list[dict[str, Any]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    reference: dict[str, Any] | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    alone: dict[str, Alone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store holds when scoring begins."""

    values: Mapping[str, Mapping[str, Any]]
    lives: Mapping[str, asof.Life]
    touched: Set[str]
    before: Mapping[str, Before]
    in_review: Set[str]
    """leads that have an open review case, and the keys of all cases"""
    open_cases: Sequence[str]
    """the leads of open review cases"""
    unsent: Mapping[str, Mapping[str, Any]]
    """lead id -> values that wait in the outbox"""
    reference: Mapping[str, Any] | None
    """the open leads as they were at the last pass over all of them"""
    scored_by: Any
    """the model, policy and recalibration of that pass"""
    recalibration: str | None
    recent: Recent | None
    """what recent outcomes say of the model"""


@dataclass(frozen=True, slots=True)
class Use:
    """A model with what recent outcomes say of it, to be tried in place of the one in use."""

    version: str
    recent: Recent | None


def score(context: Context, *, everything: bool = False, use: Use | None = None) -> Scored:
    """Score what was touched since the last pass, or all open leads. `use`: by that model instead of the released one. Reads
    only."""
    now, settings = context.clock.now(), context.settings
    model, manifest = warm.champion(context) if use is None else _opened(context, use.version)
    stored = _read(context, now, model.version)
    if use is not None:
        stored = replace(stored, recalibration=None, recent=use.recent)
    outcomes = Outcomes(settings.outcome.status)
    open_leads = [
        id
        for id, values in sorted(stored.values.items())
        if id in stored.lives and outcomes.is_open(stored.lives[id]) and in_scope(values, settings) is None
    ]
    yardstick = [model.version, context.policy.version, stored.recalibration]
    new_yardstick = stored.reference is None or stored.scored_by != yardstick
    everything = everything or new_yardstick
    wanted = open_leads if everything else [id for id in open_leads if id in stored.touched]
    result = Scored(now, model.version, stored.recalibration, looked_at=sorted(stored.touched))
    if not everything:
        for id in sorted(stored.touched - set(wanted)):
            why = in_scope(stored.values[id], settings) if id in stored.values else "gone"
            result.stages.append(LeaveAlone(id, why or "its outcome is known"))
    if wanted:
        _score(context, result, model, manifest, stored, wanted, set(open_leads), everything, use is not None)
    result.stages += expired_overrides(stored.values, stored.before, open_leads)
    if context.store.get("schema_applied") is not None:
        result.stages += deal_stages(context)
    result.stages += forms_due(context, stored.values, stored.lives, now)
    return result


def _opened(context: Context, version: str) -> tuple[Family, Mapping[str, Any]]:
    """A model of any status; the one in use without what was retired since."""
    champion = warm.champion(context)
    return champion if champion[0].version == version else models.opened(context, version)


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
        put(db, "scored_by", [result.model, context.policy.version, result.recalibration])
    return enqueue(db, run_id, result.at, result.stages)


def _read(context: Context, now: datetime, model: str) -> _Stored:
    with context.store.begin() as db:
        values = records.record_values(db, "lead")
        touched = select(t.record.c.id).where(t.record.c.kind == "lead", t.record.c.touched)
        reviews = db.execute(select(t.review.c.key, t.review.c.lead_id, t.review.c.status)).all()
        state = {r.key: r.value for r in db.execute(select(t.state.c.key, t.state.c.value))}
        recalibration, recent = recalibrate.current(db, model)
        return _Stored(
            values=values,
            lives={life.lead_id: life for life in asof.lives(db)},
            touched=set(db.scalars(touched)),
            before=before(db, values, now, context.policy),
            in_review={r.lead_id for r in reviews if r.status == "open"} | {r.key for r in reviews},
            open_cases=[r.lead_id for r in reviews if r.status == "open"],
            unsent=outbox.unsent(db, "lead"),
            reference=state.get("reference"),
            scored_by=state.get("scored_by"),
            recalibration=recalibration,
            recent=recent,
        )


def _score(
    context: Context,
    result: Scored,
    model: Family,
    manifest: Mapping[str, Any],
    stored: _Stored,
    wanted: Sequence[str],
    still_open: Set[str],
    everything: bool,
    tried: bool,
) -> None:
    """Features, scores, states, decisions of the wanted leads, and what they come to, into `result`. `tried`: nothing of it
    will be written, so no trend is told, but what the model alone would come to."""
    policy, now = context.policy, result.at
    features = features_of(context.settings)
    context.progress("Scoring: features as of now", 0, len(wanted))
    rows = feature_rows(context, [(id, now) for id in wanted], view=looked_at(context, model.version))
    routed = model.route(rows)
    scores, by = model.score(rows, routed, stored.recent), model.scored_by(routed)
    kept = None if everything else stored.reference
    reference = Reference.of({**manifest, **(kept or {})})
    lead_states = states(rows, scores, features, policy, context.settings, reference, stored.before)
    if everything:
        result.reference = _reference(rows, lead_states, manifest)
    decisions = _decided(context, lead_states, stored.before, now)
    if tried:
        said_alone = model.score(rows, routed)
        then = states(rows, said_alone, features, policy, context.settings, reference, stored.before)
        routes = _decided(context, then, stored.before, now)
        result.alone = {
            lead: Alone(float(said_alone.score[i]), float(said_alone.confidence[i]), str(routes[lead].route))
            for i, lead in enumerate(rows["lead_id"].to_pylist())
        }
    family = {f.name: f.family for f in features}
    inputs = rows.drop_columns(["as_of"]).to_pylist()
    # What waits in the outbox counts as shown: what changes back before it is sent must be said again.
    shown = {id: {**stored.values[id], **stored.unsent.get(id, {})} for id in wanted}
    cases: dict[str, Stage] = {}
    updates: list[UpdateRecord | LeaveAlone] = []
    for i, lead in enumerate(rows["lead_id"].to_pylist()):
        state, decision = lead_states[lead], decisions[lead]
        row = {
            "lead_id": lead, "at": now, "model": by[i], "policy": policy.version,
            "recalibration": stored.recalibration, **said(scores, i, family), "engagement": state.engagement,
            "inputs": {k: v for k, v in inputs[i].items() if v is not None and k != "lead_id"},
        }  # fmt: skip
        result.score_rows.append(row)
        result.decision_rows.append(
            {
                "lead_id": lead, "at": now, "route": str(decision.route), "rule": decision.rule, "why": decision.why,
                "qualified": decision.qualified, "added": [a.kind for a in decision.added],
                "edge_case": is_edge_case(state, policy), "explored": decision.explored, "propensity": decision.chance,
            }
        )  # fmt: skip
        updates.append(lead_update(shown[lead], row, decision, policy))
        case = review_case(row, state, decision, stored.in_review, policy)
        if case is not None:
            cases[lead] = case
    told = [
        i for i, update in enumerate(updates)
        if isinstance(update, UpdateRecord) and not hidden(shown[update.id], decisions[update.id])
    ]  # fmt: skip
    if told and not tried:
        now_scored = trends.Scored(
            rows.take(pa.array(told)), [model.models[routed.place[i]] for i in told], scores.score[told].tolist(),
            stored.recalibration, stored.recent,
        )  # fmt: skip
        with context.store.begin() as db:
            found = trends.trends(db, now_scored, now)
        for i, one in zip(told, found, strict=True):
            update = updates[i]
            assert isinstance(update, UpdateRecord)
            updates[i] = with_trend(update, shown[update.id], trends.in_field(one))
    result.stages += updates
    alive = sum(lead in still_open for lead in stored.open_cases)
    result.stages += [cases[lead] for lead in in_order(cases, lead_states)[: room(alive, policy)]]
    if context.store.get("schema_applied") is not None:
        result.stages += account_stages(context, rows, shown)
    result.decisions |= decisions
    context.progress("Scoring: features as of now", len(wanted), len(wanted))


def _decided(
    context: Context, lead_states: Mapping[str, LeadState], last: Mapping[str, Before], now: datetime
) -> dict[str, Decision]:
    """By the rules, and by the lots among what they say."""
    policy = context.policy
    decisions = {lead: decide(state, policy) for lead, state in lead_states.items()}
    was = {lead: one for lead, one in last.items() if lead in decisions}
    for lot, drawn in (
        (explore, {lead for lead, one in was.items() if one.explored}),
        (hold_out, {lead for lead, one in was.items() if one.held_out}),
    ):
        decisions |= lot(lead_states, decisions, policy, day=now.date(), drawn=drawn)
    return decisions


def said(scores: Scores, i: int, family: Mapping[str, str]) -> dict[str, Any]:
    """What the model says of row `i`, as the score table keeps it."""
    reasons = scores.reasons[i]
    return {
        "probability": float(scores.probability[i]),
        "score": float(scores.score[i]),
        "low": float(scores.low[i]),
        "high": float(scores.high[i]),
        "confidence": float(scores.confidence[i]),
        "fit": rank.fit((family.get(r.feature, ""), r.points) for r in reasons),
        "expected_amount": known(scores.expected_amount[i]),
        "expected_value": known(scores.expected_value[i]),
        "evidence": int(scores.evidence[i]),
        "flags": [{"code": f.code, "text": f.text, "feature": f.feature} for f in scores.flags[i]],
        "reasons": [
            {"text": r.text, "points": round(float(r.points), 2), "feature": r.feature} for r in reasons
        ],
    }


def _reference(
    rows: pa.Table, lead_states: Mapping[str, LeadState], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """All open leads, for the passes that score only a few of them."""
    return {
        "engagement": sorted(x or 0.0 for x in rows["engagement_touches"].to_pylist()),
        "expected": sorted(s.expected_value for s in lead_states.values()),
        "segments": manifest.get("segments", {}),
        "industries": manifest.get("industries", {}),
    }
