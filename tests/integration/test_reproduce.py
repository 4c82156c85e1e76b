"""A model made again from its manifest (S3.5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from connector.errors import NoSuchModel
from connector.jobs.models import listed
from connector.jobs.pull import pull
from connector.jobs.reproduce import reproduce
from connector.store import schema as t
from tests.whole_loop import Made


def test_training_set_and_model_are_made_again_after_time_went_on_and_differences_are_named(
    made: Made, tmp_path: Path
) -> None:
    with made.loop("salesforce", "trained", tmp_path) as loop:
        loop.control("POST", "/reps/react", {"days": 7})
        with loop.context() as context:
            pull(context)
            version = listed(context)[0]["version"]
            found = reproduce(context, version)
            assert (found.gone, found.changed, found.same_scores) == (0, (), True)
            assert found.rows > 500
            with context.store.begin() as db:
                db.execute(update(t.change).where(t.change.c.field == "title").values(old="CFO", new="CFO"))
            changed = reproduce(context, version)
            assert {"function", "seniority"} <= set(changed.changed)
            assert not changed.same
            with context.store.begin() as db:
                db.execute(update(t.record).where(t.record.c.kind == "lead").values(deleted=True))
            assert reproduce(context, version).gone > 0
            with pytest.raises(NoSuchModel, match=r"no model 1999"):
                reproduce(context, "1999")


def test_the_command_says_whether_it_is_the_same(made: Made, tmp_path: Path) -> None:
    with made.loop("hubspot", "trained", tmp_path) as loop:
        version = next(iter(loop.candor("status", "--json").json()["models"]))
        said = loop.candor("train", "--reproduce", version)
        assert "bit for bit" in said.out
        wrong = loop.candor("train", "--reproduce", "none")
        assert wrong.code != 0
        assert "There is no model none." in wrong.err
