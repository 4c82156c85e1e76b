"""Three versions of a schema as they might have been: what an upgrade starts from (v1, v2) and ends at (v3, today's fields)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_schema import declaration, versions
from crm_schema.choices import Choice
from crm_schema.declaration import Field
from crm_schema.render import (
    hubspot,
    salesforce,
    salesforce_drift,
    salesforce_parts,
    salesforce_removal,
    salesforce_upgrade,
)
from crm_schema.versions import Step

BY_KEY = {f.key: f for f in declaration.FIELDS if f.on != ("review",)}
REVIEW = {f.key: f for f in declaration.FIELDS if f.on == ("review",)}


def _choices(key: str, renamed: Mapping[str, str]) -> tuple[Choice, ...]:
    back = {new: old for old, new in renamed.items()}
    return tuple(replace(c, value=back.get(c.value, c.value)) for c in BY_KEY[key].choices)


TAG = {"odd_buying": "unusual_buying_process"}
REASONS_1 = {"lost_price": "lost_budget", "lost_person_left": "lost_champion_left"}
REASONS_2 = {"lost_budget": "lost_no_budget"}
WHY = replace(BY_KEY["override_reason"], key="why", label="Candor why")  # v1: another name
SCORE = replace(BY_KEY["override_score"], type="text", bounds=None)  # v1, v2: a text
SURPRISE_2 = replace(BY_KEY["surprise_reason"], choices=_choices("surprise_reason", REASONS_2))
SURPRISE_1 = replace(
    SURPRISE_2,
    choices=tuple(
        replace(c, value={v: k for k, v in REASONS_1.items()}.get(c.value, c.value))
        for c in SURPRISE_2.choices
    ),
)
TAGS = replace(BY_KEY["tags"], choices=_choices("tags", TAG))  # v1, v2
COMMENT = replace(REVIEW["note"], key="comment", label="Candor comment", type="text", length=255)  # v1
MOOD = Field(
    "mood", "Candor mood", type="text", on=("lead", "contact"), written_by="people", help="Gone in v2."
)
CARE = replace(BY_KEY["do_not_score"], key="no_score", label="Candor no score", type="choice", choices=BY_KEY["outcome_as_expected"].choices)  # fmt: skip

STEPS = (
    Step("0.2", WHY, "override_reason"),
    Step("0.2", SURPRISE_1, "surprise_reason", renamed=REASONS_1),
    Step("0.2", COMMENT, "note"),
    Step("0.2", MOOD, None),
    Step("0.3", SCORE, "override_score"),
    Step("0.3", SURPRISE_2, "surprise_reason", renamed=REASONS_2),
    Step("0.3", TAGS, "tags", renamed=TAG),
    Step("0.3", CARE, "do_not_score", convert=lambda value: value == "yes"),
)
_OLD: dict[str, tuple[Field, ...]] = {
    "0.1": (WHY, SCORE, SURPRISE_1, TAGS, COMMENT, MOOD, CARE),
    "0.2": (SCORE, SURPRISE_2, TAGS, CARE),
}
_NEW = {
    "0.1": {
        "override_reason",
        "override_score",
        "surprise_reason",
        "tags",
        "note",
        "do_not_score",
        "trend",
        "champion",
    },
    "0.2": {"override_score", "surprise_reason", "tags", "do_not_score", "champion"},
}


def fields(version: str) -> tuple[Field, ...]:
    later = _NEW.get(version, set())
    return (*(f for f in declaration.FIELDS if f.key not in later), *_OLD.get(version, ()))


def declare(version: str, put: Callable[[Any, str, Any], None]) -> None:
    """Let crm_schema know the schema of one version, and what an upgrade to it knows. `put` is setattr, or monkeypatch's."""
    know(fields(version), {"0.1": (), "0.2": STEPS[:4]}.get(version, STEPS), put)


def know(declared: Sequence[Field], steps: Sequence[Step], put: Callable[[Any, str, Any], None]) -> None:
    def on(kind: str) -> tuple[Field, ...]:
        return tuple(f for f in declared if kind in f.on)

    for module in (salesforce, salesforce_parts, salesforce_removal, salesforce_drift, salesforce_upgrade):
        put(module, "fields_on", on)
    put(hubspot, "FIELDS", tuple(declared))
    put(versions, "STEPS", tuple(steps))
