"""Which Salesforce field each canonical one is, and how values pass both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from connector.crm.base import FieldMap, FieldMissing, Kind, Value
from connector.crm.salesforce.describes import Described

OBJECTS: Mapping[Kind, str] = {
    "lead": "Lead",
    "account": "Account",
    "deal": "Opportunity",
    "owner": "User",
    "review": "Candor_Review__c",
}

default_fields: FieldMap = {
    "lead": {
        "first_name": "FirstName",
        "last_name": "LastName",
        "email": "Email",
        "company": "Company",
        "title": "Title",
        "industry": "Industry",
        "employees": "NumberOfEmployees",
        "annual_revenue": "AnnualRevenue",
        "country": "Country",
        "source": "LeadSource",
        "phone": "Phone",
        "status": "Status",
        "owner_id": "OwnerId",
        "account_id": "ConvertedAccountId",
        "contact_id": "ConvertedContactId",
        "deal_id": "ConvertedOpportunityId",
        "converted_at": "ConvertedDate",
    },
    "account": {
        "name": "Name",
        "domain": "Website",
        "industry": "Industry",
        "employees": "NumberOfEmployees",
        "annual_revenue": "AnnualRevenue",
        "country": "BillingCountry",
        "owner_id": "OwnerId",
    },
    "deal": {
        "name": "Name",
        "amount": "Amount",
        "stage": "StageName",
        "is_won": "IsWon",
        "is_closed": "IsClosed",
        "close_at": "CloseDate",
        "account_id": "AccountId",
        "owner_id": "OwnerId",
    },
    "owner": {"name": "Name", "email": "Email", "active": "IsActive"},
    "review": {},
}
"""Standard fields: every org has them, so one that is missing is hidden from us, and that is said."""

default_fields_if_there: FieldMap = {
    "lead": {
        "linkedin": "LinkedIn__c",
        "product_interest": "Product_Interest__c",
        "use_case": "Use_Case__c",
        "heard_from": "Heard_From__c",
        "needed_by": "Needed_By__c",
        "hand_raiser": "Hand_Raiser__c",
        "points": "Points__c",
        "opted_out": "HasOptedOutOfEmail",
    },
    "deal": {"currency": "CurrencyIsoCode"},
}
"""Mapped where the org has them: its own fields under their usual names, and what an edition may lack."""

_PREFIX = "candor_"
_VENDOR_PREFIX = "Candor_"
_LONG = 255
"""Characters beyond which a text field is a long one: two of those and a page holds 200 rows at most (FACTS 4)."""


def vendor_name(canonical: str) -> str:
    """
    >>> vendor_name("candor_score_low")
    'Candor_Score_Low__c'
    """
    return "_".join(word.capitalize() for word in canonical.split("_")) + "__c"


def canonical_name(vendor: str) -> str | None:
    """
    >>> canonical_name("Candor_Score_Low__c"), canonical_name("Score__c")
    ('candor_score_low', None)
    """
    ours = vendor.startswith(_VENDOR_PREFIX) and vendor.endswith("__c")
    return vendor.removesuffix("__c").lower() if ours else None


def field_map(kind: Kind, own: FieldMap, described: Described) -> dict[str, str]:
    """canonical -> vendor field of one kind: the defaults, the org's own mapping over them, Candor's fields that the
    org has. A field mapped to "" is not read. Raises FieldMissing naming a mapped one that can't be seen."""
    mapped = {**default_fields.get(kind, {}), **own.get(kind, {})}
    for canonical, vendor in default_fields_if_there.get(kind, {}).items():
        if vendor in described.fields:
            mapped.setdefault(canonical, vendor)
    mapped = {c: v for c, v in mapped.items() if v and not c.startswith(_PREFIX)}
    missing = {c: v for c, v in mapped.items() if v not in described.fields}
    if missing:
        canonical, vendor = next(iter(missing.items()))
        error = FieldMissing(
            f"{described.name}.{vendor} (Candor's {kind} field {canonical!r}) does not exist, or the integration user "
            "can't see it.",
            fix=f"Give that user field-level access to {vendor}, or change mapping.{kind} in candor.toml.",
        )
        error.kind, error.field = kind, canonical
        raise error
    for vendor in described.fields:
        canonical_ = canonical_name(vendor)
        if canonical_ is not None:
            mapped[canonical_] = vendor
    return mapped


def pulled(mapped: Mapping[str, str], described: Described) -> dict[str, str]:
    """What a pull reads of a mapping: Candor's own long texts stay out where they would shrink each page to 200 rows
    (`read` still gives them)."""
    long = {
        c
        for c, v in mapped.items()
        if described.fields[v]["type"] == "textarea"
        and described.fields[v]["custom"]
        and described.fields[v].get("length", 0) > _LONG
    }
    if len(long) < 2:
        return dict(mapped)
    return {c: v for c, v in mapped.items() if c not in long or not c.startswith(_PREFIX)}


# --- values ---


def moment(text: str) -> datetime:
    """An aware UTC time from `2026-05-01T07:25:37.000+0000`, or a day's beginning from `2026-05-01`."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stamp(at: datetime) -> str:
    """A time as Salesforce takes it, in JSON and in SOQL."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def from_vendor(value: Any, type_: str) -> Value:
    """`type_` as describe tells it."""
    if value is None or value == "":
        return None
    if type_ in ("datetime", "date") and isinstance(value, str):
        return moment(value)
    if type_ == "multipicklist" and isinstance(value, str):
        return value.split(";")
    if type_ in ("double", "currency", "percent", "int") and isinstance(value, str):
        return float(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def to_vendor(value: Value, type_: str) -> Any:
    if isinstance(value, datetime):
        return stamp(value)[:10] if type_ == "date" else stamp(value)
    if isinstance(value, list):
        return (";" if type_ == "multipicklist" else "; ").join(value) or None
    if value is None and type_ == "boolean":
        return False
    return value


FieldType = Literal["text", "number", "flag", "time", "choice", "choices", "reference"]

TYPES: Mapping[str, FieldType] = {
    "double": "number",
    "currency": "number",
    "percent": "number",
    "int": "number",
    "long": "number",
    "boolean": "flag",
    "date": "time",
    "datetime": "time",
    "picklist": "choice",
    "combobox": "choice",
    "multipicklist": "choices",
    "reference": "reference",
    "id": "reference",
}
"""describe type -> ours; whatever is not named is text."""
