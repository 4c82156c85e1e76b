"""Which leads count, and what their statuses mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from connector.errors import MappingError, SettingsError
from connector.jobs.fields import STANDARD
from connector.jobs.meanings import guess, unclear
from connector.settings import Outcome, Settings
from connector.store import records
from connector.store.asof import Life

if TYPE_CHECKING:
    from connector.jobs.context import Context

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
MANY = 0.02
"""A status that holds at least this share of the leads must be mapped to something (S10.2)."""


MOST_WINS = 0.5
"""A rule that takes out at least this share of the wins is worth a word: they are what is learnt from."""
_OTHERS = (
    "first_name", "last_name", "email", "company", "status", "owner_id", "account_id", "contact_id", "deal_id", "converted_at",
)  # fmt: skip
"""fields of a lead besides those that may describe it"""


def check(settings: Settings) -> None:
    """Raises SettingsError when [scope] names a field that no lead has, with the nearest that one has."""
    mapping, scope = settings.mapping, settings.scope
    known = sorted({*(fact.name for fact in STANDARD), *_OTHERS, *mapping.lead, *mapping.extra})
    named = [("leave_out", name) for name in scope.leave_out]
    named += [("exclude", rule.field) for rule in scope.exclude] + [("core", name) for name in scope.core]
    for key, name in named:
        if name not in known:
            near = get_close_matches(name.lower(), known, 1, 0.6)
            raise SettingsError(
                f"[scope] {key} of candor.toml names {name!r}, which is no field of a lead.",
                fix=f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(known)}.",
            )


@dataclass(frozen=True, slots=True)
class Counted:
    """What is about to be learnt from, JSON-ready."""

    by_outcome: dict[str, int]
    """leads in scope by what their status means"""
    taken_out: dict[str, int]
    """by each rule of the scope; 0 by one that fits no lead"""
    wins_taken_out: dict[str, int]
    """the same of leads whose status means won"""

    def remarks(self) -> list[str]:
        """Rules that can't be meant so."""
        found = [
            f"The rule “{why}” takes out no lead: check its field and value."
            for why, n in self.taken_out.items()
            if not n
        ]
        wins = self.by_outcome.get("won", 0) + sum(self.wins_taken_out.values())
        return found + [
            f"The rule “{why}” takes out {n:,} of {wins:,} won leads: nothing can be learnt from them."
            for why, n in self.wins_taken_out.items()
            if n and n >= MOST_WINS * wins
        ]


def counts(context: Context) -> Counted:
    """What is about to be learnt from. Raises MappingError as `refuse_silence` does."""
    with context.store.begin() as db:
        leads = records.record_values(db, "lead")
    statuses = (str(values["status"]) for values in leads.values() if values.get("status"))
    refuse_silence(statuses, context.settings.outcome.status)
    return counted(leads, context.settings)


def counted(values: Mapping[str, Mapping[str, Any]], settings: Settings) -> Counted:
    """Leads in scope by what their status means, and how many each rule of the scope takes out."""
    outcomes = Outcomes(settings.outcome.status)
    by_outcome: Counter[str] = Counter()
    out: Counter[str] = Counter({rule.why: 0 for rule in settings.scope.exclude})
    wins: Counter[str] = Counter()
    for record in values.values():
        why_not, outcome = in_scope(record, settings), outcomes.of(record.get("status"))
        if why_not is None:
            by_outcome[outcome] += 1
        else:
            out[why_not] += 1
            wins[why_not] += outcome == "won"
    return Counted(dict(by_outcome), dict(out), dict(wins))


def refuse_silence(statuses: Iterable[str], mapping: Mapping[str, Outcome]) -> None:
    """Raises MappingError when a status of many leads is mapped to nothing. `statuses`: one for each lead."""
    counts = Counter(statuses)
    total = sum(counts.values())
    for status, n in counts.most_common():
        if n >= MANY * total and status not in mapping:
            raise MappingError(
                f"The status “{status}” holds {n:,} of {total:,} leads and is mapped to nothing.",
                fix="Name it in candor.toml under [outcome.status]"
                + ("." if unclear(status) else f"; its name sounds like {guess(status)}."),
            )


class Outcomes:
    """Statuses in Candor's words. One that the mapping does not name is read by its name."""

    def __init__(self, mapping: Mapping[str, Outcome]) -> None:
        self._mapping = dict(mapping)

    def of(self, status: str | None) -> Outcome:
        if status is None:
            return "open"
        if status not in self._mapping:
            self._mapping[status] = guess(status)
        return self._mapping[status]

    def ended_at(self, life: Life) -> datetime | None:
        """When the lead's life ended, won or lost; None while it is open."""
        ends = [at for at in (life.won_at, life.converted_at) if at is not None]
        if not ends and self.of(life.status) in ("won", "lost", "never_worked"):
            ends = [life.status_at]
        if not ends and life.lost_at is not None and life.running_deal is None:
            ends = [life.lost_at]
        return min(ends) if ends else None

    def is_open(self, life: Life) -> bool:
        return self.ended_at(life) is None

    def won(self, life: Life) -> bool | None:
        """How it ended; None while it is open."""
        if life.won_at is not None or (self.of(life.status) == "won" and life.running_deal is None):
            return True
        return None if self.is_open(life) or life.running_deal is not None else False


def in_scope(values: Mapping[str, Any], settings: Settings) -> str | None:
    """None when the lead counts, else why it doesn't."""
    for rule in settings.scope.exclude:
        value = values.get(rule.field)
        if value is None:
            continue
        text = str(value).lower()
        if rule.equals is not None and text == rule.equals.lower():
            return rule.why
        if rule.ends_with is not None and text.endswith(rule.ends_with.lower()):
            return rule.why
    return None
