"""The HubSpot adapter: `CRM` of connector.crm.base, each method a few lines over the modules beside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

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
from connector.crm.hubspot import doctor, pull, write
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.api import Api
from connector.crm.hubspot.count import count
from connector.crm.hubspot.pages import STREAMS
from connector.crm.hubspot.read import read
from connector.crm.hubspot.review import write_reviews
from connector.crm.hubspot.schema import Schema

CAPABILITIES = Capabilities(
    title="HubSpot",
    write_batch=write.BATCH,
    read_batch=100,
    history="all fields",
    history_limit="each property's own dated values; how many HubSpot keeps is not documented",
    not_implemented={
        "a review is refused without decision and reason": "HubSpot has no validation rule for tickets: Candor reopens it and says why",
        "site events of single visits": "HubSpot gives them to Enterprise only, one contact a call: the history of the contact's analytics properties serves",
        "marketing e-mail subjects": "that history tells when an e-mail was opened or clicked, not which",
        "room for further lists told by a plan": "HubSpot has no call that tells how many active segments are left: lists are made last, and a refusal leaves the rest",
        "privacy deletions by pull": "HubSpot tells of a GDPR deletion by webhook only",
    },
    activity_sources={
        **dict.fromkeys(("page_view", "download"), "history of hs_analytics_last_url"),
        **dict.fromkeys(("form", "webinar", "campaign_response"), "history of recent_conversion_event_name"),
        "email_opened": "history of hs_email_last_open_date, hs_sales_email_last_opened",
        "email_clicked": "history of hs_email_last_click_date, hs_sales_email_last_clicked",
        "email_sent": "emails (outgoing)",
        "email_replied": "emails (incoming)",
        "email_forwarded": "emails (forwarded)",
        "call": "calls",
        "task": "tasks, notes",
        "meeting": "meetings",
    },
)


class HubSpotCRM:
    """One account. Not thread-safe: one adapter a thread."""

    capabilities = CAPABILITIES

    def __init__(
        self, connection: Connection, *, backoff: float = 0.5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._api = Api(connection, backoff=backoff, sleep=sleep)
        self._account = Account(self._api, connection)

    def check(self) -> Org:
        return doctor.check(self._account)

    def doctor(self, wanted: FieldMap) -> list[Problem]:
        return doctor.examine(self._account, wanted)

    def describe(self, kind: Kind) -> tuple[FieldInfo, ...]:
        return doctor.describe(self._account, kind)

    def streams(self) -> tuple[Stream, ...]:
        return STREAMS

    def pull(self, cursors: Mapping[str, str | None], known: Known) -> Iterator[Page]:
        return pull.pull(self._account, cursors, known)

    def read(
        self, kind: Kind, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        return read(self._account, kind, ids, fields)

    def count(self, kind: Kind, field: str) -> Mapping[str, int]:
        return count(self._account, kind, field)

    def write(self, kind: Kind, writes: Sequence[Write]) -> list[Written]:
        return (
            write_reviews(self._account, writes)
            if kind == "review"
            else write.write(self._account, kind, writes)
        )

    def usage(self) -> Usage:
        meter = self._api.meter
        return Usage(meter.calls, meter.writes, meter.failed, meter.org_used, meter.org_limit)

    def schema(self) -> Schema:
        return Schema(self._account)

    def close(self) -> None:
        self._api.close()


_: type[CRM] = HubSpotCRM
