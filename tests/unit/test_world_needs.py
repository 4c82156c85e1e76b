"""Leads who say by when they need it: as often as the scenario says, told in time, and nothing else moves."""

from __future__ import annotations

from datetime import date

from connector.playground.world.generate import generate
from connector.playground.world.scenario import Basics, Scenario

LEADS = 600


def test_a_world_with_named_dates_is_the_same_world_with_dates() -> None:
    plain, truth = generate(LEADS, 12, 5, scenario=Scenario())
    world, same = generate(LEADS, 12, 5, scenario=Scenario(world=Basics(named_dates=0.4)))
    assert same.probability == truth.probability
    assert same.wins == truth.wins
    assert not any("needed_by" in person.fields for person in plain.people)
    told = [change for change in world.changes if change.field == "needed_by"]
    assert [change for change in world.changes if change.field != "needed_by"] == plain.changes
    named = [person for person in world.people if person.fields["needed_by"]]
    assert 0.3 < len(named) / LEADS < 0.45
    people = {person.key: person for person in world.people}
    assert any(change.old is None for change in told)  # a rep heard it later
    assert any(change.old is not None for change in told)  # put off
    for change in told:
        person = people[change.key]
        assert person.created_at < change.at < (person.converted_at or world.now) <= world.now
        assert date.fromisoformat(change.new) > change.at.date()
        assert change.old is None or change.new > change.old
    for person in named:
        mine = [change for change in told if change.key == person.key]
        assert date.fromisoformat(person.fields["needed_by"]) >= person.created_at.date()
        assert not mine or mine[-1].new == person.fields["needed_by"]
