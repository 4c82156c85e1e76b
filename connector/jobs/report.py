"""Report: the page about edge cases, and the same as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from connector.jobs.context import Context
from connector.jobs.models import listed
from connector.jobs.status import status
from connector.jobs.train import from_ipc
from connector.store import schema as t
from connector.store.runs import running
from connector.web.report.content import content
from connector.web.report.page import render
from scoring.metrics.outcomes import read
from scoring.metrics.scores import skill


def build(context: Context) -> dict[str, Any]:
    """The report's content, JSON-ready. Raises NotTrained."""
    models = listed(context)
    state = status(context)
    matured, old = _backtests(context)
    return content(
        matured, context.policy, models[0]["card"] | {"version": models[0]["version"], "manifest": models[0]["manifest"]},
        old_card=(models[1]["card"] | {"version": models[1]["version"]}) if len(models) > 1 else None, old_matured=old,
        counts={k: state[k] for k in ("leads", "routes", "reviews", "forms", "people")} | {"api": state["api"]},
        mode=context.settings.training.mode, now=context.clock.now(),
    )  # fmt: skip


def report(context: Context, out: Path | None = None) -> Path:
    """Write the page (default: reports/ in the data folder) and its JSON beside it; the page's path."""
    with running(context.store, "report", context.clock) as run:
        made = build(context)
        if out is None:
            out = context.settings.store.data / "reports" / f"{context.clock.now():%Y-%m-%d}.html"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render(made), encoding="utf-8")
        out.with_suffix(".json").write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
        run.summary["page"] = str(out)
    return out


def side_by_side(context: Context) -> list[dict[str, Any]]:
    """The models on the same held-out edge cases, the oldest first: n, wins, log loss skill with its interval."""
    with context.store.begin() as db:
        rows = db.execute(select(t.model.c.version, t.model.c.status, t.model.c.backtest).order_by(t.model.c.created_at, t.model.c.version)).all()
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


def _backtests(context: Context) -> tuple[Any, Any]:
    with context.store.begin() as db:
        rows = db.execute(
            select(t.model.c.backtest).order_by(t.model.c.created_at.desc(), t.model.c.version.desc()).limit(2)
        ).all()
    tables = [from_ipc(r.backtest) for r in rows]
    return tables[0], tables[1] if len(tables) > 1 else None
