"""The simulated reps: attention follows the score, what they say follows the truth, and the clock is the org's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.playground.org import Org
from connector.playground.world.generate import generate
from connector.playground.world.model import Truth
from connector.playground.world.rep import true_score
from connector.playground.world.reps import DAY_MS, react
from connector.playground.world.scenario import Reps
from crm_schema.choices import DECISIONS, QUESTIONS, REASONS
from tests.world_desk import PlainDesk, plain_org

Team = tuple[PlainDesk, Org, Truth]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    yield from _team(tmp_path)


def _team(folder: Path) -> Iterator[Team]:
    org = Org(folder / "org.sqlite")
    world, truth = generate(leads=300, months=6, seed=2)
    yield plain_org(org, world), org, truth
    org.close()


def _write_all(desk: PlainDesk, values: Any) -> None:
    for lead in desk.leads(limit=1000):
        desk.org.update("lead", lead.id, values(lead), by="candor")


def _by_reps(org: Org, since: int = 0) -> list[dict[str, Any]]:
    return [entry for entry in org.write_log(since) if entry["by"] != "candor"]


def test_the_same_seed_lives_the_same_days(tmp_path: Path) -> None:
    logs = []
    for n, seed in enumerate((5, 5, 6)):
        (tmp_path / str(n)).mkdir()
        for desk, org, truth in _team(tmp_path / str(n)):
            start = org.now()
            counts = react(desk, org, truth, 2.5, seed)
            assert counts["looks"] > 0
            assert org.now() == start + 2.5 * DAY_MS
            logs.append(org.write_log())
    assert logs[0] == logs[1] != logs[2]


def test_attention_follows_score_and_route(team: Team) -> None:
    desk, org, _ = team
    high = {lead.id for n, lead in enumerate(desk.leads(limit=1000)) if n % 4 == 0}
    _write_all(desk, lambda lead: (
        {"candor_score": 85, "candor_route": "person_ae"} if lead.id in high
        else {"candor_score": 20, "candor_route": "nurture"}
    ))  # fmt: skip
    mark = org.write_log()[-1]["seq"]
    react(desk, org, None, 1, seed=1)
    touched = Counter(e["data"]["person"] in high for e in _by_reps(org, mark) if e["obj"] == "activity")
    assert touched[True] > 5 * touched[False]


def test_nobody_contacts_a_lead_that_is_held_or_opted_out(team: Team) -> None:
    desk, org, _ = team
    _write_all(desk, lambda lead: {"opted_out": True} if lead.id < "l-L00200" else {"candor_route": "held"})
    mark = org.write_log()[-1]["seq"]
    react(desk, org, None, 3, seed=1)
    assert _by_reps(org, mark) == []


def test_tags_and_overrides_say_where_score_and_truth_part(team: Team) -> None:
    desk, org, truth = team
    _write_all(desk, lambda lead: {
        "candor_score": 90 if true_score(truth.probability[lead.key]) < 50 else 10, "candor_route": "person_sdr",
    })  # fmt: skip
    mark = org.write_log()[-1]["seq"]
    counts = react(desk, org, truth, 6, seed=3)
    assert counts["tags"] > 10
    assert counts["overrides"] > 3
    agree: Counter[str] = Counter()
    for entry in _by_reps(org, mark):
        lead = desk.view("lead", entry["id"]) if entry["obj"] == "lead" else None
        if lead is None or lead.key is None:
            continue
        good = true_score(truth.probability[lead.key]) >= 50
        for tag in entry["data"].get("candor_tags", ()):
            agree[f"{tag} {good}"] += 1
        if (given := entry["data"].get("candor_override_score")) is not None:
            assert 0 <= given <= 100
            assert entry["data"]["candor_override_reason"]
            agree[f"{'up' if given > 50 else 'down'} {good}"] += 1
    assert agree["score_seems_high False"] > 3 * agree["score_seems_high True"]
    assert agree["unexpected_fit True"] > 3 * agree["unexpected_fit False"]
    assert agree["down False"] > agree["down True"]


def test_reviews_are_decided_with_a_reason_and_hasty_ones_refused(team: Team) -> None:
    desk, org, truth = team
    for n, lead in enumerate(desk.leads(limit=80)):
        org.create("review", f"r{n}", {"_key": None, "_name": f"CR-{n}", "candor_lead": lead.id,
                                       "candor_status": "open", "candor_due": f"2026-07-{n % 28 + 1:02d}"}, by="candor")  # fmt: skip
    counts = react(desk, org, truth, 3, seed=4)
    done = [case for case in desk.reviews(open_only=False) if case.values["candor_status"] == "completed"]
    assert len(done) == counts["reviews"]
    assert 30 <= counts["reviews"] <= 60
    assert counts["refused"] >= 1
    assert {case.values["candor_decision"] for case in done} <= {choice.value for choice in DECISIONS}
    assert {case.values["candor_reason"] for case in done} <= {choice.value for choice in REASONS}


def test_a_form_that_is_due_is_answered_once_by_most(team: Team) -> None:
    desk, org, truth = team
    _write_all(desk, lambda lead: {"candor_feedback_due": "high_but_dark", "candor_score": 85})
    mark = org.write_log()[-1]["seq"]
    counts = react(desk, org, truth, 5, seed=5)
    answers = [e for e in _by_reps(org, mark) if "candor_feedback_1" in e["data"]]
    assert len(answers) == counts["forms"] + counts.get("abandoned", 0)
    assert len({e["id"] for e in answers}) == len(answers)
    assert counts["forms"] > len(answers) / 2
    allowed = {
        f"candor_feedback_{n}": {o.value for o in options} for n, (_, _, options) in enumerate(QUESTIONS, 1)
    }
    assert all(value in allowed[name] for e in answers for name, value in e["data"].items())


def test_what_the_truth_holds_comes_to_pass(team: Team) -> None:
    desk, org, truth = team
    end = org.now() + 30 * DAY_MS
    before = {key for key, at in truth.wins.items() if org.now() < at.timestamp() * 1000 <= end}
    counts = react(desk, org, truth, 30, seed=6)
    won = [deal for deal in desk.deals() if deal.values["stage"] == "won"]
    assert before
    assert counts["won"] == len(before)
    assert counts["touches"] == sum(touch.at.timestamp() * 1000 <= end for touch in truth.ahead)
    answered = [d for d in won if d.values.get("candor_outcome_as_expected")]
    assert {d.values["candor_outcome_as_expected"] for d in answered} <= {"yes", "no"}
    assert answered


QUIET = {"hours": 0.0, "review_hours": 0.0, "forms_left": 1.0}


@pytest.mark.parametrize(
    ("said", "none", "some"),
    [
        (QUIET, ("looks", "forms", "reviews"), ("forms left",)),
        ({"hours": 1.0, "review_hours": 0.5}, (), ("looks", "reviews")),
        ({"honesty": 0.0}, ("overrides",), ("looks",)),
        ({"much": 100.0}, ("overrides",), ("looks",)),
        ({"forms_left": 0.0, "forms_abandoned": 1.0}, ("forms", "forms left"), ("abandoned",)),
    ],
)  # fmt: skip
def test_another_team_is_a_table_of_the_scenario(
    said: dict[str, float], none: tuple[str, ...], some: tuple[str, ...], team: Team
) -> None:
    desk, org, truth = team
    usual, other = Reps(), Reps(**said)  # type: ignore[arg-type]
    assert usual.hours == 6
    _write_all(desk, lambda lead: {
        "candor_score": 90 if true_score(truth.probability[lead.key]) < 50 else 10, "candor_route": "person_sdr",
        "candor_feedback_due": "high_but_dark",
    })  # fmt: skip
    for n, lead in enumerate(desk.leads(limit=40)):
        org.create("review", f"r{n}", {"_key": None, "_name": f"CR-{n}", "candor_lead": lead.id,
                                       "candor_status": "open"}, by="candor")  # fmt: skip
    counts = react(desk, org, truth, 2, seed=3, team=other)
    assert not [name for name in none if counts.get(name)]
    assert not [name for name in some if not counts.get(name)]
    if said.get("hours") == 1:
        assert counts["looks"] <= 2 * len(desk.owners())
        assert counts["reviews"] <= 10
