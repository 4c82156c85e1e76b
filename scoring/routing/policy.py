"""The policy: every number that an admin may change, with its unit, its default and the range it may take.

The defaults are those of the spec; the ids in the descriptions say where each comes from. A policy file
(TOML) names only what differs. Percentages of leads or money are shares between 0 and 1; scores, confidence
and engagement are points between 0 and 100.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scoring.errors import PolicyError


def number(default: float, low: float, high: float, unit: str, description: str) -> Any:
    """A policy number: its default, the range it may take, its unit and what it decides."""
    return Field(default, ge=low, le=high, description=description, json_schema_extra={"unit": unit})


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Thresholds(Group):
    """From which score a lead qualifies (S5.1)."""

    established: float = number(70, 0, 100, "points", "qualifies in an established segment (S5.1)")
    new: float = number(50, 0, 100, "points", "qualifies in a new segment (S5.1)")
    inbound: float = number(5, -30, 30, "points", "added to the threshold of inbound leads (S5.1)")
    outbound: float = number(-5, -30, 30, "points", "added to the threshold of outbound leads (S5.1)")
    incomplete: float = number(15, 0, 50, "points", "added to the threshold of incomplete records (S5.1)")
    core_at_once: float = number(75, 0, 100, "points", "core leads above it are touched at once (S5.1)")
    hysteresis: float = number(3, 0, 20, "points", "a lead falls back only this far below a bound (S5.1)")


class Words(Group):
    """Where the spec's words begin and end."""

    edge_case_confidence: float = number(
        70, 0, 100, "points", "an edge case has less confidence (Words, S3.2)"
    )
    incomplete_below: float = number(
        60, 0, 100, "percent", "of mapped fields known, below it incomplete (Words)"
    )
    established_leads: int = number(
        200, 1, 1_000_000, "leads", "mature leads of an established segment (Words)"
    )
    established_wins: int = number(30, 1, 1_000_000, "wins", "wins of an established segment (Words)")
    high_value_share: float = number(
        0.10, 0.01, 0.5, "share", "of open leads with high expected value (Words)"
    )
    enterprise_amount: float = number(100_000, 0, 1e12, "money", "predicted deal of an enterprise (Words)")
    enterprise_employees: int = number(1_000, 1, 10_000_000, "people", "size of an enterprise (Words)")
    smb_employees: int = number(100, 1, 10_000_000, "people", "an SMB has fewer (Words)")


class Quadrants(Group):
    """Confidence and engagement decide who gets a lead that qualifies (S5.2e, S5.2f, S5.3)."""

    review_below: float = number(65, 0, 100, "points", "confidence below which a human looks first (S5.2e)")
    high_confidence: float = number(75, 0, 100, "points", "confidence that counts as high (S5.2f)")
    high_engagement: float = number(60, 0, 100, "points", "engagement that counts as high (S5.2f)")
    feedback_below: float = number(
        85, 0, 100, "points", "flagged leads up to it are tagged for feedback (S5.3)"
    )


class Review(Group):
    """The human review queue (S5.2e, S5.6)."""

    strict: bool = Field(False, description="review every unsure lead, whatever its value (S5.2e)")
    strict_below: float = number(
        70, 0, 100, "points", "strict mode reviews every confidence below it (S5.2e)"
    )
    capacity_hours: float = number(2, 0, 24, "hours a day", "that reviewers have (S5.6)")
    minutes_each: float = number(10, 1, 120, "minutes", "that one review takes, until measured")
    queue_days: float = number(5, 1, 60, "days", "of work that the queue holds; the rest waits (S5.6)")


class Due(Group):
    """When the first human touch is due (S5.1, S5.2, S5.3)."""

    hand_raiser: float = number(1, 0, 720, "hours", "a hand-raiser (S5.2a)")
    at_once: float = number(1, 0, 720, "hours", "a core lead above the at-once score (S5.1)")
    person_ae: float = number(24, 0, 720, "hours", "a lead with an account executive")
    person_sdr: float = number(48, 0, 720, "hours", "a lead with an SDR")
    review: float = number(24, 0, 720, "hours", "a review, then it escalates (S5.6)")
    sdr_manager: float = number(24, 0, 720, "hours", "a look by the SDR manager (S5.3)")


class Work(Group):
    """The order in which reps work what is routed to them."""

    amount: float = number(
        0.25, 0, 1, "power", "of the predicted amount in it; 0: likeliest first, 1: by value"
    )


