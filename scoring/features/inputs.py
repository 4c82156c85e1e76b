"""What `build` takes: four tables and the list of facts that may describe a lead, checked at the door.

Inside this package times are whole microseconds since 1970 (int64): the same arithmetic on every engine, and
no session time zone can move a day. Leads are numbers (int64): joined and sorted twice as fast as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from scoring.errors import ScoringError
from scoring.features.normalise import BLANKS

DAY = 86_400_000_000
HOUR = 3_600_000_000
MINUTE = 60_000_000
"""Microseconds."""

END_OF_TIME = 2**62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TEXT, TIME, _FLAG, _FLOAT, _INT = (
    pa.string(),
    pa.timestamp("us", "UTC"),
    pa.bool_(),
    pa.float64(),
    pa.int64(),
)

_TYPES = {_TEXT: "string", TIME: "int64", _FLAG: "boolean", _FLOAT: "float64", _INT: "int64"}
"""The same for an engine; times as they are computed with."""

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
        "cc": (_TEXT, "optional"),
        "owner_id": (_TEXT, "optional"),
    },
}
"""Table -> column -> its type, and whether it may be blank or absent."""

KEYS = {"leads": ("lead_id",), "activities": ("activity_id", "lead_id")}
ACTORS = frozenset({"person", "machine", "unsure"})
KINDS = frozenset({
    "page_view", "form", "download", "webinar", "email_sent", "email_opened", "email_clicked", "email_replied",
    "email_forwarded", "call", "meeting", "task", "campaign_response",
})  # fmt: skip
_WORDS = {"actor": ACTORS, "kind": KINDS}
"""Columns of activities that hold one of a few words."""
_SHOWN = 5
"""strange words that are named"""

REFUSED = frozenset({"status", "owner_id", "owner", "deal_id", "contact_id", "converted_at"})
"""Fields that tell the outcome, or who works the lead, instead of describing it; so do all candor_*
fields."""


class InputError(ScoringError):
    """The tables or facts given to the feature builder are not what docs/architecture.md §4 promises."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A mapped field that may describe a lead. `label` is the org's own name for it. A "date" is one that the buyer named,
    such as when they need it: a field or a form's answer."""

    name: str
    type: Literal["number", "category", "text", "flag", "date"]
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
        if self.type not in ("number", "category", "text", "flag", "date"):
            raise InputError(
                f"The fact `{self.name}` has the type {self.type!r}.",
                fix="Use number, category, text, flag or date.",
            )


@dataclass(frozen=True, slots=True)
class Inputs:
    """`points` are (lead, time) pairs in any number and order. The other tables hold whatever is known, later
    rows included: what happened after a point's `as_of` is not looked at.

    They are Arrow tables, or Ibis tables of the engine that computes: Parquet files, a warehouse's own. Those are
    read where they lie and never brought here, so they may be larger than memory. Their times may also be whole
    microseconds since 1970 (int64), which engines read several times as fast. That `activities` holds each
    activity of a lead once is then their owner's promise: it would cost a tenth of the whole to check.

    For a few points it is enough to give the leads of their companies (same account, or same company e-mail
    domain), with all changes and activities of those; the features are then the same as in a build of
    everything.

    `leads.account_key` must be what was known while the lead was open, never the account that its conversion
    made. Where `changes` follow the field `account_id` (or `email`) of a lead, those dated values are used
    instead.
    """

    points: pa.Table
    leads: Any
    changes: Any
    activities: Any


@dataclass(frozen=True, slots=True)
class Tables:
    """The inputs on the engine, with the contract's columns and types, times as microseconds, leads as numbers.

    `points` (point, lead_id, as_of) and `leads` are computed once; `changes` and `activities` are expressions over what was
    given, without what comes after the last point, values of changes without space around them and blanks as null.
    `activities_of`: the same activities of just the leads in a table. `first` and `last`: the earliest and latest `as_of`.
    """

    points: Any
    leads: Any
    changes: Any
    activities: Any
    activities_of: Callable[[Any], Any]
    first: Any
    last: Any


