"""What a training set was made of, kept with its model: from it set and model can be made again (connector/jobs/reproduce.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.examples import Examples
from connector.jobs.fields import View
from connector.store.bulk import to_ipc
from scoring.features.catalogue import Feature, catalogue
from scoring.features.inputs import Fact
from scoring.features.process import Process
from scoring.model.card import Model
from scoring.model.family import Family
from scoring.model.said import Said
from scoring.routing.policy import Flags


def recipe(
    examples: Examples, view: View, features: Sequence[Feature], hidden: Sequence[str], flags: Flags
) -> dict[str, Any]:
    """The part of a manifest from which its training set and model are made again: what was looked at, what came out (a hash
    a column), what fed the model and what of it was hidden from the trees."""
    return {
        "facts": [asdict(fact) for fact in view.facts],
        "steps": None if view.steps is None else asdict(view.steps),
        "barred_activities": sorted(view.barred_activities),
        "known_since": {name: at.isoformat() for name, at in view.known_since.items()},
        "flags": flags.model_dump(),
        "features": {feature.name: feature.role for feature in features},
        "hidden_from_trees": list(hidden),
        "columns": hashes(examples.rows),
    }


def view_in(manifest: Mapping[str, Any]) -> View:
    """What was looked at for the training set of a manifest."""
    steps = manifest["steps"]
    return View(
        facts=tuple(Fact(**fact) for fact in manifest["facts"]),
        steps=None
        if steps is None
        else Process(tuple(steps["steps"]), tuple(steps["follow"]), steps["lately"], steps["window"]),
        known_since={name: datetime.fromisoformat(at) for name, at in manifest["known_since"].items()},
        barred_activities=frozenset(manifest["barred_activities"]),
    )


def features_in(manifest: Mapping[str, Any]) -> tuple[Feature, ...]:
    """What fed the model of a manifest."""
    view, role = view_in(manifest), manifest["features"]
    return tuple(replace(f, role=role[f.name]) for f in catalogue(view.facts, view.steps) if f.name in role)


def points(examples: Examples, family: Family) -> pa.Table:
    """A row an example: lead_id, as_of, won, weight, group, amount, and what makes it like another lead: `like`
    (scoring/model/evidence.py) and `logit`, by the universal model and, as `like/NAME` and `logit/NAME`, by each other one whose
    example it is too. Groups are numbered in the order of their names, which folds are dealt out
    by, so that no e-mail domain is kept. This, and not the model's file, is where the model's leads can be found, so
    here one can be taken out."""
    _, number = np.unique(examples.groups, return_inverse=True)
    group = np.char.zfill(number.astype(str), 9)
    everyone = np.ones(len(examples.won), bool)
    columns = {
        "lead_id": examples.rows["lead_id"], "as_of": examples.rows["as_of"], "won": examples.won, "weight": examples.weight,
        "group": group, "amount": examples.amount, **_like("", family.universal, examples.rows, everyone),
    }  # fmt: skip
    for name, model in zip(family.names, family.models[1:], strict=True):
        columns |= _like(f"/{name}", model, examples.rows, family.part(name)(examples.rows))
    return pa.table(columns)


def _like(suffix: str, model: Model, rows: pa.Table, inside: np.ndarray) -> dict[str, pa.Array]:
    """Columns of the whole table, blank outside."""
    part = rows.filter(pa.array(inside))
    encoded = model.design.encode(part)
    logit = model.point.logit(model.design, encoded, model.design.additive(encoded))
    like = model.similar.pattern(model.design, encoded, part, logit).astype(np.int16)
    place = pa.array(np.cumsum(inside) - 1, mask=~inside)
    return {
        f"like{suffix}": pa.array(list(like), pa.list_(pa.int16())).take(place),
        f"logit{suffix}": pa.array(logit).take(place),
    }


def words(said: Said) -> pa.Table:
    """A row a word: lead_id, as_of, kind, says, by, shown, outcome, learnt (as in scoring/model/said.py)."""
    return pa.table(
        {
            "lead_id": said.rows["lead_id"], "as_of": said.rows["as_of"], "kind": said.kind, "says": said.says, "by": said.by,
            "shown": said.shown, "outcome": said.outcome, "learnt": said.learnt,
        }
    )  # fmt: skip


def words_in(kept: pa.Table, rows: pa.Table) -> Said:
    """What `words` kept, beside its leads' features, built anew."""
    kind, by = (np.array(kept[name].to_pylist(), dtype=str) for name in ("kind", "by"))
    says, shown, outcome, learnt = (
        kept[name].to_numpy(zero_copy_only=False) for name in ("says", "shown", "outcome", "learnt")
    )
    return Said(rows, kind, says, by, shown, outcome, learnt)


def hashes(rows: pa.Table) -> dict[str, str]:
    """SHA-256 of each column's values and blanks, the first 16 digits."""
    return {name: _hash(rows[name]) for name in rows.column_names}


def _hash(column: pa.ChunkedArray) -> str:
    return hashlib.sha256(to_ipc(pa.table({"": column.combine_chunks()}))).hexdigest()[:16]
