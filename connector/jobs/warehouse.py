"""Tables of the engine that stand in for what Candor pulled (docs/engines.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import ibis
import pyarrow as pa

from connector.settings import Settings
from connector.store import asof
from scoring.features.engine import DEFAULT, connect, named
from scoring.features.inputs import InputError, checked_on_engine

Name = Literal["changes", "activities"]
NAMES: tuple[Name, ...] = ("changes", "activities")
_AUDITED = ("owner_id", "recorded_at")
"""columns of activities that the leakage audit looks at where they are there"""


_idle: list[Any] = []
"""DuckDB in this process, open and used by nobody right now"""


@contextmanager
def engine(settings: Settings, *, again: bool = False) -> Iterator[Any]:
    """The engine that the settings name, for as long as the context lasts. `again`: for a few leads, as will soon be asked for
    again; DuckDB in this process is then kept open, since opening and closing it takes a tenth of what they do. What was made
    for many leads is closed, so that its memory is free; what failed, too. Raises EngineError."""
    keep = again and settings.engine == DEFAULT
    try:
        found = _idle.pop() if keep else connect(settings.engine)
    except IndexError:  # none is open yet, or another thread has it
        found = connect(settings.engine)
    try:
        yield found
    except BaseException:
        keep = False
        raise
    finally:
        if keep:
            _idle.append(found)
        else:
            found.disconnect()


def named_in(settings: Settings) -> tuple[Name, ...]:
    """The tables that lie in a warehouse."""
    return tuple(name for name in NAMES if getattr(settings.warehouse, name))


def table(on: Any, settings: Settings, name: Name, barred: Collection[str] = ()) -> Any:
    """A table of the warehouse, as it lies there; activities without `barred` kinds. Raises EngineError."""
    found = named(on, getattr(settings.warehouse, name))
    return found.filter(~found.kind.isin(sorted(barred))) if barred else found


def of_leads(found: Any, name: Name, leads: pa.Table) -> None:
    """Raises InputError where a table has rows and none of them is of a lead that is known: its ids are of another kind."""
    if (
        found.semi_join(ibis.memtable(leads.select(["lead_id"])), "lead_id")
        .limit(1)
        .count()
        .to_pyarrow()
        .as_py()
    ):
        return
    if found.limit(1).count().to_pyarrow().as_py():
        raise InputError(
            f"`{name}` in the warehouse has rows, and none of them is of a lead that Candor knows: `lead_id` must be "
            "the CRM's own id of the lead."
        )


def look(settings: Settings, leads: Sequence[str]) -> dict[str, int]:
    """Each named table's rows, after a look at all of them. Raises EngineError, InputError."""
    if not named_in(settings):
        return {}
    known = pa.table({"lead_id": pa.array(leads, pa.string())})
    rows: dict[str, int] = {}
    with engine(settings) as on:
        for name in named_in(settings):
            found = checked_on_engine(name, table(on, settings, name))
            if leads:
                of_leads(found, name, known)
            rows[name] = int(found.count().to_pyarrow().as_py())
    return rows


def for_audit(
    on: Any, settings: Settings, name: Name, *, leads: Sequence[str], fields: Sequence[str] = ()
) -> pa.Table:
    """The rows of those leads (of changes: of those fields), as the audit takes them."""
    found = table(on, settings, name)
    if name == "changes":
        found = found.filter(found.field.isin(list(fields)))
        columns = list(asof.CHANGES)
    else:
        columns = ["activity_id", "lead_id", "at", "kind", *(c for c in _AUDITED if c in found.columns)]
    wanted = ibis.memtable(pa.table({"lead_id": pa.array(leads, pa.string())}))
    rows = found.semi_join(wanted, "lead_id").select(*columns).to_pyarrow()
    kinds = {**asof.AUDITED, **asof.CHANGES}
    return pa.table({column: rows[column].cast(kinds[column]) for column in columns})
