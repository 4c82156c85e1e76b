"""Leads routed to a person against their score, each with the chance it had (S1.5).

Low scores get less attention, so they convert less, so they stay low; a few leads drawn by lot break that
circle. Only leads at their first routing take part, once, so that "3 %" means 3 % of leads and not 3 % a
night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import date

from scoring.routing.decide import Decision, LeadState, Route
from scoring.routing.policy import Policy


def explore(
    states: Mapping[str, LeadState],
    decisions: Mapping[str, Decision],
    policy: Policy,
    *,
    day: date,
    seed: int = 0,
    drawn: Set[str] = frozenset(),
) -> dict[str, Decision]:
    """The decisions that the lot changes, by lead id; each says the chance it had.

    Systematic sampling over strata: candidates are sorted by stratum, then by a hash of id and day, and every
    33rd is taken from a random start. Each candidate's chance is exactly the policy's share, and each stratum
    gets its own. The same candidates on the same day draw the same lot, so that a run repeated after a crash
    decides alike. `drawn` are the leads that were drawn before: they stay with their person as long as
    their score alone would send them to nurture, or scoring them again would undo the lot.
    """
    share = policy.exploration.share
    candidates = sorted(
        (_stratum(states[lead]), _unit(f"{seed}|{day}|{lead}"), lead)
        for lead, decision in decisions.items()
        if may_be_explored(states[lead], decision)
    )
    start = _unit(f"{seed}|{day}|{'|'.join(lead for _, _, lead in candidates)}")
    chosen = [
        lead
        for i, (_, _, lead) in enumerate(candidates)
        if int(share * (i + 1) + start) > int(share * i + start)
    ]
    chosen += [lead for lead in sorted(drawn) if _still_low(states[lead], decisions[lead])]
    return {lead: _explored(decisions[lead], policy) for lead in chosen}


def may_be_explored(state: LeadState, decision: Decision) -> bool:
    """Below the threshold, sent to nurture by its score, free to be contacted, routed for the first time."""
    return _still_low(state, decision) and not state.being_worked and state.previous_route is None


def _still_low(state: LeadState, decision: Decision) -> bool:
    return (
        decision.route is Route.NURTURE
        and decision.threshold is not None
        and not decision.qualified
        and not state.opted_out
    )


def _explored(decision: Decision, policy: Policy) -> Decision:
    return replace(
        decision,
        route=Route.PERSON_SDR,
        rule="S1.5 exploration",
        why=f"Drawn by lot so that the model learns about leads like this one. {decision.why}",
        due_hours=policy.due.person_sdr,
        explored=True,
        chance=policy.exploration.share,
    )


def _stratum(state: LeadState) -> tuple[str, str, bool]:
    return (state.nearness, state.channel, bool(state.flags))


def _unit(text: str) -> float:
    """A number in [0, 1) that any machine computes alike."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
