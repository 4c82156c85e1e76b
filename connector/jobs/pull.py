"""Pull: everything that is new in the CRM, into the store. The same code does the backfill (no cursor yet) and each pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.crm.base import CRM, Kind
from connector.jobs import quality
from connector.jobs.addresses import SALT, hidden
from connector.jobs.context import Context, log
from connector.jobs.fields import PEOPLE_FIELDS
from connector.store import quality as kept
from connector.store import records

KIND_OF_STREAM: dict[str, Kind] = {
    "leads": "lead", "accounts": "account", "deals": "deal", "owners": "owner", "reviews": "review",
}  # fmt: skip


@dataclass(slots=True)
class Pulled:
    """Rows per stream, how many of them were news, and every object that was looked at, under the vendor's names."""

    rows: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    """records alone, by kind"""
    new: int = 0
    changed: int = 0
    looked_at: tuple[str, ...] = ()
    odd: Counter[str] = field(default_factory=Counter)
    """rows set aside, by reason"""
    new_values: int = 0
    """of choice fields, not seen before"""


def pull(context: Context, *, streams: Iterable[str] | None = None, label: str = "Reading the CRM") -> Pulled:
    """One pull of all streams (or some). Each page is stored with its cursor in one transaction: after a kill it goes on
    where it was."""
    crm, store = context.crm, context.store
    wanted = set(streams) if streams is not None else None
    all_streams = [s for s in crm.streams() if wanted is None or s.name in wanted]
    tracked = _tracked(context, crm)
    with store.begin() as db:
        have = records.cursors(db)
    cursors: Mapping[str, str | None] = {s.name: have.get(s.name) for s in all_streams}

    def known(stream: str, since: datetime) -> Mapping[str, datetime]:
        with store.begin() as db:
            return records.known(db, KIND_OF_STREAM.get(stream), stream, since)

    pulled = Pulled(looked_at=tuple(s.looks_at for s in all_streams))
    looks: dict[str, quality.Look] = defaultdict(quality.Look)
    with store.begin() as db:
        records.take_late(db, kept.ready(db, context.clock.now()))
    salt = store.get(SALT)
    for page in (hidden(page, salt) for page in crm.pull(cursors, known)):
        now = context.clock.now()
        with store.begin() as db:
            sifted = quality.sift(db, page, looks[page.stream], now)
            taken = records.take_in(db, sifted, now=now, tracked=tracked, people=PEOPLE_FIELDS)
        pulled.rows[page.stream] += taken.rows
        pulled.records.update(record.kind for record in page.records)
        pulled.new += taken.new
        pulled.changed += taken.changed
        context.progress(label, sum(pulled.rows.values()), None)
    _profile(context, looks, pulled)
    log.info(
        "pulled",
        looked_at=list(pulled.looked_at),
        rows=dict(pulled.rows),
        new=pulled.new,
        changed=pulled.changed,
        odd=dict(pulled.odd),
        new_values=pulled.new_values,
    )
    return pulled


def _profile(context: Context, looks: Mapping[str, quality.Look], pulled: Pulled) -> None:
    """What came, stream by stream, beside what is usual there. Streams that brought nothing leave no profile."""
    now = context.clock.now()
    with context.store.begin() as db:
        for stream, look in looks.items():
            if not look.rows:
                continue
            found = look.profile(kept.usual(db, stream))
            kept.remember(db, stream, now, look.rows, look.odd.total(), found)
            pulled.odd.update(look.odd)
            pulled.new_values += sum(map(len, found.get("new_values", {}).values()))


def remember_org(context: Context) -> None:
    """The org's name and currency, for pages that are made without asking it."""
    org = context.crm.check()
    context.store.put("org", {"name": org.name, "currency": org.currency, "timezone": org.timezone})


def streams_of(crm: CRM, kinds: Iterable[str]) -> tuple[str, ...]:
    wanted = set(kinds)
    return tuple(s.name for s in crm.streams() if KIND_OF_STREAM.get(s.name) in wanted)


def _tracked(context: Context, crm: CRM) -> frozenset[str]:
    """The lead fields whose history the CRM keeps, asked once and remembered."""
    remembered = context.store.get("tracked_fields")
    if remembered is None:
        fields = crm.describe("lead")
        everything = crm.capabilities.history == "all fields"
        calculated = sorted(f.canonical for f in fields if f.canonical and f.calculated)
        remembered = sorted(
            f.canonical
            for f in fields
            if f.canonical and (f.tracked or everything) and f.canonical not in calculated
        )
        context.store.put("calculated_fields", calculated)
        context.store.put("tracked_fields", remembered)
        context.store.put("history_of", crm.capabilities.history)
        context.store.put("first_reading", context.clock.now().isoformat())
    return frozenset(remembered)
