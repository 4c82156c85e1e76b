"""candor release VERSION, candor rollback"""

from __future__ import annotations

from pathlib import Path

import typer

from connector.cli.console import out, show_json, working
from connector.jobs import release
from connector.jobs.recalibrate import recalibrate
from connector.jobs.release import Preview


def run(
    version: str | None, config: Path | None, dry_run: bool, worse_too: bool, yes: bool, as_json: bool
) -> None:
    """`version`: none to go back to the model that was in use before. With --json nothing is asked: it takes a --yes."""
    with working(config, as_json) as context:
        back = version is None
        wanted = release.before(context) if version is None else version
        seen = release.preview(context, wanted)
        if not as_json:
            say(seen, back)
        agreed = yes or (
            not as_json and not dry_run and bool(seen.steps) and typer.confirm("Let it take over?")
        )
        taken = not dry_run and agreed and bool(seen.steps)
        if taken:
            if back:
                release.roll_back(context)
            else:
                release.release(context, wanted, "an admin's yes", worse_too=worse_too)
            recalibrate(context)
    if as_json:
        show_json({**seen.plain(), "released": taken})
    elif taken:
        out.print(f"Model {wanted} is in use. The next pass scores all open leads by it.")


def say(seen: Preview, back: bool) -> None:
    if not seen.steps:
        out.print(f"Model {seen.version} is in use already.")
        return
    out.print(
        f"{'Back to' if back else 'Release of'} {seen.version}"
        + (f" in place of {seen.before}." if seen.before else "."),
        style="bold",
    )
    if not seen.verdict.no_worse:
        out.print(f"It is worse than the one in use. {seen.verdict.why}.", style="dark_orange")
    elif seen.verdict.segments:
        first = seen.verdict.segments[0]
        out.print(
            f"No worse on {first.leads:,} leads that neither has seen: log loss {first.new_loss:.4f} against {first.old_loss:.4f}, "
            f"and in none of {len(seen.verdict.segments) - 1} budgeted segments."
        )
    if seen.unread is not None:
        out.print(
            f"{seen.unread} So what would change among the open leads can't be told.", style="dark_orange"
        )
        return
    share = seen.another_route / max(seen.leads, 1)
    out.print(
        f"Of {seen.leads:,} open leads {seen.another_band:,} get another band and {seen.another_route:,} another route ({share:.1%})."
    )
    if seen.another_band or seen.another_route:
        out.print(
            f"By the models themselves: {seen.bands_by_model:,} another band, {seen.routes_by_model:,} another route; by their "
            f"recalibration by recent outcomes alone: {seen.bands_by_recalibration:,} and {seen.routes_by_recalibration:,}."
        )
    if seen.alike:
        out.print("The two models score alike; what moves is their recalibration by recent outcomes.")
    out.print(
        f"On average the models themselves move a score by {seen.by_model:.1f} points, their recalibration by recent outcomes by "
        f"{seen.by_recalibration:.1f}."
    )
    for moved, n in seen.routes.items():
        out.print(f"  {n:>6,}  {moved}")
    changed = {name: (a, b) for name, (a, b) in seen.lists.items() if a != b}
    if changed:
        out.print("Lists that grow or shrink:")
        for name, (a, b) in list(changed.items())[:12]:
            route, of, owner = name.rpartition(" of ")
            shown = f"{route}{of}{seen.owners.get(owner, owner)}"
            out.print(f"  {b - a:>+6,}  {shown} ({a:,} → {b:,})")
    if seen.movers:
        out.print("The biggest movers:")
        for mover in seen.movers:
            route = (
                mover.route[0] if mover.route[0] == mover.route[1] else f"{mover.route[0]} → {mover.route[1]}"
            )
            out.print(f"  {mover.name}: {mover.score[0]:.0f} → {mover.score[1]:.0f}, {route}; {mover.why}")
