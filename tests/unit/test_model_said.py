"""What people said moves a model by what their words have been worth, and not at all where they were worth nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.jobs.voices import NOBODY, words
from scoring.model.said import OVERRIDE, REVIEW, TAG, Heard, Said, hear, lessons
from scoring.model.train import Draft, draft
from scoring.routing.policy import Models
from tests.unit.test_model import FEATURES, world

Floats = npt.NDArray[np.float64]

BASE, SPREAD = -2.0, 0.8
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEIGHT_OF_A_GUESS = 0.1


def reviewed(n: int, seed: int, *, outcomes: bool = False) -> Said:
    """Each of four people reviews `n` leads: two who see the truth, one who repeats the score, one who guesses."""
    r = np.random.default_rng(seed)
    shown = r.normal(BASE, 1.0, 4 * n)
    true = shown + r.normal(0, np.sqrt(SPREAD), 4 * n)
    by = np.repeat(["Ada", "Bob", "echo", "guess"], n)
    seen = np.select(
        [by == "echo", by == "guess"], [shown, r.normal(BASE, 4.0, 4 * n)], true + r.normal(0, 0.3, 4 * n)
    )
    won = (r.random(4 * n) < 1 / (1 + np.exp(-true))).astype(float) if outcomes else np.full(4 * n, np.nan)
    return Said(
        pa.table({"lead_id": [f"L{i}" for i in range(4 * n)]}), np.full(4 * n, REVIEW), np.digitize(seen, [-3.2, -2.2]).astype(float),
        by, scores(shown), won, np.zeros(4 * n, dtype=bool),
    )  # fmt: skip


def scores(logit: Floats) -> Floats:
    out: Floats = 100 / (1 + np.exp(BASE - logit))
    return out


def weights(heard: Heard) -> dict[str, float]:
    return {author.name: author.weight for author in heard.authors}


@pytest.mark.parametrize("seed", range(3))
def test_who_repeats_the_score_or_guesses_weighs_next_to_nothing(seed: int) -> None:
    weight = weights(hear(reviewed(50, seed), BASE, SPREAD))
    assert max(weight["echo"], weight["guess"]) < WEIGHT_OF_A_GUESS
    assert min(weight["Ada"], weight["Bob"]) > 3 * WEIGHT_OF_A_GUESS


def test_outcomes_that_go_against_a_person_silence_them() -> None:
    said = reviewed(400, 0, outcomes=True)
    says = np.where(said.by == "Bob", 2 - said.says, said.says)
    against = replace(said, says=says)
    assert weights(hear(against, BASE, SPREAD))["Bob"] < WEIGHT_OF_A_GUESS
    unknown = replace(against, outcome=np.full(len(said), np.nan))
    assert weights(hear(unknown, BASE, SPREAD))["Ada"] > 3 * WEIGHT_OF_A_GUESS


def test_with_few_outcomes_a_person_is_taken_for_a_colleague() -> None:
    said = reviewed(100, 1, outcomes=True)
    few = replace(
        said, outcome=np.where((said.by == "Ada") & (np.arange(len(said)) > 1), np.nan, said.outcome)
    )
    share = {a.name: a.borne_out for a in hear(few, BASE, SPREAD).authors}
    assert share["Ada"] == pytest.approx(
        np.mean([share[name] for name in ("Bob", "echo", "guess")]), abs=0.25
    )


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_the_order_of_words_tells_nothing_and_no_word_is_worth_more_than_the_best(seed: int) -> None:
    said = reviewed(6, seed, outcomes=bool(seed % 2))
    order = np.random.default_rng(seed).permutation(len(said))
    mixed = Said(
        said.rows.take(pa.array(order)), said.kind[order], said.says[order], said.by[order], said.shown[order], said.outcome[order],
        said.learnt[order],
    )  # fmt: skip
    one, other = hear(said, BASE, SPREAD), hear(mixed, BASE, SPREAD)
    assert np.allclose(one.departure[order], other.departure, atol=1e-3)
    assert all(0 <= author.weight <= 1 for author in one.authors)
    assert np.isfinite(one.departure).all()
    assert (one.noise > 0).all()


@pytest.fixture(scope="module")
def taught() -> tuple[Draft, pa.Table]:
    rows, won, _ = world(600)
    return draft(rows, won, features=FEATURES, groups=np.arange(len(won))), world(40, seed=2)[0]


def tagged(rows: pa.Table, says: float, **changed: Any) -> Said:
    n = rows.num_rows
    said = Said(
        rows,
        np.full(n, TAG),
        np.full(n, says),
        np.full(n, "Ada"),
        np.full(n, 50.0),
        np.full(n, np.nan),
        np.zeros(n, bool),
    )
    return replace(said, **changed)


def chances(d: Draft, said: Said, rows: pa.Table) -> Floats:
    encoded = d.design.encode(rows)
    point = lessons(d.design, d.trained.point, said, d.base_rate).point
    return point.logit(d.design, encoded, d.design.additive(encoded))


def test_a_word_moves_leads_like_the_one_it_was_about_its_own_way(taught: tuple[Draft, pa.Table]) -> None:
    model, rows = taught
    silent = chances(model, tagged(rows.slice(0, 0), 1.0), rows)
    up, down = (chances(model, tagged(rows, says), rows) for says in (1.0, -1.0))
    assert down.mean() < silent.mean() < up.mean()
    one = tagged(rows.slice(0, 1), 1.0)
    moved = chances(model, one, rows) - silent
    assert moved[0] > 0
    assert moved[0] == pytest.approx(moved.max(), rel=0.5)


def test_where_the_outcome_is_learnt_from_it_alone_counts(taught: tuple[Draft, pa.Table]) -> None:
    model, rows = taught
    n = rows.num_rows
    known = tagged(rows, 1.0, outcome=np.ones(n), learnt=np.ones(n, dtype=bool))
    assert np.array_equal(chances(model, known, rows), chances(model, tagged(rows.slice(0, 0), 1.0), rows))


def test_a_word_beside_no_score_is_not_weighed(taught: tuple[Draft, pa.Table]) -> None:
    model, rows = taught
    n = rows.num_rows
    said = tagged(rows, 90.0, kind=np.full(n, OVERRIDE), shown=np.full(n, np.nan))
    assert np.array_equal(chances(model, said, rows), chances(model, tagged(rows.slice(0, 0), 1.0), rows))


def test_words_move_scores_and_narrow_no_range() -> None:
    rows, won, _ = world(500)
    fresh = world(60, seed=3)[0]
    groups = np.arange(len(won))
    silent = draft(rows, won, features=FEATURES, groups=groups).finish()
    model = draft(rows, won, features=FEATURES, groups=groups, said=tagged(fresh, 1.0)).finish()
    assert model.interval.familiar.factor == silent.interval.familiar.factor
    assert np.array_equal(model.point.additive.covariance, silent.point.additive.covariance)
    assert model.score(fresh).probability.mean() > silent.score(fresh).probability.mean()
    assert silent.card["people"] is None
    assert model.card["people"]["open"] == fresh.num_rows
    assert model.base_rate == silent.base_rate
    assert "Ada" not in str(model.card)


def event(kind: str, lead: str, hours: float = 0, by: str | None = "Ada", **value: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "lead_id": lead,
        "at": NOON + timedelta(hours=hours),
        "by": by,
        "score": 40.0,
        "value": value,
    }


def test_of_one_person_the_last_word_on_a_lead_counts_and_an_override_before_a_tag() -> None:
    events = [
        event("override", "L1", score=80), event("tag", "L1", 1, tag="score_seems_high"), event("override", "L1", 2, score=70),
        event("tag", "L2", tag="unexpected_fit"), event("tag", "L2", 1, tag="score_seems_high"), event("tag", "L1", by="Bob", tag="unexpected_fit"),
        event("tag", "L3", tag="unusual_buying_process"), event("form", "L3", answer="x"), event("tag", "L4", by=None, tag="unexpected_fit"),
    ]  # fmt: skip
    found = {(w.lead_id, w.by): (w.kind, w.says) for w in words(events, Models())}
    assert found == {
        ("L1", "Ada"): (OVERRIDE, 70.0), ("L1", "Bob"): (TAG, 1.0), ("L2", "Ada"): (TAG, -1.0), ("L4", NOBODY): (TAG, 1.0),
    }  # fmt: skip


def test_reviews_join_from_as_many_leads_as_the_policy_says_and_nothing_where_it_says_no() -> None:
    events = [event("review", f"L{i}", decision="route") for i in range(3)] + [
        event("tag", "L9", tag="unexpected_fit")
    ]
    assert [w.kind for w in words(events, Models(reviews_join=4))] == [TAG]
    assert len(words(events, Models(reviews_join=3))) == 4
    assert words(events, Models(reviews_join=3, people_join=False)) == []
