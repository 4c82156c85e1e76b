"""The registry: which model scores."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connector.errors import NoSuchModel, NotTrained
from connector.jobs.context import Context
from connector.store import schema as t
from scoring.model import store as files
from scoring.model.card import Model


def champion(context: Context) -> tuple[Model, dict[str, Any]]:
    """The released model and its manifest, its hash checked. Raises NotTrained, Tampered."""
    with context.store.begin() as db:
        row = db.execute(select(t.model).where(t.model.c.status == "champion")).mappings().first()
    if row is None:
        raise NotTrained()
    return _opened(row["blob"], row["sha256"]), row["manifest"]


def _opened(blob: bytes, sha256: str) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        path.write_bytes(blob)
        return files.load(path, sha256)


def named(context: Context, version: str) -> Model:
    """A model of any status, its hash checked. Raises NoSuchModel, Tampered, OtherVersion."""
    with context.store.begin() as db:
        row = db.execute(select(t.model.c.blob, t.model.c.sha256).where(t.model.c.version == version)).first()
    if row is None:
        raise NoSuchModel(
            f"There is no model {version}.", fix="`candor status --json` names those that there are."
        )
    return _opened(row.blob, row.sha256)


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