def checked(inputs: Inputs) -> dict[str, Any]:
    """What was given, by name, as the contract wants it: Arrow tables with exactly its columns and types, times as
    microseconds and `point` numbered; Ibis tables as they are. Raises InputError."""
    tables = {name: getattr(inputs, name) for name in COLUMNS}
    tables = {name: t if isinstance(t, ibis.Table) else _arrow(name, t) for name, t in tables.items()}
    points, leads = tables["points"], tables["leads"]
    if isinstance(leads, pa.Table):
        known = pc.is_in(points["lead_id"], value_set=leads["lead_id"].combine_chunks())
        _no_strangers(points.num_rows - (pc.sum(known).as_py() or 0))
    tables["points"] = points.append_column("point", pa.array(range(points.num_rows), pa.int64()))
    return tables


def empty() -> dict[str, pa.Table]:
    """Checked tables without rows."""
    none = {
        name: pa.schema([(column, kind) for column, (kind, _) in columns.items()]).empty_table()
        for name, columns in COLUMNS.items()
    }
    return checked(Inputs(**none))


def span(points: pa.Table) -> tuple[int, int]:
    """The earliest and the latest `as_of` of checked points, in microseconds; of none, a span in which nothing lies."""
    times = pc.min_max(points["as_of"]).as_py()
    return (times["min"], times["max"]) if points.num_rows else (0, -END_OF_TIME)


def on_engine(keep: Callable[[Any], Any], given: Mapping[str, Any], first: Any, last: Any) -> Tables:
    """The checked tables as the features read them; all are Ibis tables by now. `keep` computes an expression once."""
    numbers = keep(given["leads"].mutate(number=ibis.row_number().over(order_by="lead_id").cast("int64")))
    by_name = numbers.select("number", name="lead_id")
    points, changes = given["points"], given["changes"]
    points = points.left_join(by_name, points.lead_id == by_name.name)

    def activities_of(some: Any) -> Any:
        return _numbered(given["activities"], by_name.semi_join(some, by_name.number == some.lead_id), last)

    return Tables(
        points=keep(points.select("point", "as_of", lead_id="number")),
        leads=numbers.drop("lead_id").rename(lead_id="number"),
        changes=_numbered(changes.mutate(value=_cleaned(changes.value)), by_name, last),
        activities=_numbered(given["activities"], by_name, last),
        activities_of=activities_of,
        first=first,
        last=last,
    )


def promised(given: Mapping[str, Any]) -> dict[str, Any]:
    """The checked tables where those that lie on the engine have the contract's columns and types too, after one look at all
    of their rows. Raises InputError."""
    return {
        name: checked_on_engine(name, t) if isinstance(given[name], ibis.Table) else t
        for name, t in given.items()
    }


def no_strangers(points: Any) -> None:
    """Raises InputError when a point's lead is not among the leads."""
    _no_strangers(points.lead_id.isnull().sum().to_pyarrow().as_py() or 0)


def _no_strangers(strangers: int) -> None:
    if strangers:
        raise InputError(
            f"{strangers} point(s) name a lead that is not in `leads`. Add those leads, or drop them."
        )


def bare(text: Any) -> Any:
    """The text without space around it. Cutting costs ten times the look whether there is anything to cut."""
    return ((text < "!") | (text.right(1) < "!")).ifelse(text.strip(), text)


def _cleaned(text: Any) -> Any:
    """The same; what stands for "nothing" as null."""
    text = bare(text)
    return text.lower().isin(sorted(BLANKS)).ifelse(None, text)


def _numbered(table: Any, by_name: Any, last: Any) -> Any:
    """Rows up to the last point, of leads that are given: those of others are joined to nothing."""
    found = table.filter(table["at"] <= last).rename(name="lead_id").inner_join(by_name, "name")
    return found.drop("name").rename(lead_id="number")


