"""A file of leads and one of their events as a world: real dates, so it is scored as of any time, not as a snapshot.

A lead's status moves with its own dated changes while it is open, and last with its outcome. Whatever the file says after
an outcome stays in the world, as work goes on after it in a CRM; only statuses that would undo the outcome don't. The org
is handed over at the last moment that the files tell of, with the leads that have no outcome open. Where all have one, it is
handed over when the last tenth of the outcomes was still to come: those are hidden, and reached when the reps are at work.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from connector.errors import InputError
from connector.playground.world.csv import file_of, line_of, read_table
from connector.playground.world.events import Event, EventFile
from connector.playground.world.generate import AES, SDRS, make_owners
from connector.playground.world.mapping import EventsOf, TableMapping, read_mapping
from connector.playground.world.model import Column, Deal, FieldChange, Owner, Person, Touch, Truth, World
from connector.playground.world.plausible import EPOCH_YEAR, Aside, Moment, Odd, newest, read_moment, settled
from connector.playground.world.table import Rows, label, read_rows

ENDED = ("converted", "disqualified")
BY_THE_LEAD = frozenset({
    "page_view", "form", "download", "webinar", "email_opened", "email_clicked", "email_replied", "email_forwarded",
    "campaign_response",
})  # fmt: skip
CHANNEL = {"call": "phone", "meeting": "phone", "email_sent": "email", "email_replied": "email"}
STEP_SHARE, STEPS = 0.01, 40
"""A step of the process is counted on its own when so many of the leads took it, and there are no more than so many."""
HANDED_OVER = 0.9
"""of the outcomes are known at hand-over, where all leads of the file have one"""
_PROCESS = ("task", "call", "meeting", "form", "email_sent", "email_replied")
CREATED = ("created_at", "created", "created date", "createddate", "create date", "createdate")
ENDS = ("outcome_at", "closed_at", "closed date", "close date", "closedate", "converted_at", "converted date")
"""Names of columns, in small letters, that a mapping need not name."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Leads with what happened to them, less the rows that can't be."""

    ids: list[str]
    created: list[datetime]
    ended: list[datetime | None]
    rows: Rows
    events: list[Event]
    places: list[int]
    """of each lead: its row in the file"""
    until: datetime
    """the newest time that can be: when the files were exported"""
    aside: tuple[Aside, ...] = ()

    @property
    def now(self) -> datetime:
        """When the org is handed over."""
        ends = sorted(at for at in self.ended if at is not None)
        if len(ends) == len(self.ended):
            return ends[int(HANDED_OVER * len(ends))]
        return max([*self.created, *ends, *(e.at for e in self.events)])

    @property
    def open(self) -> int:
        """Leads that are open then."""
        now, ends = self.now, zip(self.created, self.ended, strict=True)
        return sum(made <= now and (end is None or end > now) for made, end in ends)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The first and the last moment that both files tell of."""
        times = [*self.created, *filter(None, self.ended), *(event.at for event in self.events)]
        return min(times), max(times)

    def steps(self) -> list[str]:
        """The commonest steps of the process besides changes of status, as candor.toml names them."""
        took: dict[str, set[str]] = defaultdict(set)
        for event in self.events:
            if event.kind in _PROCESS:
                took[f"{event.kind}: {event.text}".lower() if event.text else event.kind].add(event.lead)
        leads = Counter({step: len(who) for step, who in took.items()})
        return sorted(step for step, n in leads.most_common(STEPS) if n >= STEP_SHARE * len(self.ids))


def load(leads: Path, mapping: Path, events: Path) -> tuple[World, Truth]:
    """Both files by their mapping (a path, or the name of a shipped one) as a world."""
    said = read_mapping(mapping)
    table = with_outcomes(read_table(leads), said, leads.parent)
    said = with_times(said, table)
    return world(read_dated(table, said, events), said)


def with_times(mapping: TableMapping, table: pa.Table) -> TableMapping:
    """The mapping with the columns of creation and outcome found by their names, where it doesn't say them. InputError when
    there are none."""
    columns = {name.strip().lower(): name for name in reversed(table.column_names)}
    created = mapping.created or next((columns[name] for name in CREATED if name in columns), None)
    at = mapping.outcome.at or next((columns[name] for name in ENDS if name in columns), None)
    for column, what, key in ((created, "came in", "created"), (at, "ended", "[outcome] at")):
        if column is None:
            raise InputError(
                f"Nothing says when a lead of {file_of(table)} {what}.",
                fix=f'Name its column in the mapping: {key} = "…".',
            )
    taken = {created, at}
    return mapping.model_copy(update={
        "created": created, "outcome": mapping.outcome.model_copy(update={"at": at}),
        "columns": {name: of for name, of in mapping.columns.items() if of.column not in taken},
        "left_out": {name: why for name, why in mapping.left_out.items() if name not in taken},
        "events": mapping.events or EventsOf(),
    })  # fmt: skip


def with_outcomes(table: pa.Table, mapping: TableMapping, folder: Path) -> pa.Table:
    """The leads with the columns of the file that holds their outcomes, where the mapping names one."""
    if mapping.outcome.file is None or mapping.outcome.column in table.column_names:
        return table
    other, id = read_table(folder / mapping.outcome.file), mapping.id
    if id is None or id not in table.column_names or id not in other.column_names:
        raise InputError(
            f"{file_of(table)} and {file_of(other)} have no column in common that names the lead.",
            fix="Name it as id in the mapping.",
        )
    place = {lead.strip(): row for row, lead in enumerate(other[id].to_pylist())}
    rows = [place.get(lead.strip()) for lead in table[id].to_pylist()]
    if None in rows:
        raise InputError(
            f"{file_of(table)}, line {line_of(table, rows.index(None))}: {file_of(other)} has no outcome of this lead.",
            fix="Export both of the same leads.",
        )
    found = other.take(pa.array(rows, pa.int64()))
    for name in other.column_names:
        if name not in table.column_names:
            table = table.append_column(name, found[name])
    return table


def read_dated(table: pa.Table, mapping: TableMapping, events: Path, today: datetime | None = None) -> Dated:
    """Leads and events, read and checked; rows that can't be are set aside. InputError names file, line, column and mend.
    `today`: nothing can be later, where the mapping doesn't say when the files were exported."""
    mapping = with_times(mapping, table)
    if mapping.id is None or mapping.created is None or mapping.outcome.at is None or mapping.events is None:
        raise InputError(
            f"No column names the leads of {file_of(table)}, so events can't be joined to them.",
            fix='Name it in the mapping: id = "…".',
        )
    rows = read_rows(table, mapping)
    ids = [id.strip() for id in table[mapping.id].to_pylist()]
    seen: set[str] = set()
    for row, id in enumerate(ids):
        if id in seen or not id:
            raise InputError(
                f"{file_of(table)}, line {line_of(table, row)}, {mapping.id}: {'this lead came before' if id else 'blank'}.",
                fix="One row a lead, each with its id.",
            )
        seen.add(id)
    created = _moments(table, mapping.created)
    ended = [
        None if won is None else at
        for won, at in zip(rows.won, _moments(table, mapping.outcome.at), strict=True)
    ]
    file = EventFile(events, mapping.events)
    said = mapping.events.until
    until = settled(said) if said is not None else newest(
        (at for at in (*(m.at for m in (*created, *ended) if m is not None), *file.times) if at.year >= EPOCH_YEAR), today
    )  # fmt: skip
    odd = Odd.of("lead")
    places: list[int] = []
    for row, (made, end, won) in enumerate(zip(created, ended, rows.won, strict=True)):
        why = _why_not(made, end, won, until)
        if why is None:
            places.append(row)
        else:
            odd.add(row, why, _MENDS[why])
    aside = odd.asides(
        table.num_rows, {why: _said(table, mapping, at[0], why) for why, at in odd.rows.items()}
    )
    born = {ids[row]: moment.at for row in places if (moment := created[row]) is not None}
    happened, strange = file.sift(born, until, seen - born.keys())
    ends = [
        None if (end := ended[row]) is None else max(end.at, born[ids[row]]) for row in places
    ]  # of a date alone: within that day
    return Dated(
        [ids[row] for row in places], [born[ids[row]] for row in places], ends, rows.at(places), happened, places, until,
        (*aside, *strange),
    )  # fmt: skip


