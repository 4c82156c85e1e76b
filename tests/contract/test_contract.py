"""The suite over every adapter there is."""

from tests.contract.suite import *  # noqa: F403
