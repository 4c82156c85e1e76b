"""A world as a Salesforce org keeps it. Salesforce has no account of an unconverted lead: accounts, contacts and deals
exist from conversion on, and the activities of a converted lead hang on its contact."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.playground.org import Org
from connector.playground.salesforce import auth, fates, ids, own, queues, records, schema, times, touches
from connector.playground.salesforce.platform import reference_rows
from connector.playground.salesforce.standard import LEAD_STATUSES, STAGE_OF
from connector.playground.salesforce.words import DEAL_FIELDS, LEAD_FIELDS, api_name, in_org
from connector.playground.world.model import Account, Column, Deal, Person, World
from connector.playground.world.upkeep import served

AUTOMATION = "automation"
"""The world's word for who changed something by itself; a user of the org here."""
_COLUMN_TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string", "length": 255}, "number": {"type": "double", "precision": 18, "scale": 4},
    "flag": {"type": "boolean", "default": False}, "choice": {"type": "picklist", "length": 255}, "date": {"type": "date"},
}  # fmt: skip


def seed(org: Org, world: World) -> dict[str, str]:
    """Fill an empty org; the world's key -> the record's id."""
    with org.transaction():
        org.set_meta("clock", times.ms(world.now))
        stored = own.schema()
        _columns(stored, world.columns)
        schema.save(org, stored)
        known = _Seeding(org, served(world)).run()
        fates.lay_down(org, world.fates, known)
        return known


def column_field(name: str) -> str:
    """The field that holds a world's column of this name."""
    return api_name(name)


def _columns(stored: dict[str, Any], columns: Iterable[Column]) -> None:
    fields = stored["fields"]["Lead"]
    for column in columns:
        spec = {"label": column.label, **_COLUMN_TYPES[column.type], "profile": True}
        if column.type == "choice":
            spec["picklist"] = list(dict.fromkeys(column.choices))
        fields.setdefault(column_field(column.name), spec)


