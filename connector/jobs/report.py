"""Report: the page about edge cases, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import select

from connector.errors import NotTrained
from connector.jobs import holdout
from connector.jobs.context import Context
from connector.jobs.examples import NOT_YET
from connector.jobs.manifest import view_in
from connector.jobs.models import listed
from connector.jobs.status import status
from connector.store import schema as t
from connector.store.bulk import from_ipc
from connector.store.runs import running
from connector.web.report.content import content
from connector.web.report.render import render
from scoring.features.catalogue import catalogue
from scoring.metrics.outcomes import read
from scoring.metrics.scores import skill


def build(context: Context, never_read: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The report's content, JSON-ready. `never_read`: rows that were set aside before they came into the CRM, by reason.
    Raises NotTrained."""
    models = listed(context)
    if not models:
        raise NotTrained()
    state = status(context)
    org = context.store.get("org", {})
    new = models[0]
    return content(
        _matured(context), context.policy,
        new["card"] | {"version": new["version"], "manifest": new["manifest"], "labels": _labels(new["manifest"])},
        models[1]["card"] | {"version": models[1]["version"]} if len(models) > 1 else None,
        _counts(state, new, never_read or {}), context.settings.training.mode,
        org=org.get("name", context.settings.crm.url), currency=context.currency or "", made_at=context.clock.now(),
        holdout=holdout.measured(context),
    )  # fmt: skip


def _labels(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The words for a model's features and for the org's own fields; none of a model from before its manifest kept them."""
    if "facts" not in manifest:
        return {}
    view = view_in(manifest)
    named = {fact.name: fact.label for fact in view.facts}
    return named | {feature.name: feature.label for feature in catalogue(view.facts, view.steps)}


def _counts(
    state: Mapping[str, Any], model: Mapping[str, Any], never_read: Mapping[str, int]
) -> dict[str, Any]:
    people, forms = state["people"], state["forms"]
    return {
        "routes": state["routes"],
        "reviews": {**state["reviews"], "decided": people.get("review", 0)},
        "overrides": {"set": people.get("override", 0)},
        "tags": {"set": people.get("tag", 0)},
        "forms": {"asked": sum(forms.values()), "completed": forms.get("answered", 0), "abandoned": forms.get("abandoned", 0)},
        "data": {"leads": state["leads"], "as-of rows": model["manifest"]["examples"], "rows set aside": state["quarantine"] + sum(never_read.values())},
        "set_aside": {**state["quarantine_reasons"], **never_read},
        "api": {"calls": state["api"]["calls_today"], "failed": state["api"]["failed_today"]},
        "maturing": model["manifest"]["left_out"].get(NOT_YET, 0),
    }  # fmt: skip


def report(context: Context, out: Path | None = None, never_read: Mapping[str, int] | None = None) -> Path:
    """Write the page (default: reports/ in the data folder) and its JSON beside it; the page's path. `never_read`: as in
    `build`."""
    with running(context.store, "report", context.clock) as run:
        made = build(context, never_read)
        if out is None:
            out = context.settings.store.data / "reports" / f"{context.clock.now():%Y-%m-%d}.html"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render(made), encoding="utf-8")
        out.with_suffix(".json").write_bytes(
            orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
        )
        run.summary["page"] = str(out)
    return out


def side_by_side(context: Context) -> list[dict[str, Any]]:
    """The models on the same held-out edge cases, the oldest first: n, wins, log loss skill with its interval."""
    with context.store.begin() as db:
        rows = db.execute(
            select(t.model.c.version, t.model.c.status, t.model.c.backtest).order_by(
                t.model.c.created_at, t.model.c.version
            )
        ).all()
    tables = {r.version: read(from_ipc(r.backtest)) for r in rows}
    shared = set.intersection(*(set(o.lead_id[o.edge_case]) for o in tables.values())) if tables else set()
    found = []
    for row in rows:
        outcomes = tables[row.version]
        here = [lead in shared for lead in outcomes.lead_id]
        base = float(outcomes.won.mean()) if len(outcomes.won) else 0.0
        measured = skill(outcomes.won[here], outcomes.probability[here], base, context.policy)
        found.append({"version": row.version, "status": row.status, "edge_cases": sum(here),
                      "wins": int(outcomes.won[here].sum()), "skill": measured})  # fmt: skip
    return found


def _matured(context: Context) -> pa.Table:
    """The newest model's backtest, with what the one before said of the same leads beside it."""
    with context.store.begin() as db:
        rows = db.execute(
            select(t.model.c.backtest)
            .order_by(t.model.c.created_at.desc(), t.model.c.version.desc())
            .limit(2)
        ).all()
    new, *old = (from_ipc(row.backtest) for row in rows)
    if not old:
        return new
    said = dict(zip(old[0]["lead_id"].to_pylist(), old[0]["probability"].to_pylist(), strict=True))
    before = pa.array([said.get(lead) for lead in new["lead_id"].to_pylist()], pa.float64())
    return new.append_column("old_probability", before)
