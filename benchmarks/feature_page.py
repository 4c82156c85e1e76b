"""Makes docs/features.md: `python -m benchmarks.feature_page`. Every feature with its definition, what it is made of, where
each CRM has that, and what share of the default world's leads has a value.

The shares are measured through the local CRMs and kept in feature_shares.json, so that the page can be made from the code
and them at any time (tests/unit/test_feature_page.py holds it equal): `--measure` takes them anew, in a few minutes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from connector.crm.base import ActivityKind
from connector.crm.parity import declared
from connector.crm.registry import TITLES
from connector.jobs.fields import STANDARD
from scoring.features import Process, catalogue
from scoring.features.catalogue import FIRMOGRAPHIC_OF, Feature
from scoring.features.process import KINDS, slug
from scoring.features.touches import BY_THE_LEAD

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
SHARES = Path(__file__).parent / "feature_shares.json"
LEADS, MONTHS, SEED = 3000, 18, 7
NAMED = 0.2
"""share of leads who name a date, which nobody does in the default world"""
AGES = (7, 30, 90)
"""days after creation at which each lead is looked at"""
STEPS = Process(("call", "email_sent", "email_replied", "meeting"))
"""an example in words that both CRMs share: an org names its own"""

ANY: tuple[str, ...] = get_args(ActivityKind)
TOUCH = (*BY_THE_LEAD, "call")
COMPANY = ("account_id", "email")
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "pages_per_session_30d": ("page_view",), "return_visits_48h": ("page_view",), "doc_download_share": ("download",),
    "technical_content_share": ("page_view", "download"), "pricing_with_case_study_30d": ("page_view", "download"),
    "research_depth_30d": ("page_view", "download"), "reply_hours_median": ("email_sent", "call", "email_replied"),
    "forwards_30d": ("email_forwarded",), "forms_30d": ("form",), "channels_14d": TOUCH, "meetings_30d": ("meeting",),
    "lead_age_days": ("created_at",), "functions_engaged_30d": (*TOUCH, *COMPANY, "title"),
    "shared_sessions_30d": ("page_view", "meeting", "call", "webinar", *COMPANY),
    "colleague_forwards_30d": ("email_forwarded", *COMPANY),
    "copied_colleagues_30d": ("email_sent", "email_replied", "email_forwarded", *COMPANY),
    "referral": ("heard_from", "email_forwarded", *COMPANY),
    "has_executive_in_committee": (*TOUCH, *COMPANY, "title"), "has_business_in_committee": (*TOUCH, *COMPANY, "title"),
    "outreach_30d": ("email_sent", "call"), "machine_outreach_30d": ("email_sent", "call", "task"), "completeness": ("the mapped standard fields",),
    "log_employees": ("employees",), "size_band": ("employees",), "log_annual_revenue": ("annual_revenue",),
    "function": ("title",), "seniority": ("title",), "channel": ("source",), "email_kind": ("email",),
    "created_hour": ("created_at",), "created_weekday": ("created_at",),
}  # fmt: skip
AS_OF = {
    "behavioural": "activities up to and including the moment, by the date that they bear (kinds that are entered late and dated back are "
    "found by the leakage audit and count nowhere)",
    "temporal": "touches up to and including the moment, and the record's creation",
    "graph": "touches of colleagues up to and including the moment; who is a colleague by the address known then (where its "
    "history isn't kept, the one it was first read with) and by the account from when it was first seen",
    "actors": "activities up to and including the moment, by who was then known to have acted",
    "firmographic": "the field's last dated change at or before the moment; before its history begins, unknown",
    "fact": "the field's last dated change at or before the moment; before its history begins, unknown",
    "date": "the field's last dated change at or before the moment; before its history begins, unknown; an answer like “within 3 "
    "months” counts from that change",
    "process": "changes of status and activities up to and including the moment; an outcome's own status ends a lead's life and is never seen",
}  # fmt: skip
TITLE = {
    "behavioural": "What the lead does", "temporal": "When it is heard from", "graph": "The people around it",
    "actors": "Who acts", "firmographic": "Who it is", "fact": "Fields of the org's own",
    "date": "Dates that the buyer named", "process": "What was done with it",
}  # fmt: skip


def features() -> tuple[Feature, ...]:
    return catalogue(STANDARD, STEPS)


def made_of(feature: Feature) -> tuple[str, ...]:
    """Canonical kinds of activity and fields that a feature reads."""
    if feature.name in _BY_NAME:
        return _BY_NAME[feature.name]
    if feature.family == "temporal" or feature.family == "behavioural":
        return TOUCH
    if feature.family == "graph":
        return (*TOUCH, *COMPANY)
    if feature.family == "actors":
        return ANY
    if feature.family == "process":
        return _of_step(feature.name)
    if feature.family == "date":
        return (feature.name.removeprefix("days_until_").removesuffix("_passed"),)
    return (feature.name.removeprefix("fact_"),)


def _of_step(name: str) -> tuple[str, ...]:
    for step in STEPS.steps:
        if name == f"{slug(step)}_{STEPS.window}d":
            return (step.split(":")[0],)
    for kind in STEPS.follow:
        if name in (f"last_{kind}", f"hours_since_{kind}"):
            return (kind,)
    return ("status", *KINDS)


# -- the page --


def page(shares: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """`shares`: feature -> CRM -> (share of rows with a value, distinct values)."""
    crms = declared()
    parts = [
        "# Features",
        "<!-- Made by `python -m benchmarks.feature_page`. Change the catalogue (scoring/features/catalogue.py), not this. -->",
        "What a model may know of a lead at a moment, and what routing and people see beside it (*routing only*). "
        + " ".join((import_module("scoring.features.catalogue").__doc__ or "").split("\n\n", 1)[1].split()),
        f"*Known* is the share of leads with a value, *different* the number of different values, on the default world read through "
        f"each local CRM ({LEADS:,} leads, seed {SEED}; each lead {', '.join(map(str, AGES))} days after it came in), "
        f"in which {NAMED:.0%} of leads say by when they need it. A feature with a single "
        "value, or none, says nothing there; the model leaves it out by itself. "
        "Process features are off unless `[process] on = true` in candor.toml (docs/decisions/0014-process-features.md); the steps below are an example.",
    ]  # fmt: skip
    for family, title in TITLE.items():
        mine = [f for f in features() if f.family == family]
        if mine:
            parts += [
                f"## {title} (`{family}`)",
                f"As of: {AS_OF[family]}.",
                _features(mine, shares, list(crms)),
                *_unlisted(family),
            ]
    parts += ["## Where each input comes from", _inputs(), ""]
    return "\n\n".join(parts)


def _unlisted(family: str) -> list[str]:
    """Features of a family that a standard field would feed if the org listed it as one that may describe a lead."""
    there = {f.name for f in features()}
    return [
        f"`{f.name}` ({f.label}: {f.definition}) comes with the field `{fact}`, which says who a lead is and describes it only where "
        f"candor.toml lists it: `[mapping.extra.{fact}]`. It then counts in `completeness`, too."
        for fact, f in FIRMOGRAPHIC_OF if f.family == family and f.name not in there
    ]  # fmt: skip


def _features(mine: Sequence[Feature], shares: Mapping[str, Any], crms: Sequence[str]) -> str:
    head = ["feature", "a rep reads", "unit", "definition", "made of", *(f"{TITLES[c]}: known, different" for c in crms)]  # fmt: skip
    rows = [
        [
            f"`{f.name}`" + ("" if f.role == "model" else " *routing only*"), f.label, f.unit, f.definition, _short(made_of(f)),
            *(_measured(shares.get(f.name, {}).get(c)) for c in crms),
        ]
        for f in mine
    ]  # fmt: skip
    return _table(head, rows)


def _measured(found: Sequence[float] | None) -> str:
    if found is None:
        return "not measured"
    share, distinct = found
    return f"{share:.0%}, {distinct:.0f}" + (" (**says nothing**)" if distinct <= 1 else "")


def _short(names: Sequence[str]) -> str:
    if set(names) >= set(ANY):
        return "every activity"
    text = ", ".join(n for n in names if n not in TOUCH) if set(names) >= set(TOUCH) else ", ".join(names)
    return ", ".join(filter(None, ["touches", text])) if set(names) >= set(TOUCH) else text


def _inputs() -> str:
    """Each canonical input, and what of each CRM it is."""
    crms = declared()
    head = ["input", *(c.title for c in crms.values())]
    rows = [[f"`{kind}`", *(c.activity_sources.get(kind, "–") for c in crms.values())] for kind in ANY]  # type: ignore[call-overload]
    names = dict.fromkeys(["email", "account_id", "status", *(fact.name for fact in STANDARD)])
    rows += [[f"`{name}`", *(_field(crm, name) for crm in crms)] for name in names]
    return _table(head, rows)


def _field(crm: str, name: str) -> str:
    """The vendor's field by default; a mapping file may name another."""
    fields = import_module(f"connector.crm.{crm}.fields")
    if hasattr(fields, "CANDIDATES"):
        candidates = fields.CANDIDATES["lead"].get(name, ())
        return " or ".join(candidates) or ("the contact's company" if name == "account_id" else "–")
    known = {**fields.default_fields_if_there["lead"], **fields.default_fields["lead"]}
    return str(known.get(name, "–"))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in cells)


