"""The whole boundary between Candor and a CRM: a dozen methods, plain values in and out.

Everything above an adapter speaks in canonical names (kinds, fields, activities); vendor words never leave an
adapter. Fields that Candor adds are called `candor_<key>` here, whatever the vendor calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from connector.errors import CandorError

if TYPE_CHECKING:
    from crm_schema.port import Surroundings

Value = str | float | int | bool | datetime | list[str] | None
"""A field's value: text, number, yes/no, an aware UTC time, several choices, or None for blank."""

Kind = Literal["lead", "account", "deal", "owner", "review"]

ActivityKind = Literal[
    "page_view", "form", "download", "webinar", "email_sent", "email_opened", "email_clicked", "email_replied",
    "email_forwarded", "call", "meeting", "task", "campaign_response",
]  # fmt: skip

Actor = Literal["person", "machine", "unsure"]


# --- what is read ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the CRM shows it now. `values` holds every mapped field, blank ones as None."""

    kind: Kind
    id: str
    created_at: datetime
    modified_at: datetime
    values: Mapping[str, Value]
    deleted: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One dated change of one field, from the CRM's own history. `old` is None where the CRM does not tell it."""

    kind: Kind
    id: str
    field: str
    at: datetime
    old: Value
    new: Value
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """Anything dated that a lead did or that was done with it.

    `person_id` is the id of the lead, or of the contact a converted lead became (a lead record's `contact_id` tells
    which). `detail` may hold: session, url, area (product area), content ("documentation" | "marketing" |
    "case_study" | "pricing" | "other"), subject, campaign, channel ("site" | "event" | "email" | "phone"), minutes,
    answered (bool), cc (list of addresses), owner_id, outcome.
    """

    id: str
    kind: ActivityKind
    at: datetime
    person_id: str | None
    modified_at: datetime
    account_id: str | None = None
    actor: Actor = "person"
    detail: Mapping[str, Value] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What one read brought, with the cursor that stands for it: both are stored in one transaction."""

    stream: str
    cursor: str
    records: Sequence[Record] = ()
    changes: Sequence[Change] = ()
    activities: Sequence[Activity] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of thing that is pulled with its own cursor. `looks_at` is the vendor's name, for logs and status."""

    name: str
    looks_at: str
    rows: Literal["records", "changes", "activities", "records and changes"]


Known = Callable[[str, datetime], Mapping[str, datetime]]
"""known(stream, since): id -> modified_at of the rows that the store already has of that stream, modified at or after
`since`. With it an adapter leaves out of an overlapping window what has not changed."""


# --- what is written ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """Values for one record. For kind "review" `id` is Candor's own key: the case is made, or found by it (upsert)."""

    id: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Written:
    """The CRM's answer to one Write. `retry` says that the same write may succeed later; `code` is the vendor's."""

    id: str
    ok: bool
    crm_id: str | None = None
    modified_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    retry: bool = False


# --- what is known about the org ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Org:
    id: str
    name: str
    user: str
    currency: str
    timezone: str
    kind: str
    """production, sandbox, developer …"""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of the org under its vendor name, for mapping. `canonical` is what the adapter would map it to, if it
    knows."""

    name: str
    label: str
    type: Literal["text", "number", "flag", "time", "choice", "choices", "reference"]
    choices: tuple[str, ...] = ()
    writable: bool = True
    tracked: bool = False
    calculated: bool = False
    canonical: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """API calls: ours since this adapter was opened (`calls`, of them `writes` and `failed`), the org's of today."""

    calls: int
    writes: int
    failed: int
    org_used: int | None
    org_limit: int | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something `doctor` found, and how to mend it."""

    what: str
    fix: str
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do, declared: the core asks this and never the vendor's name."""

    title: str
    write_batch: int
    read_batch: int
    history: Literal["tracked fields", "all fields"]
    history_limit: str
    not_implemented: Mapping[str, str] = field(default_factory=dict)
    """capability -> the platform limit that prevents it"""
    activity_sources: Mapping[ActivityKind, str] = field(default_factory=dict)
    """kind of activity -> the vendor's records or properties that it is read from"""


FieldMap = Mapping[Kind, Mapping[str, str]]
"""canonical field -> the vendor's field, per kind. Given to the adapter when it is made."""


class CRM(Protocol):
    """A connection to one org. Not thread-safe: one adapter a thread."""

    capabilities: Capabilities

    def check(self) -> Org:
        """Who and where we are. Raises CRMError."""

    def doctor(self, wanted: FieldMap) -> list[Problem]:
        """Permissions, limits, missing or hidden fields: each with its fix."""

    def describe(self, kind: Kind) -> tuple[FieldInfo, ...]:
        """The org's fields of a kind, under vendor names."""

    def streams(self) -> tuple[Stream, ...]:
        """Everything that `pull` looks at."""

    def pull(self, cursors: Mapping[str, str | None], known: Known) -> Iterator[Page]:
        """What is new since the cursors (None: from the beginning, i.e. backfill), for each stream named, deletions
        and merges included. Overlaps its windows; every stream yields at least one page, maybe empty."""

    def read(
        self, kind: Kind, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """Current values of some fields; ids that are gone are absent."""

    def count(self, kind: Kind, field: str) -> Mapping[str, int]:
        """How many live records have each value of a choice field, without reading them; blanks are not counted."""

    def write(self, kind: Kind, writes: Sequence[Write]) -> list[Written]:
        """Send one batch (at most `capabilities.write_batch`), an answer for each write, in order. Raises CRMError when
        there was no answer: then nothing is known about any of them."""

    def schema(self) -> Surroundings:
        """The org's schema, as crm_schema wants to read and change it."""

    def usage(self) -> Usage:
        """API calls so far and the org's budget, from what was answered: makes no call."""

    def close(self) -> None: ...


# --- errors: foreign exceptions are mapped at the edge, in one place an adapter --------------------------------------


class CRMError(CandorError):
    """The CRM refused."""


class Transient(CRMError):
    """The CRM is busy or out of reach; the next pass tries again."""

    retry_after: float | None = None


class NoAnswer(Transient):
    """The connection broke before the answer came: nothing is known about what was sent."""


class OverBudget(Transient):
    """The API budget of today is used up; Candor goes on when it is renewed."""


NEW_TOKEN = (
    "Make a new one and put it where candor.toml says: into the file that crm.token_file names, or else into the variable that "
    "crm.token_env names."
)


class AuthError(CRMError):
    """The CRM does not accept the token."""


class PermissionDenied(CRMError):
    """The integration user lacks a permission."""

    lacks: tuple[str, ...] = ()
    """the permissions or scopes, where all of them are known"""


class FieldMissing(PermissionDenied):
    """A mapped field does not exist, or the integration user can't see it."""

    kind: Kind | None = None
    field: str | None = None
    """Which mapping is at fault (canonical name), where it is one: without it the rest can flow."""
