"""A family with a segment's model through the connector's own jobs: trained, scored by, explained, released, taken back (S4)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from connector.crm.base import Page, Record
from connector.jobs import models, release
from connector.jobs.context import Context
from connector.jobs.score import commit, score
from connector.jobs.single import score_lead
from connector.jobs.train import train_model
from connector.jobs.words import edge_line
from connector.settings import Settings
from connector.store import records
from connector.store import schema as t
from scoring.model import store as files
from scoring.routing.policy import Models, Policy, Words
from tests.whole_loop import Made, open_store_in

BORN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS, MATURE, OPEN = 500, 600, 30
POLICY = Policy(models=Models(most=2), words=Words(established_leads=80))
SOURCES = ("Web", "Webinar", "Trade show", "Partner")
NEW = "2099-01-01.1"
FIELDS = ("alpha", "beta", "gamma")
TRACKED = frozenset({"status", "source", *FIELDS})


class Still:
    def now(self) -> datetime:
        return BORN + timedelta(days=DAYS + 5)


@pytest.fixture
def context(made: Made, tmp_path: Path) -> Iterator[Context]:
    settings = Settings(
        crm={"kind": "salesforce", "url": "https://nowhere.invalid"},
        training={"ages_days": [1]},
        outcome={"target": "conversion", "status": {"Working": "open", "Closed": "lost", "Converted": "won"}},
        mapping={"extra": {name: {"field": name, "type": "number", "label": name.capitalize()} for name in FIELDS}},
        scope={"leave_out": ["title", "industry", "employees", "annual_revenue", "country", "phone", "linkedin", "product_interest", "use_case",
                             "heard_from", "hand_raiser", "opted_out"]},
    )  # fmt: skip
    with open_store_in(made, tmp_path) as store:
        store.put("tracked_fields", sorted(TRACKED))
        store.put("history_of", "all fields")
        yield Context(settings, store, Still(), POLICY)


def sources(mature: int = 0) -> dict[str, str]:
    """Of the open leads, or the first `mature`."""
    found = leads()[:mature] if mature else leads()[MATURE:]
    return {lead.id: str(lead.values["source"]) for lead in found}


@lru_cache(maxsize=1)
def leads(seed: int = 1) -> list[Record]:
    """What speaks for the leads of the others speaks against a partner's. The last are open."""
    r = np.random.default_rng(seed)
    source = r.choice(SOURCES, MATURE + OPEN, p=(0.3, 0.3, 0.15, 0.25))
    x = r.normal(size=(MATURE + OPEN, len(FIELDS)))
    logit = np.where(source == "Partner", -1, 1) * (x @ np.full(len(FIELDS), 2.0)) - 0.5
    won = r.random(MATURE + OPEN) < 1 / (1 + np.exp(-logit))
    out = []
    for i in range(MATURE + OPEN):
        day = i / MATURE * (DAYS - 200) if i < MATURE else DAYS
        at = BORN + timedelta(days=float(day))
        ended = at + timedelta(days=10) if i < MATURE else at
        values: dict[str, Any] = {"status": "Working", "email": f"l{i}@company{i}.example", "source": str(source[i]),
                                  **{name: float(round(v, 3)) for name, v in zip(FIELDS, x[i], strict=True)}}  # fmt: skip
        if i < MATURE:
            values |= {"status": "Converted", "converted_at": ended} if won[i] else {"status": "Closed"}
        out.append(Record("lead", f"L{i}", at, ended, values))
    return out


def scored(context: Context) -> dict[str, Any]:
    """Score all open leads, and keep it."""
    found = score(context, everything=True)
    with context.store.begin() as db:
        commit(context, db, 1, found)
        rows = db.execute(select(t.score)).mappings().all()
    return {row["lead_id"]: row for row in rows}


def as_challenger(context: Context, version: str) -> None:
    """The champion once more, under another version."""
    family, _ = models.champion(context)
    members = tuple(replace(m, version=m.version.replace(family.version, version)) for m in family.members)
    again = replace(family, universal=replace(family.universal, version=version), members=members)
    with tempfile.TemporaryDirectory() as folder:
        digest = files.save(again, Path(folder) / "model")
        blob = (Path(folder) / "model").read_bytes()
    with context.store.begin() as db:
        row = dict(db.execute(select(t.model)).mappings().one())
        changed = {"version": version, "status": "challenger", "sha256": digest, "blob": blob}
        db.execute(insert(t.model).values({**row, **changed}))


def test_a_family_with_a_segments_model_is_trained_scores_explains_takes_over_and_is_taken_back(
    context: Context,
) -> None:
    with context.store.begin() as db:
        page = Page("leads", "c", leads())
        records.take_in(db, page, now=context.clock.now(), tracked=TRACKED, people=frozenset())
    trained = train_model(context)
    segments = trained.card["segments"]
    (case,) = segments["models"]
    own = f"{trained.version}/channel-partner"
    assert (case["name"], case["state"], case["version"]) == ("channel-partner", "own model", own)
    assert case["gain"]["saved"] > 0.15
    assert "speaks against a lead here" in " ".join(case["why"])
    assert segments["routing"]["by_facts"] == 1.0
    assert edge_line(segments["edge_cases"]).endswith("a model of them may compete from 300 reviews.")

    rows = scored(context)
    assert len(rows) == OPEN
    by = {lead: "Partner" if row["model"] == own else "another" for lead, row in rows.items()}
    assert by == {lead: "Partner" if source == "Partner" else "another" for lead, source in sources().items()}

    # one count of leads like this one, whichever model scores: of those that it learnt from
    for lead in (next(x for x in by if by[x] == "Partner"), next(x for x in by if by[x] == "another")):
        page = score_lead(context, lead)
        assert page["model"] == rows[lead]["model"]
        assert page["score"] == pytest.approx(rows[lead]["score"])
        assert page["like"]["leads"] == page["evidence"] == rows[lead]["evidence"] > 0
        if by[lead] == "Partner":
            assert {sources(MATURE)[past["lead_id"]] for past in page["like"]["nearest"]} == {"Partner"}

    as_challenger(context, NEW)
    assert release.release(context, NEW, "a test")
    assert models.champion(context)[0].names == ("channel-partner",)
    assert models.succeeded(context, NEW) == trained.version
    assert release.roll_back(context)
    assert [model.version for model in models.champion(context)[0].models] == [trained.version, own]
