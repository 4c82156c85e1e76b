"""The registry: which models there are, and which of them score. A row of it is a family: the universal model with those of the
segments that have one, released and brought back together."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connector.errors import NoSuchModel, NotTrained
from connector.jobs.context import Context
from connector.store import schema as t
from scoring.errors import Tampered
from scoring.model import store as files
from scoring.model.card import Model
from scoring.model.family import Family

_RETIRED = "retired_segments"
RELEASES = "releases"
"""in the store: every release and rollback, the latest last: version, before, at, why"""


def champion(context: Context) -> tuple[Family, dict[str, Any]]:
    """The released family, without segments that were retired since, and its manifest; its hash checked. Raises NotTrained,
    Tampered."""
    with context.store.begin() as db:
        row = db.execute(select(t.model).where(t.model.c.status == "champion")).mappings().first()
    if row is None:
        raise NotTrained()
    return _opened(row["version"], row["blob"], row["sha256"]).without(
        retired(context, row["created_at"])
    ), row["manifest"]


def _opened(version: str, blob: bytes, sha256: str) -> Family:
    try:
        return _read(blob, sha256)
    except Tampered as error:
        raise Tampered(
            f"Model {version} is not the one that was saved: its SHA-256 differs.",
            fix="If it is the one in use, go back to the one before it by `candor rollback`, or train anew by `candor train`.",
        ) from error


@lru_cache(maxsize=3)
def _read(blob: bytes, sha256: str) -> Family:
    """The last ones stay open, such as the one in use, the one before it and one that may take over: to open one takes a
    second, and a release does so several times. The same bytes and hash alone are the same model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        path.write_bytes(blob)
        found = files.load(path, sha256)
    return Family(found) if isinstance(found, Model) else found


def retired(context: Context, since: datetime) -> list[str]:
    """Names of the segments that an admin retired after a family was trained (`since`): the universal model scores their leads
    again."""
    kept: Mapping[str, str] = context.store.get(_RETIRED, {})
    return sorted(name for name, at in kept.items() if datetime.fromisoformat(at) >= since)


def retire(context: Context, name: str) -> None:
    """Give a segment's leads, or the edge cases, back to the universal model from the next pass on. Raises NoSuchModel."""
    family, _ = champion(context)
    known = family.names
    if name not in known:
        raise NoSuchModel(
            f"Nothing named {name} has a model of its own.",
            fix=f"Those that do: {', '.join(known) or 'none'} (`candor models`).",
        )
    kept = context.store.get(_RETIRED, {})
    context.store.put(_RETIRED, {**kept, name: context.clock.now().isoformat()})
    context.store.put("scored_by", None)  # so that the next pass scores all open leads


def succeeded(context: Context, version: str) -> str | None:
    """Which model was in use before this one took over last; None where none was, or it isn't kept."""
    history: list[Mapping[str, Any]] = context.store.get(RELEASES, [])
    last = next((h for h in reversed(history) if h["version"] == version), None)
    with context.store.begin() as db:
        there = set(db.scalars(select(t.model.c.version)))
    return None if last is None or last["before"] not in there else str(last["before"])


def manifest(context: Context, version: str | None = None) -> dict[str, Any] | None:
    """What a model was made of; of the one in use where no `version` is named. None where there is none."""
    wanted = t.model.c.status == "champion" if version is None else t.model.c.version == version
    with context.store.begin() as db:
        found: dict[str, Any] | None = db.execute(select(t.model.c.manifest).where(wanted)).scalar()
    return found


def card(context: Context, version: str) -> dict[str, Any]:
    """What an admin is told of a model: its own card, and what only the training as a whole knows. Raises NoSuchModel."""
    with context.store.begin() as db:
        found: dict[str, Any] | None = db.execute(
            select(t.model.c.card).where(t.model.c.version == version)
        ).scalar()
    if found is None:
        raise NoSuchModel(f"There is no model {version}.", fix="`candor models` names those that there are.")
    return found


def named(context: Context, version: str) -> Family:
    """A family of any status, its hash checked. Raises NoSuchModel, Tampered, OtherVersion."""
    return opened(context, version)[0]


def opened(context: Context, version: str) -> tuple[Family, dict[str, Any]]:
    """The same with its manifest."""
    columns = (t.model.c.blob, t.model.c.sha256, t.model.c.manifest)
    with context.store.begin() as db:
        row = db.execute(select(*columns).where(t.model.c.version == version)).first()
    if row is None:
        raise NoSuchModel(f"There is no model {version}.", fix="`candor models` names those that there are.")
    return _opened(version, row.blob, row.sha256), row.manifest


def listed(context: Context) -> list[dict[str, Any]]:
    """All models, the newest first: version, created_at, status, card, manifest."""
    columns = (t.model.c.version, t.model.c.created_at, t.model.c.status, t.model.c.card, t.model.c.manifest)
    with context.store.begin() as db:
        return [
            dict(r)
            for r in db.execute(
                select(*columns).order_by(t.model.c.created_at.desc(), t.model.c.version.desc())
            ).mappings()
        ]
