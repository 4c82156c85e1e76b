"""Who and where we are, and which fields there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.crm.base import CRMError, FieldInfo, Kind, Org
from connector.crm.salesforce.api import Api, ok
from connector.crm.salesforce.describes import Describes
from connector.crm.salesforce.fields import (
    OBJECTS,
    TYPES,
    canonical_name,
    default_fields,
    default_fields_if_there,
)


def check(api: Api, options: Mapping[str, str]) -> Org:
    organization, currency = api.queries(
        [
            ("SELECT Id, Name, OrganizationType, IsSandbox, TimeZoneSidKey FROM Organization", False),
            ("SELECT IsoCode FROM CurrencyType WHERE IsCorporate = TRUE", False),
        ],
        what="asking which org this is",
    )
    row = ok(organization)["records"][0]
    user = api.user_info() or {}
    return Org(
        id=row["Id"],
        name=row["Name"],
        user=user.get("preferred_username") or user.get("email") or "",
        currency=options.get("currency") or _corporate(currency) or "USD",
        timezone=row["TimeZoneSidKey"],
        kind=_kind(row),
    )


def _corporate(answer: Any) -> str | None:
    """The currency of a multi-currency org; others have no such object and don't tell theirs."""
    if isinstance(answer, CRMError) or not answer["records"]:
        return None
    return str(answer["records"][0]["IsoCode"])


def _kind(row: Mapping[str, Any]) -> str:
    if row.get("IsSandbox"):
        return "sandbox"
    return "developer" if "Developer" in (row.get("OrganizationType") or "") else "production"


def describe(api: Api, describes: Describes, kind: Kind) -> tuple[FieldInfo, ...]:
    described = describes.get(OBJECTS[kind])
    names = {**default_fields_if_there.get(kind, {}), **default_fields.get(kind, {})}
    known = {vendor: canonical for canonical, vendor in names.items()}
    followed = tracked(api, [described.name]).get(described.name) or frozenset()
    return tuple(
        FieldInfo(
            name=name,
            label=f["label"],
            type=TYPES.get(f["type"], "text"),
            choices=tuple(v["value"] for v in f.get("picklistValues") or () if v.get("active", True)),
            writable=bool(f["updateable"]),
            tracked=name in followed,
            calculated=bool(f.get("calculated")),
            canonical=known.get(name) or canonical_name(name),
        )
        for name, f in described.fields.items()
    )


def tracked(api: Api, objects: list[str]) -> Mapping[str, frozenset[str]]:
    """object -> its fields whose history is kept. Describe doesn't tell it; an object is absent where nothing does."""
    answers = api.queries(
        [
            (
                "SELECT QualifiedApiName FROM FieldDefinition "
                f"WHERE EntityDefinition.QualifiedApiName = '{obj}' AND IsFieldHistoryTracked = TRUE",
                False,
            )
            for obj in objects
        ],
        what="asking which fields' history is kept",
    )
    return {
        obj: frozenset(row["QualifiedApiName"] for row in answer["records"])
        for obj, answer in zip(objects, answers, strict=True)
        if not isinstance(answer, CRMError)
    }
