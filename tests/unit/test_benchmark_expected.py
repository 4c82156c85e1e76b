"""Expected figures are those of many draws of outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from benchmarks import expected


def test_they_are_what_draws_come_to_on_average() -> None:
    dice = np.random.default_rng(2)
    chance = dice.uniform(0.02, 0.6, 400)
    said = chance + dice.normal(0, 0.2, 400)
    drawn = [dice.random(400) < chance for _ in range(400)]
    aucs = np.mean([roc_auc_score(won, said) for won in drawn])
    rights = np.mean([balanced_accuracy_score(won, said > 0.3) for won in drawn])
    assert expected.auc(chance, said) == pytest.approx(aucs, abs=0.005)
    assert expected.balanced_accuracy(chance, said > 0.3) == pytest.approx(rights, abs=0.005)
    assert expected.auc(np.array([1.0, 0.0]), np.array([0.9, 0.1])) == 1.0
