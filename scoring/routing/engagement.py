"""What routing needs to know beside the score: ranks among open leads, fit, size, conflicting signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.routing.policy import Policy

Size = Literal["enterprise", "mid_market", "smb", "unknown"]
Band = Literal["sure", "fairly sure", "unsure", "guessing"]

FIRMOGRAPHIC = frozenset({"firmographic", "fact"})
"""feature families that say who a lead is (scoring/features/catalogue.py)"""


def percentile(touches: ArrayLike, among: ArrayLike = ()) -> NDArray[np.float64]:
    """Engagement: the share of open leads with fewer touches, plus half of the ties, in points 0-100.

    `touches` are recency-weighted touches by persons, one per lead; `among` those of all open leads, where
    `touches` are only some (none: `touches` are all). A lead without any is at 0, whatever the others did:
    among a thousand silent leads nobody is half engaged.
    """
    values, ordered = _known(touches), np.sort(_or(among, touches))
    if ordered.size == 0:
        return np.zeros(0)
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return np.where(values > 0, 50.0 * (below + upto) / ordered.size, 0.0)


def high_expected_value(expected: ArrayLike, policy: Policy, among: ArrayLike = ()) -> NDArray[np.bool_]:
    """Which leads are in the top tenth of the open ones by expected value; a lead expected to bring nothing
    never is. `among`: the values of all open leads, where `expected` are only some.
    """
    values, all_open = _known(expected), _or(among, expected)
    if all_open.size == 0:
        return np.zeros(0, dtype=bool)
    bound = np.quantile(all_open, 1.0 - policy.words.high_value_share, method="higher")
    return (values >= bound) & (values > 0)


def _known(values: ArrayLike) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(values, dtype=np.float64))


def _or(among: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    found = _known(among)
    return found if found.size else _known(values)


def fit(points: Iterable[tuple[str, float]]) -> float:
    """Who they are, 0-100: 50 plus the points of score that firmographic reasons give.

    `points` are (feature family, points) of a lead's reasons.
    """
    return float(np.clip(50.0 + sum(p for family, p in points if family in FIRMOGRAPHIC), 0.0, 100.0))


def size(predicted_amount: float | None, employees: float | None, policy: Policy) -> Size:
    """Enterprise by deal or by people, SMB by people, mid-market between; unknown when neither is known."""
    words = policy.words
    if (predicted_amount or 0.0) >= words.enterprise_amount or (
        employees or 0.0
    ) >= words.enterprise_employees:
        return "enterprise"
    if employees is None:
        return "unknown"
    return "smb" if employees < words.smb_employees else "mid_market"


def established(leads: int, wins: int, policy: Policy) -> bool:
    """Whether a segment has enough mature as-of leads and wins behind it."""
    return leads >= policy.words.established_leads and wins >= policy.words.established_wins


def conflicting(
    *,
    engagement: float,
    completeness: float,
    flagged_families: Iterable[str],
    contacts: int,
    functions: Sequence[str],
    policy: Policy,
) -> tuple[str, ...]:
    """Conflicting signals (Words), each as a clause. `functions`: those of the account's engaged contacts."""
    engaged = engagement >= policy.quadrants.high_engagement
    found = []
    if engaged and completeness < policy.words.incomplete_below:
        found.append("very active, but little is known about them")
    if engaged and not FIRMOGRAPHIC.isdisjoint(flagged_families):
        found.append("strong behaviour from an unusual kind of company")
    if contacts >= 2 and not {"executive", "business"}.intersection(functions):
        found.append("several colleagues, but no decision maker among them")
    return tuple(found)


def band(confidence: float, policy: Policy) -> Band:
    """Confidence in a word, along the bounds that routing itself uses."""
    q = policy.quadrants
    if confidence >= q.feedback_below:
        return "sure"
    if confidence >= q.high_confidence:
        return "fairly sure"
    return "unsure" if confidence >= q.review_below else "guessing"
