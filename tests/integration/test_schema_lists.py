"""HubSpot's lists of leads by route: filled by the route, kept as an admin made them, never another's taken (issue 11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.cli.schema import referred
from connector.crm.base import PermissionDenied, Write
from connector.crm.hubspot.errors import Refused
from connector.playground.hubspot.lists import Lists
from connector.playground.hubspot.schema import Schema
from crm_schema.choices import ROUTES
from crm_schema.declaration import SEGMENTS
from crm_schema.errors import Conflict
from crm_schema.permissions import HUBSPOT_SCOPES
from crm_schema.plan import drift, plan, removal
from crm_schema.render import hubspot_lists
from crm_schema.walk import apply
from tests.contract.adapters import Bench, HubSpotBench, Site, site
from tests.contract.small_world import small_world

NURTURE = next(s for s in SEGMENTS if s.value == "nurture")
KNOWN_EMAIL = {
    "filterType": "PROPERTY", "property": "email",
    "operation": {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN", "includeObjectsWithNoValueSet": False},
}  # fmt: skip


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(HubSpotBench, tmp_path_factory.mktemp("hubspot")) as made:
        made.seed(small_world)
        yield made


@pytest.fixture
def bare(where: Site, tmp_path: Path) -> Iterator[Bench]:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        yield bench


@pytest.fixture
def installed(where: Site, tmp_path: Path) -> Iterator[Bench]:
    with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
        yield bench


def lists(bench: Bench) -> Lists:
    return Lists(bench.org, Schema(bench.org))


def ours(bench: Bench) -> str:
    return next(id for id, one in lists(bench).all().items() if one["name"] == NURTURE.name)


def asking(*filters: dict[str, Any]) -> dict[str, Any]:
    return {
        "filterBranchType": "OR",
        "filterBranches": [{"filterBranchType": "AND", "filters": list(filters)}],
    }


def test_a_lead_is_in_the_list_of_its_route_and_no_other(installed: Bench) -> None:
    """Each route that somebody works has one; it follows the route by itself, as the vendor answers it."""
    assert {s.value for s in SEGMENTS} == {c.value for c in ROUTES} - {"unscored"}
    crm, lead = installed.connect(), installed.id("lead", "L12")
    api = crm._api
    by_name = {one["name"]: one["listId"] for one in crm.schema().read()["lists"]}
    for segment in SEGMENTS:
        [answer] = crm.write("lead", [Write(lead, {"candor_route": segment.value})])
        assert answer.ok
        told = api.get("asking for a lead's lists", api.lists(f"/records/0-1/{lead}/memberships"))["results"]
        assert [one["listId"] for one in told] == [by_name[segment.name]]
        members = api.get("asking for members", api.lists(f"/{by_name[segment.name]}/memberships"))["results"]
        assert [one["recordId"] for one in members] == [lead]
    assert crm.write("lead", [Write(lead, {"candor_route": "unscored"})])[0].ok
    assert (
        api.get("asking for a lead's lists", api.lists(f"/records/0-1/{lead}/memberships"))["results"] == []
    )


def test_what_an_admin_made_of_a_list_stays(installed: Bench) -> None:
    there, id = lists(installed), ours(installed)
    route = hubspot_lists.filters(NURTURE)["filterBranches"][0]["filters"][0]
    there.rename(id, "People for the newsletter")
    port = installed.connect().schema()
    assert drift(port) == []
    planned = plan(port)
    assert planned.empty
    assert [str(line) for line in planned.kept] == [
        "keep    list of contacts for nurture: your name “People for the newsletter”"
    ]
    there.rename(id, NURTURE.name)
    there.update_filters(id, {"filterBranch": asking(route, KNOWN_EMAIL)})
    assert [str(line) for line in plan(port).kept] == [
        "keep    list of contacts for nurture: your further filters"
    ]
    assert drift(port) == []
    apply(removal(port), port)
    assert lists(installed).all() == {}


def test_another_list_of_the_same_name_is_named_and_left_alone(bare: Bench) -> None:
    theirs = {
        "name": NURTURE.name,
        "objectTypeId": "0-1",
        "processingType": "DYNAMIC",
        "filterBranch": asking(KNOWN_EMAIL),
    }
    lists(bare).create(theirs)
    port = bare.connect().schema()
    before = port.read()
    with pytest.raises(
        Conflict, match=r"“Candor: Nurture” is there already, and its filters are about something else\."
    ):
        plan(port)
    assert removal(port).empty
    assert "so not Candor's" in str(removal(port).kept[0])
    assert port.read() == before


def test_a_list_of_the_orgs_own_that_uses_a_property_is_shown_before_it_goes(installed: Bench) -> None:
    score = {
        "filterType": "PROPERTY", "property": "candor_score",
        "operation": {"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": 80, "includeObjectsWithNoValueSet": False},
    }  # fmt: skip
    own = {
        "name": "Best leads",
        "objectTypeId": "0-1",
        "processingType": "DYNAMIC",
        "filterBranch": asking(score),
    }
    id = lists(installed).create(own)["listId"]
    port = installed.connect().schema()
    assert referred(port.references())[1:] == ["  list “Best leads” uses contacts.candor_score"]
    with pytest.raises(Refused):
        apply(removal(port), port)
    lists(installed).delete(id)
    apply(removal(port), port)
    assert port.read()["lists"] == []
    assert port.references() == []


def test_what_the_key_lacks_for_lists_is_said_before_the_first_write(bare: Bench) -> None:
    bare.org.set_meta("scopes", [s.name for s in HUBSPOT_SCOPES if s.name != "crm.lists.write"])
    crm = bare.connect()
    port = crm.schema()
    before = port.read()
    with pytest.raises(PermissionDenied, match=r"lacks the scope crm\.lists\.write\. Nothing was changed"):
        apply(plan(port), port)
    assert crm.usage().writes == 0
    assert port.read() == before


def test_a_plan_without_room_for_lists_has_the_rest_and_the_next_run_goes_on(bare: Bench) -> None:
    bare.org.set_meta("active_lists", 2)
    port = bare.connect().schema()
    with pytest.raises(Refused, match="making the list “Candor: Human review”"):
        apply(plan(port), port)
    left = plan(port)
    assert [line.what.split(" “")[0] for line in left.lines] == [
        f"list of contacts for {s.key}" for s in SEGMENTS[2:]
    ]
    bare.org.set_meta("active_lists", 50)
    apply(left, port)
    assert plan(port).empty


def test_lists_are_read_by_name_until_candor_is_there(bare: Bench) -> None:
    """A portal with many lists of its own is asked for the filters of none of them."""
    for n in range(120):
        lists(bare).create({"name": f"List {n}", "objectTypeId": "0-1", "processingType": "MANUAL"})
    crm = bare.connect()
    port = crm.schema()
    before = crm.usage().calls
    port.read()
    assert crm.usage().calls - before == 12
    apply(plan(port), port)
    before = crm.usage().calls
    assert [one["name"] for one in port.read()["lists"]] == [s.name for s in SEGMENTS]
    assert crm.usage().calls - before == 14
