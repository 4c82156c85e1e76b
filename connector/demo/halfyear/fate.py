"""What becomes of a lead: drawn once per lead and seed, so that teams differ only in whom they reach and when.

The world's truth says what each lead's chance is when a person reaches it in time, what it is when nobody does, until when
is in time, and the lot that decides: a lead is won in any history in which its lot is below its chance there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from connector.demo.halfyear.known import Known


@dataclass(frozen=True)
class Fate:
    """`buyers` would buy if reached in time, by `deadline`."""

    buyers: frozenset[str]
    deadline: Mapping[str, datetime]
    alone: frozenset[str]
    """those who buy though nobody reaches them"""
    deal: Mapping[str, tuple[datetime, float]]
    """buyer -> (when its deal is won, the amount); colleagues in one deal share it"""

    def in_time(self, lead: str, reached: datetime | None) -> bool:
        return reached is not None and reached <= self.deadline[lead]

    def won(self, lead: str, reached: datetime | None) -> bool:
        return lead in (self.buyers if self.in_time(lead, reached) else self.alone)

    def closed(self, lead: str, reached: datetime | None, now: datetime) -> bool:
        """Whether its deal is won by now, so that nobody need look at it."""
        return self.won(lead, reached) and self.deal[lead][0] <= now


def draw(known: Known) -> Fate:
    truth, arrivals = known.truth, known.arrivals
    buyers = frozenset(lead for lead in arrivals if truth.luck[lead] < truth.reached[lead])
    alone = frozenset(lead for lead in arrivals if truth.luck[lead] < truth.unreached[lead])
    # A scenario in which attention does more than it did in the world's own history makes buyers who had no deal there.
    usual_time = float(
        np.median([(at - truth.scored_at[lead]).total_seconds() for lead, at in truth.wins.items()])
    )
    usual_amount = float(np.median([*truth.amounts.values()]))
    deal = {
        lead: (
            truth.wins[lead] if lead in truth.wins else truth.scored_at[lead] + timedelta(seconds=usual_time),
            truth.amounts.get(lead, usual_amount),
        ) if lead not in truth.would else truth.would[lead] for lead in buyers | alone
    }  # fmt: skip
    return Fate(buyers, {lead: truth.reach_by[lead] for lead in arrivals}, alone, deal)


def unit(text: str) -> float:
    """A number in [0, 1) that is the same for every team and on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
