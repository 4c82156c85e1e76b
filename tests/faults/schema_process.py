"""`candor apply` and `remove` at their core, in a process of their own that can be killed."""

from __future__ import annotations

from connector.crm import registry
from connector.crm.connection import Connection
from crm_schema.plan import plan, removal
from crm_schema.walk import apply


def run(vendor: str, connection: Connection, purpose: str) -> None:
    crm = registry.connect(vendor, connection)
    port = crm.schema()
    apply(removal(port) if purpose == "remove" else plan(port), port)
