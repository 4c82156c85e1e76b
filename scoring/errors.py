"""What can go wrong in scoring. A class's docstring is its message when none is given, so each says how to
mend itself."""

from __future__ import annotations


class ScoringError(Exception):
    """Something went wrong while scoring."""

    def __init__(self, message: str | None = None, *, fix: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.fix = fix
        super().__init__(self.message if fix is None else f"{self.message} {fix}")


class TooFewOutcomes(ScoringError):
    """A model needs at least one won and one lost lead. Check the outcome mapping, or wait until leads
    mature."""


class MissingColumn(ScoringError):
    """A column that the model was trained on is not in the table. Build the features again, or retrain."""


class WrongColumn(ScoringError):
    """A column holds values of another type than the model was trained on. Build the features again, or mend the
    table."""


class Tampered(ScoringError):
    """The model file is not the one that was saved. Restore it from the store, or train a new model."""


class OtherVersion(ScoringError):
    """The model was trained by another version of Candor. Run `candor train` to make a new one."""


class EngineError(ScoringError):
    """The engine that computes features can't be used. CANDOR_ENGINE names it; unset it to compute in this
    process."""


class PolicyError(ScoringError):
    """The policy file holds a value that is not possible. `candor policy check` names it and its range."""
