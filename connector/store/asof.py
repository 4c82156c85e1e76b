"""What the CRM knew when: the tables that scoring takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from connector.store.bulk import arrow, sql
from scoring.features.normalise import company_domain, free_mail, registered_domain

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


def tables(
    db: Connection,
    *,
    fields: Sequence[str],
    tracked: Mapping[str, datetime],
    leads: Sequence[str] | None = None,
) -> Tables:
    """Leads' facts as of any time: of all leads, or of those named and everybody at their companies.

    `fields`: the lead fields that may be looked at; `tracked`: those whose history the CRM keeps, and since when.
    """
    former = former_domains(db)
    same = {"former": list(former), "today": list(former.values())}
    ids = None if leads is None else _companies(db, leads, former)
    args = {"fields": list(fields), **_kept(fields, tracked), "ids": ids}
    return Tables(
        arrow(db, sql("leads"), LEADS, {"ids": ids, **same}),
        arrow(db, sql("changes"), CHANGES, args),
        arrow(db, sql("activities"), ACTIVITIES, {"ids": ids}),
    )


def _kept(fields: Sequence[str], tracked: Mapping[str, datetime]) -> dict[str, Any]:
    kept = [f for f in fields if f in tracked]
    return {"tracked": kept, "since": [tracked[f] for f in kept]}


AUDITED = {
    "activity_id": TEXT,
    "lead_id": TEXT,
    "at": TIME,
    "kind": TEXT,
    "owner_id": TEXT,
    "recorded_at": TIME,
}


def for_audit(
    db: Connection, *, fields: Sequence[str], tracked: Mapping[str, datetime], leads: Sequence[str] | None
) -> tuple[pa.Table, pa.Table]:
    """Every dated change of those fields, and every activity with when the CRM took it in; of all leads, or some."""
    ids = None if leads is None else list(leads)
    args = {"fields": list(fields), **_kept(fields, tracked), "ids": ids}
    changes = arrow(db, sql("changes"), CHANGES, args)
    return changes, arrow(db, sql("audited_activities"), AUDITED, {"ids": ids})


def closed_by(db: Connection) -> dict[str, str | None]:
    """Lead or deal id -> who last changed its status or stage."""
    return {row.id: row.by for row in db.execute(text(sql("closings")))}


def former_domains(db: Connection) -> dict[str, str]:
    """A rebranded company's former domain -> its present one (S2.3); none that is another account's own, or two's."""
    found: dict[str, set[str]] = {}
    for row in db.execute(text(sql("domains"))):
        today, other = registered_domain(row.today), registered_domain(row.other)
        if today and other and today != other and other not in free_mail():
            found.setdefault(other, set()).add(today)
    return {other: today.pop() for other, today in sorted(found.items()) if len(today) == 1}


def _companies(db: Connection, leads: Sequence[str], former: Mapping[str, str]) -> list[str]:
    """The leads and everybody at their companies. Which part of an address is a company's domain, and which domains are
    nobody's own, is for scoring to say: the store only looks up the hosts under it."""
    addresses = db.scalars(text(sql("addresses")), {"ids": list(leads)})
    domains = {domain for address in addresses if (domain := company_domain(address))}
    today = {former.get(domain, domain) for domain in domains}
    domains |= today | {old for old, new in former.items() if new in today}
    args = {"ids": list(leads), "domains": sorted(domains)}
    return [row[0] for row in db.execute(text(sql("companies")), args)]


def lives(db: Connection, leads: Sequence[str] | None = None) -> list[Life]:
    """Of all leads that are there, or of those named."""
    return [
        Life(*row) for row in db.execute(text(sql("lives")), {"ids": None if leads is None else list(leads)})
    ]
