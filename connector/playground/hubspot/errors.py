"""The bodies of HubSpot's errors (FACTS-hubspot.md §2, §4, §9), raised anywhere and rendered once in app.py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class HubSpotError(Exception):
    """One refused request. `errors` are the details, `context` the names and values that the message mentions."""

    status: int
    message: str
    category: str | None = None
    sub_category: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self, correlation_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {"status": "error", "message": self.message, "correlationId": correlation_id}
        if self.category:
            body["category"] = self.category
        if self.sub_category:
            body["subCategory"] = self.sub_category
        if self.context:
            body["context"] = self.context
        if self.errors:
            body["errors"] = list(self.errors)
        return {**body, **self.extra}


def not_found() -> HubSpotError:
    """An unknown record: this route gives no category."""
    return HubSpotError(404, "resource not found")


def bad_request(message: str, **context: Sequence[str]) -> HubSpotError:
    return HubSpotError(400, message, "VALIDATION_ERROR", context=context)


@dataclass(frozen=True, slots=True)
class Invalid:
    """One value that a property refuses."""

    name: str
    value: str
    code: str
    message: str


def invalid_values(found: Sequence[Invalid]) -> HubSpotError:
    """All refused values at once, as JSON inside the message and again in `errors`."""
    listed = [
        {
            "isValid": False,
            "message": i.message,
            "error": i.code,
            "name": i.name,
            "localizedErrorMessage": i.message,
            "propertyValue": i.value,
        }
        for i in found
    ]
    return HubSpotError(
        400,
        "Property values were not valid: " + json.dumps(listed, separators=(",", ":")),
        "VALIDATION_ERROR",
        errors=[{"message": i.message, "code": i.code, "context": {"propertyName": [i.name]}} for i in found],
    )