_NO_CREATION = "without a time of creation that can be read"
_NO_END = "with an outcome and no time of it that can be read"
_OLD = f"that came in before {EPOCH_YEAR}"
_AHEAD = "that came in after the files were exported"
_BACKWARDS = "that ended before they came in"
_END_AHEAD = "that ended after the files were exported"
_TIMES = "Write times as 2026-01-31 09:30:00 or 2026-01-31T09:30:00Z."
_UNTIL = "Check the times, or say when the files were exported: until under [events] of the mapping."
_MENDS = {
    _NO_CREATION: _TIMES, _NO_END: _TIMES, _OLD: "Check the column of creation (created in the mapping).",
    _AHEAD: _UNTIL, _END_AHEAD: _UNTIL, _BACKWARDS: "Name another column of the mapping's [outcome] at.",
}  # fmt: skip


def _moments(table: pa.Table, column: str) -> list[Moment | None]:
    return [read_moment(text) for text in table[column].to_pylist()]


def _why_not(made: Moment | None, end: Moment | None, won: bool | None, until: datetime) -> str | None:
    """Why a lead can't be; None when it can."""
    if made is None:
        return _NO_CREATION
    if won is not None and end is None:
        return _NO_END
    if made.at.year < EPOCH_YEAR:
        return _OLD
    if made.at > until:
        return _AHEAD
    if end is not None and end.latest < made.at:
        return _BACKWARDS
    return _END_AHEAD if end is not None and end.at > until else None


