"""Outcomes since the training move the scores, and every score says by which recalibration (S3.5, S4.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from connector.jobs import attention, models
from connector.jobs.context import Context
from connector.jobs.fields import features_of
from connector.jobs.pull import pull
from connector.jobs.recalibrate import recalibrate
from connector.jobs.release import preview, release
from connector.jobs.score import score
from connector.jobs.train import train_model
from connector.store import schema as t
from scoring.model import recent
from tests.whole_loop import Made


def test_what_became_of_recent_leads_moves_scores_and_each_can_be_made_again(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[bool] = []

    def weigh(*told: Any) -> Any:
        weighed.append(True)
        return weights(*told)

    weights = attention.weights
    with made.loop("salesforce", "trained", tmp_path) as loop:
        assert loop.candor("status", "--json").json()["recalibration"] is None
        loop.control("POST", "/reps/react", {"days": 7})
        with loop.context() as context:
            pull(context)
            with monkeypatch.context() as watched:
                watched.setattr(attention, "weights", weigh)
                first = recalibrate(context)
            assert first is not None
            # by who was worked, as the training did
            assert bool(weighed) == (models.card(context, first.model)["attention"] is not None)
            assert weighed
            assert first.leads > 50
            assert 0 < first.wins < first.leads
            second = recalibrate(context)
            assert second is not None
            assert second.version != first.version
            assert (second.leads, second.promised, second.moved) == (first.leads, first.promised, first.moved)
        loop.sync(everything=True)
        said = loop.candor("status", "--json").json()["recalibration"]
        assert (said["version"], said["leads"]) == (second.version, second.leads)
        with loop.context() as context:
            _made_again(context, second.version)
            challenger = train_model(context).version
            seen = preview(context, challenger)
            with context.store.begin() as db:
                in_use = {row.lead_id: row.score for row in db.execute(select(t.score))}
            release(context, challenger, "a test", worse_too=True)
            third = recalibrate(context)
            assert third is not None
            assert third.model != first.model
            assert abs(third.moved) < 25
            tonight = {row["lead_id"]: row["score"] for row in score(context, everything=True).score_rows}
            assert len(seen.movers) == 10
            for mover in seen.movers:  # the clock goes on, so leads are some seconds older
                then = (in_use[mover.lead], tonight[mover.lead])
                assert mover.score == pytest.approx(then, abs=0.01), "both as that night uses them"


def _made_again(context: Context, version: str) -> None:
    with context.store.begin() as db:
        scores = [dict(row) for row in db.execute(select(t.score)).mappings()]
        kept = db.execute(select(t.recalibration).where(t.recalibration.c.version == version)).one()
    assert {score["recalibration"] for score in scores} == {version}
    names = {
        f.name: pa.float64() if f.type == "number" else pa.string() for f in features_of(context.settings)
    }
    rows = pa.table(
        {n: pa.array([score["inputs"].get(n) for score in scores], kind) for n, kind in names.items()}
    )
    model = models.named(context, scores[0]["model"])
    again, alone = model.score(rows, recent=recent.read(kept.state)), model.score(rows)
    assert [score["probability"] for score in scores] == again.probability.tolist()
    assert [score["high"] for score in scores] == again.high.tolist()
    assert (again.probability != alone.probability).all()
    assert (again.width_recent > 0).mean() > 0.5
    assert not alone.width_recent.any()


def test_a_file_without_times_is_left_alone(made: Made, tmp_path: Path) -> None:
    with made.loop("hubspot", "trained", tmp_path) as loop:
        loop.setting("training", mode="snapshot")
        with loop.context() as context:
            assert recalibrate(context) is None


@pytest.mark.parametrize("command", ["status"])
def test_status_says_it_in_one_line(made: Made, tmp_path: Path, command: str) -> None:
    with made.loop("hubspot", "trained", tmp_path) as loop:
        assert "recent outcomes" in loop.candor(command).out
