"""candor pause, candor resume"""

from __future__ import annotations

from pathlib import Path

from connector.cli.console import out, working
from connector.store import outbox


def run(reason: str | None, config: Path | None) -> None:
    with working(config, as_json=True) as context:
        if reason is not None:
            context.store.put("paused", {"reason": reason, "since": context.clock.now().isoformat()})
            out.print(f"Paused: {reason}. Nothing is written until `candor resume`.")
            return
        was = context.store.get("paused")
        context.store.forget("paused")
        with context.store.begin() as db:
            waiting = len(outbox.waiting(db))
        out.print(
            "It was not paused."
            if was is None
            else f"Writes go on; {waiting:,} wait and are sent at the next pass."
        )
