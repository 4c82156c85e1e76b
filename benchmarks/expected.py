"""Figures against the world's true chances instead of one draw of outcomes: what they come to on average, with far less
noise at a few wins in a hundred."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]


def auc(chance: Floats, said: Floats) -> float:
    """Of a winner and a loser drawn by their chances, how often the winner is ranked higher."""
    won = np.repeat([1, 0], len(chance))
    return float(roc_auc_score(won, np.tile(said, 2), sample_weight=np.concatenate([chance, 1 - chance])))


def balanced_accuracy(chance: Floats, yes: npt.NDArray[np.bool_]) -> float:
    """Mean of the share of winners called so and the share of losers called so."""
    winners, losers = (chance * yes).sum() / chance.sum(), ((1 - chance) * ~yes).sum() / (1 - chance).sum()
    return float((winners + losers) / 2)
