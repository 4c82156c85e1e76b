"""candor train"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from connector.cli.console import out, show_json, working
from connector.cli.models import say_held_out
from connector.jobs.examples import DOUBTED
from connector.jobs.recalibrate import recalibrate
from connector.jobs.reproduce import reproduce
from connector.jobs.scope import Counted, counts
from connector.jobs.train import Trained, train_model
from connector.jobs.words import case_line


def run(config: Path | None, reproduce: str | None, release: bool, as_json: bool) -> None:
    if reproduce is not None:
        _again(config, reproduce, as_json)
        return
    with working(config, as_json) as context:
        found = counts(context)
        if not as_json:
            say_counts(found)
        result = train_model(context, agreed=release)
        recalibrate(context)
    if as_json:
        show_json({**asdict(result), "counts": asdict(found) | {"remarks": found.remarks()}})
        return
    say(result)


def _again(config: Path | None, version: str, as_json: bool) -> None:
    with working(config, as_json) as context:
        found = reproduce(context, version)
    if as_json:
        show_json(asdict(found) | {"same": found.same})
    elif found.gone:
        out.print(
            f"Model {version} can't be made again: {found.gone:,} of its leads were deleted, merged or erased since."
        )
    elif found.changed:
        out.print(f"The training set of model {version} is another today, in: {', '.join(found.changed)}.")
    else:
        out.print(f"Model {version}: its {found.rows:,} training rows are the same as then, value for value.")
        out.print("The model fitted from them gives each of them the same score, range, flags and reasons, bit for bit." if found.same_scores
                  else "The model fitted from them scores otherwise: it was made by another version of Candor or its libraries.")  # fmt: skip
    if not found.same:
        raise typer.Exit(1)


def say_counts(found: Counted) -> None:
    """What is about to be learnt from, before it is."""
    said = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(found.by_outcome.items()))
    out.print(f"Leads by what their status means: {said or 'none'}.")
    for why, n in sorted(found.taken_out.items()):
        out.print(f"  out of scope: {n:,} leads, {why}", style="dim")
    for remark in found.remarks():
        out.print(f"! {remark}", style="yellow")


def say(result: Trained) -> None:
    out.print(
        f"Model {result.version} ({result.status}): {result.examples:,} as-of rows with {result.wins:,} wins"
        + (f", {result.words:,} words of people weighed" if result.words else "")
        + "."
    )
    for why, n in sorted(result.left_out.items(), key=lambda item: -item[1]):
        out.print(f"  left out: {n:,} leads, {why}", style="dim")
    for field, day in result.unknown_before.items():
        out.print(
            f"  {field}: unknown before {day:%Y-%m-%d}, its history in the CRM begins there", style="dim"
        )
    if result.unknown_before:
        out.print("  Kept for longer? Say since when: crm.tracked_since in candor.toml.", style="dim")
    if result.address_before is not None:
        out.print(
            f"  e-mail address: before {result.address_before:%Y-%m-%d} taken to be what it was when first read; it tells who is a "
            "colleague. The CRM can keep its history.", style="dim",
        )  # fmt: skip
    checks = result.card["checks"]
    for name in (
        *checks["leakage"]["barred_fields"],
        *checks["leakage"]["barred_features"],
        *checks["leakage"]["barred_activities"],
    ):
        out.print(f"  left out: {name} knows the outcome beforehand (`candor audit`)", style="dim")
    if DOUBTED not in result.left_out:
        for label in checks["doubtful"]:
            out.print(
                f"  doubtful: {label['leads']:,} leads, {label['won']:,} of them won, are learnt from all the same: {label['why']} "
                "(`candor audit`; training.doubtful in candor.toml)", style="dark_orange",
            )  # fmt: skip
    for fact in checks["completeness"]["left_out"]:
        out.print(
            f"  left out: {fact['label']}, which moved scores merely by being filled (`candor audit`)",
            style="dim",
        )
    own = result.card["segments"]
    for case in own["models"]:
        out.print(f"  {case_line(case)}", style="dim")
    figures = result.card["backtest"]
    if figures.get("auc") is not None:
        say_held_out(figures)
        if result.card["mode"] != "snapshot" and not figures["known_then"]:
            out.print(
                "  Told with outcomes that were not known yet when those leads came in: too few were.",
                style="dim",
            )
    if result.status != "champion":
        out.print(f"Not released: {result.why}.", style="dark_orange")
