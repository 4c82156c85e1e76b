"""Reasons that add up and stay put, and why a score moved (S3.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.jobs.explained import WIDE, why_wide
from scoring.model import trend, words
from scoring.model.card import Model
from scoring.model.design import CategoryField
from scoring.model.reasons import LATELY, LESS, MORE, REST, RESTS, SAME_BLANKS, SMALLER, TOGETHER, Reason
from scoring.model.recent import begin
from scoring.model.train import train
from tests.unit.test_model import EFFECT, FEATURES, SOURCES, one, world

leads = st.fixed_dictionaries({
    "log_employees": st.one_of(st.none(), st.floats(0, 9)),
    "visits": st.floats(0, 12),
    "reply_hours": st.one_of(st.none(), st.floats(0.1, 40)),
    "industry": st.sampled_from([None, "never seen", *EFFECT]),
    "source": st.sampled_from(list(SOURCES)),
})  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    rows, won, _ = world(1500)
    return train(rows, won, features=FEATURES, groups=np.arange(len(won)))


def told(model: Model, row: pa.Table) -> tuple[float, dict[str, Reason]]:
    scores = model.score(row)
    return float(scores.score[0]), {reason.feature: reason for reason in scores.reasons[0]}


@settings(max_examples=60, deadline=None)
@given(lead=leads)
def test_reasons_add_up_with_what_remains_named(model: Model, lead: dict[str, Any]) -> None:
    scores = model.score(one(**lead))
    reasons = scores.reasons[0]
    assert sum(r.points for r in reasons) == pytest.approx(scores.score[0] - 50, abs=0.051)
    rests = [r for r in reasons if r.feature in RESTS]
    assert reasons[-len(rests) :] == rests
    assert rests[-1].feature == SMALLER
    assert [r.feature for r in rests] == [code for code in RESTS if code in {r.feature for r in rests}]
    assert all(r.text == RESTS[r.feature] for r in rests)
    sizes = [abs(r.points) for r in reasons[: -len(rests)]]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=60, deadline=None)
@given(
    lead=leads,
    nudge=st.floats(-0.05, 0.05),
    which=st.sampled_from(["log_employees", "visits", "reply_hours"]),
)
def test_near_identical_leads_have_the_same_reasons(
    model: Model, lead: dict[str, Any], nudge: float, which: str
) -> None:
    """A reason's points change by no more than the score itself, so none of weight flips or leaves."""
    if lead[which] is None:
        return
    score, mine = told(model, one(**lead))
    moved, theirs = told(model, one(**{**lead, which: max(lead[which] * (1 + nudge), 0.0)}))
    room = 1.5 * abs(moved - score) + 0.3
    sides = {side[0].name: {f.name for f in side} for side in _sides(model)}
    for feature, reason in mine.items():
        if abs(reason.points) <= room + 1.0 or feature in RESTS:
            continue
        side = next(names for names in sides.values() if feature in names)
        same = next((r for f, r in theirs.items() if f in side), None)
        assert same is not None, (reason, theirs)
        assert same.points == pytest.approx(reason.points, abs=room)
        assert same.points * reason.points > 0


def _sides(model: Model) -> list[list[Any]]:
    fields = model.design.fields
    return [[fields[f] for f in side] for side in model.explainer.sides]


@settings(max_examples=40, deadline=None)
@given(lead=leads)
def test_that_something_is_known_is_no_reason(model: Model, lead: dict[str, Any]) -> None:
    """A blank fact adds nothing, and of a known one its value does: filled with a bad one it counts against the lead."""
    _, mine = told(model, one(**lead))
    for name in ("log_employees", "industry"):
        if lead[name] is None:
            assert name not in mine
    assert told(model, one(**{**lead, "industry": "retail"}))[1]["industry"].points < 0


@pytest.fixture(scope="module")
def told_by_blanks() -> Model:
    """Of a world where leads without an industry hardly ever buy, whatever the industry would be, and software and the web
    are good only together."""
    random = np.random.default_rng(5)
    n = 4000
    industry, source = random.choice(list(EFFECT), n), random.choice(list(SOURCES), n)
    asked = random.random(n) < 0.7
    pair = (industry == "software") == (source == "web")
    logit = np.where(asked, -0.9 + np.where(pair, 1.0, -1.0) - 0.8 * (industry == "retail"), -3.0)
    won = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    rows = pa.table({
        "industry": pa.array(np.where(asked, industry, None), pa.string()), "source": source,
        "visits": random.poisson(2, n).astype(float),
    })  # fmt: skip
    used = [column for column in FEATURES if column.name in rows.column_names]
    found = train(rows, won, features=used, groups=np.arange(n))
    assert found.point.trees
    return found


def test_what_blanks_tell_is_a_rest_and_not_the_worth_of_what_is_known(told_by_blanks: Model) -> None:
    found = {value: told(told_by_blanks, one(industry=value, source="list")) for value in (None, "retail")}
    blank, known = found[None][1][SAME_BLANKS].points, found["retail"][1][SAME_BLANKS].points
    assert blank < -10 < 0 < known
    assert "industry" not in found[None][1]
    # better than a blank, and yet no reason to buy
    assert found["retail"][0] > found[None][0] + 5
    assert found["retail"][1]["industry"].points < -3


def test_facts_that_count_together_are_a_rest_of_their_own(told_by_blanks: Model) -> None:
    both = told(told_by_blanks, one(industry="software", source="web"))[1]
    one_only = told(told_by_blanks, one(industry="software", source="list"))[1]
    assert both[TOGETHER].points > 5
    assert one_only[TOGETHER].points < -3


