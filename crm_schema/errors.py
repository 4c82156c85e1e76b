"""What may go wrong with the schema. Each says how to mend itself."""

from __future__ import annotations

from collections.abc import Sequence


class SchemaError(Exception):
    """The CRM's schema is not what Candor needs."""

    exit_code = 1

    def __init__(self, message: str | None = None, *, fix: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.fix = fix
        super().__init__(self.message if fix is None else f"{self.message} {fix}")


class Conflict(SchemaError):
    """The org has a field of Candor's name that is something else."""

    def __init__(self, conflicts: Sequence[str], *, fix: str) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__("; ".join(conflicts) + ".", fix=fix)


class NoRoom(SchemaError):
    """The org has no room for Candor's fields."""


class MayNotRead(SchemaError):
    """Candor may not read enough of the org's schema to plan anything."""


class UnknownStage(SchemaError):
    """A walker met a stage that it does not know. That is a defect of Candor: please report it."""


class UnknownCRM(SchemaError):
    """There is no renderer for this CRM."""
