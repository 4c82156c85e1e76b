"""Your tag did this: what people's words changed, measured and shared out (S6.1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scoring.model.influence import Held, Influence, influence
from scoring.model.said import TAG, Lessons, Said, lessons
from scoring.model.train import Draft, draft
from tests.unit.test_model import FEATURES, world


def tags(events: int, industry: str | None, says: float, seed: int, by: str) -> Said:
    """Tags on leads of an industry (None: any)."""
    rows, _, _ = world(4000, seed=seed)
    of = [industry is None or v == industry for v in rows["industry"].to_pylist()]
    some = rows.filter(pa.array(of)).slice(0, events)
    fill = np.full(events, np.nan)
    return Said(
        some,
        np.full(events, TAG),
        np.full(events, says),
        np.full(events, by),
        np.full(events, 50.0),
        fill,
        np.zeros(events, bool),
    )


def together(*parts: Said) -> Said:
    joined = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("kind", "says", "by", "shown", "outcome", "learnt")
    }
    return Said(pa.concat_tables([p.rows for p in parts]), **joined)


@pytest.fixture(scope="module")
def drafted() -> Draft:
    rows, won, _ = world(900)
    return draft(rows, won, features=FEATURES, groups=np.arange(900))


def measured(drafted: Draft, *parts: Said) -> tuple[Influence, Lessons]:
    layout, without = drafted.design, drafted.trained.point
    heard = lessons(layout, without, together(*parts), drafted.base_rate)
    test, came, _ = world(700, seed=9)
    encoded = layout.encode(test)
    held = Held(encoded, layout.additive(encoded), came, np.arange(700))
    base = float(np.log(drafted.base_rate / (1 - drafted.base_rate)))
    return influence(layout, heard, without, held, base), heard


def test_who_said_what_changed_what(drafted: Draft) -> None:
    found, heard = measured(drafted, tags(80, "mining", 1.0, 5, "Ann"), tags(40, "banking", -1.0, 6, "Bob"))
    assert (found.words, found.leads, found.shown) == (120, 700, True)
    ann, bob = found.people
    assert (ann.who, ann.words, bob.who, bob.words) == ("Ann", 80, "Bob", 40)
    assert ann.points is not None
    assert bob.points is not None
    assert ann.points > bob.points
    assert (ann.up > ann.down, bob.up < bob.down) == (True, True)
    assert any(e.feature == "industry" and e.value == "mining" and e.points > 0 for e in ann.effects)
    coef = heard.point.additive.coef - drafted.trained.point.additive.coef
    assert np.allclose(heard.steps.sum(axis=0), coef), "the persons' steps are the whole"
    assert abs(found.remainder) < found.points / 2


def test_of_a_few_words_only_their_number_is_told(drafted: Draft) -> None:
    found, _ = measured(drafted, tags(6, "mining", 1.0, 5, "Ann"), tags(3, None, -1.0, 6, "Bob"))
    assert not found.shown
    assert [(p.who, p.words, p.points) for p in found.people] == [("Ann", 6, None), ("Bob", 3, None)]


def test_words_that_count_for_nothing_move_nothing(drafted: Draft) -> None:
    learnt = replace(tags(60, "mining", 1.0, 5, "Ann"), learnt=np.ones(60, bool))
    found, heard = measured(drafted, learnt)
    assert not found.shown
    assert (found.points, found.moved, found.words) == (0.0, 0, 0)
    assert np.array_equal(heard.point.additive.coef, drafted.trained.point.additive.coef)
