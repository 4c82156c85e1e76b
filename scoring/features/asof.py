"""The record as it was known at a time, from the dated changes of its fields."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ibis

from scoring.features.inputs import END_OF_TIME

Table = Any
"""An ibis table; ibis has no types."""


def spans(changes: Table, fields: Collection[str], marked: Collection[str] = ()) -> Table:
    """(lead_id, field, value, since, until): each value a field had, from `since` on and before `until`, by changes. Of fields that are `marked` it is only said that they had one.

    Of several changes at the same moment the last in order of their text holds, so that the order of rows
    never matters; the others get an empty span.
    """
    changes = changes.filter(changes.field.isin(sorted(fields)))
    mark = changes.field.isin(sorted(marked)) & changes.value.notnull()
    changes = changes.select(
        "lead_id",
        "field",
        value=mark.ifelse("x", changes.value) if marked else changes.value,
        since=changes["at"],
    )
    in_time = ibis.window(
        group_by=["lead_id", "field"], order_by=["since", changes.value.asc(nulls_first=True)]
    )
    return changes.mutate(until=changes.since.lead().over(in_time).fill_null(END_OF_TIME))


def known(points: Table, values: Table, fields: Collection[str]) -> Table:
    """(~point, one text column a field): what `values`, which are spans, say at each point's `as_of`."""
    said = values.filter(values.value.notnull())
    then = points.inner_join(
        said,
        [
            points.lead_id == said.lead_id,
            said.since <= points.as_of,
            said.until > points.as_of,
        ],
    )
    # spans of a field never overlap: there is one value or none
    then = then.group_by("point").aggregate(
        **{name: then.value.arbitrary(where=then.field == name) for name in sorted(fields)}
    )
    return points.select(**{"~point": points.point}).left_join(then, [("~point", "point")]).drop("point")
