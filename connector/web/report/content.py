"""All that the report says, as one JSON-ready dict: the page draws it, `candor report --json` prints it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from connector.web.report import audits, edge, findings, measures, people
from connector.web.report.shapes import Section
from scoring.audit.patterns import audit
from scoring.metrics.attention import attention, reviewed
from scoring.metrics.budgets import budgets
from scoring.metrics.compare import compare
from scoring.metrics.edge_cases import edge_cases
from scoring.metrics.flags import flag_outcomes
from scoring.metrics.four import by_confidence, hand_raisers, lucky, precision_by_value, recall_by_channel
from scoring.metrics.holdout import Effect
from scoring.metrics.outcomes import Floats, read
from scoring.metrics.scores import quality, reliability, skill
from scoring.routing.policy import Policy

Mode = Literal["as-of", "snapshot"]

ABOVE = (80.0, 90.0)
"""scores whose precision is watched (S8.1)"""


def content(
    matured: pa.Table,
    policy: Policy,
    model_card: Mapping[str, Any],
    old_card: Mapping[str, Any] | None,
    counts: Mapping[str, Any],
    mode: Mode,
    *,
    org: str,
    currency: str,
    made_at: datetime,
    truth: Floats | None = None,
    holdout: Effect | None = None,
) -> dict[str, Any]:
    """Everything on the page.

    `matured` holds first-routed leads with a known outcome (docs/architecture.md, 6). `counts` may hold
    mappings of name -> number under reviews (open, overdue, completed …), overrides, tags, forms (asked,
    completed, abandoned), routes, data, set_aside (rows by reason) and api (calls, failed …), and the number `maturing` of leads still
    inside the horizon; what is absent is shown as not there yet. `truth` are the true chances of the same
    leads, on worlds where they are known. `holdout`: what the routing was worth, where the admin chose a holdout.
    """
    outcomes, base = read(matured), (model_card.get("data") or {}).get("base_rate")
    on_edge = edge_cases(outcomes, policy, base_rate=base, truth=truth)
    precisions = [precision_by_value(outcomes, policy, above) for above in ABOVE]
    has_old = outcomes.edge_case & ~np.isnan(outcomes.old_probability)
    against_old = (
        compare(outcomes.where(has_old), outcomes.old_probability[has_old], on_edge.base_rate, policy)
        if has_old.any()
        else None
    )
    measured = {
        "edge_cases": on_edge,
        "confidence": by_confidence(outcomes, policy),
        "precision": precisions,
        "recall": recall_by_channel(outcomes, policy),
        "hand_raisers": hand_raisers(outcomes, policy),
        "budgets": budgets(outcomes, policy),
        "audit": audit(outcomes, policy),
        "flags": flag_outcomes(outcomes, policy),
        "attention": attention(outcomes, policy),
        "reliability": reliability(outcomes, policy),
        "quality": quality(outcomes),
        "skill": skill(outcomes.won, outcomes.probability, on_edge.base_rate, policy),
        "lucky": lucky(outcomes, policy),
        "reviewed": reviewed(outcomes, policy),
        "old_and_new": against_old,
        "holdout": holdout,
    }
    return {
        "org": org,
        "currency": currency,
        "mode": mode,
        "stamp": people.NOT_AS_OF if mode == "snapshot" else "",
        "made_at": made_at.isoformat(timespec="minutes"),
        "n": len(outcomes),
        "policy": policy.version,
        "headline": edge.headline(on_edge, len(outcomes), policy),
        "sections": _sections(measured, policy, currency, model_card, old_card, counts, mode, len(outcomes)),
        "metrics": _plain(measured),
    }


def _sections(
    m: Mapping[str, Any],
    policy: Policy,
    currency: str,
    card: Mapping[str, Any],
    old_card: Mapping[str, Any] | None,
    counts: Mapping[str, Any],
    mode: Mode,
    n: int,
) -> list[Section]:
    return [
        edge.shares(m["edge_cases"], currency),
        edge.skill(m["edge_cases"]),
        edge.missed(m["edge_cases"], policy, currency),
        measures.confidence(m["confidence"], policy),
        people.attention(m["attention"], currency),
        *filter(None, [people.unworked(card)]),
        findings.budgets(m["budgets"], policy),
        measures.hand_raisers(m["hand_raisers"], currency),
        measures.precision(m["precision"], currency),
        measures.recall(m["recall"], currency),
        findings.mispredictions(m["audit"], policy, currency),
        *filter(None, [audits.survivorship(card.get("manifest") or {}, currency)]),
        *filter(None, [audits.leaks(card), audits.completeness(card)]),
        measures.flags(m["flags"], currency),
        measures.reliability(m["reliability"], m["quality"], m["skill"], m["lucky"], policy),
        findings.old_and_new(m["old_and_new"], card, old_card, mode),
        people.people(m["reviewed"], counts, currency),
        *([] if m["holdout"] is None else [people.holdout(m["holdout"])]),
        people.model_card(card, policy, mode, m["quality"], m["skill"]),
        people.data_and_calls(counts, n, mode),
    ]


def _plain(value: Any) -> Any:
    """Dataclasses as dicts, numbers as Python's own."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
