"""A world's books, and the ways in which an org's own habits let outcomes into them: one function a kind of leak.

Each plant writes into the books what such an org's would hold, with the dates that its CRM would keep, and says under which
name. The audit is told neither names nor kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from connector.playground.world.model import Truth, World
from scoring.audit.evidence import TIME, Evidence
from scoring.audit.leakage import Kind
from scoring.features.inputs import Fact, Inputs


@dataclass(slots=True)
class End:
    at: datetime
    won: bool


@dataclass(slots=True)
class Act:
    key: str
    lead: str
    at: datetime
    kind: str
    actor: str
    owner: str | None
    recorded_at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Books:
    """What an org's CRM holds: a record a lead, its dated changes, activities; and how each lead ended."""

    now: datetime
    created: dict[str, datetime]
    today: dict[str, dict[str, Any]]
    """field -> lead -> value"""
    changes: list[tuple[str, str, datetime, Any, Any]]
    """lead, field, at, old, new"""
    acts: list[Act]
    tracked: set[str]
    ends: dict[str, End]
    account: dict[str, str | None]
    email: dict[str, str | None]
    scored: dict[str, datetime]

    def set(self, lead: str, name: str, at: datetime, new: Any) -> None:
        """The field takes a value at a time; after `now` nothing happens."""
        if at > self.now:
            return
        column = self.today.setdefault(name, {})
        old = column.get(lead)
        if old != new:
            self.changes.append((lead, name, at, old, new))
            column[lead] = new

    def track(self, name: str) -> str:
        self.tracked.add(name)
        self.today.setdefault(name, {})
        return name

    def overwrite(self, name: str, values: Mapping[str, Any]) -> str:
        """A field without history."""
        self.today[name] = dict(values)
        return name


def open_books(world: World, truth: Truth) -> Books:
    ends: dict[str, End] = {}
    stage = {
        c.key: c
        for c in world.changes
        if c.kind == "deal" and c.field == "stage" and c.new in ("won", "lost")
    }
    for change in world.changes:
        if change.kind == "person" and change.field == "status" and change.new == "disqualified":
            ends[change.key] = End(change.at, False)
    for deal in world.deals:
        if deal.stage in ("won", "lost") and deal.key in stage:
            for person in deal.people:
                ends[person] = End(stage[deal.key].at, deal.stage == "won")
    names = sorted({name for p in world.people for name in p.fields})
    rnd = Random("recorded")
    return Books(
        world.now, {p.key: p.created_at for p in world.people},
        {name: {p.key: p.fields.get(name) for p in world.people} for name in names},
        [(c.key, c.field, c.at, c.old, c.new) for c in world.changes if c.kind == "person" and c.field in names],
        [
            Act(t.key, t.person, t.at, t.kind, t.actor, t.owner, t.at + timedelta(minutes=rnd.expovariate(1 / 20)), t.detail)
            for t in world.touches
        ],
        set(names), ends, {p.key: p.account for p in world.people}, {p.key: p.email for p in world.people}, dict(truth.scored_at),
    )  # fmt: skip


# --- as tables ---


def evidence(books: Books) -> Evidence:
    leads = list(books.created)
    records = {
        name: pa.array([_text(column.get(lead)) for lead in leads], pa.string())
        for name, column in books.today.items()
    }
    ended = [books.ends.get(lead) for lead in leads]
    return Evidence(
        pa.table({
            "lead_id": leads, "created_at": pa.array([books.created[k] for k in leads], TIME),
            "ended_at": pa.array([e and e.at for e in ended], TIME), "won": pa.array([e and e.won for e in ended], pa.bool_()),
        }),
        pa.table({"lead_id": leads, **records}),
        _changes(books, sorted(books.tracked)),
        pa.table({
            "activity_id": [a.key for a in books.acts], "lead_id": [a.lead for a in books.acts],
            "at": pa.array([a.at for a in books.acts], TIME), "kind": [a.kind for a in books.acts],
            "owner_id": pa.array([a.owner for a in books.acts], pa.string()),
            "recorded_at": pa.array([a.recorded_at for a in books.acts], TIME),
        }),
        frozenset(books.tracked), books.now,
    )  # fmt: skip


