"""Foreign exceptions become ours here and nowhere else. Branches on codes only: texts are localised or an admin's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from connector.crm.base import (
    NEW_TOKEN,
    AuthError,
    CRMError,
    FieldMissing,
    NoAnswer,
    OverBudget,
    PermissionDenied,
    Transient,
)
from connector.crm.salesforce.meter import Meter

RETRY_CODES = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "REQUEST_LIMIT_EXCEEDED",
        "REQUEST_RUNNING_TOO_LONG",
        "QUERY_TIMEOUT",
    }
)
"""The same request may succeed later."""

DENIED_CODES = frozenset(
    {
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INVALID_TYPE",
    }
)


class Gone(CRMError):
    """Salesforce has no such record or object (404)."""


class SchemaRefused(CRMError):
    """Salesforce refused the change of schema. Mend what the lines name, then apply again."""

    lines: tuple[str, ...] = ()


def first_error(body: Any) -> tuple[str, str]:
    """(code, text) of a refusal, whatever form it has."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict):
        code = body.get("errorCode") or body.get("statusCode") or body.get("error") or ""
        text = body.get("message") or body.get("error_description") or ""
        return str(code), str(text)
    return "", ""


def refusal(what: str, status: int, body: Any, meter: Meter) -> CRMError:
    """The error that an answer of 300 and above stands for."""
    code, text = first_error(body)
    if status == 401 or code == "INVALID_SESSION_ID":
        return AuthError(f"Salesforce does not accept the token ({code or status}).", fix=NEW_TOKEN)
    if code == "REQUEST_LIMIT_EXCEEDED":
        # One code for two things: the day's allowance, or 25 long calls at once. The usage header tells which.
        if meter.org_exhausted:
            return OverBudget(
                f"The org's API calls of the last 24 hours are used up ({meter.org_used} of {meter.org_limit}).",
                fix="Candor goes on when they are renewed; find what else uses the API in Setup > API Usage.",
            )
        return Transient(f"Salesforce is busy with other long calls: {what} waits for the next pass.")
    if status >= 500 or code in RETRY_CODES:
        return Transient(f"Salesforce is not available ({status} {code}): {what} waits for the next pass.")
    if status == 410 or code == "UNSUPPORTED_API_VERSION":
        return CRMError(
            "Salesforce no longer serves the API version that Candor speaks.", fix="Update Candor."
        )
    if code == "INVALID_FIELD":
        return FieldMissing(
            f"{what}: {text}",
            fix="Give the integration user field-level access to it, or change the mapping in candor.toml.",
        )
    if status == 403 or code in DENIED_CODES:
        return PermissionDenied(
            f"Salesforce does not let the integration user do this: {what} ({code}). {text}".strip(),
            fix="Assign the permission set Candor_Integration to that user.",
        )
    kind = Gone if status == 404 else CRMError
    return kind(f"Salesforce refused: {what} ({status} {code}). {text}".strip())


@contextmanager
def mapped(what: str, meter: Meter) -> Iterator[None]:
    """`what` is being done: names it in the message, e.g. "reading leads"."""
    try:
        yield
    except SalesforceExpiredSession as error:
        raise refusal(what, 401, error.content, meter) from None
    except SalesforceError as error:
        raise refusal(what, error.status, error.content, meter) from None
    except requests.exceptions.SSLError as error:
        if _never_sent(error):
            raise CRMError(
                "The certificate of Salesforce's address is not trusted.",
                fix="Set crm.ca in candor.toml to the file of the proxy's or local CRM's certificates.",
            ) from None
        raise NoAnswer(f"The connection broke while {what}.") from None
    except requests.exceptions.ConnectTimeout:
        raise Transient(f"Salesforce does not answer: {what} waits for the next pass.") from None
    except requests.exceptions.ConnectionError as error:
        if _never_sent(error):
            raise Transient(f"Salesforce can't be reached: {what} waits for the next pass.") from None
        raise NoAnswer(f"The connection broke while {what}: nothing is known about what was sent.") from None
    except requests.exceptions.JSONDecodeError:
        raise NoAnswer(f"Salesforce's answer broke off while {what}.") from None
    except requests.exceptions.RequestException as error:
        raise NoAnswer(f"No answer while {what} ({type(error).__name__}).") from None


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    """Whether the connection was never made, so that Salesforce knows of nothing."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(error, requests.exceptions.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(cause)
    return isinstance(cause, (NewConnectionError, ConnectTimeoutError))
