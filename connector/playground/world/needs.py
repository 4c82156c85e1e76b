"""Leads who say by when they need it. When that is follows what they are (their source's usual time, slow buyers later), never what
becomes of them. Its dice are its own: a world without such dates is what it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from connector.playground.world.cast import Lead
from connector.playground.world.model import FieldChange, Person, World
from connector.playground.world.scenario import Scenario

FIELD = "needed_by"
AT_ONCE = 0.5
"""of those dates are in the form that a lead comes with; a rep hears the others within a month"""
PUT_OFF = 0.33
"""of them are put off once, after which nothing is heard of it"""
SPREAD = 0.5


def name_dates(world: World, people: Sequence[Lead], scenario: Scenario, seed: int) -> None:
    if scenario.world.named_dates == 0:
        return
    rnd = Random(f"{seed}/needs")
    over: dict[str, datetime] = {}
    for fate in world.fates:
        over[fate.key] = min(fate.at, over.get(fate.key, fate.at))
    for person, lead in zip(world.people, people, strict=True):
        person.fields[FIELD] = None
        if rnd.random() < scenario.world.named_dates:
            until = min(filter(None, (world.now, person.converted_at, over.get(person.key))))
            world.changes += _named(person, lead, scenario, rnd, until)
    world.changes.sort(key=lambda change: (change.at, change.key, change.field))


def _named(person: Person, lead: Lead, scenario: Scenario, rnd: Random, until: datetime) -> list[FieldChange]:
    """The record's date as of then, and the changes that led to it."""
    usual = scenario.channels.days[lead.source] * (scenario.returners.slower if lead.slow else 1)
    came = person.created_at
    said = came if rnd.random() < AT_ONCE else came + timedelta(days=rnd.uniform(0.5, 30))
    ahead = timedelta(days=usual * math.exp(rnd.gauss(0, SPREAD)))
    days = [(said, said + ahead)]
    if rnd.random() < PUT_OFF:
        days.append((said + ahead * rnd.random(), said + ahead * rnd.uniform(1.3, 2.5)))
    found: list[FieldChange] = []
    for at, day in days:
        if at >= until:
            break
        old, new = person.fields[FIELD], day.date().isoformat()
        person.fields[FIELD] = new
        if at > came:
            found.append(FieldChange("person", person.key, FIELD, at, old, new, person.owner))
            person.modified_at = max(person.modified_at, at)
    return found
