"""What a half-year is too small, or too odd, to tell: said beside the figures, so that nobody reads it out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEARLY_ALL = 0.9
"""Share of leads that are edge cases from which they are no group of their own."""
FEW = 30
"""A share of fewer leads is known to no better than 15 points either way (90 %, at worst)."""
FEW_LEADS = 200


def cautions(found: Mapping[str, Any]) -> list[str]:
    """Sentences about a measured half-year (`measure`), the gravest first; none where all can be read."""
    said = []
    if not found["reaching_matters"]:
        said.append(
            "Reaching a lead changes nothing in this scenario ([attention] is off, or the same with and without): every team "
            "wins the same deals, and who reached how many of the winners is no gain. Read the skill of the scores alone."
        )
    if found["buyers"] < FEW or found["leads"] < FEW_LEADS:
        said.append(
            f"Only {_count(found['leads'], 'lead')}, {found['buyers']} of whom would buy: no difference between teams can be "
            "read from so few. Play more days or leads (--size)."
        )
    elif found["edge_buyers"] < FEW:
        said.append(
            f"Only {found['edge_buyers']} of the buyers were edge cases: neither who missed how many of them nor the skill on "
            "edge cases can be read."
        )
    if found["edge_case_share"] > NEARLY_ALL:
        said.append(
            f"{found['edge_case_share']:.0%} of the leads were edge cases to Candor: too little history to know any lead well. "
            '"Edge missed" and the skill on edge cases then say no more than those of all leads.'
        )
    if 0 < found["hand_raisers"] < FEW:
        said.append(
            f"Only {_count(found['hand_raisers'], 'hand-raiser')}: the share of them that was missed can't be read."
        )
    return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
