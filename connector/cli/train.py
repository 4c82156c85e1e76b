"""candor train"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from connector.cli.console import out, show_json, working
from connector.jobs.scope import refuse_silence
from connector.jobs.train import Trained, train_model
from connector.store import records


def run(config: Path | None, as_json: bool) -> None:
    with working(config, as_json) as context:
        with context.store.begin() as db:
            leads = records.record_values(db, "lead").values()
        statuses = (str(values["status"]) for values in leads if values.get("status"))
        refuse_silence(statuses, context.settings.outcome.status)
        result = train_model(context)
    if as_json:
        show_json(asdict(result))
        return
    say(result)


def say(result: Trained) -> None:
    out.print(
        f"Model {result.version} ({result.status}): {result.examples:,} as-of rows with {result.wins:,} wins"
        + (f", {result.feedback:,} rows from what people said" if result.feedback else "")
        + "."
    )
    for why, n in sorted(result.left_out.items(), key=lambda item: -item[1]):
        out.print(f"  left out: {n:,} leads, {why}", style="dim")
    figures = result.card["backtest"]
    if figures.get("auc") is not None:
        out.print(
            f"On the latest {figures['n']:,} leads, unseen: AUC {figures['auc']:.3f}, log loss {figures['log_loss']:.3f}, "
            f"calibration error {figures['ece']:.3f}."
        )
