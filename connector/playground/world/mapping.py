"""How a file of leads becomes a world: which column is what, as a small TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import InputError

ColumnType = Literal["text", "number", "flag", "choice"]
TAKEN = frozenset({
    "title", "industry", "employees", "annual_revenue", "country", "source", "phone", "linkedin",
    "product_interest", "use_case", "heard_from", "hand_raiser", "opted_out", "points", "first_name", "last_name",
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
    amount: str | None = None
    """a column with the won amount, if there is one"""


class HeldOut(_Part):
    """The rows that become open leads whose outcome nobody in the org can see."""

    share: float = Field(default=0.2, ge=0, lt=1)
    seed: int = 0
    order: Literal["random", "last"] = "random"
    """last: the end of the file, for rows in order of time"""


class ColumnOf(_Part):
    column: str
    type: ColumnType


class TableMapping(_Part):
    """Every column of the file stands in exactly one place: id, outcome, lead, columns or left_out."""

    name: str
    id: str | None = None
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

    def used(self) -> list[str]:
        """The file's columns that are named here."""
        named = [*self.lead.values(), *(c.column for c in self.columns.values()), *self.left_out]
        return [*named, self.outcome.column, *filter(None, (self.id, self.outcome.amount))]


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
