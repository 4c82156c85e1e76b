"""The world's words and Candor's canonical names in this org's fields; seeding and the desk share them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.playground.salesforce.standard import LEAD_STATUSES, STAGE_OF

LEAD_FIELDS: Mapping[str, str] = {
    "first_name": "FirstName", "last_name": "LastName", "email": "Email", "company": "Company", "title": "Title",
    "industry": "Industry", "employees": "NumberOfEmployees", "annual_revenue": "AnnualRevenue",
    "country": "Country", "source": "LeadSource", "phone": "Phone", "linkedin": "LinkedIn__c",
    "product_interest": "Product_Interest__c", "use_case": "Use_Case__c", "heard_from": "Heard_From__c",
    "needed_by": "Needed_By__c",
    "hand_raiser": "Hand_Raiser__c", "opted_out": "HasOptedOutOfEmail", "points": "Points__c",
    "status": "Status", "owner": "OwnerId",
}  # fmt: skip
DEAL_FIELDS: Mapping[str, str] = {
    "name": "Name", "amount": "Amount", "stage": "StageName", "close_at": "CloseDate", "is_won": "IsWon",
    "is_closed": "IsClosed", "account_id": "AccountId", "owner": "OwnerId",
}  # fmt: skip

REVIEW = "Candor_Review__c"
STATUS_WORDS = {status: word for word, status in LEAD_STATUSES.items()}
STAGE_WORDS = {stage: word for word, stage in STAGE_OF.items()}

PERSON_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
MACHINE_AGENT = "LinkGuard URL scanner/3.2"
SITE = "https://www.example.com"


def api_name(name: str) -> str:
    """A canonical or column name as a custom field's API name.

    >>> api_name("candor_score_low"), api_name("Page Views / Visit")
    ('Candor_Score_Low__c', 'Page_Views_Visit__c')
    """
    words = [w for w in re.split(r"[^A-Za-z0-9]+", name) if w]
    joined = "_".join(w[:1].upper() + w[1:] for w in words)[:40].rstrip("_") or "Column"
    return ("X" + joined if joined[0].isdigit() else joined) + "__c"


def canonical(api: str) -> str:
    """The canonical name of a custom field of Candor's; any other field's own API name."""
    return api.removesuffix("__c").lower() if api.startswith("Candor_") else api


def in_org(name: str, value: object) -> object:
    """A canonical value as this org keeps it: the world's words for status and stage are translated."""
    if name == "status" and isinstance(value, str):
        return LEAD_STATUSES.get(value, value)
    if name == "stage" and isinstance(value, str):
        return STAGE_OF.get(value, value)
    return value