@dataclass(slots=True)
class _Seeding:
    org: Org
    world: World
    ids: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    """person key -> contact id"""
    accounts: dict[str, str] = field(default_factory=dict)
    """account key, or "company:<name>" -> account id"""
    address: dict[str, str] = field(default_factory=dict)
    history: list[tuple[str, str, str, int, Any, Any, str, str]] = field(default_factory=list)

    def run(self) -> dict[str, str]:
        self._platform()
        self._name_records()
        self._accounts()
        changes = self._changes()
        self._people(changes)
        self._deals(changes)
        self._touches()
        self.org.load_history(sorted(self.history, key=lambda row: row[3]))
        return self.ids

    # -- who is there --

    def _platform(self) -> None:
        org, world, now = self.org, self.world, times.ms(self.world.now)
        start = min((times.ms(p.created_at) for p in world.people), default=now)
        people = [(o.key, o.name, o.email, o.role) for o in world.owners]
        left = {o.key for o in world.owners if not o.active}
        people += [("integration", "Candor Integration", "integration@example.org", "integration user"),
                   (AUTOMATION, "Automated Process", "automation@example.org", "automation")]  # fmt: skip
        profiles = ids.following(org, "00e", 2)
        org.load("Profile", [(i, start, start, {"Name": n}) for i, n in
                             zip(profiles, ("System Administrator", "Standard User"), strict=True)])  # fmt: skip
        rows = []
        for id, (key, name, email, role) in zip(ids.following(org, "005", len(people)), people, strict=True):
            first, _, last = name.rpartition(" ")
            self.ids[key], self.address[key] = id, email
            rows.append((id, start, start, {
                "_key": key, "_role": role, "Username": email, "FirstName": first or None, "LastName": last,
                "Name": name, "Email": email, "Title": role, "IsActive": key not in left, "TimeZoneSidKey": "GMT",
                "UserType": "AutomatedProcess" if key == AUTOMATION else "Standard", "CreatedById": id,
                "ProfileId": profiles[key != "integration"]}))  # fmt: skip
        org.load("User", rows)
        queues.made(org, world.queues, self.ids, start)
        integration = self.ids.pop("integration")
        org.set_meta("integration_user", integration)
        org.set_meta("users", {integration: {"admin": True}})
        (organization,) = ids.following(org, "00D")
        org.load("Organization", [(organization, start, start, {
            "Name": world.name, "Country": "US", "TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US",
            "DefaultLocaleSidKey": "en_US", "OrganizationType": "Enterprise Edition", "InstanceName": "LOC1",
            "IsSandbox": False, "FiscalYearStartMonth": 1, "CreatedById": integration})])  # fmt: skip
        for obj, data in reference_rows():
            (id,) = ids.following(org, "01J")
            org.load(obj, [(id, start, start, {**data, "CreatedById": integration})])
        org.set_meta("token", f"{organization[:15]}!{secrets.token_urlsafe(48)}")
        client, secret = "3MVG9" + secrets.token_hex(20), secrets.token_hex(32)
        auth.register(org, client, secret=secret)
        org.set_meta("oauth", {"client_id": client, "client_secret": secret,
                               "refresh_token": auth.refresh_token(org, integration)})  # fmt: skip

    def _name_records(self) -> None:
        world = self.world
        people = sorted(world.people, key=lambda p: (p.created_at, p.key))
        for p, id in zip(people, ids.following(self.org, "00Q", len(people)), strict=True):
            self.ids[p.key] = id
        deals = sorted(world.deals, key=lambda d: (d.created_at, d.key))
        for d, id in zip(deals, ids.following(self.org, "006", len(deals)), strict=True):
            self.ids[d.key] = id
        converted = sorted((p for p in people if p.converted_at), key=lambda p: (p.converted_at, p.key))
        for p, id in zip(converted, ids.following(self.org, "003", len(converted)), strict=True):
            self.contacts[p.key] = id

    # -- accounts, leads, contacts --

    def _accounts(self) -> None:
        """One for every company of which a lead was converted, or that has a deal; made when the first was."""
        since: dict[str, int] = {}
        owner: dict[str, str] = {}
        for p in self.world.people:
            if p.converted_at:
                key, at = _company(p), times.ms(p.converted_at)
                if at < since.get(key, at + 1):
                    since[key], owner[key] = at, p.owner
        for d in self.world.deals:
            if d.account and d.account not in since:
                since[d.account], owner[d.account] = times.ms(d.created_at), d.owner
        known = {a.key: a for a in self.world.accounts}
        keys = sorted(since, key=lambda k: (since[k], k))
        rows = []
        for key, id in zip(keys, ids.following(self.org, "001", len(keys)), strict=True):
            self.accounts[key] = id
            data = _account(known.get(key), key) | {
                "OwnerId": self._seller(owner[key]),
                "CreatedById": self._seller(owner[key]),
            }
            if key in known:
                self.ids[key], data["_key"] = id, key
            rows.append((id, since[key], max(since[key], self._renamed(key, id, since[key])), data))
        self.org.load("Account", rows)

    def _renamed(self, key: str, id: str, since: int) -> int:
        """What the account's history tells of a rebrand after it was made; the time of it, or 0."""
        last = 0
        for c in self.world.renames:
            at = times.ms(c.at)
            if c.key == key and at > since:
                name = {"name": "Name", "domain": "Website"}[c.field]
                self.history.append(("Account", id, name, at, c.old, c.new, self._user(c.by), "seed"))
                last = at
        return last

    def _changes(self) -> dict[str, int]:
        """Field history; and key -> the time of the last change."""
        last: dict[str, int] = {}
        for c in self.world.changes:
            at = times.ms(c.at)
            last[c.key] = max(at, last.get(c.key, 0))
            obj, names = ("Lead", LEAD_FIELDS) if c.kind == "person" else ("Opportunity", DEAL_FIELDS)
            name = names.get(c.field) or api_name(c.field)
            old, new = (self._value(c.field, v) for v in (c.old, c.new))
            self.history.append((obj, self.ids[c.key], name, at, old, new, self._user(c.by), "seed"))
        return last

    def _people(self, changed: Mapping[str, int]) -> None:
        leads, contacts = [], []
        columns = {c.name: column_field(c.name) for c in self.world.columns}
        for p in self.world.people:
            id, created, owner = self.ids[p.key], times.ms(p.created_at), self._user(p.owner)
            modified = max(created, changed.get(p.key, 0), times.ms(p.modified_at))
            data = lead_of(p, owner, self._seller(p.owner), columns)
            self.history.append(("Lead", id, "created", created, None, None, data["CreatedById"], "seed"))
            if p.converted_at is not None:
                at = times.ms(p.converted_at)
                modified = max(modified, at)
                contact, account = self.contacts[p.key], self.accounts[_company(p)]
                data |= {"ConvertedDate": times.day(at), "ConvertedContactId": contact, "ConvertedAccountId": account,
                         "ConvertedOpportunityId": self.ids.get(p.deal or "")}  # fmt: skip
                self.history.append(
                    ("Lead", id, "leadConverted", at, None, None, self._seller(p.owner), "seed")
                )
                contacts.append((contact, at, at, contact_of(data, account)))
            leads.append((id, created, modified, data))
        self.org.load("Lead", leads)
        self.org.load("Contact", contacts)

    # -- deals --

    def _deals(self, changed: Mapping[str, int]) -> None:
        rows, roles, stages = [], [], []
        of: dict[str, list[Any]] = defaultdict(list)
        for c in self.world.changes:
            if c.kind == "deal":
                of[c.key].append(c)
        people = {p.key: p for p in self.world.people}
        for d in self.world.deals:
            id, created = self.ids[d.key], times.ms(d.created_at)
            modified = max(created, changed.get(d.key, 0), times.ms(d.modified_at))
            there = [k for k in d.people if k in self.contacts]
            data = self._deal(d, modified, [people[k] for k in there])
            rows.append((id, created, modified, data))
            roles += [(id, self.contacts[k], n == 0, times.ms(people[k].converted_at or d.created_at), data["OwnerId"])
                      for n, k in enumerate(there)]  # fmt: skip
            stages += self._stages(id, created, data, sorted(of[d.key], key=lambda c: c.at))
            self.history.append(("Opportunity", id, "created", created, None, None, data["OwnerId"], "seed"))
        self.org.load("Opportunity", rows)
        made = ids.following(self.org, "00K", len(roles))
        self.org.load("OpportunityContactRole", (
            (id, at, at, {"OpportunityId": deal, "ContactId": contact, "IsPrimary": first, "Role": "Evaluator", "CreatedById": by})
            for id, (deal, contact, first, at, by) in zip(made, roles, strict=True)))  # fmt: skip
        records.stage_history(self.org, sorted(stages, key=lambda s: s[2]))

    def _deal(self, d: Deal, modified: int, people: list[Person]) -> dict[str, Any]:
        stage = STAGE_OF.get(d.stage, d.stage)
        account = self.accounts.get(d.account or "") or (
            self.accounts[_company(people[0])] if people else None
        )
        owner = self._user(d.owner)
        return {
            "_key": d.key, "Name": d.name, "AccountId": account, "StageName": stage, **records.staged(stage),
            "Amount": d.amount, "CloseDate": times.day(times.ms(d.close_at)) if d.close_at else times.day(modified),
            "OwnerId": owner, "CreatedById": owner, "Type": "New Business",
            "LeadSource": people[0].fields.get("source") if people else None,
            "ContactId": self.contacts[people[0].key] if people else None, "LastStageChangeDate": times.text(modified),
        }  # fmt: skip

    def _stages(
        self, id: str, created: int, data: Mapping[str, Any], changes: list[Any]
    ) -> list[tuple[str, Mapping[str, Any], int, str]]:
        first = {"StageName": data["StageName"], "Amount": data["Amount"], "CloseDate": data["CloseDate"]}
        for c in reversed(changes):
            if DEAL_FIELDS.get(c.field) in first:
                first[DEAL_FIELDS[c.field]] = self._value(c.field, c.old)
        rows: list[tuple[str, Mapping[str, Any], int, str]] = [
            (
                id,
                {**first, "Probability": records.staged(str(first["StageName"]))["Probability"]},
                created,
                data["OwnerId"],
            )
        ]
        state = dict(first)
        for c in changes:
            if DEAL_FIELDS.get(c.field) in state:
                state[DEAL_FIELDS[c.field]] = self._value(c.field, c.new)
                probability = records.staged(str(state["StageName"]))["Probability"]
                rows.append((id, {**state, "Probability": probability}, times.ms(c.at), self._user(c.by)))
        return rows

    # -- touches --

    def _touches(self) -> None:
        people = {p.key: p for p in self.world.people}
        rows: dict[str, list[tuple[int, int, dict[str, Any], str]]] = defaultdict(list)
        sent: dict[str, list[Any]] = defaultdict(list)
        for touch in sorted(self.world.touches, key=lambda t: t.at):
            person = people[touch.person]
            party = self._party(person, touch.owner)
            if touch.kind == "email_opened":
                message = _opened(sent[person.key], touch.detail.get("subject"))
                if message is not None:
                    touches.opened(message[2], times.ms(touch.at))
                    message[1] = times.ms(touch.at)
                continue
            made = touches.made(touch, party)
            if made is None:
                continue
            if made.obj == "CampaignMember":
                made.data["CampaignId"] = self._campaign(touch.detail, made.at)
            row = [made.at, made.at, made.data, touch.key]
            rows[made.obj].append(row)  # type: ignore[arg-type]
            if touch.kind == "email_sent":
                sent[person.key].append(row)
        for obj, found in sorted(rows.items()):
            self._load(obj, found)

    def _load(self, obj: str, found: list[tuple[int, int, dict[str, Any], str]]) -> None:
        prefix = own.WEB_ACTIVITY["prefix"] if obj == "Web_Activity__c" else schema.STANDARD[obj].prefix
        made = ids.following(self.org, prefix, len(found))
        if obj == "Web_Activity__c":
            for n, row in enumerate(found, 1):
                row[2]["Name"] = f"WA-{n:06d}"
            self.org.set_meta(f"auto:{obj}", len(found))
        for id, row in zip(made, found, strict=True):
            self.ids[row[3]] = id
        self.org.load(obj, (
            (id, created, modified, {"_key": key, **{k: v for k, v in data.items() if v is not None}})
            for id, (created, modified, data, key) in zip(made, found, strict=True)))  # fmt: skip

    def _campaign(self, detail: Mapping[str, Any], at: int) -> str:
        name, kind = touches.campaign(detail)
        key = f"campaign:{name}"
        if key not in self.ids:
            (self.ids[key],) = ids.following(self.org, "701")
            self.org.load("Campaign", [(self.ids[key], at, at, {
                "Name": name[:80], "Type": kind, "Status": "In Progress", "IsActive": True,
                "OwnerId": self._user(AUTOMATION), "CreatedById": self._user(AUTOMATION)})])  # fmt: skip
        return self.ids[key]

    def _party(self, person: Person, owner: str | None) -> touches.Party:
        contact = self.contacts.get(person.key)
        lead = self.ids[person.key]
        by = owner or person.owner
        account = self.accounts.get(_company(person)) if contact else None
        return touches.Party(
            contact or lead, lead, contact, account, person.email, self._seller(by), self.address.get(by, "")
        )

    # -- values --

    def _user(self, key: str) -> str:
        return self.ids.get(key) or self.ids[AUTOMATION]

    def _seller(self, key: str) -> str:
        """Who did it or owns it, where a queue can't: then automation."""
        id = self._user(key)
        return self.ids[AUTOMATION] if id.startswith(queues.PREFIX) else id

    def _value(self, name: str, value: Any) -> Any:
        return self._user(str(value)) if name == "owner" and value is not None else in_org(name, value)


