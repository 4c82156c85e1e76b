"""candor run: the daemon."""

from __future__ import annotations

import logging
from pathlib import Path

from connector.cli.console import quiet_logs
from connector.settings import load


def run(config: Path | None) -> None:
    quiet_logs(logging.INFO)
    # A pass longer than its interval is no fault: the next one reads what it left. Ours are the only lines, all JSON.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    from connector.daemon import run_daemon
    from connector.jobs.context import open_context

    settings = load(config)
    with open_context(settings) as context:
        run_daemon(context)