def inputs(
    books: Books, points: list[tuple[str, datetime]], facts: list[Fact], *, today: bool = False
) -> Inputs:
    """For the as-of engine: of fields without history nothing is known before `now`. `today`: as a table of today's
    records would have it, every value known all along."""
    leads = list(books.created)
    names = [fact.name for fact in facts]
    if today:
        rows = [(k, n, books.created[k], _text(books.today.get(n, {}).get(k))) for n in names for k in leads]
        columns = list(zip(*rows, strict=True))
        changes = pa.table({"lead_id": columns[0], "field": columns[1], "at": pa.array(columns[2], TIME), "value": pa.array(columns[3], pa.string())})  # fmt: skip
    else:
        changes = _changes(books, [n for n in names if n in books.tracked])
    detail = [a.detail for a in books.acts]
    return Inputs(
        pa.table({"lead_id": [p[0] for p in points], "as_of": pa.array([p[1] for p in points], TIME)}),
        pa.table({
            "lead_id": leads, "created_at": pa.array([books.created[k] for k in leads], TIME),
            "account_key": pa.array([books.account[k] for k in leads], pa.string()),
            "email": pa.array([books.email[k] for k in leads], pa.string()),
        }),
        changes,
        pa.table({
            "activity_id": [a.key for a in books.acts], "lead_id": [a.lead for a in books.acts],
            "at": pa.array([a.at for a in books.acts], TIME), "kind": [a.kind for a in books.acts],
            "actor": [a.actor for a in books.acts],
            **{n: pa.array([d.get(n) for d in detail], pa.string()) for n in ("session", "url", "area", "content", "channel", "subject")},
            "answered": pa.array([d.get("answered") for d in detail], pa.bool_()),
        }),
    )  # fmt: skip


def _changes(books: Books, names: list[str]) -> pa.Table:
    rows: list[tuple[str, str, datetime, str | None]] = []
    seen: dict[tuple[str, str], datetime] = {}
    wanted = set(names)
    for lead, name, at, old, new in sorted(books.changes, key=lambda c: c[2]):
        if name not in wanted:
            continue
        if (lead, name) not in seen:
            rows.append((lead, name, books.created[lead], _text(old)))
        seen[lead, name] = at
        rows.append((lead, name, at, _text(new)))
    for name in names:
        rows += [
            (lead, name, books.created[lead], _text(value))
            for lead, value in books.today[name].items()
            if value is not None and (lead, name) not in seen
        ]
    columns = list(zip(*rows, strict=True))
    return pa.table({
        "lead_id": pa.array(columns[0], pa.string()), "field": pa.array(columns[1], pa.string()),
        "at": pa.array(columns[2], TIME), "value": pa.array(columns[3], pa.string()),
    })  # fmt: skip


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)


# --- the plants ---

Plant = Callable[[Books, Random], str]


def reason_at_closing(books: Books, rnd: Random) -> str:
    name = books.track("ending_note")
    for lead, end in books.ends.items():
        if rnd.random() < 0.85:
            why = ("price", "signed", "need") if end.won else ("price", "no answer", "need", "timing")
            books.set(lead, name, end.at, rnd.choice(why))
    return name


def filled_after_winning(books: Books, rnd: Random) -> str:
    name = books.track("invoice_address")
    for lead, end in books.ends.items():
        if rnd.random() < (0.9 if end.won else 0.02):
            books.set(lead, name, end.at + timedelta(days=rnd.uniform(2, 9)), f"{rnd.randrange(400)} Quay St")
    return name


def date_after_outcome(books: Books, rnd: Random) -> str:
    """Kick-off, agreed on before the signature, lies after it."""
    name = books.track("go_live")
    for lead, end in books.ends.items():
        if rnd.random() < (0.85 if end.won else 0.05):
            day = end.at + timedelta(days=rnd.uniform(14, 60))
            books.set(lead, name, end.at - timedelta(days=rnd.uniform(0.2, 2)), f"{day:%Y-%m-%d}")
    return name


def filled_while_worked(books: Books, rnd: Random) -> str:
    """Asked in the talks that go well, weeks before the end."""
    name = books.track("budget_holder")
    for lead, end in books.ends.items():
        if rnd.random() < (0.8 if end.won else 0.06):
            begun = max(books.created[lead], books.scored[lead])
            at = begun + (end.at - begun) * rnd.uniform(0.3, 0.6)
            books.set(lead, name, at, rnd.choice(("finance", "it", "board", "operations")))
    return name


def whole_life_count(books: Books, rnd: Random) -> str:
    """An automation counts every contact; deals that go on have more of them."""
    name = books.track("contacts_so_far")
    for lead in books.created:
        end = books.ends.get(lead)
        last = end.at if end is not None else books.now
        steps = 4 + rnd.randrange(5) if end is not None and end.won else 1 + rnd.randrange(3)
        for i in range(steps):
            books.set(
                lead,
                name,
                books.created[lead] + (last - books.created[lead]) * ((i + 1) / (steps + 1)),
                i + 1,
            )
    return name


