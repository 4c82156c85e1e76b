"""Many random histories in one build: names, companies and sessions of each are its own, so that none knows another."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from scoring.features import Inputs
from tests.unit.feature_days import change, inputs, lead, point, touch

KINDS = (
    *("page_view",) * 6, "form", "download", "webinar", "email_sent", "email_opened", "email_clicked", "email_replied",
    "email_forwarded", "call", "meeting", "task", "campaign_response",
)  # fmt: skip
AWKWARD = (
    None, "", " ", "n/a", " fish\t", "vivid\f", "\vfit\n", "İstanbul", "ΟΔΟΣ", "a \t b", "12\u00a00", "yes", "FALSE", "0", "-3",
    "1,200", "$ 5000", "51-200", "1000+", ".5", "5.", "1e5", "1e400", "10d", "0x1p3", "1_000", "nan", "inf",
    "1.200", "1,5", "~500", "> 1000", "1k", "2,5 Mio.", "2.500.000", "1.234,56", "12,34,567", "1'200", "1,2,3", "0,125", "10k-50k",
    "1200\u2028", "0.1234565", "1.0000005", "123456789012.34", "12345678901234567890",
)  # fmt: skip
"""What engines read each in a way of their own, unless told."""

VALUES: dict[str, tuple[str | None, ...]] = {
    "title": ("CTO", "VP Sales", "Buyer", "finance lead", "n/a", None),
    "email": ("a@acme{n}.com", "b@acme{n}.com", "c@tarn{n}.example", "d@gmail.com", "call me", None),
    "employees": ("10", "500", "99", "1000+", *AWKWARD),
    "annual_revenue": ("1e6", "$ 2,500,000", *AWKWARD),
    "industry": ("SaaS", "Retail", " fintech ", None),
    "country": ("DE", "vietnam", "U.S.A.", None),
    "source": ("Web", "Trade Show", "facebook", None),
    "heard_from": ("a friend", "Search", None),
    "account_id": ("{n}-001", "{n}-002", None),
    "product_interest": AWKWARD,
    "seats": AWKWARD,
    "hand_raiser": ("true", "false", " YES", None),
    "opted_out": ("1", "no", None),
    "pilot": ("true", "No", "1.0", "perhaps", None),
    "needed_by": (
        "2026-07-01",
        "2026-06-15T09:00:00+00:00",
        "2026-02-30",
        "1.5.2026",
        "Q2 2026",
        "within 3 months",
        "asap",
        "9999-12-31",
        "1970-01-01",
        "no idea",
        None,
    ),
}
PEOPLE, TOUCHES, CHANGES = 8, 150, 80


def worlds(seeds: Iterable[int]) -> Inputs:
    """Each seed's history: 8 people who share companies, looked at three times each."""
    leads: list[dict[str, Any]] = []
    activities: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for n in seeds:
        dice = random.Random(n)
        names = [f"{n}-L{i}" for i in range(PEOPLE)]
        known = [
            {"account_key": f"{n}-001"},
            {"email": f"z@acme{n}.com"},
            {"email": f" y@tarn{n}.example"},
            {},
        ]
        leads += [lead(name, 90 + dice.random(), **known[i % 4]) for i, name in enumerate(names)]
        activities += [_touch(dice, n, dice.choice(names)) for _ in range(TOUCHES)]
        for field in dice.choices(tuple(VALUES), k=CHANGES):
            value = dice.choice(VALUES[field])
            said = None if value is None else value.replace("{n}", str(n))
            changes.append(change(dice.choice(names), field, _day(dice), said))
        points += [point(name, days) for name in names for days in (0, 7, dice.uniform(0, 100))]
    return inputs(leads, activities, changes, points)


def _touch(dice: random.Random, n: int, name: str) -> dict[str, Any]:
    return touch(
        name, dice.choice(KINDS), _day(dice), dice.choice(("person", "person", "machine", "unsure")),
        session=dice.choice((f"{n}-s1", f"{n}-s2", None)), area=dice.choice(("billing", "security", None)),
        content=dice.choice(("documentation", "pricing", "case_study", None)), channel=dice.choice(("email", None, None)),
        subject=dice.choice(("Demo", "ΟΔΟΣ", None)), cc=_copied(dice, n), answered=dice.choice((True, False, None)),
    )  # fmt: skip


def _copied(dice: random.Random, n: int) -> str | None:
    hosts = (f"acme{n}.com", f"mail.tarn{n}.example", "gmail.com", "elsewhere.com")
    return " ".join(
        f"{dice.choice('abC')}@{dice.choice(hosts)}" for _ in range(dice.randrange(4))
    ) or dice.choice((None, "nobody"))


def _day(dice: random.Random) -> float:
    """Whole hours, so that many fall on the same moment, or any microsecond; half of them in the last 20 days."""
    longest = dice.choice((20, 100))
    return dice.randint(0, longest * 24) / 24 if dice.random() < 0.7 else dice.uniform(0, longest)
