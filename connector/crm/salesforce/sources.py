"""Everything that is pulled: one declaration a stream, made from what the org has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.crm.base import Activity, Change, FieldMap, Kind, Page, Record, Stream
from connector.crm.salesforce import activities
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Described, Describes
from connector.crm.salesforce.fields import OBJECTS, field_map, pulled
from connector.crm.salesforce.records import ROLES, Row, changes, record

WEB_ACTIVITY = "Web_Activity__c"
RELATIONS = "EmailMessageRelation"

_RECORD_STREAMS: tuple[tuple[str, Kind], ...] = (
    ("leads", "lead"),
    ("accounts", "account"),
    ("deals", "deal"),
    ("owners", "owner"),
    ("reviews", "review"),
)
_HISTORY_STREAMS: tuple[tuple[str, Kind, str, str], ...] = (
    ("lead_history", "lead", "LeadHistory", "LeadId"),
    ("deal_history", "deal", "OpportunityFieldHistory", "OpportunityId"),
    ("account_history", "account", "AccountHistory", "AccountId"),
)
_TASK = (
    "WhoId", "AccountId", "Subject", "OwnerId", "ActivityDate", "Status", "IsClosed", "CompletedDateTime",
    "TaskSubtype", "CallType", "CallDisposition", "CallDurationInSeconds",
)  # fmt: skip
_EVENT = (
    "WhoId", "AccountId", "Subject", "OwnerId", "StartDateTime", "ActivityDateTime", "ActivityDate",
    "DurationInMinutes",
)  # fmt: skip
_EMAIL = (
    "RelatedToId", "ActivityId", "Subject", "Incoming", "MessageDate", "FirstOpenedDate", "LastOpenedDate", "CcAddress", "CreatedById",
)  # fmt: skip
_MEMBER = ("LeadId", "ContactId", "Status", "HasResponded", "FirstRespondedDate")

Shaped = tuple[list[Record], list[Change], list[Activity]]


@dataclass(frozen=True, slots=True)
class Source:
    """A stream and how it is read. `stamp`: the column that moves when a row does. `history`: rows never change, and
    the store can't tell which of them it has. `deleted_too`: asked by queryAll, which also shows archived rows."""

    stream: Stream
    object: str
    select: tuple[str, ...]
    stamp: str
    deleted_too: bool
    history: bool
    shape: Callable[[Sequence[Row]], Shaped]

    def page(self, cursor: str, rows: Sequence[Row]) -> Page:
        records, changed, acts = self.shape(rows)
        return Page(self.stream.name, cursor, records, changed, acts)


def names(options: Mapping[str, str]) -> tuple[str, ...]:
    """Every object that a pull may look at, to describe them in one call."""
    return (
        *OBJECTS.values(), *(h[2] for h in _HISTORY_STREAMS), "Task", "Event", "EmailMessage", "Campaign",
        "CampaignMember", options.get("web_activity", WEB_ACTIVITY),
    )  # fmt: skip


def sources(api: Api, describes: Describes, own: FieldMap, options: Mapping[str, str]) -> tuple[Source, ...]:
    """The streams of this org; an object that it lacks has none."""
    describes.load(names(options))
    found = [_records(name, kind, describes, own) for name, kind in _RECORD_STREAMS]
    found += [
        _history(name, kind, obj, parent, describes, own) for name, kind, obj, parent in _HISTORY_STREAMS
    ]
    messages = describes.find("EmailMessage")
    found.append(_activity("tasks", describes.find("Task"), _TASK, _tasks(api, messages is not None)))
    found.append(_activity("events", describes.find("Event"), _EVENT, _each(activities.event)))
    if messages is not None:
        relations = messages.children.get(RELATIONS)
        extra = (f"(SELECT RelationId, RelationType FROM {relations})",) if relations else ()
        shape = _each(lambda row: activities.email(row, relations))
        found.append(_activity("emails", messages, _EMAIL, shape, extra))
    campaign = ("Campaign.Name", "Campaign.Type") if describes.find("Campaign") else ()
    members = describes.find("CampaignMember")
    found.append(_activity("campaign_members", members, _MEMBER, _each(activities.campaign_member), campaign))
    web = describes.find(options.get("web_activity", WEB_ACTIVITY))
    if web is not None:
        fields = activities.web_fields(web, options)
        shape = _each(lambda row: activities.web(row, fields))
        found.append(_activity("web_activities", web, tuple(fields.values()), shape))
    return tuple(s for s in found if s is not None)


