"""How much an org holds of what a deployment brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.playground.org import Org

TRACKED_FIELDS = 20
"""An object, without Field Audit Trail. [D: Field History Tracking]"""
CUSTOM_FIELDS = 500
"""An object in Enterprise Edition. [FACTS section 10, secondary source] org.meta("custom_fields") overrides it."""


def allowed_fields(org: Org) -> int:
    return int(org.meta("custom_fields", CUSTOM_FIELDS))


BIN_DAYS = 15
"""A deleted field counts until it is erased: by hand, or by Salesforce after this time. [Salesforce Help: Manage Deleted Custom
Fields; Purge Deleted Custom Fields] Its name is free at once: "_del" is put behind the deleted one's. [same]"""
_DAY = 86_400_000


def used_fields(org: Org, stored: Mapping[str, Any], obj: str) -> int:
    """Custom fields that count against the limit of an object: those that are there, and those in the bin."""
    since = org.now() - BIN_DAYS * _DAY
    binned = [at for o, _, at in stored.get("deleted", ()) if o == obj and at > since]
    return len(stored["fields"].get(obj, {})) + len(binned)
