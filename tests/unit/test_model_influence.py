"""Your tag did this: what people's words changed, measured and shared out (S6.1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scoring.model import influence as module
from scoring.model.influence import Held, Influence, influence
from scoring.model.train import draft, prepared
from tests.unit.test_model import FEATURES, world

LEADS = 900


def words(
    events: int, industry: str | None, says: float, seed: int
) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Rows of leads of an industry (None: any), part won and part lost, with their weights."""
    rows, _, _ = world(4000, seed=seed)
    of = (
        np.ones(4000, bool)
        if industry is None
        else np.array([v == industry for v in rows["industry"].to_pylist()])
    )
    some = np.flatnonzero(of)[:events]
    twice = rows.take(pa.array(np.concatenate([some, some])))
    ids = pa.array([f"W{seed}-{i}" for i in np.concatenate([some, some])], pa.string())
    won = np.concatenate([np.ones(events), np.zeros(events)])
    return (
        twice.set_column(0, "lead_id", ids),
        won,
        np.concatenate([np.full(events, 2 * says), np.full(events, 2 * (1 - says))]),
    )


def measured(ann: int, bob: int, weight: float = 1.0) -> tuple[Influence, dict[str, np.ndarray]]:
    """Ann says that mining leads are good; Bob says 'a typical lead' of any."""
    rows, won, _ = world(LEADS)
    said = [words(ann, "mining", 0.9, 5), words(bob, None, float(won.mean()), 6)]
    table = pa.concat_tables([rows, *(part[0] for part in said)])
    outcome = np.concatenate([won, *(part[1] for part in said)])
    weights = np.concatenate([np.ones(LEADS), *(weight * part[2] for part in said)])
    marks = np.concatenate([np.zeros(LEADS, bool), np.ones(2 * (ann + bob), bool)])
    who = [""] * LEADS + ["Ann"] * (2 * ann) + ["Bob"] * (2 * bob)
    groups = table["lead_id"].to_pylist()
    found = draft(table, outcome, features=FEATURES, groups=groups, weight=weights)
    point = replace(found.point, trees=(), share=0.0)
    layout = found.design
    test, came, _ = world(700, seed=9)
    encoded = layout.encode(test)
    held = Held(encoded, layout.additive(encoded), came, np.arange(700))
    sample = prepared(layout, table, outcome, groups=groups, weight=weights)
    base = float(np.log(0.2 / 0.8))
    names = np.array(who)
    steps = module._steps(
        layout,
        sample,
        point,
        {"Ann": marks & (names == "Ann"), "Bob": marks & (names == "Bob"), "all": marks},
    )
    return influence(layout, sample, marks, who, point, held, base, 0), steps


@pytest.fixture(scope="module")
def both() -> tuple[Influence, dict[str, np.ndarray]]:
    return measured(ann=80, bob=40)


def test_who_said_what_changed_what(both: tuple[Influence, dict[str, np.ndarray]]) -> None:
    found, _ = both
    assert (found.events, found.leads, found.shown) == (120, 700, True)
    ann, bob = found.people
    assert (ann.who, ann.events, bob.who, bob.events) == ("Ann", 80, "Bob", 40)
    assert ann.points is not None
    assert bob.points is not None
    assert ann.points > 2 * bob.points
    assert ann.effects[0].feature == "industry"
    assert ann.effects[0].value == "mining"
    assert ann.effects[0].points > 0


def test_the_steps_add_up(both: tuple[Influence, dict[str, np.ndarray]]) -> None:
    found, steps = both
    assert np.allclose(steps["Ann"] + steps["Bob"], steps["all"])
    assert found.remainder is not None
    assert found.points is not None
    assert abs(found.remainder) < max(found.points / 2, 1.0), "and are most of what was measured"


def test_of_a_few_words_only_their_number_is_told() -> None:
    found, _ = measured(ann=6, bob=3)
    assert found.points is None
    assert not found.shown
    assert [(p.who, p.events, p.points) for p in found.people] == [("Ann", 6, None), ("Bob", 3, None)]


def test_words_that_move_no_more_than_chance_are_not_shown() -> None:
    found, _ = measured(ann=0, bob=60, weight=0.005)
    assert found.placebo is not None
    assert not found.shown
    assert [person.points for person in found.people] == [None]