def _opened(sent: list[Any], subject: Any) -> Any | None:
    """The message that was opened: the last one sent with that subject, else the last one."""
    same = [m for m in sent if m[2]["Subject"] == subject]
    return (same or sent or [None])[-1]


def _company(p: Person) -> str:
    return p.account or f"company:{p.company.strip().lower()}"


def _account(account: Account | None, key: str) -> dict[str, Any]:
    if account is None:
        return {"Name": key.removeprefix("company:").title() or "Unknown", "Type": "Prospect"}
    return {
        "Name": account.name, "Website": account.domain, "Industry": account.industry, "Type": "Prospect",
        "NumberOfEmployees": account.employees, "AnnualRevenue": account.annual_revenue,
        "BillingCountry": account.country,
    }  # fmt: skip


def lead_of(p: Person, owner: str, by: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """A lead's record. `columns`: a world's column -> the field that holds it."""
    data: dict[str, Any] = {
        "_key": p.key, "FirstName": p.first_name, "LastName": p.last_name, "Email": p.email,
        "Company": p.company, "Name": " ".join(x for x in (p.first_name, p.last_name) if x),
        "Status": LEAD_STATUSES.get(p.status, p.status), "OwnerId": owner, "CreatedById": by,
        "IsConverted": p.converted_at is not None, "IsUnreadByOwner": p.status == "new",
    }  # fmt: skip
    for key, value in p.fields.items():
        name = LEAD_FIELDS.get(key) or columns.get(key)
        if name is not None and value is not None:
            data[name] = in_org(key, value)
    return data


def contact_of(lead: Mapping[str, Any], account: str) -> dict[str, Any]:
    """What conversion copies from a lead to its contact."""
    copied = ("FirstName", "LastName", "Name", "Email", "Title", "Phone", "LeadSource", "OwnerId", "HasOptedOutOfEmail", "DoNotCall")  # fmt: skip
    return {
        **{k: lead[k] for k in copied if lead.get(k) is not None},
        "AccountId": account, "MailingCountry": lead.get("Country"), "CreatedById": lead["OwnerId"],
    }  # fmt: skip
