"""Teams that work a list from the top: usual practice, and those that Candor is measured beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np

from connector.demo.halfyear.board import Board
from connector.demo.halfyear.fate import unit
from connector.demo.halfyear.known import Key, Known
from connector.demo.halfyear.people import People
from connector.jobs.fields import features_of
from connector.playground.world.model import Person
from scoring.model.baseline import train_usual_practice


class Team(Protocol):
    name: str

    def learn(self, day: int) -> None:
        """A training day; what is learnt holds until the next."""

    def work(self, board: Board) -> None:
        """One day's work, with the hours that the board has left."""


@dataclass
class Fixed:
    """Works by a value that is known of each lead from the start: by lot, or by the truth. `until`: those who know the truth
    know too when it is too late for a lead."""

    name: str
    worth: Mapping[str, float]
    until: Mapping[str, datetime] = field(default_factory=dict)

    def learn(self, day: int) -> None:
        return None

    def work(self, board: Board) -> None:
        late = {lead for lead in board.open if lead in self.until and self.until[lead] < board.now}
        from_the_top(board, {lead: -1.0 if lead in late else self.worth[lead] for lead in board.open})


@dataclass
class Nobody:
    name: str = "nobody"

    def learn(self, day: int) -> None:
        return None

    def work(self, board: Board) -> None:
        return None


@dataclass
class Replayed:
    """Works by scores that were given on each day."""

    name: str
    updates: Mapping[int, Mapping[str, float]]
    worth: dict[str, float] = field(default_factory=dict)

    def learn(self, day: int) -> None:
        return None

    def work(self, board: Board) -> None:
        self.worth |= self.updates.get(board.day, {})
        from_the_top(board, self.worth)


@dataclass
class UsualPractice:
    """Closed-won against closed-lost as records look today, firmographics only, one threshold: those above it are worked
    from the top, then those below it, until the hours are used up. `reviewers` (a control, no part of usual practice):
    the same people who review for Candor look at its list first, in the same hours, from the top."""

    known: Known
    name: str = "usual practice"
    reviewers: People | None = None
    worth: dict[str, float] = field(default_factory=dict)
    probability: dict[str, float] = field(default_factory=dict)
    """on the day of each lead's first look, as the model says it"""
    base_rate: dict[str, float] = field(default_factory=dict)
    """of the model that said it: won among closed deals"""
    _updates: dict[int, dict[str, float]] = field(default_factory=dict)
    _reviewed: dict[str, str] = field(default_factory=dict)

    def learn(self, day: int) -> None:
        known, now = self.known, self.known.moment(day)
        closed = [life for life in known.history(now) if life.won_at or life.lost_at]
        model = train_usual_practice(
            known.lines([(life.lead_id, now) for life in closed]),
            np.array([float(life.won_at is not None) for life in closed]),
            features=features_of(known.settings),
        )
        keys = upcoming(known, day)
        said = model.score(known.lines([key for _, key in keys]))
        self._updates = {}
        for (on, (lead, _)), score, p in zip(keys, said.score, said.probability, strict=True):
            self._updates.setdefault(on, {})[lead] = float(score)
            if known.first_look[lead] == on:
                self.probability[lead], self.base_rate[lead] = float(p), model.base_rate

    def work(self, board: Board) -> None:
        self.worth |= self._updates.get(board.day, {})
        if self.reviewers is not None:
            self._review(board, self.reviewers)
        from_the_top(board, {lead: self.worth[lead] + self._bonus(lead) for lead in board.open})

    def _review(self, board: Board, reviewers: People) -> None:
        for lead in sorted(board.open, key=lambda lead: -self.worth[lead]):
            if lead in self._reviewed:
                continue
            if not board.review():
                return
            said = reviewers.review(lead, self.worth[lead], board.now)
            self._reviewed[lead] = said["value"]["decision"]

    def _bonus(self, lead: str) -> float:
        return {"route": 100.0, "disqualify": -100.0}.get(self._reviewed.get(lead, ""), 0.0)


def upcoming(known: Known, day: int) -> list[tuple[int, Key]]:
    """What a model trained today will be asked: all arrived leads as they were last looked at, now; then each look as its
    day comes, until the next training."""
    until = min((d for d in known.retrain if d > day), default=known.days)
    arrived = [lead for lead, first in known.first_look.items() if first < day]
    today = set(known.looks.get(day, ()))
    found = [(day, known.last_look(lead, day)) for lead in arrived if lead not in today]
    return found + [
        (on, (lead, known.moment(on))) for on in range(day, until) for lead in known.looks.get(on, ())
    ]


def from_the_top(board: Board, worth: Mapping[str, float]) -> None:
    for lead in sorted(board.open, key=lambda lead: (-worth[lead], lead)):
        if not board.touch(lead):
            return


def by_lot(leads: Sequence[str], seed: int) -> Fixed:
    return Fixed("by lot", {lead: unit(f"{seed}|lot|{lead}") for lead in leads})


def perfect(known: Known) -> Fixed:
    """The true chance times what a deal of that size of company is worth on average."""
    sizes = {lead: _size(person.fields.get("employees")) for lead, person in _everyone(known).items()}
    amounts: dict[str, list[float]] = {}
    for lead, amount in known.truth.amounts.items():
        amounts.setdefault(sizes[lead], []).append(amount)
    mean = {size: float(np.mean(found)) for size, found in amounts.items()}
    overall = float(np.mean([*known.truth.amounts.values()]))
    return Fixed("perfect knowledge", {
        lead: known.truth.reached[lead] * mean.get(sizes[lead], overall) for lead in known.arrivals
    }, known.truth.reach_by)  # fmt: skip


def perfect_for_winners(known: Known) -> Fixed:
    chance = {lead: known.truth.reached[lead] for lead in known.arrivals}
    return Fixed("perfect, by chance alone", chance, known.truth.reach_by)


def _everyone(known: Known) -> Mapping[str, Person]:
    return {person.key: person for person in known.world.people}


def _size(employees: float | None) -> str:
    if employees is None:
        return "unknown"
    return "small" if employees < 100 else "middle" if employees < 1000 else "enterprise"
