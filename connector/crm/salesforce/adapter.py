"""The Salesforce adapter: `CRM` of connector.crm.base, each method a few lines over the modules beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.crm.base import (
    CRM,
    Capabilities,
    FieldInfo,
    FieldMap,
    Kind,
    Known,
    Org,
    Page,
    Problem,
    Stream,
    Usage,
    Value,
    Write,
    Written,
)
from connector.crm.connection import Connection
from connector.crm.salesforce import doctor, org, pull, sources, write
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.count import count
from connector.crm.salesforce.describes import Describes
from connector.crm.salesforce.read import read
from connector.crm.salesforce.schema import Schema
from connector.crm.salesforce.sources import Source

CAPABILITIES = Capabilities(
    title="Salesforce",
    write_batch=write.BATCH,
    read_batch=2_000,
    history="tracked fields",
    history_limit="20 fields an object, from the day tracking is switched on, 24 months back",
    not_implemented={
        "web activity of its own": "Salesforce has no standard object for page views: the org's own one is read, by name",
        "e-mail clicks": "an e-mail message of Salesforce knows its openings, not its clicks",
        "history of formula fields": "Salesforce keeps none, and their changes don't move a record's time",
        "merges told by webhook": "Salesforce tells merges only to a query, which each pass asks",
    },
    activity_sources={
        **dict.fromkeys(
            ("page_view", "form", "download", "webinar", "email_clicked"),
            "the org's own object for web activity",
        ),
        "email_sent": "EmailMessage, Task (subtype Email)",
        "email_opened": "EmailMessage (first and last opening)",
        "email_replied": "EmailMessage (incoming)",
        "email_forwarded": "EmailMessage (incoming, FW: or with copies)",
        "call": "Task (subtype Call)",
        "task": "Task",
        "meeting": "Event",
        "campaign_response": "CampaignMember",
    },
)


class SalesforceCRM:
    """One org. Not thread-safe: one adapter a thread."""

    capabilities = CAPABILITIES

    def __init__(self, connection: Connection, *, backoff: float = 0.5) -> None:
        self._connection = connection
        self._api = Api(connection, backoff=backoff)
        self._describes = Describes(self._api)
        self._sources: tuple[Source, ...] | None = None

    def check(self) -> Org:
        return org.check(self._api, self._connection.options)

    def doctor(self, wanted: FieldMap) -> list[Problem]:
        return doctor.examine(self._api, self._describes, wanted, self._connection.options)

    def describe(self, kind: Kind) -> tuple[FieldInfo, ...]:
        return org.describe(self._api, self._describes, kind)

    def streams(self) -> tuple[Stream, ...]:
        return tuple(s.stream for s in self._all())

    def pull(self, cursors: Mapping[str, str | None], known: Known) -> Iterator[Page]:
        return pull.pull(self._api, self._all(), cursors, known)

    def read(
        self, kind: Kind, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        return read(self._api, self._describes, self._connection.fields, kind, ids, fields)

    def count(self, kind: Kind, field: str) -> Mapping[str, int]:
        return count(self._api, self._describes, self._connection.fields, kind, field)

    def write(self, kind: Kind, writes: Sequence[Write]) -> list[Written]:
        return write.write(self._api, self._describes, self._connection.fields, kind, writes)

    def usage(self) -> Usage:
        meter = self._api.meter
        return Usage(meter.calls, meter.writes, meter.failed, meter.org_used, meter.org_limit)

    def schema(self) -> Schema:
        by_certificate = "private_key_file" in self._connection.options
        return Schema(self._api, self._describes, changed=self._forget, by_certificate=by_certificate)

    def close(self) -> None:
        self._api.close()

    def _all(self) -> tuple[Source, ...]:
        if self._sources is None:
            c = self._connection
            self._sources = sources.sources(self._api, self._describes, c.fields, c.options)
        return self._sources

    def _forget(self) -> None:
        """The schema changed: what was read of it is stale."""
        self._describes.forget()
        self._sources = None


_: type[CRM] = SalesforceCRM
