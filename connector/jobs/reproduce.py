"""A model made again from its manifest: the same training set, the same scores, bit for bit, or what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from connector.jobs import models
from connector.jobs.context import Context
from connector.jobs.examples import Examples, features
from connector.jobs.manifest import features_in, hashes, view_in, words_in
from connector.jobs.train import fit
from connector.store import records
from connector.store import schema as t
from connector.store.bulk import from_ipc
from scoring.model.edge import Edge
from scoring.model.family import Family
from scoring.model.scores import Scores
from scoring.routing.policy import Flags


@dataclass(frozen=True, slots=True)
class Reproduced:
    """`gone`: leads that were deleted, merged or erased since; `changed`: columns of the training set that differ today."""

    version: str
    rows: int
    gone: int
    changed: tuple[str, ...]
    same_scores: bool

    @property
    def same(self) -> bool:
        return self.same_scores and not self.changed


def reproduce(context: Context, version: str) -> Reproduced:
    """Make a model's training set again from its manifest and fit it anew. Raises NoSuchModel, and OtherVersion where this
    Candor's models are made of other parts."""
    was = models.named(context, version)
    with context.store.begin() as db:
        kept = db.execute(
            select(t.model.c.manifest, t.model.c.examples, t.model.c.said).where(t.model.c.version == version)
        ).one()
        there = set(records.record_values(db, "lead"))
    manifest, points = kept.manifest, from_ipc(kept.examples)
    words = None if kept.said is None else from_ipc(kept.said)
    pairs = [pair for table in (points, words) if table is not None for pair in _pairs(table)]
    leads = points["lead_id"].to_pylist()
    gone = len({lead for lead, _ in pairs} - there)
    if gone:
        return Reproduced(version, len(leads), gone, (), same_scores=False)
    view = view_in(manifest)
    context.progress("Building what was known when", 0, 2)
    built = features(context, pairs, view=view, reps_see=True)
    rows = built.slice(0, len(leads))
    spoken = None if words is None else words_in(words, built.slice(len(leads)))
    context.progress("Fitting the model anew", 1, 2)
    again = _family(was, replace(_examples(rows, points), said=spoken), manifest)
    context.progress("Fitting the model anew", 2, 2)
    now = hashes(rows)
    changed = [
        name for name in {**manifest["columns"], **now} if manifest["columns"].get(name) != now.get(name)
    ]
    return Reproduced(version, len(leads), 0, tuple(changed), _same(again.score(rows), was.score(rows)))


def _family(was: Family, examples: Examples, manifest: Mapping[str, Any]) -> Family:
    """All models of a family fitted anew; the router, which hard facts make, is as it was, and so are the edge cases."""
    recipes = [manifest, *(case for case in manifest.get("models", ()) if "features" in case)]
    parts = [examples, *(examples.of(was.part(case["name"])) for case in recipes[1:])]
    universal, *members = (
        fit(
            part, features_in({**manifest, "features": made["features"]}), manifest["seed"], flags=Flags(**manifest["flags"]),
            unseen_by_trees=made["hidden_from_trees"], version=model.version, created=model.created,
            horizon_days=model.horizon_days, base_rate=examples.base_rate, by_revenue=manifest["by_revenue"],
        )
        for part, made, model in zip(parts, recipes, was.models, strict=True)
    )  # fmt: skip
    if was.edge is None:
        return Family(universal, tuple(members), was.router)
    edge = Edge.of(was.edge.cases, universal, members.pop())
    return Family(universal, tuple(members), was.router, edge)


def _examples(rows: pa.Table, points: pa.Table) -> Examples:
    column = {
        name: points[name].to_numpy(zero_copy_only=False) for name in ("won", "weight", "group", "amount")
    }
    return Examples(
        rows=rows, won=column["won"], weight=column["weight"], groups=column["group"], amount=column["amount"],
        as_of=np.array([at.timestamp() for at in points["as_of"].to_pylist()]), left_out={},
    )  # fmt: skip


def _pairs(table: pa.Table) -> list[tuple[str, datetime]]:
    return list(zip(table["lead_id"].to_pylist(), table["as_of"].to_pylist(), strict=True))


def _same(one: Scores, other: Scores) -> bool:
    """Whether every score, range, flag and reason of all rows is the same, bit for bit (a file's hash can't tell: it also
    depends on where its parts lay in memory)."""
    return all(_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Scores))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    return bool(one == other)
