"""The report says its finding first, stands alone, and has a designed state for every lack of data."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from connector.web.report import content, render
from scoring.metrics.outcomes import SCHEMA
from scoring.routing.policy import Policy
from tests.unit.matured import columns, matured, table

CARD = {
    "data": {"leads": 9200, "wins": 1100, "base_rate": 0.1},
    "metrics": {"auc": 0.81, "log_loss": 0.3, "how": "out of fold, groups never split"},
    "features": {"used": ["title_function"], "left_out": ["linkedin"]},
}
COUNTS = {
    "reviews": {"open": 12, "overdue": 2, "completed": 240},
    "forms": {"asked": 80, "completed": 60, "abandoned": 12},
    "tags": {"unexpected_fit": 33},
    "api": {"calls": 1000, "failed": 1},
    "maturing": 400,
    "set_aside": {"the same activity twice": 1718},
}
VOID = {"meta", "br", "rect", "line", "path", "link"}


def report(t: pa.Table, mode: str = "as-of", **more: Any) -> dict[str, Any]:
    given = {
        "model_card": CARD,
        "old_card": None,
        "counts": COUNTS,
        "org": "Northwind",
        "currency": "USD",
    } | more
    return content(t, Policy(), mode=mode, made_at=datetime(2026, 3, 2, 9, tzinfo=UTC), **given)  # type: ignore[arg-type]


def sections(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {s["key"]: s for s in made["sections"]}


class Balanced(HTMLParser):
    """Fails where a tag is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("n", [0, 1, 30, 400, 3000])
@pytest.mark.parametrize("bare", [False, True])
def test_any_number_of_outcomes_makes_a_sound_page(n: int, bare: bool) -> None:
    t = matured(n).select(SCHEMA.names) if bare else matured(n)
    made = report(t) if not bare else report(t, model_card={}, counts={})
    json.dumps(made, allow_nan=False)
    page = render(made)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids)) >= 16
    assert not re.search(r"\bnan\b|\bNone\b|undefined", re.sub(r"<style>.*?</style>", "", page, flags=re.S))


def test_rows_that_were_set_aside_stand_there_with_their_reason() -> None:
    facts = dict(sections(report(matured(30)))["data"]["facts"])
    assert facts["Set aside: the same activity twice"] == "1,718\u00a0rows"


def test_the_card_tells_unseen_leads_first_and_a_gap_to_the_training_leads() -> None:
    c = columns(3000)
    c["probability"] = np.random.default_rng(1).uniform(0.02, 0.6, 3000)
    made = sections(report(table(c), old_card=CARD))["model"]
    names = [name for name, _ in made["facts"]]
    assert names[0] == "Ranking (AUC), later, unseen leads"
    assert names.index(names[0]) < names.index("Ranking (AUC), on its own training leads, out of fold")
    worse, gap = made["say"]
    assert worse.startswith("This model is worse than saying the base rate (10.0%) to every lead")
    assert gap.startswith("It ranks later, unseen leads worse (AUC 0.")
    assert "own training leads, out of fold (AUC 0.810), by more than chance" in gap


def test_a_gap_that_chance_can_make_is_not_told() -> None:
    t = matured(3000)
    there = sections(report(t))["reliability"]["facts"]
    same = float(dict(there)["Ranks a winner above a loser"].split("\u00a0")[0]) / 100
    card = CARD | {"metrics": {"auc": same + 0.01}}
    assert sections(report(t, model_card=card))["model"]["say"] == []


def test_before_and_now_say_on_which_leads() -> None:
    old = CARD | {"backtest": {"n": 300, "auc": 0.61, "log_loss": 0.4, "ece": 0.03}}
    new = CARD | {"backtest": {"n": 300, "auc": 0.55, "log_loss": 0.41, "ece": 0.04}}
    facts = sections(report(matured(3000), model_card=new, old_card=old))["old-and-new"]["facts"]
    assert facts[0] == ["Ranking (AUC), later, unseen leads", "0.610 before, 0.550 now"]
    assert ["Ranking (AUC), on its own training leads, out of fold", "0.810 before, 0.810 now"] in facts


