"""An old score made again, bit for bit, and what the record of then says otherwise (S3.5)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connector.errors import NoSuchModel, NoSuchScore
from connector.jobs.pull import pull
from connector.jobs.score_again import score_again
from connector.store import schema as t
from tests.whole_loop import Made


def test_an_old_score_is_made_again_and_what_was_filled_in_later_is_said(made: Made, tmp_path: Path) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop:
        with loop.context() as context, context.store.begin() as db:
            rows = db.execute(select(t.score).order_by(t.score.c.lead_id)).mappings().all()
        loop.control("POST", "/reps/react", {"days": 7})
        with loop.context() as context:
            pull(context)
            for row in rows[:3]:
                again = score_again(context, row["lead_id"], row["at"] + timedelta(days=1))
                assert (again.same, again.otherwise, again.today, again.unbuilt) == (True, (), None, None)
                assert again.at == row["at"]
                assert again.said["score"] == row["score"]
            row = next(r for r in rows if "employees" in r["inputs"])
            lead, at = row["lead_id"], row["at"]
            with pytest.raises(NoSuchScore, match=r"had no score at .* its first is of"):
                score_again(context, lead, at - timedelta(days=900))
            with pytest.raises(NoSuchScore, match="has no score in the store"):
                score_again(context, "nobody", at)
        said = loop.candor("score", lead, "--as-of", at.isoformat(), "--explain")
        assert said.code == 0
        assert said.out.splitlines()[0].endswith("Made again: the same to the last bit.")
        assert "What was on record then is the same today." in said.out
        assert row["reasons"][0]["text"] in said.out

        # an activity of before that time, which came late
        with loop.context() as context, context.store.begin() as db:
            other = db.execute(
                select(t.activity).where(t.activity.c.kind == "page_view", t.activity.c.person_id.is_not(None)).limit(1)
            ).mappings().one()  # fmt: skip
            late = {**other, "id": "late", "person_id": lead, "at": at - timedelta(hours=1)}
            db.execute(t.activity.insert().values(**late))
        told = loop.candor("score", lead, "--as-of", f"{at:%Y-%m-%d}")
        assert told.code == 0
        assert "the same to the last bit" in told.out
        assert "The record says otherwise of that time today:" in told.out
        found = loop.candor("score", lead, "--as-of", f"{at:%Y-%m-%d}", "--json").json()
        assert found["same"] is True
        assert found["today"]["score"] != found["then"]["score"]
        assert {"then", "today", "feature", "label"} <= set(found["otherwise"][0])

        # what was kept is not what it was, the lead is gone, and then what made the score
        with loop.context() as context, context.store.begin() as db:
            db.execute(update(t.score).where(t.score.c.lead_id == lead).values(score=1.0))
            db.execute(update(t.record).where(t.record.c.id == lead).values(deleted=True))
        other_now = loop.candor("score", lead, "--as-of", at.isoformat())
        assert other_now.code == 1
        assert "Made again: another, in: score." in other_now.out
        assert "for the lead was deleted since" in other_now.out
        assert "is no time" in loop.candor("score", lead, "--as-of", "yesterday").err
        with loop.context() as context:
            with context.store.begin() as db:
                db.execute(update(t.score).values(recalibration="gone"))
            with pytest.raises(NoSuchModel, match="no recalibration gone"):
                score_again(context, lead, at)
            with context.store.begin() as db:
                db.execute(update(t.score).values(recalibration=None, model="1999"))
            with pytest.raises(NoSuchModel, match="no model 1999"):
                score_again(context, lead, at)
