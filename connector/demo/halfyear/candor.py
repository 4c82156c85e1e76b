"""Candor's team: as-of training, scores with ranges, routing by the policy, reviews, exploration, monthly retraining with
what people said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from connector.demo.halfyear.board import Board
from connector.demo.halfyear.known import Known
from connector.demo.halfyear.people import People
from connector.demo.halfyear.teams import upcoming
from connector.jobs import voices
from connector.jobs.before import Before
from connector.jobs.examples import Examples, as_of_points, attended, first_rows, made_of
from connector.jobs.fields import features_of
from connector.jobs.scope import Outcomes
from connector.jobs.states import Reference, is_edge_case, learn_segments, states
from connector.jobs.train import fit
from scoring.model.card import Model
from scoring.model.scores import Scores
from scoring.routing.decide import Decision, LeadState, Route, decide
from scoring.routing.explore import explore
from scoring.routing.queue import in_order, to_work

AT_ONCE_HOURS = 1.0
"""What is due within it comes before reviews and everything else."""


@dataclass(frozen=True, slots=True)
class First:
    """What Candor said when it first routed a lead."""

    day: int
    probability: float
    score: float
    confidence: float
    edge_case: bool
    route: Route
    base_rate: float


Lessons = Literal["all", "outcomes", "none"]


@dataclass
class Candor:
    known: Known
    people: People
    seed: int
    name: str = "Candor"
    lessons: Lessons = "all"
    """what the next models learn from: all, not what people said, or nothing, so that the first model stays"""
    models: list[Model] = field(default_factory=list)
    first: dict[str, First] = field(default_factory=dict)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    """day -> the scores given on it, of all that arrived, reached or not"""
    said: list[dict[str, Any]] = field(default_factory=list)
    _rows: pa.Table = None
    _scored: Scores | None = None
    _due: dict[int, list[int]] = field(default_factory=dict)
    """day -> lines of _rows that are looked at on it"""
    _segments: dict[str, Any] = field(default_factory=dict)
    _first_segments: dict[str, Any] = field(default_factory=dict)
    _states: dict[str, LeadState] = field(default_factory=dict)
    _decisions: dict[str, Decision] = field(default_factory=dict)
    _touches: dict[str, float] = field(default_factory=dict)
    _reviewed: dict[str, Route | None] = field(default_factory=dict)
    _reviewed_now: set[str] = field(default_factory=set)
    """under the model in force: one case a lead and model"""

    def fork(self, name: str, lessons: Lessons) -> Candor:
        """The same team from here on, but for what it learns from."""
        mine: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        mine = {
            key: copy(value) if isinstance(value, list | dict | set) else value for key, value in mine.items()
        }
        return Candor(**{**mine, "name": name, "lessons": lessons})

    def learn(self, day: int) -> None:
        if self.lessons == "none" and self.models:
            model, self._segments = self.models[0], self._first_segments
        else:
            examples = self._examples(day)
            model = fit(examples, features_of(self.known.settings), self.seed)
            self._segments = learn_segments(examples.rows, examples.won, first_rows(examples))
            self._first_segments = self._first_segments or self._segments
        self.models.append(model)
        self._reviewed_now.clear()
        keys = upcoming(self.known, day)
        self._rows = self.known.lines([key for _, key in keys])
        self._scored = model.score(self._rows)
        self._due = {}
        for i, (on, (lead, _)) in enumerate(keys):
            self._due.setdefault(on, []).append(i)
            self.scores.setdefault(on, {})[lead] = float(self._scored.score[i])

    def work(self, board: Board) -> None:
        self._route(board)
        at_once = [lead for lead in board.open if self._is_at_once(lead)]
        self._touch(board, at_once)
        self._review(board)
        self._touch(board, [lead for lead in board.open if self._decisions[lead].route.person])
        # Hours left over: what promises most of the rest, but none that a reviewer turned down.
        self._touch(board, [lead for lead in board.open if self._reviewed.get(lead) is not Route.NURTURE])

    def _route(self, board: Board) -> None:
        """Score and route what is looked at today, as a pass of the daemon does."""
        assert self._scored is not None
        known, policy = self.known, self.known.policy
        leads = self._rows["lead_id"].to_pylist() if board.day in self._due else []
        lines = [i for i in self._due.get(board.day, ()) if leads[i] in board.open]
        new = [i for i in self._due.get(board.day, ()) if known.first_look[leads[i]] == board.day]
        lines = sorted({*lines, *new})
        if not lines:
            return
        rows, scored = self._rows.take(pa.array(lines, pa.int64())), _take(self._scored, lines)
        for lead, touches in zip(
            rows["lead_id"].to_pylist(), rows["engagement_touches"].to_pylist(), strict=True
        ):
            self._touches[lead] = touches or 0.0
        current = {lead: self._touches[lead] for lead in board.open}
        expected = [self._states[lead].expected_value for lead in board.open if lead in self._states]
        reference = Reference.of({"engagement": [*current.values()], "expected": expected, **self._segments})
        before = {lead: self._before(lead) for lead in rows["lead_id"].to_pylist()}
        found = states(rows, scored, features_of(known.settings), policy, known.settings, reference, before)
        decisions = {lead: decide(state, policy) for lead, state in found.items()}
        drawn = {lead for lead in decisions if before[lead].explored}
        decisions |= explore(found, decisions, policy, day=board.now.date(), seed=self.seed, drawn=drawn)
        for i, (lead, state) in enumerate(found.items()):
            if known.first_look[lead] == board.day:
                self.first[lead] = First(
                    board.day, float(scored.probability[i]), state.score, state.confidence,
                    is_edge_case(state, policy), decisions[lead].route, self.models[-1].base_rate,
                )  # fmt: skip
        self._states |= found
        self._decisions |= decisions

    def _before(self, lead: str) -> Before:
        was = self._decisions.get(lead)
        return Before(
            route=was.route if was else None, qualified=was.qualified if was else None,
            reviewed=self._reviewed.get(lead), explored=bool(was and was.explored),
        )  # fmt: skip

    def _is_at_once(self, lead: str) -> bool:
        decision = self._decisions[lead]
        return (
            decision.route.person and decision.due_hours is not None and decision.due_hours <= AT_ONCE_HOURS
        )

    def _touch(self, board: Board, leads: Sequence[str]) -> None:
        for lead in to_work(leads, self._states, self.known.policy):
            if not board.touch(lead):
                return
            self.said += self.people.work(lead, self._states[lead].score, board.now)

    def _review(self, board: Board) -> None:
        """The queue within its capacity, the most valuable uncertainty first."""
        queue = [
            lead for lead in board.open
            if self._decisions[lead].route is Route.REVIEW and lead not in self._reviewed_now
        ]  # fmt: skip
        for lead in in_order(queue, self._states):
            if not board.review():
                return
            said = self.people.review(lead, self._states[lead].score, board.now)
            self.said.append(said)
            self._reviewed_now.add(lead)
            route = {"route": Route.PERSON_SDR, "disqualify": Route.NURTURE}.get(said["value"]["decision"])
            self._reviewed[lead] = route
            if route is not None:
                self._decisions[lead] = Decision(route, "S5.6 reviewed", "A reviewer decided.")

    def _examples(self, day: int) -> Examples:
        """What the product's own training would take: outcomes that are known by now, and what people said of leads whose
        outcome isn't: the horizon is as long as the play."""
        known, now = self.known, self.known.moment(day)
        outcomes = Outcomes(known.settings.outcome.status)
        points = [
            p for life in known.history(now)
            for p in as_of_points(life, outcomes, known.settings, known.policy, now)
        ]  # fmt: skip
        keys = [(p.lead_id, p.as_of) for p in points]
        examples = attended(
            made_of(points, known.lines(keys), known.company, {}), known.worked, {}, known.settings
        )
        spoken = voices.words(self.said, known.policy.models) if self.lessons == "all" else []
        if not spoken:
            return examples
        looks = [known.last_look(w.lead_id, (w.at - known.start).days) for w in spoken]
        unknown = [math.nan] * len(spoken)
        return replace(examples, said=voices.said(spoken, known.lines(looks), unknown, [False] * len(spoken)))


def _take(scores: Scores, lines: Sequence[int]) -> Scores:
    """Some of the leads."""
    taken: dict[str, Any] = {}
    for f in fields(Scores):
        value = getattr(scores, f.name)
        taken[f.name] = value[list(lines)] if isinstance(value, np.ndarray) else [value[i] for i in lines]
    return Scores(**taken)
