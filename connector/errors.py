"""Every error that an admin may meet. A class's docstring is its message when none is given, so each says how to mend itself."""

from __future__ import annotations


class CandorError(Exception):
    """Something went wrong in Candor."""

    exit_code = 1

    def __init__(self, message: str | None = None, *, fix: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.fix = fix
        super().__init__(self.message if fix is None else f"{self.message} {fix}")


class SettingsError(CandorError):
    """The settings can't be read. Run `candor init`, or mend candor.toml."""


class MappingError(CandorError):
    """The mapping names something that does not exist."""


class StoreError(CandorError):
    """The database does not answer. Check CANDOR_DATABASE_URL, or unset it to use the built-in one."""


class InputError(CandorError):
    """The file can't be read as a table of leads."""


class NoSuchModel(CandorError):
    """There is no model of that version. `candor models` names them."""


class NoSuchScore(CandorError):
    """The lead had no score at that time. `candor score` gives today's."""


class NothingRead(CandorError):
    """No lead has been read from the CRM yet. Run `candor backfill` first."""


class NotTrained(CandorError):
    """No model has been released yet. Run `candor train` first."""
