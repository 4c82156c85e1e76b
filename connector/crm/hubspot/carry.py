"""Values of single properties, for an upgrade of Candor's schema: every record that has one, and writing them in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.crm.hubspot.account import Account
from connector.crm.hubspot.rows import page
from connector.crm.hubspot.write import Sender


def values(account: Account, obj: str, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """From the whole list, 100 a call: the search is late by some moments and would miss what was just said."""
    there = [n for n in names if n in account.properties(obj)]
    after: str | None = None
    while there:
        rows, after = page(account.api, obj, after, there, ())
        for row in rows:
            found = {n: (row.get("properties") or {}).get(n) for n in there}
            if any(v not in (None, "") for v in found.values()):
                yield str(row["id"]), found
        if after is None:
            return


def write(
    account: Account, obj: str, records: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[tuple[str, str]]:
    """What was refused: (id, why). One call, more only where HubSpot refuses some of it."""
    inputs = [{"id": id, "properties": {n: _text(v) for n, v in changed.items()}} for id, changed in records]
    answered = Sender(account, obj).send(inputs)
    return [(one.id, one.message or one.code or "") for one in answered.values() if not one.ok]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
