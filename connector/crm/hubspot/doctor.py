"""Permissions, limits, fields: what is wrong, each with its fix."""

from __future__ import annotations

from collections.abc import Mapping

from connector.crm.base import FieldInfo, FieldMap, Kind, Org, PermissionDenied, Problem
from connector.crm.hubspot import scopes
from connector.crm.hubspot.account import REVIEW_PIPELINE, Account
from connector.crm.hubspot.fields import ASSOCIATED, CANDOR, OBJECTS, field_type

NEAR = 0.8
"""Share of the day's calls from which a warning is due."""

_KINDS = {
    "STANDARD": "production",
    "SANDBOX": "sandbox",
    "DEVELOPER_TEST": "developer",
    "APP_DEVELOPER": "developer",
}


def check(account: Account) -> Org:
    api = account.api
    told = api.get("asking for the account", api.account("details"))
    portal, kind = str(told.get("portalId", "")), str(told.get("accountType", ""))
    return Org(
        portal,
        f"HubSpot account {portal}",
        "the key's integration user",
        str(told.get("companyCurrency") or "USD"),
        str(told.get("timeZone") or "UTC"),
        _KINDS.get(kind, kind.lower()),
    )


def examine(account: Account, wanted: FieldMap) -> list[Problem]:
    problems: list[Problem] = []
    for obj in ("contacts", "companies", "deals", "tickets", "calls", "emails", "meetings", "tasks", "notes"):
        problems += _try(account, obj)
    for kind in OBJECTS:
        problems += _fields(account, kind, wanted.get(kind, {}))
    problems += _pipeline(account)
    problems += scopes.examine(account.api, problems)
    return problems + _limits(account)


def _try(account: Account, obj: str) -> list[Problem]:
    api = account.api
    try:
        api.get(f"listing {obj}", api.objects(obj), [("limit", "1")])
    except PermissionDenied as denied:
        return [Problem(f"Candor can't read {obj}.", denied.fix or "Give the key the missing scope.")]
    return []


def _fields(account: Account, kind: Kind, wanted: Mapping[str, str]) -> list[Problem]:
    obj = OBJECTS[kind]
    try:
        there = account.properties(obj)
    except PermissionDenied as denied:
        return [
            Problem(
                f"Candor can't read the properties of {obj}.", denied.fix or "Give the key the missing scope."
            )
        ]
    problems = []
    for canonical, name in wanted.items():
        if not name or canonical in ASSOCIATED[kind]:
            continue
        if name not in there:
            fix = (
                "Run `candor apply`."
                if name.startswith(CANDOR)
                else f"Restore it, or change mapping.{kind} in candor.toml."
            )
            problems.append(
                Problem(f"{obj}.{name} (Candor's {kind} field {canonical!r}) does not exist.", fix)
            )
    for name, definition in there.items():
        if name.startswith(CANDOR) and (definition.get("modificationMetadata") or {}).get("readOnlyValue"):
            problems.append(Problem(f"{obj}.{name} is read-only.", "Let Candor's key edit this property."))
    return problems


def _pipeline(account: Account) -> list[Problem]:
    try:
        found = account.review_pipeline()
    except PermissionDenied as denied:
        return [
            Problem(
                "Candor can't read the pipelines of tickets.", denied.fix or "Give the key the scope tickets."
            )
        ]
    if found is None:
        return [
            Problem(
                f"The ticket pipeline “{REVIEW_PIPELINE}” does not exist yet.",
                "Run `candor apply`.",
                fatal=False,
            )
        ]
    return []


def _limits(account: Account) -> list[Problem]:
    meter = account.api.meter
    if meter.org_used is not None and meter.org_limit and meter.org_used >= NEAR * meter.org_limit:
        return [Problem(
            f"{meter.org_used} of today's {meter.org_limit} API calls are used.",
            "See what else uses the API in HubSpot's settings; Candor stops at its own share.", fatal=False,
        )]  # fmt: skip
    return []


def describe(account: Account, kind: Kind) -> tuple[FieldInfo, ...]:
    if kind == "owner":
        return (
            FieldInfo("name", "Name", "text", writable=False, canonical="name"),
            FieldInfo("email", "Email", "text", writable=False, canonical="email"),
            FieldInfo("archived", "Archived", "flag", writable=False, canonical="active"),
        )
    back = {name: canonical for canonical, name in account.fields(kind).items()}
    return tuple(
        FieldInfo(
            name, d["label"], field_type(d), tuple(str(o["value"]) for o in d.get("options") or ()),
            writable=not (d.get("modificationMetadata") or {}).get("readOnlyValue", False), tracked=True,
            calculated=bool(d.get("calculated")), canonical=back.get(name),
        )
        for name, d in account.properties(OBJECTS[kind]).items()
    )  # fmt: skip
