"""Champion and challenger: a release is previewed, made and taken back, and old scores stay what they were (S3.5, S4.4)."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update

from connector.errors import NoSuchModel
from connector.jobs import models, release
from connector.jobs.context import Context
from connector.jobs.recalibrate import recalibrate
from connector.jobs.score_again import score_again
from connector.jobs.status import status
from connector.jobs.train import offer
from connector.store import schema as t
from scoring.errors import Tampered
from scoring.model import store as files
from scoring.model.between import RECENT
from scoring.model.card import Model
from scoring.model.family import Family
from scoring.model.router import Router
from scoring.model.segments import Segment
from scoring.routing.policy import Policy
from tests.whole_loop import Made

NEW = "2099-01-01.1"


def challenger(context: Context) -> Segment:
    """A model that says otherwise for all, and for one source by a model of its own. The backtest is the champion's."""
    family, _ = models.champion(context)

    def other(version: str, offset: float) -> Model:
        was = family.universal
        return replace(was, version=version, point=replace(was.point, offset=was.point.offset + offset))

    with context.store.begin() as db:
        sources = Counter(inputs.get("source") for inputs in db.scalars(select(t.score.c.inputs)))
    (source, _) = next(pair for pair in sources.most_common() if pair[0])
    segment = Segment("source", "Source", (source,))
    made = Family(other(NEW, 0.5), (other(f"{NEW}/{segment.name}", -1.5),), Router((segment,)))
    with tempfile.TemporaryDirectory() as folder:
        digest = files.save(made, Path(folder) / "model")
        blob = (Path(folder) / "model").read_bytes()
    with context.store.begin() as db:
        row = dict(db.execute(select(t.model)).mappings().one())
        db.execute(
            insert(t.model).values(
                **{**row, "version": NEW, "status": "challenger", "sha256": digest, "blob": blob}
            )
        )
    return segment


def twin(context: Context) -> str:
    """The champion under another name, whose recalibration has come to say otherwise."""
    version = "2099-01-02.1"
    family, _ = models.champion(context)
    made = replace(family, universal=replace(family.universal, version=version))
    with tempfile.TemporaryDirectory() as folder:
        digest = files.save(made, Path(folder) / "model")
        blob = (Path(folder) / "model").read_bytes()
    begun = family.universal.begin()
    moved = replace(begun, means=begun.means + np.array([-1.5, 0.0])).as_dict()
    with context.store.begin() as db:
        row = dict(db.execute(select(t.model).where(t.model.c.version == family.version)).mappings().one())
        new = {**row, "version": version, "status": "challenger", "sha256": digest, "blob": blob}
        db.execute(insert(t.model).values(**new))
        db.execute(
            insert(t.recalibration).values(
                version=f"{version}+1", model=version, at=context.clock.now(), start=moved, state=moved
            )
        )
    return version


