"""First-routed leads whose outcome is known: the table that metrics and audit measure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from connector.jobs.context import Context
from connector.jobs.examples import Examples
from connector.jobs.fields import features_of
from connector.jobs.states import Reference, is_edge_case, known, learn_segments, states
from scoring.model.family import Family
from scoring.routing import engagement as rank
from scoring.routing.decide import Decision, LeadState, Route, decide
from scoring.routing.policy import Policy
from scoring.routing.queue import in_order, reviews_in

SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()), ("scored_at", pa.timestamp("us", "UTC")), ("score", pa.float64()),
        ("probability", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("confidence", pa.float64()),
        ("edge_case", pa.bool_()), ("flags", pa.list_(pa.string())), ("route", pa.string()), ("reached_person", pa.bool_()),
        ("hand_raiser", pa.bool_()), ("channel", pa.string()), ("segment", pa.string()), ("size_band", pa.string()),
        ("industry", pa.string()), ("source", pa.string()), ("function", pa.string()), ("amount", pa.float64()),
        ("predicted_amount", pa.float64()), ("threshold", pa.float64()), ("completeness", pa.float64()), ("conflicting", pa.bool_()),
        ("won", pa.bool_()),
    ]
)  # fmt: skip


def mature_table(context: Context, held: Examples, model: Family) -> pa.Table:
    """What Candor would have said and done about leads it had not seen, beside what became of them."""
    policy = context.policy
    if held.rows.num_rows == 0:
        return SCHEMA.empty_table()
    features = features_of(context.settings)
    scores = model.score(held.rows)
    learnt = learn_segments(held.rows, held.won, np.ones(len(held.won), dtype=bool))
    lead_states = states(held.rows, scores, features, policy, context.settings, Reference.of(learnt), {})
    decisions = {lead: decide(state, policy) for lead, state in lead_states.items()}
    days = max(1.0, (float(held.as_of.max()) - float(held.as_of.min())) / 86400)
    reached = reached_by_person(lead_states, decisions, policy, days)
    names = ("channel", "size_band", "industry", "source", "function")
    columns = {
        n: held.rows[n].to_pylist() if n in held.rows.column_names else [None] * held.rows.num_rows
        for n in names
    }
    employees = (
        held.rows["employees"].to_pylist()
        if "employees" in held.rows.column_names
        else [None] * len(held.won)
    )
    rows = []
    for i, lead in enumerate(held.rows["lead_id"].to_pylist()):
        state, decision = lead_states[lead], decisions[lead]
        amount = known(scores.expected_amount[i])
        size = rank.size(amount, employees[i], policy)
        rows.append(
            {
                "lead_id": lead, "scored_at": int(held.as_of[i] * 1e6), "score": state.score,
                "probability": float(scores.probability[i]), "low": state.low, "high": state.high,
                "confidence": state.confidence, "edge_case": is_edge_case(state, policy),
                "flags": [f"{f.code}:{f.feature}" for f in scores.flags[i]], "route": str(decision.route), "reached_person": lead in reached,
                "hand_raiser": state.hand_raiser, "channel": columns["channel"][i], "segment": size,
                "size_band": size, "industry": columns["industry"][i], "source": columns["source"][i],
                "function": columns["function"][i], "amount": known(held.amount[i]), "predicted_amount": amount,
                "threshold": decision.threshold, "completeness": state.completeness,
                "conflicting": bool(state.conflicting), "won": bool(held.won[i] > 0.5),
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def reached_by_person(
    lead_states: Mapping[str, LeadState], decisions: Mapping[str, Decision], policy: Policy, days: float
) -> set[str]:
    """Leads that a person would have looked at: routed to one, or reviewed within the queue's capacity, the most valuable
    uncertainty first."""
    queue = in_order((lead for lead, d in decisions.items() if d.route is Route.REVIEW), lead_states)
    return {lead for lead, d in decisions.items() if d.route.person} | set(queue[: reviews_in(days, policy)])
