"""The model in use, kept open between calls: opening one takes a second, scoring a lead milliseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from connector.errors import NotTrained
from connector.jobs import models
from connector.jobs.context import Context
from connector.store import schema as t
from scoring.model.family import Family

_open: dict[tuple[str, ...], tuple[Family, dict[str, Any]]] = {}
"""the last one, by version, hash and the segments retired since"""


def champion(context: Context) -> tuple[Family, dict[str, Any]]:
    """As `models.champion`, whose hash was checked when it was opened. Raises NotTrained, Tampered."""
    columns = (t.model.c.version, t.model.c.sha256, t.model.c.created_at)
    with context.store.begin() as db:
        row = db.execute(select(*columns).where(t.model.c.status == "champion")).first()
    if row is None:
        raise NotTrained()
    key = (row.version, row.sha256, *models.retired(context, row.created_at))
    found = _open.get(key)
    if found is None:
        found = models.champion(context)
        _open.clear()
        _open[key] = found
    return found
