"""Who may see and change what Candor adds: four permission sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crm_schema.declaration import On, Writer

Access = Literal["read", "read all", "edit", "edit all", "everything"]
"""What a permission set may do with a kind's records. `all`: whoever owns them."""


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """Who may see and change what. `edits` names the writers whose fields its holders may change; the
    others they read."""

    name: str
    label: str
    help: str
    records: tuple[tuple[On, Access], ...]
    edits: tuple[Writer, ...]
    edits_review: tuple[Writer, ...]
    system: tuple[str, ...] = ()
    """the CRM's own permissions, by their API names"""


INTEGRATION = PermissionSet(
    "Candor_Integration",
    "Candor integration",
    "For the user that Candor signs in as. Reads leads, contacts, accounts and deals, changes "
    "nothing but Candor's fields, keeps the review cases.",
    (
        ("lead", "edit all"),
        ("contact", "edit all"),
        ("account", "edit all"),
        ("deal", "edit all"),
        ("review", "everything"),
    ),
    edits=("candor", "both"),
    edits_review=("candor", "both"),
    system=("ApiEnabled", "AllowViewEditConvertedLeads"),
)
PERMISSION_SETS = (
    INTEGRATION,
    PermissionSet(
        "Candor_Rep",
        "Candor rep",
        "For everyone who works leads. Sees scores, ranges and reasons; may tag, override and answer. "
        "Hand it out when you go live: until then scores are seen by admins only.",
        (("review", "read"),),
        edits=("people", "both"),
        edits_review=(),
    ),
    PermissionSet(
        "Candor_Reviewer",
        "Candor reviewer",
        "For those who decide review cases. As a rep, and may complete reviews.",
        (("review", "edit all"),),
        edits=("people", "both"),
        edits_review=("people", "both"),
    ),
    PermissionSet(
        "Candor_Admin",
        "Candor admin",
        "For whoever looks after Candor. Sees everything already in shadow mode, may also correct and "
        "delete review cases.",
        (("review", "everything"),),
        edits=("people", "both"),
        edits_review=("people", "both"),
    ),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """A HubSpot scope that Candor's app or service key needs. HubSpot has no scope for single properties."""

    name: str
    why: str
    schema_only: bool = False
    """needed by `candor apply` and `candor remove` alone; may be taken away in between"""


HUBSPOT_SCOPES = (
    Scope("crm.objects.contacts.read", "read contacts, their history, calls, meetings, notes and tasks"),
    Scope("crm.objects.contacts.write", "write Candor's properties of contacts"),
    Scope("crm.objects.companies.read", "read companies"),
    Scope("crm.objects.companies.write", "write Candor's two properties of companies"),
    Scope("crm.objects.deals.read", "read deals, their stages and amounts"),
    Scope("crm.objects.deals.write", "write Candor's properties of deals"),
    Scope("crm.objects.owners.read", "know who owns a lead"),
    Scope("crm.schemas.contacts.read", "check that Candor's properties are there"),
    Scope("crm.schemas.companies.read", "the same on companies"),
    Scope("crm.schemas.deals.read", "the same on deals"),
    Scope("sales-email-read", "tell when e-mails were sent and answered"),
    Scope("tickets", "keep the review cases, their pipeline and their properties"),
    Scope("crm.lists.read", "check that Candor's lists of leads are there"),
    Scope("crm.schemas.contacts.write", "add and remove Candor's properties of contacts", schema_only=True),
    Scope("crm.schemas.companies.write", "the same on companies", schema_only=True),
    Scope("crm.schemas.deals.write", "the same on deals", schema_only=True),
    Scope("crm.lists.write", "add and remove Candor's lists of leads", schema_only=True),
)