def _said(table: pa.Table, mapping: TableMapping, row: int, why: str) -> str:
    """Where the first such lead stands, and what is wrong with it."""
    column = mapping.outcome.at if why in (_NO_END, _BACKWARDS, _END_AHEAD) else mapping.created
    text = table[column][row].as_py()
    where = f"{file_of(table)}, line {line_of(table, row)}, {column}"
    said = {_BACKWARDS: "is before the lead came in", _OLD: f"is before {EPOCH_YEAR}"}
    return (
        f"{where}: {text!r} is no time"
        if why in (_NO_CREATION, _NO_END)
        else f"{where}: {text} {said.get(why, 'is after the files were exported')}"
    )


def world(dated: Dated, mapping: TableMapping) -> tuple[World, Truth]:
    """The org as it stands at hand-over, and in the truth what is still to come."""
    owners, now = _Owners(), dated.now
    mine: dict[str, list[Event]] = defaultdict(list)
    for event in dated.events:
        mine[event.lead].append(event)
    people, deals, changes, touches = [], [], [], []
    ahead: list[Touch] = []
    to_come: dict[str, datetime] = {}
    said = mapping.events.status if mapping.events is not None else {}
    rows = dated.rows
    for n, id in enumerate(dated.ids):
        key, made, ended, won = f"L{n + 1:06d}", dated.created[n], dated.ended[n], rows.won[n]
        if made > now:
            continue
        if ended is not None and ended > now:
            if won:
                to_come[key] = ended
            ended = won = None
        sdr = owners.of(next((e.owner for e in mine[id] if e.owner and not e.machine), None), n)
        fields = {name: column[n] for name, column in (*rows.fields.items(), *rows.extra.items())}
        past = [event for event in mine[id] if event.at <= now]
        moves = _moves(past, said, ended, won)
        changes += _changes(key, moves, sdr)
        status = moves[-1][1] if moves else "new"
        ae = AES[n % len(AES)] if status == "converted" else sdr
        person = Person(
            key, _own(rows, "first_name", n), _own(rows, "last_name", n) or id, _own(rows, "email", n),
            _own(rows, "company", n) or f"Lead {id}", None, made, max([made, *(at for at, _ in moves)]), ae, status, fields,
        )  # fmt: skip
        people.append(person)
        if won and ended is not None:
            changes.append(FieldChange("person", key, "owner", ended, sdr, ae, sdr))
            person.converted_at, person.deal = ended, f"D{n + 1:06d}"
            amount = rows.amounts[n] if rows.amounts else None
            deals.append(Deal(person.deal, f"{person.company} deal", None, [key], ae, amount, "won", ended, ended, ended))  # fmt: skip
        done = [_touch(f"{key}-{i:05d}", key, e, owners.of(e.owner, n)) for i, e in enumerate(mine[id]) if e.kind != "status"]  # fmt: skip
        touches += [touch for touch in done if touch.at <= now]
        ahead += [touch for touch in done if touch.at > now]
    changes.sort(key=lambda change: (change.at, change.key))
    touches.sort(key=lambda touch: (touch.at, touch.key))
    columns = [
        Column(name, label(of.column), of.type, sorted({v for v in rows.extra[name] if v}) if of.type == "choice" else [])
        for name, of in mapping.columns.items()
    ]  # fmt: skip
    made_world = World(mapping.name, now, owners.all, [], people, deals, changes, touches, columns)
    return made_world, _truth(dated, mapping, people, to_come, sorted(ahead, key=lambda touch: touch.at))


