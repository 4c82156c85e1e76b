"""What can be known when: a world's history up to the hand-over, and the leads that arrive day by day after it.

Features are built once for every moment at which somebody will look, each as of its own moment, so a look sees nothing
that came later. What the world let happen to an arriving lead after its first week because a rep of the world worked it
(calls, meetings, replies, fields filled in) is cut out: in the play only the teams work these leads. What a lead does
by itself stays. The mails of the first week are the org's own automatic sequence: the same for every team, at no hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.attention import with_points
from connector.jobs.examples import as_of_points
from connector.jobs.fields import STANDARD, facts
from connector.jobs.scope import Outcomes
from connector.playground.world.model import Column, FieldChange, Person, Touch, Truth, World
from connector.settings import CRMSettings, ExtraField, OutcomeSettings, ScopeSettings, Settings
from connector.settings import Mapping as FieldMapping
from connector.store.asof import ACTIVITIES, CHANGES, LEADS, Life
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.routing.policy import Policy

DAY = timedelta(days=1)
AGES_DAYS = (1, 3, 7, 14, 30, 60, 100, 150)
"""Ages at which an arriving lead is scored, the first being its first routing. Between them its score stands."""
BY_THEMSELVES = frozenset(
    {"page_view", "download", "form", "webinar", "campaign_response", "email_forwarded"}
)
"""What a lead does without a rep: all that is seen of an arriving lead after its first week."""

WORK = frozenset({"call", "meeting"})
"""E-mails tell nothing: sequences write them in a rep's name."""
TAKEN_UP = frozenset({"working", "qualified", "converted"})
"""Statuses that say that somebody took a lead up."""

Key = tuple[str, datetime]


@dataclass(frozen=True)
class Known:
    """A world split at the hand-over. `rows` has a line for each (lead, moment) of `at`."""

    world: World
    truth: Truth
    settings: Settings
    policy: Policy
    start: datetime
    """the hand-over: day 0 of the play"""
    days: int
    retrain: Sequence[int]
    """days on which models are trained"""
    arrivals: Mapping[str, Person]
    looks: Mapping[int, list[str]]
    """day -> arriving leads that are scored on it"""
    first_look: Mapping[str, int]
    rows: pa.Table
    at: Mapping[Key, int]
    company: Mapping[str, str]
    worked: Mapping[str, Sequence[datetime]]
    """when the world's own reps worked each lead of the history"""
    _stories: Mapping[str, _Story]

    def moment(self, day: int) -> datetime:
        return self.start + day * DAY

    def history(self, now: datetime) -> list[Life]:
        """The lives of the leads from before the hand-over, as far as they are known by `now`."""
        return [story.life(now) for story in self._stories.values()]

    def lines(self, keys: Sequence[Key]) -> pa.Table:
        return self.rows.take(pa.array([self.at[key] for key in keys], pa.int64()))

    def last_look(self, lead: str, day: int) -> Key:
        """The latest moment up to this day at which the lead was scored."""
        found = max(d for d in _look_days(self.arrivals[lead], self.start, self.days) if d <= day)
        return lead, self.moment(found)


@dataclass(frozen=True)
class _Story:
    """What befell one lead of the history, dated."""

    person: Person
    statuses: Sequence[tuple[datetime, str]]
    won_at: datetime | None
    lost_at: datetime | None
    deal: tuple[datetime, str, float | None] | None

    def life(self, now: datetime) -> Life:
        at = bisect_right([when for when, _ in self.statuses], now) - 1
        status_at, status = self.statuses[max(at, 0)]
        won_at, lost_at = (x if x is not None and x <= now else None for x in (self.won_at, self.lost_at))
        deal = self.deal if self.deal is not None and self.deal[0] <= now else None
        running = deal if won_at is None and lost_at is None else None
        converted = self.person.converted_at
        return Life(
            lead_id=self.person.key, created_at=self.person.created_at, status=status, status_at=status_at,
            converted_at=converted if converted is not None and converted <= now else None, won_at=won_at,
            won_amount=deal[2] if deal and won_at else None, lost_at=lost_at,
            running_deal=running[1] if running else None, running_amount=running[2] if running else None,
            won_deal=deal[1] if deal and won_at else None,
        )  # fmt: skip


def play_settings(own: Sequence[Column] = ()) -> Settings:
    """The settings of an org like the world's; nothing is ever connected to. `own`: real rows have these columns and none of
    the standard fields."""
    types = {"number": "number", "flag": "flag", "choice": "category", "text": "text", "date": "date"}
    extra = {
        column.name: ExtraField.model_validate(
            {"field": column.name, "type": types[column.type], "label": column.label}
        )
        for column in own
    }
    return Settings(
        crm=CRMSettings(kind="salesforce", url="https://half-year.invalid"),
        mapping=FieldMapping(extra=extra),
        scope=ScopeSettings(leave_out=[fact.name for fact in STANDARD] if own else []),
        outcome=OutcomeSettings(
            status={
                "new": "open",
                "working": "open",
                "qualified": "open",
                "nurture": "recycled",
                "converted": "won",
                "disqualified": "lost",
            }
        ),
    )


