"""From 300 reviewed leads on a model of edge cases competes, under the rule of a segment's model (S4.2, S4.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from connector.jobs.cases import OWN, PROPOSED, RETIRED
from connector.jobs.edges import Chosen, competed, printed, reviewed
from connector.jobs.examples import Examples
from connector.jobs.words import edge_line
from scoring.model import store
from scoring.model.card import Model
from scoring.model.compete import Held
from scoring.model.edge import Edge, EdgeCases
from scoring.model.family import Family
from scoring.model.recent import begin
from scoring.model.router import Router
from scoring.model.said import Said
from scoring.model.segments import Segment
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy
from tests.unit.test_model import Column

FIELDS = tuple(f"field_{i}" for i in range(6))
FEATURES = (
    *(Column(name, "firmographic", "number", name, name.capitalize()) for name in ("visits", "depth")),
    *(Column(name, "firmographic", "category", "name", name.capitalize()) for name in FIELDS),
)
CASES = EdgeCases(50.0)
OLD = {"name": "edge-cases", "sure": 50.0, "why": ["it was so"], "below": 0}


def leads(n: int, seed: int, turned: bool) -> Examples:
    """A third are odd: one of six fields has a value that hardly anybody has. Where it is `turned`, what speaks for the others
    speaks against them."""
    r = np.random.default_rng(seed)
    odd, x = r.random(n) < 0.35, r.normal(size=(n, 2))
    logit = np.where(odd & turned, -1, 1) * (x @ np.full(2, 2.0)) - 1
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    which = r.integers(len(FIELDS), size=n)
    columns = {}
    for i, name in enumerate(FIELDS):
        values = np.array(["p", "q", "r"], object)[r.integers(3, size=n)]
        rare = odd & (which == i)
        values[rare] = [f"rare {k}" for k in r.integers(n // 20, size=rare.sum())]
        columns[name] = values
    rows = pa.table({"lead_id": [f"L{i}" for i in range(n)], "visits": x[:, 0], "depth": x[:, 1], **columns})
    return Examples(
        rows, won, np.ones(n), np.arange(n).astype(str), np.where(won > 0, 1000.0, np.nan), np.zeros(n), {}
    )  # fmt: skip


def fit(part: Examples) -> Draft:
    return draft(part.rows, part.won, features=FEATURES, groups=part.groups, version="v")


@dataclass(frozen=True)
class Trained:
    past: Examples
    held: Held
    universal: Model


@lru_cache(maxsize=2)
def trained(turned: bool) -> Trained:
    past, fresh = leads(1200, 1, turned), leads(600, 2, turned)
    held = Held(fresh.rows, fresh.won, np.arange(600), np.zeros(600))
    return Trained(past, held, fit(past).finish())


@lru_cache(maxsize=2)
def chosen(turned: bool) -> Chosen:
    made = trained(turned)
    return competed(
        Policy(), CASES, made.past, made.held, made.universal, Router(()), None, 321, fit
    )  # fmt: skip


@pytest.fixture(scope="module")
def family() -> Family:
    universal, case = trained(True).universal, chosen(True).case
    assert case is not None
    assert case.draft is not None
    model = replace(case.draft.finish(), version="v/edge-cases")
    return Family(universal, edge=Edge.of(CASES, universal, model))


def test_where_edge_cases_follow_other_dynamics_their_model_wins() -> None:
    found = chosen(True)
    assert found.case is not None
    assert found.case.state == OWN
    assert found.gain is not None
    assert found.gain.saved > 0.15
    assert found.gain.low > 0
    assert 0.1 < found.case.share < 0.5
    assert found.case.plain()["name"] == "edge-cases"
    assert printed(found) == [
        f"of the universal model's leads, confidence below 50 % or a deviation flag: edge-cases ({found.case.leads:,} leads)"
    ]


def test_where_they_follow_those_of_all_it_never_ships_and_the_card_says_so_with_figures() -> None:
    found = chosen(False)
    assert found.case is None
    assert printed(found) == []
    told = found.plain()
    assert (told["reviews"], told["own"]) == (321, False)
    assert told["gain"]["saved"] < 0.15
    line = edge_line(told)
    assert line.startswith("Edge cases: 321 reviewed leads; a model of their own saves ")
    assert f"{told['gain']['leads']:,} leads unseen" in line
    assert line.endswith("15% are asked for, and surely more than none: none.")


def test_one_that_has_a_model_stays_or_its_retirement_is_proposed_after_two_trainings_below() -> None:
    def again(below: int, policy: Policy) -> str:
        made, old = trained(False), {**OLD, "below": below}
        found = competed(policy, CASES, made.past, made.held, made.universal, Router(()), old, 0, fit)
        assert found.case is not None
        return found.case.state

    assert again(0, Policy()) == OWN
    assert again(1, Policy()) == PROPOSED
    assert again(1, Policy(standing_yes=frozenset({"retirements"}))) == RETIRED


def test_too_few_mature_edge_cases_are_not_fitted() -> None:
    made = trained(True)
    part = made.past.take(np.arange(1200) < 300)
    found = competed(Policy(), CASES, part, made.held, made.universal, Router(()), None, 321, _never)
    assert found.case is None
    assert "too few of them are mature" in found.why


def _never(part: Examples) -> Draft:
    raise AssertionError("nothing is to be fitted")


def test_each_lead_goes_to_its_segments_model_then_edge_cases_to_theirs_and_the_rest_to_the_universal_one(
    family: Family,
) -> None:
    rows = leads(300, 5, True).rows
    edge = family.universal.unsure(rows, 50.0)
    assert 0.2 < edge.mean() < 0.8
    routed = family.route(rows)
    assert np.array_equal(routed.place == 1, edge)
    assert np.array_equal(np.array(family.scored_by(routed)) == "v/edge-cases", edge)
    scores = family.score(rows)
    at = np.flatnonzero(edge)
    assert family.edge is not None
    assert np.array_equal(scores.score[at], family.edge.model.score(rows.take(pa.array(at))).score)
    assert np.array_equal(family.logit(rows)[~edge], family.universal.logit(rows)[~edge])
    moved = family.score(rows, None, begin(family.base_rate).waited(30))
    assert (moved.width_recent > scores.width_recent).all()
    assert np.array_equal(family.route(rows).place, routed.place), (
        "recent outcomes move no lead to another model"
    )

    segment = Segment("field_0", "Field_0", ("p",))
    own = replace(family.universal, version="v/p")
    both = Family(family.universal, (own,), Router((segment,)), family.edge)
    place = both.route(rows).place
    assert np.array_equal(place == 1, segment.of(rows))
    assert np.array_equal(place == 2, edge & ~segment.of(rows))
    assert both.names == ("field-0-p", "edge-cases")
    assert both.without(["field-0-p"]).names == ("edge-cases",)
    assert both.without(["edge-cases"]).names == ("field-0-p",)


def test_a_lead_alone_is_scored_by_the_same_model_as_among_others(family: Family) -> None:
    rows = leads(60, 6, True).rows
    whole = family.route(rows).place
    assert [int(family.route(rows.slice(i, 1)).place[0]) for i in range(60)] == whole.tolist()


def test_what_deviates_is_measured_against_all_training_leads(family: Family) -> None:
    rows = leads(300, 7, True).rows
    assert family.score(rows).flags == family.universal.score(rows).flags


def test_the_family_stays_the_same_in_a_file(family: Family, tmp_path: Path) -> None:
    rows = leads(200, 8, True).rows
    digest = store.save(family, tmp_path / "family")
    again = store.load(tmp_path / "family", digest)
    assert isinstance(again, Family)
    assert again.edge is not None
    assert again.edge.cases == CASES
    assert np.array_equal(again.score(rows).score, family.score(rows).score)


def test_a_reviewed_lead_counts_once() -> None:
    rows = pa.table({"lead_id": ["a", "a", "b", "c"]})
    nothing = np.full(4, np.nan)
    kind = np.array(["review", "review", "review", "tag"])
    said = partial(Said, rows, kind, nothing, np.full(4, "x"), nothing, nothing)
    assert reviewed(said(np.zeros(4, bool))) == 2
    assert reviewed(None) == 0
