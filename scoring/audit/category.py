"""Why a pattern may be there (S7.3): incomplete information, a non-standard journey, an evolving market, or
unexplained.

The kind is read off what the mispredicted leads of the group carry more often than other leads do: thin
records; flags on behaviour or signals in conflict; values never seen before. It names a lead to follow up,
not a cause.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from scoring.features.catalogue import BEHAVIOURAL, GRAPH, TEMPORAL
from scoring.metrics.outcomes import Bools, Outcomes
from scoring.routing.policy import Policy

JOURNEY = frozenset(feature.name for feature in (*BEHAVIOURAL, *TEMPORAL, *GRAPH))
"""features that tell how a lead buys"""

SHARE = 1 / 3
"""of mispredicted leads must carry a trait before it names the category …"""

LIFT = 1.5
"""… and this many times as often as all leads do"""


class Category(StrEnum):
    INCOMPLETE = "incomplete information"
    JOURNEY = "non-standard journey"
    EVOLVING = "evolving market"
    UNEXPLAINED = "unexplained"


def categorise(outcomes: Outcomes, wrong: Bools, policy: Policy) -> tuple[Category, str]:
    """The category of a group and a sentence that says why. `wrong` marks its mispredicted leads."""
    traits = {
        Category.INCOMPLETE: (
            np.nan_to_num(outcomes.completeness, nan=100.0) < policy.words.incomplete_below,
            "had a thin record",
        ),
        Category.EVOLVING: (_flagged(outcomes, _new), "had a value that was new or rare then"),
        Category.JOURNEY: (
            outcomes.conflicting | _flagged(outcomes, _odd_journey),
            "behaved unlike past buyers",
        ),
    }
    best, lift, text = Category.UNEXPLAINED, LIFT, "Nothing recorded sets these leads apart."
    for category, (trait, words) in traits.items():
        inside, overall = float(trait[wrong].mean()) if wrong.any() else 0.0, float(trait.mean())
        ratio = inside / overall if overall else 0.0
        if inside >= SHARE and ratio >= lift:
            best, lift = category, ratio
            text = f"{inside:.0%} of them {words}, against {overall:.0%} of all leads."
    return best, text


def _flagged(outcomes: Outcomes, fits: Callable[[str], bool]) -> Bools:
    return np.fromiter((any(fits(flag) for flag in flags) for flags in outcomes.flags), bool, len(outcomes))


def _new(flag: str) -> bool:
    return flag.partition(":")[0] in ("new", "rare")


def _odd_journey(flag: str) -> bool:
    code, _, feature = flag.partition(":")
    return code in ("number", "pair") and not JOURNEY.isdisjoint(feature.split("+"))