# -- measuring --


def measure() -> dict[str, dict[str, list[float]]]:
    """Feature -> CRM -> share of rows with a value, distinct values: pulled through each local CRM like any org."""
    found: dict[str, dict[str, list[float]]] = {}
    for crm in TITLES:
        sys.stderr.write(f"  {crm}: made, pulled and built\n")
        rows = _through(crm)
        for feature in features():
            column = rows[feature.name].drop_null()
            found.setdefault(feature.name, {})[crm] = [round(len(column) / rows.num_rows, 4), len(column.unique())]  # fmt: skip
    return found


def _through(crm: str) -> Any:
    from connector.demo.loop import map_org, write_settings
    from connector.jobs.context import open_context
    from connector.jobs.examples import features as built
    from connector.jobs.pull import pull, remember_org
    from connector.playground.server import launched
    from connector.playground.world.options import WorldOptions
    from connector.store import asof
    from connector.store.runs import running

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "named.toml").write_text(f'name = "default"\n[world]\nnamed_dates = {NAMED}\n')
        options = WorldOptions(leads=LEADS, months=MONTHS, seed=SEED, scenario=str(folder / "named.toml"))
        with launched(crm, folder / "playground", options) as (_, info):
            settings = write_settings(crm, info, folder, options)
            with open_context(settings) as context:
                remember_org(context)
                settings = map_org(context, folder, options, ())
            asked = settings.process.model_copy(
                update={"on": True, "steps": list(STEPS.steps), "follow": list(STEPS.follow)}
            )
            with open_context(settings.model_copy(update={"process": asked})) as context:
                with running(context.store, "backfill", context.clock):
                    pull(context, label="Backfill")
                now = context.clock.now()
                with context.store.begin() as db:
                    lives = asof.lives(db)
                points = [(life.lead_id, at) for life in lives for age in AGES
                          if (at := life.created_at + timedelta(days=age)) <= now]  # fmt: skip
                return built(context, points)


def main() -> None:
    if "--measure" in sys.argv[1:] or not SHARES.exists():
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(of)}" for name, of in measure().items())
        SHARES.write_text(f"{{\n{lines}\n}}\n", "utf-8")
    PAGE.write_text(page(json.loads(SHARES.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
