"""A pipeline in no vendor's words: what a world is made of before a local CRM stores it its own way.

Rows are plain dataclasses; times are aware UTC datetimes; `key` is the world's own id ("L00042"), from which
each local CRM makes its record ids. `None` is a blank. Nothing here knows the true probability: that is in
`Truth`, which is written to a file of its own that no API reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Owner:
    key: str
    name: str
    email: str
    role: str
    """account executive, sdr, manager, reviewer"""
    active: bool = field(default=True, repr=False)
    """has not left. Not in the repr, nor the other later additions below: a digest of an earlier world stays its own"""


@dataclass(slots=True)
class Account:
    key: str
    name: str
    domain: str | None
    industry: str | None
    employees: int | None
    annual_revenue: float | None
    country: str | None
    created_at: datetime
    owner: str


@dataclass(slots=True)
class Person:
    """A lead as its record looks today."""

    key: str
    first_name: str | None
    last_name: str
    email: str | None
    company: str
    account: str | None
    created_at: datetime
    modified_at: datetime
    owner: str
    status: str
    """new, working, nurture, qualified, converted, disqualified"""
    fields: dict[str, Any] = field(default_factory=dict)
    """title, industry, employees, annual_revenue, country, source, phone, linkedin, product_interest,
    use_case, heard_from, needed_by (a day, "2026-06-30"), hand_raiser (bool), opted_out (bool), points (the org's own lead score of
    today) …; a CSV's own columns"""
    converted_at: datetime | None = None
    deal: str | None = None


@dataclass(slots=True)
class Deal:
    key: str
    name: str
    account: str | None
    people: list[str]
    owner: str
    amount: float | None
    stage: str
    """discovery, proposal, negotiation, won, lost"""
    created_at: datetime
    modified_at: datetime
    close_at: datetime | None


@dataclass(slots=True)
class FieldChange:
    """kind: person | deal. `field` is a key of Person.fields, or "status" | "owner" | "stage" | "amount"."""

    kind: str
    key: str
    field: str
    at: datetime
    old: Any
    new: Any
    by: str
    """an owner's key, or "automation" """


@dataclass(slots=True)
class Touch:
    """An activity. `kind` and `detail` as in connector.crm.base.Activity; `actor` person | machine."""

    key: str
    kind: str
    person: str
    at: datetime
    account: str | None = None
    owner: str | None = None
    actor: str = "person"
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Column:
    """A field that the world's leads have beyond a CRM's standard ones."""

    name: str
    label: str
    type: str
    """text, number, flag, choice, date"""
    choices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Fate:
    """What befell a record. kind: merged (`into` another lead) | deleted | restored."""

    kind: str
    key: str
    at: datetime
    by: str
    into: str | None = None


@dataclass(slots=True)
class Queue:
    """What owns leads until somebody takes them. HubSpot has none for contacts: there they have no owner meanwhile."""

    key: str
    name: str
    members: list[str]


@dataclass(slots=True)
class World:
    """`now` is the moment the org is handed over; history runs before it. `columns` are extra lead fields. `strays` are
    records that are no leads (the team's own tests): the truth knows nothing of them. `fates` are played by the local
    CRM upon everything else (world/upkeep.py)."""

    name: str
    now: datetime
    owners: list[Owner]
    accounts: list[Account]
    people: list[Person]
    deals: list[Deal]
    changes: list[FieldChange]
    touches: list[Touch]
    columns: list[Column] = field(default_factory=list)
    strays: list[Person] = field(default_factory=list, repr=False)
    fates: list[Fate] = field(default_factory=list, repr=False)
    queues: list[Queue] = field(default_factory=list, repr=False)
    renames: list[FieldChange] = field(default_factory=list, repr=False)
    """name and domain of accounts that rebranded; kind "account" """


@dataclass(slots=True)
class Truth:
    """Each lead's true chance of a won deal within the horizon when it is first scored, as the world's reps treat it, and
    what drives it.

    `design` names the columns of the true formula and `rows` holds person -> its values, so that a benchmark
    can tell the truth's form to an oracle. `wins` and `losses` (when a lead's deal is won or lost, for those that
    get as far), `amounts`, `deals` (lead -> its deal at handover) and `ahead` (touches still to come) are what
    the simulated reps live by."""

    horizon_days: int
    probability: Mapping[str, float]
    scored_at: Mapping[str, datetime]
    design: list[str]
    rows: Mapping[str, list[float]]
    cause: Mapping[str, str]
    wins: Mapping[str, datetime] = field(default_factory=dict)
    losses: Mapping[str, datetime] = field(default_factory=dict)
    deals: Mapping[str, str] = field(default_factory=dict)
    amounts: Mapping[str, float] = field(default_factory=dict)
    ahead: list[Touch] = field(default_factory=list)
    scenario: str = ""
    effects: Mapping[str, float] = field(default_factory=dict)
    """log odds of each column of `design`, and "intercept": logit p = intercept + rows · effects, p being the chance of a lead that is worked"""
    reached: Mapping[str, float] = field(default_factory=dict)
    """the chance when a person reaches the lead by `reach_by`"""
    unreached: Mapping[str, float] = field(default_factory=dict)
    """and when nobody does"""
    neglected: Sequence[str] = ()
    """leads that the world's own reps had no hours for: `probability` is `unreached` there, and `reached` of all others"""
    would: Mapping[str, tuple[datetime, float]] = field(default_factory=dict)
    """neglected leads that would have bought -> when their deal would have been won, and its amount"""
    reach_by: Mapping[str, datetime] = field(default_factory=dict)
    luck: Mapping[str, float] = field(default_factory=dict)
    """the lot of each lead, 0 to 1: it is won in a history where `luck` is below its chance, and so in any other"""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """old domain -> new domain of a company that has rebranded"""
    fates: list[Fate] = field(default_factory=list)
    """merges, deletions and restorations still to come"""
