"""From features and scores to what routing needs to know of each lead."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.before import Before
from connector.settings import Settings
from scoring.features.catalogue import Feature
from scoring.model.deviation import Flag
from scoring.model.scores import Scores
from scoring.routing import engagement as rank
from scoring.routing.decide import LeadState, Nearness
from scoring.routing.policy import Policy

_CORE_VOLUME, _EXPANSION_VOLUME = 0.05, 0.01
"""An industry with at least this share of the training leads is core, or expansion, where no ideal customer is mapped."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The open leads as they were at the last pass over all of them, and the training leads' segments: what ranks and
    segments are measured against when only a few leads are scored."""

    engagement: Sequence[float]
    expected: Sequence[float]
    segments: Mapping[str, Sequence[int]]
    """channel -> (mature leads, wins)"""
    industries: Mapping[str, float]
    """industry -> share of training leads"""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Reference:
        return cls(
            value.get("engagement", ()),
            value.get("expected", ()),
            value.get("segments", {}),
            value.get("industries", {}),
        )


def learn_segments(rows: pa.Table, won: np.ndarray, first: np.ndarray) -> dict[str, Any]:
    """How many mature leads and wins each channel has, and each industry's share of the leads."""
    channel, industry = (_values(rows, name, rows.num_rows) for name in ("channel", "industry"))
    segments: dict[str, list[int]] = {}
    volume: Counter[str] = Counter()
    for i in map(int, np.flatnonzero(first)):
        seen = segments.setdefault(channel[i] or "unknown", [0, 0])
        seen[0] += 1
        seen[1] += int(won[i])
        if (name := industry[i]) is not None:
            volume[str(name)] += 1
    total = sum(volume.values()) or 1
    return {"segments": segments, "industries": {k: v / total for k, v in volume.items()}}


def states(
    rows: pa.Table, scores: Scores, features: Sequence[Feature], policy: Policy, settings: Settings,
    reference: Reference, before: Mapping[str, Before],
) -> dict[str, LeadState]:  # fmt: skip
    """lead id -> its state. `rows` and `scores` are in the same order."""
    family = {f.name: f.family for f in features}
    n = rows.num_rows
    column = {name: _values(rows, name, n) for name in (
        "lead_id", "channel", "industry", "completeness", "hand_raiser", "opted_out", "employees", "engagement_touches",
        "committee_size", "has_executive_in_committee", "has_business_in_committee",
    )}  # fmt: skip
    touches = [x or 0.0 for x in column["engagement_touches"]]
    engagement = rank.percentile(touches, reference.engagement)
    high_value = rank.high_expected_value(scores.expected_value, policy, reference.expected)
    out: dict[str, LeadState] = {}
    for i in range(n):
        lead = column["lead_id"][i]
        was = before.get(lead, Before())
        completeness = 100.0 * (1.0 if column["completeness"][i] is None else column["completeness"][i])
        functions = [
            name for name, key in (("executive", "has_executive_in_committee"), ("business", "has_business_in_committee"))
            if column[key][i] == 1
        ]  # fmt: skip
        flags = scores.flags[i]
        score, low, high = _range(scores, i, was.override)
        leads, wins = reference.segments.get(column["channel"][i] or "unknown", (0, 0))
        conflicting = rank.conflicting(
            engagement=engagement[i], completeness=completeness, flagged_families=_families(family, flags),
            contacts=int(column["committee_size"][i] or 1), functions=functions, policy=policy,
        )  # fmt: skip
        out[lead] = LeadState(
            score=score, low=low, high=high, confidence=float(scores.confidence[i]), engagement=float(engagement[i]),
            expected_value=known(scores.expected_value[i]) or 0.0, high_expected_value=bool(high_value[i]),
            hand_raiser=column["hand_raiser"][i] == 1, opted_out=column["opted_out"][i] == 1,
            do_not_score=was.do_not_score,
            nearness=nearness(column["industry"][i], settings, reference),
            established=rank.established(leads, wins, policy), channel=column["channel"][i] or "",
            incomplete=completeness < policy.words.incomplete_below, completeness=completeness, conflicting=conflicting,
            flags=tuple(f.text for f in flags),
            enterprise=rank.size(known(scores.expected_amount[i]), column["employees"][i], policy) == "enterprise",
            previous_route=was.route, previous_qualified=was.qualified, being_worked=was.worked, reviewed=was.reviewed,
        )  # fmt: skip
    return out


def _range(scores: Scores, i: int, override: float | None) -> tuple[float, float, float]:
    """Score and range in force: the model's, or while it stands a rep's own score, inside the model's range or beside it."""
    score, low, high = float(scores.score[i]), float(scores.low[i]), float(scores.high[i])
    return (score, low, high) if override is None else (override, min(low, override), max(high, override))


def is_edge_case(state: LeadState, policy: Policy) -> bool:
    return state.confidence < policy.words.edge_case_confidence or bool(state.flags)


def _values(rows: pa.Table, name: str, n: int) -> list[Any]:
    return rows[name].to_pylist() if name in rows.column_names else [None] * n


def _families(family: Mapping[str, str], flags: Sequence[Flag]) -> list[str]:
    """The families of the features that are flagged; a pair has two."""
    return [family.get(name, "fact") for flag in flags for name in flag.feature.split("+")]


def nearness(industry: str | None, settings: Settings, reference: Reference) -> Nearness:
    """How near an industry is to the ideal customer: as mapped, else by its share of the training leads."""
    core = settings.scope.core.get("industry")
    if core is not None:
        return "core" if industry in core else "outside"
    if industry is None or not reference.industries:
        return "expansion"
    share = reference.industries.get(industry, 0.0)
    return "core" if share >= _CORE_VOLUME else "expansion" if share >= _EXPANSION_VOLUME else "outside"


def known(value: float) -> float | None:
    """A number of the model's, or None where it has none (NaN)."""
    return float(value) if math.isfinite(value) else None
