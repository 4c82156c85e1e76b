"""What would make us sure: the facts worth asking for, what each answer would bring, and how likely it is (S6.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model import asking, store
from scoring.model.asking import Question, questions, tilted
from scoring.model.card import Model
from scoring.model.train import train
from tests.unit.test_model import Column

FEATURES = (
    Column("log_employees", "firmographic", "number", "log(1 + people)", "Employees"),
    Column("size", "firmographic", "category", "name", "Size"),
    Column("country", "firmographic", "category", "name", "Country"),
    Column("shoe", "fact", "category", "name", "Shoe size"),
    Column("visits", "behavioural", "number", "visits", "Visits"),
    Column("reply_hours", "behavioural", "number", "hours", "Usual time to reply"),
)
COUNTRIES = ("DE", "FR", "IT", "ES")


def world(n: int = 3000, seed: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Leads of large companies come from Germany and win more often; the shoe size says nothing."""
    r = np.random.default_rng(seed)
    size = r.normal(4, 1.5, n).clip(0, 9)
    country = np.where(size > 5, "DE", r.choice(COUNTRIES, n))
    visits = r.poisson(2, n).astype(float)
    logit = -1.5 + 1.0 * (size - 4) + 0.3 * (visits - 2)
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    hidden = r.random((n, 3)) < 0.3
    return (
        pa.table(
            {
                "lead_id": [f"L{i}" for i in range(n)],
                "log_employees": pa.array(np.where(hidden[:, 0], np.nan, size), from_pandas=True),
                "size": pa.array([None if h else ("large" if s > 5 else "small") for h, s in zip(hidden[:, 0], size, strict=True)]),
                "country": pa.array([None if h else c for h, c in zip(hidden[:, 1], country, strict=True)]),
                "shoe": pa.array([None if h else str(s) for h, s in zip(hidden[:, 2], r.integers(38, 46, n), strict=True)]),
                "visits": visits,
                "reply_hours": pa.array(np.where(r.random(n) < 0.5, np.nan, 3.0 + visits), from_pandas=True),
            }
        ),
        won,
    )  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    rows, won = world()
    return train(rows, won, features=FEATURES, groups=np.arange(len(won)))


def lead(**known: Any) -> pa.Table:
    row = (
        dict.fromkeys(("log_employees", "size", "country", "shoe"), None)
        | {"visits": 2.0, "reply_hours": None}
        | known
    )
    text = ("size", "country", "shoe")
    return pa.table({k: pa.array([v], pa.string() if k in text else pa.float64()) for k, v in row.items()})


def asked(model: Model, row: pa.Table) -> list[Question]:
    return questions(model.asking, model.design, model.score, row, top=9)


def test_the_fact_that_narrows_the_range_most_is_asked_for_with_the_range_after(model: Model) -> None:
    first = asked(model, lead())[0]
    now = model.score(lead())
    assert first.label == "Employees"
    assert first.now == pytest.approx(now.high[0] - now.low[0])
    assert first.width < first.now - asking.LEAST
    assert sum(case.chance for case in first.cases) == pytest.approx(1)
    best, worst = first.cases[0], first.cases[-1]
    assert best.text.startswith("over ")
    assert worst.text.startswith("up to ")
    assert worst.score < now.score[0] < best.score, "learning it may move the score either way"
    assert all(case.low < case.score < case.high for case in first.cases)


def test_what_is_known_is_not_asked_for_nor_what_nobody_can_be_asked(model: Model) -> None:
    assert "Employees" not in {q.label for q in asked(model, lead(log_employees=4.0, size="small"))}
    assert "reply_hours" not in {name for fact in model.asking.facts for name in fact.names}
    full = lead(log_employees=4.0, size="small", country="DE", shoe="40")
    assert asked(model, full) == []


def test_fields_blank_together_are_one_question(model: Model) -> None:
    (fact,) = (fact for fact in model.asking.facts if "size" in fact.names)
    assert fact.names == ("log_employees", "size")
    assert (fact.values[1][0], fact.values[1][-1]) == ("small", "large")


def test_an_answer_is_as_likely_as_among_leads_like_this_one(model: Model) -> None:
    def large(country: str) -> float:
        (fact,) = (fact for fact in model.asking.facts if "size" in fact.names)
        design = model.design.additive(model.design.encode(lead(country=country)))[0]
        chances = fact.chances(design)
        return float(chances[[size == "large" for size in fact.values[1]]].sum())

    assert large("DE") > 0.4, "half of those from Germany are large"
    assert large("IT") < 0.1, "and none from elsewhere"


@pytest.mark.parametrize("seed", range(3))
def test_a_field_whose_values_say_nothing_is_never_proposed(seed: int) -> None:
    rows, won = world(1200, seed=100 + seed)
    found = train(rows, won, features=FEATURES, groups=np.arange(len(won)))
    for visits in (0.0, 2.0, 5.0):
        assert "Shoe size" not in {q.label for q in asked(found, lead(visits=visits))}


@settings(max_examples=25, deadline=None)
@given(
    visits=st.floats(0, 8),
    country=st.sampled_from([None, *COUNTRIES, "never seen"]),
    employees=st.one_of(st.none(), st.floats(0, 9)),
)
def test_filling_a_field_alone_earns_nothing(
    model: Model, visits: float, country: str | None, employees: float | None
) -> None:
    """The mean chance to win over the answers makes a score within NEAR points of the score now. It isn't the same to the
    point, because a blank counts as the average lead's answer, and the rest of a lead foretells a better or worse one."""
    row = lead(visits=visits, country=country, log_employees=employees)
    now = model.score(row)
    odds = model.base_rate / (1 - model.base_rate)
    for question in asked(model, row):
        mean = float(question.chances @ question.probability)
        score = 100 * mean / (mean + (1 - mean) * odds)
        assert abs(score - now.score[0]) < asking.NEAR + 0.01
        assert question.probability.min() < now.probability[0] < question.probability.max()
        assert question.chances.sum() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.001, 0.999)), min_size=2, max_size=9), st.floats(0, 1)
)
def test_chances_are_moved_no_more_than_the_mean_asks(
    answers: list[tuple[float, float]], mean: float
) -> None:
    chances, outcome = (np.array(column) for column in zip(*answers, strict=True))
    chances = chances / chances.sum()
    found = tilted(chances, outcome, mean)
    if not outcome.min() < mean < outcome.max():
        assert found is None
        return
    assert found is not None
    assert found.sum() == pytest.approx(1)
    assert found @ outcome == pytest.approx(mean, abs=1e-4)
    right = tilted(chances, outcome, float(chances @ outcome))
    assert right is None or np.allclose(right, chances, atol=1e-3)


def test_it_is_kept_in_the_models_file_without_any_lead(model: Model, tmp_path: Path) -> None:
    digest = store.save(model, tmp_path / "model.skops")
    loaded = store.load(tmp_path / "model.skops", digest)
    before, after = asked(model, lead()), asked(loaded, lead())
    assert [q.cases for q in before] == [q.cases for q in after]
    assert all(len(fact.shares) <= 40 for fact in model.asking.facts)
