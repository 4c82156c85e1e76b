"""What a lead's page says beside the score (S6.1, S3.4)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from connector.jobs.alike import Past, leads_like
from connector.jobs.context import Context
from connector.jobs.examples import features
from connector.jobs.models import champion
from connector.jobs.said import said_by_its_owner
from connector.jobs.score import commit, score
from connector.jobs.single import score_lead
from connector.jobs.stages import UpdateRecord
from connector.jobs.train import train_model
from connector.store import schema as t
from connector.store.records import record_values
from tests.whole_loop import Made


def stored(context: Context) -> list[Any]:
    """Score all open leads, and keep it."""
    with context.store.begin() as db:
        db.execute(update(t.record).where(t.record.c.kind == "lead").values(touched=True))
    found = score(context)
    with context.store.begin() as db:
        commit(context, db, 1, found)
        return list(db.execute(select(t.score).order_by(t.score.c.lead_id)).mappings())


@pytest.mark.parametrize("crm", ["salesforce"])
def test_a_leads_page_says_what_to_ask_who_was_like_it_and_why_it_moved(
    made: Made, tmp_path: Path, crm: str
) -> None:
    with made.loop(crm, "trained", tmp_path) as loop:
        with loop.context() as context:
            rows = stored(context)
            pages = [score_lead(context, row["lead_id"]) for row in rows[:10]]

            # the count is the one that stands behind the score, and each of them has ended
            for page, row in zip(pages, rows, strict=False):
                assert page["like"]["leads"] == row["evidence"] - (page["like"]["leads"] < row["evidence"])
                assert len(page["like"]["nearest"]) == min(page["like"]["leads"], 5)
                assert page["lead"] not in {past["lead_id"] for past in page["like"]["nearest"]}
                assert page["trend"] is None, "the first score, of today"
            for page in pages:
                assert bool(page["ask"]) <= (page["confidence"] < 70)
                assert (page["wide"] is None) == (page["confidence"] >= 70)
                assert (page["ask_nothing"] is None) == bool(page["ask"] or page["confidence"] >= 70)
                for question in page["ask"]:
                    assert question["width_after"] < question["width_now"] - 2
                    assert sum(case["chance"] for case in question["cases"]) == pytest.approx(1, abs=0.01)

            # unchanged since the first score, not the latest, once that is of another day
            first = rows[0]
            with context.store.begin() as db:
                for days in (3, 1):
                    was = {**first, "at": first["at"] - timedelta(days=days)}
                    db.execute(insert(t.score), [was])
            day = first["at"] - timedelta(days=3)
            unchanged = score_lead(context, first["lead_id"])["trend"]["text"]
            assert unchanged == f"Unchanged since {day:%A} {day.day} {day:%B}"
            with context.store.begin() as db:
                db.execute(delete(t.score).where(t.score.c.at < first["at"]))

            # one that was deleted is not shown any more, while nothing else has changed
            lead = next(page["lead"] for page in pages if page["like"]["nearest"])
            model, _ = champion(context)
            row = features(context, [(lead, context.clock.now())])
            before = leads_like(context, model.universal, lead, row)
            gone = before.nearest[0].lead_id
            with context.store.begin() as db:
                db.execute(update(t.record).where(t.record.c.id == gone).values(deleted=True))
            after = leads_like(context, model.universal, lead, row)
            assert gone not in {past.lead_id for past in after.nearest}
            assert (after.leads, after.gone) == (before.leads - 1, before.gone + 1)

            # a higher score two days ago, from other inputs: the cause is what differs
            was = rows[0]
            inputs = {**was["inputs"], "touches_7d": 60.0, "pricing_visits": 9.0}
            with context.store.begin() as db:
                db.execute(
                    update(t.score).where(t.score.c.lead_id == was["lead_id"])
                    .values(at=was["at"] - timedelta(days=2), inputs=inputs, score=90.0)
                )  # fmt: skip
            trend = score_lead(context, was["lead_id"])["trend"]
            assert trend["points"] == pytest.approx(
                sum(cause["points"] for cause in trend["causes"]), abs=0.15
            )

            # the field in the CRM says the same, where the lead is written
            with context.store.begin() as db:
                db.execute(t.outbox.delete())
            (written,) = (stage for stage in score(context, everything=True).stages
                         if isinstance(stage, UpdateRecord) and stage.id == was["lead_id"])  # fmt: skip
            assert isinstance(written, UpdateRecord)
            assert written.values["candor_trend"] == trend["text"]

            # what another model said then is that model's
            with context.store.begin() as db:
                db.execute(
                    update(t.score).where(t.score.c.lead_id == was["lead_id"])
                    .values(inputs=was["inputs"], model="another")
                )  # fmt: skip
            trend = score_lead(context, was["lead_id"])["trend"]
            assert trend["text"].endswith(": the model changed"), trend
        said = loop.candor("score", lead, "--explain").out
        assert "Leads like this one: " in said
        assert re.search(
            r"it would bring USD [\d,]+ to USD [\d,]+; expected value USD [\d,]+, likely USD", said
        ), said
        assert pages[0]["currency"] == "USD"


def test_an_amount_has_its_currency_where_that_is_known() -> None:
    past = Past("1", "Ann Lee", datetime(2026, 1, 1, tzinfo=UTC), 7.0, "won", 40.2, 12_345.0, "EUR")
    assert past.text == "won after 40 days, EUR 12,345"
    assert replace(past, currency=None).text == "won after 40 days, 12,345"


def test_what_a_rep_said_is_on_the_models_card_and_the_leads_page(made: Made, tmp_path: Path) -> None:
    with made.loop("salesforce", "trained", tmp_path) as loop, loop.context() as context:
        rows = stored(context)
        # the youngest: of these no outcome is learnt from, so what was said of them counts
        rows = sorted(rows, key=lambda row: row["inputs"].get("lead_age_days") or 0.0)[:30]
        with context.store.begin() as db:
            owner = {id: values["owner_id"] for id, values in record_values(db, "lead").items()}
            db.execute(
                insert(t.feedback),
                [
                    {"key": f"tag:{row['lead_id']}", "kind": "tag", "record_kind": "lead", "record_id": row["lead_id"],
                     "lead_id": row["lead_id"], "at": row["at"], "value": {"tag": "unexpected_fit"}, "run_id": 1,
                     "by": owner[row["lead_id"]]}
                    for row in rows
                ],
            )  # fmt: skip
        words = train_model(context).card["words"]
        assert words["words"] == 30 == sum(person["words"] for person in words["people"])
        assert words["points"] > 0
        assert words["gain_low"] <= words["gain"] <= words["gain_high"]
        with context.store.begin() as db:
            db.execute(update(t.model).where(t.model.c.status == "champion").values(card={"words": words}))
        said = score_lead(context, rows[0]["lead_id"])["words"]
        assert said["words"] >= 1
        assert said["text"].split(" ")[0] in ("one", str(said["words"]))

        # whichever of its models scores, the words stand on the card of the family
        family, _ = champion(context)
        assert said_by_its_owner(context, family, rows[0]["lead_id"]) == said
