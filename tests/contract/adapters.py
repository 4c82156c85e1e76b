"""The adapters under test, each with a local CRM of its own kind. A further one is a class here and a line in BENCHES."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from connector.crm import registry
from connector.crm.base import CRM, Page
from connector.crm.connection import Connection
from connector.playground import tls
from connector.playground.desk import Desk
from connector.playground.org import Org
from crm_schema import plan, walk
from tests.contract.serving import Switch, Wire, serving

TOKEN = "token-of-the-test"


@dataclass
class Bench(ABC):
    """One test's org of one vendor, and what the suite does to it behind the API's back."""

    vendor: ClassVar[str]
    quiet_pass: ClassVar[int]
    """calls that a pass with nothing new may cost"""
    objects: ClassVar[Mapping[str, str]]
    """kind -> the local CRM's name of the object"""
    title: ClassVar[str]
    """the vendor's field of a lead's title"""

    org: Org
    port: int
    wire: Wire
    ca: str | None

    def __post_init__(self) -> None:
        self.opened: list[CRM] = []

    @property
    def desk(self) -> Desk:
        desk: Desk = import_module(f"connector.playground.{self.vendor}.desk").open_desk(self.org)
        return desk

    def connection(self, **changes: Any) -> Connection:
        scheme = "https" if self.ca else "http"
        return replace(Connection(f"{scheme}://127.0.0.1:{self.port}", TOKEN, ca=self.ca), **changes)

    def connect(self, **changes: Any) -> Any:
        """A new adapter (CRM, with schema())."""
        crm = registry.connect(self.vendor, self.connection(**changes))
        self.opened.append(crm)
        return crm

    def through_the_wire(self) -> str:
        return self.connection().url.replace(str(self.port), str(self.wire.port))

    def id(self, kind: str, key: str) -> str:
        """The id of what the world calls `key`."""
        return next(r.id for r in self.org.all(self.objects[kind]) if r.data.get("_key") == key)

    def put(self, kind: str, id: str, changed: Mapping[str, Any], at: datetime) -> None:
        """Change a record as a late transaction does: it shows now, with a stamp of then."""
        row = self.org.get(self.objects[kind], id)
        assert row is not None
        self.org.load(row.obj, [(id, row.created, _ms(at), {**row.data, **changed})])

    def stamp(self, kind: str, id: str) -> datetime:
        row = self.org.get(self.objects[kind], id)
        assert row is not None
        return datetime.fromtimestamp(row.modified / 1000, UTC)

    def newest(self, kind: str) -> datetime:
        return max(self.stamp(kind, r.id) for r in self.org.all(self.objects[kind]))

    def add_leads(self, count: int, at: datetime) -> list[str]:
        """Copies of L12 with one and the same stamp."""
        model = self.org.get(self.objects["lead"], self.id("lead", "L12"))
        assert model is not None
        ids = self.new_lead_ids(count)
        self.org.load(
            model.obj,
            [(i, _ms(at), _ms(at), {**model.data, "_key": f"N{n}"}) for n, i in enumerate(ids)],
        )
        return ids

    # -- what each vendor does its own way --

    @abstractmethod
    def new_lead_ids(self, count: int) -> list[str]: ...

    @abstractmethod
    def delete(self, kind: str, id: str) -> None: ...

    @abstractmethod
    def merge(self, loser: str, winner: str) -> None:
        """Lead `loser` becomes part of lead `winner`."""

    @abstractmethod
    def hide_points(self) -> Mapping[str, str]:
        """Take the org's points field out of our sight; a mapping of lead that names it."""


class SalesforceBench(Bench):
    vendor = "salesforce"
    quiet_pass = 6
    objects = {
        "lead": "Lead", "account": "Account", "deal": "Opportunity", "owner": "User", "review": "Candor_Review__c",
    }  # fmt: skip
    title = "Title"

    def new_lead_ids(self, count: int) -> list[str]:
        ids = import_module("connector.playground.salesforce.ids")
        return list(ids.following(self.org, "00Q", count))

    def delete(self, kind: str, id: str) -> None:
        self.org.delete(self.objects[kind], id, by=self._user())

    def merge(self, loser: str, winner: str) -> None:
        self.org.delete("Lead", loser, by=self._user(), extra={"MasterRecordId": winner})
        self.org.update("Lead", winner, {}, by=self._user(), via="ui")

    def hide_points(self) -> Mapping[str, str]:
        schema = import_module("connector.playground.salesforce.schema")
        stored = schema.record(self.org)
        stored["fields"]["Lead"]["Points__c"]["profile"] = False
        schema.save(self.org, stored)
        return {"points": "Points__c"}

    def _user(self) -> str:
        return str(next(r.id for r in self.org.all("User") if r.data.get("_key") == "O2"))