def checked_on_engine(name: str, table: Any) -> Any:
    """A table that lies on the engine with the contract's columns and types, after one look at all of its rows. Raises
    InputError."""
    columns: dict[str, Any] = {}
    required = []
    for column, (kind, presence) in COLUMNS[name].items():
        if column not in table.columns:
            if presence != "optional":
                raise _lacks(name, column, kind, list(table.columns))
            columns[column] = ibis.literal(None, _TYPES[kind])
            continue
        values = table[column]
        if kind == TIME and not (
            values.type().is_int64() or getattr(values.type(), "timezone", None) == "UTC"
        ):
            raise _not_a_time(name, column, values.type())
        columns[column] = _microseconds(values) if kind == TIME else values.cast(_TYPES[kind])
        if presence == "required":
            required.append(column)
    # counted, since a file's or a warehouse's own statistics tell how many are filled without a look at them
    filled = _only_row(table.aggregate(rows=table.count(), **{c: table[c].count() for c in required}))
    for column in required:
        _no_blanks(name, column, filled["rows"] - filled[column])
    if name == "activities":
        used = table.select(*_WORDS).distinct().to_pyarrow()
        for column in _WORDS:
            _known_words(column, used[column].to_pylist())
    if name == "leads":
        _unique(name, filled["rows"] - _only_row(table.aggregate(leads=table.lead_id.nunique()))["leads"])
    return table.select(**columns)


def _only_row(table: Any) -> dict[str, int]:
    row: dict[str, int] = table.to_pyarrow().to_pylist()[0]
    return row


def _microseconds(values: Any) -> Any:
    """Whole microseconds since 1970 of a moment, where it isn't given as such."""
    return values if values.type().is_int64() else values.delta(ibis.literal(EPOCH), unit="microsecond")


def _arrow(name: str, table: pa.Table) -> pa.Table:
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for column, (kind, presence) in COLUMNS[name].items():
        if column not in table.column_names:
            if presence != "optional":
                raise _lacks(name, column, kind, table.column_names)
            columns[column] = pa.nulls(table.num_rows, kind)
            continue
        values = table[column]
        if kind == TIME and not (pa.types.is_timestamp(values.type) and values.type.tz == "UTC"):
            raise _not_a_time(name, column, values.type)
        try:
            values = values.cast(kind)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"`{name}.{column}` is {values.type} and can't be read as {kind}: {error}"
            ) from None
        if presence == "required":
            _no_blanks(name, column, values.null_count)
        columns[column] = values.cast(_INT) if kind == TIME else values
    typed = pa.table(columns)
    if name in KEYS:
        keys = list(KEYS[name])
        _unique(name, typed.num_rows - typed.select(keys).group_by(keys).aggregate([]).num_rows)
    if name == "activities":
        for column in _WORDS:
            _known_words(column, pc.unique(typed[column]).to_pylist())
    return typed


def _lacks(name: str, column: str, kind: pa.DataType, has: list[str]) -> InputError:
    return InputError(f"`{name}` has no column `{column}` ({kind}). It has {has}.")


def _not_a_time(name: str, column: str, kind: object) -> InputError:
    return InputError(f"`{name}.{column}` is {kind}; times must be timestamp('us', 'UTC').")


def _no_blanks(name: str, column: str, blanks: int) -> None:
    if blanks:
        raise InputError(f"`{name}.{column}` is blank in {blanks} row(s); it may not be.")


def _unique(name: str, repeats: int) -> None:
    if repeats:
        keys = " and ".join(KEYS[name])
        raise InputError(f"`{name}` repeats {repeats} row(s) of the same {keys}. Give each once.")


def _known_words(column: str, found: Sequence[str | None]) -> None:
    if strange := {word for word in found if word is not None} - _WORDS[column]:
        raise InputError(
            f"`activities.{column}` holds {', '.join(sorted(strange)[:_SHOWN])}; it must be one of "
            f"{', '.join(sorted(_WORDS[column]))}."
        )


def checked_facts(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts in the order given. A name given twice (capitals don't count: columns are named after them)
    raises InputError; Fact itself refuses names that tell the outcome."""
    names = [fact.name.casefold() for fact in facts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"These facts are listed twice: {', '.join(twice)}. Map each field once.")
    return tuple(facts)
