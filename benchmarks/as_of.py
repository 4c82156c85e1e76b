"""What a record said at a time, from the record of today and its changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.playground.world.model import FieldChange, World

Edits = Mapping[tuple[str, str], Sequence[FieldChange]]


def edits(world: World) -> Edits:
    """(person, field) -> its changes."""
    found: dict[tuple[str, str], list[FieldChange]] = defaultdict(list)
    for change in world.changes:
        if change.kind == "person":
            found[change.key, change.field].append(change)
    return found


def as_of(today: Any, changes: Sequence[FieldChange], at: datetime) -> Any:
    """Today's value with every later change undone."""
    later = [change for change in changes if change.at > at]
    return min(later, key=lambda change: change.at).old if later else today
