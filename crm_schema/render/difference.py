"""What a renderer finds between the declaration and an org."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_schema.declaration import FieldType
from crm_schema.errors import Conflict
from crm_schema.stages import Left, Line, Stage, Thing


def words(field_type: FieldType) -> str:
    return field_type.replace("_", " ")


@dataclass
class Difference:
    """Gathered by a renderer, then made into a Plan."""

    stages: list[Stage] = field(default_factory=list)
    kept: list[Line] = field(default_factory=list)
    """what an admin made of Candor's fields, and stays"""
    notes: list[str] = field(default_factory=list)
    """what the platform does not allow here, and what that costs"""
    limits: list[Left] = field(default_factory=list)
    """what is left of the CRM's limits"""
    conflicts: list[str] = field(default_factory=list)
    blind: bool = False
    """too little of the org is seen to tell all"""

    def keep(self, where: str, what: str, thing: Thing) -> None:
        self.kept.append(Line("keep", f"{where}: {what}", thing))

    def conflict(self, where: str, theirs: str, ours: str) -> None:
        self.conflicts.append(f"{where} is of type {theirs} in your CRM, Candor needs {ours}")

    def raise_conflicts(self, change_type: str) -> None:
        """Raise what can't be settled without an admin. `change_type`: where the CRM lets them change a
        type."""
        if self.conflicts:
            raise Conflict(
                self.conflicts,
                fix=(
                    "Choose: delete the field if nobody needs it; or copy its values into a field of another "
                    "name and then delete it; or, if it is left over from Candor, change its type "
                    f"({change_type})."
                ),
            )
