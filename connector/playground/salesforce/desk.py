"""The org as its users see and click it, under canonical names. Writes pass the API's own checks (records.Writer), with
every field visible: a user's screen shows what its layout holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.playground.desk import DeskKind, Refused, TimelineEntry, View
from connector.playground.org import Org, Row
from connector.playground.salesforce import fates, ids, queues, times, touches
from connector.playground.salesforce.convert import convert
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.model import Field, SObject
from connector.playground.salesforce.records import Writer, auto_number
from connector.playground.salesforce.schema import Schema, Schemas
from connector.playground.salesforce.seed import lead_of
from connector.playground.salesforce.standard import LEAD_STATUSES
from connector.playground.salesforce.timeline import entries
from connector.playground.salesforce.words import (
    DEAL_FIELDS,
    LEAD_FIELDS,
    REVIEW,
    STAGE_WORDS,
    STATUS_WORDS,
    api_name,
    canonical,
    in_org,
)  # fmt: skip
from connector.playground.world.model import Account, Person, Touch

_OBJECTS: Mapping[DeskKind, str] = {"lead": "Lead", "deal": "Opportunity", "review": REVIEW}
_NAMES: Mapping[DeskKind, Mapping[str, str]] = {
    "lead": {**LEAD_FIELDS, "owner_id": "OwnerId", "account_id": "ConvertedAccountId",
             "contact_id": "ConvertedContactId", "deal_id": "ConvertedOpportunityId"},
    "deal": {**DEAL_FIELDS, "owner_id": "OwnerId"},
    "review": {"owner_id": "OwnerId"},
}  # fmt: skip


def open_desk(org: Org) -> SalesforceDesk:
    return SalesforceDesk(org)


class SalesforceDesk:
    vendor = "Salesforce"

    def __init__(self, org: Org) -> None:
        self._org = org
        self._schemas = Schemas(org)

    # -- what is on the screen --

    def leads(self, *, search: str = "", limit: int = 50, offset: int = 0) -> Sequence[View]:
        args: list[Any] = [LEAD_STATUSES["disqualified"]]
        where = "obj = 'Lead' and deleted = 0 and not ifnull(json_extract(data, '$.IsConverted'), 0)"
        where += " and json_extract(data, '$.Status') <> ?"
        if search:
            names = ("Name", "Email", "Company")
            where += " and (" + " or ".join(f"json_extract(data, '$.{n}') like ?" for n in names) + ")"
            args += [f"%{search}%"] * len(names)
        rows = self._org.sql(
            f"select id from record where {where} "
            "order by json_extract(data, '$.Candor_Score__c') desc nulls last, id limit ? offset ?",
            [*args, limit, offset],
        )
        return [self.view("lead", id) for (id,) in rows]

    def deals(self, lead_id: str | None = None) -> Sequence[View]:
        if lead_id is None:
            return [self._view("deal", row) for row in self._org.all("Opportunity")]
        lead = self._org.get("Lead", ids.full(lead_id))
        deal = lead and self._org.get("Opportunity", str(lead.data.get("ConvertedOpportunityId")))
        return [self._view("deal", deal)] if deal else []

    def reviews(self, *, open_only: bool = True) -> Sequence[View]:
        if REVIEW not in self._schema.objects:
            return []
        views = [self._view("review", row) for row in self._org.all(REVIEW)]
        return [v for v in views if not open_only or v.values.get("candor_status") != "completed"]

    def view(self, kind: DeskKind, id: str) -> View:
        return self._view(kind, self._row(kind, id))

    def timeline(self, lead_id: str, *, limit: int = 100) -> Sequence[TimelineEntry]:
        names = {r.id: str(r.data["Name"]) for r in self._org.all("User")}
        found = entries(self._org, self._schema, self._row("lead", lead_id), limit)
        # Sellers keep their id, by which the page knows them; automation and integrations have only a name.
        sellers = self.owners()
        return [e if e.by in sellers else replace(e, by=names.get(e.by or "", e.by)) for e in found]

    def owners(self) -> Mapping[str, str]:
        """The people who sell and are still there: neither the integration user nor automation."""
        return {
            r.id: str(r.data["Name"]) for r in self._org.all("User")
            if r.data.get("_role") not in ("integration user", "automation", None) and r.data.get("IsActive", True)
        }  # fmt: skip

    # -- what is clicked --

    def set(self, kind: DeskKind, id: str, values: Mapping[str, Any], *, by: str) -> None:
        obj, row = self._object(kind), self._row(kind, id)
        body = {}
        for name, value in values.items():
            field = self._field(kind, obj, name)
            if field is None:
                raise Refused(f"{obj.label} has no field {name}.")
            body[field.name] = _stored(name, value)
        try:
            with self._org.transaction():
                Writer(self._org, self._schema, self._user(by), via="ui").update(obj, row.id, body)
        except Fault as e:
            raise Refused(e.message) from e

    def log(self, lead_id: str, kind: str, *, by: str, detail: Mapping[str, Any] | None = None) -> str:
        lead, said = self._row("lead", lead_id), dict(detail or {})
        user = self._user(by)
        actor = "machine" if said.pop("actor", "person") == "machine" else "person"
        with self._org.transaction():
            at = times.moment(self._org.now() + 1)  # the time of the write that follows
            touch = Touch("", kind, lead.id, at, owner=user, actor=actor, detail=said)
            if kind == "email_opened":
                return self._open(lead, touch, user)
            made = touches.made(touch, self._party(lead, user))
            if made is None:
                raise Refused(f"Salesforce has no place for {kind}.")
            if made.obj == "CampaignMember":
                made.data["CampaignId"] = self._campaign(said, user)
            return self._make(made.obj, made.data, user)

    def make_deal(self, lead_id: str, *, amount: float, by: str) -> str:
        try:
            return convert(self._org, self._row("lead", lead_id), amount=amount, user=self._user(by))
        except Fault as e:
            raise Refused(e.message) from e

    def make_lead(self, person: Person, account: Account | None) -> str:
        """By a web form, so automation's. An account there is none before conversion."""
        fields = self._object("lead").fields
        columns = {k: api_name(k) for k in person.fields if api_name(k) in fields}
        keys = {r.data.get("_key"): r.id for obj in ("User", "Group") for r in self._org.all(obj)}
        by = self._user("automation")
        data = lead_of(person, keys.get(person.owner, by), by, columns)
        with self._org.transaction():
            id = self._make("Lead", data, by)
            self._org.load_history([("Lead", id, "created", self._org.now(), None, None, by, "ui")])
        return id

    def merge(self, loser: str, into: str, *, by: str) -> str:
        master = self._row("lead", into)
        try:
            fates.merge(self._org, self._row("lead", loser), master, user=self._user(by))
        except Fault as e:
            raise Refused(e.message) from e
        return master.id

    def delete(self, lead_id: str, *, by: str) -> None:
        self._org.delete("Lead", self._row("lead", lead_id).id, by=self._user(by))

    def restore(self, lead_id: str, *, by: str) -> None:
        row = self._org.get("Lead", ids.full(lead_id))
        if row is None or not row.deleted:
            raise KeyError(lead_id)
        try:
            fates.restore(self._org, row, user=self._user(by))
        except Fault as e:
            raise Refused(e.message) from e

    # -- parts --

    @property
    def _schema(self) -> Schema:
        return self._schemas.get(None)

    def _object(self, kind: DeskKind) -> SObject:
        found = self._schema.find(_OBJECTS[kind])
        if found is None:
            raise KeyError(f"the org has no {kind}s")
        return found

    def _row(self, kind: DeskKind, id: str) -> Row:
        row = self._org.get(self._object(kind).name, ids.full(id))
        if row is None or row.deleted:
            raise KeyError(id)
        return row

    def _field(self, kind: DeskKind, obj: SObject, name: str) -> Field | None:
        return obj.find(_NAMES[kind].get(name) or (name if name in obj.fields else api_name(name)))

    def _view(self, kind: DeskKind, row: Row) -> View:
        obj, names = self._object(kind), _NAMES[kind]
        shown = {n: obj.fields[f] for n, f in names.items() if f in obj.fields and n != "owner"}
        shown |= {
            canonical(f.name): f for f in obj.fields.values() if f.custom and f.name not in names.values()
        }
        values = {n: _shown(f, row.data.get(f.name)) for n, f in shown.items()}
        if kind == "review" and "candor_status" in values:
            values["candor_status"] = values["candor_status"] or "open"
        owner = self._org.get("User", str(row.data.get("OwnerId")))
        return View(
            kind, row.id, row.data.get("_key"), str(row.data.get("Name") or row.id),
            str(owner.data.get("Name")) if owner else queues.name_of(self._org, str(row.data.get("OwnerId"))),
            times.moment(row.created), values,
            {n: f.label for n, f in shown.items()},
        )  # fmt: skip

    def _user(self, by: str) -> str:
        """A user's id, given so or as the world's key; whoever else it was is the automation user."""
        users = self._org.all("User")
        found = next((r.id for r in users if by in (r.id, r.data.get("_key"))), None)
        return found or next(r.id for r in users if r.data.get("_role") == "automation")

    def _party(self, lead: Row, user: str) -> touches.Party:
        writer = self._org.get("User", user)
        contact = lead.data.get("ConvertedContactId")
        return touches.Party(
            contact or lead.id, lead.id, contact, lead.data.get("ConvertedAccountId"), lead.data.get("Email"), user,
            str(writer.data.get("Email")) if writer else "",
        )  # fmt: skip

    def _make(self, obj: str, data: dict[str, Any], user: str) -> str:
        found = self._schema.objects[obj]
        number = found.fields["Name"].auto_number if "Name" in found.fields else None
        if number:
            count = int(self._org.meta(f"auto:{obj}", 0)) + 1
            self._org.set_meta(f"auto:{obj}", count)
            data = {**data, "Name": auto_number(number, count)}
        (id,) = ids.following(self._org, found.prefix)
        self._org.create(obj, id, {k: v for k, v in data.items() if v is not None}, by=user, via="create")
        return id

    def _open(self, lead: Row, touch: Touch, user: str) -> str:
        """An opening is kept on the message that was opened; without one there is nothing to open."""
        who = lead.data.get("ConvertedContactId") or lead.id
        sent = self._org.sql(
            "select id from record where obj = 'EmailMessage' and deleted = 0 and json_extract(data, '$.RelatedToId') = ? "
            "and not json_extract(data, '$.Incoming') "
            "order by ifnull(json_extract(data, '$.Subject') = ?, 0) desc, created desc limit 1",
            (who, touch.detail.get("subject")),
        )
        if not sent:
            raise Refused("No e-mail was sent to this lead.")
        row = self._org.get("EmailMessage", sent[0][0])
        assert row is not None
        message = dict(row.data)
        touches.opened(message, times.ms(touch.at))
        changed = {k: message[k] for k in ("IsOpened", "FirstOpenedDate", "LastOpenedDate")}
        self._org.update("EmailMessage", row.id, changed, by=user, via="ui")
        return row.id

    def _campaign(self, detail: Mapping[str, Any], user: str) -> str:
        name, kind = touches.campaign(detail)
        for row in self._org.all("Campaign"):
            if row.data["Name"] == name:
                return row.id
        data = {"Name": name, "Type": kind, "Status": "In Progress", "IsActive": True, "OwnerId": user}
        return self._make("Campaign", {**data, "CreatedById": user}, user)


def _shown(f: Field, value: Any) -> Any:
    if f.type == "multipicklist":
        return value.split(";") if value else []
    if value is None:
        return False if f.type == "boolean" else None
    if f.type == "datetime":
        at = times.parse(value)
        return None if at is None else times.moment(at)
    if f.name == "Status":
        return STATUS_WORDS.get(value, value)
    return STAGE_WORDS.get(value, value) if f.name == "StageName" else value


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return times.text(times.ms(value))
    if isinstance(value, list | tuple):
        return ";".join(str(v) for v in value)
    return in_org(name, value)
