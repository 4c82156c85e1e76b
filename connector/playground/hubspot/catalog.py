"""What every HubSpot account has: objects, association types, pipelines.

Names, types and options follow the vendor's own (../shared/contracts/hubspot); the list is cut to what leads need.
"""

from __future__ import annotations

from typing import Any

OBJECTS: dict[str, str] = {
    "contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5", "tasks": "0-27", "notes": "0-46",
    "meetings": "0-47", "calls": "0-48", "emails": "0-49",
}  # fmt: skip
ENGAGEMENTS = ("calls", "emails", "meetings", "notes", "tasks")
SINGULAR = {
    "contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket", "tasks": "task",
    "notes": "note", "meetings": "meeting", "calls": "call", "emails": "email",
}  # fmt: skip
_ALIASES = {
    **{t: o for o, t in OBJECTS.items()},
    **{s: o for o, s in SINGULAR.items()},
    **{o: o for o in OBJECTS},
}

ID_SPAN = 100_000_000_000
ID_START = {obj: (n + 1) * ID_SPAN for n, obj in enumerate(OBJECTS)}
"""Ids of an object have twelve digits, so that their order as text is the order in which they were made."""


def object_named(name: str) -> str | None:
    """The object behind a path's name: plural, singular or type id."""
    return _ALIASES.get(name.lower())


def created_property(obj: str) -> str:
    return "hs_createdate" if obj in ENGAGEMENTS else "createdate"


def modified_property(obj: str) -> str:
    return "lastmodifieddate" if obj == "contacts" else "hs_lastmodifieddate"


DEFAULT_PROPERTIES = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("domain", "name"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "tickets": (
        "content",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_ticket_priority",
        "subject",
    ),
}
"""Returned when none are asked for, beside id and dates."""

SEARCHABLE = {
    "contacts": ("firstname", "lastname", "email", "phone", "company"),
    "companies": ("name", "domain", "phone"),
    "deals": ("dealname",),
    "tickets": ("subject", "content"),
}
"""What a search's free text looks at."""

_ASSOCIATIONS = """
contacts companies 279 280 1 2
contacts deals 4 3 0 0
contacts tickets 15 16 0 0
deals companies 341 342 5 6
tickets companies 339 340 26 25
tickets deals 28 27 0 0
calls contacts 194 193 0 0
calls companies 182 181 0 0
calls deals 206 205 0 0
calls tickets 220 219 0 0
emails contacts 198 197 0 0
emails companies 186 185 0 0
emails deals 210 209 0 0
emails tickets 224 223 0 0
meetings contacts 200 199 0 0
meetings companies 188 187 0 0
meetings deals 212 211 0 0
meetings tickets 226 225 0 0
notes contacts 202 201 0 0
notes companies 190 189 0 0
notes deals 214 213 0 0
notes tickets 228 227 0 0
tasks contacts 204 203 0 0
tasks companies 192 191 0 0
tasks deals 216 215 0 0
tasks tickets 230 229 0 0
"""


def _association_types() -> dict[tuple[str, str], tuple[int, int]]:
    types: dict[tuple[str, str], tuple[int, int]] = {}
    for line in _ASSOCIATIONS.strip().splitlines():
        a, b, there, back, primary, primary_back = line.split()
        types[a, b] = (int(there), int(primary))
        types[b, a] = (int(back), int(primary_back))
    return types


ASSOCIATION_TYPES = _association_types()
"""(from, to) -> (type id without a label, type id of the primary one or 0). Ids are directional."""


_DEAL_STAGES = (
    ("appointmentscheduled", "Discovery", 0.2),
    ("presentationscheduled", "Proposal", 0.5),
    ("contractsent", "Negotiation", 0.8),
    ("closedwon", "Closed Won", 1.0),
    ("closedlost", "Closed Lost", 0.0),
)
_TICKET_STAGES = (
    ("1", "New", "OPEN"),
    ("2", "Waiting on contact", "OPEN"),
    ("3", "Waiting on us", "OPEN"),
    ("4", "Closed", "CLOSED"),
)


def standard_pipelines(obj: str) -> list[dict[str, Any]]:
    at = "1970-01-01T00:00:00Z"
    times = {"createdAt": at, "updatedAt": at, "archived": False}
    if obj == "deals":
        stages = [
            {"id": i, "label": label, "displayOrder": n,
             "metadata": {"isClosed": "true" if p in (0.0, 1.0) else "false", "probability": str(p)}, **times}
            for n, (i, label, p) in enumerate(_DEAL_STAGES)
        ]  # fmt: skip
        return [{"id": "default", "label": "Sales Pipeline", "displayOrder": 0, "stages": stages, **times}]
    if obj == "tickets":
        stages = [
            {
                "id": i,
                "label": label,
                "displayOrder": n,
                "metadata": {"isClosed": "true" if state == "CLOSED" else "false", "ticketState": state},
                **times,
            }
            for n, (i, label, state) in enumerate(_TICKET_STAGES)
        ]
        return [{"id": "0", "label": "Support Pipeline", "displayOrder": 0, "stages": stages, **times}]
    return []
