"""What the audits look at: an org's leads, their records as they look today, and what is dated about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.audit.separation import Bools, Floats, Ints, Values
from scoring.features.inputs import DAY

TIME = pa.timestamp("us", "UTC")
NEVER = np.iinfo(np.int64).max
AGES = (7 * DAY, DAY)
"""Leads are looked at as they were at the first of these ages that enough of either outcome reached: about when they are
scored. Those that ended sooner are left aside: an age that depends on the outcome would tell it."""
ENOUGH = 100
NEAR = 0.05
"""Of a lead's life: so near to its outcome, and at most a day, something belongs to the outcome"""

EMPTY = {
    "changes": {"lead_id": pa.string(), "field": pa.string(), "at": TIME, "value": pa.string()},
    "activities": {"activity_id": pa.string(), "lead_id": pa.string(), "at": TIME, "kind": pa.string()},
}


def no_rows(name: str) -> pa.Table:
    """The table of a set that has none."""
    return pa.table({column: pa.array([], kind) for column, kind in EMPTY[name].items()})


@dataclass(frozen=True)
class Evidence:
    """`leads`: lead_id, created_at, ended_at (blank: open), won (blank: open), and closed_by where that is known.
    `records`: lead_id and a text column a field, as the record looks today. `changes` as in
    `scoring.features.inputs` (the first row is the value at creation), with `by` where known. `activities`: activity_id,
    lead_id, at, kind, and owner_id and recorded_at (when the CRM took it in) where known.

    `tracked`: fields whose changes are all there. Of the others only today's value is known. Without times at all
    (a plain file) leads have no created_at and nothing is dated: `dated` is False.
    """

    leads: pa.Table
    records: pa.Table
    changes: pa.Table
    activities: pa.Table
    tracked: frozenset[str]
    now: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def dated(self) -> bool:
        return self.now is not None

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.records.column_names if name != "lead_id")

    def label(self, name: str) -> str:
        return self.labels.get(name, name)

    @cached_property
    def ids(self) -> pa.Array:
        return self.leads["lead_id"].combine_chunks()

    @cached_property
    def created(self) -> Ints:
        return micros(self.leads["created_at"], 0) if self.dated else np.zeros(len(self.ids), np.int64)

    @cached_property
    def ended(self) -> Ints:
        """NEVER while a lead is open."""
        if not self.dated:
            return np.full(len(self.ids), NEVER)
        return micros(self.leads["ended_at"], NEVER)

    @cached_property
    def all_closed(self) -> Ints:
        """The places of all leads whose outcome is known."""
        return np.flatnonzero([v is not None for v in self.leads["won"].to_pylist()])

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """The ages that enough leads of either outcome reached."""
        life = self.ended[self.all_closed] - self.created[self.all_closed]
        won = self.all_won
        return tuple(
            age
            for age in (AGES if self.dated else ())
            if min(int((won & (life > age)).sum()), int((~won & (life > age)).sum())) >= ENOUGH
        )

    @property
    def age(self) -> int | None:
        """The age at which leads are looked at; None where too few reached any."""
        return self.ages[0] if self.ages else None

    @cached_property
    def closed(self) -> Ints:
        """Of the closed leads those that reached that age; all where too few did."""
        return self.all_closed if self.age is None else self.reached(self.age)

    def reached(self, age: int) -> Ints:
        places: Ints = self.all_closed[self.ended[self.all_closed] - self.created[self.all_closed] > age]
        return places

    def won_of(self, places: Ints) -> Bools:
        return np.array(self.leads["won"].take(pa.array(places)).to_pylist(), bool)

    @cached_property
    def won(self) -> Bools:
        """Of the closed leads."""
        return self.won_of(self.closed)

    @cached_property
    def all_won(self) -> Bools:
        return self.won_of(self.all_closed)

    @cached_property
    def cut(self) -> Ints:
        """Of all leads: when each is looked at; half-way to its outcome where too few reached an age."""
        if self.age is not None:
            return self.created + self.age
        life = np.minimum(self.ended - self.created, NEVER // 2)
        half: Ints = self.created + np.minimum(AGES[0], np.maximum(life, 0) // 2)
        return half

    @cached_property
    def outcome_begins(self) -> Ints:
        """Of all leads: from when on something belongs to the outcome."""
        life = np.where(self.ended == NEVER, 0, np.maximum(self.ended - self.created, 0))
        margin = np.minimum(DAY, (life * NEAR).astype(np.int64))
        begins: Ints = np.where(self.ended == NEVER, NEVER, self.ended - margin)
        return begins

    def today(self, name: str) -> Values:
        """The field of every lead as it is today; blanks as None."""
        return np.array([*map(_known, self._records[name].to_pylist()), None], dtype=object)[:-1]

    @cached_property
    def _records(self) -> pa.Table:
        place = self.records["lead_id"].combine_chunks()

        return self.records.take(pc.index_in(self.ids, value_set=place))

    @cached_property
    def histories(self) -> Mapping[str, History]:
        """Of each field that has dated changes."""

        table = self.changes
        lead = pc.fill_null(pc.index_in(table["lead_id"], value_set=self.ids), -1)
        places = np.asarray(lead.to_numpy(), np.int64)
        at = micros(table["at"], 0)
        names = np.array(table["field"].to_pylist(), dtype=object)
        values = np.array([*map(_known, table["value"].to_pylist()), None], dtype=object)[:-1]
        order = np.lexsort((at, places))
        order = order[places[order] >= 0]
        return {
            name: History(places[rows], at[rows], values[rows])
            for name in sorted(set(names))
            if len(rows := order[names[order] == name])
        }


@dataclass(frozen=True)
class History:
    """The dated values of one field, sorted by lead and time: each holds from `at` on."""

    lead: Ints
    at: Ints
    value: Values

    def before(self, times: Ints, *, inclusive: bool = True) -> Values:
        """The value of every lead at its own time (one entry a lead); None where nothing was known."""
        out = np.full(len(times), None, dtype=object)
        known = self.at <= times[self.lead] if inclusive else self.at < times[self.lead]
        out[self.lead[known]] = self.value[known]  # sorted by time: the last one stays
        return out

    def set_at(self, count: int) -> Ints:
        """When each of `count` leads got the value that it has today; NEVER where it has no history."""
        out = np.full(count, NEVER)
        out[self.lead] = self.at
        return out


def micros(column: pa.ChunkedArray, blank: int) -> Ints:
    """A column of times as microseconds since 1970."""

    return np.asarray(pc.fill_null(column.cast(TIME).cast(pa.int64()), blank).to_numpy(), np.int64)


def as_times(values: Values) -> Ints | None:
    """Texts as times (days or moments, ISO 8601) in microseconds, 0 where blank; None when they are not times."""
    out = np.zeros(len(values), np.int64)
    known = [i for i, v in enumerate(values) if v is not None]
    if not known:
        return None
    bad = 0
    for i in known:
        try:
            out[i] = _moment(values[i])
        except ValueError:
            bad += 1
            if bad > 0.02 * len(known):
                return None
    return out


def _moment(text: str) -> int:
    if len(text) < 10 or text[4] != "-":
        raise ValueError(text)
    moment = np.datetime64(text.replace("Z", "").split("+")[0].replace(" ", "T"), "us")
    return int(moment.astype(np.int64))


def _known(value: str | None) -> str | None:
    return None if value is None or not value.strip() else value.strip()


def durations(values: Floats, life: Ints) -> float:
    """Share of known numbers that are the lead's own life in days, hours, minutes or seconds, within two percent."""
    known = np.isfinite(values) & (values > 0)
    if known.sum() < 20:
        return 0.0
    shares = []
    for unit in (DAY, DAY // 24, DAY // 1440, 1_000_000):
        expected = life[known] / unit
        close = np.abs(values[known] - expected) <= np.maximum(0.02 * expected, 0.6 if unit == DAY else 0.02)
        shares.append(float(close.mean()))
    return max(shares)
