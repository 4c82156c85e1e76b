"""candor playground"""

from __future__ import annotations

from pathlib import Path

from connector.crm.registry import TITLES
from connector.errors import InputError


def run(crm: str, data: Path, port: int, pages_port: int, leads: int, months: int, seed: int) -> None:
    from connector.playground.server import WorldOptions, serve

    if crm not in TITLES:
        raise InputError(f"--crm is {crm!r}.", fix=f"Use {' or '.join(TITLES)}.")
    serve(crm, data, port, pages_port, WorldOptions(leads=leads, months=months, seed=seed))  # type: ignore[arg-type]
