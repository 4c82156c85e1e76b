"""A world as a HubSpot account keeps it: contacts, companies, deals, engagements, and the dated history of properties.

What people did on the site, in forms and with marketing e-mail is the history of the contact's analytics properties, as
in a real account; calls, e-mails, meetings and tasks are engagement objects associated with the contact.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connector.playground.hubspot import catalog
from connector.playground.hubspot.fates import lay_down
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.times import iso, ms_of
from connector.playground.hubspot.translate import (
    BOT,
    CUSTOM,
    DEAL_STAGES,
    company_values,
    conversion,
    engagement,
    engagement_values,
    page_url,
    person_values,
    text_of,
)
from connector.playground.org import Org
from connector.playground.world.model import Column, Deal, FieldChange, Person, Touch, World
from connector.playground.world.upkeep import served

_History = tuple[str, str, str, int, Any, Any, str, str]
_TYPES = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "flag": ("bool", "booleancheckbox"),
    "choice": ("enumeration", "select"),
    "date": ("date", "date"),
}


def seed(org: Org, world: World) -> dict[str, str]:
    """Fill an empty org; the world's key -> the record's id."""
    now = ms_of(world.now)
    for key, value in {
        "clock": now,
        "token": "pat-eu1-" + secrets.token_hex(18),
        "portal_id": 140_000_000 + secrets.randbelow(9_000_000),
        "timezone": "UTC",
        "currency": "USD",
        "name": world.name,
        "oauth": {n: secrets.token_urlsafe(24) for n in ("client_id", "client_secret", "refresh_token")},
    }.items():
        org.set_meta(key, value)
    fates, world = world.fates, served(world)
    ids = _ids(world)
    with org.transaction():
        _properties(org, world.columns)
        _Seeding(org, world, ids, now).run()
        for obj in catalog.OBJECTS:
            last = max(
                (
                    int(i)
                    for i in ids.values()
                    if int(i) // catalog.ID_SPAN == catalog.ID_START[obj] // catalog.ID_SPAN
                ),
                default=catalog.ID_START[obj],
            )
            org.set_meta(f"next_id:{obj}", last + 1)
        lay_down(org, fates, ids)
    return ids


def column_field(name: str) -> str:
    """The property that holds a world's column of this name."""
    return name


def _ids(world: World) -> dict[str, str]:
    ids = {o.key: str(50_000_001 + n) for n, o in enumerate(world.owners)}
    groups: list[tuple[str, Iterable[Any]]] = [
        ("companies", sorted(world.accounts, key=lambda a: a.created_at)),
        ("contacts", sorted(world.people, key=lambda p: p.created_at)),
        ("deals", sorted(world.deals, key=lambda d: d.created_at)),
    ]
    for obj, things in groups:
        ids |= {t.key: str(catalog.ID_START[obj] + n) for n, t in enumerate(things, start=1)}
    counts: dict[str, int] = defaultdict(int)
    for touch in world.touches:
        made = engagement(touch.kind)
        if made:
            counts[made] += 1
            ids[touch.key] = str(catalog.ID_START[made] + counts[made])
    return ids


def _properties(org: Org, columns: Iterable[Column]) -> None:
    """The account's own contact properties. A column that HubSpot has itself (city) is kept there."""
    schema = Schema(org)
    known = schema.properties("contacts")
    wanted = [*CUSTOM, *((c.name, c.label, *_TYPES[c.type], c.choices) for c in columns)]
    for name, label, type, field_type, choices in wanted:
        if name in known and known[name]["type"] == "string":
            continue
        body = {
            "name": name,
            "label": label,
            "type": type,
            "fieldType": field_type,
            "groupName": "contactinformation",
            "options": [{"label": c, "value": c} for c in choices],
        }
        schema.create_property("contacts", body)