def test_rests_are_centred_on_leads_that_score_50(told_by_blanks: Model) -> None:
    random = np.random.default_rng(6)
    n = 2000
    rows = pa.table({
        "industry": pa.array(np.where(random.random(n) < 0.7, random.choice(list(EFFECT), n), None), pa.string()),
        "source": random.choice(list(SOURCES), n), "visits": random.poisson(2, n).astype(float),
    })  # fmt: skip
    for name in ("nothing", "asked"):
        rows = rows.append_column(name, pa.nulls(n, pa.float64()))
    scores = told_by_blanks.score(rows)
    points = {code: np.zeros(n) for code in RESTS}
    for i, reasons in enumerate(scores.reasons):
        for reason in reasons:
            if reason.feature in points:
                points[reason.feature][i] = reason.points
    assert abs(points[TOGETHER].mean()) < 2
    assert abs(points[SMALLER].mean()) < 1
    assert np.median(np.abs(points[SMALLER])) < 1


@pytest.mark.parametrize("offset", [0.0, -0.3, 0.3, -1.5, 1.5])
def test_recent_outcomes_are_a_reason_only_where_they_are_beyond_chance(model: Model, offset: float) -> None:
    """An offset known to 0.25 logits: 0.3 may be none, 1.5 is some; the points add up either way."""
    doubt = np.tile(np.diag([0.25**2, 1e-4]), (12, 1, 1))
    state = replace(begin(model.base_rate), means=np.tile([offset, 0.0], (12, 1)), covariances=doubt)
    scores = model.score(world(40, seed=3)[0], state)
    for score, reasons in zip(scores.score, scores.reasons, strict=True):
        assert sum(r.points for r in reasons) == pytest.approx(score - 50, abs=0.051)
        said = [r for r in reasons if r.feature == LATELY]
        assert (len(said) == 1) == (abs(offset) > 1), said
        assert all(r.text == (MORE if offset > 0 else LESS) and r.points * offset > 0 for r in said)


def test_why_a_range_is_wide_is_its_largest_part(model: Model) -> None:
    turned = begin(model.base_rate).waited(2000)
    told = {
        "familiar": model.score(one()),
        "blanks": model.score(one(log_employees=None, industry=None, source=None)),
        "unseen": model.score(one(industry="never seen")),
        "recent": model.score(one(), turned),
    }
    for name, scores in told.items():
        widths = {part: float(getattr(scores, f"width_{part}")[0]) for part in WIDE}
        assert widths[name] == max(widths.values())
        assert WIDE[name] in why_wide(scores)
    assert told["familiar"].width_recent[0] == 0
    assert told["recent"].high[0] - told["recent"].low[0] > told["familiar"].high[0] - told["familiar"].low[0]


def moved(model: Model, before: dict[str, Any], now: dict[str, Any], said: float | None = None) -> trend.Move:
    (found,) = trend.moves(model.explainer, model.design, model.score, one(**before), one(**now), [said])
    return found


def test_the_moves_of_many_leads_are_those_of_each(model: Model) -> None:
    pairs = [({"visits": 0.0}, {"visits": 9.0}), ({"industry": "retail"}, {"industry": None}), ({}, {})]
    then, now = (pa.concat_tables([one(**pair[side]) for pair in pairs]) for side in (0, 1))
    found = trend.moves(model.explainer, model.design, model.score, then, now, [None, 20.0, None])
    assert found == [
        moved(model, *pair, said=said) for pair, said in zip(pairs, (None, 20.0, None), strict=True)
    ]


def test_a_move_is_told_by_what_has_changed(model: Model) -> None:
    found = moved(model, {"visits": 0.0}, {"visits": 9.0})
    assert found.points > 3
    assert found.text == "visits 9, was 0"
    assert (
        moved(model, {"industry": "retail"}, {"industry": "software"}).text
        == "industry: software, was retail"
    )
    replied = moved(model, {}, {"reply_hours": 2.0})
    assert replied.text.startswith("usual time to reply 2 hours, was none")


def test_what_another_model_said_is_the_models(model: Model) -> None:
    now = float(model.score(one()).score[0])
    found = moved(model, {}, {}, said=now - 14)
    assert found.points == pytest.approx(14, abs=0.05)
    assert found.text == "the model changed"
    both = moved(
        model, {"visits": 0.0}, {"visits": 9.0}, said=float(model.score(one(visits=0.0)).score[0]) + 5
    )
    assert "the model changed (-5)" in both.text


@settings(max_examples=40, deadline=None)
@given(before=leads, now=leads, said=st.one_of(st.none(), st.floats(1, 99)))
def test_a_move_adds_up(
    model: Model, before: dict[str, Any], now: dict[str, Any], said: float | None
) -> None:
    then, later = (float(model.score(one(**lead)).score[0]) for lead in (before, now))
    found = moved(model, before, now, said)
    assert found.points == pytest.approx(later - (then if said is None else said), abs=0.051)
    assert sum(cause.points for cause in found.causes) == pytest.approx(found.points, abs=0.051)
    assert found.causes[-1].text == REST


def test_a_blank_field_is_told_from_what_nobody_did_yet() -> None:
    def read(family: str, value: str | None) -> str:
        return words.category(CategoryField("x", "Channel", family, (), np.array([]), ()), value)

    assert read("firmographic", "partner") == read("graph", "partner") == "Channel: partner"
    assert read("firmographic", None) == "Channel: blank"
    assert read("graph", None) == "Channel: none so far"
