"""What crm_schema needs of an adapter: read the org's schema, and make one change.

An adapter serves it structurally (`adapter.schema()`); neither side imports the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class SchemaPort(Protocol):
    """One org's schema.

    What `read` gives, in the vendor's own plain words:

    Salesforce
        objects: {"Lead": {"fields": {name: describe field}}, ...} for Lead, Contact, Account, Opportunity
            and, where it is there, Candor_Review__c. A describe field may carry one more key, `tracked`
            (FieldDefinition's IsFieldHistoryTracked).
        queues: developer names.
        permission_sets: {"name": ..., "assigned": whether this user holds it}.
        custom_fields: {"Lead": how many custom fields are still free} (optional; Tooling EntityLimit).
    HubSpot
        objects: {"contacts": {"properties": {name: property}, "groups": [group, ...]}, ...} for
            contacts, companies, deals, tickets; archived ones left out.
        pipelines: {"tickets": [pipeline, ...]}.
        custom_properties: {"contacts": how many are still free} (optional).

    What `run` takes (docs/architecture.md lists it; `walk.py` sends it) is one write call each, the `delete_pipeline` of
    HubSpot aside, which deletes the tickets in it first. `run` raises the adapter's own errors.
    """

    crm: str
    """"salesforce" or "hubspot": which renderer."""

    def read(self) -> dict[str, Any]: ...

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]: ...