def _records(name: str, kind: Kind, describes: Describes, own: FieldMap) -> Source | None:
    described = describes.find(OBJECTS[kind])
    if described is None:
        return None
    mapped = pulled(field_map(kind, own, described), described)
    columns = [
        "Id",
        "CreatedDate",
        "SystemModstamp",
        *described.seen("IsDeleted", "MasterRecordId"),
        *mapped.values(),
    ]
    if kind == "deal":
        columns += described.seen("ContactId")
        if ROLES in described.children:
            columns.append(f"(SELECT ContactId FROM {described.children[ROLES]})")
    return Source(
        Stream(name, described.name, "records"),
        described.name,
        tuple(dict.fromkeys(columns)),
        "SystemModstamp",
        "IsDeleted" in described.fields,
        False,
        lambda rows: ([record(kind, row, mapped, described) for row in rows], [], []),
    )


def _history(
    name: str, kind: Kind, obj: str, parent: str, describes: Describes, own: FieldMap
) -> Source | None:
    described, of = describes.find(obj), describes.find(OBJECTS[kind])
    if described is None or of is None:
        return None
    shape = changes(kind, parent, field_map(kind, own, of), of)
    columns = ("Id", parent, "Field", "OldValue", "NewValue", "CreatedDate", "CreatedById")
    return Source(
        Stream(name, obj, "changes"),
        obj,
        columns,
        "CreatedDate",
        True,
        True,
        lambda rows: ([], shape(rows), []),
    )


def _activity(
    name: str,
    described: Described | None,
    wanted: Sequence[str],
    shape: Callable[[Sequence[Row]], Shaped],
    extra: Sequence[str] = (),
) -> Source | None:
    if described is None:
        return None
    columns = ("Id", "CreatedDate", "SystemModstamp", *described.seen("IsDeleted", *wanted), *extra)
    return Source(
        Stream(name, described.name, "activities"), described.name, tuple(dict.fromkeys(columns)), "SystemModstamp",
        "IsDeleted" in described.fields, False, shape,
    )  # fmt: skip


def _each(one: Callable[[Row], list[Activity]]) -> Callable[[Sequence[Row]], Shaped]:
    return lambda rows: ([], [], [activity for row in rows for activity in one(row)])


_IDS_A_QUERY = 400


def _tasks(api: Api, messages: bool) -> Callable[[Sequence[Row]], Shaped]:
    """Tasks without those that are the twin of an e-mail message: such a message counts once, as itself."""

    def shape(rows: Sequence[Row]) -> Shaped:
        emails = [row["Id"] for row in rows if row.get("TaskSubtype") == "Email"] if messages else []
        twins = _twins(api, emails)
        return [], [], [a for row in rows if row["Id"] not in twins for a in activities.task(row)]

    return shape


def _twins(api: Api, ids: Sequence[str]) -> set[str]:
    parts = [ids[start : start + _IDS_A_QUERY] for start in range(0, len(ids), _IDS_A_QUERY)]
    soqls = [
        (
            "SELECT ActivityId FROM EmailMessage WHERE ActivityId IN ("
            + ", ".join(f"'{i}'" for i in part)
            + ")",
            True,
        )
        for part in parts
    ]
    answers: list[Any] = api.queries(soqls, what="reading e-mail messages") if soqls else []
    found: set[str] = set()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        found.update(row["ActivityId"] for row in answer["records"])
    return found
