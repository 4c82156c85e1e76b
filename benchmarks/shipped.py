"""A model as Candor would release it: fitted anew until no irrelevant fact moves scores by being filled
(scoring/audit/completeness.py), with the policy's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.audit.completeness import Completeness, Rows, honest
from scoring.model.card import Model
from scoring.model.train import draft, ids
from scoring.routing.policy import load

Floats = npt.NDArray[np.float64]


def shipped(
    rows: pa.Table, won: Floats, features: Sequence[Any], groups: npt.ArrayLike, seed: int
) -> tuple[Model, Completeness]:
    """Of rows of one lead each."""
    model, found, _ = honest(
        lambda chosen, hidden: draft(
            rows, won, features=chosen, groups=groups, seed=seed, unseen_by_trees=hidden
        ),
        features, Rows(rows, won, np.ones(len(won)), ids(groups)), load(None).models, seed=seed,
    )  # fmt: skip
    return model, found
