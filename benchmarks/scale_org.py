"""An org of any size for features_scale, straight from numpy into Parquet: 1 M leads and 20 M activities in about a
minute, never more than a block of them in memory.

What is like a real org, since it is what makes features slow: ids of 18 characters that share their beginning, companies of very
different size (and one account and one domain where everything is dumped), free mail, colleagues who come weeks after one another
and sit in one webinar, leads that do a hundred things and leads that do none, machines, blanks, fields that change later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoring.features import Fact

NOW = 1_781_524_800_000_000
"""2026-06-15 12:00 UTC in microseconds: the moment all leads are looked at."""
DAY = 86_400_000_000
YEARS = 730
"""Days of history."""
BLOCK = 50_000
"""Leads made at a time."""

FACTS = (
    Fact("email", "text", "Email"), Fact("company", "text", "Company"), Fact("title", "text", "Title"),
    Fact("industry", "category", "Industry"), Fact("employees", "number", "Employees"),
    Fact("annual_revenue", "number", "Annual revenue"), Fact("country", "category", "Country"),
    Fact("source", "category", "Lead source"), Fact("phone", "text", "Phone"), Fact("heard_from", "text", "Heard from"),
    Fact("product_interest", "category", "Product interest"), Fact("seats", "number", "Seats wanted"),
    Fact("pilot", "flag", "Wants a pilot"), Fact("hand_raiser", "flag", "Asked to be contacted"),
    Fact("opted_out", "flag", "Opted out"), Fact("needed_by", "date", "Needed by"),
)  # fmt: skip

KINDS = {
    "page_view": 0.34, "email_sent": 0.18, "email_opened": 0.17, "email_clicked": 0.05, "email_replied": 0.03,
    "email_forwarded": 0.01, "form": 0.03, "download": 0.05, "webinar": 0.02, "call": 0.06, "meeting": 0.02,
    "task": 0.02, "campaign_response": 0.02,
}  # fmt: skip
_TOGETHER = np.isin(list(KINDS), ["webinar", "meeting", "call"])
_EMAIL = np.isin(list(KINDS), ["email_sent", "email_replied", "email_forwarded"])
_READ = np.isin(list(KINDS), ["page_view", "download"])

_ROLES = (
    "Manager",
    "Director",
    "VP",
    "Head of",
    "Engineer",
    "Analyst",
    "Chief Officer",
    "Assistant to",
    "Intern",
    "Leiter",
)
_AREAS = (
    "Sales",
    "Marketing",
    "IT",
    "Finance",
    "Operations",
    "Data",
    "Software",
    "People",
    "Procurement",
    "R&D",
    "xx",
)
_TITLES = [f"{role}, {area} {n}" for role in _ROLES for area in _AREAS for n in ("", *map(str, range(180)))]
_CHOICES: dict[str, tuple[list[str], float]] = {
    "title": (_TITLES, 0.30),
    "industry": (["SaaS", "Retail", "Banking", "Health Care", "Manufacturing", "Oil & Gas", "EdTech", "Legal", "n/a"], 0.35),
    "employees": (["12", "51-200", "1,000", "5000+", "230", "75", "unknown", "18000"], 0.40),
    "annual_revenue": (["1200000", "$ 5,000,000", "250000", "80000000"], 0.70),
    "country": (["USA", "Germany", "UK", "France", "Deutschland", "India", "Brasil", "NL", "CH"], 0.20),
    "source": (["Web", "Webinar", "Google Ads", "Referral", "Trade Show", "Purchased list", "Partner", "LinkedIn"], 0.10),
    "heard_from": (["a friend", "Search", "my boss", "Podcast", "an event"], 0.80),
    "product_interest": (["Billing", "Security", "Reports", "Everything"], 0.50),
    "seats": (["5", "20", "100", "500"], 0.75),
    "pilot": (["true", "false"], 0.60),
    "hand_raiser": (["true", "false"], 0.50),
    "opted_out": (["true", "false"], 0.50),
    "needed_by": ([f"{year}-{month:02}-{day:02}" for year in (2024, 2025, 2026) for month in range(1, 13) for day in range(1, 29)], 0.75),
}  # fmt: skip
"""Field -> what it may say, and the share of leads where it is blank."""
_LATER = ("title", "employees", "product_interest", "opted_out")
"""Fields that change on a tenth of the leads."""


@dataclass(frozen=True, slots=True)
class Org:
    """Parquet files in a folder, in the shape of `scoring.features.Inputs`; times are whole microseconds since 1970."""

    leads: Path
    changes: Path
    activities: Path


def make(folder: Path, leads: int, activities: int, seed: int = 1) -> Org:
    """Write an org of so many leads and about so many activities."""
    org = Org(*(folder / f"{name}.parquet" for name in ("leads", "changes", "activities")))
    writers: dict[Path, pq.ParquetWriter] = {}
    company = _companies(leads, seed)
    for first in range(0, leads, BLOCK):
        block = np.arange(first, min(first + BLOCK, leads))
        for path, table in zip(
            (org.leads, org.changes, org.activities),
            _block(block, company[block], activities / leads, np.random.default_rng([seed, first])),
            strict=True,
        ):
            if path not in writers:
                writers[path] = pq.ParquetWriter(path, table.schema, compression="zstd")
            writers[path].write_table(table, row_group_size=250_000)
    for writer in writers.values():
        writer.close()
    return org


def _companies(leads: int, seed: int) -> np.ndarray:
    """The company of each lead: a few of hundreds of leads, most of one or two, and in number 0 one lead in 200."""
    rng = np.random.default_rng([seed, 2**31])
    sizes = np.minimum(rng.zipf(2.1, size=leads), 300)
    company = np.repeat(np.arange(1, leads + 1), sizes)[:leads]
    company[rng.random(leads) < 0.005] = 0
    return rng.permutation(company)


def _block(
    lead: np.ndarray, company: np.ndarray, each: float, rng: np.random.Generator
) -> Iterator[pa.Table]:
    """(leads, changes, activities) of the leads numbered `lead`."""
    n = len(lead)
    created = NOW - (rng.random(n) * YEARS * DAY).astype("int64")
    lead_ids = _ids("00QHs00004", lead)
    mail = rng.random(n)
    domain = pc.binary_join_element_wise("company", company.astype(str), ".example", "")
    host = pc.if_else(pa.array(mail < 0.25), "gmail.com", domain)
    email = pc.binary_join_element_wise("person", lead.astype(str), "@", host, "")
    email = pc.if_else(pa.array(mail > 0.85), None, email)
    account = pc.if_else(pa.array(rng.random(n) < 0.6), _ids("001Hs00003", company), None)
    yield pa.table(
        {"lead_id": lead_ids, "created_at": pa.array(created), "account_key": account, "email": email}
    )
    yield _changes(lead_ids, created, email, domain, rng)
    yield _activities(lead, lead_ids, company, created, each, rng)


def _changes(
    lead_ids: pa.Array, created: np.ndarray, email: pa.Array, domain: pa.Array, rng: np.random.Generator
) -> pa.Table:
    n, parts = len(created), []

    def said(field: str, rows: np.ndarray, at: np.ndarray, value: pa.Array) -> None:
        parts.append(
            pa.table(
                {
                    "lead_id": lead_ids.take(rows),
                    "field": pa.array([field]).take(np.zeros(len(rows), dtype=int)),
                    "at": pa.array(at),
                    "value": value,
                }
            )
        )

    for field, (choices, blank) in _CHOICES.items():
        known = np.flatnonzero(rng.random(n) >= blank)
        said(
            field, known, created[known], pa.array(choices).take(rng.integers(len(choices), size=len(known)))
        )
    for field in _LATER:
        choices = _CHOICES[field][0]
        changed = np.flatnonzero(rng.random(n) < 0.1)
        later = created[changed] + (rng.random(len(changed)) * (NOW - created[changed])).astype("int64")
        said(field, changed, later, pa.array(choices).take(rng.integers(len(choices), size=len(changed))))
    with_mail = np.flatnonzero(~np.asarray(email.is_null()))
    said("email", with_mail, created[with_mail], email.take(with_mail))
    named = np.flatnonzero(rng.random(n) < 0.8)
    said("company", named, created[named], domain.take(named))
    called = np.flatnonzero(rng.random(n) < 0.5)
    numbers = rng.integers(10**9, 10**10, size=len(called)).astype(str)
    said("phone", called, created[called], pa.array(numbers))
    return pa.concat_tables(parts)


def _activities(
    lead: np.ndarray,
    lead_ids: pa.Array,
    company: np.ndarray,
    created: np.ndarray,
    each: float,
    rng: np.random.Generator,
) -> pa.Table:
    """`each`: activities a lead in the mean; a fifth of the leads have none, a few have hundreds."""
    keen = rng.gamma(0.8, 1.0, size=len(lead)) * (rng.random(len(lead)) > 0.2)
    count = rng.poisson(each * keen / keen.mean())
    who = np.repeat(np.arange(len(lead)), count)
    n = len(who)
    # bursts: a visit or two of minutes, within weeks of interest, now and then again after months
    burst = rng.exponential(30 * DAY, size=n) * np.round(rng.exponential(1.0, size=n))
    at = created[who] + (burst + rng.exponential(2 * DAY, size=n)).astype("int64")
    at = np.where(at > NOW, created[who] + (rng.random(n) * (NOW - created[who])).astype("int64"), at)
    at -= at % 1_000_000
    kind = rng.choice(len(KINDS), size=n, p=list(KINDS.values()))
    hour, together = 3_600_000_000, _TOGETHER[kind] & (rng.random(n) < 0.4)
    at = np.where(together, at - at % (24 * hour) + 15 * hour, at)  # a company's call at three
    at = np.clip(at, created[who], NOW)
    order = np.argsort(at, kind="stable")
    who, at, kind, together = who[order], at[order], kind[order], together[order]
    read, some = _READ[kind], rng.random(n)
    visit = pc.binary_join_element_wise("v", lead[who].astype(str), "-", (at // (2 * hour)).astype(str), "")
    meeting = pc.binary_join_element_wise("Call with ", company[who].astype(str), "")
    first = int(lead[0]) * 1000
    answered = pc.if_else(pa.array(kind == list(KINDS).index("call")), pa.array(rng.random(n) < 0.4), None)
    return pa.table(
        {
            "activity_id": _ids("00THs0000", first + np.arange(n), 9),
            "lead_id": lead_ids.take(who),
            "at": pa.array(at),
            "kind": pa.array(list(KINDS)).take(kind),
            "actor": pa.array(["person", "machine", "unsure"]).take(np.digitize(rng.random(n), [0.8, 0.95])),
            "session": pc.if_else(pa.array(read & (some < 0.8)), visit, None),
            "area": pc.if_else(
                pa.array(read & (rng.random(n) < 0.6)),
                pa.array(["billing", "security", "reports", "api", "sso"]).take(rng.integers(5, size=n)),
                None,
            ),
            "content": pc.if_else(
                pa.array(read & (rng.random(n) < 0.7)),
                pa.array(["documentation", "pricing", "case_study", "blog", "product"]).take(
                    rng.integers(5, size=n)
                ),
                None,
            ),
            "subject": pc.if_else(pa.array(together), meeting, None),
            "answered": answered,
            "cc": _copied(_EMAIL[kind] & (rng.random(n) < 0.1), company[who], rng),
        }
    )


def _copied(some: np.ndarray, company: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """One or two people on some of the e-mails: of the lead's company by a digest, or anybody by free mail."""
    at_work = pc.binary_join_element_wise("@company", company.astype(str), ".example", "")
    host = pc.if_else(pa.array(rng.random(len(company)) < 0.8), at_work, "@gmail.com")
    one, other = (
        pc.binary_join_element_wise("p", rng.integers(40, size=len(company)).astype(str), host, "")
        for _ in range(2)
    )
    both = pc.binary_join_element_wise(one, other, " ")
    return pc.if_else(pa.array(some), pc.if_else(pa.array(rng.random(len(company)) < 0.3), both, one), None)


def _ids(prefix: str, number: np.ndarray, digits: int = 8) -> pa.Array:
    """Eighteen characters, as Salesforce's."""
    return pa.array(np.char.add(prefix, np.char.zfill(number.astype(str), digits)))
