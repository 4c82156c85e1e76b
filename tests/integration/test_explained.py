"""What a lead's page says beside the score (S6.1, S3.4)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from connector.jobs.context import Context
from connector.jobs.score import commit, score
from connector.jobs.single import score_lead
from connector.store import schema as t
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
            pages = [score_lead(context, row["lead_id"]) for row in rows[:40]]

            # the count is the one that stands behind the score, and each of them has ended
            for page, row in zip(pages, rows, strict=False):
                assert page["like"]["leads"] == row["evidence"] - (page["like"]["leads"] < row["evidence"])
                assert len(page["like"]["nearest"]) == min(page["like"]["leads"], 5)
                assert page["lead"] not in {past["lead_id"] for past in page["like"]["nearest"]}
                assert page["trend"]["text"].startswith("Unchanged since "), "nothing has happened since"
            for page in pages:
                assert bool(page["ask"]) <= (page["confidence"] < 70)
                for question in page["ask"]:
                    assert question["width_after"] < question["width_now"] - 2
                    assert sum(case["chance"] for case in question["cases"]) == pytest.approx(1, abs=0.01)

            # one that was deleted is not shown any more
            page = next(page for page in pages if page["like"]["nearest"])
            gone = page["like"]["nearest"][0]["lead_id"]
            with context.store.begin() as db:
                db.execute(update(t.record).where(t.record.c.id == gone).values(deleted=True))
            after = score_lead(context, page["lead"])["like"]
            assert gone not in {past["lead_id"] for past in after["nearest"]}
            assert (after["leads"], after["gone"]) == (page["like"]["leads"] - 1, page["like"]["gone"] + 1)

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

            # what another model said then is that model's
            with context.store.begin() as db:
                db.execute(
                    update(t.score).where(t.score.c.lead_id == was["lead_id"])
                    .values(inputs=was["inputs"], model="another")
                )  # fmt: skip
            trend = score_lead(context, was["lead_id"])["trend"]
            assert trend["text"].endswith(": the model changed"), trend
            lead = page["lead"]
        said = loop.candor("score", lead, "--explain").out
        assert "Leads like this one: " in said
