"""Which fields and activities know an outcome that nobody could know when a lead is scored (S1.2).

Needs no telling which: each field as it looks today is compared with itself as it was known early in each lead's life. What
separates won from lost today, and did not then, came with the outcome; when and how it came says what kind of leak it
is. A field without history can't be compared: there only what is too good to be true is named, the rest is ranked.

Training on as-of rows keeps such values out by itself; each finding says how well it does (`as_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TOO_GOOD = 0.95
"""AUC of one value alone, known early: no data is that good, so it is the outcome under another name"""
SUSPECT = 0.80
"""AUC of one field without history, as hardly anything known beforehand reaches"""
GAIN = 0.05
"""AUC that a field must have gained between scoring and today …"""
SURE = 3.0
"""… and its standard errors of the difference"""
FEW = 20
"""leads of either outcome that a finding rests on at least"""
PURE = 0.95
"""share of one outcome in a group that is as good as the outcome itself"""


class Kind(StrEnum):
    """What gives the outcome away, in the words of a report."""

    COPY = "copies the outcome"
    CLOCK = "is the outcome's clock"
    LATER_DATE = "holds a date after the outcome"
    AT_OUTCOME = "is filled when the outcome is known"
    AFTER_OUTCOME = "is filled after the outcome"
    WHILE_WORKED = "is filled for leads that go well"
    EMPTIED = "is emptied after the outcome"
    STAMPED = "was filled for many leads at one instant"
    GROWS = "counts over a whole life"
    REASSIGNED = "is assigned as a lead closes"
    ONE_VALUE = "has a value of one outcome only"
    ENCODED = "is made from the outcomes"
    NO_HISTORY = "knows the outcome too well, and nothing says since when"
    AGE = "is filled with age"
    TOO_GOOD = "knows the outcome from the beginning"
    ACTIVITY_IS_OUTCOME = "happens with the outcome"
    ACTIVITY_AFTER = "goes on after the outcome"
    BACK_DATED = "is entered after the outcome and dated before"
    BEFORE_CREATION = "is dated before the lead came in"
    FUTURE = "is dated in the future"
    BORN_CLOSED = "is made when the outcome is known"
    ROW_ORDER = "follows the order of the rows"


MEND: Mapping[Kind, str] = {
    Kind.COPY: "Leave it out ([scope] leave_out): it is the outcome under another name.",
    Kind.CLOCK: "Leave it out: it can only be known once the lead has ended.",
    Kind.LATER_DATE: "Leave it out, or map the date on which it was entered.",
    Kind.AT_OUTCOME: "Nothing to do in as-of training; never use today's value of it.",
    Kind.AFTER_OUTCOME: "Nothing to do in as-of training; never use today's value of it.",
    Kind.WHILE_WORKED: "Nothing to do in as-of training; a table of today's records would reward leads for being worked.",
    Kind.EMPTIED: "Nothing to do in as-of training; today's blanks say who was lost.",
    Kind.STAMPED: "Find out who filled it then and from what; before that time it counts as unknown.",
    Kind.GROWS: "Use counts of the last days instead of a whole life (Candor's own features are).",
    Kind.REASSIGNED: "Leave it out: it says who took the deal.",
    Kind.ONE_VALUE: "Nothing to do in as-of training; that value is set once the outcome is known.",
    Kind.ENCODED: "Leave it out: it was computed from outcomes, these leads' own among them.",
    Kind.NO_HISTORY: "Track its history in the CRM, or leave it out.",
    Kind.AGE: "Nothing to do in as-of training; today's records of old leads are fuller than any new lead's.",
    Kind.TOO_GOOD: "Leave it out: as-of training does not keep it out. The model is trained without it.",
    Kind.ACTIVITY_IS_OUTCOME: "Nothing to do in as-of training; never count it for a lead that has ended.",
    Kind.ACTIVITY_AFTER: "Nothing to do in as-of training; never count activities over a whole life.",
    Kind.BACK_DATED: "Ask that activities are logged when they happen; until then don't count this kind.",
    Kind.BEFORE_CREATION: "Check the import or the clock that dated them; they are listed, not used before the lead was made.",
    Kind.FUTURE: "Check the clock or the import that dated them; they are not used before their time.",
    Kind.BORN_CLOSED: "Leave such leads out of training ([scope] exclude): nobody could have scored them.",
    Kind.ROW_ORDER: "Leave it out: it says when a row was written.",
}  # fmt: skip


BY_CONSTRUCTION = frozenset({Kind.ACTIVITY_IS_OUTCOME, Kind.ACTIVITY_AFTER, Kind.BORN_CLOSED, Kind.AGE})
"""what comes after a lead's scoring never gets into its row"""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what`: a field's name, or "activity <kind>". `figures`: the evidence, ready to print."""

    kind: Kind
    what: str
    label: str
    said: str
    """the evidence in one sentence"""
    figures: Mapping[str, float] = field(default_factory=dict)
    as_of: float | None = None
    """AUC of the same field as it was known early: about 0.5 when as-of training keeps the leak out"""

    @property
    def kept_out(self) -> bool:
        """Whether building rows as of a time keeps it out by itself; else somebody has to do something."""
        if self.kind in BY_CONSTRUCTION:
            return True
        return self.as_of is not None and self.as_of < TOO_GOOD

    @property
    def mend(self) -> str:
        return MEND[self.kind]

    @property
    def strength(self) -> float:
        """AUC of today's value, for the order of a list."""
        return self.figures.get("auc_today", 0.5)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A field that was looked at and not accused: how well it separates today, and as known early."""

    what: str
    label: str
    today: float
    as_of: float | None
    blank: float
    """share of closed leads on which it is blank today"""
    blanks_alone: float
    """AUC of whether it is blank, and nothing else"""
    why: str


@dataclass(frozen=True, slots=True)
class Leakage:
    """`findings`: the strongest first. `ranked`: every other field, the strongest first."""

    leads: int
    wins: int
    as_of: bool
    """whether anything was dated; else only today's values could be looked at"""
    findings: tuple[Finding, ...]
    ranked: tuple[Ranked, ...]
