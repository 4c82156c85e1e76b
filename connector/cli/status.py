"""candor status"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from connector.cli.console import out, show_json, table, working
from connector.jobs.status import status
from connector.jobs.words import below_base_rate

_STATES = {"done": "done", "pending": "waiting", "sending": "without an answer yet", "refused": "refused"}
"""The outbox's states, for people."""


def run(config: Path | None, as_json: bool) -> None:
    with working(config, as_json=True) as context:
        found = status(context)
    if as_json:
        show_json(found)
        return
    if found["paused"]:
        out.print(
            f"Paused since {found['paused']['since'][:16]}: {found['paused']['reason']}", style="yellow"
        )
    model = found["model"]
    api = found["api"]
    share = "" if api["succeeded"] is None else f", {api['succeeded']:.1%} succeeded"
    limit = f" of {api['own_limit']:,}" if api["own_limit"] else ""
    table(
        {
            "leads": f"{found['leads']:,}",
            "features by": found["engine"],
            "model": "none yet: `candor train`"
            if model is None
            else model["version"] + _waiting(found["waiting_model"]),
            "recent outcomes": recalibrated(found["recalibration"]),
            "routes": _counts(found["routes"]) or "none yet: `candor sync`",
            "reviews": _counts(found["reviews"]) or "none",
            "said by people": _counts(found["people"]) or "nothing yet",
            "forms": _counts(found["forms"]) or "none asked",
            "writes": _counts({_STATES.get(k, k): n for k, n in found["outbox"].items()}) or "none yet",
            "refused by the CRM": _counts(found["refused"]) or "none",
            "set aside": _counts(found["quarantine_reasons"]) or "no row",
            "API calls today": f"{api['calls_today']:,}{limit}{share}"
            + (f"; the whole org {api['org_used']:,} of {api['org_limit']:,}" if api["org_limit"] else ""),
        }
    )
    if model is not None and (below := below_base_rate(model["backtest"])) is not None:
        out.print(f"! {below}", style="bold red")
    for cursor in found["cursors"]:
        out.print(
            f"  {cursor['stream']:<18} {cursor['rows']:>9,} rows read, last looked at {cursor['at']:%Y-%m-%d %H:%M} UTC",
            style="dim",
        )
    for came in found["pulls"]:
        for name, values in came["new_values"].items():
            out.print(f"  {came['stream']}: {name} has new values: {', '.join(values[:5])}", style="yellow")
        for name, (was, now) in came["blanker"].items():
            out.print(
                f"  {came['stream']}: {name} is blank on {now:.0%} of what came, usually {was:.0%}",
                style="yellow",
            )
    for run in found["runs"]:
        line = f"  run {run['id']:<4} {run['job']:<10} {run['status']:<8} {run['started_at']:%Y-%m-%d %H:%M}"
        out.print(Text.assemble(line, (f"  {run['error']}" if run["error"] else "", "red")))


def _waiting(version: str | None) -> str:
    return "" if version is None else f"; a newer one waits: `candor release {version} --dry-run`"


def recalibrated(found: Mapping[str, Any] | None) -> str:
    """What recent outcomes say of a model, in a line."""
    if found is None:
        return "not looked at yet: each night from the first on"
    if not found["leads"]:
        return "none to learn from since the training"
    typical = "stays" if round(found["moved"]) == 0 else f"moves by {found['moved']:+.0f} points"
    return (
        f"{found['wins']:,} of {found['leads']:,} leads won by now, {found['promised']:,.0f} promised; "
        f"a typical score {typical} ({found['version']})"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