def _truth(
    dated: Dated,
    mapping: TableMapping,
    people: list[Person],
    to_come: dict[str, datetime],
    ahead: list[Touch],
) -> Truth:
    outcome = {f"L{n + 1:06d}": won for n, won in enumerate(dated.rows.won)}
    decided = [won for won in outcome.values() if won is not None]
    usual = sum(decided) / max(len(decided), 1)
    first = timedelta(days=min(mapping.ages_days, default=7))
    won_at = {p.key: p.converted_at for p in people if p.converted_at is not None}
    return Truth(
        horizon_days=mapping.horizon_days or 180,
        probability={p.key: usual if (won := outcome[p.key]) is None else float(won) for p in people},
        scored_at={p.key: p.created_at + first for p in people},
        design=[],
        rows={},
        cause={p.key: "ended" if p.status in ENDED else "open" for p in people},
        wins={**won_at, **to_come},
        deals={p.key: p.deal for p in people if p.deal is not None},
        ahead=ahead,
    )


def _moves(
    events: list[Event], said: dict[str, Any], ended: datetime | None, won: bool | None
) -> list[tuple[datetime, str]]:
    """(at, status) of each change, "new" at creation not among them."""
    found: list[tuple[datetime, str]] = []
    now = "new"
    for event in events:
        if event.kind != "status" or not event.text or (ended is not None and event.at >= ended):
            continue
        status = said.get(event.text, event.text)
        if status not in (now, *ENDED):
            found.append((event.at, status))
            now = status
    if ended is not None:
        found.append((ended, ENDED[0] if won else ENDED[1]))
    return found


def _changes(key: str, moves: list[tuple[datetime, str]], by: str) -> list[FieldChange]:
    before = ["new", *(status for _, status in moves)]
    return [FieldChange("person", key, "status", at, old, new, by) for (at, new), old in zip(moves, before, strict=False)]  # fmt: skip


def _touch(key: str, lead: str, event: Event, owner: str) -> Touch:
    detail = {"subject": event.text, "channel": CHANNEL.get(event.kind)}
    actor = "machine" if event.machine else "person"
    by = None if event.kind in BY_THE_LEAD else owner
    return Touch(key, event.kind, lead, event.at, None, by, actor, {k: v for k, v in detail.items() if v})


def _own(rows: Rows, name: str, n: int) -> Any:
    return rows.own[name][n] if name in rows.own else None


class _Owners:
    """The file's own sellers, beside the usual team who has the leads that nobody is named for."""

    def __init__(self) -> None:
        self.all = make_owners()
        self._known: dict[str, str] = {}

    def of(self, name: str | None, n: int) -> str:
        if name is None:
            return SDRS[n % len(SDRS)]
        if name not in self._known:
            key = self._known[name] = f"F{len(self._known) + 1:04d}"
            said = f"Owner {name}" if name.isdigit() else name
            self.all.append(Owner(key, said, f"{key.lower()}@tarnfield-example.com", "sdr"))
        return self._known[name]