def assigned_at_closing(books: Books, rnd: Random) -> str:
    name = books.track("account_team")
    for lead, created in books.created.items():
        books.today[name][lead] = f"T{rnd.randrange(6)}"
        end = books.ends.get(lead)
        if end is not None:
            team = f"T{6 + rnd.randrange(4)}" if end.won else f"T{rnd.randrange(6)}"
            books.set(lead, name, max(end.at - timedelta(hours=1), created), team)
    return name


def label_copied(books: Books, rnd: Random) -> str:
    name = books.track("is_client")
    for lead in books.created:
        books.today[name][lead] = False
    for lead, end in books.ends.items():
        if end.won:
            books.set(lead, name, end.at + timedelta(hours=rnd.uniform(0, 3)), True)
    return name


def time_in_pipeline(books: Books, rnd: Random) -> str:
    name = books.track("cycle_days")
    for lead, end in books.ends.items():
        if end.won or rnd.random() < 0.3:
            books.set(lead, name, end.at, round((end.at - books.created[lead]) / timedelta(days=1), 1))
    return name


def day_of_outcome(books: Books, rnd: Random) -> str:
    name = books.track("signature_day")
    for lead, end in books.ends.items():
        if rnd.random() < (0.95 if end.won else 0.08):
            books.set(lead, name, end.at + timedelta(hours=rnd.uniform(0, 20)), f"{end.at:%Y-%m-%d}")
    return name


def one_value(books: Books, rnd: Random) -> str:
    """A category that everyone fills, with one value for those who bought."""
    name = books.track("relation")
    for lead in books.created:
        books.today[name][lead] = rnd.choice(("prospect", "partner", "press"))
    for lead, end in books.ends.items():
        if end.won and rnd.random() < 0.7:
            books.set(lead, name, end.at - timedelta(hours=rnd.uniform(0, 30)), "customer")
    return name


def stage_probability(books: Books, rnd: Random) -> str:
    """A percentage that the CRM moves with the stage, down to nothing when it is lost."""
    name = books.track("likelihood")
    for lead in books.created:
        books.today[name][lead] = 10
    for lead, end in books.ends.items():
        begun = books.scored[lead]
        if end.won:
            for share, value in ((0.4, 40), (0.7, 60), (1.0, 100)):
                books.set(lead, name, max(begun, books.created[lead]) + (end.at - begun) * share, value)
        else:
            books.set(lead, name, end.at, rnd.choice((0, 0, 0, 10)))
    return name


def emptied_when_lost(books: Books, rnd: Random) -> str:
    name = books.track("mobile")
    for lead in books.created:
        if rnd.random() < 0.7:
            books.today[name][lead] = f"+44 7{rnd.randrange(10**8):08d}"
    for lead, end in books.ends.items():
        if not end.won and rnd.random() < 0.75:
            books.set(lead, name, end.at + timedelta(days=rnd.uniform(5, 40)), None)
    return name


def filled_at_one_instant(books: Books, rnd: Random) -> str:
    """A list from finance, loaded one night: who pays, by then known."""
    name = books.track("credit_class")
    night = books.now - timedelta(days=20, hours=9)
    for lead, end in books.ends.items():
        if end.at < night and rnd.random() < (0.9 if end.won else 0.1):
            books.set(lead, name, night + timedelta(seconds=rnd.uniform(0, 20)), rnd.choice("ABC"))
    return name


def filled_with_age(books: Books, rnd: Random) -> str:
    """A clean-up works through the records, oldest first: fuller with age, whatever becomes of the lead."""
    name = books.track("postcode")
    for lead, created in books.created.items():
        at = created + timedelta(days=rnd.uniform(40, 400))
        books.set(lead, name, at, f"{rnd.randrange(90000):05d}")
    return name


def overwritten(books: Books, rnd: Random) -> str:
    """A grade that is kept up to date, without history."""
    return books.overwrite("grade", {
        lead: rnd.choice("AAAB" if end.won else "BCDDE") if (end := books.ends.get(lead)) else rnd.choice("BCD")
        for lead in books.created
    })  # fmt: skip


def encoded(books: Books, rnd: Random) -> str:
    """The win rate of the lead's source, computed each night from all outcomes: a formula field."""
    wins: dict[str, list[bool]] = {}
    source = books.today["source"]
    for lead, end in books.ends.items():
        wins.setdefault(str(source.get(lead)), []).append(end.won)
    rate = {name: sum(w) / len(w) for name, w in wins.items()}
    return books.overwrite(
        "source_index", {k: round(rate[str(v)], 4) for k, v in source.items() if str(v) in rate}
    )


