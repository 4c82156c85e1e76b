"""Features for any (lead, time) pairs: one definition for training, backtest, nightly scoring and a single
touched lead."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scoring.features import actors, asof, behavioural, firmographic, graph, temporal, touches
from scoring.features.catalogue import catalogue
from scoring.features.inputs import TIME, Fact, Inputs, Tables, checked, checked_facts

DECIMALS = 6
"""Numbers are rounded to this, so that sums don't depend on the order in which an engine adds."""


def build(con: Any, inputs: Inputs, facts: Sequence[Fact]) -> pa.Table:
    """A row for each point, in the order of the points: lead_id, as_of, then the columns of
    `catalogue(facts)`.

    Numbers are float64, categories strings, null where unknown. Raises InputError when the tables are not
    what the contract says.
    """
    facts = checked_facts(facts)
    with _workspace(con) as keep:
        tables = checked(keep, inputs)
        lately = keep(touches.recent(tables.activities, tables.first))
        life = keep(touches.lifetime(tables.activities))
        said = keep(_said(tables, facts))
        values = said.union(keep(firmographic.first_known(said, tables.leads)))
        derived = keep(_words(values))
        parts = [
            *_own(keep, tables, lately, life),
            _record(keep, tables.points, values, derived, facts),
            *_company(keep, tables, lately, life, values, derived),
        ]
        row = tables.points.inner_join(tables.leads.select("lead_id", "created_at"), "lead_id")
        for part in parts:
            row = row.left_join(keep(part), "point").drop("point_right")
        row = row.mutate(
            **behavioural.features(row),
            **temporal.features(row),
            **graph.features(row),
            **actors.features(row),
        )
        return _finished(row, inputs.points, facts)


def _said(tables: Tables, facts: Sequence[Fact]) -> Any:
    """What each field said when."""
    spans = asof.spans(tables.changes, firmographic.read_fields(facts), firmographic.unread(facts))
    return firmographic.shortened(spans)


def _words(values: Any) -> Any:
    """The words derived from the texts of an org."""
    worded = values.filter(values.field.isin(sorted(firmographic.WORDS)), values.value.notnull())
    return firmographic.words(worded.select("field", "value").distinct().to_pyarrow())


def _own(keep: Any, tables: Tables, lately: Any, life: Any) -> Iterator[Any]:
    """What the lead's own activities say."""
    points = tables.points
    seen = touches.seen_from(points, lately, touches.RECENT)
    yield seen.group_by("point").aggregate(
        **behavioural.counts(seen), **temporal.counts(seen), **actors.counts(seen)
    )
    yield behavioural.distinct(seen, "area", 30, "areas")
    yield behavioural.distinct(seen, "channel", 14, "channels")
    page = touches.seen_from(points, touches.pages(lately), 30)
    yield page.group_by("point").aggregate(**behavioural.visits(page))
    reply = touches.seen_from(points, touches.replies(tables.activities, lately), touches.RECENT)
    yield reply.group_by("point").aggregate(reply_after=reply.after.median())
    yield temporal.lifetime(points, life)
    pause = touches.seen_from(points, touches.pauses(life), temporal.PAUSES)
    yield pause.group_by("point").aggregate(**temporal.pauses(pause))


def _record(keep: Any, points: Any, values: Any, derived: Any, facts: Sequence[Fact]) -> Any:
    """What its record says."""
    fields = firmographic.number_fields(facts)
    known = keep(asof.known(points, values, firmographic.read_fields(facts)))
    known = firmographic.with_words(known, derived)
    known = firmographic.with_numbers(known, keep(firmographic.numbers(values, fields)), fields)
    return known.select("~referred", point=known["~point"], **firmographic.features(known, facts))


def _company(keep: Any, tables: Tables, lately: Any, life: Any, values: Any, derived: Any) -> Iterator[Any]:
    """What colleagues' activities and records say."""
    points = tables.points
    company = keep(graph.companies(keep(graph.named(values, derived, tables.leads))))
    side = keep(graph.sides(points, company))
    yield side.select("point").distinct().mutate(company_known=True)
    touch = keep(graph.touched(lately, tables.first))
    mate = keep(graph.mates(side, company, touch))
    month = keep(graph.months(graph.moments(points, mate), touch))
    person = keep(graph.people(month, values, derived))
    yield graph.own(points, person)
    yield graph.activity(mate, person)
    yield graph.same_day(points, mate, month)
    yield graph.together(points, mate, keep(graph.occasions(month)))
    yield graph.following(side, company, life)
    yield graph.introduced(side, company, life)


def _finished(row: Any, points: pa.Table, facts: Sequence[Fact]) -> pa.Table:
    """The catalogue's columns in its order and types, beside each point's lead and time."""
    columns = {
        feature.name: row[feature.name] if feature.type == "category" else row[feature.name].cast("float64")
        for feature in catalogue(facts)
    }
    found = row.select("point", **columns).order_by("point").to_pyarrow().drop_columns(["point"])
    table = pa.table({"lead_id": points["lead_id"].cast(pa.string()), "as_of": points["as_of"].cast(TIME)})
    for name, column in zip(found.column_names, found.columns, strict=True):
        table = table.append_column(name, _rounded(column))
    return table


def _rounded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """To DECIMALS, by Arrow, since engines round halves in ways of their own: a whole number of millionths over a million, so
    that what differs in its last bit comes out as the same number. Beyond 2**53 millionths there is nothing to round."""
    if not pa.types.is_floating(column.type):
        return column
    scale = float(10**DECIMALS)
    whole = pc.divide(pc.round(pc.multiply(column, scale)), scale)
    return pc.if_else(pc.less(pc.abs(column), 2**53 / scale), whole, column)


@contextmanager
def _workspace(con: Any) -> Iterator[Any]:
    """keep(table): an Arrow table or an expression, computed once and kept on the engine until the block
    ends."""
    names: list[str] = []

    def keep(table: Any) -> Any:
        name = f"candor_{uuid.uuid4().hex}"
        kept = con.create_table(name, table, temp=True if con.supports_temporary_tables else None)
        names.append(name)
        return kept

    try:
        yield keep
    finally:
        for name in names:
            con.drop_table(name, force=True)
