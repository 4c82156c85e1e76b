"""The custom object and fields that the local org had before anyone installed Candor, as its schema record holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WEB_ACTIVITY_TYPES = ("page_view", "form", "download", "webinar", "email_clicked")
"""What this org's web tracking writes, in Web_Activity__c.Type__c."""


def _text(label: str, length: int = 255, kind: str = "string") -> dict[str, Any]:
    return {"label": label, "type": kind, "length": length}


LEAD_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "LinkedIn__c": _text("LinkedIn", kind="url"),
    "Product_Interest__c": _text("Product Interest"),
    "Use_Case__c": _text("Use Case"),
    "Heard_From__c": _text("Heard From"),
    "Needed_By__c": {"label": "Needed By", "type": "date"},
    "Hand_Raiser__c": {"label": "Hand Raiser", "type": "boolean", "default": False},
    "Points__c": {"label": "Points", "type": "double", "precision": 6, "scale": 0},
}

WEB_ACTIVITY: Mapping[str, Any] = {
    "label": "Web Activity",
    "plural": "Web Activities",
    "prefix": "a00",
    "name": {"label": "Web Activity Name", "auto_number": "WA-{000000}"},
}

WEB_ACTIVITY_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "Lead__c": {"label": "Lead", "type": "reference", "refers": ["Lead"], "children": "Web_Activities__r"},
    "Contact__c": {
        "label": "Contact",
        "type": "reference",
        "refers": ["Contact"],
        "children": "Web_Activities__r",
    },
    "Type__c": {
        "label": "Type",
        "type": "picklist",
        "picklist": list(WEB_ACTIVITY_TYPES),
        "restricted": True,
    },
    "Url__c": _text("URL", kind="url"),
    "Product_Area__c": _text("Product Area", 80),
    "Content__c": _text("Content", 80),
    "Session__c": _text("Session", 80),
    "Campaign__c": _text("Campaign", 80),
    "At__c": {"label": "At", "type": "datetime"},
    "User_Agent__c": _text("User Agent"),
}

TRACKED = {
    "Lead": (
        "Status", "OwnerId", "LeadSource", "Title", "Industry", "NumberOfEmployees", "AnnualRevenue", "Country",
        "Phone", "LinkedIn__c", "Product_Interest__c", "Use_Case__c", "Hand_Raiser__c",
        "HasOptedOutOfEmail", "Points__c",
    ),
    "Opportunity": ("StageName", "Amount", "CloseDate", "OwnerId"),
    "Account": ("Name", "Website"),
}  # fmt: skip
"""Which fields the org's admin had switched history on for; 20 an object at most, so 5 of Lead's are left."""


AUTOMATIONS: tuple[Mapping[str, Any], ...] = (
    {"kind": "Flow", "name": "Lead_Tell_Owner", "object": "Lead", "active": True, "on": ["create", "update"]},
    {
        "kind": "ApexTrigger",
        "name": "OpportunityStageDates",
        "object": "Opportunity",
        "active": True,
        "on": ["update"],
    },
)
"""What starts on a write to this org's records. It is only told of, by SOQL: nothing runs here."""


def schema() -> dict[str, Any]:
    """The schema record of a new org: custom objects, custom fields, rules, views, tracked fields (field -> since, ms)."""
    profile = {"profile": True}
    return {
        "objects": {"Web_Activity__c": {**WEB_ACTIVITY, **profile}},
        "fields": {
            "Lead": {name: {**spec, **profile} for name, spec in LEAD_FIELDS.items()},
            "Web_Activity__c": {name: {**spec, **profile} for name, spec in WEB_ACTIVITY_FIELDS.items()},
        },
        "rules": {},
        "views": {},
        "tracked": {obj: dict.fromkeys(fields, 0) for obj, fields in TRACKED.items()},
        "keeps_history": ["Lead", "Opportunity", "Account"],
        "prefixes": 1,
        "automations": [dict(a) for a in AUTOMATIONS],
    }
