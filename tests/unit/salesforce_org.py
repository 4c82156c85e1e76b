"""A small Salesforce org made by hand, and a client for it that speaks HTTP without a network."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from connector.playground.org import Org
from connector.playground.salesforce.app import create_app
from connector.playground.salesforce.seed import seed
from connector.playground.world.model import Account, Column, Deal, FieldChange, Owner, Person, Touch, World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DATA = "/services/data/v62.0"


def ago(days: float) -> datetime:
    return NOW - days * DAY


def world() -> World:
    """Four leads: L1 open, L2 open and nearly empty, L3 converted with a won deal, L4 disqualified."""

    def person(key: str, last: str, status: str, *, account: str | None = None, **fields: Any) -> Person:
        return Person(
            key,
            "Ada",
            last,
            f"{last.lower()}@acme.example",
            "Acme",
            account,
            ago(40),
            ago(30),
            "O1",
            status,
            fields,
        )

    leads = [
        person(
            "L1", "Lovelace", "working", title="CTO", source="Web", employees=120, hand_raiser=True, visits=3
        ),
        person("L2", "Byron", "new"),
        person("L3", "Noether", "converted", account="A1", title="VP", opted_out=False),
        person("L4", "Hopper", "disqualified"),
    ]
    leads[2].converted_at, leads[2].deal = ago(20), "D1"
    return World(
        "Acme org", NOW,
        [Owner("O1", "Sam Seller", "sam@org.example", "sdr"), Owner("O2", "Max Manager", "max@org.example", "manager")],
        [Account("A1", "Acme", "acme.example", "Energy", 900, None, "France", ago(60), "O1"),
         Account("A2", "Unseen", None, None, None, None, None, ago(60), "O1")],
        leads,
        [Deal("D1", "Acme - Connect", "A1", ["L3"], "O1", 50_000.0, "won", ago(20), ago(5), ago(5))],
        [FieldChange("person", "L1", "title", ago(35), None, "CTO", "O1"),
         FieldChange("person", "L1", "status", ago(30), "new", "working", "O2"),
         FieldChange("deal", "D1", "stage", ago(5), "discovery", "won", "automation")],
        [Touch("T1", "page_view", "L1", ago(39), detail={"url": "/pricing", "session": "s1", "content": "pricing"}),
         Touch("T2", "email_sent", "L1", ago(38), owner="O2", detail={"subject": "Hello"}),
         Touch("T3", "email_opened", "L1", ago(37), detail={"subject": "Hello"}),
         Touch("T4", "email_replied", "L1", ago(36), detail={"subject": "Hello", "cc": ["eva@acme.example"]}),
         Touch("T5", "call", "L3", ago(25), owner="O1", detail={"answered": True, "minutes": 5.5}),
         Touch("T6", "meeting", "L3", ago(24), owner="O1", detail={"minutes": 45.0}),
         Touch("T7", "campaign_response", "L1", ago(23), detail={"campaign": "Expo", "channel": "event"}),
         Touch("T8", "email_clicked", "L1", ago(37.9), actor="machine", detail={"subject": "Hello"})],
        [Column("visits", "Visits", "number")],
    )  # fmt: skip


@dataclass(frozen=True)
class Client:
    org: Org
    http: TestClient
    ids: Mapping[str, str]

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self.http.request(method, DATA + path, json=body, **more)

    def query(self, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        answer = self.call("GET", "/queryAll" if deleted else "/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return [without_attributes(r) for r in answer.json()["records"]]

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        answer = self.call(method, path, body, **more)
        return answer.status_code, answer.json()[0]["errorCode"]

    def deploy(self, files: Mapping[str, str], **options: Any) -> dict[str, Any]:
        made = self.http.post(
            DATA + "/metadata/deployRequest",
            files={
                "json": (None, json_of({"deployOptions": options}), "application/json"),
                "file": ("d.zip", zipped(files)),
            },
        )
        assert made.status_code == 201, made.text
        done = self.call(
            "GET", f"/metadata/deployRequest/{made.json()['id']}", params={"includeDetails": "true"}
        )
        result: dict[str, Any] = done.json()["deployResult"]
        return result

    def give(self, permission_set: str) -> None:
        (found,) = self.query(f"SELECT Id FROM PermissionSet WHERE Name = '{permission_set}'")
        body = {"PermissionSetId": found["Id"], "AssigneeId": self.org.meta("integration_user")}
        assert self.call("POST", "/sobjects/PermissionSetAssignment", body).status_code == 201


def json_of(value: Any) -> str:
    import json

    return json.dumps(value)


def without_attributes(record: Any) -> Any:
    if isinstance(record, dict):
        return {k: without_attributes(v) for k, v in record.items() if k != "attributes"}
    return [without_attributes(r) for r in record] if isinstance(record, list) else record


def open_client(folder: Path) -> Client:
    org = Org(folder / "org.sqlite")
    ids = seed(org, world())
    http = TestClient(create_app(org), base_url="https://local.example")
    http.headers["Authorization"] = f"Bearer {org.meta('token')}"
    return Client(org, http, ids)


# --- deployments ---

_META = "http://soap.sforce.com/2006/04/metadata"


def xml(root: str, inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{_META}">{inside}</{root}>'


def package(**members: list[str]) -> str:
    types = "".join(
        f"<types>{''.join(f'<members>{m}</members>' for m in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return xml("Package", types + "<version>62.0</version>")


def zipped(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def number_field(name: str, *, tracked: bool = False) -> str:
    return (
        f"<fields><fullName>{name}</fullName><label>{name}</label><type>Number</type><precision>5</precision>"
        f"<scale>2</scale><trackHistory>{str(tracked).lower()}</trackHistory></fields>"
    )


def grants(name: str, *fields: str, objects: tuple[str, ...] = (), rights: tuple[str, ...] = ()) -> str:
    inside = f"<label>{name}</label>" + "".join(
        f"<fieldPermissions><editable>true</editable><field>{f}</field><readable>true</readable></fieldPermissions>"
        for f in fields
    )
    for o in objects:
        allowed = "".join(
            f"<{w}>true</{w}>" for w in ("allowCreate", "allowDelete", "allowEdit", "allowRead")
        )
        inside += f"<objectPermissions>{allowed}<object>{o}</object></objectPermissions>"
    for r in rights:
        inside += f"<userPermissions><enabled>true</enabled><name>{r}</name></userPermissions>"
    return xml("PermissionSet", inside)
