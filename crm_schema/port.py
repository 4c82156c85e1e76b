"""What crm_schema needs of an adapter: read the org's schema, and make one change.

An adapter serves it structurally (`adapter.schema()`); neither side imports the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol


class SchemaPort(Protocol):
    """One org's schema.

    What `read` gives, in the vendor's own plain words:

    Salesforce
        objects: {"Lead": {"fields": {name: describe field}}, ...} for Lead, Contact, Account, Opportunity
            and, where it is there, Candor_Review__c. A describe field may carry one more key, `tracked`
            (FieldDefinition's IsFieldHistoryTracked).
        unseen: the same shape, {"Lead": {name: describe field}}: fields of Candor's names that are there and hidden from this user,
            `type` None where no more is known of one (optional; an object that is missing here isn't told about).
        queues: developer names.
        permission_sets: {"name": ..., "assigned": whether this user holds it, "holders": by how many users it is held (of ours)}.
        custom_fields: {"Lead": how many custom fields are still free} (optional; Tooling EntityLimit).
        permissions: {set: {"fields": {"Lead.X__c": "read" | "edit"}, "objects": {"Lead": ["allowRead", ...]}}},
        set_contents: {set: {"classAccesses": [{"apexClass": ..., "enabled": "true"}], ...}}: all that a set of ours holds,
        system: {"ApiEnabled": whether we have it}, rules: {"Object.Rule": {"active", "formula"}}, views and tabs:
            names, conversion: {"Contact": {lead field: contact field}}, queue_objects: {queue: [object, ...]} (optional, all: a user may not be allowed to see them).
        apps: developer names of the org's External Client Apps (optional), signed_in_by_app: whether this connection signs in
            through one by certificate, org_id.
    HubSpot
        objects: {"contacts": {"properties": {name: property}, "groups": [group, ...]}, ...} for
            contacts, companies, deals, tickets; archived ones left out.
        denied: objects whose properties the key may not read (they are absent from `objects`), and "lists".
        lists: of the portal's lists those that are named Candor's or ask for one of its properties, each {"listId", "name",
            "objectTypeId", "processingType", "filterBranch"}.
        pipelines: {"tickets": [pipeline, ...]}.
        custom_properties: {"contacts": how many are still free} (optional).

    What `run` takes (docs/architecture.md lists it; `walk.py` sends it) is one write call each, the `delete_pipeline` of
    HubSpot aside, which deletes the tickets in it first. `run` raises the adapter's own errors.
    `write_values` {object, records: [(id, {field: plain value})], means: the same by declared key, for who wants to know} gives {"failed": [(id, why), ...]}.
    """

    crm: str
    """"salesforce" or "hubspot": which renderer."""

    batch: int
    """records that one `write_values` takes"""

    def read(self) -> dict[str, Any]: ...

    def values(self, object_name: str, fields: Sequence[str]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Every record that has a value in one of these fields: its id, and these fields' plain values. Fields that aren't
        there (yet) are left out. Asked only when an upgrade carries values."""
        ...

    def inside(self, object_name: str, pipeline: str) -> int:
        """How many records are in a pipeline (HubSpot). Asked only by a removal, which deletes them."""
        ...

    def check(self, objects: Collection[str] | None = None) -> None:
        """Raise when this user may not change these objects' schema; None: of all that Candor is on. Changes nothing."""
        ...

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]: ...


class Surroundings(SchemaPort, Protocol):
    """What the command line shows beside a plan: a port of an adapter tells it, one of a test need not."""

    def automations(self) -> list[dict[str, Any]] | None:
        """What of the org's own a write would start: {"kind", "name", "object"}. None: that can't be known."""
        ...

    def references(self) -> list[dict[str, Any]]:
        """What of the org's own uses Candor's fields: {"kind", "name", "field"}, and "id" where a stage of a removal names the
        same thing by it (a list of Candor's that an admin renamed)."""
        ...
