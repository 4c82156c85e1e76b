"""Which fields mean what: the mapping of candor.toml in Candor's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connector.crm.base import FieldMap
from connector.settings import Settings
from scoring.features.catalogue import Feature, catalogue
from scoring.features.inputs import Fact
from scoring.features.process import Process

STANDARD: tuple[Fact, ...] = (
    Fact("title", "text", "Title"),
    Fact("industry", "category", "Industry"),
    Fact("employees", "number", "Employees"),
    Fact("annual_revenue", "number", "Annual revenue"),
    Fact("country", "category", "Country"),
    Fact("source", "category", "Source"),
    Fact("phone", "text", "Phone"),
    Fact("linkedin", "text", "LinkedIn"),
    Fact("product_interest", "category", "Product interest"),
    Fact("use_case", "category", "Use case"),
    Fact("heard_from", "category", "How they heard of us"),
    Fact("needed_by", "date", "Needed by"),
    Fact("hand_raiser", "flag", "Asked to be contacted"),
    Fact("opted_out", "flag", "Opted out of contact"),
)
"""The standard lead fields that may describe a lead. Names, status, owner and outcome never do."""

UNDATED = frozenset({"firmographic", "fact"})
"""Families of features that a table without times can tell."""

PEOPLE_FIELDS = frozenset(
    f"candor_{key}"
    for key in (
        "tags", "override_score", "override_reason", "do_not_score", "feedback_1", "feedback_2", "feedback_3", "feedback_4",
        "feedback_5", "outcome_as_expected", "surprise_reason", "status", "decision", "reason", "note",
    )
)  # fmt: skip
"""Candor's fields that people write; what changes in them is harvested."""


def field_map(settings: Settings) -> FieldMap:
    """The mapping file's own entries; the adapter has the standard ones."""
    extra = {name: field.field for name, field in settings.mapping.extra.items()}
    return {
        "lead": {**settings.mapping.lead, **extra},
        "account": dict(settings.mapping.account),
        "deal": dict(settings.mapping.deal),
    }


def facts(settings: Settings) -> tuple[Fact, ...]:
    """The fields that may feed the model: standard and own ones, less those left out."""
    out = set(settings.scope.leave_out)
    own = tuple(Fact(name, field.type, field.label) for name, field in settings.mapping.extra.items())
    return tuple(fact for fact in (*STANDARD, *own) if fact.name not in out)


def feeding(settings: Settings) -> frozenset[str]:
    """The fields of a lead's record of which some feature is made."""
    steps = process(settings)
    looked_at = {"email", "account_id", *(fact.name for fact in facts(settings))}
    return frozenset(looked_at if steps is None else looked_at | {"status"})


def process(settings: Settings) -> Process | None:
    """Which steps of the org's process the model may know; None: none, as by default. A table without times has none."""
    asked = settings.process
    if not asked.on or settings.training.mode == "snapshot":
        return None
    return Process(tuple(asked.steps), tuple(asked.follow))


@dataclass(frozen=True, slots=True)
class View:
    """What of a lead is looked at: its fields, the steps done with it, since when each field whose history the CRM keeps is
    known, and the kinds of activity that the leakage audit barred."""

    facts: tuple[Fact, ...]
    steps: Process | None
    known_since: Mapping[str, datetime]
    barred_activities: frozenset[str] = frozenset()


def view_of(
    settings: Settings, known_since: Mapping[str, datetime], barred_activities: Collection[str] = ()
) -> View:
    return View(facts(settings), process(settings), known_since, frozenset(barred_activities))


def features_of(settings: Settings, without: Collection[str] = ()) -> tuple[Feature, ...]:
    """The features of this org; facts `without` feed none. In snapshot mode all leads are seen at one moment, long after some of them ended: how old
    a lead is and what it did lately then tell the outcome, not the lead, so they describe nobody."""
    kept = [fact for fact in facts(settings) if fact.name not in without]
    found = catalogue(kept, process(settings))
    if settings.training.mode != "snapshot":
        return found
    return tuple(f if f.family in UNDATED else replace(f, role="routing") for f in found)
