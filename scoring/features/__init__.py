"""What a lead looks like to a model at a time: tables in, one table out."""

from scoring.features.build import build
from scoring.features.catalogue import Feature, catalogue
from scoring.features.engine import connect
from scoring.features.inputs import Fact, InputError, Inputs
from scoring.features.process import Process

__all__ = ["Fact", "Feature", "InputError", "Inputs", "Process", "build", "catalogue", "connect"]
