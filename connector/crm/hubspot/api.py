"""The wire: every request of ours goes through here, over the vendor client's own generic call.

The version of the API stands here and nowhere else. The client builds a pool of connections with each of its API
objects, so two are kept: one that tries reads again, one that never sends a write twice.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from hubspot import Client
from urllib3 import Retry

from connector.crm.base import OverBudget
from connector.crm.connection import Connection
from connector.crm.hubspot.auth import Tokens
from connector.crm.hubspot.errors import Busy, Expired, mapped

VERSION = "v3"
"""What is spoken unless the option `version` names a dated one (2026-09). v3 ends in September 2027, v4 (associations)
on 2027-03-30 by the stricter of two announcements (FACTS-hubspot.md §1)."""

TIMEOUT = (10.0, 120.0)
"""Seconds to connect, and to wait for an answer: HubSpot itself gives up after 100."""

RETRIES = 2
"""Further tries of a read that broke or met 502-504, 524. A write is sent again only when it never left."""

PATIENCE = 3
"""How often one call waits for a limit of a second or of ten, or a lock (429, 423: nothing was done, so writes may
wait too)."""

LONGEST_WAIT = 30.0
"""Seconds; what asks for more waits for the next pass."""


@dataclass(slots=True)
class Meter:
    calls: int = 0
    writes: int = 0
    failed: int = 0
    org_used: int | None = None
    org_limit: int | None = None


class Api:
    def __init__(
        self, connection: Connection, *, backoff: float = 0.5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.meter = Meter()
        self.version = connection.options.get("version", VERSION)
        self._dated = not self.version.startswith("v")
        self._budget = connection.budget
        self._before = int(connection.options.get("calls_today", "0"))
        self._sleep = sleep
        again = Retry(
            total=RETRIES,
            backoff_factor=backoff,
            allowed_methods=None,
            status_forcelist=(502, 503, 504, 524),
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        once = Retry(
            total=RETRIES,
            connect=RETRIES,
            read=0,
            status=0,
            other=0,
            redirect=0,
            backoff_factor=backoff,
            respect_retry_after_header=False,
        )
        self._reader, self._writer = (_client(connection, retry) for retry in (again, once))
        self._tokens = Tokens(connection, self._new_token)

    # -- paths, by version --

    def objects(self, obj: str, end: str = "") -> str:
        return f"/crm/objects/{self.version}/{obj}{end}" if self._dated else f"/crm/v3/objects/{obj}{end}"

    def properties(self, obj: str, end: str = "") -> str:
        return (
            f"/crm/properties/{self.version}/{obj}{end}" if self._dated else f"/crm/v3/properties/{obj}{end}"
        )

    def pipelines(self, obj: str, end: str = "") -> str:
        return f"/crm/pipelines/{self.version}/{obj}{end}" if self._dated else f"/crm/v3/pipelines/{obj}{end}"

    def associations(self, obj: str, to: str, end: str) -> str:
        base = f"/crm/associations/{self.version}" if self._dated else "/crm/v4/associations"
        return f"{base}/{obj}/{to}/batch/{end}"

    def lists(self, end: str = "") -> str:
        return f"/crm/lists/{self.version}{end}" if self._dated else f"/crm/v3/lists{end}"

    def owners(self) -> str:
        return f"/crm/owners/{self.version}" if self._dated else "/crm/v3/owners"

    def limits(self, end: str) -> str:
        return f"/crm/limits/{self.version}/{end}"

    def account(self, end: str) -> str:
        return f"/account-info/{self.version if self._dated else 'v3'}/{end}"

    # -- calls --

    def get(self, what: str, path: str, query: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
        return self._call(what, "GET", path, list(query), None, write=False)

    def ask(self, what: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A read that is asked by POST: search, batch/read."""
        return self._call(what, "POST", path, [], body, write=False)

    def send(self, what: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._call(what, method, path, [], body, write=True)

    def scopes(self) -> frozenset[str] | None:
        """What the token may do; None where HubSpot doesn't say. Changes nothing, and the token goes only where every call of
        ours carries it."""
        what, token = "asking what the token may do", self._tokens.current()
        if self._tokens.renewable:
            told = self._form(
                what, f"/oauth/{self.version}/token/introspect", {**self._tokens.app, "token": token}
            )
        else:
            told = self.ask(what, "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": token})
        found = told.get("scopes")
        return None if found is None else frozenset(map(str, found))

    def close(self) -> None:
        for client in (self._reader, self._writer):
            client.rest_client.pool_manager.clear()
            client.close()

    def _call(
        self, what: str, method: str, path: str, query: Sequence[tuple[str, str]], body: Any, *, write: bool
    ) -> dict[str, Any]:
        renewed = False
        left = PATIENCE
        while True:
            try:
                return self._once(what, method, path, query, body, write=write)
            except Busy as busy:
                wait = busy.retry_after or 1.0
                if left == 0 or not busy.policy or wait > LONGEST_WAIT:
                    raise
                left -= 1
                self._sleep(wait)
            except Expired:  # nothing was done: a write may go again, too
                if renewed or not self._tokens.renewable:
                    raise
                renewed = True
                self._tokens.renew()

    def _once(
        self, what: str, method: str, path: str, query: Sequence[tuple[str, str]], body: Any, *, write: bool
    ) -> dict[str, Any]:
        self._may(what)
        token = self._tokens.current()
        client = self._writer if write else self._reader
        client.configuration.access_token = token
        return self._raw(
            client, what, method, path, write=write, query_params=list(query), body=body,
            header_params={"Accept": "application/json"}, auth_settings=["oauth2"],
        )  # fmt: skip

    def _new_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Asked anew at will: it changes nothing."""
        return self._form("asking for a token", f"/oauth/{self.version}/token", form)

    def _form(self, what: str, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        self._may(what)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return self._raw(
            self._reader,
            what,
            "POST",
            path,
            write=False,
            post_params=list(form.items()),
            header_params=headers,
        )

    def _may(self, what: str) -> None:
        if self._budget is not None and self._before + self.meter.calls >= self._budget:
            raise OverBudget(
                f"Candor's own share of today's API calls, {self._budget}, is used up: {what} waits."
            )

    def _raw(
        self, client: Any, what: str, method: str, path: str, *, write: bool, **parts: Any
    ) -> dict[str, Any]:
        meter = self.meter
        meter.calls += 1
        meter.writes += write
        try:
            with mapped(what), warnings.catch_warnings():
                # urllib3 2 deprecates a method that the vendor's client calls on every refusal
                warnings.simplefilter("ignore", DeprecationWarning)
                answer = client.call_api(
                    path, method, _preload_content=False, _request_timeout=TIMEOUT, **parts
                )
                raw = answer.data
                self._learn(answer)
                parsed = orjson.loads(raw) if raw else {}
        except BaseException:
            meter.failed += 1
            raise
        return parsed if isinstance(parsed, dict) else {"results": parsed}

    def _learn(self, answer: Any) -> None:
        tried_again = len(answer.retries.history) if answer.retries is not None else 0
        self.meter.calls += tried_again
        self.meter.failed += tried_again
        limit = answer.headers.get("X-HubSpot-RateLimit-Daily")
        left = answer.headers.get("X-HubSpot-RateLimit-Daily-Remaining")
        if limit is not None and left is not None:  # none of them on search answers, nor with OAuth
            self.meter.org_limit, self.meter.org_used = int(limit), int(limit) - int(left)


def _client(connection: Connection, retry: Retry) -> Any:
    options = {"ssl_ca_cert": connection.ca} if connection.ca else {}
    made = Client.create(
        access_token=connection.token, host=connection.url.rstrip("/"), retry=retry, **options
    )
    return made.crm.objects.basic_api.api_client
