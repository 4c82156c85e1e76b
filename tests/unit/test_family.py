"""Each lead is scored by one model of a family: hard facts say which, a small tree where they don't (S4.3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.model import store
from scoring.model.card import Model
from scoring.model.family import Family, routing_error
from scoring.model.router import RULES, Router, learn
from scoring.model.segments import Segment
from scoring.model.train import train
from tests.unit.test_model import FEATURES, world

WEB = Segment("source", "Source", ("web",))
MINING = Segment("industry", "Industry", ("mining",))


@pytest.fixture(scope="module")
def family() -> Family:
    rows, won, _ = world(700)
    plain = train(rows, won, features=FEATURES, groups=np.arange(len(won)), version="v")
    return Family(
        plain, (shifted(plain, "v/web", 1.0), shifted(plain, "v/mining", -2.0)), Router((WEB, MINING))
    )


def shifted(model: Model, version: str, by: float) -> Model:
    return replace(model, version=version, point=replace(model.point, offset=model.point.offset + by))


def test_every_row_is_scored_by_the_model_of_its_segment_in_its_own_place(family: Family) -> None:
    rows = world(300, seed=3)[0]
    routed = family.router.route(rows)
    scores = family.score(rows, routed)
    assert set(routed.place) == {0, 1, 2}
    for place, model in enumerate(family.models):
        at = np.flatnonzero(routed.place == place)
        alone = model.score(rows.take(pa.array(at)))
        assert np.array_equal(scores.score[at], alone.score)
        assert [scores.reasons[i] for i in at] == alone.reasons
        assert [scores.flags[i] for i in at] == alone.flags
    assert family.scored_by(routed)[0] in {"v", "v/web", "v/mining"}
    assert len(scores) == 300
    assert len(family.score(rows.slice(0, 1))) == 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 250), st.integers(1, 50))
def test_a_leads_scores_are_the_same_bit_for_bit_whichever_leads_come_with_it(
    family: Family, start: int, n: int
) -> None:
    rows = world(300, seed=7)[0]
    whole, part = family.score(rows), family.score(rows.slice(start, n))
    for name in ("probability", "score", "low", "high", "confidence", "evidence", "expected_amount"):
        assert np.array_equal(getattr(whole, name)[start : start + n], getattr(part, name), equal_nan=True)
    assert whole.reasons[start : start + n] == part.reasons


def test_a_family_stays_the_same_in_a_file(family: Family, tmp_path: Path) -> None:
    rows = world(200, seed=4)[0]
    digest = store.save(family, tmp_path / "family")
    again = store.load(tmp_path / "family", digest)
    assert isinstance(again, Family)
    assert again.router == family.router
    assert np.array_equal(again.score(rows).score, family.score(rows).score)


def test_leads_of_a_segment_that_is_gone_go_back_to_the_universal_model(family: Family) -> None:
    rows = world(200, seed=5)[0]
    without = family.without(["source-web"])
    assert without.router.segments == (MINING,)
    web = WEB.of(rows) & ~MINING.of(rows)
    assert np.array_equal(without.score(rows).score[web], family.universal.score(rows).score[web])
    assert family.without([]) is family
    assert family.without(["source-web", "industry-mining"]).members == ()


def leads(n: int, seed: int) -> pa.Table:
    """Web leads are small and visit often; for a fifth the source isn't known."""
    r = np.random.default_rng(seed)
    web = r.random(n) < 0.4
    source = np.where(r.random(n) < 0.2, None, np.where(web, "web", "list"))
    return pa.table(
        {
            "lead_id": [f"L{i}" for i in range(n)], "source": pa.array(list(source), pa.string()),
            "log_employees": np.where(web, 2.0, 6.0) + r.normal(size=n), "visits": np.where(web, 5.0, 1.0) + r.normal(size=n),
            "reply_hours": pa.array(np.where(r.random(n) < 0.5, np.nan, r.normal(size=n)), from_pandas=True),
            "industry": pa.array(r.choice(["software", "mining"], n)), "web": web,
        }
    )  # fmt: skip


def test_where_the_fact_is_blank_a_printable_tree_picks_the_model_whose_leads_this_one_is_like() -> None:
    rows = leads(800, 1)
    router = learn((WEB,), rows, FEATURES, np.ones(800))
    assert 1 < len(router.rules) <= RULES
    fresh = leads(800, 2)
    routed = router.route(fresh)
    known = np.array([v is not None for v in fresh["source"].to_pylist()])
    truth = fresh["web"].to_numpy(zero_copy_only=False)
    assert np.array_equal(routed.by_facts, known)
    assert np.array_equal(routed.place[known] == 1, truth[known])
    assert (routed.place[~known] == truth[~known]).mean() > 0.95
    printed = router.printed(["universal", "web"])
    assert any("Visits" in line or "Employees" in line for line in printed)
    assert all(" right)" in line for line in printed)
    assert not any("Source" in line for line in printed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500))
def test_exactly_one_rule_holds_for_each_lead(seed: int) -> None:
    router = learn((WEB,), leads(300, seed), FEATURES, np.ones(300), seed)
    fresh = leads(200, seed + 1)
    assert (np.sum([rule.of(fresh) for rule in router.rules], axis=0) == 1).all()


def test_a_lead_of_two_segments_is_no_case_for_facts_alone() -> None:
    rows = pa.table({"source": ["web", "web", "list"], "industry": ["mining", "software", "mining"]})
    routed = Router((WEB, MINING)).route(rows)
    assert routed.by_facts.tolist() == [False, True, True]
    assert routed.place.tolist() == [1, 1, 2]


def test_what_routing_costs_is_measured_with_the_deciding_facts_hidden(family: Family) -> None:
    rows, won, _ = world(600, seed=6)
    router = learn((WEB, MINING), rows, FEATURES, np.ones(600))
    says = [lambda r, m=m: m.score(r).probability for m in family.models]
    found = routing_error(router, says, rows, won)
    assert found["by_facts"] == router.route(rows).by_facts.mean()
    assert 0 < (found["misrouted"] or 0) < 1
    assert found["extra_log_loss"] != 0
    hidden = router.hidden(rows)
    assert hidden["source"].null_count == hidden["industry"].null_count == 600
    same = routing_error(router, says[:1] * 3, rows, won)
    assert same["extra_log_loss"] == 0, "models that say the same: a wrong one costs nothing"
    alone = routing_error(Router(()), says[:1], rows, won)
    assert (alone["by_facts"], alone["misrouted"]) == (1.0, None)