def test_a_release_is_previewed_made_and_taken_back_and_every_score_is_made_again_bit_for_bit(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop:
        with loop.context() as context:
            segment = challenger(context)
            old = models.champion(context)[0].version
            with context.store.begin() as db:
                before = db.execute(select(func.count()).select_from(t.score)).scalar()
            seen = release.preview(context, NEW)
            with context.store.begin() as db:
                assert db.execute(select(func.count()).select_from(t.score)).scalar() == before
            assert models.champion(context)[0].version == old, "a preview changes nothing"
            assert 0 < seen.another_route < seen.leads
            assert sum(seen.routes.values()) == seen.another_route
            assert sum(a for name, (a, _) in seen.lists.items() if " of " not in name) == seen.leads
            assert sum(b for name, (_, b) in seen.lists.items() if " of " not in name) == seen.leads
            moved = [abs(m.score[1] - m.score[0]) for m in seen.movers]
            assert moved == sorted(moved, reverse=True)
            for mover in seen.movers:
                assert mover.by_model + mover.by_recalibration == pytest.approx(
                    mover.score[1] - mover.score[0]
                )
                assert mover.why.endswith(" points")
                assert mover.name != mover.lead
            assert not seen.alike
            assert seen.by_model > 5
            assert 0 < seen.routes_by_model <= seen.another_route
            assert 0 <= seen.bands_by_model <= seen.another_band
            listed = {name.rpartition(" of ")[2] for name in seen.lists if " of " in name}
            assert listed & set(seen.owners)
            again = twin(context)
            same = release.preview(context, again)
            assert same.alike
            assert same.by_model < 0.01
            assert same.by_recalibration > 0
            assert {m.why.partition(":")[0] for m in same.movers} == {RECENT}
            begun = models.champion(context)[0].universal.begin()
            turned = replace(begun, means=begun.means + np.array([-1.5, 0.0]))
            with monkeypatch.context() as tonight:
                tonight.setattr(
                    "connector.jobs.recalibrate.tonight",
                    lambda _, version: turned if version == again else begun,
                )
                other = release.preview(context, again)
            assert other.another_route > 0
            assert (other.bands_by_model, other.routes_by_model) == (0, 0), "it is the same model"
            assert other.plain()["routes_by_recalibration"] == other.another_route
            assert other.bands_by_recalibration == other.another_band
        said = loop.candor("release", NEW, "--yes").out
        assert "On average the models themselves move a score by" in said
        assert f"  {seen.movers[0].name}: " in said
        for owner in listed & set(seen.owners):
            assert owner not in said
        assert f"{seen.another_route:,} another route" in said
        assert (
            f"By the models themselves: {seen.bands_by_model:,} another band, {seen.routes_by_model:,} another"
            in said
        )
        loop.sync()
        with loop.context() as context:
            by = {row.model for row in rows(context)}
            assert by == {old, NEW, f"{NEW}/{segment.name}"}
            own = [r for r in rows(context) if r.model == f"{NEW}/{segment.name}"]
            assert {r.inputs["source"] for r in own} == set(segment.values)
            assert release.before(context) == old
        assert loop.candor("rollback", "--json").json()["released"] is True
        with loop.context() as context:
            assert recalibrate(context) is not None
        loop.sync()
        with loop.context() as context:
            assert models.champion(context)[0].version == old
            newest = max(row.at for row in rows(context))
            latest = [row for row in rows(context) if row.at == newest]
            assert {row.model for row in latest} == {old}
            assert None not in {row.recalibration for row in latest}
            kinds = {(row.model, row.recalibration): row for row in rows(context)}
            assert len(kinds) == 4
            for row in kinds.values():
                assert score_again(context, row.lead_id, row.at).same, (row.lead_id, row.model)


def test_a_segment_that_is_retired_is_scored_by_the_universal_model_again(made: Made, tmp_path: Path) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop, loop.context() as context:
        segment = challenger(context)
        release.release(context, NEW, "a test")
        assert len(models.champion(context)[0].members) == 1
        with pytest.raises(NoSuchModel, match=segment.name):
            models.retire(context, "nobody")
        models.retire(context, segment.name)
        family, _ = models.champion(context)
        assert family.members == ()
        assert models.named(context, NEW).members, "old scores can still be made again"


def test_a_later_model_waits_for_a_yes_unless_the_policy_has_a_standing_one(
    made: Made, tmp_path: Path
) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop, loop.context() as context:
        challenger(context)
        assert offer(context, NEW, agreed=False) == (
            "challenger", f"no worse than the one in use, it waits for a yes: `candor release {NEW}`"
        )  # fmt: skip
        assert status(context)["waiting_model"] == NEW
        context.policy = Policy(standing_yes=frozenset({"releases"}))
        assert offer(context, NEW, agreed=False)[0] == "champion"
        assert models.champion(context)[0].version == NEW
        assert status(context)["waiting_model"] is None


def test_a_model_that_was_tampered_with_does_not_take_over(made: Made, tmp_path: Path) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop, loop.context() as context:
        challenger(context)
        with context.store.begin() as db:
            blob = db.execute(select(t.model.c.blob).where(t.model.c.version == NEW)).scalar_one()
            db.execute(update(t.model).where(t.model.c.version == NEW).values(blob=blob[:-1] + b"x"))
        with pytest.raises(Tampered):
            release.release(context, NEW, "a test")
        assert models.champion(context)[0].version != NEW
        with pytest.raises(NoSuchModel, match="none to go back to"):
            release.roll_back(context)


def test_where_the_model_in_use_was_tampered_with_the_refusal_says_the_way_out_and_it_works(
    made: Made, tmp_path: Path
) -> None:
    with made.loop("salesforce", "settled", tmp_path) as loop:
        with loop.context() as context:
            challenger(context)
            old = models.champion(context)[0].version
            lead = rows(context)[0].lead_id
            release.release(context, NEW, "a test")
            with context.store.begin() as db:
                blob = db.execute(select(t.model.c.blob).where(t.model.c.version == NEW)).scalar_one()
                db.execute(update(t.model).where(t.model.c.version == NEW).values(blob=blob[:-1] + b"x"))
        refused = loop.candor("score", lead)
        assert refused.code != 0
        assert f"Model {NEW} is not the one that was saved" in refused.err
        assert "`candor rollback`" in refused.err
        assert "skops" not in refused.err
        back = loop.candor("rollback")
        assert f"Model {old} is in use." in back.out
        assert "can't be told" in back.out
        page = loop.candor("score", lead, "--json").json()
        assert page["model"] == old
        assert all(set(flag) == {"code", "text", "feature"} for flag in page["flags"])
        assert all(reason["feature"] for reason in page["reasons"][:-1])

        # and the other way: what takes over recalibrates anew where the one before can't be read
        with loop.context() as context, context.store.begin() as db:
            db.execute(update(t.model).where(t.model.c.version == NEW).values(blob=blob))
            db.execute(update(t.model).where(t.model.c.version == old).values(blob=blob))
        assert f"Model {NEW} is in use." in loop.candor("release", NEW, "--yes").out
        with loop.context() as context, context.store.begin() as db:
            assert NEW in set(db.scalars(select(t.recalibration.c.model)))


def rows(context: Context) -> list:  # type: ignore[type-arg]
    with context.store.begin() as db:
        return list(db.execute(select(t.score).order_by(t.score.c.lead_id, t.score.c.at)))
