"""What becomes of a lead: drawn once per lead and seed, so that teams differ only in whom they reach and when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from connector.demo.halfyear.known import Known

ALONE = 0.25
"""Of the leads that would buy if a person talked with them, the share that buys though none does. No source gives it for
B2B software; some buyers press on by themselves, most don't. The nearer it is to 1, the less any routing is worth."""
IN_TIME = 0.5
"""A buyer must be reached before this share of the way from first scoring (age 7 days) to signing: one who signs after 60
days within 30, a slow one who takes 150 days within 75. Later it is as if never reached."""


@dataclass(frozen=True)
class Fate:
    """`buyers` would buy if reached in time: the world's own draw from the true chance. `deadline` is their last moment."""

    buyers: frozenset[str]
    deadline: dict[str, datetime]
    alone: frozenset[str]
    """buyers who buy though nobody reaches them"""
    deal: dict[str, tuple[datetime, float]]
    """buyer -> (when the deal is won, its amount); colleagues in one deal share it"""

    def in_time(self, lead: str, reached: datetime | None) -> bool:
        return reached is not None and (lead not in self.deadline or reached <= self.deadline[lead])

    def won(self, lead: str, reached: datetime | None) -> bool:
        return lead in self.buyers and (lead in self.alone or self.in_time(lead, reached))

    def closed(self, lead: str, reached: datetime | None, now: datetime) -> bool:
        """Whether its deal is won by now, so that nobody need look at it."""
        return self.won(lead, reached) and self.deal[lead][0] <= now


def draw(known: Known, seed: int) -> Fate:
    truth = known.truth
    buyers = frozenset(lead for lead in known.arrivals if lead in truth.wins)
    return Fate(
        buyers,
        {lead: truth.scored_at[lead] + IN_TIME * (truth.wins[lead] - truth.scored_at[lead]) for lead in buyers},
        frozenset(lead for lead in buyers if unit(f"{seed}|alone|{lead}") < ALONE),
        {lead: (truth.wins[lead], truth.amounts[lead]) for lead in buyers},
    )  # fmt: skip


def unit(text: str) -> float:
    """A number in [0, 1) that is the same for every team and on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