def number_given_to_buyers(books: Books, rnd: Random) -> str:
    """A customer number from the ledger: only that it is there tells, and it tells all."""
    return books.overwrite(
        "ledger_no", {k: f"C-{rnd.randrange(10**7):07d}" for k, end in books.ends.items() if end.won}
    )


def work_after_the_outcome(books: Books, rnd: Random) -> str:
    for n, (lead, end) in enumerate(books.ends.items()):
        if end.won:
            for i in range(1 + rnd.randrange(3)):
                at = end.at + timedelta(days=rnd.uniform(1, 20))
                if at <= books.now:
                    books.acts.append(
                        Act(f"onboarding{n}-{i}", lead, at, "call", "person", "U01", at, {"answered": True})
                    )
    return "activity call"


def back_dated(books: Books, rnd: Random) -> str:
    """Logged for the books once the deal is won, dated when it should have been."""
    for n, (lead, end) in enumerate(books.ends.items()):
        if rnd.random() < (0.8 if end.won else 0.03):
            at = books.created[lead] + (end.at - books.created[lead]) * rnd.uniform(0.01, 0.9)
            late = min(end.at + timedelta(days=rnd.uniform(0.5, 10)), books.now)
            books.acts.append(Act(f"visit{n}", lead, at, "meeting", "person", "U02", late))
    return "activity meeting"


def before_creation(books: Books, rnd: Random) -> str:
    for n, lead in enumerate(rnd.sample(sorted(books.created), 60)):
        at = books.created[lead] - timedelta(days=rnd.uniform(1, 200))
        books.acts.append(Act(f"fair{n}", lead, at, "webinar", "person", None, books.created[lead]))
    return "activity webinar"


def in_the_future(books: Books, rnd: Random) -> str:
    for n, lead in enumerate(rnd.sample(sorted(books.created), 15)):
        at = books.now + timedelta(days=rnd.uniform(1, 900))
        books.acts.append(Act(f"scan{n}", lead, at, "form", "person", None, books.now))
    return "activity form"


def made_when_won(books: Books, rnd: Random) -> str:
    """Deals that came by telephone get their lead on the day of the signature."""
    for n in range(60):
        lead, at = f"X{n:04d}", books.now - timedelta(days=rnd.uniform(10, 300))
        books.created[lead], books.ends[lead] = at, End(at + timedelta(minutes=rnd.uniform(1, 30)), True)
        books.account[lead] = books.email[lead] = None
        books.scored[lead] = at
    return "created_at"


PLANTS: dict[Plant, frozenset[Kind]] = {
    made_when_won: frozenset({Kind.BORN_CLOSED}),
    reason_at_closing: frozenset({Kind.AT_OUTCOME, Kind.ONE_VALUE}),
    filled_after_winning: frozenset({Kind.AFTER_OUTCOME}),
    date_after_outcome: frozenset({Kind.LATER_DATE}),
    filled_while_worked: frozenset({Kind.WHILE_WORKED}),
    whole_life_count: frozenset({Kind.GROWS}),
    assigned_at_closing: frozenset({Kind.REASSIGNED}),
    label_copied: frozenset({Kind.COPY}),
    time_in_pipeline: frozenset({Kind.CLOCK}),
    day_of_outcome: frozenset({Kind.CLOCK}),
    one_value: frozenset({Kind.ONE_VALUE, Kind.AT_OUTCOME}),
    stage_probability: frozenset({Kind.AT_OUTCOME, Kind.ONE_VALUE}),
    emptied_when_lost: frozenset({Kind.EMPTIED}),
    filled_at_one_instant: frozenset({Kind.STAMPED}),
    filled_with_age: frozenset({Kind.AGE}),
    overwritten: frozenset({Kind.NO_HISTORY}),
    encoded: frozenset({Kind.ENCODED}),
    number_given_to_buyers: frozenset({Kind.NO_HISTORY, Kind.COPY}),
    work_after_the_outcome: frozenset({Kind.ACTIVITY_AFTER, Kind.ACTIVITY_IS_OUTCOME}),
    back_dated: frozenset({Kind.BACK_DATED}),
    before_creation: frozenset({Kind.BEFORE_CREATION}),
    in_the_future: frozenset({Kind.FUTURE}),
}
"""Each plant, and the kinds that name it rightly."""
