"""A model that knows no more than the base rate is said to know no more, wherever its log loss on unseen leads stands."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connector.cli import models as models_cli
from connector.cli import status as status_cli
from connector.cli.console import out
from connector.jobs.train import figures
from connector.jobs.words import below_base_rate, held_out_line
from scoring.metrics.scores import log_loss
from scoring.routing.policy import Policy
from tests.unit.matured import columns, table


def backtest(kind: str, n: int = 1500) -> dict[str, Any]:
    """The figures of a model that knows something, nothing, or the opposite."""
    made = columns(n)
    logit = np.log(made["probability"] / (1 - made["probability"]))
    middle = np.log(np.mean(made["won"]) / (1 - np.mean(made["won"])))
    noise = np.random.default_rng(3).normal(0, 0.05, n)
    made["probability"] = 1 / (
        1 + np.exp(-{"knows": logit, "nothing": middle + noise, "opposite": -logit - 4}[kind])
    )
    return figures(table(made), float(np.mean(made["won"])), Policy())


def test_the_base_rates_own_log_loss_on_the_same_leads_stands_beside_the_models() -> None:
    found, won = backtest("knows"), columns(1500)["won"]
    base = log_loss(won, np.full(len(won), won.mean()))
    assert found["skill"]["log_loss_of_base"] == pytest.approx(base)
    assert f"saying the base rate to all: {base:.3f}; " in held_out_line(found)
    assert below_base_rate(found) is None


def test_a_model_that_is_worse_is_said_to_be_worse_in_one_sentence() -> None:
    found = backtest("opposite")
    said = below_base_rate(found)
    assert said is not None
    assert said.startswith(
        f"This model is worse than saying the base rate ({found['skill']['base_rate']:.1%}) to every lead"
    )
    assert found["skill"]["high"] < 0
    assert f"{-found['skill']['value']:.1%} higher" in said


def test_one_that_may_be_as_good_by_chance_is_not_called_better() -> None:
    said = below_base_rate(backtest("nothing"))
    assert said is not None
    assert said.startswith("This model is not surely better than saying the base rate")


def test_too_few_leads_and_backtests_of_earlier_versions_make_no_claim() -> None:
    few = backtest("opposite", n=15)
    old = {k: v for k, v in backtest("opposite").items() if k != "skill"}
    assert below_base_rate(few) is below_base_rate(old) is None
    assert "base rate" not in held_out_line(old)


def test_models_and_status_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = backtest("opposite")
    with out.capture() as shown:
        models_cli.say_held_out(found)
        models_cli._list(
            [{"version": "v", "status": "champion", "segments": [], "card": {"backtest": found}}]
        )
    assert " ".join(shown.get().split()).count("! This model is worse than saying the base rate") == 2

    state: dict[str, Any] = defaultdict(dict, {
        "paused": None, "leads": 3, "engine": "sqlite", "waiting_model": None, "recalibration": None, "cursors": [], "pulls": [],
        "runs": [], "model": {"version": "v", "backtest": found},
        "api": {"calls_today": 0, "succeeded": None, "own_limit": None, "org_limit": None},
    })  # fmt: skip
    monkeypatch.setattr(status_cli, "working", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(status_cli, "status", lambda _: state)
    with out.capture() as shown:
        status_cli.run(Path(), False)
    assert "! This model is worse than saying the base rate" in " ".join(shown.get().split())