class HubSpotBench(Bench):
    vendor = "hubspot"
    quiet_pass = 12
    objects = {
        "lead": "contacts",
        "account": "companies",
        "deal": "deals",
        "owner": "owners",
        "review": "tickets",
    }
    title = "jobtitle"

    def new_lead_ids(self, count: int) -> list[str]:
        return [self._records().new_id("contacts") for _ in range(count)]

    def delete(self, kind: str, id: str) -> None:
        self._records().archive(self.objects[kind], id, by=self._user())

    def merge(self, loser: str, winner: str) -> None:
        self._records().merge("contacts", winner, loser, by=self._user())

    def hide_points(self) -> Mapping[str, str]:
        self._schema().archive_properties("contacts", ["points"])
        return {"points": "points"}

    def _schema(self) -> Any:
        return import_module("connector.playground.hubspot.schema").Schema(self.org)

    def _records(self) -> Any:
        return import_module("connector.playground.hubspot.records").Records(self.org, self._schema())

    def _user(self) -> str:
        return str(next(r.id for r in self.org.all("owners") if r.data.get("_key") == "O2"))


BENCHES: tuple[type[Bench], ...] = (SalesforceBench, HubSpotBench)


class Site:
    """One vendor's server, seeded once; each test gets a copy of the org."""

    def __init__(self, bench: type[Bench], folder: Path, port: int, switch: Switch, ca: str | None) -> None:
        self.bench, self._folder, self._switch, self._ca = bench, folder, switch, ca
        self._port = port
        self._create = import_module(f"connector.playground.{bench.vendor}.app").create_app

    @contextlib.contextmanager
    def open(self, path: Path) -> Iterator[Bench]:
        org = Org(path)
        self._switch.app = self._create(org)
        wire = Wire(self._port)
        bench = self.bench(org, self._port, wire, self._ca)
        try:
            yield bench
        finally:
            for crm in bench.opened:
                crm.close()
            wire.close()
            org.close()

    def seed(self, make_world: Callable[[], Any]) -> None:
        """Two orgs to copy from: as it was handed over, and with Candor's fields in it."""
        org = Org(self._folder / "bare.sqlite")
        with org.transaction():
            import_module(f"connector.playground.{self.bench.vendor}.seed").seed(org, make_world())
        org.set_meta("token", TOKEN)
        org.close()
        self.copy("bare", self._folder / "candor.sqlite")
        with self.open(self._folder / "candor.sqlite") as bench:
            port = bench.connect().schema()
            walk.apply(plan.plan(port), port)

    def copy(self, name: str, to: Path) -> Path:
        to.write_bytes((self._folder / f"{name}.sqlite").read_bytes())
        return to


@contextlib.contextmanager
def site(bench: type[Bench], folder: Path) -> Iterator[Site]:
    key = tls.authority(folder) if bench.vendor == "salesforce" else None
    switch = Switch()
    with serving(switch, key) as port:
        yield Site(bench, folder, port, switch, str(folder / "ca.pem") if key else None)


class Store:
    """As much of the store as a pull needs: rows by stream, cursors, what is known since when."""

    def __init__(self) -> None:
        self.cursors: dict[str, str | None] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.changes: list[Any] = []

    def known(self, stream: str, since: datetime) -> dict[str, datetime]:
        found = self.rows.get(stream, {})
        return {i: r.modified_at for i, r in found.items() if r.modified_at >= since}

    def take(self, crm: CRM) -> list[Page]:
        """One pass over all streams; its pages."""
        cursors = {s.name: self.cursors.get(s.name) for s in crm.streams()}
        pages = []
        for page in crm.pull(cursors, self.known):
            rows = self.rows.setdefault(page.stream, {})
            rows.update({r.id: r for r in (*page.records, *page.activities)})
            self.changes += page.changes
            self.cursors[page.stream] = page.cursor
            pages.append(page)
        return pages


def records(pages: Sequence[Page], stream: str = "leads") -> dict[str, Any]:
    return {r.id: r for p in pages if p.stream == stream for r in p.records}


def rows(pages: Sequence[Page]) -> int:
    return sum(len(p.records) + len(p.changes) + len(p.activities) for p in pages)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
