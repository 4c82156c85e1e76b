"""Salesforce's refusals. Data errors are an array of {message, errorCode, fields}, token errors an object
{error, error_description}, and results of collections carry `statusCode` instead of `errorCode` (FACTS sections 2, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Fault(Exception):
    """A refusal, as it is answered."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.fields = code, message, status, list(fields)

    def body(self) -> list[dict[str, Any]]:
        entry: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            entry["fields"] = self.fields
        return [entry]

    def result(self) -> dict[str, Any]:
        """The form of a record's error inside a collection's answer."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


class TokenFault(Exception):
    """A refusal of the token address."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


def not_found(message: str = "The requested resource does not exist") -> Fault:
    return Fault("NOT_FOUND", message, status=404)


def no_column(field: str, obj: str) -> Fault:
    return Fault("INVALID_FIELD", f"No such column '{field}' on sobject of type {obj}")


def bad_session() -> Fault:
    return Fault("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def over_limit() -> Fault:
    return Fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def deleted() -> Fault:
    return Fault("ENTITY_IS_DELETED", "entity is deleted", status=404)  # [unsourced] text and status
