"""Account, owners, OAuth over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from connector.playground.hubspot.app import Answer, Call, Handler, House
from connector.playground.hubspot.errors import bad_request, not_found
from connector.playground.hubspot.times import iso
from connector.playground.org import Row

MAX_OWNERS = 500
CUSTOM_PROPERTIES = 1_000
"""An object. [unverified; FACTS-hubspot.md §9] org.meta("custom_properties") overrides it."""
_TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}
FLOWS = (
    {
        "id": "1",
        "name": "New lead: tell the owner",
        "isEnabled": True,
        "objectTypeId": "0-1",
        "flowType": "WORKFLOW",
    },
)
"""Workflows of the org's own. They are only told of: nothing runs here."""


def routes(house: House) -> Iterator[tuple[str, Sequence[str], Handler, bool]]:
    a = Account(house)
    account = ("/account-info/v3", "/account-info/{version}")
    yield "GET", [f"{p}/details" for p in account], a.details, False
    yield "GET", [f"{p}/api-usage/daily/private-apps" for p in account], a.usage, False
    yield "GET", ("/crm/v3/owners", "/crm/v3/owners/", "/crm/owners/{version}"), a.owners, False
    yield "GET", ("/crm/v3/owners/{id}", "/crm/owners/{version}/{id}"), a.owner, False
    limits = ("/crm/limits/v3/custom-properties", "/crm/limits/{version}/custom-properties")
    yield "GET", limits, a.property_limits, False
    yield "GET", ("/automation/v4/flows",), a.flows, False
    yield "POST", ("/oauth/v1/token", "/oauth/v3/token", "/oauth/{version}/token"), a.token, True
    yield "POST", ("/oauth/v3/token/introspect", "/oauth/{version}/token/introspect"), a.introspect, True
    yield "POST", ("/oauth/v2/private-apps/get/access-token-info",), a.told, False


class Account:
    def __init__(self, house: House) -> None:
        self._house, self._org = house, house.org

    def details(self, call: Call) -> Answer:
        zone = self._org.meta("timezone", "UTC")
        offset = datetime.fromtimestamp(self._org.now() / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%z")
        return Answer(
            {
                "portalId": self._org.meta("portal_id", 0),
                "accountType": self._org.meta("account_type", "DEVELOPER_TEST"),
                "timeZone": zone,
                "companyCurrency": self._org.meta("currency", "USD"),
                "additionalCurrencies": [],
                "utcOffset": f"{offset[:3]}:{offset[3:]}",
                "uiDomain": "app-eu1.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    def usage(self, call: Call) -> Answer:
        return Answer({"results": [self._house.access.usage()]})

    def property_limits(self, call: Call) -> Answer:
        """Custom properties used and allowed. [SPEC: Limits Tracking; the number is unverified there]"""
        most = int(self._org.meta("custom_properties", CUSTOM_PROPERTIES))
        by_type = []
        for obj, id in _TYPE_IDS.items():
            active = self._house.schema.active(obj).values()
            used = sum(not p["modificationMetadata"]["readOnlyDefinition"] for p in active)
            row = {"objectTypeId": id, "limit": most, "usage": used, "percentage": 100 * used / most}
            by_type.append(row)
        return Answer({"overallLimit": most, "overallUsage": 0, "byObjectType": by_type})

    def flows(self, call: Call) -> Answer:
        """Workflows, as many as the org notes in org.meta("flows"). [SPEC: Automation v4]"""
        self._house.access.check_scope("automation")
        return Answer({"results": list(self._org.meta("flows", FLOWS))})

    def owners(self, call: Call) -> Answer:
        self._house.access.check_scope("crm.objects.owners.read")
        limit = int(call.query.get("limit", 100))
        if not 1 <= limit <= MAX_OWNERS:
            raise bad_request(f"limit must be between 1 and {MAX_OWNERS}.")
        archived, email = call.flag("archived"), call.query.get("email")
        rows = [
            r for r in self._org.all("owners", deleted=archived)
            if r.id >= (call.query.get("after") or "") and (not email or r.data["email"] == email)
        ]  # fmt: skip
        answer: dict[str, Any] = {"results": [_owner(r) for r in rows[:limit]]}
        if len(rows) > limit:
            answer["paging"] = {"next": {"after": rows[limit].id}}
        return Answer(answer)

    def owner(self, call: Call) -> Answer:
        row = self._org.get("owners", call.path["id"])
        if row is None or row.deleted != call.flag("archived"):
            raise not_found()
        return Answer(_owner(row))

    def token(self, call: Call) -> Answer:
        return Answer(self._house.access.refresh(dict(parse_qsl(call.raw.decode()))))

    def introspect(self, call: Call) -> Answer:
        return Answer(self._house.access.introspect(dict(parse_qsl(call.raw.decode()))))

    def told(self, call: Call) -> Answer:
        return Answer(self._house.access.told(str(call.json().get("tokenKey") or "")))


def _owner(row: Row) -> dict[str, Any]:
    user = int(row.data["userId"])
    return {
        "id": row.id,
        "email": row.data["email"],
        "type": "PERSON",
        "firstName": row.data["firstName"],
        "lastName": row.data["lastName"],
        "userId": None if row.deleted else user,
        "userIdIncludingInactive": user,
        "createdAt": iso(row.created),
        "updatedAt": iso(row.modified),
        "archived": row.deleted,
    }
