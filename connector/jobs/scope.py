"""Which leads count, and what their statuses mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, get_args

from connector.errors import MappingError
from connector.jobs.context import Context
from connector.settings import Outcome, Settings
from connector.store import records
from connector.store.asof import Life

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
MANY = 0.02
"""A status that holds at least this share of the leads must be mapped to something (S10.2)."""

_WORDS: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    (
        "lost",
        (
            "not converted",
            "disqual",
            "unqualified",
            "lost",
            "bad ",
            "junk",
            "rejected",
            "no_interest",
            "not interested",
        ),
    ),
    ("won", ("converted", "won", "customer")),
    ("recycled", ("recycl", "nurtur", "later", "bad_timing")),
    ("never_worked", ("never worked",)),
)

_ENDS = (
    "closed",
    "dead",
    "done",
    "duplicate",
    "archiv",
    "spam",
    "invalid",
    "expired",
    "cancel",
    "inactive",
    "finished",
)
"""words of a status that ends a lead's life"""


def guess(status: str) -> Outcome:
    """What a status probably means, by its name; `init` shows it and asks."""
    name = status.lower()
    return next((outcome for outcome, words in _WORDS if any(w in name for w in words)), "open")


def unclear(status: str) -> bool:
    """Whether a status sounds like an end without saying which: nobody may guess what became of its leads."""
    name = status.lower()
    said = any(word in name for _, words in _WORDS for word in words)
    return not said and any(word in name for word in _ENDS)


def counts(context: Context) -> tuple[dict[str, int], dict[str, int]]:
    """What is about to be learnt from: see `counted`. Raises MappingError as `refuse_silence` does."""
    with context.store.begin() as db:
        leads = records.record_values(db, "lead")
    statuses = (str(values["status"]) for values in leads.values() if values.get("status"))
    refuse_silence(statuses, context.settings.outcome.status)
    return counted(leads, context.settings)


def counted(
    values: Mapping[str, Mapping[str, Any]], settings: Settings
) -> tuple[dict[str, int], dict[str, int]]:
    """Leads in scope by what their status means, and how many each rule of the scope takes out."""
    outcomes = Outcomes(settings.outcome.status)
    by_outcome: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for record in values.values():
        why_not = in_scope(record, settings)
        if why_not is None:
            by_outcome[outcomes.of(record.get("status"))] += 1
        else:
            out[why_not] += 1
    return dict(by_outcome), dict(out)


def refuse_silence(statuses: Iterable[str], mapping: Mapping[str, Outcome]) -> None:
    """Raises MappingError when a status of many leads is mapped to nothing. `statuses`: one for each lead."""
    counts = Counter(statuses)
    total = sum(counts.values())
    for status, n in counts.most_common():
        if n >= MANY * total and status not in mapping:
            raise MappingError(
                f"The status “{status}” holds {n:,} of {total:,} leads and is mapped to nothing.",
                fix=f"Name it in candor.toml under [outcome.status]; its name sounds like {guess(status)}.",
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
