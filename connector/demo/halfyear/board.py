"""The open leads of a team, its hours, and whom it has reached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.demo.halfyear.fate import Fate
from connector.demo.halfyear.known import Known

MINUTES_A_TOUCH = 60.0
"""What it takes to work one lead: looking it up, several calls and mails over some days."""


@dataclass
class Board:
    known: Known
    fate: Fate
    minutes_a_day: float
    """of reps and reviewers together"""
    review_minutes_a_day: float
    """how many of them reviews may take"""
    day: int = 0
    left: float = 0.0
    """minutes still to be spent today"""
    review_left: float = 0.0
    open: dict[str, None] = field(default_factory=dict)
    """arrived, free to be contacted, not reached and not won yet, in order of arrival"""
    reached: dict[str, datetime] = field(default_factory=dict)
    minutes: dict[str, float] = field(default_factory=lambda: {"touches": 0.0, "reviews": 0.0})

    def fork(self) -> Board:
        """The same day of another team."""
        return replace(self, open={**self.open}, reached={**self.reached}, minutes={**self.minutes})

    @property
    def now(self) -> datetime:
        return self.known.moment(self.day)

    def begin(self, day: int) -> None:
        """A new day's hours and leads. What was too little for one more touch, or review, is kept; idle hours are lost."""
        self.day, self.left = day, min(self.left, MINUTES_A_TOUCH) + self.minutes_a_day
        each = self.known.policy.review.minutes_each
        self.review_left = min(self.review_left, each) + self.review_minutes_a_day
        for lead in self.known.looks.get(day, ()):
            if self.known.first_look[lead] == day and not self.known.arrivals[lead].fields.get("opted_out"):
                self.open[lead] = None
        for lead in [lead for lead in self.open if self.fate.closed(lead, None, self.now)]:
            del self.open[lead]

    def touch(self, lead: str) -> bool:
        """A rep works the lead; False when the day has no time for it."""
        if self.left < MINUTES_A_TOUCH:
            return False
        self.left -= MINUTES_A_TOUCH
        self.minutes["touches"] += MINUTES_A_TOUCH
        self.reached[lead] = self.now
        del self.open[lead]
        return True

    def review(self) -> bool:
        """A reviewer's look; it is no contact."""
        minutes = self.known.policy.review.minutes_each
        if min(self.left, self.review_left) < minutes:
            return False
        self.left -= minutes
        self.review_left -= minutes
        self.minutes["reviews"] += minutes
        return True