class Flags(Group):
    """When a lead deviates from what the model was trained on (S3.3)."""

    deviations: float = number(2, 0.5, 10, "standard deviations", "beyond which a number is flagged (S3.3)")
    rare_wins: int = number(2, 0, 100, "wins", "a category closed at most this often is rare (S3.3)")
    rare_years: float = number(3, 0.25, 20, "years", "over which rare wins are counted (S3.3)")


class Exploration(Group):
    """Leads routed against their score, so that the model learns where it was wrong (S1.5)."""

    share: float = number(0.03, 0, 0.25, "share", "of below-threshold leads routed to people anyway (S1.5)")
    holdout: float = number(0, 0, 0.25, "share", "of qualified leads left to the org's own rules (S1.5)")


class Forms(Group):
    """When a rep is asked (S6.3, S6.4)."""

    low_score: float = number(40, 0, 100, "points", "a meeting with a lead below it is asked about (S6.4)")
    high_score: float = number(80, 0, 100, "points", "silence of a lead above it is asked about (S6.4)")
    dark_days: float = number(14, 1, 365, "days", "without a reply after the first touch (S6.4)")
    per_rep_day: int = number(3, 0, 50, "forms", "a day for one rep at most (S6.4)")
    questions: int = number(5, 1, 5, "questions", "in a form at most (S6.4)")
    override_days: int = number(30, 1, 365, "days", "until an override expires (S6.3)")
    score_seems_high: float = number(85, 0, 100, "points", "from which that tag is stressed (S6.2)")


class Writes(Group):
    """What is worth a write into the CRM (S9.6)."""

    delta: float = number(2, 0, 50, "points", "a score moves by before it is written again (S9.6)")


class Models(Group):
    """How many models, and what a model must show (S1.3, S4)."""

    most: int = number(4, 1, 4, "models", "at most, the universal one counted (S4.2)")
    keep_gain: float = number(0.15, 0, 1, "share", "log loss skill that a segment model must keep (S4.2)")
    cycles_below: int = number(2, 1, 12, "trainings", "below it before retirement is proposed (S4.2)")
    conversion_differs: float = number(0.40, 0, 10, "share", "conversion of a segment must differ by (S4.1)")
    cycle_differs: float = number(2, 1, 20, "times", "cycle length of a segment must differ by (S4.1)")
    retrain_days: int = number(30, 1, 365, "days", "between two trainings (S4.4)")
    people_join: bool = Field(
        True, description="what people say of open leads joins training, by its measured worth (S4.5)"
    )
    reviews_join: int = number(200, 1, 100_000, "reviews", "from which they join training (S4.5)")
    edge_model_reviews: int = number(
        300, 1, 100_000, "reviews", "from which an edge model may compete (S4.5)"
    )
    filled_median: float = number(1, 0, 20, "points", "median move when blank fields are filled (S1.3)")
    filled_p99: float = number(3, 0, 50, "points", "99th percentile of that move (S1.3)")
    filled_strict: bool = Field(
        False, description="hold facts whose values matter to it too; costs ranking (S1.3)"
    )


class Audit(Group):
    """The edge-case audit (S7)."""

    months: float = number(6, 1, 60, "months", "of matured outcomes (S7.1)")
    above: float = number(80, 0, 100, "points", "above it a lead should have converted (S7.1)")
    below: float = number(40, 0, 100, "points", "below it it should not have (S7.1)")
    false_discovery: float = number(
        0.10, 0.001, 0.5, "share", "of reported patterns that may be chance (S7.2)"
    )
    group_leads: int = number(20, 5, 100_000, "leads", "in a group before it is looked at (S7.2)")


class Budgets(Group):
    """The edge-case miss rate that a segment may have (S8.3)."""

    hand_raiser: float = number(0.02, 0, 1, "share", "hand-raisers, any segment (S8.3)")
    enterprise: float = number(0.04, 0, 1, "share", "enterprise, any source (S8.3)")
    mid_market_outbound: float = number(0.07, 0, 1, "share", "mid-market outbound (S8.3)")
    smb_inbound: float = number(0.12, 0, 1, "share", "SMB inbound (S8.3)")
    other: float = number(0.10, 0, 1, "share", "all others, until `policy suggest` says better (S8.3)")
    frequent_low: float = number(0.10, 0, 1, "share", "frequent and cheap segments, from (S8.3)")
    frequent_high: float = number(0.15, 0, 1, "share", "frequent and cheap segments, to (S8.3)")
    rare_low: float = number(0.03, 0, 1, "share", "rare and dear segments, from (S8.3)")
    rare_high: float = number(0.05, 0, 1, "share", "rare and dear segments, to (S8.3)")


