"""How the Salesforce adapter looks again at what it has read: nothing lost, nothing paid twice (pull.py's four rules)."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.crm.base import AuthError, OverBudget, Write
from tests.contract.adapters import SalesforceBench, Store, records, rows

SECOND = timedelta(seconds=1)


def pushed(at: SalesforceBench, count: int, start: datetime) -> list[str]:
    """Leads as our own push leaves them: changed within a minute."""
    ids: list[str] = []
    for n in range(10):
        ids += at.add_leads(count // 10, start + timedelta(seconds=6 * n))
    return ids


def calls(crm: object) -> int:
    return int(crm.usage().calls)  # type: ignore[attr-defined]


def test_after_a_push_of_thousands_the_next_pass_does_not_page_through_them(
    salesforce: SalesforceBench,
) -> None:
    store, crm = Store(), salesforce.connect()
    store.take(crm)
    ids = pushed(salesforce, 5_000, salesforce.newest("lead") + SECOND)
    assert set(ids) <= set(records(store.take(crm)))
    before = calls(crm)
    assert rows(store.take(crm)) == 0
    assert calls(crm) - before <= salesforce.quiet_pass


def test_a_late_change_deep_in_the_overlap_is_found_without_paging(salesforce: SalesforceBench) -> None:
    store, crm = Store(), salesforce.connect()
    store.take(crm)
    start = salesforce.newest("lead") + SECOND
    ids = pushed(salesforce, 5_000, start)
    store.take(crm)
    changed, known_again = ids[600], ids[100]
    # One changed from stamp to stamp within the part that is never on the first page; one is new there.
    salesforce.put("lead", changed, {"Title": "Late"}, start + timedelta(seconds=7))
    (new,) = salesforce.add_leads(1, start + timedelta(seconds=8))
    before = calls(crm)
    found = records(store.take(crm))
    assert found[changed].values["title"] == "Late"
    assert new in found
    assert known_again not in found
    assert calls(crm) - before <= salesforce.quiet_pass + 2
    assert rows(store.take(crm)) == 0


def test_a_change_within_the_cursors_own_second_is_found(salesforce: SalesforceBench) -> None:
    store, crm, id = Store(), salesforce.connect(), salesforce.id("lead", "L12")
    salesforce.put("lead", id, {}, salesforce.newest("lead") + SECOND)
    store.take(crm)
    store.take(crm)
    salesforce.put("lead", id, {"Title": "Same second"}, salesforce.newest("lead"))
    assert records(store.take(crm))[id].values["title"] == "Same second"
    assert rows(store.take(crm)) == 0


def test_a_change_among_thousands_of_the_cursors_own_second_is_found(salesforce: SalesforceBench) -> None:
    store, crm = Store(), salesforce.connect()
    store.take(crm)
    moment = salesforce.newest("lead") + SECOND
    ids = salesforce.add_leads(3_000, moment)
    store.take(crm)
    store.take(crm)
    before = calls(crm)
    assert rows(store.take(crm)) == 0
    assert calls(crm) - before <= salesforce.quiet_pass
    for id in (ids[5], ids[2_500]):
        salesforce.put("lead", id, {"Title": "Tie"}, moment)
    found = records(store.take(crm))
    assert {found[id].values["title"] for id in (ids[5], ids[2_500])} == {"Tie"}


def test_history_that_shows_late_is_found_by_counting(salesforce: SalesforceBench) -> None:
    store, crm, id = Store(), salesforce.connect(), salesforce.id("lead", "L12")
    store.take(crm)
    desk, by = salesforce.desk, next(iter(salesforce.desk.owners()))
    desk.set("lead", id, {"employees": 77}, by=by)
    store.take(crm)
    store.take(crm)
    now = salesforce.org.now()
    salesforce.org.load_history([("Lead", id, "Title", now - 60_000, "a", "b", by, "ui")])
    pages = store.take(crm)
    assert ("title", "b") in [(c.field, c.new) for p in pages for c in p.changes]
    assert rows(store.take(crm)) == 0


def test_the_twin_of_a_message_counts_once(salesforce: SalesforceBench) -> None:
    store, crm = Store(), salesforce.connect()
    store.take(crm)
    twins = {m.data.get("ActivityId") for m in salesforce.org.all("EmailMessage")} - {None}
    assert not twins & set(store.rows["tasks"])
    lonely = {
        t.id for t in salesforce.org.all("Task") if t.data.get("TaskSubtype") == "Email" and t.id not in twins
    }
    assert lonely <= set(store.rows["tasks"])


def test_an_org_without_web_activity_has_no_such_stream(salesforce: SalesforceBench) -> None:
    crm = salesforce.connect(options={"web_activity": "Nowhere__c"})
    assert "web_activities" not in {s.name for s in crm.streams()}
    assert any("Nowhere__c" in p.what for p in crm.doctor({}))


def test_a_converted_lead_is_written_as_the_contact_it_became(salesforce: SalesforceBench) -> None:
    crm, store = salesforce.connect(), Store()
    store.take(crm)
    lead = store.rows["leads"][salesforce.id("lead", "L00")]
    contact = lead.values["contact_id"]
    answers = crm.write(
        "lead",
        [Write(contact, {"candor_score": 80}), Write(salesforce.id("lead", "L12"), {"candor_score": 5})],
    )
    assert [a.ok for a in answers] == [True, True]
    assert crm.read("lead", [contact], ["candor_score"]) == {contact: {"candor_score": 80}}


def test_the_orgs_limit_used_up_is_over_budget(salesforce: SalesforceBench) -> None:
    crm = salesforce.connect()
    crm.check()
    salesforce.org.set_meta("api_limit", crm.usage().org_used)
    with pytest.raises(OverBudget):
        crm.check()


# --- tokens ---


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(file of a private key, its public half as PEM)."""
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    file = tmp_path_factory.mktemp("key") / "key.pem"
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write_bytes(made.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    public = made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return file, public.decode()


def user_name(at: SalesforceBench) -> str:
    row = at.org.get("User", str(at.org.meta("integration_user")))
    assert row is not None
    return str(row.data["Username"])


def test_a_token_by_certificate_is_made_and_renewed_when_it_expires(
    salesforce: SalesforceBench, key: tuple[Path, str]
) -> None:
    from connector.playground.salesforce.auth import register

    register(salesforce.org, "app", certificate=key[1])
    url = salesforce.connection().url
    options = {
        "login": url,
        "client_id": "app",
        "private_key_file": str(key[0]),
        "username": user_name(salesforce),
    }
    crm = salesforce.connect(token="", options=options)
    assert crm.check().user == user_name(salesforce)
    salesforce.org.set_meta("tokens", {})
    assert crm.write("lead", [Write(salesforce.id("lead", "L12"), {"candor_score": 3})])[0].ok
    with pytest.raises(AuthError, match="approved"):
        salesforce.connect(token="", options={**options, "username": "nobody@x.example"}).check()


def test_client_credentials_and_their_refusal(salesforce: SalesforceBench) -> None:
    from connector.playground.salesforce.auth import register

    register(salesforce.org, "app", secret="hush")
    options = {"client_id": "app"}
    assert salesforce.connect(token="hush", options=options).check().id
    with pytest.raises(AuthError) as error:
        salesforce.connect(token="wrong", options=options).check()
    assert "wrong" not in str(error.value)


# --- what the doctor finds ---


def test_the_doctor_tells_what_has_no_history_and_what_is_nearly_used_up(salesforce: SalesforceBench) -> None:
    schema = import_module("connector.playground.salesforce.schema")
    stored = schema.record(salesforce.org)
    del stored["tracked"]["Lead"]["Title"]
    schema.save(salesforce.org, stored)
    salesforce.org.set_meta("api_limit", 40)
    salesforce.org.set_meta("api_usage", {"day": salesforce.org.now() // 86_400_000, "used": 35})
    found = {p.what: p for p in salesforce.connect().doctor({})}
    history = next(p for what, p in found.items() if "history" in what)
    assert "Title" in history.what
    assert "Status" not in history.what
    assert not history.fatal
    assert any("API calls" in what for what in found)


def test_the_doctor_tells_that_our_fields_may_not_be_edited(salesforce: SalesforceBench) -> None:
    org = salesforce.org
    for row in org.all("FieldPermissions"):
        if row.data["Field"] == "Lead.Candor_Score__c":
            org.load(
                "FieldPermissions",
                [(row.id, row.created, row.modified, {**row.data, "PermissionsEdit": False})],
            )
    import_module("connector.playground.salesforce.schema").touch(org)
    problems = salesforce.connect().doctor({})
    assert any("Candor_Score__c" in p.what and p.fatal for p in problems), problems


def test_a_read_whose_answer_was_lost_is_asked_again(salesforce: SalesforceBench) -> None:
    crm, id = salesforce.connect(url=salesforce.through_the_wire()), salesforce.id("lead", "L12")
    crm.read("lead", [id], ["title"])
    salesforce.wire.cut_next_answer(once=True)
    assert id in crm.read("lead", [id], ["title"])
    assert crm.usage().failed == 1
