"""What the card on a record says, in a rep's words, from the fields that Candor wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from connector.playground.desk import View
from crm_schema.choices import BANDS, ROUTES

STALE = timedelta(hours=48)
"""All open leads are scored anew each night (SPEC S9.6); two nights without one is worth saying."""

ROUTE_WORDS = {
    "person_ae": "Call: this lead is for an account executive",
    "person_sdr": "Qualify: this lead is for an SDR",
    "review": "A reviewer looks at this lead first",
    "nurture": "Nurture: no call for now",
    "held": "Hold: this person wants no outreach",
    "unscored": "Your own rules decide on this lead",
}
_POINTS = re.compile(r"^([+\-−]\d+) (.+)$")


@dataclass(frozen=True, slots=True)
class Reason:
    points: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """state: "no fields" (the org has none of Candor's), "unscored", "objected" (not to be scored) or "scored"."""

    state: Literal["no fields", "unscored", "objected", "scored"]
    score: int = 0
    low: int = 0
    high: int = 0
    confidence: int = 0
    band: str = ""
    band_help: str = ""
    route: str | None = None
    headline: str = ""
    why: str = ""
    flags: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    evidence: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    trend: str = ""
    stale: str = ""

    @property
    def opacity(self) -> float:
        """Of the band: the wider, the lighter, so that doubt is seen before it is read."""
        return round(0.85 - 0.65 * (self.high - self.low) / 100, 2)


def card(lead: View, now: datetime) -> Card:
    """`now` is the org's clock."""
    values = lead.values
    if "candor_score" not in values:
        return Card("no fields")
    route = _text(values.get("candor_route"))
    why = _text(values.get("candor_route_reason"))
    headline = ROUTE_WORDS.get(route, next((c.label for c in ROUTES if c.value == route), route))
    score = whole(values.get("candor_score"))
    if score is None:
        state: Literal["objected", "unscored"] = (
            "objected" if values.get("candor_do_not_score") else "unscored"
        )
        return Card(state, route=route or None, headline=headline, why=why)
    low, high = whole(values.get("candor_score_low")), whole(values.get("candor_score_high"))
    low, high = (score if low is None else low), (score if high is None else high)
    band = next((c for c in BANDS if c.value == values.get("candor_band")), None)
    lines = _lines(values.get("candor_reasons"))
    at = values.get("candor_scored_at")
    return Card(
        state="scored",
        score=score,
        low=min(low, score),
        high=max(high, score),
        confidence=whole(values.get("candor_confidence")) or 0,
        band="" if band is None else band.label,
        band_help="" if band is None else band.help,
        route=route or None,
        headline=headline,
        why=why,
        flags=tuple(_lines(values.get("candor_flags"))),
        reasons=tuple(_reason(line) for line in lines if not line.startswith("Based on")),
        evidence=next((line for line in lines if line.startswith("Based on")), ""),
        facts=tuple(_facts(lead)),
        trend=_text(values.get("candor_trend")),
        stale=_age(at, now),
    )


def _facts(lead: View) -> list[tuple[str, str]]:
    values = lead.values
    found = []
    for name, label in (
        ("candor_fit", "Fit: who they are"),
        ("candor_engagement", "Engagement: what they do"),
    ):
        if (number := whole(values.get(name))) is not None:
            found.append((label, f"{number} of 100"))
    if (worth := values.get("candor_expected_value")) is not None:
        found.append(("Chance times likely amount", f"{float(worth):,.0f}"))
    if model := _text(values.get("candor_model")):
        found.append(("Model", model))
    at = _time(values.get("candor_scored_at"))
    if at is not None:
        found.append(("Scored", f"{at:%d %b %Y, %H:%M} UTC"))
    return found


def _age(value: Any, now: datetime) -> str:
    at = _time(value)
    if at is None or now - at < STALE:
        return ""
    return f"This score is {(now - at).days} days old: nothing worth telling has changed, or Candor is not running."


def _reason(line: str) -> Reason:
    found = _POINTS.match(line)
    return Reason(int(found[1].replace("−", "-")), found[2]) if found else Reason(None, line)


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


def whole(value: Any) -> int | None:
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _lines(value: Any) -> list[str]:
    return [line.strip() for line in _text(value).splitlines() if line.strip()]
