"""Whom the world's own reps never got to: they have few hours, and go by the org's own points, as teams usually do.

Low scores get less attention, so they convert less, so they stay low (SPEC S1.5): a history of such a team holds leads that
lost only because nobody worked them, and nothing in it says which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from connector.playground.world import after
from connector.playground.world.cast import Lead
from connector.playground.world.scenario import Scenario

WEEK_DAYS = 7.0
"""Reps plan a week: the leads whose first week is over in it compete for its hours."""
WHIM = 10.0
"""Standard deviation, in points, of what beside the points decides whom a rep takes up."""
ONE_DEAL_DAYS = 25.0
"""Colleagues who come within it of each other buy in one deal."""


def neglected(
    scenario: Scenario, people: list[Lead], points: Mapping[int, int], days: float, seed: int
) -> set[int]:
    """Numbers of the leads that nobody works. Each week has the same hours, so that a busy one neglects more. Nobody
    competes who opted out of contact."""
    share = scenario.attention.history
    if share >= 1:
        return set()
    rnd = Random(f"{seed}/attention")
    weeks: dict[int, list[tuple[float, int]]] = {}
    for lead in people:
        wanted = points[lead.number] + rnd.gauss(0, WHIM)
        if not lead.opted_out:
            weeks.setdefault(int(lead.scored // WEEK_DAYS), []).append((-wanted, lead.number))
    room = round(share * sum(map(len, weeks.values())) * WEEK_DAYS / days)
    return {number for found in weeks.values() for _, number in sorted(found)[room:]}


def missed_deals(
    scenario: Scenario,
    people: list[Lead],
    would: set[int],
    stories: Mapping[int, after.Story],
    seed: int,
    at: Callable[[float], datetime],
) -> dict[str, tuple[datetime, float]]:
    """Of neglected leads that would have bought (`would`): when their deal would have been won, and its amount. It is the
    deal of a colleague where one has it, or would have."""
    found: dict[str, tuple[datetime, float]] = {}
    for lead in people:
        if lead.number not in would:
            continue
        for other in lead.company.people:
            near = other is not lead and abs(lead.created - other.created) < ONE_DEAL_DAYS
            story = stories[other.number]
            if near and story.deal is not None and story.won is not None:
                found[lead.key] = max(at(story.won), at(lead.scored) + timedelta(days=1)), story.deal.amount
                break
            if near and other.key in found:
                found[lead.key] = found[other.key]
                break
        else:
            rnd = Random(f"{seed}/would/{lead.number}")
            story = after.winner(lead, [], "", "", rnd, scenario)
            if story.won is not None and story.deal is not None:
                found[lead.key] = at(story.won), story.deal.amount
    return found
