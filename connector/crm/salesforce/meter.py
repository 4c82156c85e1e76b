"""Counting: every HTTP request of ours, and what the org says that everybody used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from urllib3 import Retry

TIMEOUT = (10.0, 120.0)
"""Seconds to connect, and to wait for an answer. Salesforce itself gives up after 10 minutes; a pass shouldn't."""

RETRIES = 2
"""Further tries of a read (GET) that broke or met a 502-504. Writes are never sent again blindly."""


@dataclass(slots=True)
class Meter:
    calls: int = 0
    writes: int = 0
    failed: int = 0
    org_used: int | None = None
    org_limit: int | None = None

    @property
    def org_exhausted(self) -> bool:
        return self.org_used is not None and self.org_limit is not None and self.org_used >= self.org_limit


class MeteredAdapter(HTTPAdapter):
    """The session's way out: counts, sets timeouts, tries reads again."""

    def __init__(self, meter: Meter, *, backoff: float) -> None:
        self._meter = meter
        super().__init__(
            max_retries=Retry(
                total=RETRIES,
                connect=1,
                backoff_factor=backoff,
                allowed_methods=frozenset({"GET"}),
                status_forcelist=(502, 503, 504),
                raise_on_status=False,
                respect_retry_after_header=False,
            )
        )

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        self._meter.calls += 1
        try:
            answer = super().send(request, stream, timeout or TIMEOUT, verify, cert, proxies)
        except requests.RequestException:
            self._meter.failed += 1
            raise
        tried_again = len(getattr(getattr(answer.raw, "retries", None), "history", ()))
        self._meter.calls += tried_again
        self._meter.failed += tried_again + (answer.status_code >= 400)
        usage = Salesforce.parse_api_usage(answer.headers.get("Sforce-Limit-Info", "")).get("api-usage")
        if usage is not None:
            self._meter.org_used, self._meter.org_limit = usage.used, usage.total
        return answer
