"""candor backfill"""

from __future__ import annotations

from pathlib import Path

from connector.cli.console import out, show_json, working
from connector.jobs.pull import pull, remember_org
from connector.store.runs import running


def run(config: Path | None, as_json: bool) -> None:
    with working(config, as_json) as context:
        remember_org(context)
        with running(context.store, "backfill", context.clock) as run:
            pulled = pull(context, label="Backfill")
            run.summary.update(rows=dict(pulled.rows), new=pulled.new)
        usage = context.crm.usage()
    if as_json:
        show_json(
            {
                "rows": dict(pulled.rows),
                "new": pulled.new,
                "looked_at": list(pulled.looked_at),
                "calls": usage.calls,
            }
        )
        return
    for stream, rows in pulled.rows.items():
        out.print(f"  {stream:<18} {rows:>9,}")
    out.print(f"Read {sum(pulled.rows.values()):,} rows in {usage.calls:,} API calls.")
