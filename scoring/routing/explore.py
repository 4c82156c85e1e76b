"""Leads routed by lot against their score, each with the chance it had (S1.5).

Low scores get less attention, so they convert less, so they stay low; a few leads drawn by lot and given to a
person break that circle. And where an admin wants to know whether the routing itself helps, a few leads that
qualify are held out: left to the org's own rules. Only leads at their first routing take part, once, so that
"3 %" means 3 % of leads and not 3 % a night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import date

from scoring.routing.decide import Decision, LeadState, Route
from scoring.routing.policy import Policy

HOLDOUT = "S1.5 holdout"
"""the rule of a lead that was held out"""


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
    chosen = _by_lot(
        (lead for lead, decision in decisions.items() if may_be_explored(states[lead], decision)),
        states, policy.exploration.share, f"{seed}|{day}",
    )  # fmt: skip
    chosen += [lead for lead in sorted(drawn) if _still_low(states[lead], decisions[lead])]
    return {lead: _explored(decisions[lead], policy) for lead in chosen}


def hold_out(
    states: Mapping[str, LeadState],
    decisions: Mapping[str, Decision],
    policy: Policy,
    *,
    day: date,
    seed: int = 0,
    drawn: Set[str] = frozenset(),
) -> dict[str, Decision]:
    """The decisions of all leads that took part in the holdout's lot, by lead id; each says its chance.

    A lead that was drawn is left to the org's own rules, and stays there (`drawn`) for as long as it would go to
    a person otherwise; the others keep their person, and are what the drawn ones are measured against. A
    hand-raiser never takes part. Nobody does while the policy's holdout is 0.
    """
    share = policy.exploration.holdout
    taking_part = [lead for lead, d in decisions.items() if share > 0 and may_be_held_out(states[lead], d)]
    chosen = set(_by_lot(taking_part, states, share, f"holdout|{seed}|{day}"))
    chosen |= {lead for lead in drawn if _goes_to_a_person(states[lead], decisions[lead])}
    kept = {lead: replace(decisions[lead], chance=1 - share) for lead in taking_part}
    return kept | {lead: _held_out(decisions[lead], share) for lead in chosen}


def _by_lot(leads: Iterable[str], states: Mapping[str, LeadState], share: float, salt: str) -> list[str]:
    """Systematic sampling: sorted by stratum, every 1/share-th from a random start."""
    candidates = sorted((_stratum(states[lead]), _unit(f"{salt}|{lead}"), lead) for lead in leads)
    start = _unit(f"{salt}|{'|'.join(lead for _, _, lead in candidates)}")
    return [
        lead
        for i, (_, _, lead) in enumerate(candidates)
        if int(share * (i + 1) + start) > int(share * i + start)
    ]


def may_be_explored(state: LeadState, decision: Decision) -> bool:
    """Below the threshold, sent to nurture by its score, free to be contacted, routed for the first time."""
    return _still_low(state, decision) and not state.being_worked and state.previous_route is None


def may_be_held_out(state: LeadState, decision: Decision) -> bool:
    """Qualified, about to go to a person for the first time, and did not ask for one."""
    return _goes_to_a_person(state, decision) and not state.being_worked and state.previous_route is None


def _goes_to_a_person(state: LeadState, decision: Decision) -> bool:
    return decision.route.person and decision.qualified and not state.hand_raiser


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


def _held_out(decision: Decision, share: float) -> Decision:
    return replace(
        decision,
        route=Route.UNSCORED,
        rule=HOLDOUT,
        why=f"Drawn by lot to show what the routing is worth: the org's own rules decide. {decision.why}",
        due_hours=None,
        added=(),
        chance=share,
    )


def _stratum(state: LeadState) -> tuple[str, str, bool]:
    return (state.nearness, state.channel, bool(state.flags))


def _unit(text: str) -> float:
    """A number in [0, 1) that any machine computes alike."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
