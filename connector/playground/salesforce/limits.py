"""The org's daily API requests: counted by the org's clock, told in a header, refused when used up. [FACTS section 3]"""

from __future__ import annotations

from connector.playground.org import Org
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import over_limit

DAILY_REQUESTS = 100_000
"""Enterprise Edition without its licences' share. org.meta("api_limit") overrides it."""
_DAY = 86_400_000
_OTHERS = {
    "DailyBulkApiBatches": 15_000, "DailyBulkV2QueryJobs": 10_000, "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyAsyncApexExecutions": 250_000, "DailyDeliveredPlatformEvents": 10_000, "DataStorageMB": 10_240,
    "FileStorageMB": 10_240, "HourlyAsyncReportRuns": 1_200, "SingleEmail": 5_000,
}  # fmt: skip


def usage(org: Org) -> tuple[int, int]:
    """(used, allowed) of the last 24 hours; by calendar day of the org's clock. [unsourced] the vendor's window rolls"""
    day = org.now() // _DAY
    counter = org.meta("api_usage", {"day": day, "used": 0})
    used = counter["used"] if counter["day"] == day else 0
    return used, int(org.meta("api_limit", DAILY_REQUESTS))


def count(org: Org) -> None:
    """One more request; Fault when the day's are used up."""
    with org.transaction():
        used, allowed = usage(org)
        if used >= allowed:
            raise over_limit()
        org.set_meta("api_usage", {"day": org.now() // _DAY, "used": used + 1})


def header(org: Org) -> str:
    used, allowed = usage(org)
    return f"api-usage={used}/{allowed}"


def show(call: Call) -> Answer:
    """GET /limits"""
    used, allowed = usage(call.org)
    listed = {name: {"Max": most, "Remaining": most} for name, most in _OTHERS.items()}
    return Answer(
        dict(sorted({"DailyApiRequests": {"Max": allowed, "Remaining": allowed - used}, **listed}.items()))
    )
