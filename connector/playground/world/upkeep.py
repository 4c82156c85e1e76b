"""What becomes of the records themselves: duplicates that are merged, leads that are deleted and restored, queues that
own leads until somebody takes them, reps who leave.

It is laid over a world that is finished: who buys, what they do and what it is worth stay as they were. Owners are
changed in the world itself; merges and deletions are `fates`, which a local CRM plays its own way upon the records
(`served`), those still to come by the reps' days (world/reps.py). Each part draws from a stream of its own.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from connector.playground.world.model import Fate, FieldChange, Person, Queue, Truth, World
from connector.playground.world.scenario import Scenario

QUEUE = Queue("Q01", "Inbound leads", [])
CLOSED = ("converted", "disqualified")
TEST_NAMES = (("Test", "Test"), ("Form", "Test"), ("Asdf", "Asdf"), ("QA", "Check"), ("Please", "Ignore"))
DELETED_TESTS = 0.85
"""of the test leads; the others lie about"""

Pairs = Sequence[tuple[str, str]]
"""leads of one person, the older one first"""


def keep(
    world: World, truth: Truth, scenario: Scenario, seed: int, *,
    pairs: Pairs, converts: Mapping[str, datetime], sellers: Sequence[str],
) -> None:  # fmt: skip
    """Change `world` and `truth` in place. `converts`: when a lead is converted, later than now too; `sellers`: who
    works on leads."""
    if scenario.owners.queued:
        world.queues = [replace(QUEUE, members=list(sellers))]
        _queue(world, scenario.owners.queued, sellers, Random(f"{seed}/queue"))
    if scenario.owners.leavers:
        _leave(world, truth, scenario.owners.leavers, sellers, Random(f"{seed}/leavers"))
    there = [o.key for o in world.owners if o.key in sellers and o.active]
    fates = _merges(world, scenario, pairs, converts, there, Random(f"{seed}/duplicates"))
    fates += _mistakes(world, truth, scenario, {f.key for f in fates} | {f.into for f in fates}, converts, there,
                       Random(f"{seed}/mistakes"))  # fmt: skip
    fates += _tests(world, scenario, there, Random(f"{seed}/tests"))
    fates.sort(key=lambda fate: (fate.at, fate.key, fate.kind))
    world.fates = [fate for fate in fates if fate.at <= world.now]
    truth.fates = [fate for fate in fates if fate.at > world.now]


def served(world: World) -> World:
    """As a local CRM is filled before the fates are played: strays among the leads, and no edit of a record after its
    own end."""
    if not world.strays and not world.fates:
        return world
    end = {fate.key: fate.at for fate in world.fates if fate.kind == "merged"}
    changes = [c for c in world.changes if c.kind != "person" or c.key not in end or c.at <= end[c.key]]
    return replace(world, people=[*world.people, *world.strays], changes=changes)


# --- owners ---


def _queue(world: World, share: float, sellers: Sequence[str], rnd: Random) -> None:
    """Leads that begin in the queue. Whoever first works on one has taken it some time before."""
    worked: dict[str, datetime] = {}

    def seen(key: str, at: datetime) -> None:
        worked[key] = min(at, worked.get(key, at))

    for change in world.changes:
        if change.kind == "person" and change.by in sellers:
            seen(change.key, change.at)
    for touch in world.touches:
        if touch.owner is not None:
            seen(touch.person, touch.at)
    owned = _owner_changes(world)
    for person in world.people:
        if rnd.random() >= share:
            continue
        mine, when = owned[person.key], rnd.uniform(0.1, 0.9)
        first = mine[0].old if mine else person.owner
        if person.key in worked:
            at = person.created_at + (worked[person.key] - person.created_at) * when
            world.changes.append(FieldChange("person", person.key, "owner", at, QUEUE.key, first, first))
            person.modified_at = max(person.modified_at, at)
        elif mine:
            mine[0].old = QUEUE.key
        else:
            person.owner = QUEUE.key
    _in_order(world)


def _leave(world: World, truth: Truth, share: float, sellers: Sequence[str], rnd: Random) -> None:
    """Reps who leave in the last half: their open leads go to another the same day, closed ones stay theirs."""
    gone = rnd.sample(list(sellers), min(round(share * len(sellers)), len(sellers) - 1))
    heirs = [key for key in sellers if key not in gone]
    begin = min((p.created_at for p in world.people), default=world.now)
    for who in gone:
        at = begin + (world.now - begin) * rnd.uniform(0.5, 0.9)
        heir = heirs[rnd.randrange(len(heirs))]
        _hand_over(world, who, heir, at)
        for touch in (*world.touches, *truth.ahead):
            if touch.owner == who and touch.at > at:
                touch.owner = heir
    for owner in world.owners:
        owner.active = owner.key not in gone
    _in_order(world)


def _hand_over(world: World, who: str, heir: str, at: datetime) -> None:
    owned = _owner_changes(world)
    closed = {c.key for c in world.changes if c.kind == "person" and c.field == "status" and c.new in CLOSED and c.at <= at}  # fmt: skip
    for change in world.changes:
        if change.kind == "person" and change.at > at and change.by == who:
            change.by = heir
    for person in world.people:
        mine = owned[person.key]
        then = mine[0].old if mine else person.owner
        for change in mine:
            then = change.new if change.at <= at else then
        if person.created_at <= at and then == who and person.key in closed:
            continue
        if person.created_at > at and then == who and mine:
            mine[0].old = heir
        elif person.created_at <= at and then == who:
            world.changes.append(FieldChange("person", person.key, "owner", at, who, heir, "automation"))
            person.modified_at = max(person.modified_at, at)
        for change in mine:
            if change.at > at:
                change.old = heir if change.old == who else change.old
                change.new = heir if change.new == who else change.new
        person.owner = heir if person.owner == who else person.owner


def _owner_changes(world: World) -> dict[str, list[FieldChange]]:
    found: dict[str, list[FieldChange]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person" and change.field == "owner":
            found[change.key].append(change)
    return found


def _in_order(world: World) -> None:
    world.changes.sort(key=lambda change: (change.at, change.key, change.field))


# --- fates ---


def _merges(
    world: World, scenario: Scenario, pairs: Pairs, converts: Mapping[str, datetime], sellers: Sequence[str], rnd: Random
) -> list[Fate]:  # fmt: skip
    """A rep sees that two leads are one person. Converted leads can't be merged; the one that will be is kept."""
    knobs = scenario.duplicates
    born = {p.key: p.created_at for p in world.people}
    found: list[Fate] = []
    taken: set[str] = set()
    for older, newer in pairs:
        chosen, by = rnd.random() < knobs.merged, sellers[rnd.randrange(len(sellers))]
        at = born[newer] + timedelta(days=rnd.lognormvariate(math.log(knobs.days), 0.6))
        kept, lost = sorted((older, newer), key=lambda key: (converts.get(key, datetime.max.replace(tzinfo=at.tzinfo)), key))  # fmt: skip
        early = any(key in converts and converts[key] <= at for key in (kept, lost))
        if not chosen or early or converts.get(lost, world.now + timedelta(1)) <= world.now:
            continue
        if not {older, newer} & taken:
            taken |= {older, newer}
            found.append(Fate("merged", lost, at, by, kept))
    return found


