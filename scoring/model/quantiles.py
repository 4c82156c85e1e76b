"""Quantiles that ranges are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z90 = 1.6449
"""half-width of a 90 % range in standard deviations"""


def weighted_quantile(values: Floats, weight: Floats, q: float) -> float:
    """The least of `values` (at least one) up to which a share q of the weight lies."""
    order = np.argsort(values)
    mass = np.cumsum(weight[order])
    return float(values[order][min(int(np.searchsorted(mass, q * mass[-1])), len(values) - 1)])
