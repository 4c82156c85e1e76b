"""candor sync"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from connector.cli.console import out, show_json, working
from connector.jobs.sync import Pass, sync

_SHOWN = 40
"""Lines of a preview; --json has all."""


def run(config: Path | None, dry_run: bool, everything: bool, as_json: bool) -> None:
    with working(config, as_json) as context:
        result = sync(context, dry=dry_run, everything=everything)
    if as_json:
        show_json(result.as_dict())
        return
    say(result)


def say(result: Pass) -> None:
    out.print(f"Looked at {', '.join(result.pulled.looked_at)}.")
    out.print(
        f"{result.pulled.new:,} new and {result.pulled.changed:,} changed records, "
        f"{sum(result.harvested.values()):,} things said by people, {result.scored:,} leads scored."
    )
    if result.routes:
        out.print("Routes: " + ", ".join(f"{name} {n:,}" for name, n in sorted(result.routes.items())) + ".")
    writes = [line for line in result.listed if line["do"] != "leave alone"]
    if result.dry:
        _preview(writes, len(result.listed) - len(writes))
    elif result.paused is not None:
        out.print(
            f"Paused ({result.paused}): {len(writes):,} writes wait. `candor resume` lets them go.",
            style="yellow",
        )
    else:
        found = (
            f", {result.pushed.found_done:,} found to be there already" if result.pushed.found_done else ""
        )
        out.print(f"Wrote {result.pushed.done:,} records{found}; {result.pushed.later:,} later.")
        refused: Counter[str] = result.pushed.by_code
        if refused:
            out.print("Refused: " + ", ".join(f"{code} {n:,}" for code, n in refused.items()), style="yellow")
    out.print(f"{result.calls:,} API calls, {result.writes:,} of them writes.", style="dim")


def _preview(writes: list[dict[str, Any]], left: int) -> None:
    """What would be sent, the leads with the highest scores first."""
    kinds = Counter(line["kind"] for line in writes)
    of = ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items()))
    out.print(
        Text.assemble(
            (f"Would send {len(writes):,} writes", "bold"),
            f"{f' ({of})' if of else ''} and leave {left:,} leads alone.",
        )
    )
    shown = sorted(writes, key=lambda line: -float(line["values"].get("candor_score") or 0))[:_SHOWN]
    for line in shown:
        out.print(f"  {line['do']} {line['kind']} {line['id']}: {line['why']}  {_what(line['values'])}",
                  soft_wrap=True)  # fmt: skip
    if len(writes) > _SHOWN:
        out.print(f"  … and {len(writes) - _SHOWN:,} more; --json lists all, with every value.")


def _what(values: Mapping[str, Any]) -> str:
    """A write in a line: score, range and route where they are written, else which fields."""
    said = []
    if values.get("candor_score") is not None:
        said.append(f"score {values['candor_score']}")
        if values.get("candor_score_low") is not None and values.get("candor_score_high") is not None:
            said.append(f"likely {values['candor_score_low']} to {values['candor_score_high']}")
    if values.get("candor_route"):
        said.append(f"route {values['candor_route']}")
    return ", ".join(said or [f"{k.removeprefix('candor_')}={_short(v)}" for k, v in values.items()])


def _short(value: object) -> str:
    text = str(value).replace("\n", " / ")
    return text if len(text) <= 40 else text[:37] + "…"
