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
