"""Of people copied on e-mails nothing is kept that names them."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.crm.base import Activity, Page, Value
from connector.jobs.addresses import digest, hidden

AT = datetime(2026, 6, 1, tzinfo=UTC)


def page(*copied: Value) -> Page:
    return Page(
        "emails",
        "c",
        activities=[
            Activity(f"a{n}", "email_sent", AT, "L1", AT, detail={"subject": "Hello", "cc": cc} if cc else {})
            for n, cc in enumerate(copied)
        ],
    )


def test_a_copied_address_becomes_a_digest_at_its_host() -> None:
    found = hidden(
        page(["Ann Lee <Ann.Lee@Acme.com>", "ann.lee@acme.com", "bob@acme.com", "the team"], None), "salt"
    )
    cc = found.activities[0].detail["cc"]
    assert cc == [digest("ann.lee@acme.com", "salt"), digest("bob@acme.com", "salt")]
    assert "ann" not in str(found)
    assert "bob" not in str(found)
    assert found.activities[0].detail["subject"] == "Hello"
    assert found.activities[1].detail == {}


def test_another_installation_has_other_digests_for_the_same_person() -> None:
    one, other = (digest("ann@acme.com", salt) for salt in ("salt", "pepper"))
    assert one != other
    assert one.endswith("@acme.com")
    assert len(one) == len(other)


def test_a_page_without_copies_is_passed_on_as_it_is() -> None:
    plain = page(None, None)
    assert hidden(plain, "salt") is plain
