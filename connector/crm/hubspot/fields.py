"""Which HubSpot property each canonical field is, and how values pass both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connector.crm.base import FieldMap, FieldMissing, Kind, Value

OBJECTS: Mapping[Kind, str] = {
    "lead": "contacts",
    "account": "companies",
    "deal": "deals",
    "review": "tickets",
}

CANDIDATES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "lead": {
        "first_name": ("firstname",),
        "last_name": ("lastname",),
        "email": ("email",),
        "company": ("company",),
        "title": ("jobtitle",),
        "industry": ("industry",),
        "employees": ("employee_count", "numberofemployees", "numemployees"),
        "annual_revenue": ("annualrevenue",),
        "country": ("country",),
        "source": ("lead_source", "leadsource", "hs_analytics_source"),
        "phone": ("phone",),
        "linkedin": ("linkedin_url", "hs_linkedin_url"),
        "product_interest": ("product_interest",),
        "use_case": ("use_case",),
        "heard_from": ("heard_from", "how_did_you_hear_about_us"),
        "needed_by": ("needed_by",),
        "hand_raiser": ("hand_raiser",),
        "opted_out": ("hs_email_optout",),
        "points": ("points",),
        "status": ("hs_lead_status",),
        "owner_id": ("hubspot_owner_id",),
        "converted_at": ("hs_lifecyclestage_opportunity_date",),
    },
    "account": {
        "name": ("name",),
        "domain": ("domain",),
        "other_domains": ("hs_additional_domains",),
        "industry": ("industry",),
        "employees": ("numberofemployees",),
        "annual_revenue": ("annualrevenue",),
        "country": ("country",),
        "owner_id": ("hubspot_owner_id",),
    },
    "deal": {
        "name": ("dealname",),
        "amount": ("amount",),
        "currency": ("deal_currency_code",),
        "stage": ("dealstage",),
        "close_at": ("closedate",),
        "owner_id": ("hubspot_owner_id",),
    },
    "owner": {"name": ("name",), "email": ("email",), "active": ("archived",)},
    "review": {},
}
"""canonical field -> the properties that usually hold it, the most exact first: the org's own ones under their usual
names before HubSpot's. The first one that the org has is taken, unless the mapping file says otherwise."""

_OF_THE_ORG = frozenset(
    {"linkedin", "product_interest", "use_case", "heard_from", "needed_by", "hand_raiser", "points"}
)

default_fields: FieldMap = {
    kind: {c: names[-1] for c, names in fields.items() if c not in _OF_THE_ORG}
    for kind, fields in CANDIDATES.items()
}
"""HubSpot's own properties, which every account has."""

ASSOCIATED: Mapping[Kind, tuple[str, ...]] = {
    "lead": ("account_id", "contact_id", "deal_id"),
    "account": (),
    "deal": ("is_won", "is_closed", "account_id", "lead_ids"),
    "owner": (),
    "review": ("candor_status",),
}
"""Canonical fields that no property holds: associations, and what a pipeline's stage means."""

_NUMBERS = frozenset({"employees", "annual_revenue", "points", "amount"})
_FLAGS = frozenset({"hand_raiser", "opted_out"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CANDOR = "candor_"
WRITTEN_BY_CANDOR = frozenset(
    CANDOR + key
    for key in (
        "score", "score_low", "score_high", "confidence", "band", "flags", "reasons", "fit", "engagement",
        "expected_value", "route", "route_reason", "model", "scored_at", "trend", "feedback_due",
        "score_at_conversion", "confidence_at_conversion",
    )
)  # fmt: skip
"""Whose history is our own doing and is not read back (SPEC S9.7)."""


def field_map(kind: Kind, own: FieldMap, properties: Mapping[str, Any]) -> dict[str, str]:
    """canonical -> property of one kind: the usual ones that the org has, the org's own mapping over them, and Candor's
    properties that are there. A field mapped to "" is not read. Raises FieldMissing for a mapped one that is not there."""
    mapped: dict[str, str] = {}
    for canonical, names in CANDIDATES.get(kind, {}).items():
        found = next((n for n in names if n in properties), None)
        if found:
            mapped[canonical] = found
    for canonical, name in own.get(kind, {}).items():
        if canonical in ASSOCIATED.get(kind, ()) or canonical.startswith(CANDOR):
            continue
        if not name:
            mapped.pop(canonical, None)
        elif name in properties:
            mapped[canonical] = name
        else:
            error = FieldMissing(
                f"{OBJECTS.get(kind, kind)}.{name} (Candor's {kind} field {canonical!r}) does not exist, or Candor's key"
                " can't see it.",
                fix=f"Restore the property {name} in HubSpot, or change mapping.{kind} in candor.toml.",
            )
            error.kind, error.field = kind, canonical
            raise error
    return mapped | {name: name for name in properties if name.startswith(CANDOR)}


# --- values: HubSpot's are text, all of them ---


def moment(text: str) -> datetime:
    """An aware UTC time from ISO, a date, or epoch milliseconds."""
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def stamp(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def from_vendor(canonical: str, text: str | None, definition: Mapping[str, Any] | None) -> Value:
    if text is None or text == "":
        return None
    kind = (definition or {}).get("type")
    if canonical in _NUMBERS or kind == "number":
        return number(text)
    if canonical in _FLAGS or kind == "bool":
        return text.lower() in ("true", "yes", "1")
    if kind in ("date", "datetime"):
        try:
            return moment(text)
        except ValueError:
            return None
    if kind == "enumeration" and (definition or {}).get("fieldType") == "checkbox":
        return [part for part in text.split(";") if part]
    return text


def number(text: str) -> float | int | None:
    """
    A number, or the middle of a range as HubSpot asks contacts for ("100-500", "1000+").

    >>> number("42"), number("1,250.5"), number("$2000000"), number("1000+"), number("25-50"), number("many")
    (42, 1250.5, 2000000, 1000, 37.5, None)
    """
    plain = re.sub(r"[,\s$€£]", "", text)
    ends = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?)|\+)", plain)
    try:
        value = float(plain) if not ends else (float(ends[1]) + float(ends[2] or ends[1])) / 2
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def to_vendor(value: Value, definition: Mapping[str, Any] | None) -> str:
    """As a write has it; a blank clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return stamp(value)[:10] if (definition or {}).get("type") == "date" else stamp(value)
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


FieldType = Literal["text", "number", "flag", "time", "choice", "choices", "reference"]


def field_type(definition: Mapping[str, Any]) -> FieldType:
    kind = definition["type"]
    if definition.get("externalOptions") or definition.get("referencedObjectType"):
        return "reference"
    if kind == "enumeration":
        return "choices" if definition.get("fieldType") == "checkbox" else "choice"
    types: Mapping[str, FieldType] = {"number": "number", "bool": "flag", "date": "time", "datetime": "time"}
    return types.get(kind, "text")
