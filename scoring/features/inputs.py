"""What `build` takes: four Arrow tables and the list of facts that may describe a lead, checked at the door.

Inside this package times are whole microseconds since 1970 (int64): the same arithmetic on every engine, and
no session time zone can move a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from scoring.errors import ScoringError

DAY = 86_400_000_000
HOUR = 3_600_000_000
MINUTE = 60_000_000
"""Microseconds."""

END_OF_TIME = 2**62

_TEXT, TIME, _FLAG, _FLOAT, _INT = (
    pa.string(),
    pa.timestamp("us", "UTC"),
    pa.bool_(),
    pa.float64(),
    pa.int64(),
)

COLUMNS: dict[str, dict[str, tuple[pa.DataType, Literal["required", "blank allowed", "optional"]]]] = {
    "points": {"lead_id": (_TEXT, "required"), "as_of": (TIME, "required")},
    "leads": {
        "lead_id": (_TEXT, "required"),
        "created_at": (TIME, "required"),
        "account_key": (_TEXT, "optional"),
        "email": (_TEXT, "optional"),
    },
    "changes": {
        "lead_id": (_TEXT, "required"),
        "field": (_TEXT, "required"),
        "at": (TIME, "required"),
        "value": (_TEXT, "blank allowed"),
    },
    "activities": {
        "activity_id": (_TEXT, "required"),
        "lead_id": (_TEXT, "required"),
        "at": (TIME, "required"),
        "kind": (_TEXT, "required"),
        "actor": (_TEXT, "required"),
        "session": (_TEXT, "optional"),
        "url": (_TEXT, "optional"),
        "area": (_TEXT, "optional"),
        "content": (_TEXT, "optional"),
        "channel": (_TEXT, "optional"),
        "subject": (_TEXT, "optional"),
        "answered": (_FLAG, "optional"),
        "minutes": (_FLOAT, "optional"),
        "cc_count": (_INT, "optional"),
        "owner_id": (_TEXT, "optional"),
    },
}
"""Table -> column -> its type, and whether it may be blank or absent."""

KEYS = {"leads": ("lead_id",), "activities": ("activity_id", "lead_id")}
ACTORS = frozenset({"person", "machine", "unsure"})


REFUSED = frozenset({"status", "owner_id", "owner", "deal_id", "contact_id", "converted_at"})
"""Fields that tell the outcome, or who works the lead, instead of describing it; so do all candor_*
fields."""


class InputError(ScoringError):
    """The tables or facts given to the feature builder are not what docs/architecture.md §4 promises."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A mapped field that may describe a lead. `label` is the org's own name for it."""

    name: str
    type: Literal["number", "category", "text", "flag"]
    label: str

    def __post_init__(self) -> None:
        if self.name in REFUSED or self.name.startswith("candor_"):
            raise InputError(
                f"The field `{self.name}` may not describe a lead: it tells the outcome, the work done on "
                f"it, or what "
                "Candor itself wrote.",
                fix="Take it out of the facts in the mapping file.",
            )
        if not self.name or self.name.startswith("~"):
            raise InputError(
                f"A fact can't be called {self.name!r}.", fix="Give it the canonical name of its field."
            )
        if self.type not in ("number", "category", "text", "flag"):
            raise InputError(
                f"The fact `{self.name}` has the type {self.type!r}.",
                fix="Use number, category, text or flag.",
            )


@dataclass(frozen=True, slots=True)
class Inputs:
    """`points` are (lead, time) pairs in any number and order. The other tables hold whatever is known, later
    rows included: what happened after a point's `as_of` is not looked at.

    For a few points it is enough to give the leads of their companies (same account, or same company e-mail
    domain), with all changes and activities of those; the features are then the same as in a build of
    everything.

    `leads.account_key` must be what was known while the lead was open, never the account that its conversion
    made. Where `changes` follow the field `account_id` (or `email`) of a lead, those dated values are used
    instead.
    """

    points: pa.Table
    leads: pa.Table
    changes: pa.Table
    activities: pa.Table


def checked(inputs: Inputs) -> Inputs:
    """The same tables with exactly the contract's columns and types, times as microseconds, and `point`
    numbered. Raises InputError."""
    tables = {name: _typed(name, getattr(inputs, name)) for name in COLUMNS}
    for name, keys in KEYS.items():
        repeats = (
            tables[name].num_rows - tables[name].select(keys).group_by(list(keys)).aggregate([]).num_rows
        )
        if repeats:
            raise InputError(
                f"`{name}` repeats {repeats} row(s) of the same {' and '.join(keys)}. Give each once."
            )
    actors = set(pc.unique(tables["activities"]["actor"]).to_pylist()) - ACTORS
    if actors:
        raise InputError(f"`activities.actor` holds {sorted(actors)}; it must be one of {sorted(ACTORS)}.")
    leads = tables["leads"]["lead_id"].combine_chunks()
    numbered = {name: _numbered(table, leads) for name, table in tables.items()}
    strangers = numbered["points"]["lead_id"].null_count
    if strangers:
        raise InputError(
            f"{strangers} point(s) name a lead that is not in `leads`. Add those leads, or drop them."
        )
    points = numbered["points"].append_column("point", pa.array(range(tables["points"].num_rows), pa.int64()))
    return Inputs(points, numbered["leads"], numbered["changes"], numbered["activities"])


def _numbered(table: pa.Table, leads: pa.Array) -> pa.Table:
    """Leads by their row in `leads`: numbers are joined and sorted twice as fast as text. Rows of leads that are
    not given get no number and are joined to nothing."""
    rows = pc.index_in(table["lead_id"], value_set=leads).cast(_INT)
    return table.set_column(table.column_names.index("lead_id"), "lead_id", rows)


def _typed(name: str, table: pa.Table) -> pa.Table:
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for column, (kind, presence) in COLUMNS[name].items():
        if column not in table.column_names:
            if presence != "optional":
                raise InputError(f"`{name}` has no column `{column}` ({kind}). It has {table.column_names}.")
            columns[column] = pa.nulls(table.num_rows, kind)
            continue
        values = table[column]
        if kind == TIME and not (pa.types.is_timestamp(values.type) and values.type.tz == "UTC"):
            raise InputError(f"`{name}.{column}` is {values.type}; times must be timestamp('us', 'UTC').")
        try:
            values = values.cast(kind)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"`{name}.{column}` is {values.type} and can't be read as {kind}: {error}"
            ) from None
        if presence == "required" and values.null_count:
            raise InputError(f"`{name}.{column}` is blank in {values.null_count} row(s); it may not be.")
        columns[column] = values.cast(_INT) if kind == TIME else values
    return pa.table(columns)


def checked_facts(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts in the order given. A name given twice (capitals don't count: columns are named after them)
    raises InputError; Fact itself refuses names that tell the outcome."""
    names = [fact.name.casefold() for fact in facts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"These facts are listed twice: {', '.join(twice)}. Map each field once.")
    return tuple(facts)
