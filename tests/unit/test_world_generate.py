"""The generated world: the same from the same seed, true to its own formula, and silent about the truth."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from connector.playground.world.formula import EFFECTS
from connector.playground.world.generate import BLANK, NOW, generate
from connector.playground.world.model import Truth, World
from connector.playground.world.truth import read_truth, write_truth


@pytest.fixture(scope="module")
def made() -> tuple[World, Truth]:
    return generate(leads=1500, months=18, seed=3)


def test_same_seed_same_world_also_in_another_process() -> None:
    code = (
        "import hashlib; from connector.playground.world.generate import generate;"
        "print(hashlib.sha256(repr(generate(120, 6, 5)).encode()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = hashlib.sha256(repr(generate(120, 6, 5)).encode()).hexdigest()
    assert there.stdout.strip() == here
    assert hashlib.sha256(repr(generate(120, 6, 6)).encode()).hexdigest() != here


def test_probability_is_the_documented_formula(made: tuple[World, Truth]) -> None:
    _, truth = made
    p = np.array(list(truth.probability.values()))
    linear = np.array(list(truth.rows.values())) @ np.array(list(EFFECTS.values()))
    intercept = np.log(p / (1 - p)) - linear
    assert np.ptp(intercept) < 1e-9
    assert abs(p.mean() - 0.10) < 1e-6
    assert truth.design == list(EFFECTS)


def test_outcomes_are_drawn_from_the_truth() -> None:
    """Rates of deciles of p lie where chance puts them (colleagues decide alike: a wider margin)."""
    _, truth = generate(leads=4000, seed=11)
    p = np.array(list(truth.probability.values()))
    won = np.array([key in truth.wins for key in truth.probability])
    for part in np.array_split(np.argsort(p), 10):
        error = np.sqrt((p[part] * (1 - p[part])).sum()) / len(part)
        assert abs(won[part].mean() - p[part].mean()) < 4.5 * error


def test_wins_come_within_the_horizon_and_show_in_the_org(made: tuple[World, Truth]) -> None:
    world, truth = made
    for key, at in truth.wins.items():
        assert timedelta(0) < at - truth.scored_at[key] <= timedelta(days=truth.horizon_days)
    on_won_deals = {key for deal in world.deals if deal.stage == "won" for key in deal.people}
    assert on_won_deals == {key for key, at in truth.wins.items() if at <= world.now}
    people = {person.key: person for person in world.people}
    for deal in world.deals:
        for key in deal.people:
            assert people[key].deal == deal.key
            assert people[key].status == "converted"


def test_nothing_in_the_org_is_later_than_now(made: tuple[World, Truth]) -> None:
    world, truth = made
    assert world.now == NOW
    assert max(touch.at for touch in world.touches) <= NOW < min(touch.at for touch in truth.ahead)
    assert max(change.at for change in world.changes) <= NOW
    assert max(person.modified_at for person in world.people) <= NOW
    born = {person.key: person.created_at for person in world.people}
    assert all(touch.at >= born[touch.person] for touch in world.touches)


def test_history_leads_to_the_record_of_today(made: tuple[World, Truth]) -> None:
    world, _ = made
    state: dict[tuple[str, str], object] = {}
    for change in world.changes:
        if change.kind == "person":
            assert state.get((change.key, change.field), change.old) == change.old
            state[change.key, change.field] = change.new
    people = {person.key: person for person in world.people}
    for (key, name), value in state.items():
        person = people[key]
        today = getattr(person, name) if name in ("status", "owner") else person.fields[name]
        assert today == value


def test_blanks_and_hygiene_that_follows_the_deal(made: tuple[World, Truth]) -> None:
    world, truth = made
    filled = Counter(c.key for c in world.changes if c.old is None and c.field in BLANK)
    won = [key for key, at in truth.wins.items() if at <= world.now]
    lost = [person.key for person in world.people if person.key not in truth.wins]
    assert np.mean([filled[key] for key in won]) > 3 * np.mean([filled[key] for key in lost])
    for name in BLANK:
        blank = sum(person.fields[name] is None for person in world.people) / len(world.people)
        late = sum(change.field == name for change in world.changes) / len(world.people)
        assert 0.10 < blank + late < 0.45


def test_touches_are_bursty_heavy_tailed_and_partly_machines(made: tuple[World, Truth]) -> None:
    world, _ = made
    counts = np.array(list(Counter(touch.person for touch in world.touches).values()))
    assert 9 < len(world.touches) / len(world.people) < 15
    assert counts.max() > 5 * np.median(counts)
    machine = [touch for touch in world.touches if touch.actor == "machine"]
    assert {touch.kind for touch in machine} == {"email_opened", "email_clicked"}
    views = {(t.detail["session"], t.person) for t in world.touches if t.kind == "page_view"}
    shared = Counter(session for session, _ in views)
    assert max(shared.values()) >= 2


def test_the_data_is_suspect_in_the_ways_that_real_data_is(made: tuple[World, Truth]) -> None:
    """One person as two leads, and a clear-out that closes many at once (SPEC S1.6)."""
    world, _ = made
    people = Counter((p.first_name, p.last_name, p.company) for p in world.people)
    assert sum(count > 1 for count in people.values()) >= 5
    by_machine = [c for c in world.changes if c.by == "automation" and c.new == "disqualified"]
    assert len(by_machine) > 30
    assert by_machine[-1].at - by_machine[0].at < timedelta(minutes=1)


def test_truth_has_a_file_of_its_own(made: tuple[World, Truth], tmp_path: Path) -> None:
    _, truth = made
    for name in ("truth.json", "truth.json.gz"):
        write_truth(tmp_path / name, truth)
        assert read_truth(tmp_path / name) == truth
