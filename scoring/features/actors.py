"""Who is behind the activity: persons, machines, or unsure. One aggregate expression a count over `seen`, recent rows
(touches.py), and one expression a feature over a point's row of them."""

from __future__ import annotations

from typing import Any

from scoring.features.touches import BY_US, outreach, within


def counts(seen: Any) -> dict[str, Any]:
    ours = seen.kind.isin(BY_US)
    lately = within(seen, 30)
    theirs = lately & ~ours
    return {
        "theirs": seen.count(where=theirs),
        "by_machine": seen.count(where=theirs & (seen.actor == "machine")),
        "by_unsure": seen.count(where=theirs & (seen.actor == "unsure")),
        "outreach": seen.count(where=lately & outreach(seen)),
        "in_our_name": seen.count(where=lately & ours & (seen.actor == "machine")),
    }


def features(row: Any) -> dict[str, Any]:
    return {
        "machine_share_30d": row.by_machine / row.theirs.nullif(0),
        "machine_touches_30d": row.by_machine.fill_null(0),
        "unsure_touches_30d": row.by_unsure.fill_null(0),
        "outreach_30d": row.outreach.fill_null(0),
        "machine_outreach_30d": row.in_our_name.fill_null(0),
    }
