"""Rows of Salesforce as its recorded answers have them, in our words; and its refusals."""

from __future__ import annotations

import doctest
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.crm.base import AuthError, CRMError, FieldMissing, OverBudget, PermissionDenied, Transient
from connector.crm.salesforce import activities, fields, records
from connector.crm.salesforce.cursor import Cursor, fingerprint
from connector.crm.salesforce.describes import Described
from connector.crm.salesforce.errors import refusal
from connector.crm.salesforce.fields import (
    canonical_name,
    field_map,
    from_vendor,
    moment,
    pulled,
    stamp,
    to_vendor,
    vendor_name,
)
from connector.crm.salesforce.meter import Meter
from connector.crm.salesforce.records import changes, record

CONTRACTS = Path(os.environ.get("CANDOR_CONTRACTS", "../shared/contracts")) / "salesforce"
needs_contracts = pytest.mark.skipif(not CONTRACTS.exists(), reason="no recorded answers (CANDOR_CONTRACTS)")

BASE = {"Id": "02s000000000001AAA", "CreatedDate": "2026-05-01T07:00:00.000+0000", "SystemModstamp": "2026-05-01T08:00:00.000+0000"}  # fmt: skip


def recorded(name: str) -> Any:
    return json.loads((CONTRACTS / name).read_text())


def lead(*custom: tuple[str, str, int]) -> Described:
    """Salesforce's own describe of Lead, with some custom fields (name, type, length)."""
    fields = {f["name"]: f for f in recorded("describe/Lead.json")["fields"]}
    fields |= {
        n: {"name": n, "type": t, "length": size, "custom": True, "updateable": True} for n, t, size in custom
    }
    return Described("Lead", fields)


# --- fields ---


@pytest.mark.contracts
@needs_contracts
def test_a_real_describe_maps_without_gaps() -> None:
    described = lead(("Candor_Score__c", "double", 0), ("Points__c", "double", 0))
    mapped = field_map("lead", {}, described)
    assert mapped["employees"] == "NumberOfEmployees"
    assert mapped["candor_score"] == "Candor_Score__c"
    assert mapped["points"] == "Points__c"
    assert "linkedin" not in mapped


@pytest.mark.contracts
@needs_contracts
def test_an_own_mapping_wins_and_a_missing_field_is_named() -> None:
    assert field_map("lead", {"lead": {"source": "Rating", "phone": ""}}, lead())["source"] == "Rating"
    assert "phone" not in field_map("lead", {"lead": {"phone": ""}}, lead())
    with pytest.raises(FieldMissing, match="Gone__c"):
        field_map("lead", {"lead": {"source": "Gone__c"}}, lead())


@pytest.mark.contracts
@needs_contracts
def test_two_long_texts_of_ours_stay_out_of_a_pull() -> None:
    described = lead(("Candor_Flags__c", "textarea", 4000), ("Candor_Reasons__c", "textarea", 4000))
    assert not {"candor_flags", "candor_reasons"} & set(pulled(field_map("lead", {}, described), described))
    one = lead(("Candor_Note__c", "textarea", 2000))
    assert "candor_note" in pulled(field_map("lead", {}, one), one)


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=4))
def test_names_of_our_fields_go_both_ways(words: list[str]) -> None:
    name = "_".join(["candor", *words])
    assert canonical_name(vendor_name(name)) == name


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_times_go_both_ways_to_the_millisecond(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert from_vendor(to_vendor(at, "datetime"), "datetime") == at


def test_values_in_salesforces_own_forms() -> None:
    assert from_vendor("2026-05-01T07:25:37.000+0000", "datetime") == datetime(
        2026, 5, 1, 7, 25, 37, tzinfo=UTC
    )
    assert from_vendor("2026-05-01", "date") == datetime(2026, 5, 1, tzinfo=UTC)
    assert from_vendor("a;b", "multipicklist") == ["a", "b"]
    assert from_vendor("", "string") is None
    assert to_vendor(["a", "b"], "multipicklist") == "a;b"
    assert to_vendor([], "multipicklist") is None
    assert to_vendor(None, "boolean") is False


# --- records and history ---


@pytest.mark.contracts
@needs_contracts
def test_a_merged_lead_tells_its_survivor() -> None:
    row = {**BASE, "IsDeleted": True, "MasterRecordId": "00Q000000000002AAA", "Title": None}
    found = record("lead", row, {"title": "Title"}, lead())
    assert found.deleted
    assert found.merged_into == "00Q000000000002AAA"
    assert found.values == {"title": None}


@pytest.mark.contracts
@needs_contracts
def test_history_gives_ids_flags_and_the_time_of_conversion() -> None:
    described = lead()
    shape = changes("lead", "LeadId", field_map("lead", {}, described), described)
    at = "2026-05-01T07:25:37.000+0000"

    def row(field: str, old: Any, new: Any) -> dict[str, Any]:
        return {
            "LeadId": "00Q1",
            "Field": field,
            "OldValue": old,
            "NewValue": new,
            "CreatedDate": at,
            "CreatedById": "u",
        }

    found = shape(
        [
            row("Owner", "Ada Account", "Sam Setter"),
            row("Owner", "005000000000001AAA", "005000000000002AAA"),
            row("created", None, None),
            row("leadConverted", None, None),
            row("NumberOfEmployees", 5, 550),
            row("Rating", "Cold", "Hot"),
        ]
    )
    assert [(c.field, c.old, c.new) for c in found] == [
        ("owner_id", "005000000000001AAA", "005000000000002AAA"),
        ("converted_at", None, moment(at)),
        ("employees", 5, 550),
    ]


# --- activities ---


def email(**fields: Any) -> list[Any]:
    row = {
        **BASE,
        "RelatedToId": "00Q000000000001AAA",
        "MessageDate": "2026-05-01T07:00:00.000+0000",
        **fields,
    }
    return activities.email(row, None)


@pytest.mark.parametrize(("seconds", "actor"), [(3, "machine"), (20, "unsure"), (90, "person")])
def test_who_opened_a_message_is_told_by_how_soon(seconds: int, actor: str) -> None:
    opened = f"2026-05-01T07:{seconds // 60:02d}:{seconds % 60:02d}.000+0000"
    sent, seen = email(Incoming=False, FirstOpenedDate=opened)
    assert (sent.kind, seen.kind, seen.actor) == ("email_sent", "email_opened", actor)
    assert seen.id == f"{sent.id}:opened"


@pytest.mark.parametrize(
    ("subject", "cc", "kind"),
    [
        ("Re: Offer", None, "email_replied"),
        ("AW: Offer", "boss@x.example", "email_replied"),
        ("Fwd: Offer", "boss@x.example; it@x.example", "email_forwarded"),
        ("Offer", "boss@x.example", "email_forwarded"),
        ("Question", None, "email_replied"),
    ],
)
def test_what_came_in_is_a_reply_or_a_forward(subject: str, cc: str | None, kind: str) -> None:
    (found,) = email(Incoming=True, Subject=subject, CcAddress=cc)
    assert found.kind == kind
    assert found.person_id == "00Q000000000001AAA"
    assert len(found.detail.get("cc", [])) == (0 if cc is None else cc.count("@"))


def test_the_people_of_a_message_are_found_by_its_relations() -> None:
    people = [
        {"RelationId": "005000000000001AAA", "RelationType": "FromAddress"},
        {"RelationId": "003000000000001AAA", "RelationType": "ToAddress"},
    ]
    row = {**BASE, "RelatedToId": "006000000000001AAA", "EmailMessageRelations": {"records": people}}
    assert activities.email(row, "EmailMessageRelations")[0].person_id == "003000000000001AAA"


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        ("Connected", True),
        ("Not connected", False),
        ("Left voicemail", False),
        ("No answer", False),
        ("Meh", None),
    ],
)
def test_whether_a_call_was_answered(outcome: str, answered: bool | None) -> None:
    row = {**BASE, "TaskSubtype": "Call", "CallDisposition": outcome, "CallDurationInSeconds": 90}
    (found,) = activities.task(row)
    assert (found.kind, found.detail.get("answered"), found.detail["minutes"]) == ("call", answered, 1.5)


