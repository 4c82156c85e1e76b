"""When the lead is heard from: recency, pauses, bursts, changes of pace. One aggregate expression a count over `seen`, rows
of one of the tables of touches.py, and one expression a feature over a point's row of them."""

from __future__ import annotations

from typing import Any

import ibis

from scoring.features.inputs import DAY
from scoring.features.touches import within

FADES_IN = 14 * DAY
"""A touch of this age counts 1/e of a fresh one."""

DARK = 30 * DAY
"""A lead that pauses this long has gone dark."""

BURSTS, PAUSES = 90, 180
"""Days in which bursts are counted, and the pauses between them."""


def lifetime(points: Any, life: Any) -> Any:
    """(point, first, last, weighted): the age in microseconds of the first and the last touch, and how many touches there
    were, the old ones fading."""
    seen = points.inner_join(life, [points.lead_id == life.lead_id, life["at"] <= points.as_of])
    seen = seen.select("point", age=seen.as_of - seen["at"])
    return seen.group_by("point").aggregate(
        first=seen.age.max(),
        last=seen.age.min(),
        weighted=(-seen.age.cast("float64") / FADES_IN).exp().sum(),
    )


def pauses(seen: Any) -> dict[str, Any]:
    """Over `pauses` of PAUSES days. A pause that began before the window divides nothing in it."""
    inside = within(seen, BURSTS) & (seen.age + seen.pause < BURSTS * DAY)
    return {
        "divisions": seen.count(where=inside),
        "gap": seen.pause.mean(),
        "returned": seen.count(where=within(seen, 7) & (seen.pause >= DARK)),
    }


def counts(seen: Any) -> dict[str, Any]:
    """Over `recent`."""
    touch = seen.engaged
    last_3, last_7, last_30, last_31, last_35 = (touch & within(seen, n) for n in (3, 7, 30, 31, 35))
    return {
        "last_3": seen.count(where=last_3),
        "last_7": seen.count(where=last_7),
        "last_30": seen.count(where=last_30),
        "last_31": seen.count(where=last_31),
        "last_35": seen.count(where=last_35),
        "meetings": seen.count(where=last_30 & (seen.kind == "meeting")),
    }


def features(row: Any) -> dict[str, Any]:
    weighted = row.weighted.fill_null(0.0)
    heard_lately = (row["last"] < BURSTS * DAY).fill_null(False)
    return {
        "lead_age_days": ibis.greatest(row.as_of - row.created_at, 0) / DAY,
        "days_since_first_touch": row["first"] / DAY,
        "days_since_last_touch": row["last"] / DAY,
        "touches_7d": row.last_7.fill_null(0),
        "touches_30d": row.last_30.fill_null(0),
        "meetings_30d": row.meetings.fill_null(0),
        "bursts_90d": heard_lately.ifelse(1 + row.divisions.fill_null(0), 0),
        "mean_burst_gap_days": row.gap / DAY,
        "dark_then_return": (row.returned.fill_null(0) > 0).cast("int64"),
        "velocity_3d": _pace(row.last_3, row.last_31, 3),
        "velocity_7d": _pace(row.last_7, row.last_35, 7),
        "recency_weighted_engagement": (weighted + 1).ln(),
        "engagement_touches": weighted,
    }


def _pace(lately: Any, with_before: Any, days: int) -> Any:
    """Touches of the last `days` against the usual number of the 28 days before, each + 1 so that a first
    touch after silence is a doubling and not infinite."""
    lately, with_before = lately.fill_null(0), with_before.fill_null(0)
    return (lately + 1) / ((with_before - lately) * (days / 28) + 1)
