"""What may keep Candor from working in this org, each with its fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.crm.base import CRMError, FieldMap, Kind, Problem
from connector.crm.salesforce import org, setup
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Described, Describes
from connector.crm.salesforce.fields import OBJECTS, canonical_name, default_fields
from connector.crm.salesforce.sources import WEB_ACTIVITY, names

NEARLY_USED = 0.9
"""Share of the org's daily API calls from which we warn."""

WRITTEN: tuple[Kind, ...] = ("lead", "account", "deal")
HISTORY_MATTERS = (
    "status", "owner_id", "source", "title", "industry", "employees", "annual_revenue", "country", "phone",
    "hand_raiser", "opted_out", "points",
)  # fmt: skip
"""Mapped lead fields that change in a lead's life: without history their past can't be known."""

TRACKING_LIMIT = 20
"""Fields an object (FACTS 8)."""

_PEOPLE_WRITE = ("tags", "override", "do_not_score", "feedback", "outcome_as_expected", "surprise")
"""Beginnings of Candor's fields that people write: we need not be allowed to. `feedback_due` is ours."""


def examine(api: Api, describes: Describes, wanted: FieldMap, options: Mapping[str, str]) -> list[Problem]:
    """Stops at the first problem of the connection: nothing else can be known then."""
    try:
        org.check(api, options)
        describes.load(names(options))
        history = org.tracked(api, ["Lead"]).get("Lead")
    except CRMError as error:
        return [Problem(error.message, error.fix or "Check crm.url and the token.")]
    return [
        *_fields(describes, wanted),
        *_tracking(wanted, history),
        *_limits(api),
        *_objects(describes, options),
        *_converted(api),
        *_too_much(api),
    ]


def _fields(describes: Describes, wanted: FieldMap) -> Iterator[Problem]:
    for kind, obj in OBJECTS.items():
        described = describes.find(obj)
        if described is None:
            if kind != "review":
                yield Problem(
                    f"The integration user can't see the object {obj}.",
                    "Assign the permission set Candor_Integration to that user.",
                )
            continue
        for canonical, vendor in {**default_fields.get(kind, {}), **wanted.get(kind, {})}.items():
            if vendor and vendor not in described.fields and not canonical.startswith("candor_"):
                yield Problem(
                    f"{obj}.{vendor} (Candor's {kind} field {canonical!r}) does not exist, or the integration user "
                    "can't see it.",
                    f"Give that user field-level access to {vendor}, or change mapping.{kind} in candor.toml.",
                )
        if kind in WRITTEN:
            yield from _read_only(described)


def _read_only(described: Described) -> Iterator[Problem]:
    fields = [
        name
        for name, f in described.fields.items()
        if (ours := canonical_name(name)) and not f["updateable"] and not _of_people(ours)
    ]
    if fields:
        yield Problem(
            f"The integration user may not edit {', '.join(fields)} of {described.name}.",
            "Assign the permission set Candor_Integration to that user.",
        )


def _of_people(canonical: str) -> bool:
    key = canonical.removeprefix("candor_")
    return key.startswith(_PEOPLE_WRITE) and key != "feedback_due"


def _tracking(wanted: FieldMap, history: frozenset[str] | None) -> Iterator[Problem]:
    if history is None:
        return  # this org doesn't tell which
    mapped = {**default_fields["lead"], **wanted.get("lead", {})}
    untracked = [mapped[c] for c in HISTORY_MATTERS if mapped.get(c) and mapped[c] not in history]
    # History names an owner change by its relationship, and tracks it with either name.
    untracked = [v for v in untracked if v.removesuffix("Id") not in history]
    if untracked:
        yield Problem(
            f"Salesforce keeps no history of these mapped lead fields: {', '.join(untracked)}. What they were before "
            "today can't be known, so training leaves them out until Candor has seen them change.",
            f"Setup > Object Manager > Lead > Fields & Relationships > Set History Tracking (at most {TRACKING_LIMIT} fields).",
            fatal=False,
        )


def _limits(api: Api) -> Iterator[Problem]:
    used, limit = api.meter.org_used, api.meter.org_limit
    if used is not None and limit and used >= NEARLY_USED * limit:
        yield Problem(
            f"The org has used {used:,} of its {limit:,} API calls of the last 24 hours.",
            "See Setup > API Usage for what uses them; Candor's own share is crm.daily_calls in candor.toml.",
            fatal=False,
        )


def _objects(describes: Describes, options: Mapping[str, str]) -> Iterator[Problem]:
    if "web_activity" in options and describes.find(options["web_activity"]) is None:
        yield Problem(
            f"The object {options['web_activity']} named in crm.options.web_activity can't be seen.",
            "Check its API name, and give the integration user read access to it.",
        )
    elif "web_activity" not in options and describes.find(WEB_ACTIVITY) is None:
        yield Problem(
            "No web activity is read: Salesforce has no standard object for it.",
            "If the org keeps page views in a custom object, name it in crm.options.web_activity.",
            fatal=False,
        )


def _too_much(api: Api) -> Iterator[Problem]:
    found = setup.too_much(api)
    if found:
        yield Problem(
            f"The integration user may do more than Candor needs: {'; '.join(found)}.",
            "Take these from its profile and permission sets; the permission set Candor_Integration is enough for the daily work.",
            fatal=False,
        )


def _converted(api: Api) -> Iterator[Problem]:
    (answer,) = api.queries(
        [("SELECT PermissionsAllowViewEditConvertedLeads FROM UserPermissionAccess", False)],
        what="asking for our permissions",
    )
    if isinstance(answer, CRMError) or not answer["records"]:
        return
    if not answer["records"][0]["PermissionsAllowViewEditConvertedLeads"]:
        yield Problem(
            "The integration user can't write to converted leads, so what stays after conversion is kept on contact and deal only.",
            "Give it View and Edit Converted Leads (in the permission set Candor_Integration).",
            fatal=False,
        )
