"""Whether a challenger may take over (S4.4): no worse than the champion overall and in no budgeted segment, on the same leads
that neither has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from scoring.metrics.budgets import assign
from scoring.metrics.outcomes import Bools, Floats, Outcomes
from scoring.metrics.rates import bootstrap_ratio
from scoring.metrics.scores import losses
from scoring.routing.policy import Policy

NOISE = 0.005
"""nats of log loss by which a challenger may be above the champion"""
CHANCE = 0.05
"""a segment counts as worse when so few samples would show as much by chance"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One group of leads under both models. `more_low`: the least that the log loss surely rises by (nats a lead). `missed`:
    winners among edge cases that no person saw, under the old model and the new."""

    segment: str
    leads: int
    wins: int
    old_loss: float
    new_loss: float
    more_low: float
    old_missed: int
    new_missed: int
    worse: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`segments`: all leads first, then each budget's."""

    segments: tuple[Compared, ...]

    @property
    def no_worse(self) -> bool:
        return not any(one.worse for one in self.segments)

    @property
    def why(self) -> str:
        """Where the challenger is worse, in a sentence; blank where nowhere."""
        return "; ".join(f"{one.segment}: {one.why}" for one in self.segments if one.worse)


def compare(old: Outcomes, new: Outcomes, policy: Policy) -> Verdict:
    """Both backtests, on the leads that both have. Without outcomes in common nothing speaks against the challenger."""
    at = {lead: i for i, lead in enumerate(old.lead_id)}
    both = np.array([lead in at for lead in new.lead_id], bool)
    new = new.where(both)
    order = np.array([at[lead] for lead in new.lead_id], dtype=np.int64)
    old_loss, old_reached = losses(old.won, old.probability)[order], old.reached_person[order]
    new_loss = losses(new.won, new.probability)
    if not len(new):
        return Verdict(())
    named = assign(new)
    # an edge case of either model: what one of them no longer calls doubtful may be what it now misses
    edge = new.edge_case | old.edge_case[order]
    parts = [("all leads", np.ones(len(new), bool))]
    parts += [(str(name), named == name) for name in sorted(set(named))]
    return Verdict(
        tuple(
            _compared(
                name, new.where(m), old_loss[m], new_loss[m], old_reached[m], edge[m], policy, first=name == "all leads"
            )
            for name, m in parts
        )
    )  # fmt: skip


def _compared(
    name: str, leads: Outcomes, old: Floats, new: Floats, old_reached: Bools, edge: Bools, policy: Policy, *, first: bool
) -> Compared:  # fmt: skip
    more = float((new - old).mean())
    low = _surely_more(old, new, policy)
    winners = leads.won & edge
    lost, gained = int((winners & old_reached & ~leads.reached_person).sum()), int((winners & ~old_reached & leads.reached_person).sum())  # fmt: skip
    why = []
    if more > NOISE and (first or low > 0):
        why.append(f"log loss {new.mean():.3f} against {old.mean():.3f}")
    if lost > gained and float(binom.sf(lost - 1, lost + gained, 0.5)) <= CHANCE:
        why.append(
            f"{lost} winners among edge cases would no longer reach a person, {gained} would for the first time"
        )
    return Compared(
        name, len(leads), int(leads.won.sum()), float(old.mean()), float(new.mean()), low,
        int((winners & ~old_reached).sum()), int((winners & ~leads.reached_person).sum()), bool(why), ", ".join(why),
    )  # fmt: skip


def _surely_more(old: Floats, new: Floats, policy: Policy) -> float:
    if len(old) < 2:
        return float("-inf")
    low, _ = bootstrap_ratio(new - old, np.ones(len(old)), policy.metrics.level)
    return low
