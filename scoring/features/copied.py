"""Who of the company was copied (CC) on e-mails with the lead, whether or not we know them as leads."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa

from scoring.features.graph import DOMAIN, MONTH
from scoring.features.normalise import company_domain

EMAILS = ("email_sent", "email_replied", "email_forwarded")


def copies(activities: Any, first: Any) -> Any:
    """(lead_id, at, who, host): everybody copied on an e-mail of a person since MONTH before the first point. `who`: an address,
    or what stands for one before the @."""
    mail = activities.filter(
        activities.cc.notnull(),
        activities["at"] > first - MONTH,
        activities.actor == "person",
        activities.kind.isin(EMAILS),
    )
    each = mail.select("lead_id", "at", who=mail.cc.lower().split(" ").unnest())
    return each.filter(each.who.contains("@")).mutate(host=each.who.re_extract(r"@([^@]*)$", 1))


def domains(distinct: pa.Table) -> pa.Table:
    """(host, domain): the company domain of each distinct host, blank for free mail."""
    found = [company_domain(f"x@{host}") for host in distinct["host"].to_pylist()]
    return pa.table({"host": distinct["host"], "domain": pa.array(found, pa.string())})


def counted(side: Any, company: Any, named: Any, copy: Any, read: Any) -> Any:
    """(point, copied): how many people with an address at a domain that the lead or a colleague has.

    `named`: graph.named, the keys that leads have; `read`: `domains` of the hosts.
    """
    known = read.filter(read.domain.notnull())
    known = known.select("host", address=ibis.literal(DOMAIN) + known.domain)
    copy = copy.inner_join(known, "host").select("lead_id", "at", "who", "address")
    there = named.rename(address="key").semi_join(copy, "address")
    there = there.select("lead_id", "address", from_then="since", to_then="until")
    theirs = company.inner_join(there, "lead_id")
    theirs = theirs.select(
        "key",
        "address",
        since=ibis.greatest(theirs.since, theirs.from_then),
        until=ibis.least(theirs.until, theirs.to_then),
    )
    theirs = theirs.filter(theirs.since < theirs.until).distinct()
    mine = side.inner_join(
        copy, [side.lead_id == copy.lead_id, copy["at"] <= side.as_of, copy["at"] > side.as_of - MONTH]
    )
    mine = mine.select("point", "as_of", "key", "who", "address")
    found = mine.inner_join(
        theirs,
        [
            mine.key == theirs.key,
            mine.address == theirs.address,
            theirs.since <= mine.as_of,
            theirs.until > mine.as_of,
        ],
    )
    return found.group_by("point").aggregate(copied=found.who.nunique())
