"""The token of a call: a service key or static token as it is, or one that OAuth gives for half an hour.

Going by `expires_in` is what the vendor asks for; a 401 alone is no sign that a refresh is due (FACTS-hubspot.md §2). An
answer that says EXPIRED_AUTHENTICATION is believed once, since clocks differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from connector.crm.base import AuthError
from connector.crm.connection import Connection
from connector.crm.hubspot.errors import Refused
from connector.errors import SettingsError

EARLY = 60.0
"""Seconds before its end at which a token is renewed."""

Ask = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""ask(form): the token endpoint's answer"""


class Tokens:
    """With the options client_id and client_secret_file the connection's token is the app's refresh token."""

    def __init__(
        self, connection: Connection, ask: Ask, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._ask, self._now = connection.token, ask, now
        self._client = connection.options.get("client_id")
        self._ends = 0.0
        self._access: str | None = None
        if self._client is None:
            return
        file = connection.options.get("client_secret_file")
        try:
            self._secret = Path(file or "").read_text().strip()
        except OSError:
            raise SettingsError(
                "The HubSpot app's client secret can't be read.",
                fix="Set crm.options.client_secret_file to the file that holds it.",
            ) from None

    @property
    def renewable(self) -> bool:
        return self._client is not None

    @property
    def app(self) -> dict[str, str]:
        """The OAuth app, as a question about one of its tokens names it; empty for a key."""
        return {} if self._client is None else {"client_id": str(self._client), "client_secret": self._secret}

    def current(self) -> str:
        if self._client is None:
            return self._token
        if self._access is None or self._now() >= self._ends:
            self.renew()
        assert self._access is not None
        return self._access

    def renew(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "client_id": str(self._client),
            "client_secret": self._secret,
            "refresh_token": self._token,
        }
        try:
            answer = self._ask(form)
        except Refused as refused:
            raise AuthError(
                f"HubSpot does not accept the app's refresh token ({refused.category or refused.status}).",
                fix="Install the app again and store the new refresh token where candor.toml says (crm.token_env).",
            ) from None
        self._access = str(answer["access_token"])
        self._ends = self._now() + float(answer.get("expires_in") or 1_800) - EARLY
