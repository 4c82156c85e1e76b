"""candor playground"""

from __future__ import annotations

from pathlib import Path

from connector.crm.registry import TITLES
from connector.errors import InputError


def run(
    crm: str,
    data: Path,
    port: int,
    pages_port: int,
    leads: int,
    months: int,
    seed: int,
    scenario: str | None = None,
) -> None:
    from connector.playground.server import serve
    from connector.playground.world.options import WorldOptions
    from connector.playground.world.scenario_file import read_scenario

    if crm not in TITLES:
        raise InputError(f"--crm is {crm!r}.", fix=f"Use {' or '.join(TITLES)}.")
    if scenario is not None:
        read_scenario(scenario)  # its errors before anything is made
    options = WorldOptions(leads=leads, months=months, seed=seed, scenario=scenario)
    serve(crm, data, port, pages_port, options)  # type: ignore[arg-type]
