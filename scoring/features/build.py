"""Features for any (lead, time) pairs: one definition for training, backtest, nightly scoring and a single
touched lead."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import pyarrow as pa

from scoring.features import actors, asof, behavioural, firmographic, graph, process, temporal, touches
from scoring.features.catalogue import Feature, catalogue
from scoring.features.inputs import TIME, Fact, Inputs, checked, checked_facts
from scoring.features.process import Process

DECIMALS = 6
"""Numbers are rounded to this, so that sums don't depend on the order in which an engine adds."""


def connect(threads: int = 1) -> Any:
    """DuckDB in this process, in memory, spilling into a folder of its own that goes with the connection. It
    fetches no extension."""
    folder = tempfile.mkdtemp(prefix="candor-features-")
    con = ibis.duckdb.connect(
        threads=threads,
        temp_directory=folder,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con


def build(con: Any, inputs: Inputs, facts: Sequence[Fact], steps: Process | None = None) -> pa.Table:
    """A row for each point, in the order of the points: lead_id, as_of, then the columns of
    `catalogue(facts, steps)`.

    Numbers are float64, categories strings, null where unknown. Raises InputError when the tables are not
    what the contract says.
    """
    facts = checked_facts(facts)
    tables = checked(inputs)
    with _workspace(con) as keep:
        points, leads = keep(tables.points), keep(tables.leads)
        touched = keep(touches.enriched(keep(tables.activities)))
        values = _values(keep, keep(tables.changes), leads, facts)
        row = keep(_own(points, leads, touched, values, facts))
        row = keep(_with_company(keep, row, points, leads, touched, values))
        if steps is not None:
            row = keep(row.inner_join(_done(keep, points, leads, tables, steps), "point"))
        return _finished(row, inputs.points, catalogue(facts, steps))


def _values(keep: Any, changes: Any, leads: Any, facts: Sequence[Fact]) -> Any:
    """What each field said when, and the words derived from it."""
    raw = keep(firmographic.with_first_known(asof.spans(changes, firmographic.read_fields(facts)), leads))
    worded = raw.filter(raw.field.isin(sorted(firmographic.WORDS)), raw.value.notnull())
    distinct = worded.select("field", "value").distinct().to_pyarrow()
    return keep(firmographic.with_words(raw, keep(firmographic.words(distinct))))


def _own(points: Any, leads: Any, touched: Any, values: Any, facts: Sequence[Fact]) -> Any:
    """What the lead's own activities and record say."""
    born = points.inner_join(leads, "lead_id")
    aged = born.select("point", "lead_id", "as_of", lead_age=ibis.greatest(born.as_of - born.created_at, 0))
    seen = touches.seen_from(aged, touched)
    doing = seen.group_by("point").aggregate(
        **behavioural.features(seen), **temporal.features(seen), **actors.features(seen)
    )
    derived = {name for rules in firmographic.WORDS.values() for name in rules}
    known = asof.known(points, values, firmographic.read_fields(facts) | derived)
    being = known.select("~referred", point=known["~point"], **firmographic.features(known, facts))
    return doing.inner_join(being, "point")


def _done(keep: Any, points: Any, leads: Any, tables: Inputs, steps: Process) -> Any:
    """What was done with the lead, step by step."""
    born = points.inner_join(leads, "lead_id").select("point", "lead_id", "as_of", "created_at")
    seen = process.seen_from(born, keep(process.events(keep(tables.activities), keep(tables.changes))))
    return seen.group_by("point").aggregate(**process.features(seen, steps))


def _with_company(keep: Any, row: Any, points: Any, leads: Any, touched: Any, values: Any) -> Any:
    """The row, and what colleagues' activities and records say."""
    company = keep(graph.keys(values, leads))
    member = keep(graph.members(points, company))
    touch = keep(graph.recent(member, touched))
    for part in (
        graph.with_company(points, company),
        graph.activity(touch),
        graph.coordination(touch),
        graph.committee(touch, member, values),
        graph.following(member, touched),
    ):
        row = row.left_join(part, "point").drop("point_right")
    return row.mutate(**graph.features(row))


def _finished(row: Any, points: pa.Table, features: Sequence[Feature]) -> pa.Table:
    """The catalogue's columns in its order and types, beside each point's lead and time."""
    columns = {
        feature.name: row[feature.name]
        if feature.type == "category"
        else row[feature.name].cast("float64").round(DECIMALS)
        for feature in features
    }
    found = row.select("point", **columns).order_by("point").to_pyarrow().drop_columns(["point"])
    table = pa.table({"lead_id": points["lead_id"].cast(pa.string()), "as_of": points["as_of"].cast(TIME)})
    for name, column in zip(found.column_names, found.columns, strict=True):
        table = table.append_column(name, column)
    return table


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
