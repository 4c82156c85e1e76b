"""What `candor status` tells: cursors, outbox, model, budget, last runs. Reads the store only."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select, text

from connector.jobs.context import Context
from connector.jobs.models import listed
from connector.jobs.recalibrate import current, moved
from connector.store import outbox, quality, runs
from connector.store import schema as t
from connector.store.bulk import sql


def status(context: Context) -> dict[str, Any]:
    store, now = context.store, context.clock.now()
    with store.begin() as db:
        cursors = [
            dict(r)
            for r in db.execute(
                select(t.cursor.c.stream, t.cursor.c.at, t.cursor.c.rows).order_by(t.cursor.c.stream)
            ).mappings()
        ]
        waiting = outbox.counts(db)
        refused = [
            dict(r) for r in db.execute(
                select(t.outbox.c.code, func.count().label("n")).where(t.outbox.c.state == "refused").group_by(t.outbox.c.code)
            ).mappings()
        ]  # fmt: skip
        people = {
            r[0]: r[1]
            for r in db.execute(select(t.feedback.c.kind, func.count()).group_by(t.feedback.c.kind))
        }
        routes = {r.route: r.n for r in db.execute(text(sql("routes")))}
        reviews = {
            r[0]: r[1]
            for r in db.execute(select(t.review.c.status, func.count()).group_by(t.review.c.status))
        }
        forms = {
            r[0]: r[1] for r in db.execute(select(t.form.c.state, func.count()).group_by(t.form.c.state))
        }
        leads = db.execute(
            select(func.count()).where(t.record.c.kind == "lead", ~t.record.c.deleted)
        ).scalar()
        reasons = quality.by_reason(db)
        came = quality.profiles(db, limit=12)
    models = listed(context)
    champion = next((m for m in models if m["status"] == "champion"), None)
    with store.begin() as db:
        version, recent = current(db, "" if champion is None else champion["version"])
    usage = store.get("api_usage", {})
    calls, failed = usage.get("calls", 0), usage.get("failed", 0)
    last = runs.last(store, limit=8)
    return {
        "now": now.isoformat(),
        "paused": store.get("paused"),
        "leads": leads,
        "engine": re.sub("//.*@", "//", context.settings.engine),
        "cursors": [{**c, "lag_seconds": round((now - c["at"]).total_seconds())} for c in cursors],
        "outbox": waiting,
        "refused": {r["code"] or "unknown": r["n"] for r in refused},
        "model": None if champion is None else {"version": champion["version"], "created_at": champion["created_at"],
                                                "backtest": champion["card"]["backtest"]},
        "recalibration": None if recent is None else {
            "version": version, "leads": round(recent.leads), "wins": round(recent.wins), "promised": round(recent.promised, 1),
            "moved": round(moved(recent), 1)},
        "models": {m["version"]: m["status"] for m in models},
        "waiting_model": models[0]["version"] if models and models[0]["status"] == "challenger" else None,
        "routes": routes, "reviews": reviews, "forms": forms, "people": people, "quarantine": sum(reasons.values()),
        "quarantine_reasons": reasons,
        "pulls": [{"stream": p["stream"], "at": p["at"], "rows": p["rows"], "odd": p["odd"],
                   "new_values": p["found"].get("new_values", {}), "blanker": p["found"].get("blanker", {})} for p in came],
        "api": {
            "calls_today": calls, "failed_today": failed, "succeeded": None if not calls else round(1 - failed / calls, 4),
            "own_limit": context.settings.crm.daily_calls, "org_used": usage.get("org_used"), "org_limit": usage.get("org_limit"),
        },
        "runs": [
            {"id": r["id"], "job": r["job"], "status": r["status"], "started_at": r["started_at"], "ended_at": r["ended_at"],
             "error": r["summary"].get("error")}
            for r in last
        ],
    }  # fmt: skip
