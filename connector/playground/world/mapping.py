"""How a file of leads becomes a world: which column is what, as a small TOML file."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import InputError

ColumnType = Literal["text", "number", "flag", "choice", "date"]
TAKEN = frozenset({
    "title", "industry", "employees", "annual_revenue", "country", "source", "phone", "linkedin",
    "product_interest", "use_case", "heard_from", "needed_by", "hand_raiser", "opted_out", "points", "first_name", "last_name",
    "email", "company", "status", "owner_id", "account_id", "contact_id", "deal_id", "converted_at", "firstname",
    "lastname", "jobtitle", "numemployees", "annualrevenue", "city", "state", "zip", "address", "mobilephone", "fax",
    "website", "lifecyclestage", "hubspot_owner_id", "hubspotscore", "createdate", "lastmodifieddate",
})  # fmt: skip
"""Names of Candor's canonical fields and of the vendors' own: a column of the world's can't have them."""
SHIPPED = Path(__file__).parent.parent / "mappings"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(_Part):
    """Which column says how a lead ended, and which of its values mean won and lost."""

    column: str
    won: list[str] = Field(min_length=1)
    lost: list[str] = Field(min_length=1)
    open: list[str] = []
    """values of leads that have no outcome yet; only beside events, where leads are dated"""
    amount: str | None = None
    """a column with the won amount, if there is one"""
    at: str | None = None
    """a column with the time of the outcome"""
    file: str | None = None
    """a file beside the leads that holds the outcome's columns, joined by the id"""


class HeldOut(_Part):
    """The rows that become open leads whose outcome nobody in the org can see."""

    share: float = Field(default=0.2, ge=0, lt=1)
    seed: int = 0
    order: Literal["random", "last"] = "random"
    """last: the end of the file, for rows in order of time"""


class ColumnOf(_Part):
    column: str
    type: ColumnType


EventKind = Literal[
    "status", "page_view", "form", "download", "webinar", "email_sent", "email_opened", "email_clicked", "email_replied",
    "email_forwarded", "call", "meeting", "task", "campaign_response",
]  # fmt: skip
"""What an event of a file may be: a change of the lead's status, or an activity."""
Status = Literal["new", "working", "nurture", "qualified", "converted", "disqualified"]


class KindOf(_Part):
    """Events whose text begins so are of this kind."""

    begins: str
    kind: EventKind


class EventsOf(_Part):
    """How a file of dated events beside the leads is read. The columns are named as Candor names them unless said
    otherwise here."""

    lead: str = "lead_id"
    at: str = "at"
    text: str = "subject"
    """what happened, in the file's words"""
    more: str | None = None
    """a second column of it"""
    kind: str = "kind"
    """a column of Candor's own kinds; not read where `kinds` are given"""
    kinds: list[KindOf] = []
    """the first that fits says what an event is"""
    owner: str | None = None
    """who did it"""
    machines: list[str] = []
    """owners that are no people"""
    order: str | None = None
    """a number that orders events of one moment"""
    status: dict[str, Status] = {}
    """text of a change of status -> that status in a CRM's words; others keep the status as it is"""
    words: dict[str, str] = {}
    """what happened in the file's words, or a part of it (`text`, `more`) -> in a person's; of activities, not of a status"""
    until: datetime | date | None = None
    """when the files were exported: what is dated later is set aside; none: found from the files (plausible.newest)"""


class TableMapping(_Part):
    """Every column of the file stands in exactly one place: id, created, outcome, lead, columns or left_out."""

    name: str
    id: str | None = None
    created: str | None = None
    """a column with the time at which a lead came in; only beside events"""
    outcome: Outcome
    held_out: HeldOut = HeldOut()
    blanks: list[str] = [""]
    """values that mean blank in any column, compared without case"""
    blanks_of: dict[str, list[str]] = {}
    """and in one column, by the file's name of it"""
    lead: dict[str, str] = {}
    """a standard field (title, industry, employees, country, source …) -> column"""
    columns: dict[str, ColumnOf] = {}
    """a field of the world's own -> column and type"""
    left_out: dict[str, str] = {}
    """column -> why it must not describe a lead"""
    events: EventsOf | None = None
    """how the file of --events is read"""
    horizon_days: int | None = Field(default=None, gt=0)
    """beside events: a lead is won when it is so many days after it is scored at the latest; none: the policy's"""
    ages_days: list[float] = []
    """beside events: ages at which leads are scored; none: the default ones"""

    def used(self) -> list[str]:
        """The file's columns that are named here."""
        named = [*self.lead.values(), *(c.column for c in self.columns.values()), *self.left_out]
        ends = (self.outcome.amount, self.outcome.at)
        return [*named, self.outcome.column, *filter(None, (self.id, self.created, *ends))]


def read_mapping(path: Path) -> TableMapping:
    """A mapping file, or by its bare name one of those shipped."""
    shipped = SHIPPED / f"{path}.toml"
    try:
        said: dict[str, Any] = tomllib.loads((shipped if shipped.exists() else path).read_text("utf-8"))
        return TableMapping.model_validate(said)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping {path} can't be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The mapping {path} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"The mapping {path}, {where}: {first['msg']}.") from error


def write_mapping(mapping: TableMapping) -> str:
    """The TOML of a mapping, to be read and mended by a person."""
    return tomlkit.dumps(mapping.model_dump(exclude_none=True))