CHECKS = {
    "leakage": {
        "as_of": True, "leads": 900, "wins": 80,
        "findings": [{"what": "grade_final", "label": "Final grade", "kind": "is filled afterwards", "said": "Filled on 90 % of won leads.",
                      "as_of_auc": 0.5, "kept_out": True, "mend": "", "figures": {"auc": 0.99}}],
        "ranked": [{"what": "title", "label": "Title", "today": 0.71, "as_of": 0.66, "blank": 0.1, "blanks_alone": 0.5, "why": "not better than data can"}],
        "barred_fields": ["grade_final"], "barred_features": ["fact_go_live_plan"], "barred_activities": ["closing_call"],
    },
    "completeness": {
        "blanks_alone_auc": 0.6, "limit": {"median": 1.0, "p99": 3.0}, "strict": False, "fits": 2, "passed": True, "hidden_from_trees": [],
        "facts": [], "left_out": [{"names": ["linkedin"], "label": "LinkedIn", "blank": 0.4, "median": 2.0, "p99": 4.0, "filled": 1.4}],
    },
    "doubtful": [{"why": "ended in one minute", "leads": 40, "won": 3, "at": None, "ids": []}],
}  # fmt: skip


def test_the_card_says_its_checks_and_features_in_words() -> None:
    card = CARD | {
        "checks": CHECKS,
        "features": {"used": ["title_function"], "left_out": ["pages_per_session_30d", "fact_go_live_plan"]},
        "labels": {"fact_go_live_plan": "Plan to go live"},
    }
    made = report(matured(3000), model_card=card)
    facts = dict(sections(made)["model"]["facts"])
    assert facts["Features left out"] == "Pages per visit; Plan to go live"
    assert facts["Check: leaks"].endswith(
        "Left out of the model for it: Final grade; Plan to go live; closing call."
    )
    assert facts["Check: filled fields"].endswith("linkedin left the model for it")
    assert facts["Check: outcomes that look wrong"] == "40\u00a0leads, 3 of them won: ended in one minute"
    assert [line[0] for line in sections(made)["leaks"]["table"]["rows"]] == ["Final grade", "Title"]
    assert not re.search(r"\{'|\[\{|_", str([*facts, *facts.values()]))


def test_the_page_needs_nothing_from_outside() -> None:
    page = render(report(matured(3000)))
    assert not re.search(r"""(src|href)=["'](?!\#)|url\(|@import|<script|https?://""", page)


def test_edge_cases_come_first_with_their_share_of_money() -> None:
    made = report(matured(3000))
    assert made["sections"][0]["key"] == "edge-cases"
    assert [r["label"] for r in made["sections"][0]["charts"][0]["rows"]] == [
        "Of leads",
        "Of predicted value",
        "Of winners",
        "Of won revenue",
    ]
    assert "of your revenue" in made["headline"]
    rows = sections(made)["missed"]["charts"][0]["rows"]
    assert {"Nobody called", "Everybody called"} < {r["label"] for r in rows}


def test_too_little_data_is_a_state_with_a_next_step() -> None:
    made = report(matured(3), counts={}, model_card={})
    assert made["headline"].startswith("Too early to say: not enough outcomes yet (3 of 20 needed)")
    assert sections(made)["model"]["empty"] == "Run candor train."
    assert "not enough outcomes yet (3 of 20 needed)" in sections(made)["edge-cases"]["empty"]


def test_snapshot_mode_is_stamped() -> None:
    assert 'class="stamp"' not in render(report(matured(50)))
    made = report(matured(50), mode="snapshot")
    assert "Not as-of" in render(made)
    assert ["Leads were built", "not as-of"] in sections(made)["data"]["facts"]


def test_an_exceeded_budget_and_a_missed_hand_raiser_are_said_in_words() -> None:
    c = columns(2000)
    c["reached_person"] = np.zeros(2000, dtype=bool)
    made = report(table(c))
    assert "missed more winners than their budget allows" in sections(made)["budgets"]["finding"]
    assert "reached no person" in sections(made)["hand-raisers"]["finding"]
    assert "■ over budget" in render(made)


def test_the_old_model_is_compared_on_the_same_edge_cases() -> None:
    t = matured(4000)
    worse = t.append_column("old_probability", pa.array(np.full(4000, 0.3)))
    made = report(worse, old_card=CARD)
    assert "less wrong than the old one" in sections(made)["old-and-new"]["finding"]
    assert sections(report(t))["old-and-new"]["finding"] == "This is the first model"


def test_what_people_and_calls_did_is_counted() -> None:
    made = report(matured(3000))
    assert "2 reviews overdue".replace(" ", "\N{NO-BREAK SPACE}", 1) in sections(made)["people"]["finding"]
    assert "75" in sections(made)["people"]["say"][0]
    assert "99.9" in sections(made)["data"]["finding"]


def test_values_from_the_crm_are_escaped() -> None:
    c = columns(3000)
    c["channel"] = np.array(["<script>alert(1)</script>"] * 3000)
    assert "<script" not in render(report(table(c), org="<b>Org</b>"))
