"""Foreign exceptions become ours here and nowhere else. Branches on status, category and code, never on a message: the
vendor may change those any day (FACTS-hubspot.md §1, §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from hubspot.crm.objects.exceptions import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from connector.crm.base import (
    NEW_TOKEN,
    AuthError,
    CRMError,
    NoAnswer,
    OverBudget,
    PermissionDenied,
    Transient,
)

BUSY = frozenset({423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524, 525, 526})
"""Statuses after which the same request may succeed later (§4)."""

WAITS: Mapping[str, float] = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0, "LOCKED": 2.0}
"""Seconds that a refused policy wants (the vendor's own client waits so; a lock after heavy writes holds for 2); DAILY
wants midnight."""


class Refused(CRMError):
    """HubSpot refused the request. `names` are the properties it complains of, by code."""

    status = 400
    category = ""
    names: tuple[tuple[str, str], ...] = ()


class Gone(Refused):
    """HubSpot has no such record, property or object."""

    status = 404


class Expired(AuthError):
    """The OAuth token has run out; a new one may be had."""


class Busy(Transient):
    """HubSpot asks to come back later."""

    policy = ""


def read_body(raw: bytes | str | None) -> Mapping[str, Any]:
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def refusal(what: str, status: int, raw: bytes | str | None, headers: Mapping[str, str]) -> CRMError:
    """The error that an answer of 400 and above stands for. Every field of a body is optional."""
    body = read_body(raw)
    category = str(body.get("category") or body.get("status") or "")
    if status == 401:
        refused = Expired if category == "EXPIRED_AUTHENTICATION" else AuthError
        return refused(f"HubSpot does not accept the token ({category or status}).", fix=NEW_TOKEN)
    if status == 403:
        scopes = _scopes(body)
        return PermissionDenied(
            f"HubSpot does not let Candor do this: {what} ({category or status}).",
            fix=f"Give the service key or app one of the scopes {', '.join(scopes)}."
            if scopes
            else "Give the service key or app the scopes that Candor's documentation lists.",
        )
    if status == 429:
        policy = str(body.get("policyName") or "")
        if policy == "DAILY":
            return OverBudget(
                "The account's API calls of today are used up.",
                fix="Candor goes on at midnight in the account's time zone; see what else uses the API in HubSpot's settings.",
            )
        busy = Busy(f"HubSpot's limit of calls is reached ({policy or 'unnamed'}): {what} waits.")
        busy.policy = policy or "UNNAMED"
        busy.retry_after = _seconds(headers) or WAITS.get(policy, max(WAITS.values()))
        return busy
    if status in BUSY or status >= 500:
        later = Busy(f"HubSpot is not available ({status}): {what} waits for the next pass.")
        later.policy = "LOCKED" if status == 423 else ""
        later.retry_after = _seconds(headers) or WAITS.get(later.policy)
        return later
    names = _names(body)
    told = ", ".join(f"{code} {name}".strip() for code, name in names)
    made: Refused = (Gone if status == 404 else Refused)(
        f"HubSpot refused: {what} ({status} {category}{': ' + told if told else ''})."
    )
    made.status, made.category, made.names = status, category, names
    return made


def _names(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(code, property) of each detail; the property may be missing."""
    found = []
    for one in body.get("errors") or ():
        code = str(one.get("code") or one.get("subCategory") or "")
        for name in (one.get("context") or {}).get("propertyName") or [""]:
            found.append((code, str(name)))
    if not found and body.get("subCategory"):
        found.append((str(body["subCategory"]), ""))
    return tuple(dict.fromkeys(found))


def _scopes(body: Mapping[str, Any]) -> list[str]:
    return [
        str(scope)
        for one in body.get("errors") or ()
        for scope in (one.get("context") or {}).get("requiredGranularScopes") or ()
    ]


def _seconds(headers: Mapping[str, str]) -> float | None:
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """`what` is being done: names it in the message, e.g. "reading contacts"."""
    try:
        yield
    except ApiException as error:
        raise refusal(what, int(error.status or 0), error.body, dict(error.headers or {})) from None
    except MaxRetryError as error:
        if isinstance(error.reason, (NewConnectionError, ConnectTimeoutError)):
            raise Transient(f"HubSpot can't be reached: {what} waits for the next pass.") from None
        raise NoAnswer(f"The connection broke while {what}: nothing is known about what was sent.") from None
    except HTTPError as error:
        raise NoAnswer(f"No answer while {what} ({type(error).__name__}).") from None
    except AttributeError as error:
        # the client stumbles over its own exception of a TLS failure, which has no body
        if isinstance(error.__context__, ApiException):
            raise CRMError(
                "The certificate of HubSpot's address is not trusted.",
                fix="Set crm.ca in candor.toml to the file of the proxy's certificates.",
            ) from None
        raise
    except orjson.JSONDecodeError:
        raise NoAnswer(f"HubSpot's answer broke off while {what}.") from None
