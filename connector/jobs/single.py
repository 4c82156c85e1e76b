"""One lead, scored now and explained; nothing is stored or written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connector.errors import InputError
from connector.jobs import recalibrate, warm
from connector.jobs.before import before
from connector.jobs.context import Context
from connector.jobs.examples import features as feature_rows
from connector.jobs.explained import Scorer, explained
from connector.jobs.fields import features_of
from connector.jobs.states import Reference, is_edge_case, states
from connector.store import records
from connector.store.lineage import survivor
from scoring.routing.decide import decide


def score_lead(context: Context, lead_id: str) -> dict[str, Any]:
    """Everything about one lead's score. Raises InputError when the store doesn't know the lead."""
    now = context.clock.now()
    with context.store.begin() as db:
        lead_id = survivor(db, "lead", records.full_id(db, "lead", lead_id) or lead_id)
        found = records.record_values(db, "lead", [lead_id])
        was = before(db, found, now, context.policy)
    if lead_id not in found:
        raise InputError(
            f"There is no lead {lead_id} in the store.", fix="Check the id, or run `candor sync` first."
        )
    model, manifest = warm.champion(context)
    rows = feature_rows(context, [(lead_id, now)])
    routed = model.route(rows)
    with context.store.begin() as db:
        recalibration, recent = recalibrate.current(db, model.version)
    scores = model.score(rows, routed, recent)
    kept = context.store.get("reference", {})
    reference = Reference.of({**manifest, **kept})
    features = features_of(context.settings)
    state = states(rows, scores, features, context.policy, context.settings, reference, was)[lead_id]
    decision = decide(state, context.policy)
    widths = {
        "familiar": scores.width_familiar[0],
        "blanks": scores.width_blanks[0],
        "unseen": scores.width_unseen[0],
        "recent": scores.width_recent[0],
    }
    return {
        "lead": lead_id, "at": now.isoformat(), "model": model.scored_by(routed)[0], "policy": context.policy.version,
        "recalibration": recalibration,
        "probability": float(scores.probability[0]), "base_rate": model.base_rate,
        "score": state.score, "low": state.low, "high": state.high, "confidence": state.confidence,
        "width_from": {k: round(float(v), 1) for k, v in widths.items()},
        "evidence": int(scores.evidence[0]), "expected_value": state.expected_value,
        "expected_amount": float(scores.expected_amount[0]), "currency": context.currency,
        "flags": [{"code": f.code, "text": f.text, "feature": f.feature} for f in scores.flags[0]],
        "reasons": [
            {"points": round(float(r.points), 1), "text": r.text, "feature": r.feature} for r in scores.reasons[0]
        ],
        "route": str(decision.route), "rule": decision.rule, "why": decision.why, "threshold": decision.threshold,
        "due_hours": decision.due_hours, "added": [asdict(a) for a in decision.added],
        "edge_case": is_edge_case(state, context.policy), "engagement": state.engagement,
        "completeness": state.completeness, "conflicting": list(state.conflicting),
        "horizon_days": context.policy.horizon_days, "mode": context.settings.training.mode,
        **explained(context, Scorer(model, model.models[int(routed.place[0])], recalibration, recent), lead_id, rows, scores),
    }  # fmt: skip
