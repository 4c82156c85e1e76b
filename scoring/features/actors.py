"""Who is behind the activity: persons, machines, or unsure. One aggregate expression a feature over
`seen`."""

from __future__ import annotations

from typing import Any

from scoring.features.touches import within


def features(seen: Any) -> dict[str, Any]:
    ours = seen.kind.isin(["email_sent", "call", "task"])
    recent = within(seen, 30)
    theirs = recent & ~ours
    machine = theirs & (seen.actor == "machine")
    return {
        "machine_share_30d": seen.count(where=machine) / seen.count(where=theirs).nullif(0),
        "machine_touches_30d": seen.count(where=machine),
        "unsure_touches_30d": seen.count(where=theirs & (seen.actor == "unsure")),
        "outreach_30d": seen.count(where=recent & ours & (seen.kind != "task") & (seen.actor == "person")),
    }
