"""Why two models score the same lead differently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scoring.model.between import RECENT, difference
from scoring.model.card import Model
from scoring.model.reasons import LATELY, RESTS, SMALLER
from scoring.model.train import train
from tests.unit.test_model import FEATURES, one

N = 1200


def _model(mining: float) -> Model:
    """A model of a world in which mining adds so much to the logit, and nothing else differs."""
    random = np.random.default_rng(3)
    industry, visits = random.choice(["mining", "retail", "banking"], N), random.poisson(2, N).astype(float)
    logit = -1.5 + 0.5 * (visits - 2) + mining * (industry == "mining")
    won = (random.random(N) < 1 / (1 + np.exp(-logit))).astype(float)
    used = [column for column in FEATURES if column.name in ("industry", "visits")]
    rows = pa.table({"industry": industry, "visits": visits})
    return train(rows, won, features=used, groups=np.arange(N), base_rate=0.25)


@pytest.fixture(scope="module")
def models() -> tuple[Model, Model]:
    return _model(-1.0), _model(1.5)


def test_the_side_that_the_models_see_otherwise_is_named_and_not_the_strongest_reason(
    models: tuple[Model, Model],
) -> None:
    old, new = models
    lead = one(industry="mining", visits=9.0)
    assert new.score(lead).reasons[0][0].feature == "visits"
    up, down = (
        difference((old, None, lead), (new, None, lead)),
        difference((new, None, lead), (old, None, lead)),
    )
    assert up.feature == down.feature == "industry"
    assert up.points == down.points[::-1]
    assert up.points[0] < 0 < up.points[1]
    assert up.sentence == f"industry: mining: {up.points[0]:+.0f} → {up.points[1]:+.0f} points"


def test_where_only_recent_outcomes_differ_they_are_the_cause(models: tuple[Model, Model]) -> None:
    old, _ = models
    lead = one(industry="retail", visits=4.0)
    begun = old.begin()
    low = replace(begun, means=begun.means + np.array([-0.8, 0.0]))
    found = difference((old, begun, lead), (replace(old, version="again"), low, lead))
    assert (found.text, found.feature) == (RECENT, "recent_outcomes")
    assert found.points[1] < found.points[0] - 5


def test_what_may_be_chance_in_recent_outcomes_is_in_the_remainder_as_among_the_reasons(
    models: tuple[Model, Model],
) -> None:
    old, _ = models
    lead = one(industry="retail", visits=4.0)
    begun = old.begin()
    usual = np.sqrt(begun.line[1][0, 0])  # one standard deviation of the offset
    little = replace(begun, means=begun.means - np.array([usual, 0.0]))
    assert old.score(lead, little).score[0] < old.score(lead, begun).score[0] - 1
    assert LATELY not in {reason.feature for reason in old.score(lead, little).reasons[0]}
    found = difference((old, begun, lead), (replace(old, version="again"), little, lead))
    assert (found.text, found.feature) == (RESTS[SMALLER], SMALLER)
    assert found.points[1] < found.points[0] - 1
