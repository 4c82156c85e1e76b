"""candor sync"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from connector.cli.console import out, show_json, working
from connector.jobs.sync import Pass, sync

_SHOWN = 40


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
        out.print(
            f"[bold]Would send {len(writes):,} writes[/bold] and leave {len(result.listed) - len(writes):,} leads alone:"
        )
        for line in writes[:_SHOWN]:
            values = ", ".join(f"{k.removeprefix('candor_')}={_short(v)}" for k, v in line["values"].items())
            out.print(
                f"  {line['do']} {line['kind']} {line['id']}: {line['why']}  [dim]{values}[/dim]",
                soft_wrap=True,
            )
        if len(writes) > _SHOWN:
            out.print(f"  … and {len(writes) - _SHOWN:,} more (--json lists all)")
    elif result.paused is not None:
        out.print(
            f"[yellow]Paused ({result.paused}): {len(writes):,} writes wait. `candor resume` lets them go.[/yellow]"
        )
    else:
        found = (
            f", {result.pushed.found_done:,} found to be there already" if result.pushed.found_done else ""
        )
        out.print(f"Wrote {result.pushed.done:,} records{found}; {result.pushed.later:,} later.")
        refused: Counter[str] = result.pushed.by_code
        if refused:
            out.print(
                "[yellow]Refused: " + ", ".join(f"{code} {n:,}" for code, n in refused.items()) + "[/yellow]"
            )
    out.print(f"[dim]{result.calls:,} API calls, {result.writes:,} of them writes.[/dim]")


def _short(value: object) -> str:
    text = str(value).replace("\n", " / ")
    return text if len(text) <= 40 else text[:37] + "…"
