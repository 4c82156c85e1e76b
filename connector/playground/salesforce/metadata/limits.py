"""How much an org holds of what a deployment brings."""

from __future__ import annotations

from connector.playground.org import Org

TRACKED_FIELDS = 20
"""An object, without Field Audit Trail. [D: Field History Tracking]"""
CUSTOM_FIELDS = 500
"""An object in Enterprise Edition. [FACTS section 10, secondary source] org.meta("custom_fields") overrides it."""


def allowed_fields(org: Org) -> int:
    return int(org.meta("custom_fields", CUSTOM_FIELDS))
