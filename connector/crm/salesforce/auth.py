"""Tokens. simple-salesforce's own logins can't be pointed at another address, so we exchange them ourselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from connector.crm.base import NEW_TOKEN, AuthError, Transient
from connector.crm.connection import Connection

LIFE_OF_ASSERTION = 180
"""Seconds; public clients use about three minutes (FACTS 2)."""

_FIXES: Mapping[str, str] = {
    "invalid_app_access": "Assign the app's permission set to the integration user.",
    "invalid_grant": "Assign the app's permission set to the integration user, or set the app's Run As user.",
    "invalid_client_id": "Check crm.options.client_id.",
    "invalid_client": "Check crm.options.client_id and the client secret.",
    "inactive_user": "Activate the integration user.",
}


@dataclass(frozen=True, slots=True)
class Token:
    access: str
    url: str

    def __repr__(self) -> str:
        return f"Token(access='***', url={self.url!r})"


class Login:
    """Gives a token, and a new one when it has expired, if this connection can make one."""

    def __init__(
        self, connection: Connection, session: requests.Session, *, now: Callable[[], float] = time.time
    ) -> None:
        self._connection, self._session, self._now = connection, session, now
        self._options = connection.options

    @property
    def renewable(self) -> bool:
        return "client_id" in self._options

    def token(self) -> Token:
        """Raises AuthError, saying what to mend."""
        if not self.renewable:
            if not self._connection.token:
                raise AuthError("There is no token for Salesforce.", fix=NEW_TOKEN)
            return Token(self._connection.token, self._connection.url)
        if "private_key_file" in self._options:
            login = self._options.get("login", "https://login.salesforce.com")
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": self._assertion(login),
            }
        else:
            login = self._options.get("login", self._connection.url)
            form = {
                "grant_type": "client_credentials",
                "client_id": self._options["client_id"],
                "client_secret": self._connection.token,
            }
        return self._exchange(login, form)

    def _assertion(self, login: str) -> str:
        path = Path(self._options["private_key_file"])
        try:
            key = RSAKey.import_key(path.read_text())
        except (OSError, ValueError, JoseError) as error:
            raise AuthError(
                f"The private key {path} can't be used ({type(error).__name__}).",
                fix="Set crm.options.private_key_file to the PEM file of the app's certificate.",
            ) from None
        if "username" not in self._options:
            raise AuthError("The integration user is not named.", fix="Set crm.options.username.")
        claims = {
            "iss": self._options["client_id"],
            "sub": self._options["username"],
            "aud": login,
            "exp": int(self._now()) + LIFE_OF_ASSERTION,
        }
        return jwt.encode({"alg": "RS256"}, claims, key)

    def _exchange(self, login: str, form: Mapping[str, str]) -> Token:
        answer = self._session.post(f"{login.rstrip('/')}/services/oauth2/token", data=form)
        try:
            body = answer.json()
        except requests.exceptions.JSONDecodeError:
            body = {}
        if answer.ok and isinstance(body, dict) and "access_token" in body:
            return Token(body["access_token"], body.get("instance_url", self._connection.url))
        if answer.status_code >= 500:
            raise Transient(f"Salesforce's login is not available ({answer.status_code}).")
        error = body.get("error", "") if isinstance(body, dict) else ""
        text = body.get("error_description", "") if isinstance(body, dict) else ""
        raise AuthError(
            f"Salesforce gives no token ({answer.status_code} {error}: {text}).",
            fix=_FIXES.get(error, "Check crm.options and the app in Setup > External Client App Manager."),
        )
