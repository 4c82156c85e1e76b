"""The org as a rep's screen shows it, in canonical words. The record page and the simulated reps stand on this; each
local CRM implements it over its own objects, with the same validation that its API applies, and every write goes
through `Org` as a user's (via="ui"), so that field history, times and the write log are those of a real click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from connector.playground.world.model import Account, Person

DeskKind = Literal["lead", "deal", "review"]


class Refused(Exception):
    """The CRM refuses a user's write; the message is the one a user would see."""


@dataclass(frozen=True, slots=True)
class View:
    """A record on the screen. `values` has canonical names as in connector.crm.base (lead: title, status, source,
    candor_score …; deal: stage, amount, candor_outcome_as_expected …; review: candor_lead, candor_tier, candor_status …);
    fields of Candor's that the org doesn't have are absent. `labels`: canonical name -> label on the screen."""

    kind: DeskKind
    id: str
    key: str | None
    name: str
    owner: str
    created_at: datetime
    values: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    kind: str
    """an ActivityKind, or "field" """
    text: str
    by: str | None


class Desk(Protocol):
    vendor: str
    """ "Salesforce" or "HubSpot", for the page's heading"""

    def leads(self, *, search: str = "", limit: int = 50, offset: int = 0) -> Sequence[View]:
        """Open leads, the highest candor_score first (unscored last)."""

    def deals(self, lead_id: str | None = None) -> Sequence[View]: ...

    def reviews(self, *, open_only: bool = True) -> Sequence[View]: ...

    def view(self, kind: DeskKind, id: str) -> View:
        """KeyError when there is none."""

    def timeline(self, lead_id: str, *, limit: int = 100) -> Sequence[TimelineEntry]:
        """Activities and field changes of a lead, newest first."""

    def set(self, kind: DeskKind, id: str, values: Mapping[str, Any], *, by: str) -> None:
        """A user's edit of some fields. Refused on a validation error or an unknown field."""

    def log(self, lead_id: str, kind: str, *, by: str, detail: Mapping[str, Any] | None = None) -> str:
        """Log an activity (call, meeting, email_sent, email_replied …) at the org's clock; its id."""

    def make_deal(self, lead_id: str, *, amount: float, by: str) -> str:
        """The lead becomes a deal (Salesforce: converted, with contact and account); the deal's id."""

    def make_lead(self, person: Person, account: Account | None) -> str:
        """A lead comes in as it is known at first (HubSpot: with its company, where it has one); its id."""

    def owners(self) -> Mapping[str, str]:
        """id -> name of the org's users who can own leads: those who left are none."""

    def merge(self, loser: str, into: str, *, by: str) -> str:
        """One lead becomes part of another; what was done by and with both is the survivor's. Its id, which HubSpot
        gives anew. Refused for a converted lead where the CRM can't merge those."""

    def delete(self, lead_id: str, *, by: str) -> None:
        """Into the recycle bin. KeyError when it is not there."""

    def restore(self, lead_id: str, *, by: str) -> None:
        """Out of the recycle bin. KeyError when it is not in it, Refused after a merge."""
