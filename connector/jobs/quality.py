"""What a pull brought, looked over before it is taken in: odd rows are set aside with the reason, the rest is profiled.

Nothing is dropped: a row that is set aside stays in the store whole, is counted in `candor status`, and is taken in when it
comes again and is right, or when its time has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from connector.crm.base import Activity, Change, Page
from connector.store import quality
from connector.store.quality import Odd

AHEAD = timedelta(hours=1)
"""clocks may differ by so much"""
EARLIER = timedelta(days=1)
"""by which a change may lie before its record: an import dates the record, not its history"""
EPOCH_YEAR = 1990
"""before it no CRM kept a diary: a date of an empty field"""
PLANNED = frozenset({"meeting", "call", "task"})
NAMES = frozenset(
    {"first_name", "last_name", "email", "company", "phone", "linkedin", "name", "domain", "other_domains"}
)
"""who somebody is: no profile holds it"""
VALUES = 50
"""different values up to which a field is a choice whose new values are worth a word"""
NEW_SHARE = 0.2
"""of a pull's rows: by how much more of them than usual a field must be blank"""
ENOUGH = 50

FUTURE = "dated in the future"
BEFORE = "dated before its record was made"
EMPTY_DATE = "dated before 1990"
TWICE = "the same activity twice"
BACKWARDS = "last changed before it was made"


@dataclass(slots=True)
class Look:
    """One pull of one stream, page by page."""

    rows: int = 0
    odd: Counter[str] = field(default_factory=Counter)
    blanks: Counter[str] = field(default_factory=Counter)
    values: dict[str, Counter[str]] = field(default_factory=dict)
    records: int = 0
    before_creation: int = 0

    def profile(self, usual: Mapping[str, Any] | None) -> dict[str, Any]:
        """Blank shares, the values of choices, odd rows, and against what is usual: new values, more blanks."""
        blank = (
            {name: round(n / self.records, 4) for name, n in sorted(self.blanks.items())}
            if self.records
            else {}
        )
        choices = {n: sorted(c) for n, c in sorted(self.values.items()) if 0 < len(c) <= VALUES}
        found: dict[str, Any] = {"blank": blank, "values": choices, "odd": dict(self.odd)}
        if usual is not None:
            known = usual.get("values", {})
            news = {
                n: sorted(set(c) - set(known[n]))
                for n, c in choices.items()
                if n in known and set(c) - set(known[n])
            }
            found["new_values"] = news
            found["values"] = {n: sorted({*c, *known.get(n, ())}) for n, c in {**known, **choices}.items()}
            if self.records >= ENOUGH:
                was = usual.get("blank", {})
                found["blanker"] = {
                    n: [was[n], share]
                    for n, share in blank.items()
                    if n in was and share - was[n] >= NEW_SHARE
                }
        return found


def sift(db: Connection, page: Page, look: Look, now: datetime) -> Page:
    """The page without its odd rows, which are set aside; `look` counts what it holds."""
    records, odd = [], list[Odd]()
    for record in page.records:
        reason = FUTURE if record.created_at > now + AHEAD else BACKWARDS if record.modified_at < record.created_at - EARLIER else None  # fmt: skip
        if reason is None:
            records.append(record)
            _count(look, record.values)
        else:
            odd.append(Odd("record", record.id, reason, record))
    born: dict[tuple[str, str], datetime] = {(r.kind, r.id): r.created_at for r in records}
    changes, late = _changes(db, page.changes, born, now)
    activities, wrong = _activities(db, page.activities, now)
    odd += late + wrong
    look.rows += len(page.records) + len(page.changes) + len(page.activities)
    for one in odd:
        look.odd[one.reason] += 1
    good = (
        [f"record {r.id}" for r in records]
        + [f"activity {a.id}" for a in activities]
        + [f"change {_key(c)}" for c in changes]
    )
    quality.release(db, page.stream, good)
    quality.set_aside(db, page.stream, odd, now)
    return replace(page, records=records, changes=changes, activities=activities) if odd else page


def _changes(
    db: Connection, changes: Sequence[Change], born: Mapping[tuple[str, str], datetime], now: datetime
) -> tuple[list[Change], list[Odd]]:
    made: dict[tuple[str, str], datetime] = {}
    for kind in {c.kind for c in changes}:
        ids = {c.id for c in changes if c.kind == kind}
        made |= {(kind, id): at for id, at in quality.created(db, kind, ids).items()}
    made |= born
    kept, odd = [], []
    for change in changes:
        since = made.get((change.kind, change.id))
        if change.at > now + AHEAD:
            odd.append(Odd("change", _key(change), FUTURE, change, change.at))
        elif since is not None and change.at < since - EARLIER:
            odd.append(Odd("change", _key(change), BEFORE, change))
        else:
            kept.append(change)
    return kept, odd


def _activities(
    db: Connection, activities: Sequence[Activity], now: datetime
) -> tuple[list[Activity], list[Odd]]:
    there = quality.twins(db, activities) if activities else {}
    kept, odd = [], []
    for one in activities:
        same = quality.sameness(one.person_id, one.kind, one.at, one.detail)
        if one.deleted:
            kept.append(one)
        elif one.at > now + AHEAD and one.kind not in PLANNED:
            odd.append(Odd("activity", one.id, FUTURE, one, one.at))
        elif one.at.year < EPOCH_YEAR:
            odd.append(Odd("activity", one.id, EMPTY_DATE, one))
        elif one.person_id and _has_time(one.at) and there.setdefault(same, one.id) != one.id:
            odd.append(Odd("activity", one.id, TWICE, one))
        else:
            kept.append(one)
    return kept, odd


def _has_time(at: datetime) -> bool:
    """Whether a moment is one, and not just a day: of two calls on a day with the same subject neither is the other."""
    return at.astimezone(UTC).time() != time()


def _key(change: Change) -> str:
    return f"{change.kind} {change.id} {change.field} {change.at.isoformat()}"


def _count(look: Look, values: Mapping[str, Any]) -> None:
    look.records += 1
    for name, value in values.items():
        if name.startswith("candor_") or name in NAMES:
            continue
        look.blanks[name] += value in (None, "")
        if isinstance(value, str) and value:
            seen = look.values.setdefault(name, Counter())
            if len(seen) <= VALUES:
                seen[value] += 1
