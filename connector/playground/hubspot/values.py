"""What a property accepts, and how the value is kept: always as text, None when it is unset (FACTS-hubspot.md §8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from connector.playground.hubspot.errors import Invalid
from connector.playground.hubspot.times import iso, parse

MAX_STRING = 65_536
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def accept(
    definition: Mapping[str, Any] | None,
    name: str,
    value: Any,
    *,
    old: str | None,
    outside: Collection[str],
    system: bool = False,
) -> tuple[str | None, Invalid | None]:
    """The value to keep, or why it is refused. `outside` are the options of an enumeration that keeps them elsewhere;
    `system` writes are HubSpot's own and may set what is read-only to others."""
    text = _text(value)
    if definition is None:
        return None, Invalid(name, text, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition["modificationMetadata"]["readOnlyValue"] and not system:
        return None, Invalid(
            name, text, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
        )
    if text == "":
        return None, None
    kind = definition["type"]
    if kind == "number":
        try:
            float(text)
        except ValueError:
            return None, Invalid(name, text, "INVALID_INTEGER", f"{text} was not a valid number.")
    elif kind == "bool":
        text = text.lower()
        if text not in ("true", "false"):
            return None, Invalid(
                name, text, "INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]"
            )
    elif kind in ("date", "datetime"):
        try:
            at = parse(text)
        except ValueError:
            return None, Invalid(name, text, "INVALID_DATE", f"{text} was not a valid date.")
        if kind == "date" and at % 86_400_000:
            return None, Invalid(name, text, "INVALID_DATE", f"{text} is at {iso(at)}, not midnight UTC.")
        text = iso(at)[:10] if kind == "date" else iso(at)
    elif kind == "enumeration":
        return _option(definition, name, text, old, outside)
    elif len(text) > MAX_STRING:
        return None, Invalid(name, text[:50], "INVALID_LENGTH", f"Text is over {MAX_STRING} characters.")
    elif name == "email" and not _EMAIL.fullmatch(text):
        return None, Invalid(name, text, "INVALID_EMAIL", f"Email address {text} is invalid")
    return text.lower() if name == "email" else text, None


def _option(
    definition: Mapping[str, Any], name: str, text: str, old: str | None, outside: Collection[str]
) -> tuple[str | None, Invalid | None]:
    allowed = outside if definition.get("_outside") else [o["value"] for o in definition["options"]]
    several = definition["fieldType"] == "checkbox"
    given = [t for t in text.split(";") if t] if several else [text]
    wrong = [g for g in given if g not in allowed]
    if wrong:
        listed = ", ".join(allowed)
        return None, Invalid(
            name, wrong[0], "INVALID_OPTION", f"{wrong[0]} was not one of the allowed options: [{listed}]"
        )
    if several and text.startswith(";"):
        given = [*(old or "").split(";"), *given]
    return ";".join(dict.fromkeys(g for g in given if g)) or None, None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
