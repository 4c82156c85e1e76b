"""Which leads were worked around the moment they are learnt from, and what their outcomes count therefore (S1.5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, text

from connector.jobs.scope import Outcomes
from connector.settings import Settings
from connector.store.bulk import sql
from scoring.features.catalogue import catalogue
from scoring.features.inputs import Fact
from scoring.model.attention import is_logged, weigh

POINTS = Fact("points", "number", "Points")
"""The org's own score. Reps go by it, so it tells who is worked; the model never sees it."""

BEFORE, AFTER = timedelta(days=14), timedelta(days=30)
"""A lead is worked at a moment if somebody worked it so shortly before it or so soon after."""

TAKEN_UP = ("open", "won")
"""A lead that goes from the status it came in to one of these was taken up by somebody."""

Times = Mapping[str, Sequence[datetime]]
"""lead id -> when it was worked, in order"""


def with_points(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts, and the org's own points unless they are one of them."""
    return (*facts, POINTS) if all(fact.name != POINTS.name for fact in facts) else tuple(facts)


def worked_times(db: Connection, statuses: Sequence[str], outcomes: Outcomes) -> dict[str, list[datetime]]:
    """`statuses`: all that leads have or had."""
    taken_up = [status for status in statuses if outcomes.of(status) in TAKEN_UP]
    found: dict[str, list[datetime]] = {}
    for row in db.execute(text(sql("worked")), {"taken_up": taken_up}):
        found.setdefault(row.lead_id, []).append(row.at)
    return found


def drawn(db: Connection) -> dict[str, tuple[datetime, float]]:
    """lead id -> when exploration drew it, and with what chance."""
    return {row.lead_id: (row.at, row.propensity) for row in db.execute(text(sql("drawn")))}


def was_worked(points: Sequence[tuple[str, datetime]], times: Times) -> np.ndarray:
    """For each (lead, moment)."""
    return np.array([_any(times.get(lead, ()), at - BEFORE, at + AFTER) for lead, at in points], dtype=bool)


def weights(
    settings: Settings,
    facts: Sequence[Fact],
    rows: pa.Table,
    points: Sequence[tuple[str, datetime]],
    won: np.ndarray,
    worked: np.ndarray,
    groups: np.ndarray,
    lots: Mapping[str, tuple[datetime, float]],
) -> np.ndarray | None:
    """What the outcome of each row counts; None where the org's activities don't tell who was worked. Rows of leads that a
    lot decided about have its chance."""
    leads = np.array([lead for lead, _ in points], dtype=str)
    names, place = np.unique(leads, return_inverse=True)
    ever_won, ever_worked = np.zeros(len(names), dtype=bool), np.zeros(len(names), dtype=bool)
    np.logical_or.at(ever_won, place, won > 0.5)
    np.logical_or.at(ever_worked, place, worked)
    if not is_logged(ever_won, ever_worked):
        return None
    recorded = np.full(len(points), np.nan)
    for i, (lead, at) in enumerate(points):
        lot = lots.get(lead)
        if lot is not None and abs(lot[0] - at) <= AFTER:
            recorded[i] = lot[1]
    _, group = np.unique(groups, return_inverse=True)
    features = tuple(f for f in catalogue(with_points(facts)) if f.role == "model")
    return weigh(
        rows, worked, features=features, group=group, recorded=recorded, seed=settings.training.seed
    ).weight


def _any(times: Sequence[datetime], start: datetime, end: datetime) -> bool:
    i = bisect_left(times, start)
    return i < len(times) and times[i] <= end
