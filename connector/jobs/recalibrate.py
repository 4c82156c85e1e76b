"""Recalibrate: what became of the leads that the model in use did not learn from moves its scores, each night (S4.4).

Looked at is each lead at the ages at which it would have been scored, as in training, from the first whose time was not
up when the model was trained. Nothing waits for a ripe age: of a lead scored u days ago a win is expected to be known
only with the share of past wins that took u days at most, at the same age of the lead (scoring/model/recent.py). Where
training weighs outcomes by who was worked, so does this, and leads too young to tell are left out.

A model that follows another begins where that one was: with what the old one learnt of leads that the new one has learnt
from itself, carried over on the latest leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, insert, select, text

from connector.errors import NoSuchModel
from connector.jobs import attention, models
from connector.jobs.context import Context, log
from connector.jobs.examples import features, horizon_of, looked_at, scorings, won_at
from connector.jobs.fields import facts
from connector.jobs.scope import Outcomes, in_scope
from connector.store import asof, records
from connector.store import schema as t
from connector.store.bulk import sql
from connector.store.runs import running
from scoring.errors import OtherVersion, Tampered
from scoring.features.normalise import company_domain
from scoring.model import recent
from scoring.model.family import Family
from scoring.model.recent import Recent
from scoring.model.scores import to_score

ENOUGH = 30
"""past wins that say how soon wins are known; with fewer only leads whose time is up count"""
LEAST_KNOWN = 0.2
"""share of wins that would be known, from which on a lead counts: below it the share itself is too uncertain"""
HANDED_OVER = 1000
"""latest leads on which a model takes over from the one before"""
DAY = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """`leads`: how many count, since the model was trained; `wins`: of them by now; `promised`: by the model alone, by
    now; `moved`: points by which a typical lead's score moves."""

    version: str
    model: str
    at: datetime
    leads: int
    wins: int
    promised: float
    moved: float


@dataclass(frozen=True, slots=True)
class _Record:
    """Leads at the ages at which they would have been scored, in order of time."""

    rows: pa.Table
    at: np.ndarray
    """seconds since 1970, as are all times here"""
    won: np.ndarray
    """by now"""
    known: np.ndarray
    """the share of wins that would be known by now"""
    weight: np.ndarray
    """a lead's rows count together as one lead"""

    def among(self, mask: np.ndarray) -> _Record:
        return _Record(
            self.rows.filter(pa.array(mask)),
            self.at[mask],
            self.won[mask],
            self.known[mask],
            self.weight[mask],
        )


def recalibrate(context: Context) -> Recalibrated | None:
    """Learn from all that is known by now, and keep it under a version of its own. None for a file without times. Raises
    NotTrained."""
    if context.settings.training.mode == "snapshot":
        return None
    model, _ = models.champion(context)
    now = context.clock.now()
    with running(context.store, "recalibrate", context.clock) as run:
        start, state = _learnt(context, model, models.succeeded(context, model.version), now)
        version = _keep(context, model, now, start, state)
        found = Recalibrated(
            version, model.version, now, round(state.leads), round(state.wins), state.promised, moved(state)
        )
        run.summary.update(version=version, leads=found.leads, wins=found.wins, promised=found.promised)
        log.info("recalibrated", version=version, leads=found.leads, moved=found.moved)
        return found


def tonight(context: Context, version: str) -> Recent | None:
    """What a recalibration would say of a model now if it were the one in use; nothing is kept. None for a file without
    times. Raises NoSuchModel, NotTrained."""
    if context.settings.training.mode == "snapshot":
        return None
    champion, _ = models.champion(context)
    if champion.version == version:
        model, old = champion, models.succeeded(context, version)
    else:
        model, old = models.named(context, version), champion.version
    return _learnt(context, model, old, context.clock.now())[1]


def current(db: Connection, model: str) -> tuple[str | None, Recent | None]:
    """The latest recalibration of a model and its version; none before the first."""
    row = _latest(db, model)
    return (None, None) if row is None else (row.version, recent.read(row.state))


def summary(db: Connection, model: str) -> dict[str, Any] | None:
    """The latest recalibration of a model in plain numbers; None before the first."""
    version, state = current(db, model)
    if state is None:
        return None
    return {
        "version": version, "leads": round(state.leads), "wins": round(state.wins),
        "promised": round(state.promised, 1), "moved": round(moved(state), 1),
    }  # fmt: skip


def named(db: Connection, version: str) -> Recent:
    """A recalibration by its version, as a score names it. Raises NoSuchModel."""
    found = db.scalar(select(t.recalibration.c.state).where(t.recalibration.c.version == version))
    if found is None:
        raise NoSuchModel(
            f"There is no recalibration {version} any more.",
            fix="Scores that it moved can't be made again; restore the database from a backup of then.",
        )
    return recent.read(found)


def moved(state: Recent) -> float:
    """Points by which the score of a typical lead moves."""
    logit, _ = state.applied(np.array([state.centre]))
    return float(to_score(logit - state.centre)[0] - 50)


def _latest(db: Connection, model: str) -> Any:
    table = t.recalibration
    query = select(table).where(table.c.model == model).order_by(table.c.at.desc(), table.c.version.desc())
    return db.execute(query.limit(1)).first()


def _unseen_since(model: Family) -> float:
    """When the first leads were scored whose time was not up when the model was trained."""
    return (
        datetime.fromisoformat(model.universal.created) - timedelta(days=model.universal.horizon_days)
    ).timestamp()