def _mistakes(
    world: World, truth: Truth, scenario: Scenario, others: Iterable[str | None], converts: Mapping[str, datetime],
    sellers: Sequence[str], rnd: Random,
) -> list[Fate]:  # fmt: skip
    """Deleted, missed and restored, in days when nothing else happened to the lead."""
    busy: dict[str, list[datetime]] = defaultdict(list)
    for change in world.changes:
        busy[change.key].append(change.at)
    for touch in (*world.touches, *truth.ahead):
        busy[touch.person].append(touch.at)
    skip, found = set(others), []
    for person in world.people:
        chosen, by = rnd.random() < scenario.deletions.mistakes, sellers[rnd.randrange(len(sellers))]
        gone = person.created_at + timedelta(days=rnd.uniform(8, 60))
        back = gone + timedelta(days=rnd.uniform(0.5, 4))
        if not chosen or person.key in skip or converts.get(person.key, back + timedelta(1)) <= back:
            continue
        times = sorted(busy[person.key])
        if bisect_right(times, gone) == bisect_right(times, back):
            found += [Fate("deleted", person.key, gone, by), Fate("restored", person.key, back, by)]
    return found


def _tests(world: World, scenario: Scenario, sellers: Sequence[str], rnd: Random) -> list[Fate]:
    """Leads that the team made to try its own form."""
    found: list[Fate] = []
    begin = min((p.created_at for p in world.people), default=world.now)
    for number in range(1, round(scenario.deletions.tests * len(world.people)) + 1):
        key, at = f"X{number:04d}", begin + (world.now - begin) * rnd.random()
        (first, last), by = rnd.choice(TEST_NAMES), sellers[rnd.randrange(len(sellers))]
        fields = {"title": None, "industry": None, "employees": None, "annual_revenue": None, "country": None,
                  "source": "Web", "phone": None, "linkedin": None, "product_interest": None, "use_case": None,
                  "heard_from": None, "hand_raiser": False, "opted_out": False, "contract_term": None, "points": 4}  # fmt: skip
        mail = f"test{number}@tarnfield-example.com"
        world.strays.append(
            Person(key, first, last, mail, "Tarnfield test", None, at, at, by, "new", dict(fields))
        )
        end = at + timedelta(days=rnd.uniform(0.02, 6))
        if rnd.random() < DELETED_TESTS:
            found.append(Fate("deleted", key, end, by))
    return found
