"""The account as its users see it: records, timelines, and what they click, with the API's own checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector.playground.desk import DeskKind, Refused, TimelineEntry, View
from connector.playground.hubspot.associations import Associations
from connector.playground.hubspot.errors import HubSpotError
from connector.playground.hubspot.records import Records
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.times import iso, ms_of
from connector.playground.hubspot.translate import (
    DEAL_STAGES,
    LEAD_STATUSES,
    PERSON_FIELDS,
    company_values,
    conversion,
    employee_range,
    engagement,
    engagement_values,
    page_url,
    person_values,
    text_of,
)
from connector.playground.org import Org, Row
from connector.playground.world.model import Account, Person

_OBJECTS: dict[DeskKind, str] = {"lead": "contacts", "deal": "deals", "review": "tickets"}
_FIELDS: dict[str, dict[str, str]] = {
    "contacts": PERSON_FIELDS,
    "deals": {
        "name": "dealname",
        "stage": "dealstage",
        "close_at": "closedate",
        "owner_id": "hubspot_owner_id",
    },
    "tickets": {},
}
_WORDS = {
    "status": {v: k for k, v in LEAD_STATUSES.items()},
    "stage": {v: k for k, v in DEAL_STAGES.items()},
}
_HIDDEN = (
    "hs_",
    "num_",
    "notes_",
    "recent_",
    "lastmodified",
    "createdate",
    "numemployees",
    "lifecyclestage",
    "hubspot",
)
"""Properties that the screen leaves out (its canonical ones aside)."""

REVIEW_PIPELINE = "Candor review"


def open_desk(org: Org) -> HubSpotDesk:
    return HubSpotDesk(org)


class HubSpotDesk:
    vendor = "HubSpot"

    def __init__(self, org: Org) -> None:
        self.org = org
        self._schema = Schema(org)
        self._records = Records(org, self._schema)
        self._associations = Associations(self._records)

    # -- what is on the screen --

    def leads(self, *, search: str = "", limit: int = 50, offset: int = 0) -> Sequence[View]:
        closed = [LEAD_STATUSES["converted"], LEAD_STATUSES["disqualified"]]
        args: list[Any] = [*closed]
        where = ""
        if search:
            names = ("firstname", "lastname", "email", "company")
            where = " and (" + " or ".join(f"json_extract(data, '$.{n}') like ?" for n in names) + ")"
            args += [f"%{search}%"] * len(names)
        rows = self.org.sql(
            "select id from record where obj = 'contacts' and deleted = 0"
            " and coalesce(json_extract(data, '$.hs_lead_status'), '') not in (?, ?)"
            + where
            + " order by cast(coalesce(json_extract(data, '$.candor_score'), -1) as real) desc, id limit ? offset ?",
            [*args, limit, offset],
        )
        return [self.view("lead", id) for (id,) in rows]

    def deals(self, lead_id: str | None = None) -> Sequence[View]:
        if lead_id is None:
            return [self._view("deal", row) for row in self.org.all("deals")]
        return [
            self.view("deal", id)
            for id in self._associations.of("contacts", [lead_id], "deals").get(lead_id, {})
        ]

    def reviews(self, *, open_only: bool = True) -> Sequence[View]:
        ids = {p["id"] for p in self._schema.pipelines("tickets") if p["label"] == REVIEW_PIPELINE}
        views = [self._view("review", r) for r in self.org.all("tickets") if r.data.get("hs_pipeline") in ids]
        return [v for v in views if not open_only or v.values["candor_status"] == "open"]

    def view(self, kind: DeskKind, id: str) -> View:
        try:
            return self._view(kind, self._records.find(_OBJECTS[kind], id))
        except HubSpotError as gone:
            raise KeyError(id) from gone

    def timeline(self, lead_id: str, *, limit: int = 100) -> Sequence[TimelineEntry]:
        entries = []
        for obj in ("calls", "emails", "meetings", "tasks"):
            for id in self.org.links("contacts", [lead_id], obj).get(lead_id, []):
                row = self.org.get(obj, id)
                if row is not None and not row.deleted:
                    entries.append(_entry(obj, row))
        labels = {name: p["label"] for name, p in self._schema.active("contacts").items()}
        for change in self.org.history("contacts", lead_id):
            entry = _behaviour(change) or _field(change, labels)
            if entry:
                entries.append(entry)
        entries.sort(key=lambda e: e.at, reverse=True)
        return entries[:limit]

    def owners(self) -> Mapping[str, str]:
        return {r.id: f"{r.data['firstName']} {r.data['lastName']}" for r in self.org.all("owners")}

    # -- what users click --

    def set(self, kind: DeskKind, id: str, values: Mapping[str, Any], *, by: str) -> None:
        obj = _OBJECTS[kind]
        row = self.org.get(obj, id)
        if row is None or row.deleted:
            raise KeyError(id)
        given: dict[str, Any] = {}
        for field, value in values.items():
            if kind == "review" and field == "candor_status":
                given["hs_pipeline_stage"] = self._stage_for(str(row.data["hs_pipeline"]), str(value))
                continue
            if kind == "lead" and field == "employees":
                given["numemployees"] = employee_range(value)
            given[_FIELDS[obj].get(field, field)] = _text(field, value)
        try:
            with self.org.transaction():
                self._records.update(obj, row, given, by=self._user(by), via="ui")
        except HubSpotError as refused:
            raise Refused("; ".join(e["message"] for e in refused.errors) or refused.message) from refused

    def log(self, lead_id: str, kind: str, *, by: str, detail: Mapping[str, Any] | None = None) -> str:
        said = dict(detail or {})
        if self.org.get("contacts", lead_id) is None:
            raise KeyError(lead_id)
        with self.org.transaction():
            obj = engagement(kind)
            if obj is None:
                return self._behave(lead_id, kind, said)
            machine = said.get("actor") == "machine"
            made: dict[str, Any] = engagement_values(kind, self.org.now() + 1, said, machine=machine)
            made["hubspot_owner_id"] = self._user(by) if self._user(by) in self.owners() else None
            row = self._records.create(obj, made, by=self._user(by), via="automation" if machine else "ui")
            self._associations.make(obj, row.id, "contacts", lead_id)
            return row.id

    def _behave(self, contact: str, kind: str, detail: dict[str, Any]) -> str:
        """What the lead itself did: HubSpot keeps it as history of analytics properties."""
        row = self.org.get("contacts", contact)
        assert row is not None
        at = iso(self.org.now() + 1)  # the time of the write that follows
        if kind in ("page_view", "download"):
            views = str(int(row.data.get("hs_analytics_num_page_views") or 0) + 1)
            values = {"hs_analytics_last_url": page_url(kind, detail), "hs_analytics_num_page_views": views,
                      "hs_analytics_last_timestamp": at}  # fmt: skip
            session = str(detail.get("session"))
            if session not in str(row.data.get("hs_analytics_last_url")):
                values["hs_analytics_num_visits"] = str(int(row.data.get("hs_analytics_num_visits") or 0) + 1)
            self._records.calculate("contacts", contact, values, via="analytics")
        elif kind in ("form", "webinar", "campaign_response"):
            forms = str(int(row.data.get("num_conversion_events") or 0) + 1)
            values = {"recent_conversion_event_name": conversion(kind, detail), "recent_conversion_date": at,
                      "num_conversion_events": forms}  # fmt: skip
            self._records.calculate("contacts", contact, values, via="form")
        elif kind in ("email_opened", "email_clicked"):
            name = "hs_email_last_open_date" if kind == "email_opened" else "hs_email_last_click_date"
            by = "bot" if detail.get("actor") == "machine" else "analytics"
            self.org.update("contacts", contact, {name: at}, by=by, via="analytics")
        else:
            raise Refused(f"HubSpot has no place for {kind}.")
        return f"{contact}-{kind}-{self.org.now()}"

    def make_deal(self, lead_id: str, *, amount: float, by: str) -> str:
        row = self._records.find("contacts", lead_id)
        user = self._user(by)
        with self.org.transaction():
            values = {
                "dealname": f"{row.data.get('company') or row.data.get('lastname')} deal",
                "amount": text_of(amount),
                "pipeline": "default",
                "dealstage": DEAL_STAGES["discovery"],
                "deal_currency_code": "USD",
                "hubspot_owner_id": user if user in self.owners() else row.data.get("hubspot_owner_id"),
            }
            deal = self._records.create("deals", values, by=user, via="ui")
            for company in self.org.links("contacts", [lead_id], "companies").get(lead_id, [])[:1]:
                self._associations.make("deals", deal.id, "companies", company)
            self._associations.make("deals", deal.id, "contacts", lead_id)
            contact = self._records.find("contacts", lead_id)
            self._records.update(
                "contacts",
                contact,
                {"hs_lead_status": LEAD_STATUSES["converted"], "lifecyclestage": "opportunity"},
                by=user,
                via="ui",
            )
        return deal.id

    def make_lead(self, person: Person, account: Account | None) -> str:
        """By a form; its company is found by domain, or made where the world knows one."""
        owners = {str(r.data.get("_key")): r.id for r in self.org.all("owners")}
        fields = {**person.fields, "status": person.status, "owner": person.owner}
        values = {"firstname": person.first_name, "lastname": person.last_name, "email": person.email,
                  "company": person.company, **person_values(fields, owners)}  # fmt: skip
        known = self._schema.active("contacts")
        data = {k: v for k, v in values.items() if v is not None and k in known} | {"_key": person.key}
        with self.org.transaction():
            if person.email:
                data["hs_email_domain"] = person.email.split("@")[-1]
            contact = self.org.create("contacts", self._records.new_id("contacts"), data, by="", via="form")
            if account is not None:
                self._associations.make("contacts", contact.id, "companies", self._company(account, owners))
        return contact.id

    def _company(self, account: Account, owners: Mapping[str, str]) -> str:
        rows = self.org.sql(
            "select id from record where obj = 'companies' and deleted = 0 and (json_extract(data, '$._key') = ? "
            "or json_extract(data, '$.domain') = ?) order by id limit 1",
            (account.key, account.domain),
        )
        if rows:
            return str(rows[0][0])
        data = {**company_values(account), "hubspot_owner_id": owners.get(account.owner), "_key": account.key}
        return self.org.create("companies", self._records.new_id("companies"), data, by="", via="form").id

    def merge(self, loser: str, into: str, *, by: str) -> str:
        try:
            return self._records.merge("contacts", into, loser, by=self._user(by)).id
        except HubSpotError as refused:
            raise Refused(refused.message) from refused

    def delete(self, lead_id: str, *, by: str) -> None:
        try:
            self._records.archive("contacts", lead_id, by=self._user(by))
        except HubSpotError as gone:
            raise KeyError(lead_id) from gone

    def restore(self, lead_id: str, *, by: str) -> None:
        try:
            self._records.restore("contacts", lead_id, by=self._user(by))
        except HubSpotError as refused:
            raise Refused(refused.message) if refused.status == 400 else KeyError(lead_id) from refused

    # -- --

    def _view(self, kind: DeskKind, row: Row) -> View:
        obj = _OBJECTS[kind]
        back = {v: k for k, v in _FIELDS[obj].items()}
        values: dict[str, Any] = {}
        labels: dict[str, str] = {}
        for name, definition in self._schema.active(obj).items():
            if name not in back and name.startswith(_HIDDEN):
                continue
            field = back.get(name, name)
            values[field] = _shown(definition, row.data.get(name))
            labels[field] = definition["label"]
            if field in _WORDS:
                values[field] = _WORDS[field].get(values[field], values[field])
        if kind == "review":
            stage = self._schema.stages("tickets").get(str(row.data.get("hs_pipeline_stage")))
            closed = stage is not None and stage[1]["metadata"].get("ticketState") == "CLOSED"
            values["candor_status"], labels["candor_status"] = "completed" if closed else "open", "Status"
        first, last = row.data.get("firstname"), row.data.get("lastname")
        title = {
            "lead": " ".join(filter(None, (first, last))) or row.data.get("email"),
            "deal": row.data.get("dealname"),
            "review": row.data.get("subject"),
        }[kind]
        owner = self.owners().get(str(row.data.get("hubspot_owner_id")), "")
        return View(
            kind,
            row.id,
            row.data.get("_key"),
            str(title or row.id),
            owner,
            _when(row.created),
            values,
            labels,
        )

    def _stage_for(self, pipeline: str, status: str) -> str:
        wanted = "CLOSED" if status == "completed" else "OPEN"
        for stage in self._schema.pipeline("tickets", pipeline)["stages"]:
            if stage["metadata"].get("ticketState") == wanted:
                return str(stage["id"])
        raise Refused(f"The pipeline has no stage that is {wanted.lower()}.")

    def _user(self, by: str) -> str:
        """An owner's id, given so or as the world's key."""
        for row in self.org.all("owners"):
            if by in (row.id, row.data.get("_key")):
                return row.id
        return by


def _text(field: str, value: Any) -> str:
    if isinstance(value, datetime):
        return iso(ms_of(value))
    given = text_of(value) or ""
    return {"status": LEAD_STATUSES, "stage": DEAL_STAGES}.get(field, {}).get(given, given)


def _shown(definition: Mapping[str, Any], text: Any) -> Any:
    if text is None:
        return [] if definition["fieldType"] == "checkbox" else None
    match definition["type"]:
        case "number":
            number = float(text)
            return int(number) if number.is_integer() else number
        case "bool":
            return text == "true"
        case "datetime":
            return datetime.fromisoformat(text)
    return text.split(";") if definition["fieldType"] == "checkbox" else text


def _entry(obj: str, row: Row) -> TimelineEntry:
    data = row.data
    direction = {"INCOMING_EMAIL": "email_replied", "FORWARDED_EMAIL": "email_forwarded"}
    kind = {"calls": "call", "meetings": "meeting", "tasks": "task"}.get(obj) or direction.get(
        str(data.get("hs_email_direction")), "email_sent"
    )
    title = next(
        (
            data[k]
            for k in ("hs_email_subject", "hs_meeting_title", "hs_task_subject", "hs_call_title")
            if data.get(k)
        ),
        "",
    )
    return TimelineEntry(
        datetime.fromisoformat(data["hs_timestamp"]), kind, str(title), data.get("hubspot_owner_id")
    )


_BEHAVIOUR = {
    "hs_analytics_last_url": "page_view",
    "recent_conversion_event_name": "form",
    "hs_email_last_open_date": "email_opened",
    "hs_email_last_click_date": "email_clicked",
}


def _behaviour(change: Mapping[str, Any]) -> TimelineEntry | None:
    kind = _BEHAVIOUR.get(change["field"])
    if kind is None:
        return None
    text = str(change["new"])
    if kind == "page_view" and "/downloads" in text:
        kind = "download"
    if kind == "form" and text.startswith(("Webinar:", "Campaign:")):
        kind = "webinar" if text.startswith("Webinar:") else "campaign_response"
    return TimelineEntry(_when(change["at"]), kind, text, None)


def _field(change: Mapping[str, Any], labels: Mapping[str, str]) -> TimelineEntry | None:
    name = change["field"]
    if name in PERSON_FIELDS.values() or name in ("points", "hand_raiser") or name.startswith("candor_"):
        text = f"{labels.get(name, name)}: {json.dumps(change['old'])} to {json.dumps(change['new'])}"
        return TimelineEntry(_when(change["at"]), "field", text, change["by"])
    return None


def _when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
