"""What the lead does: visits, reading, replies, channels. One aggregate expression a feature over `seen` (see
touches.py)."""

from __future__ import annotations

from typing import Any

from scoring.features.inputs import HOUR
from scoring.features.touches import within


def features(seen: Any) -> dict[str, Any]:
    last_14, last_30, last_90 = (seen.engaged & within(seen, days) for days in (14, 30, 90))
    page = seen.kind == "page_view"
    read = seen.kind.isin(["page_view", "download"])
    download = last_90 & (seen.kind == "download") & seen.content.notnull()
    reading = last_90 & read & seen.content.notnull()
    technical = seen.content == "documentation"
    visits = (seen.visit.max(where=last_30 & page) - seen.visit.min(where=last_30 & page) + 1).cast("float64")
    pricing = seen.count(where=last_30 & read & (seen.content == "pricing"))
    case_studies = seen.count(where=last_30 & read & (seen.content == "case_study"))
    return {
        "pages_per_session_30d": seen.count(where=last_30 & page) / visits,
        "return_visits_48h": seen.count(
            where=last_30 & page & seen.visit_starts & (seen.since_page <= 48 * HOUR).fill_null(False)
        ),
        "doc_download_share": seen.count(where=download & technical) / seen.count(where=download).nullif(0),
        "technical_content_share": seen.count(where=reading & technical)
        / seen.count(where=reading).nullif(0),
        "pricing_with_case_study_30d": (pricing < case_studies).ifelse(pricing, case_studies),
        "research_depth_30d": seen.area.nunique(where=last_30),
        "reply_hours_median": seen.reply_after.median(where=last_90) / HOUR,
        "forwards_30d": seen.count(where=last_30 & (seen.kind == "email_forwarded")),
        "forms_30d": seen.count(where=last_30 & (seen.kind == "form")),
        "channels_14d": seen.channel.nunique(where=last_14),
    }
