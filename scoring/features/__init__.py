"""What a lead looks like to a model at a time: tables in, one table out."""

from scoring.features.build import build
from scoring.features.catalogue import Feature, catalogue
from scoring.features.engine import EngineError, connect
from scoring.features.inputs import Fact, InputError, Inputs

__all__ = ["EngineError", "Fact", "Feature", "InputError", "Inputs", "build", "catalogue", "connect"]