def test_an_imported_task_is_dated_by_its_day_and_not_by_the_import() -> None:
    (found,) = activities.task({**BASE, "IsClosed": True, "ActivityDate": "2024-02-03"})
    assert found.at == datetime(2024, 2, 3, tzinfo=UTC)


def test_a_campaign_member_who_did_nothing_is_no_activity() -> None:
    assert activities.campaign_member({**BASE, "HasResponded": False}) == []
    row = {**BASE, "HasResponded": True, "LeadId": "00Q1", "Campaign": {"Name": "Spring", "Type": "Webinar"}}
    (found,) = activities.campaign_member(row)
    assert (found.kind, found.detail["campaign"]) == ("webinar", "Spring")


# --- refusals ---


@pytest.mark.contracts
@needs_contracts
def test_recorded_refusals_become_our_errors() -> None:
    expired = recorded("restforce-fixtures/expired_session_response.json")
    assert isinstance(refusal("reading", 401, expired, Meter()), AuthError)
    column = refusal(
        "reading leads", 400, recorded("restforce-fixtures/sobject__write_error_response.json"), Meter()
    )
    assert isinstance(column, FieldMissing)
    assert "foo" in column.message


def test_one_code_means_two_things_and_the_usage_tells_which() -> None:
    body = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert isinstance(refusal("reading", 403, body, Meter(org_used=15_000, org_limit=15_000)), OverBudget)
    busy = refusal("reading", 403, body, Meter(org_used=10, org_limit=15_000))
    assert isinstance(busy, Transient)
    assert not isinstance(busy, OverBudget)


def test_the_rest_of_the_refusals() -> None:
    assert isinstance(refusal("x", 503, "<html>", Meter()), Transient)
    denied = [{"message": "nein", "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY"}]
    assert isinstance(refusal("x", 400, denied, Meter()), PermissionDenied)
    other = refusal("x", 400, [{"message": "m", "errorCode": "MALFORMED_QUERY"}], Meter())
    assert type(other) is CRMError


# --- cursors ---


@given(
    st.none() | st.tuples(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.text(max_size=18)),
    st.booleans(), st.none() | st.text(max_size=8), st.none() | st.integers(0, 9),
)  # fmt: skip
def test_a_cursor_survives_being_text(
    key: tuple[datetime, str] | None, filling: bool, seen: str | None, count: int | None
) -> None:
    key = key and (moment(stamp(key[0])), key[1])
    cursor = Cursor(key, filling, seen, count)
    assert Cursor.parse(str(cursor)) == cursor


def test_a_damaged_cursor_says_what_to_do() -> None:
    with pytest.raises(CRMError, match="backfill"):
        Cursor.parse('{"at": "yesterday"}')


def test_the_fingerprint_sees_content_and_not_only_stamps() -> None:
    assert fingerprint([{"Id": "1", "Title": "a"}]) != fingerprint([{"Id": "1", "Title": "b"}])
    assert fingerprint([{"Id": "1", "Title": "a"}]) == fingerprint([{"Title": "a", "Id": "1"}])


@pytest.mark.parametrize("module", [activities, fields, records])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)
