"""candor report"""

from __future__ import annotations

from pathlib import Path

from connector.cli.console import out, show_json, working
from connector.jobs.report import build, report


def run(config: Path | None, out_file: Path | None, as_json: bool) -> None:
    with working(config, as_json=True) as context:
        if as_json:
            show_json(build(context))
        else:
            out.print(f"Report: {report(context, out_file)}")
