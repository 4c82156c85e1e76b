"""The names that Candor's fields have in each CRM, by one rule each."""

from __future__ import annotations

from collections.abc import Mapping

from crm_schema.declaration import On

REVIEW_OBJECT = "Candor_Review__c"
GROUP = "candor"


def salesforce_name(key: str) -> str:
    """
    >>> salesforce_name("score_low")
    'Candor_Score_Low__c'
    """
    return "Candor_" + "_".join(word.capitalize() for word in key.split("_")) + "__c"


def hubspot_name(key: str) -> str:
    """
    >>> hubspot_name("score_low")
    'candor_score_low'
    """
    return f"candor_{key}"


SALESFORCE_OBJECTS: Mapping[On, str] = {
    "lead": "Lead",
    "contact": "Contact",
    "account": "Account",
    "deal": "Opportunity",
    "review": REVIEW_OBJECT,
}

HUBSPOT_OBJECTS: Mapping[On, str] = {
    "lead": "contacts",
    "contact": "contacts",
    "account": "companies",
    "deal": "deals",
    "review": "tickets",
}
"""HubSpot's contact is both: what Candor adds to a lead and to a contact is one property there."""