class _Seeding:
    def __init__(self, org: Org, world: World, ids: dict[str, str], now: int) -> None:
        self.org, self.world, self.ids, self.now = org, world, ids, now
        self.history: list[_History] = []
        self.links: list[tuple[str, str, str, str, str]] = []
        self.deal_of = {k: d for d in world.deals for k in d.people}

    def run(self) -> None:
        org, world, ids = self.org, self.world, self.ids
        org.load("owners", (
            (ids[o.key], self.now, self.now,
             {"_key": o.key, "firstName": o.name.split(" ", 1)[0], "lastName": o.name.split(" ", 1)[-1],
              "email": o.email, "userId": 7_000_001 + n, "_role": o.role})
            for n, o in enumerate(world.owners)
        ))  # fmt: skip
        with org.at(self.now):
            for owner in world.owners:
                if not owner.active:  # a user who was removed is an archived owner
                    org.delete("owners", ids[owner.key], by="")
        # A company's former domain stays one of its domains.
        old = {c.key: c.old for c in world.renames if c.field == "domain"}
        org.load("companies", (
            (ids[a.key], ms_of(a.created_at), ms_of(a.created_at),
             {"_key": a.key, **company_values(a), "hs_additional_domains": old.get(a.key), "hubspot_owner_id": ids[a.owner]})
            for a in world.accounts
        ))  # fmt: skip
        changes: dict[str, list[FieldChange]] = defaultdict(list)
        for change in world.changes:
            changes[change.key].append(change)
        touches: dict[str, list[Touch]] = defaultdict(list)
        engaged: dict[str, list[tuple[str, int, int, dict[str, Any]]]] = defaultdict(list)
        for touch in world.touches:
            touches[touch.person].append(touch)
            made = engagement(touch.kind)
            if made:
                engaged[made].append(self._engagement(made, touch))
        org.load("contacts", (self._contact(p, changes[p.key], touches[p.key]) for p in world.people))
        org.load("deals", (self._deal(d, changes[d.key]) for d in world.deals))
        for obj, rows in engaged.items():
            org.load(obj, rows)
        org.load_history(self.history)
        org.load_links(self.links)

    # -- contacts --

    def _contact(
        self, person: Person, changes: list[FieldChange], touches: list[Touch]
    ) -> tuple[str, int, int, dict[str, Any]]:
        id, created = self.ids[person.key], ms_of(person.created_at)
        today: dict[str, Any] = {**person.fields, "status": person.status, "owner": person.owner}
        first = dict(today)
        for change in sorted(changes, key=lambda c: c.at, reverse=True):
            first[change.field] = change.old
        base = {"firstname": person.first_name, "lastname": person.last_name, "email": person.email,
                "company": person.company}  # fmt: skip
        owner = self.ids.get(person.owner, "")
        for name, value in {**base, **self._values(first)}.items():
            if value is not None:
                self.history.append(("contacts", id, name, created, None, value, owner, "import"))
        for change in changes:
            by, via = self._by(change.by)
            old, new = self._values({change.field: change.old}), self._values({change.field: change.new})
            for name in new:
                if new[name] != old[name]:
                    self.history.append(
                        ("contacts", id, name, ms_of(change.at), old[name], new[name], by, via)
                    )
        data: dict[str, Any] = {"_key": person.key, **base, **self._values(today)}
        if person.email:
            data["hs_email_domain"] = person.email.split("@")[-1]
        modified = max([ms_of(person.modified_at), *self._behave(id, created, touches, data)])
        self._relate(person, id, data)
        return id, created, min(modified, self.now), data

    def _relate(self, person: Person, id: str, data: dict[str, Any]) -> None:
        if person.account:
            self._link("contacts", id, "companies", self.ids[person.account], "Primary")
        if person.converted_at:
            at = ms_of(person.converted_at)
            data["hs_lifecyclestage_opportunity_date"] = iso(at)
            self.history.append(
                ("contacts", id, "hs_lifecyclestage_opportunity_date", at, None, iso(at), "", "calculated")
            )
        if person.key in self.deal_of:
            data["num_associated_deals"] = "1"

    def _values(self, fields: dict[str, Any]) -> dict[str, str | None]:
        return person_values(fields, self.ids)

    def _behave(self, id: str, created: int, touches: list[Touch], data: dict[str, Any]) -> Iterable[int]:
        """What was done on the site and with e-mail, as history of analytics properties. The times of it."""
        views = visits = forms = 0
        sessions: set[str] = set()
        for touch in sorted(touches, key=lambda t: t.at):
            at, detail = ms_of(touch.at), touch.detail
            yield at
            by = BOT if touch.actor == "machine" else "analytics"
            if touch.kind in ("page_view", "download"):
                views += 1
                self._set(id, data, "hs_analytics_last_url", at, page_url(touch.kind, detail), by)
                self._set(id, data, "hs_analytics_num_page_views", at, str(views), by)
                data["hs_analytics_last_timestamp"] = iso(at)
                if str(detail.get("session")) not in sessions:
                    sessions.add(str(detail.get("session")))
                    visits += 1
                    self._set(id, data, "hs_analytics_num_visits", at, str(visits), by)
            elif touch.kind in ("form", "webinar", "campaign_response"):
                forms += 1
                self._set(
                    id,
                    data,
                    "recent_conversion_event_name",
                    at,
                    conversion(touch.kind, detail),
                    "form",
                    "form",
                )
                self._set(id, data, "recent_conversion_date", at, iso(at), "form", "form")
                data["num_conversion_events"] = str(forms)
            elif touch.kind == "email_opened":
                self._set(id, data, "hs_email_last_open_date", at, iso(at), by)
            elif touch.kind == "email_clicked":
                self._set(id, data, "hs_email_last_click_date", at, iso(at), by)
            elif engagement(touch.kind):
                data["num_notes"] = str(int(data.get("num_notes") or 0) + 1)
                data["notes_last_updated"] = iso(at)

    def _set(
        self, id: str, data: dict[str, Any], name: str, at: int, value: str, by: str, via: str = "analytics"
    ) -> None:
        self.history.append(("contacts", id, name, at, data.get(name), value, by, via))
        data[name] = value

    # -- deals, engagements --

    def _deal(self, deal: Deal, changes: list[FieldChange]) -> tuple[str, int, int, dict[str, Any]]:
        id, created, owner = self.ids[deal.key], ms_of(deal.created_at), self.ids[deal.owner]
        today: dict[str, Any] = {"stage": deal.stage, "amount": deal.amount}
        first = dict(today)
        for change in sorted(changes, key=lambda c: c.at, reverse=True):
            first[change.field] = change.old
        names = {"stage": "dealstage", "amount": "amount"}

        def value(field: str, raw: Any) -> str | None:
            return DEAL_STAGES.get(raw, raw) if field == "stage" else text_of(raw)

        for field in names:
            if first[field] is not None:
                self.history.append(
                    ("deals", id, names[field], created, None, value(field, first[field]), owner, "ui")
                )
        for change in changes:
            if change.field in names:
                by, via = self._by(change.by)
                self.history.append(
                    (
                        "deals",
                        id,
                        names[change.field],
                        ms_of(change.at),
                        value(change.field, change.old),
                        value(change.field, change.new),
                        by,
                        via,
                    )
                )
        if deal.account:
            self._link("deals", id, "companies", self.ids[deal.account], "Primary")
        for person in deal.people:
            self._link("deals", id, "contacts", self.ids[person], "")
        data = {
            "_key": deal.key, "dealname": deal.name, "amount": text_of(deal.amount), "pipeline": "default",
            "dealstage": DEAL_STAGES.get(deal.stage, deal.stage), "hubspot_owner_id": owner,
            "closedate": _iso(deal.close_at), "deal_currency_code": "USD",
        }  # fmt: skip
        return id, created, ms_of(deal.modified_at), data

    def _engagement(self, obj: str, touch: Touch) -> tuple[str, int, int, dict[str, Any]]:
        id, at = self.ids[touch.key], ms_of(touch.at)
        self._link(obj, id, "contacts", self.ids[touch.person], "")
        data = engagement_values(touch.kind, at, touch.detail, machine=touch.actor == "machine")
        data |= {"_key": touch.key, "hubspot_owner_id": self.ids.get(touch.owner or "")}
        return id, at, at, data

    def _by(self, by: str) -> tuple[str, str]:
        return ("workflow", "automation") if by == "automation" else (self.ids.get(by, by), "ui")

    def _link(self, a_obj: str, a_id: str, b_obj: str, b_id: str, label: str) -> None:
        self.links.append((a_obj, a_id, b_obj, b_id, label))
        self.links.append((b_obj, b_id, a_obj, a_id, label))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(ms_of(at))
