"""The leakage gate: what a model may not be trained on, because building rows as of a time does not keep it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from scoring.audit.leakage import FEW, TOO_GOOD, Kind, Leakage
from scoring.audit.separation import Bools, number_groups, separation
from scoring.model.design import FeatureLike, category_column, number_column

_PREFIX = "activity "
BELIEVED = frozenset({Kind.BACK_DATED})
"""activities whose date as-of building believes, though they were entered later"""
KNOWN_EARLY = frozenset({Kind.TOO_GOOD})
"""fields that know the outcome from the beginning"""


@dataclass(frozen=True, slots=True)
class Barred:
    """Fields and kinds of activities that feed no model, by the audit."""

    fields: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()


def barred(found: Leakage) -> Barred:
    """With dates: only what as-of building can't keep out. Without: every field that was accused."""
    fields = {
        finding.what
        for finding in found.findings
        if not finding.what.startswith(_PREFIX) and (not found.as_of or finding.kind in KNOWN_EARLY)
    }
    activities = {
        finding.what.removeprefix(_PREFIX) for finding in found.findings if finding.kind in BELIEVED
    }
    return Barred(frozenset(fields), frozenset(activities))


def without(activities: pa.Table, kinds: frozenset[str]) -> pa.Table:
    """The activities without those kinds."""
    if not kinds:
        return activities
    named = pa.array(sorted(kinds), activities.schema.field("kind").type)
    return activities.filter(pc.invert(pc.is_in(activities["kind"], value_set=named)))


def knowing(rows: pa.Table, won: Bools, features: Sequence[FeatureLike]) -> tuple[str, ...]:
    """Features for the model that alone separate won from lost as no data can, on the training rows themselves, one a lead."""
    if min(int(won.sum()), int((~won).sum())) < FEW:
        return ()
    found = []
    for feature in features:
        if feature.role != "model":
            continue
        if feature.type == "number":
            codes = number_groups(number_column(rows, feature.name))
        else:
            codes = category_column(rows, feature.name)[0] + 1
        told = separation(codes, won)
        if told.auc - 2 * told.error >= TOO_GOOD - 0.02 and told.auc >= TOO_GOOD:
            found.append(feature.name)
    return tuple(found)
