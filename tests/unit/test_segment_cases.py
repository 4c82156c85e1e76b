"""A segment's model stays while it earns its place, and is proposed for retirement after two trainings below (S4.2)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from connector.jobs.cases import OWN, PROPOSED, RETIRED, Case
from connector.jobs.examples import Examples
from connector.jobs.segments import measured as again
from scoring.model.compete import Held, chances
from scoring.model.segments import Segment
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy
from tests.unit.test_segments import FEATURES, Leads, leads

OLD = {
    "name": "source-partner",
    "fact": "source",
    "label": "Source",
    "values": ["partner"],
    "why": ["it was so"],
    "below": 0,
}


def examples(made: Leads) -> Examples:
    n = len(made.won)
    return Examples(
        rows=made.rows, won=made.won, weight=np.ones(n), groups=made.company.astype(str),
        amount=np.where(made.won > 0, 1000.0, np.nan), as_of=np.zeros(n), left_out={}, days=made.days,
    )  # fmt: skip


def fit(part: Examples) -> Draft:
    return draft(part.rows, part.won, features=FEATURES, groups=part.groups)


@lru_cache(maxsize=2)
def trained(turned: bool) -> tuple[Examples, Held]:
    past, fresh = examples(leads(900, 1, turned=turned)), leads(600, 2, turned=turned)
    return past, Held(fresh.rows, fresh.won, fresh.company, chances(fit(past), fresh.rows))


def measured(below: int, turned: bool = False, policy: Policy | None = None) -> Case[Segment]:
    past, held = trained(turned)
    return again(policy or Policy(), {**OLD, "below": below}, past, held, fit)


def test_one_that_saves_enough_stays_and_starts_counting_anew() -> None:
    case = measured(1, turned=True)
    assert (case.state, case.below) == (OWN, 0)
    assert case.gain is not None
    assert case.gain.saved >= 0.15
    assert 0.1 < case.share < 0.4
    assert case.revenue == 1000 * case.wins
    assert case.plain()["why"] == ["it was so"]


def test_after_two_trainings_below_its_retirement_is_proposed_with_the_gain_that_would_be_lost() -> None:
    first, second = measured(0), measured(1)
    assert (first.state, first.below) == (OWN, 1)
    assert (second.state, second.below) == (PROPOSED, 2)
    assert second.gain is not None
    assert second.gain.saved < 0.15
    assert second.draft is not None, "it scores until an admin says yes"


def test_with_the_policys_standing_yes_it_goes_at_once() -> None:
    case = measured(1, policy=Policy(standing_yes=frozenset({"retirements"})))
    assert case.state == RETIRED


def test_a_segment_without_outcomes_to_learn_from_goes() -> None:
    past, held = trained(False)
    partner = np.array([v == "partner" for v in past.rows["source"].to_pylist()])
    case = again(Policy(), OLD, past.take(~partner | (past.won == 0)), held, fit)
    assert case.state == RETIRED
    assert case.draft is None