class Metrics(Group):
    """When a measured number is shown, and how sure its interval is (S8.4)."""

    outcomes: int = number(20, 5, 10_000, "outcomes", "before a rate is shown as one")
    wins: int = number(5, 1, 10_000, "wins", "among the winners before a recall or a budget is judged")
    level: float = number(0.90, 0.5, 0.99, "share", "coverage of the intervals shown")
    notice_days: float = number(11, 1, 90, "days", "until a decay is noticed (S8.3)")


class Policy(Group):
    """All groups together. `version` changes when, and only when, a number does."""

    thresholds: Thresholds = Thresholds()
    words: Words = Words()
    quadrants: Quadrants = Quadrants()
    review: Review = Review()
    due: Due = Due()
    work: Work = Work()
    flags: Flags = Flags()
    exploration: Exploration = Exploration()
    forms: Forms = Forms()
    writes: Writes = Writes()
    models: Models = Models()
    audit: Audit = Audit()
    budgets: Budgets = Budgets()
    metrics: Metrics = Metrics()
    horizon_days: int = number(180, 7, 1095, "days", "within which a deal must be won (Words: target)")
    standing_yes: frozenset[Literal["thresholds", "releases", "retirements"]] = Field(
        frozenset(), description="changes that need no admin's yes each time (S5.5)"
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Policy:
        q, forms, words = self.quadrants, self.forms, self.words
        for small, big, names in (
            (q.review_below, q.high_confidence, "quadrants.review_below, quadrants.high_confidence"),
            (q.high_confidence, q.feedback_below, "quadrants.high_confidence, quadrants.feedback_below"),
            (forms.low_score, forms.high_score, "forms.low_score, forms.high_score"),
            (self.audit.below, self.audit.above, "audit.below, audit.above"),
            (
                words.smb_employees,
                words.enterprise_employees,
                "words.smb_employees, words.enterprise_employees",
            ),
        ):
            if small > big:
                raise ValueError(f"{names}: the first is {small:g}, but must not exceed the second, {big:g}")
        return self

    @cached_property
    def version(self) -> str:
        """12 hex digits that stand for the content."""
        content = self.model_dump(mode="json")
        content["standing_yes"] = sorted(content["standing_yes"])
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def load(path: Path | str | None) -> Policy:
    """The policy of a TOML file, or the defaults. Raises PolicyError that names every wrong key and its
    range.
    """
    if path is None:
        return Policy()
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"The policy {path} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"The policy {path} is not TOML: {error}.") from error
    return parse(content, source=str(path))


def parse(content: Mapping[str, Any], source: str = "policy") -> Policy:
    """A policy from plain values, e.g. of a TOML file."""
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(_say(e["loc"], e["type"], e["msg"], e["input"]) for e in error.errors())
        raise PolicyError(f"{source}: {wrong}.") from None


def _say(loc: tuple[int | str, ...], kind: str, message: str, value: Any) -> str:
    if not loc:
        return message.removeprefix("Value error, ")
    key = ".".join(str(part) for part in loc)
    group, name = _where(loc)
    if kind == "extra_forbidden":
        return f"{key}: there is no such key; known here: {', '.join(group.model_fields)}"
    info = group.model_fields.get(name)
    if info is None:
        return f"{key}: {message}"
    if isinstance(info.annotation, type) and issubclass(info.annotation, Group):
        return f"{key}: must be a table of {', '.join(info.annotation.model_fields)}, not {value!r}"
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
    unit = (info.json_schema_extra or {}).get("unit", "") if isinstance(info.json_schema_extra, dict) else ""
    if low is None:
        choices = ", ".join(sorted(_choices(info.annotation))) or "true or false"
        return f"{key}: {value!r} is not possible; allowed: {choices}"
    whole = "a whole number" if info.annotation is int else "a number"
    return f"{key} ({info.description}): {value!r} is not {whole} from {low:g} to {high:g} {unit}".rstrip()


def _where(loc: tuple[int | str, ...]) -> tuple[type[Group], str]:
    group: type[Group] = Policy
    for part in loc[:-1]:
        info = group.model_fields.get(str(part))
        if info is None or not (isinstance(info.annotation, type) and issubclass(info.annotation, Group)):
            return group, str(part)
        group = info.annotation
    return group, str(loc[-1])


def _choices(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for inner in get_args(annotation) for choice in _choices(inner))