def prepare(world: World, truth: Truth, days: int, policy: Policy, own: Sequence[Column] = ()) -> Known:
    """The world's last `days` days are played, what lies before them is history. `own`: as in `play_settings`."""
    settings, start = play_settings(own), world.now - days * DAY
    retrain = range(0, days, policy.models.retrain_days)
    arrivals = {p.key: p for p in world.people if p.created_at > start}
    looks: dict[int, list[str]] = defaultdict(list)
    first_look: dict[str, int] = {}
    for person in arrivals.values():
        on = _look_days(person, start, days)
        for day in on:
            looks[day].append(person.key)
        if on:
            first_look[person.key] = on[0]
    stories = _stories(world, truth, start)
    outcomes = Outcomes(settings.outcome.status)
    keys: dict[Key, None] = {}
    for day in retrain:
        now = start + day * DAY
        for story in stories.values():
            life = story.life(now)
            keys |= {(p.lead_id, p.as_of): None for p in as_of_points(life, outcomes, settings, policy, now)}
            if life.won_at or life.lost_at:  # usual practice takes closed deals as they look today
                keys[life.lead_id, now] = None
    keys |= {(lead, start + day * DAY): None for day, leads in looks.items() for lead in leads}
    points = pa.table({
        "lead_id": pa.array([lead for lead, _ in keys], pa.string()),
        "as_of": pa.array([at for _, at in keys], LEADS["created_at"]),
    })  # fmt: skip
    engine = connect()
    try:
        rows = build(
            engine, Inputs(points, *tables(world, truth, settings, start)), with_points(facts(settings))
        )
    finally:
        engine.disconnect()
    return Known(
        world, truth, settings, policy, start, days, retrain, arrivals, dict(looks), first_look, rows,
        {key: i for i, key in enumerate(keys)},
        {p.key: p.account or company_domain(p.email or "") or p.key for p in world.people}, worked_times(world, start), stories,
    )  # fmt: skip


def worked_times(world: World, start: datetime) -> dict[str, list[datetime]]:
    """As the product's own query tells it (connector/store/sql/worked.sql), of the leads of the history."""
    history = {p.key for p in world.people if p.created_at <= start}
    found: dict[str, list[datetime]] = defaultdict(list)
    for touch in world.touches:
        if touch.person in history and touch.actor == "person" and touch.kind in WORK:
            found[touch.person].append(touch.at)
    for change in world.changes:
        if (
            change.key in history
            and change.kind == "person"
            and change.field == "status"
            and change.old is not None
            and change.new in TAKEN_UP
        ):
            found[change.key].append(change.at)
    return {lead: sorted(times) for lead, times in found.items()}


def _look_days(person: Person, start: datetime, days: int) -> list[int]:
    """The daily passes at which a lead has just come to one of the ages."""
    born = (person.created_at - start) / DAY
    return sorted({day for age in AGES_DAYS if (day := int(np.ceil(born + age))) < days})


def _stories(world: World, truth: Truth, start: datetime) -> dict[str, _Story]:
    statuses: dict[str, list[FieldChange]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person" and change.field == "status":
            statuses[change.key].append(change)
    deals = {deal.key: deal for deal in world.deals}
    found = {}
    for person in world.people:
        if person.created_at > start:
            continue
        moves = sorted(statuses[person.key], key=lambda c: c.at)
        begin = (person.created_at, str(moves[0].old) if moves else person.status)
        deal = deals.get(person.deal or "")
        found[person.key] = _Story(
            person, [begin, *((c.at, str(c.new)) for c in moves)], truth.wins.get(person.key),
            truth.losses.get(person.key), None if deal is None else (deal.created_at, deal.key, deal.amount),
        )  # fmt: skip
    return found


def tables(
    world: World, truth: Truth, settings: Settings, start: datetime
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Leads, changes and activities as the store would give them."""
    leads = pa.table({
        "lead_id": pa.array([p.key for p in world.people], LEADS["lead_id"]),
        "created_at": pa.array([p.created_at for p in world.people], LEADS["created_at"]),
        "account_key": pa.array([p.account for p in world.people], LEADS["lead_id"]),
        "email": pa.array([p.email for p in world.people], LEADS["email"]),
    })  # fmt: skip
    touches = [t for t in world.touches if _is_seen(t, truth, start)]
    owned = {"activity_id": "key", "lead_id": "person", "at": "at", "kind": "kind", "actor": "actor", "owner_id": "owner"}  # fmt: skip
    activities = pa.table({
        name: pa.array([_cell(t, name, owned) for t in touches], kind) for name, kind in ACTIVITIES.items()
    })  # fmt: skip
    return leads, _changes(world, settings, start), activities


def _is_seen(touch: Touch, truth: Truth, start: datetime) -> bool:
    scored = truth.scored_at[touch.person]
    arrived = scored - timedelta(days=7) > start
    return not arrived or touch.at <= scored or (touch.owner is None and touch.kind in BY_THEMSELVES)


def _cell(touch: Touch, name: str, owned: Mapping[str, str]) -> Any:
    if name == "cc":
        return " ".join(touch.detail.get("cc", ())) or None
    return getattr(touch, owned[name]) if name in owned else touch.detail.get(name)


def _changes(world: World, settings: Settings, start: datetime) -> pa.Table:
    """Each fact's value at creation and every later one; an arriving lead's edits by reps of the world are none."""
    owners = {owner.key for owner in world.owners}
    edits: dict[tuple[str, str], list[FieldChange]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person":
            edits[change.key, change.field].append(change)
    said: list[tuple[str, str, datetime, str | None]] = []
    for person in world.people:
        values = {**person.fields, "email": person.email, "company": person.company}
        for fact in with_points(facts(settings)):
            mine = sorted(edits.get((person.key, fact.name), ()), key=lambda c: c.at)
            at_first = mine[0].old if mine else values.get(fact.name)
            said.append((person.key, fact.name, person.created_at, _text(at_first)))
            said += [
                (person.key, fact.name, c.at, _text(c.new)) for c in mine
                if person.created_at <= start or c.by not in owners
            ]  # fmt: skip
    columns = zip(*said, strict=True)
    return pa.table({
        name: pa.array(column, kind) for (name, kind), column in zip(CHANGES.items(), columns, strict=True)
    })  # fmt: skip


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)
