"""`candor apply` (also of a later version) and `remove` at their core, in a process of their own that can be killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.crm import registry
from connector.crm.connection import Connection
from connector.crm.hubspot import schema as hubspot
from connector.crm.salesforce import schema as salesforce
from crm_schema.plan import plan, removal
from crm_schema.walk import apply
from tests.integration.schema_versions import declare


def upgrading(put: Callable[[Any, str, Any], None]) -> None:
    """The later version, with batches so small that a death falls between two of them."""
    declare("0.3", put)
    for adapter in (hubspot.Schema, salesforce.Schema):
        put(adapter, "batch", 2)


def run(vendor: str, connection: Connection, purpose: str) -> None:
    if purpose == "upgrade":
        upgrading(setattr)
    crm = registry.connect(vendor, connection)
    port = crm.schema()
    apply(removal(port) if purpose == "remove" else plan(port), port)
