"""Half a year played by several teams: the same from the same seed, at equal hours, blind to the future."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from connector.cli import halfyear
from connector.cli.console import told
from connector.cli.main import app
from connector.demo.halfyear.board import MINUTES_A_TOUCH, Board
from connector.demo.halfyear.candor import Candor
from connector.demo.halfyear.cautions import cautions
from connector.demo.halfyear.fate import draw
from connector.demo.halfyear.known import tables
from connector.demo.halfyear.measure import measure
from connector.demo.halfyear.play import Played, play, work
from connector.demo.halfyear.teams import UsualPractice
from connector.errors import InputError
from connector.jobs.fields import facts
from connector.playground.world.generate import generate
from connector.playground.world.model import Touch, Truth, World

SIZE, SEED, DAYS = 600, 3, 42
MONTHS = 14
KEPT = ("status", "owner", "stage", "amount")
AS_EVERYBODY = ("everybody", "nobody")


@pytest.fixture(scope="module")
def world() -> tuple[World, Truth]:
    return generate(leads=SIZE, months=MONTHS, seed=SEED)


@pytest.fixture(scope="module")
def played(world: tuple[World, Truth]) -> Played:
    return play(seed=SEED, days=DAYS, made=world)


@pytest.fixture(scope="module")
def measured(played: Played) -> dict[str, Any]:
    return measure(played)


def _without_seconds(found: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in found.items() if k != "seconds"}


def test_the_same_seed_plays_the_same_half_year(played: Played, measured: dict[str, Any]) -> None:
    again = play(seed=SEED, days=DAYS, size=SIZE)
    assert {n: b.reached for n, b in again.boards.items()} == {n: b.reached for n, b in played.boards.items()}
    assert _without_seconds(measure(again)) == _without_seconds(measured)


def test_hours_are_equal_and_reviews_come_out_of_them(played: Played) -> None:
    given = played.hours_a_day * DAYS * 60
    for name, board in played.boards.items():
        if name in AS_EVERYBODY:
            continue
        assert sum(board.minutes.values()) <= given + 1e-6
        assert sum(board.minutes.values()) > given - 5 * MINUTES_A_TOUCH, name
    assert played.boards["nobody"].minutes == {"touches": 0.0, "reviews": 0.0}


def test_every_team_lies_between_nobody_and_everybody(measured: dict[str, Any]) -> None:
    teams = measured["teams"]
    for what in ("revenue", "winners", "winners_reached"):
        for name, team in teams.items():
            low, high = (teams[other][what]["value"] for other in ("nobody", "everybody"))
            assert low <= team[what]["value"] <= high, (name, what)
    for team in teams.values():
        assert team["expected_winners_reached"] <= teams["everybody"]["expected_winners_reached"]
    best = teams["perfect, by chance alone"]["expected_winners_reached"]
    assert all(
        best >= team["expected_winners_reached"] for name, team in teams.items() if name != "everybody"
    )


def test_nobody_contacts_who_opted_out_or_anyone_twice_or_before_they_came(played: Played) -> None:
    for board in played.boards.values():
        for lead, at in board.reached.items():
            person = played.known.arrivals[lead]
            assert not person.fields.get("opted_out")
            assert at >= person.created_at + timedelta(days=1)


def test_what_comes_later_changes_nothing_now(world: tuple[World, Truth], played: Played) -> None:
    """Touches, changes and outcomes after day 33 are made up anew: until then every team does what it did."""
    made, truth = world
    turn = played.known.moment(33)
    later = [
        Touch(f"X{i}", "page_view", person.key, turn + timedelta(hours=1 + i), actor="person",
              detail={"session": f"x{i}", "content": "pricing", "url": "/pricing", "channel": "site"})
        for i, person in enumerate(made.people[-60:])
    ]  # fmt: skip
    other = replace(
        made, touches=[t for t in made.touches if t.at <= turn] + later,
        changes=[c if c.at <= turn or c.field in KEPT else replace(c, new=None) for c in made.changes],
    )  # fmt: skip
    moved = {lead: at if at <= turn else at + timedelta(days=3) for lead, at in truth.wins.items()}
    fate = draw(played.known)
    kept = {lead for lead in fate.buyers if truth.wins[lead] > turn}
    again = play(seed=SEED, days=DAYS, made=(other, replace(truth, wins=moved)))
    for name, board in played.boards.items():
        then = {lead: at for lead, at in board.reached.items() if at <= turn}
        assert {lead: at for lead, at in again.boards[name].reached.items() if at <= turn} == then, name
    assert kept  # some outcomes did move
    early = {lead: first for lead, first in played.candor.first.items() if first.day <= 33}
    assert {lead: first for lead, first in again.candor.first.items() if first.day <= 33} == early


def test_outcomes_depend_on_being_reached_in_time_alone(played: Played) -> None:
    fate = played.fate
    for lead in fate.buyers:
        assert fate.won(lead, fate.deadline[lead])
        assert fate.won(lead, None) == (lead in fate.alone)
        assert fate.won(lead, fate.deadline[lead] + timedelta(days=1)) == (lead in fate.alone)
    assert fate.alone < fate.buyers
    strangers = set(played.known.arrivals) - fate.buyers
    assert not any(fate.won(lead, played.known.start) for lead in strangers)


def test_an_arriving_lead_shows_no_work_by_reps_of_the_world(played: Played) -> None:
    """Calls, meetings and replies after the first week are cut out, and so is what those reps filled in."""
    known = played.known
    _, changes, activities = tables(known.world, known.truth, known.settings, known.start)
    arrived = set(known.arrivals)
    for touch in activities.select(["lead_id", "at", "kind", "owner_id"]).to_pylist():
        if touch["lead_id"] in arrived and touch["at"] > known.truth.scored_at[touch["lead_id"]]:
            assert touch["owner_id"] is None
            assert touch["kind"] not in ("call", "meeting", "email_sent", "email_replied")
    leads = changes.filter(pc.field("field") != "points")["lead_id"].to_pylist()
    assert len([lead for lead in leads if lead in arrived]) == len(arrived) * len(facts(known.settings))


def test_more_hours_reach_more(played: Played) -> None:
    once = played.boards["usual practice"]
    twice = Board(played.known, played.fate, once.minutes_a_day * 2, once.review_minutes_a_day)
    assert len(work(UsualPractice(played.known), twice, range(DAYS)).reached) > len(once.reached)


def test_less_learnt_is_the_same_team_up_to_the_day_and_from_then_on_it_learns_less(played: Played) -> None:
    """`Played.arms` with a day of its own: forks share no state with the team they come from."""
    turn = 29
    candor = Candor(played.known, played.candor.people, SEED)
    once = played.boards["Candor"]
    board = Board(played.known, played.fate, once.minutes_a_day, once.review_minutes_a_day)
    work(candor, board, range(turn))
    was = {lead: at for lead, at in once.reached.items() if at < played.known.moment(turn)}
    assert board.reached == was
    said = len(candor.said)
    frozen, there = candor.fork("day 0's model", "none"), board.fork()
    work(frozen, there, range(turn, DAYS))
    assert len(frozen.models) == 2
    assert frozen.models[0] is frozen.models[1]
    assert len(frozen.said) > said == len(candor.said)
    assert board.reached == was
    assert was.items() <= there.reached.items()


def test_the_command_prints_a_table_and_a_sentence(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The play itself is put in; `--days` of `candor demo` leads there."""
    asked: dict[str, Any] = {}

    def once(**arguments: Any) -> Played:
        asked.update(arguments)
        return played

    monkeypatch.setattr(halfyear, "play", once)
    result = CliRunner().invoke(app, ["demo", "--days", "60", "--size", "900", "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(capsys.readouterr().out or result.stdout)
    assert found["teams"]["Candor"]["hours"] > 0
    assert (asked["days"], asked["size"], asked["seed"], asked["hours"]) == (60, 900, 3, None)
    shown = CliRunner().invoke(app, ["demo", "--days", "60", "--size", "900", "--seed", "3"])
    assert shown.exit_code == 0, shown.output


@pytest.fixture
def shown(measured: dict[str, Any]) -> dict[str, Any]:
    return {"seed": 3, "size": 600, "scenario": "mine.toml", **measured, "cautions": cautions(measured)}


def test_the_table_names_its_scenario_and_is_plain_text(
    shown: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    halfyear._show(shown)
    said = capsys.readouterr().out
    assert f"Scenario mine.toml, seed 3: {DAYS} days" in said
    assert "[dim]" not in said
    assert "edge, after that" not in said  # no such days in 42
    assert "By cause: those that the world itself made unusual" in said
    flat = " ".join(said.split())
    assert all(one[:60] in flat for one in shown["cautions"])


def test_what_is_too_small_or_too_odd_to_be_read_is_said(measured: dict[str, Any]) -> None:
    plain = {**measured, "leads": 2000, "buyers": 200, "edge_buyers": 50, "edge_case_share": 0.3, "hand_raisers": 40,
             "reaching_matters": True}  # fmt: skip
    assert cautions(plain) == []
    for change, words in (
        ({"reaching_matters": False}, "Reaching a lead changes nothing"),
        ({"leads": 11, "buyers": 1}, "Only 11 leads, 1 of whom"),
        ({"buyers": 29}, "29 of whom would buy"),
        ({"edge_buyers": 3}, "Only 3 of the buyers were edge cases"),
        ({"edge_case_share": 0.99}, "99% of the leads were edge cases"),
        ({"hand_raisers": 1}, "Only 1 hand-raiser:"),
    ):
        (said,) = cautions({**plain, **change})
        assert words in said


def test_where_reaching_changes_nothing_no_gain_is_claimed(world: tuple[World, Truth]) -> None:
    made, truth = world
    played = play(seed=SEED, days=DAYS, made=(made, replace(truth, unreached=truth.reached)))
    found = measure(played)
    assert found["reaching_matters"] is False
    assert "win the same here" in halfyear._sentence(found, found["difference"])
    assert "Reaching a lead changes nothing" in cautions(found)[0]


@pytest.mark.parametrize(
    ("arguments", "word"), [(["--days", "3"], "--days"), (["--days", "60", "--size", "9"], "--size"),
                            (["--days", "60", "--hours", "-1"], "--hours"),
                            (["--days", "3", "--size", "9"], "--size"),
                            (["--days", "60", "--leads", "x.csv", "--keep", "--crm", "hubspot"], "--crm, --leads, --keep"),
                            (["--hours", "3"], "--hours"),
                            (["--leads", "x.csv", "--size", "900"], "--size")],
)  # fmt: skip
def test_what_cannot_be_played_is_said(arguments: list[str], word: str) -> None:
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert isinstance(result.exception, InputError)
    assert word in str(result.exception)


@pytest.mark.parametrize(
    ("data", "word"), [("x_education", "have no dates"), ("loan-applications", "CANDOR_DATA")]
)
def test_days_are_played_on_real_rows_that_are_dated_and_there(
    data: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(f'data = "{data}"')
    monkeypatch.setenv("CANDOR_DATA", str(tmp_path / "none"))
    result = CliRunner().invoke(app, ["demo", "--days", "60", "--scenario", str(tmp_path / "mine.toml")])
    assert isinstance(result.exception, InputError)
    assert word in str(result.exception)


def test_work_is_told_line_by_line_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    with told() as report:
        report("Making the world", 0, None)
        for day in (1, 2):
            report("Half a year", day, 2)
    assert capsys.readouterr().err.splitlines() == ["Making the world …", "Half a year …"]
