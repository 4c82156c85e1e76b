"""What happened with a lead, newest first: its activities, its contact's after conversion, and its fields' changes."""

from __future__ import annotations

import json
from typing import Any

from connector.playground.desk import TimelineEntry
from connector.playground.org import Org, Row
from connector.playground.salesforce import times
from connector.playground.salesforce.schema import Schema
from connector.playground.salesforce.words import canonical

_LINKS = (
    ("Task", ("WhoId",)), ("Event", ("WhoId",)), ("EmailMessage", ("RelatedToId",)),
    ("CampaignMember", ("LeadId",)), ("Web_Activity__c", ("Lead__c", "Contact__c")),
)  # fmt: skip


def entries(org: Org, schema: Schema, lead: Row, limit: int) -> list[TimelineEntry]:
    who = [lead.id, *(i for i in (lead.data.get("ConvertedContactId"),) if i)]
    marks = ", ".join("?" * len(who))
    found: list[TimelineEntry] = []
    for obj, links in _LINKS:
        linked = " or ".join(f"json_extract(data, '$.{link}') in ({marks})" for link in links)
        for created, data in org.sql(
            f"select created, data from record where obj = ? and deleted = 0 and ({linked})",
            [obj, *who * len(links)],
        ):
            found += _activity(obj, created, json.loads(data))
    fields = schema.objects["Lead"].fields
    for change in org.history("Lead", lead.id):
        name = change["field"]
        if change["via"] != "create" and (
            name in schema.tracked.get("Lead", {}) or name.startswith("Candor_")
        ):
            label = fields[name].label if name in fields else canonical(name)
            text = f"{label}: {_word(change['old'])} to {_word(change['new'])}"
            found.append(TimelineEntry(times.moment(change["at"]), "field", text, change["by"]))
    found.sort(key=lambda e: e.at, reverse=True)
    return found[:limit]


def _activity(obj: str, created: int, data: dict[str, Any]) -> list[TimelineEntry]:
    at, by = times.moment(created), data.get("OwnerId") or data.get("CreatedById")
    if obj == "Task":
        kind = "call" if data.get("TaskSubtype") == "Call" else "task"
        said = ": ".join(x for x in (data.get("Subject"), data.get("CallDisposition")) if x)
        return [TimelineEntry(at, kind, said, by)]
    if obj == "Event":
        return [TimelineEntry(_time(data, "StartDateTime", created), "meeting", str(data.get("Subject")), by)]
    if obj == "CampaignMember":
        return [TimelineEntry(at, "campaign_response", str(data.get("Status")), by)]
    if obj == "Web_Activity__c":
        said = " ".join(str(data[k]) for k in ("Url__c", "Content__c", "Campaign__c") if data.get(k))
        return [TimelineEntry(_time(data, "At__c", created), str(data["Type__c"]), said, None)]
    subject = str(data.get("Subject"))
    if data.get("Incoming"):
        return [
            TimelineEntry(
                at, "email_forwarded" if subject.startswith("FW:") else "email_replied", subject, None
            )
        ]
    sent = [TimelineEntry(_time(data, "MessageDate", created), "email_sent", subject, by)]
    if data.get("FirstOpenedDate"):
        sent.append(TimelineEntry(_time(data, "FirstOpenedDate", created), "email_opened", subject, None))
    return sent


def _time(data: dict[str, Any], key: str, created: int) -> Any:
    at = times.parse(str(data.get(key)))
    return times.moment(created if at is None else at)


def _word(value: Any) -> str:
    return "blank" if value is None else str(value)
