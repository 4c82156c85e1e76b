"""A desk in canonical words straight over an Org: enough of a CRM for tests of pages, control and reps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector.playground.desk import DeskKind, Refused, TimelineEntry, View
from connector.playground.org import Org, Row
from connector.playground.world.model import Account, Person, World


class PlainDesk:
    vendor = "Salesforce"

    def __init__(self, org: Org) -> None:
        self.org = org

    def leads(self, *, search: str = "", limit: int = 50, offset: int = 0) -> Sequence[View]:
        shown = self.org.sql(
            "select id from record where obj = 'lead' and deleted = 0 "
            "and coalesce(json_extract(data, '$.status'), '') not in ('converted', 'disqualified') "
            "and instr(lower(json_extract(data, '$._name')), lower(?)) > 0 "
            "order by coalesce(nullif(json_extract(data, '$.candor_score'), 0), -1) desc, id limit ? offset ?",
            (search, limit, offset),
        )
        names = self.owners()  # once: each view would read all of them
        rows = (self.org.get("lead", id) for (id,) in shown)
        return [self._view(row, names) for row in rows if row is not None]

    def deals(self, lead_id: str | None = None) -> Sequence[View]:
        rows, names = self.org.all("deal"), self.owners()
        return [self._view(r, names) for r in rows if lead_id is None or lead_id in r.data["_people"]]

    def reviews(self, *, open_only: bool = True) -> Sequence[View]:
        rows, names = self.org.all("review"), self.owners()
        return [self._view(r, names) for r in rows if not open_only or r.data["candor_status"] == "open"]

    def view(self, kind: DeskKind, id: str) -> View:
        row = self.org.get(kind, id)
        if row is None:
            raise KeyError(id)
        owner = self.org.get("owner", str(row.data.get("owner_id")))
        return self._view(row, {} if owner is None or owner.deleted else {owner.id: owner.data["name"]})

    def timeline(self, lead_id: str, *, limit: int = 100) -> Sequence[TimelineEntry]:
        rows = [r for r in self.org.all("activity") if r.data["person"] == lead_id]
        rows.sort(key=lambda r: -r.created)
        return [
            TimelineEntry(_when(r.created), r.data["kind"], str(r.data["detail"]), r.data["by"])
            for r in rows[:limit]
        ]

    def set(self, kind: DeskKind, id: str, values: Mapping[str, Any], *, by: str) -> None:
        row = self.org.get(kind, id)
        if row is None:
            raise KeyError(id)
        new = {**row.data, **values}
        said = new.get("candor_decision") and new.get("candor_reason")
        if kind == "review" and new.get("candor_status") == "completed" and not said:
            raise Refused("A case can't be completed without a decision and a reason.")
        self.org.update(kind, id, values, by=by, via="ui")

    def log(self, lead_id: str, kind: str, *, by: str, detail: Mapping[str, Any] | None = None) -> str:
        id = f"x{self.org.now()}"
        data = {"person": lead_id, "kind": kind, "detail": dict(detail or {}), "by": by}
        self.org.create("activity", id, data, by=by, via="ui")
        return id

    def make_deal(self, lead_id: str, *, amount: float, by: str) -> str:
        id = f"d-{lead_id}"
        data = {"_name": id, "_people": [lead_id], "amount": amount, "stage": "discovery", "_key": None}
        self.org.create("deal", id, data, by=by, via="ui")
        self.org.update("lead", lead_id, {"status": "converted"}, by=by, via="ui")
        return id

    def make_lead(self, person: Person, account: Account | None) -> str:
        id = f"l-{person.key}"
        data = {"_key": person.key, "_name": f"{person.first_name} {person.last_name}", "company": person.company,
                "status": person.status, "owner_id": person.owner, **person.fields}  # fmt: skip
        self.org.create("lead", id, data, by="automation")
        return id

    def merge(self, loser: str, into: str, *, by: str) -> str:
        for row in self.org.all("activity"):
            if row.data["person"] == loser:
                self.org.update("activity", row.id, {"person": into}, by=by, via="ui")
        self.org.delete("lead", loser, by=by, extra={"_merged_into": into})
        return into

    def delete(self, lead_id: str, *, by: str) -> None:
        self.org.delete("lead", lead_id, by=by)

    def restore(self, lead_id: str, *, by: str) -> None:
        self.org.restore("lead", lead_id, by=by)

    def owners(self) -> Mapping[str, str]:
        return {row.id: row.data["name"] for row in self.org.all("owner")}

    def _view(self, row: Row, names: Mapping[str, str]) -> View:
        values = {k: v for k, v in row.data.items() if not k.startswith("_")}
        owner = names.get(str(row.data.get("owner_id")), "")
        return View(
            row.obj, row.id, row.data.get("_key"), row.data["_name"], owner, _when(row.created), values  # type: ignore[arg-type]
        )  # fmt: skip


def plain_org(org: Org, world: World) -> PlainDesk:
    """The world's owners, leads and deals in an org, without history."""
    ms = {p.key: round(p.created_at.timestamp() * 1000) for p in world.people}
    org.load("owner", ((o.key, 1, 1, {"name": o.name, "role": o.role}) for o in world.owners))
    org.load("lead", (
        (f"l-{p.key}", ms[p.key], ms[p.key],
         {"_key": p.key, "_name": f"{p.first_name} {p.last_name}", "company": p.company, "status": p.status,
          "owner_id": p.owner, **p.fields})
        for p in world.people
    ))  # fmt: skip
    org.load("deal", (
        (f"d-{d.key}", 1, 1, {"_key": d.key, "_name": d.name, "_people": [f"l-{k}" for k in d.people],
                              "amount": d.amount, "stage": d.stage, "owner_id": d.owner})
        for d in world.deals
    ))  # fmt: skip
    org.set_meta("clock", round(world.now.timestamp() * 1000))
    return PlainDesk(org)


def _when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
