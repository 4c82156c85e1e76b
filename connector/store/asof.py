"""What the CRM knew when: the tables that scoring takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, text

from connector.store.bulk import arrow, sql

TIME = pa.timestamp("us", tz="UTC")
TEXT = pa.string()

LEADS = {"lead_id": TEXT, "created_at": TIME, "account_key": TEXT, "email": TEXT}
CHANGES = {"lead_id": TEXT, "field": TEXT, "at": TIME, "value": TEXT}
ACTIVITIES = {
    "activity_id": TEXT, "lead_id": TEXT, "at": TIME, "kind": TEXT, "actor": TEXT, "session": TEXT, "url": TEXT,
    "area": TEXT, "content": TEXT, "channel": TEXT, "subject": TEXT, "answered": pa.bool_(), "minutes": pa.float64(),
    "cc_count": pa.int64(), "owner_id": TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    leads: pa.Table
    changes: pa.Table
    activities: pa.Table


@dataclass(frozen=True, slots=True)
class Life:
    """A lead's life as far as it is known: when it was created, won, lost, converted. Amounts in the org's currency."""

    lead_id: str
    created_at: datetime
    status: str | None
    status_at: datetime
    converted_at: datetime | None
    won_at: datetime | None
    won_amount: float | None
    lost_at: datetime | None
    running_deal: str | None
    running_amount: float | None
    won_deal: str | None


def tables(db: Connection, *, fields: Sequence[str], tracked: Sequence[str]) -> Tables:
    """All leads' facts as of any time. `fields`: the lead fields that may be looked at; `tracked`: those of them whose
    history the CRM keeps."""
    leads = arrow(db, sql("leads"), LEADS)
    followed = [f for f in fields if f in set(tracked)]
    changes = arrow(db, sql("changes"), CHANGES, {"fields": list(fields), "tracked": followed, "ids": None})
    return Tables(leads, changes, arrow(db, sql("activities"), ACTIVITIES))


def lives(db: Connection) -> list[Life]:
    return [Life(*row) for row in db.execute(text(sql("lives")))]
