"""What HubSpot's key may do too little or too much is told by the doctor, scope by scope (issue 11)."""

from __future__ import annotations

from pathlib import Path

from connector.crm.base import Problem
from connector.crm.hubspot import scopes
from crm_schema.permissions import HUBSPOT_SCOPES
from tests.contract.adapters import HubSpotBench

DAILY = [s.name for s in HUBSPOT_SCOPES if not s.schema_only]


def told(bench: HubSpotBench, held: list[str], **connection: object) -> list[Problem]:
    bench.org.set_meta("scopes", held)
    crm = bench.connect(**connection)
    before = crm.usage().writes
    found: list[Problem] = crm.doctor({})
    assert crm.usage().writes == before
    return [p for p in found if "does not exist" not in p.what]


def test_the_adapter_needs_what_is_declared() -> None:
    assert sorted(scopes.NEEDED) == sorted(DAILY)
    assert sorted(scopes.FOR_SCHEMA) == sorted(s.name for s in HUBSPOT_SCOPES if s.schema_only)


def test_the_scopes_of_the_daily_work_alone_are_neither_too_few_nor_too_many(hubspot: HubSpotBench) -> None:
    assert told(hubspot, DAILY) == []


def test_too_many_are_warned_of_by_name(hubspot: HubSpotBench) -> None:
    found = told(hubspot, [*DAILY, "content", "settings.users.write", "crm.lists.write", "automation"])
    assert not any(p.fatal for p in found)
    more, schema, workflows = found
    assert more.what == "The key may do more than Candor needs: content, settings.users.write."
    assert "crm.lists.write" in schema.what
    assert "`candor apply`" in schema.fix
    assert "automation" in workflows.what


def test_too_few_are_named_one_by_one_the_writes_included(hubspot: HubSpotBench) -> None:
    missing = ("crm.objects.contacts.write", "crm.objects.deals.write", "crm.objects.deals.read")
    found = told(hubspot, [s for s in DAILY if s not in missing])
    assert all(p.fatal for p in found)
    assert all(sum(name in p.fix for p in found) == 1 for name in missing)
    [lists] = told(hubspot, [s for s in DAILY if s != "crm.lists.read"])
    assert (lists.fatal, "crm.lists.read" in lists.fix) == (False, True)


def test_an_oauth_app_is_asked_in_its_own_way(hubspot: HubSpotBench, tmp_path: Path) -> None:
    app = hubspot.org.meta("oauth")
    (tmp_path / "secret").write_text(app["client_secret"])
    options = {"client_id": app["client_id"], "client_secret_file": str(tmp_path / "secret")}
    assert told(hubspot, DAILY, token=app["refresh_token"], options=options) == []
    [more] = told(hubspot, [*DAILY, "content"], token=app["refresh_token"], options=options)
    assert more.what.endswith(": content.")


def test_where_hubspot_does_not_tell_nothing_is_said(hubspot: HubSpotBench) -> None:
    hubspot.org.set_meta("scopes", [*DAILY, "content"])
    crm = hubspot.connect()
    hubspot.org.set_meta("access_tokens", {"another-token": hubspot.org.now() + 10_000_000})
    crm._api._tokens._token = "another-token"  # a token that HubSpot takes but gives no account of
    assert [p for p in crm.doctor({}) if "does not exist" not in p.what] == []