def _learnt(context: Context, model: Family, old: str | None, now: datetime) -> tuple[Recent, Recent]:
    """Where the recalibrations of a model that follows `old` begin, and what the latest outcomes make of that."""
    unseen = _unseen_since(model)
    before = _before(context, model, old)
    record = _record(context, model, unseen if before is None else _unseen_since(before[0]), now)
    start = _start(context, model, before, record, unseen)
    return start, _followed(start, model, record, unseen, now.timestamp())


def _before(context: Context, model: Family, old: str | None) -> tuple[Family, Recent] | None:
    """The model that it follows, and where that one began, where it has no recalibration of its own yet and is the younger. None
    where that one can't be read any more: then nothing is handed on."""
    with context.store.begin() as db:
        if old is None or _latest(db, model.version) is not None:
            return None
        row = _latest(db, old)
    if row is None:
        return None
    try:
        family = models.named(context, old)
    except (Tampered, OtherVersion) as error:
        log.warning("recalibrates without the one before", model=model.version, why=error.message)
        return None
    return (family, recent.read(row.start)) if family.universal.created < model.universal.created else None


def _start(
    context: Context,
    model: Family,
    before: tuple[Family, Recent] | None,
    record: _Record | None,
    unseen: float,
) -> Recent:
    with context.store.begin() as db:
        row = _latest(db, model.version)
    if row is not None:
        return recent.read(row.start)
    if before is None or record is None:
        return model.universal.begin(unseen)
    old, begun = before
    ripe = _followed(begun, old, record.among(record.at < unseen), _unseen_since(old), unseen)
    latest = record.rows.slice(max(0, record.rows.num_rows - HANDED_OVER))
    return ripe.succeeded(old.logit(latest), model.logit(latest), model.universal.begin())


def _followed(start: Recent, model: Family, record: _Record | None, since: float, until: float) -> Recent:
    """What `start`, as of `since`, has become at `until`."""
    last = int((until - since) // DAY)
    if record is None:
        return start.waited(last)
    own = record.among(record.at >= since)
    day = ((own.at - since) // DAY).astype(np.int64)
    return recent.lived(start, day, model.logit(own.rows), own.won, own.known, own.weight, last)


def _keep(context: Context, model: Family, now: datetime, start: Recent, state: Recent) -> str:
    with context.store.begin() as db:
        taken = set(db.scalars(select(t.recalibration.c.version)))
        stem = f"{model.version}+{now:%Y-%m-%d}"
        version = next(
            name for n in range(1, 1000) if (name := stem if n == 1 else f"{stem}.{n}") not in taken
        )
        db.execute(
            insert(t.recalibration).values(
                version=version, model=model.version, at=now, start=start.as_dict(), state=state.as_dict()
            )
        )
    return version


def _record(context: Context, model: Family, since: float, now: datetime) -> _Record | None:
    """What is known by now of the leads scored since then; None when that is nothing."""
    settings, horizon = context.settings, horizon_of(context.policy)
    outcomes = Outcomes(settings.outcome.status)
    with context.store.begin() as db:
        values = records.record_values(db, "lead")
        lives = [life for life in asof.lives(db) if in_scope(values[life.lead_id], settings) is None]
        statuses = db.scalars(text(sql("statuses"))).all()
        times = attention.worked_times(db, statuses, outcomes)
        lots = attention.drawn(db)
    waits: list[list[float]] = [[] for _ in settings.training.ages_days]
    found: list[tuple[datetime, str, int, bool]] = []
    for life in lives:
        came = won_at(life, settings)
        ended = outcomes.ended_at(life)
        for age, at in enumerate(scorings(life, settings)):
            if at > now or (ended is not None and ended <= at):
                continue
            won = came is not None and at < came <= min(now, at + horizon)
            if won and came is not None and at + horizon <= now:
                waits[age].append((came - at).total_seconds())
            if at.timestamp() >= since:
                found.append((at, life.lead_id, age, won))
    known = _known(found, waits, now, horizon)
    weighed = models.card(context, model.version).get("attention") is not None
    kept = [
        (*point, share) for point, share in zip(found, known.tolist(), strict=True)
        if share >= LEAST_KNOWN and not (weighed and now - point[0] < attention.AFTER)
    ]  # fmt: skip
    if not kept:
        return None
    kept.sort()
    points = [(lead, at) for at, lead, _, _, _ in kept]
    rows = features(context, points, view=looked_at(context, model.version), reps_see=weighed)
    outcome = np.array([float(won) for _, _, _, won, _ in kept])
    _, place = np.unique([lead for lead, _ in points], return_inverse=True)
    weight = 1 / np.bincount(place)[place]
    if weighed:
        group = np.array(
            [company_domain(values[lead].get("email") or "") or lead for lead, _ in points], dtype=str
        )
        counts = attention.weights(
            settings, facts(settings), rows, points, outcome, attention.was_worked(points, times), group, lots
        )
        if counts is None:
            return None
        weight = weight * counts
    return _Record(
        rows,
        np.array([at.timestamp() for _, at in points]),
        outcome,
        np.array([share for *_, share in kept]),
        weight,
    )


def _known(
    found: Sequence[tuple[datetime, str, int, bool]],
    waits: Sequence[Sequence[float]],
    now: datetime,
    horizon: timedelta,
) -> np.ndarray:
    """Of each lead, the share of wins that would be known by now."""
    ages = np.array([(now - at).total_seconds() for at, *_ in found])
    which = np.array([age for _, _, age, _ in found], dtype=int)
    out = np.zeros(len(found))
    pooled = np.array([wait for each in waits for wait in each])
    for age, own in enumerate(waits):
        used = np.array(own) if len(own) >= ENOUGH else pooled
        if len(used) >= ENOUGH:
            out[which == age] = recent.known_by(used, ages[which == age])
    out[ages >= horizon.total_seconds()] = 1.0
    return out
