"""Half a year, played once for each team on the same leads with the same hours."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.demo.halfyear import fate as fates
from connector.demo.halfyear import teams
from connector.demo.halfyear.board import MINUTES_A_TOUCH, Board
from connector.demo.halfyear.candor import Candor, Lessons
from connector.demo.halfyear.fate import Fate
from connector.demo.halfyear.known import Known, prepare
from connector.demo.halfyear.people import People
from connector.demo.halfyear.teams import Team
from connector.playground.world import semi
from connector.playground.world.generate import generate
from connector.playground.world.model import Truth, World
from connector.playground.world.scenario import Reps, Scenario
from scoring.routing.policy import Policy

HISTORY_MONTHS = 12
TEAM_HOURS = 80.0
"""The policy's review capacity (two hours a day) is read as that of a team of ten reps, as many as the world has, with eight
hours each; a team with fewer hours has as much less. Reviews come out of the same hours as touches."""
DAYS_A_MONTH = 365.25 / 12
FEEDBACK_DAYS = 90
"""Day from which Candor is compared with itself, had it learnt from less until then and after."""
ARMS: dict[str, Lessons] = {"outcomes alone": "outcomes", "day 0's model": "none"}
WORKED = 0.3
"""Hours a day, where none are given, are enough to work this share of the leads that arrive."""

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Played:
    known: Known
    fate: Fate
    hours_a_day: float
    review_hours_a_day: float
    candor: Candor
    usual: teams.UsualPractice
    boards: dict[str, Board]
    seconds: float
    arms: dict[str, tuple[Candor, Board]]
    """Candor's team from `FEEDBACK_DAYS` on, had it learnt from less; empty where not asked for"""


def play(
    *, seed: int = 7, size: int = 5000, days: int = 180, hours: float | None = None,
    review_hours: float | None = None, policy: Policy | None = None,
    progress: Progress = lambda what, done, of: None, made: tuple[World, Truth] | None = None,
    scenario: Scenario | None = None, arms: bool = False,
) -> Played:  # fmt: skip
    """`size` leads in twelve months of history and the days of the play together; of a scenario that names a dated data set,
    all of its rows. `hours`: of all reps and reviewers of a
    team in a day; `review_hours`: how many of them reviews may take. `arms`: play Candor's later days also with less learnt."""
    begun = time.perf_counter()
    progress("Making the world", 0, None)
    months = HISTORY_MONTHS + math.ceil(days / DAYS_A_MONTH)
    real = scenario is not None and scenario.data is not None
    if made is None:
        made = semi.of_scenario(scenario, seed) if scenario is not None and real else generate(
            leads=size, months=months, seed=seed, scenario=scenario
        )  # fmt: skip
    world, truth = made
    policy = policy or (Policy(horizon_days=truth.horizon_days) if real else Policy())
    progress("Features as of each day", 0, None)
    known = prepare(world, truth, days, policy, world.columns if real else ())
    fate = fates.draw(known)
    a_day = hours if hours is not None else WORKED * len(known.first_look) / days * MINUTES_A_TOUCH / 60
    reviews = review_hours if review_hours is not None else policy.review.capacity_hours * a_day / TEAM_HOURS
    people = People(truth, known.arrivals, seed, Reps() if scenario is None else scenario.reps)
    candor, usual = Candor(known, people, seed), teams.UsualPractice(known)

    def board(minutes: float = a_day * 60) -> Board:
        return Board(known, fate, minutes, reviews * 60)

    def tell(team: Team) -> Callable[[int], None]:
        return lambda day: progress(f"Half a year with {team.name}", day + 1, days)

    half = FEEDBACK_DAYS if arms else 0
    first = work(candor, board(), range(half), tell(candor))
    forks = {name: (candor.fork(name, less), first.fork()) for name, less in ARMS.items()} if half else {}
    boards = {
        candor.name: work(candor, first, range(half, days), tell(candor)),
        usual.name: work(usual, board(), range(days), tell(usual)),
    }
    for fork, there in forks.values():
        work(fork, there, range(half, days))
    progress("Those to compare with", 0, None)
    arrived = [*known.arrivals]
    for team in (
        teams.Replayed("Candor's score alone", candor.scores),
        teams.UsualPractice(known, "usual practice, reviewed", reviewers=people),
        teams.by_lot(arrived, seed), teams.perfect(known), teams.perfect_for_winners(known), teams.Nobody(),
    ):  # fmt: skip
        boards[team.name] = work(team, board(), range(days))
    everybody = teams.Fixed("everybody", dict.fromkeys(arrived, 0.0))
    boards[everybody.name] = work(everybody, board(math.inf), range(days))
    return Played(known, fate, a_day, reviews, candor, usual, boards, time.perf_counter() - begun, forks)


def work(team: Team, board: Board, days: range, tell: Callable[[int], None] = lambda day: None) -> Board:
    """Some days of a team; its board as they leave it."""
    for day in days:
        if day in board.known.retrain:
            team.learn(day)
        board.begin(day)
        team.work(board)
        tell(day)
    return board
