"""Features for any (lead, time) pairs: one definition for training, backtest, nightly scoring and a single
touched lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from scoring.features import (
    actors,
    asof,
    behavioural,
    copied,
    dates,
    firmographic,
    graph,
    numbers,
    process,
    temporal,
    touches,
)
from scoring.features.catalogue import catalogue
from scoring.features.engine import connect
from scoring.features.inputs import (
    TIME,
    Fact,
    Inputs,
    Tables,
    checked,
    checked_facts,
    empty,
    no_strangers,
    on_engine,
    promised,
    span,
)
from scoring.features.process import Process
from scoring.features.workspace import Planning, Step, Workspace

DECIMALS = 6
"""Numbers are rounded to this, so that sums don't depend on the order in which an engine adds."""


def build(con: Any, inputs: Inputs, facts: Sequence[Fact], steps: Process | None = None) -> pa.Table:
    """A row for each point, in the order of the points: lead_id, as_of, then the columns of
    `catalogue(facts, steps)`.

    Numbers are float64, categories strings, null where unknown. Raises InputError when the tables are not
    what the contract says.
    """
    facts = checked_facts(facts)
    given = checked(inputs)
    if con.name == "duckdb" and not any(isinstance(table, ibis.Table) for table in given.values()):
        first, last = span(given["points"])
        with Workspace(con) as work:
            found = work.again(_plan(facts, steps, graph.CROWD), given, {"first": first, "last": last})
    else:
        with Workspace(con) as work:
            here = {n: t if isinstance(t, ibis.Table) else work.put(n, t) for n, t in promised(given).items()}
            tables = on_engine(work.keep, here, *span(given["points"]))
            no_strangers(tables.points)
            found = work.fetch(_row(work, tables, facts, steps))
    return _beside(inputs.points, found.drop_columns(["point"]))


@lru_cache(maxsize=8)
def _plan(facts: tuple[Fact, ...], steps: Process | None, crowd: int) -> tuple[Step, ...]:
    """How DuckDB gets from Arrow tables to the features of an org with these facts, once a process: what it takes to plan
    would be most of what a few leads take. `crowd` is graph.CROWD, which the steps hold."""
    con = connect()
    try:
        with Planning(con) as work:
            here = {name: work.put(name, table) for name, table in empty().items()}
            tables = on_engine(work.keep, here, work.number("first", 0), work.number("last", 0))
            return work.all_to(_row(work, tables, facts, steps))
    finally:
        con.disconnect()


def _row(work: Workspace, tables: Tables, facts: Sequence[Fact], steps: Process | None) -> Any:
    """The result: a row for each point, in their order, with the catalogue's columns in its order and types."""
    keep = work.keep
    lately = keep(touches.recent(tables.activities, tables.first))
    life = keep(touches.lifetime(tables.activities))
    said = keep(_said(tables, facts))
    values = said.union(keep(firmographic.first_known(said, tables.leads)))
    derived = work.tell(_worded(values), firmographic.words)
    row = tables.points.inner_join(tables.leads.select("lead_id", "created_at"), "lead_id")
    parts = (
        *_own(tables, lately, life),
        _record(keep, tables.points, values, derived, facts),
        *_company(work, tables, lately, life, values, derived),
        *_dates(work, tables.points, said, dates.fields(facts)),
        *([] if steps is None else [_done(keep, tables, steps)]),
    )
    for number, part in enumerate(parts):
        # Keys of names of their own: one list of joins, where a column dropped after each would nest them.
        of = keep(part.rename({f"~of {number}": "point"}))
        row = row.left_join(of, row.point == of[f"~of {number}"])
    row = row.mutate(
        **behavioural.features(row),
        **temporal.features(row),
        **graph.features(row),
        **actors.features(row),
    )
    columns = {
        feature.name: row[feature.name] if feature.type == "category" else row[feature.name].cast("float64")
        for feature in catalogue(facts, steps)
    }
    return row.select("point", **columns).order_by("point")


def _said(tables: Tables, facts: Sequence[Fact]) -> Any:
    """What each field said when."""
    spans = asof.spans(tables.changes, firmographic.read_fields(facts), firmographic.unread(facts))
    return firmographic.shortened(spans)


