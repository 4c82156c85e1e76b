"""What the key may do by its scopes, against what Candor needs: too little and too much.

HubSpot tells which scopes a token has: a key or static token by `private-apps/get/access-token-info` [D: Private apps; that a
service key gets an answer rests on a third party's use, unverified], an OAuth token by `token/introspect` [SPEC: Auth/Oauth].
Where it doesn't tell, trying finds what is lacking (doctor.py), and nothing is said of too much.
"""

from __future__ import annotations

from collections.abc import Collection

from connector.crm.base import CRMError, Problem
from connector.crm.hubspot.api import Api

NEEDED = {
    "crm.objects.contacts.read": "reading contacts and what happened with them",
    "crm.objects.contacts.write": "writing scores",
    "crm.objects.companies.read": "reading companies",
    "crm.objects.companies.write": "writing what is known of a buying committee",
    "crm.objects.deals.read": "reading deals",
    "crm.objects.deals.write": "writing the score at conversion",
    "crm.objects.owners.read": "knowing who owns a lead",
    "crm.schemas.contacts.read": "checking its properties",
    "crm.schemas.companies.read": "checking its properties",
    "crm.schemas.deals.read": "checking its properties",
    "sales-email-read": "telling when e-mails were answered",
    "tickets": "keeping review cases",
    "crm.lists.read": "checking its lists",
}
"""For the daily work; the declaration has the same (crm_schema/permissions.py; a test holds that)."""
FOR_SCHEMA = {
    "crm.schemas.contacts.write",
    "crm.schemas.companies.write",
    "crm.schemas.deals.write",
    "crm.lists.write",
}
"""For `candor apply` and `candor remove` alone."""
_TELLS = "automation"
"""Lets `candor plan` tell which workflows a write starts, and would also let a key change them."""
_IMPLIED = {"oauth"}
"""HubSpot gives it to every OAuth app."""


def examine(api: Api, found: Collection[Problem]) -> list[Problem]:
    """`found`: what trying has already told, which is not said twice."""
    may = held(api)
    if may is None:
        return []
    told = " ".join(problem.fix for problem in found)
    return [*_too_little(may, told), *_too_much(may)]


def held(api: Api) -> frozenset[str] | None:
    """What the key may do; None where HubSpot doesn't tell."""
    try:
        return api.scopes()
    except CRMError:
        return None


def _too_little(held: Collection[str], told: str) -> list[Problem]:
    lacks = [scope for scope in NEEDED if scope not in held and scope not in told]
    if not lacks:
        return []
    named = ", ".join(f"{scope} ({NEEDED[scope]})" for scope in lacks)
    return [Problem(
        f"Candor's key lacks {_count(len(lacks))} that its work needs.", f"Give it {named}.",
        fatal=lacks != ["crm.lists.read"],
    )]  # fmt: skip


def _too_much(held: Collection[str]) -> list[Problem]:
    problems = []
    beyond = sorted(set(held) - set(NEEDED) - FOR_SCHEMA - _IMPLIED - {_TELLS})
    if beyond:
        problems.append(Problem(
            f"The key may do more than Candor needs: {', '.join(beyond)}.", "Take these scopes from it.", fatal=False
        ))  # fmt: skip
    passing = sorted(FOR_SCHEMA & set(held))
    if passing:
        problems.append(Problem(
            f"The key may change the account's schema: {', '.join(passing)}.",
            "`candor apply` and `candor remove` need that, the daily work doesn't: take these scopes away in between.", fatal=False,
        ))  # fmt: skip
    if _TELLS in held:
        problems.append(Problem(
            f"The key may change workflows ({_TELLS}). Candor only reads them, for `candor plan`.",
            "Take this scope away once you have seen the plan.", fatal=False,
        ))  # fmt: skip
    return problems


def _count(n: int) -> str:
    return "a scope" if n == 1 else f"{n} scopes"
