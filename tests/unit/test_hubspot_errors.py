"""HubSpot's refusals become ours by status, category and code; a text decides nothing and is not repeated."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connector.crm.base import AuthError, CRMError, OverBudget, PermissionDenied, Transient
from connector.crm.hubspot.errors import Busy, Expired, Gone, Refused, refusal


def made(status: int, body: Any, **headers: str) -> CRMError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return refusal("writing contacts", status, raw, headers)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"category": "INVALID_AUTHENTICATION"}, AuthError),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, Expired),
        (401, b"", AuthError),
        (403, {"category": "MISSING_SCOPES"}, PermissionDenied),
        (404, {"message": "resource not found"}, Gone),
        (400, {"category": "VALIDATION_ERROR"}, Refused),
        (409, {"category": "CONFLICT"}, Refused),
        (429, {"policyName": "DAILY"}, OverBudget),
        (429, {}, Busy),
        (502, b"<html>", Transient),
        (524, b"", Transient),
        (400, [1], Refused),
    ],
)
def test_what_a_refusal_is(status: int, body: Any, kind: type[CRMError]) -> None:
    assert type(made(status, body)) is kind or isinstance(made(status, body), kind)


@pytest.mark.parametrize(
    ("status", "body", "wait"),
    [
        (429, {"policyName": "SECONDLY"}, 1),
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, 10),
        (429, {}, 10),
        (423, {}, 2),
    ],
)
def test_how_long_to_wait(status: int, body: Any, wait: float) -> None:
    busy = made(status, body)
    assert isinstance(busy, Busy)
    assert busy.retry_after == wait
    told = made(status, body, **{"Retry-After": "4"})
    assert isinstance(told, Busy)
    assert told.retry_after == 4


def test_a_refusal_names_codes_and_properties_and_no_value() -> None:
    error = made(400, {
        "category": "VALIDATION_ERROR", "message": "ada@firm.example was not one of the allowed options",
        "errors": [{"code": "INVALID_OPTION", "message": "ada@firm.example", "context": {"propertyName": ["candor_band"]}}],
    })  # fmt: skip
    assert isinstance(error, Refused)
    assert error.names == (("INVALID_OPTION", "candor_band"),)
    assert "ada" not in error.message
    assert "candor_band" in error.message
