"""When the lead is heard from: recency, pauses, bursts, changes of pace. One aggregate expression a feature
over `seen`."""

from __future__ import annotations

from typing import Any

from scoring.features.inputs import DAY
from scoring.features.touches import QUIET, within

FADES_IN = 14 * DAY
"""A touch of this age counts 1/e of a fresh one."""

DARK = 30 * DAY
"""A lead that pauses this long has gone dark."""


def features(seen: Any) -> dict[str, Any]:
    touch = seen.engaged
    last_3, last_7, last_30, last_90, last_180 = (touch & within(seen, n) for n in (3, 7, 30, 90, 180))
    weighted = (-seen.age.cast("float64") / FADES_IN).exp().sum(where=touch).fill_null(0.0)
    return {
        "lead_age_days": seen.lead_age.max() / DAY,
        "days_since_first_touch": seen.age.max(where=touch) / DAY,
        "days_since_last_touch": seen.age.min(where=touch) / DAY,
        "touches_7d": seen.count(where=last_7),
        "touches_30d": seen.count(where=last_30),
        "meetings_30d": seen.count(where=last_30 & (seen.kind == "meeting")),
        "bursts_90d": (seen.burst.max(where=last_90) - seen.burst.min(where=last_90) + 1).fill_null(0),
        "mean_burst_gap_days": seen.since_touch.mean(where=last_180 & (seen.since_touch > QUIET)) / DAY,
        "dark_then_return": (seen.count(where=last_7 & (seen.since_touch >= DARK)) > 0).cast("int64"),
        "velocity_3d": _pace(seen, last_3, 3),
        "velocity_7d": _pace(seen, last_7, 7),
        "recency_weighted_engagement": (weighted + 1).ln(),
        "engagement_touches": weighted,
    }


def _pace(seen: Any, lately: Any, days: int) -> Any:
    """Touches of the last `days` against the usual number of the 28 days before, each + 1 so that a first
    touch after silence is a doubling and not infinite."""
    earlier = seen.count(where=seen.engaged & within(seen, days + 28) & ~within(seen, days))
    return (seen.count(where=lately) + 1) / (earlier * (days / 28) + 1)
