"""The whole loop on one local CRM, through its API like any other org: provision, backfill, train, score, route, push,
reps react, harvest, retrain, report, remove."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select

from connector.cli.init import ask_outcomes, first_settings
from connector.cli.schema import provision, take_out
from connector.crm.registry import TITLES
from connector.demo.truth import held_out_figures, usual_practice_says
from connector.jobs.context import Context, Progress, open_context
from connector.jobs.fields import STANDARD, facts
from connector.jobs.models import listed
from connector.jobs.pull import pull, remember_org
from connector.jobs.recalibrate import recalibrate
from connector.jobs.report import report, side_by_side
from connector.jobs.single import score_lead
from connector.jobs.sync import sync
from connector.jobs.train import train_model
from connector.playground.server import column_field
from connector.playground.world.options import WorldOptions
from connector.settings import Settings, dump, load
from connector.store import quality, records
from connector.store import schema as t
from connector.store.runs import running

_ROUNDS = (7.0, 14.0)
"""Days that the reps are at work between two passes."""


@dataclass(slots=True)
class Loop:
    """What happened, ready for the table, the page and --json."""

    crm: str
    title: str
    lead: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


Say = Callable[[str], None]


def run_loop(
    crm: str,
    info: Mapping[str, Any],
    folder: Path,
    options: WorldOptions,
    progress: Progress,
    say: Say,
    *,
    keep: bool,
    steps: Sequence[str] = (),
    never_read: Mapping[str, int] | None = None,
) -> Loop:
    """`info` is the local CRM's playground.json; `folder` gets candor.toml, the store and the report. Of a file's leads with
    events: `steps` of their process, and how many rows were `never_read`, by reason."""
    loop = Loop(crm, TITLES[crm])
    pages = httpx2.Client(base_url=str(info["pages"]), trust_env=False, timeout=600)
    settings = write_settings(crm, info, folder, options)
    with open_context(settings, progress) as context:
        before = context.crm.schema().read()
        with _timed(loop, "connect and map"):
            remember_org(context)
            settings = map_org(context, folder, options, steps)
    with open_context(settings, progress) as context:
        result = loop.result
        with _timed(loop, "provision"):
            result["provisioned"] = provision(context)["changes"]
        with _timed(loop, "backfill"), running(context.store, "backfill", context.clock):
            pulled = pull(context, label="Backfill")
        with _timed(loop, "train"):
            trained = train_model(context)
            recalibrate(context)
        say(f"Trained on {trained.examples:,} as-of rows with {trained.wins:,} wins." if not options.snapshot
            else f"Trained on {trained.examples:,} leads as they look today (not as-of: the rows have no times).")  # fmt: skip
        with _timed(loop, "score, route, push"):
            first = sync(context, everything=True)
        with _timed(loop, "explain a lead"):
            loop.lead = _uncertain(context, of_file=options.csv is not None)
        if options.holds_back:
            result["model"] = held_out_figures(context, folder)
        elif options.csv is not None:
            figures = trained.card["backtest"]
            result["model"] = {"held_out": figures["n"], **{k: figures[k] for k in ("auc", "log_loss", "ece")},
                               "log_loss_of_base": (figures["skill"] or {}).get("log_loss_of_base"),
                               "base_rate": figures["wins"] / max(figures["n"], 1)}  # fmt: skip
        harvested: Counter[str] = Counter(first.harvested)
        passes = [first]
        reps: Counter[str] = Counter()
        for days in _ROUNDS if not options.snapshot else _ROUNDS[:1]:
            with _timed(loop, "reps react"):
                progress(f"Reps at work: {days:.0f} days", 0, None)
                answer = pages.post("/reps/react", json={"days": days})
                answer.raise_for_status()
                reps.update({k: v for k, v in answer.json().items() if isinstance(v, int)})
            with _timed(loop, "harvest, score, push"):
                passes.append(sync(context))
            harvested.update(passes[-1].harvested)
        with _timed(loop, "retrain"):
            train_model(context, agreed=True)  # the demo plays the admin, too
            recalibrate(context)
        with _timed(loop, "harvest, score, push"):
            passes.append(sync(context))
        harvested.update(passes[-1].harvested)
        with _timed(loop, "report"):
            page = report(context, folder / "report.html", never_read)
        with context.store.begin() as db:
            result["set_aside"] = quality.by_reason(db)
        usage = context.crm.usage()
        result |= {
            "pulled": pulled.records["lead"], "rows_read": sum(pulled.rows.values()),
            "scored": first.scored, "pushed": sum(p.pushed.done for p in passes), **_people(context, harvested),
            "routes": first.routes, "reps": dict(reps), "calls": usage.calls, "write_calls": usage.writes,
            "models": side_by_side(context), "report": str(page), "mode": settings.training.mode,
            "versions": [m["version"] for m in listed(context)], "left_after_remove": None,
        }  # fmt: skip
        if not keep:
            with _timed(loop, "remove"):
                left = take_out(context)["left"]
                after = context.crm.schema().read()
            result["left_after_remove"] = left
            result["describe_equal_to_before"] = _comparable(after) == _comparable(before)
        result["calls"], result["write_calls"] = (u := context.crm.usage()).calls, u.writes
        result["calls_failed"] = u.failed
    return loop


def write_settings(crm: str, info: Mapping[str, Any], folder: Path, options: WorldOptions) -> Settings:
    values = first_settings(
        crm,
        info["url"],
        "CANDOR_TOKEN",
        Path(info["token_file"]),
        Path(info["ca"]) if info["ca"] else None,
        info["clock_url"],
        tracked_since=None if info["tracked_since"] is None else date.fromisoformat(info["tracked_since"]),
    )
    values["store"] = {"data": str((folder / "candor-data").resolve())}
    if options.snapshot:
        values["training"] = {"mode": "snapshot"}
    if options.horizon_days is not None:
        values["policy"] = "policy.toml"
        (folder / "policy.toml").write_text(f"horizon_days = {options.horizon_days}\n")
    (folder / "candor.toml").write_text(dump(values))
    return load(folder / "candor.toml")


def map_org(context: Context, folder: Path, options: WorldOptions, steps: Sequence[str]) -> Settings:
    """What `init` does with an admin: outcomes by status, and for a file its own columns, horizon and steps."""
    import tomlkit

    file = folder / "candor.toml"
    values = tomlkit.parse(file.read_text()).unwrap()
    fields = context.crm.describe("lead")
    status = next(f for f in fields if f.canonical == "status")
    values["outcome"] = {
        "target": "won_deal",
        "status": ask_outcomes(dict.fromkeys(status.choices, 1), yes=True),
    }
    if (described := options.described_by()) is not None:
        columns, standard = described
        types = {"number": "number", "flag": "flag", "choice": "category", "text": "text", "date": "date"}
        there = {f.name.lower(): f for f in fields}
        found = {name: there[column_field(context.settings.crm.kind, name).lower()] for name in columns}
        values["mapping"] = {
            "extra": {
                name: {"field": found[name].name, "type": types[kind], "label": found[name].label}
                for name, kind in columns.items()
            }
        }
        if options.events is not None:
            kinds = sorted({step.split(":")[0] for step in steps})
            values["process"] = {"on": True, "steps": list(steps), "follow": ["status", *kinds]}
        if options.ages_days:
            values["training"] = {"ages_days": list(options.ages_days)}
        values["scope"] = {"leave_out": [f.name for f in STANDARD if f.name not in standard]}
    file.write_text(dump(values))
    return load(file)


def _uncertain(context: Context, of_file: bool) -> dict[str, Any]:
    """One lead that is hard to call and worth a look, with what usual practice would have said of it. `of_file`: a file's columns
    say what is known of it."""
    with context.store.begin() as db:
        latest = db.execute(select(func.max(t.score.c.at))).scalar()
        rows = db.execute(
            select(t.score.c.lead_id, t.score.c.confidence, t.score.c.expected_value, t.score.c.flags)
            .where(t.score.c.at == latest, t.score.c.confidence < context.policy.words.edge_case_confidence)
        ).all()  # fmt: skip
        routed = dict(
            db.execute(
                select(t.decision.c.lead_id, t.decision.c.route).where(t.decision.c.at == latest)
            ).all()
        )
    best = max(
        rows,
        key=lambda r: (routed.get(r.lead_id) == "review", min(len(r.flags), 1), r.expected_value or 0.0),
        default=None,
    )
    if best is None:
        return {}
    found = score_lead(context, best.lead_id)
    with context.store.begin() as db:
        values = records.record_values(db, "lead", [best.lead_id])[best.lead_id]
    found["who"] = {k: values.get(k) for k in ("title", "company", "industry", "employees", "source")}
    if of_file or context.settings.training.mode == "snapshot":
        named = [(fact.label, values.get(fact.name)) for fact in facts(context.settings)]
        found["who"]["known"] = [(label, v) for label, v in named if v not in (None, "", False)]
    found["usual_practice"] = usual_practice_says(context, best.lead_id)
    return found


def _people(context: Context, harvested: Mapping[str, int]) -> dict[str, int]:
    with context.store.begin() as db:
        reviews = db.execute(select(func.count()).select_from(t.review)).scalar() or 0
        forms = {
            r[0]: r[1] for r in db.execute(select(t.form.c.state, func.count()).group_by(t.form.c.state))
        }
    return {
        "in_review": reviews, "reviews_decided": harvested.get("review", 0), "overrides": harvested.get("override", 0),
        "tags": harvested.get("tag", 0), "answers": harvested.get("form", 0), "closing_answers": harvested.get("closing", 0),
        "forms_asked": sum(forms.values()),
    }  # fmt: skip


def _comparable(schema: Mapping[str, Any]) -> str:
    """All but how many fields are free: Salesforce counts deleted ones for 15 days, and `remove` says so."""
    told = {key: value for key, value in schema.items() if key != "custom_fields"}
    return json.dumps(told, sort_keys=True, default=str)


@contextmanager
def _timed(loop: Loop, name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    loop.seconds[name] = round(loop.seconds.get(name, 0.0) + time.perf_counter() - start, 2)
