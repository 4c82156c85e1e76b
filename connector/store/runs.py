"""Runs: every job that ran, when, with what result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from connector.clock import Clock
from connector.store import schema as t
from connector.store.records import plain
from connector.store.store import Store


class Run:
    """One run of a job; `summary` is kept with it."""

    def __init__(self, id: int, started_at: datetime) -> None:
        self.id, self.started_at, self.summary = id, started_at, dict[str, Any]()


@contextmanager
def running(store: Store, job: str, clock: Clock) -> Iterator[Run]:
    now = clock.now()
    with store.begin() as db:
        id = db.execute(
            insert(t.run).values(job=job, started_at=now, status="running").returning(t.run.c.id)
        ).scalar_one()
    run = Run(id, now)
    status = "stopped"
    try:
        yield run
        status = "done"
    except Exception as error:
        status = "failed"
        run.summary["error"] = str(error)
        raise
    finally:
        with store.begin() as db:
            db.execute(
                update(t.run)
                .where(t.run.c.id == id)
                .values(ended_at=clock.now(), status=status, summary=plain(run.summary))
            )


def last(store: Store, jobs: tuple[str, ...] = (), limit: int = 10) -> list[Mapping[str, Any]]:
    """The newest runs first."""
    query = select(t.run).order_by(t.run.c.id.desc()).limit(limit)
    if jobs:
        query = query.where(t.run.c.job.in_(jobs))
    with store.begin() as db:
        return [dict(row) for row in db.execute(query).mappings()]
