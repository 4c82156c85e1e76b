"""A challenger takes over only when it is no worse overall and in no budgeted segment (S4.4)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.metrics.budgets import assign
from scoring.metrics.outcomes import Outcomes, read
from scoring.metrics.release import compare
from scoring.routing.policy import Policy
from tests.unit.matured import columns, table

POLICY = Policy()


@pytest.fixture(scope="module")
def leads() -> Outcomes:
    return read(table(columns(3000)))


def louder(leads: Outcomes, mask: np.ndarray, by: float) -> Outcomes:
    """The same with probabilities that are `by` logits too high in part of the leads."""
    p = leads.probability
    logit = np.log(p / (1 - p)) + by * mask
    return replace(leads, probability=1 / (1 + np.exp(-logit)))


def test_a_model_is_no_worse_than_itself(leads: Outcomes) -> None:
    found = compare(leads, leads, POLICY)
    assert found.no_worse
    assert found.why == ""
    assert found.segments[0].segment == "all leads"
    assert found.segments[0].leads == len(leads)
    assert sum(one.leads for one in found.segments[1:]) == len(leads)


def test_worse_overall_is_refused(leads: Outcomes) -> None:
    found = compare(leads, louder(leads, np.ones(len(leads), bool), 0.6), POLICY)
    assert not found.no_worse
    assert "all leads: log loss" in found.why


def test_worse_in_one_budgeted_segment_is_refused_though_all_in_all_it_is_better(leads: Outcomes) -> None:
    named = assign(leads)
    old = louder(leads, named != "enterprise", 0.6)
    new = louder(leads, named == "enterprise", 1.2)
    found = compare(old, new, POLICY)
    overall = found.segments[0]
    assert overall.new_loss < overall.old_loss
    assert [one.segment for one in found.segments if one.worse] == ["enterprise"]


def test_winners_among_edge_cases_that_would_no_longer_reach_anybody_are_a_reason(leads: Outcomes) -> None:
    lost = (assign(leads) == "smb_inbound") & leads.edge_case
    found = compare(leads, replace(leads, reached_person=leads.reached_person & ~lost), POLICY)
    (one,) = [s for s in found.segments if s.worse and s.segment == "smb_inbound"]
    assert one.new_missed > one.old_missed
    assert "no longer reach a person" in one.why


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 999))
def test_only_leads_that_both_have_are_compared_whatever_their_order(seed: int) -> None:
    leads = read(table(columns(300)))
    r = np.random.default_rng(seed)
    some, order = r.random(300) < 0.7, r.permutation(300)
    part = leads.where(some)
    found = compare(replace(leads, **shuffled(leads, order)), part, POLICY)
    assert found.segments[0].leads == int(some.sum())
    assert found.segments[0].old_loss == pytest.approx(found.segments[0].new_loss)
    assert found.no_worse


def shuffled(leads: Outcomes, order: np.ndarray) -> dict[str, np.ndarray]:
    return {k: v[order] for k, v in vars(leads).items() if isinstance(v, np.ndarray)}


def test_without_leads_in_common_nothing_speaks_against_it(leads: Outcomes) -> None:
    other = replace(leads, lead_id=np.array([f"other {i}" for i in range(len(leads))], dtype=object))
    assert compare(leads, other, POLICY).no_worse
