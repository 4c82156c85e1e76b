"""candor models"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.cli.console import out, show_json, working
from connector.cli.status import recalibrated
from connector.errors import NoSuchModel
from connector.jobs import models
from connector.jobs.cases import RETIRED
from connector.jobs.recalibrate import summary
from connector.jobs.words import below_base_rate, case_line, edge_line, held_out_line

_IN_USE = {"champion": "in use", "challenger": "challenger", "retired": "retired"}


def run(version: str | None, retire: str | None, config: Path | None, as_json: bool) -> None:
    with working(config, as_json) as context:
        if retire is not None:
            models.retire(context, retire)
        there = models.listed(context)
        gone = {m["version"]: models.retired(context, m["created_at"]) for m in there}
        history = context.store.get("releases", [])
        with context.store.begin() as db:
            lately = {m["version"]: summary(db, m["version"]) for m in there}
    found = [_told(m, gone[m["version"]], lately[m["version"]]) for m in there]
    if version is not None:
        found = [m for m in found if m["version"] == version]
        if not found:
            raise NoSuchModel(
                f"There is no model {version}.", fix="`candor models` names those that there are."
            )
    if as_json:
        show_json(found[0] if version is not None else {"models": found, "releases": history})
    elif retire is not None:
        out.print(f"{retire}: its leads go back to the universal model with the next pass.")
    elif version is not None:
        _card(found[0])
    else:
        _list(found)


def _told(model: Mapping[str, Any], gone: list[str], lately: Mapping[str, Any] | None) -> dict[str, Any]:
    cases = [
        {**case, "state": RETIRED if case["name"] in gone else case["state"]}
        for case in model["manifest"].get("models", ())
    ]
    card = dict(model["card"])
    return {
        "version": model["version"], "status": model["status"], "created_at": model["created_at"], "card": card,
        "segments": cases, "routing": (card.get("segments") or {}).get("routing"), "recalibration": lately,
    }  # fmt: skip


def _list(found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("No model yet. Run `candor train`.")
    for model in found:
        figures = model["card"]["backtest"]
        quality = (
            ""
            if figures.get("auc") is None
            else f", AUC {figures['auc']:.3f} on {figures['n']:,} leads unseen"
        )
        out.print(f"{model['version']}  {_IN_USE[model['status']]}{quality}")
        if (below := below_base_rate(figures)) is not None:
            out.print(f"  ! {below}", style="bold red")
        for case in model["segments"]:
            out.print(f"    {case_line(case)}", style="dim")


def _card(model: Mapping[str, Any]) -> None:
    """A model's card in words."""
    card = model["card"]
    data, figures = card["data"], card["backtest"]
    out.print(
        f"Model {model['version']}, {_IN_USE[model['status']]}, made {model['created_at']:%Y-%m-%d %H:%M}.",
        style="bold",
    )
    out.print(
        f"Learnt from {data['leads']:,} leads of {data['groups']:,} companies, {data['wins']:,} of them won "
        f"({data['base_rate']:.1%}); {len(card['features']['used'])} features."
    )
    if card.get("mode") == "snapshot":
        out.print("Not as-of: the rows have no times.", style="dark_orange")
    if figures.get("auc") is not None:
        say_held_out(figures)
    out.print(f"Recent outcomes: {recalibrated(model['recalibration'])}.")
    out.print(_checked(card["checks"]))
    segments = card.get("segments")
    if segments is None:
        return
    out.print(
        f"Segments: {segments['looked_at']:,} looked at, {segments['candidates']:,} with dynamics of their own, "
        f"{sum('version' in c and 'fact' in c for c in model['segments'])} with a model of their own."
    )
    if (edge := segments.get("edge_cases")) is not None:
        out.print(edge_line(edge))
    for case in model["segments"]:
        out.print(f"  {case_line(case)}")
        for why in case["why"]:
            out.print(f"    why: {why}", style="dim")
        out.print(
            f"    learnt from {case['leads']:,} leads, {case['wins']:,} of them won, worth {case['revenue']:,.0f}",
            style="dim",
        )
    _routing(segments["routing"])


def say_held_out(figures: Mapping[str, Any]) -> None:
    """How good a model is on unseen leads, and loudly where the base rate alone would be as good."""
    out.print(held_out_line(figures))
    if (below := below_base_rate(figures)) is not None:
        out.print(f"! {below}", style="bold red")


def _checked(checks: Mapping[str, Any]) -> str:
    completeness = checks.get("completeness") or {}
    kept_out = len((checks.get("leakage") or {}).get("barred_features", ()))
    passed = "passed" if completeness.get("passed", True) else "failed"
    return (
        f"Checks: leaks kept out, {kept_out} features among them; nothing is won by being filled: {passed}."
    )


def _routing(routing: Mapping[str, Any]) -> None:
    if not routing["rules"]:
        return
    out.print(f"Hard facts decide for {routing['by_facts']:.1%} of leads; then:")
    for rule in routing["rules"]:
        out.print(f"  {rule}")
    if routing["misrouted"] is not None:
        out.print(
            f"Were the facts of all others blank, this would send {routing['misrouted']:.1%} to another model, at a cost of "
            f"{routing['extra_log_loss']:.4f} nats a lead."
        )
