"""What S8 asks for, on tables whose truth is known; empty and tiny tables are designed states."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring.errors import MissingColumn
from scoring.metrics.budgets import assign, budgets, propose
from scoring.metrics.edge_cases import edge_cases
from scoring.metrics.flags import flag_outcomes
from scoring.metrics.four import by_confidence, hand_raisers, lucky, precision_by_value, recall_by_channel
from scoring.metrics.outcomes import SCHEMA, read
from scoring.metrics.scores import quality, reliability
from scoring.routing.policy import Policy, parse
from tests.unit.matured import columns, matured, table

POLICY = Policy()


def everything(t: pa.Table) -> list[Any]:
    o = read(t)
    return [
        edge_cases(o, POLICY),
        precision_by_value(o, POLICY, 80),
        recall_by_channel(o, POLICY),
        hand_raisers(o, POLICY),
        by_confidence(o, POLICY),
        lucky(o, POLICY),
        flag_outcomes(o, POLICY),
        budgets(o, POLICY),
        propose(o, POLICY),
        reliability(o, POLICY),
        quality(o),
    ]


def numbers(value: Any) -> list[float]:
    if dataclasses.is_dataclass(value):
        return [x for f in dataclasses.fields(value) for x in numbers(getattr(value, f.name))]
    if isinstance(value, (list, tuple)):
        return [x for inner in value for x in numbers(inner)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("n", [0, 1, 2, 7, 25, 300])
def test_tables_of_any_size_give_numbers_or_a_designed_nothing(n: int) -> None:
    assert all(math.isfinite(x) for x in numbers(everything(matured(n))))
    assert all(math.isfinite(x) for x in numbers(everything(matured(n).select(SCHEMA.names))))


def test_a_table_of_losers_only_is_no_crash() -> None:
    c = columns(100)
    c["won"], c["amount"] = np.zeros(100, dtype=bool), np.full(100, np.nan)
    assert all(math.isfinite(x) for x in numbers(everything(table(c))))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumn, match="confidence"):
        read(matured(3).drop_columns(["confidence"]))


def test_edge_cases_come_with_their_money_and_with_what_others_would_miss() -> None:
    c = columns(6000)
    found = edge_cases(read(table(c)), POLICY, truth=np.asarray(c["probability"]))
    assert found.leads.low < np.mean(c["edge_case"]) < found.leads.high
    assert 0 < found.skill.low < found.skill.value
    missed = found.missed
    assert (missed.nobody, missed.everybody) == (1.0, 0.0)
    assert missed.perfect <= missed.plain.value <= missed.by_lot + 0.05
    winners = c["won"] & c["edge_case"]
    assert missed.plain.hits == int((winners & ~c["reached_person"]).sum())


def test_the_trend_of_precision_over_value_is_a_finding_only_when_it_is_there() -> None:
    c = columns(20_000)
    assert not precision_by_value(read(table(c)), POLICY, 80).falling
    big = np.asarray(c["predicted_amount"]) > 50_000
    c["won"] = np.asarray(c["won"]) & ~(big & (np.arange(20_000) % 2 == 0))
    result = precision_by_value(read(table(c)), POLICY, 80)
    assert result.falling
    assert result.bands[-1].observed.high < result.bands[-1].promised


def test_a_hand_raiser_without_a_person_sounds_the_alarm_at_the_first() -> None:
    c = columns(400)
    c["hand_raiser"] = np.arange(400) < 40
    c["reached_person"] = np.ones(400, dtype=bool)
    assert not hand_raisers(read(table(c)), POLICY).alarm
    c["reached_person"][7] = False
    assert hand_raisers(read(table(c)), POLICY).alarm


def test_every_asked_channel_is_shown_and_new_ones_join() -> None:
    c = columns(500)
    c["channel"][:50] = "agent"
    assert [r.channel for r in recall_by_channel(read(table(c)), POLICY)] == [
        "inbound",
        "outbound",
        "partner",
        "event",
        "agent",
    ]


def test_a_flag_matters_only_when_its_leads_end_otherwise_than_like_ones() -> None:
    findings = [f.finding for seed in range(5) for f in flag_outcomes(read(matured(6000, seed)), POLICY)]
    assert findings.count("proposed for removal") >= 8
    c = columns(12_000)
    new = np.array(["new:industry" in f for f in c["flags"]])
    c["won"] = np.asarray(c["won"]) | (new & (np.arange(12_000) % 5 == 0))
    by_name = {f.flag: f for f in flag_outcomes(read(table(c)), POLICY)}
    assert by_name["new:industry"].finding == "matters"


def test_a_lead_counts_in_the_first_budget_that_fits() -> None:
    c = columns(4)
    c |= {
        "hand_raiser": [True, False, False, False],
        "size_band": ["enterprise", "enterprise", "mid_market", "smb"],
        "channel": ["inbound", "outbound", "outbound", "partner"],
        "segment": ["A", "A", "A", "A"],
    }
    assert list(assign(read(table(c)))) == ["hand_raiser", "enterprise", "mid_market_outbound", "other: A"]


@pytest.mark.parametrize(
    ("winners", "misses", "state"),
    [(3, 3, "too few outcomes"), (30, 0, "ok"), (30, 2, "at risk"), (30, 12, "exceeded")],
)
def test_budgets_have_four_states(winners: int, misses: int, state: str) -> None:
    c = columns(60)
    c |= {
        "hand_raiser": np.zeros(60, dtype=bool),
        "edge_case": np.ones(60, dtype=bool),
        "size_band": ["enterprise"] * 60,
        "won": np.arange(60) < winners,
        "reached_person": np.arange(60) >= misses,
        "amount": np.full(60, 1000.0),
    }
    rows = {b.segment: b for b in budgets(read(table(c)), POLICY)}
    assert rows["enterprise"].state == state
    assert rows["enterprise"].missed.n == winners
    assert rows["smb_inbound"].state == "too few outcomes"


def test_proposed_budgets_are_stricter_for_rare_and_dear_segments() -> None:
    c = columns(6000, base=0.3)
    c["size_band"] = ["mid_market"] * 6000
    c["channel"] = ["event"] * 6000
    c["segment"] = np.where(np.arange(6000) % 20 == 0, "Rare", np.where(np.arange(6000) % 2 == 0, "A", "B"))
    c["amount"] = np.where(c["won"], np.where(c["segment"] == "Rare", 9e5, 5e3), np.nan)
    by_name = {p.segment: p for p in propose(read(table(c)), POLICY)}
    assert 0.03 <= by_name["Rare"].budget <= 0.05
    assert 0.10 <= by_name["A"].budget <= 0.15


def test_the_policy_says_how_many_outcomes_are_enough() -> None:
    o = read(matured(30))
    assert quality(o).n == 30
    assert edge_cases(o, parse({"metrics": {"outcomes": 1000}})).leads.value is None
