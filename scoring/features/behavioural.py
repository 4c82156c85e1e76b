"""What the lead does: visits, reading, replies, channels. One aggregate expression a count over `seen`, recent rows of one
of the tables of touches.py, and one expression a feature over a point's row of them."""

from __future__ import annotations

from typing import Any

from scoring.features.inputs import DAY, HOUR
from scoring.features.touches import within


def counts(seen: Any) -> dict[str, Any]:
    """Over `recent`."""
    touch, last_30 = seen.engaged, seen.engaged & within(seen, 30)
    read = seen.kind.isin(["page_view", "download"])
    download = touch & (seen.kind == "download") & seen.content.notnull()
    reading = touch & read & seen.content.notnull()
    technical = seen.content == "documentation"
    return {
        "downloads": seen.count(where=download),
        "doc_downloads": seen.count(where=download & technical),
        "readings": seen.count(where=reading),
        "technical_readings": seen.count(where=reading & technical),
        "pricing": seen.count(where=last_30 & read & (seen.content == "pricing")),
        "case_studies": seen.count(where=last_30 & read & (seen.content == "case_study")),
        "forwards": seen.count(where=last_30 & (seen.kind == "email_forwarded")),
        "forms": seen.count(where=last_30 & (seen.kind == "form")),
    }


def visits(seen: Any) -> dict[str, Any]:
    """Over `pages` of 30 days. A visit that went on before them counts too: hence the one."""
    return {
        "pages": seen.count(),
        "visits": 1 + seen.count(where=seen.starts & (seen.age + seen.pause < 30 * DAY).fill_null(False)),
        "returns": seen.count(where=seen.starts & (seen.pause <= 48 * HOUR).fill_null(False)),
    }


def distinct(seen: Any, column: str, days: int, name: str) -> Any:
    """(point, `name`): how many values of a column the touches of `days` have."""
    found = seen.filter(seen.engaged, within(seen, days), seen[column].notnull())
    return found.select("point", column).distinct().group_by("point").aggregate(**{name: lambda t: t.count()})


def features(row: Any) -> dict[str, Any]:
    return {
        "pages_per_session_30d": row.pages / row.visits.cast("float64"),
        "return_visits_48h": row.returns.fill_null(0),
        "doc_download_share": row.doc_downloads / row.downloads.nullif(0),
        "technical_content_share": row.technical_readings / row.readings.nullif(0),
        "pricing_with_case_study_30d": (row.pricing < row.case_studies)
        .ifelse(row.pricing, row.case_studies)
        .fill_null(0),
        "research_depth_30d": row.areas.fill_null(0),
        "reply_hours_median": row.reply_after / HOUR,
        "forwards_30d": row.forwards.fill_null(0),
        "forms_30d": row.forms.fill_null(0),
        "channels_14d": row.channels.fill_null(0),
    }