def _worded(values: Any) -> Any:
    """(field, value): the texts of an org that words are derived from."""
    worded = values.filter(values.field.isin(sorted(firmographic.WORDS)), values.value.notnull())
    return worded.select("field", "value").distinct()


def _own(tables: Tables, lately: Any, life: Any) -> Iterator[Any]:
    """What the lead's own activities say."""
    points = tables.points
    seen = touches.seen_from(points, lately, touches.RECENT)
    yield seen.group_by("point").aggregate(
        **behavioural.counts(seen), **temporal.counts(seen), **actors.counts(seen)
    )
    yield behavioural.distinct(seen, "area", 30, "areas")
    yield behavioural.distinct(seen, "channel", 14, "channels")
    page = touches.seen_from(points, touches.pages(lately, tables.first), 30)
    yield page.group_by("point").aggregate(**behavioural.visits(page))
    reply = touches.seen_from(points, touches.replies(tables.activities_of, lately), touches.RECENT)
    yield reply.group_by("point").aggregate(reply_after=reply.after.median())
    yield temporal.lifetime(points, life)
    pause = touches.seen_from(points, touches.pauses(life, tables.first, temporal.PAUSES), temporal.PAUSES)
    yield pause.group_by("point").aggregate(**temporal.pauses(pause))


def _done(keep: Any, tables: Tables, steps: Process) -> Any:
    """What was done with the lead, step by step."""
    born = tables.points.inner_join(tables.leads.select("lead_id", "created_at"), "lead_id")
    seen = process.seen_from(born, keep(process.events(tables.activities, tables.changes)))
    return seen.group_by("point").aggregate(**process.features(seen, steps))


def _record(keep: Any, points: Any, values: Any, derived: Any, facts: Sequence[Fact]) -> Any:
    """What its record says."""
    fields = firmographic.number_fields(facts)
    known = keep(asof.known(points, values, firmographic.read_fields(facts)))
    known = firmographic.with_words(known, derived)
    known = firmographic.with_numbers(known, keep(numbers.read(keep, values, fields)), fields)
    return known.select("~referred", point=known["~point"], **firmographic.features(known, facts))


def _dates(work: Workspace, points: Any, said: Any, fields: Sequence[str]) -> Iterator[Any]:
    """What its date fields say."""
    if fields:
        spans = work.keep(dates.spans(said, fields))
        read = work.tell(spans.select("value").distinct(), dates.told)
        yield dates.known(points, dates.named(spans, read), fields)


def _company(
    work: Workspace, tables: Tables, lately: Any, life: Any, values: Any, derived: Any
) -> Iterator[Any]:
    """What colleagues' activities and records say."""
    points, keep = tables.points, work.keep
    named = keep(graph.named(values, derived, tables.leads))
    company = keep(graph.companies(named))
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
    copy = keep(copied.copies(tables.activities, tables.first))
    yield copied.counted(
        side, company, named, copy, work.tell(copy.select("host").distinct(), copied.domains)
    )
    yield graph.following(side, company, life)
    yield graph.introduced(side, company, life)


def _beside(points: pa.Table, features: pa.Table) -> pa.Table:
    """Each point's lead and time, and its features."""
    table = pa.table({"lead_id": points["lead_id"].cast(pa.string()), "as_of": points["as_of"].cast(TIME)})
    for name, column in zip(features.column_names, features.columns, strict=True):
        table = table.append_column(name, _rounded(column))
    return table


def _rounded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """To DECIMALS, by Arrow, since engines round halves in ways of their own: a whole number of millionths over a million, so
    that what differs in its last bit comes out as the same number. Beyond 2**53 millionths there is nothing to round."""
    if pa.types.is_string(column.type):
        return column
    column = column.cast(pa.float64())  # DuckDB takes 1.0 in its SQL for a decimal
    scale = float(10**DECIMALS)
    whole = pc.divide(pc.round(pc.multiply(column, scale)), scale)
    return pc.if_else(pc.less(pc.abs(column), 2**53 / scale), whole, column)
