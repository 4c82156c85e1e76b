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

_EMAIL, _ACCOUNT = "email", "account_id"

LEADS = {"lead_id": TEXT, "created_at": TIME, "email": TEXT}
MOVES = {"lead_id": TEXT, "at": TIME, "old": TEXT, "value": TEXT}
CHANGES = {"lead_id": TEXT, "field": TEXT, "at": TIME, "value": TEXT}
ACTIVITIES = {
    "activity_id": TEXT, "lead_id": TEXT, "at": TIME, "kind": TEXT, "actor": TEXT, "session": TEXT, "url": TEXT,
    "area": TEXT, "content": TEXT, "channel": TEXT, "subject": TEXT, "answered": pa.bool_(), "minutes": pa.float64(),
    "cc": TEXT, "owner_id": TEXT,
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
    since: datetime | None = None,
) -> Tables:
    """Leads' facts as of any time: of all leads, or of those named and everybody at their companies.

    `fields`: the lead fields that may be looked at; `tracked`: those whose history the CRM keeps, and since when. `since`: from
    when on it is asked who was at whose company; none: as of today.

    Which company a lead was at is told by two fields, of which the CRM may keep no history. Its address is what it came in
    with until the first change that the CRM or we saw. Its account is known from when the CRM, or else we, first saw it: what
    it is today says nothing of then, for sellers link accounts to leads that come to something.
    """
    former = former_domains(db)
    ids = None if leads is None else _companies(db, leads, former, since)
    moves = arrow(db, sql("moves"), MOVES, {"ids": ids}).to_pylist()
    came_with = {move["lead_id"]: move["old"] for move in reversed(moves)}
    looked_at = sorted({*fields, _ACCOUNT} - {_EMAIL})
    changes = arrow(
        db, sql("changes"), CHANGES, {"fields": looked_at, **_kept(looked_at, tracked), "ids": ids}
    )
    return Tables(
        arrow(db, sql("leads"), LEADS, {
            "ids": ids, "former": list(former), "today": list(former.values()),
            "moved": list(came_with), "was": list(came_with.values()),
        }),
        pa.concat_tables([changes, _moved(moves, former)]),
        arrow(db, sql("activities"), ACTIVITIES, {"ids": ids}),
    )  # fmt: skip


def _moved(moves: Sequence[Mapping[str, Any]], former: Mapping[str, str]) -> pa.Table:
    """Changes of address, those at a company's former domain at its present one."""
    rows = [{**move, "field": _EMAIL, "value": _today(move["value"], former)} for move in moves]
    return pa.Table.from_pylist(rows, pa.schema(CHANGES))


def _today(address: str | None, former: Mapping[str, str]) -> str | None:
    name, at, host = (address or "").partition("@")
    return f"{name}@{former[host.lower()]}" if at and host.lower() in former else address


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


def _companies(
    db: Connection, leads: Sequence[str], former: Mapping[str, str], since: datetime | None
) -> list[str]:
    """The leads and everybody who is at a company that they are or were at, or was `since`. Which part of an address is a
    company's domain, and which domains are nobody's own, is for scoring to say: the store only looks up the hosts under it."""
    addresses = db.scalars(text(sql("addresses")), {"ids": list(leads)})
    domains = {domain for address in addresses if (domain := company_domain(address))}
    today = {former.get(domain, domain) for domain in domains}
    domains |= today | {old for old, new in former.items() if new in today}
    found = set(db.scalars(text(sql("companies")), {"ids": list(leads), "domains": sorted(domains)}))
    if since is not None:
        found |= set(db.scalars(text(sql("elsewhere")), {"since": since}))
    return sorted(found)


def lives(db: Connection, leads: Sequence[str] | None = None) -> list[Life]:
    """Of all leads that are there, or of those named."""
    return [
        Life(*row) for row in db.execute(text(sql("lives")), {"ids": None if leads is None else list(leads)})
    ]
