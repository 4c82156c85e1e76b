"""The audits of an installed org in one report: leakage, completeness of the model in use, suspect data, survivorship."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from connector.jobs.context import Context
from connector.jobs.evidence import evidence, look, suspects
from connector.jobs.evidence import listed as doubtful_labels
from connector.jobs.gates import leakage_dict
from connector.jobs.models import listed
from connector.store import quality
from connector.store import schema as t
from connector.store.runs import running
from scoring.audit.find import leakage
from scoring.audit.suspect import Suspect

SHOWN = 20
"""ids of leads that are listed one by one"""


@dataclass(frozen=True, slots=True)
class Audited:
    """JSON-ready. `to_do`: what asks for a person, in words."""

    leakage: dict[str, Any]
    completeness: dict[str, Any] | None
    """None before a model was trained"""
    suspect: dict[str, Any]
    survivorship: dict[str, Any] | None
    quality: dict[str, Any]
    to_do: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def audit(context: Context) -> Audited:
    """Looks at the store alone and changes nothing."""
    with running(context.store, "audit", context.clock) as run:
        with context.store.begin() as db:
            seen = look(context, db)
            found = leakage(evidence(context, db, seen), context.settings.training.seed)
            rows = quality.by_reason(db)
            leads = db.execute(
                select(func.count()).where(t.record.c.kind == "lead", ~t.record.c.deleted)
            ).scalar_one()
        doubts = suspects(context, seen)
        undecided = context.settings.training.doubtful is None
        model = next((m for m in listed(context) if m["status"] == "champion"), None)
        checks = (model["card"].get("checks") or {}) if model else {}
        leaks = leakage_dict(found)
        complete = checks.get("completeness")
        to_do = [] if leads else ["No lead has been read from the CRM yet: run `candor backfill`."]
        to_do += [f"{f['label']} {f['kind']}: {f['mend']}" for f in leaks["findings"] if not f["kept_out"]]
        if complete is not None and not complete["passed"]:
            to_do.append("The model in use moves scores by being filled: run `candor train`.")
        to_do += [
            f"{label.why[:1].upper()}{label.why[1:]} ({len(label.leads):,}, {label.won:,} of them won): are these outcomes true? "
            'Say training.doubtful = "use" or "leave_out" in candor.toml.'
            for label in doubts.labels if undecided
        ]  # fmt: skip
        run.summary.update(leads=leads, findings=len(leaks["findings"]), to_do=len(to_do))
        return Audited(
            leaks, complete, suspect_dict(doubts), (model["manifest"].get("survivorship") if model else None),
            {"quarantined": rows}, tuple(to_do),
        )  # fmt: skip


def suspect_dict(found: Suspect) -> dict[str, Any]:
    """Counts, and the first ids of each list."""
    return {
        "people_with_several_leads": len(found.people),
        "leads_of_them": sum(map(len, found.people)),
        "people_whose_leads_disagree": found.disagree,
        "people": [list(leads) for leads in found.people[:SHOWN]],
        "doubtful_labels": doubtful_labels(found.labels, SHOWN),
        "calculated_fields": list(found.calculated),
    }  # fmt: skip
