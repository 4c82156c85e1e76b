"""Lists of the local HubSpot, asked through the vendor's own client, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot import Client
from hubspot.crm.lists import ListCreateRequest, ListSearchRequest
from hubspot.crm.lists.exceptions import ApiException

from connector.playground.hubspot.app import create_app
from connector.playground.hubspot.seed import seed
from connector.playground.org import Org
from tests.contract.serving import Switch, serving
from tests.contract.small_world import small_world

TOKEN = "pat-local"


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    made = Org(tmp_path / "org.sqlite")
    with made.transaction():
        seed(made, small_world())
    made.set_meta("token", TOKEN)
    yield made
    made.close()


@pytest.fixture
def lists(org: Org) -> Iterator[Any]:
    switch = Switch()
    switch.app = create_app(org)
    with serving(switch, None) as port:
        yield Client.create(access_token=TOKEN, host=f"http://127.0.0.1:{port}").crm.lists


def asking(property: str, **operation: Any) -> dict[str, Any]:
    one = {
        "filterType": "PROPERTY", "property": property, "operation": {"includeObjectsWithNoValueSet": False, **operation}
    }  # fmt: skip
    return {
        "filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [],
        "filterBranches": [
            {"filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [], "filters": [one]}
        ],
    }  # fmt: skip


def make(lists: Any, name: str, branch: dict[str, Any] | None, kind: str = "DYNAMIC") -> Any:
    body = ListCreateRequest(name=name, object_type_id="0-1", processing_type=kind, filter_branch=branch)
    return lists.lists_api.create(list_create_request=body).list


def refused(status: int, call: Any) -> ApiException:
    with pytest.raises(ApiException) as error:
        call()
    assert error.value.status == status
    return error.value


KNOWN = asking("email", operationType="ALL_PROPERTY", operator="IS_KNOWN")


def test_a_dynamic_list_holds_whoever_passes_its_filters(lists: Any, org: Org) -> None:
    made = make(lists, "With an address", KNOWN)
    told = lists.lists_api.get_by_id(list_id=made.list_id, include_filters=True).list
    assert (told.name, told.processing_type, told.processing_status) == (
        "With an address",
        "DYNAMIC",
        "COMPLETE",
    )
    members = [m.record_id for m in lists.memberships_api.get_page(list_id=made.list_id).results]
    contacts = {row.id: row.data for row in org.all("contacts")}
    assert members == sorted(id for id, data in contacts.items() if data.get("email"))
    org.update("contacts", members[0], {"email": None}, by="u", via="ui")
    assert members[0] not in [
        m.record_id for m in lists.memberships_api.get_page(list_id=made.list_id).results
    ]
    own = lists.memberships_api.get_lists(object_type_id="0-1", record_id=members[1]).results
    assert [m.list_id for m in own] == [made.list_id]


def test_a_name_is_given_once_and_a_root_is_an_or_of_ands(lists: Any) -> None:
    make(lists, "Mine", KNOWN)
    told = refused(400, lambda: make(lists, "mine", KNOWN))
    assert "ILS.DUPLICATE_LIST_NAMES" in str(told.body)
    alone = {**KNOWN, "filterBranches": [], "filters": KNOWN["filterBranches"][0]["filters"]}
    for branch in (
        None,
        alone,
        KNOWN["filterBranches"][0],
        asking("no_such", operationType="ALL_PROPERTY", operator="IS_KNOWN"),
    ):
        refused(400, lambda branch=branch: make(lists, "Other", branch))


def test_a_deleted_list_is_found_by_its_id_alone_and_comes_back(lists: Any, org: Org) -> None:
    made = make(lists, "Gone", KNOWN)
    lists.lists_api.remove(list_id=made.list_id)

    def search() -> list[str]:
        asked = ListSearchRequest(query="gon", additional_properties=[], offset=0)
        return [one.name for one in lists.lists_api.do_search(list_search_request=asked).lists]

    assert search() == []
    assert lists.lists_api.get_all(list_ids=[made.list_id]).lists == []
    assert lists.lists_api.get_by_id(list_id=made.list_id).list.deleted_at is not None
    lists.lists_api.restore(list_id=made.list_id)
    assert search() == ["Gone"]
    lists.lists_api.remove(list_id=made.list_id)
    org.advance(91 * 86_400_000)
    refused(400, lambda: lists.lists_api.restore(list_id=made.list_id))


def test_a_search_is_paged(lists: Any) -> None:
    for n in range(5):
        make(lists, f"List {n}", None, "MANUAL")
    names: list[str] = []
    offset, more = 0, True
    while more:
        asked = ListSearchRequest(query="list", count=2, offset=offset, additional_properties=[])
        page = lists.lists_api.do_search(list_search_request=asked)
        names += [one.name for one in page.lists]
        more, offset = page.has_more, page.offset
    assert names == [f"List {n}" for n in range(5)]


def test_the_members_of_a_manual_list_are_written_those_of_a_dynamic_one_are_not(
    lists: Any, org: Org
) -> None:
    manual, dynamic = make(lists, "By hand", None, "MANUAL"), make(lists, "By itself", KNOWN)
    id = org.all("contacts")[0].id
    done = lists.memberships_api.add(list_id=manual.list_id, request_body=[id, "999"])
    assert (done.records_ids_added, done.record_ids_missing) == ([id], ["999"])
    assert [m.record_id for m in lists.memberships_api.get_page(list_id=manual.list_id).results] == [id]
    refused(400, lambda: lists.memberships_api.add(list_id=dynamic.list_id, request_body=[id]))
