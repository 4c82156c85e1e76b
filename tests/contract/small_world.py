"""A pipeline of thirty leads, made by hand, that both local CRMs are seeded with: every kind of thing once at least.

Lead n is L00 … L29. L00-L05 became deals, L06 raised a hand, L07 opted out, L08 has nothing filled but a name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.playground.world.model import Account, Deal, FieldChange, Owner, Person, Touch, World

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
LEADS = 30
DEALS = 6
DAY = timedelta(days=1)

_STAGES = ("won", "won", "lost", "proposal", "discovery", "negotiation")
_TITLES = ("VP Engineering", "Head of Purchasing", "Data Analyst", None)


def small_world() -> World:
    owners = [
        Owner("O1", "Ada Account", "ada@seller.example", "account executive"),
        Owner("O2", "Sam Setter", "sam@seller.example", "sdr"),
        Owner("O3", "Mia Manager", "mia@seller.example", "manager"),
    ]
    accounts = [
        Account(
            f"A{n}", f"Firm {n}", f"firm{n}.example", "Technology" if n % 2 else None, 100 * (n + 1),
            1e6 * (n + 1), "Germany", NOW - 200 * DAY, "O1",
        )
        for n in range(DEALS)
    ]  # fmt: skip
    people = [_person(n) for n in range(LEADS)]
    deals = [
        Deal(
            f"D{n}", f"Deal {n}", f"A{n}", [f"L{n:02d}"], "O1", 10_000.0 * (n + 1), stage, NOW - (60 - n) * DAY,
            NOW - (20 - n) * DAY, NOW - (20 - n) * DAY if stage in ("won", "lost") else NOW + 30 * DAY,
        )
        for n, stage in enumerate(_STAGES)
    ]  # fmt: skip
    return World(
        name="small", now=NOW, owners=owners, accounts=accounts, people=people, deals=deals,
        changes=_changes(), touches=_touches(),
    )  # fmt: skip


def _person(n: int) -> Person:
    created = NOW - (100 - n) * DAY
    bare = n == 8
    fields = {} if bare else {
        "title": _TITLES[n % 4], "industry": "Technology" if n % 3 else "Retail", "employees": 50 * (n + 1),
        "annual_revenue": 250_000.0 * (n + 1), "country": "Germany", "source": "Web", "phone": f"+49 30 {1000 + n}",
        "linkedin": f"https://linkedin.example/in/l{n}" if n % 2 else None, "product_interest": "Analytics",
        "use_case": None, "heard_from": "a colleague" if n == 9 else None,
        "needed_by": "2026-07-01" if n == 9 else None, "points": float(n),
    }  # fmt: skip
    fields |= {"hand_raiser": n == 6, "opted_out": n == 7}
    became_deal = n < DEALS
    return Person(
        key=f"L{n:02d}",
        first_name=None if bare else f"First{n}",
        last_name=f"Last{n}",
        email=None if bare else f"l{n}@firm{n}.example",
        company=f"Firm {n}",
        account=f"A{n}" if became_deal else None,
        created_at=created,
        modified_at=created + timedelta(days=30) if became_deal else created + timedelta(hours=n + 1),
        owner="O1" if became_deal else "O2",
        status="converted" if became_deal else "new" if n < 20 else "working",
        fields=fields,
        converted_at=NOW - (60 - n) * DAY if became_deal else None,
        deal=f"D{n}" if became_deal else None,
    )


def _changes() -> list[FieldChange]:
    """Each lead of L20-L29 went from new to working two days before; each deal came to its stage."""
    found = [
        FieldChange(
            "person", f"L{n:02d}", "status", NOW - 2 * DAY + timedelta(minutes=n), "new", "working", "O2"
        )
        for n in range(20, LEADS)
    ]
    found.append(FieldChange("person", "L10", "employees", NOW - 50 * DAY, 5, 550, "O2"))
    found += [
        FieldChange("deal", f"D{n}", "stage", NOW - (20 - n) * DAY, "discovery", stage, "O1")
        for n, stage in enumerate(_STAGES)
        if stage != "discovery"
    ]
    return sorted(found, key=lambda c: c.at)


TOUCHES = {
    "page_view": {
        "session": "s1",
        "url": "https://us.example/pricing",
        "area": "analytics",
        "content": "pricing",
    },
    "form": {"session": "s1", "url": "https://us.example/contact"},
    "download": {"url": "https://us.example/guide.pdf", "content": "documentation"},
    "webinar": {"campaign": "Spring webinar"},
    "email_sent": {"subject": "Hello"},
    "email_opened": {"subject": "Hello"},
    "email_clicked": {"subject": "Hello", "url": "https://us.example/guide"},
    "email_replied": {"subject": "Hello"},
    "email_forwarded": {"subject": "Hello", "cc": ["boss@firm11.example"]},
    "call": {"minutes": 7.0, "answered": True},
    "meeting": {"minutes": 30.0, "subject": "Demo"},
    "task": {"subject": "Send offer"},
    "campaign_response": {"campaign": "Fair", "channel": "event"},
}
"""Each kind once, by L11, an hour apart; L00, which became a contact, viewed a page and was called."""


def _touches() -> list[Touch]:
    start = NOW - 5 * DAY
    found = [
        Touch(f"T{n:02d}", kind, "L11", start + timedelta(hours=n), owner="O2", detail=dict(detail))
        for n, (kind, detail) in enumerate(TOUCHES.items())
    ]
    found.append(
        Touch(
            "T90",
            "page_view",
            "L00",
            NOW - 90 * DAY,
            account="A0",
            detail={"session": "s2", "url": "https://us.example/"},
        )
    )
    found.append(
        Touch(
            "T91",
            "call",
            "L00",
            NOW - 30 * DAY,
            account="A0",
            owner="O1",
            detail={"minutes": 3.0, "answered": True},
        )
    )
    return found
