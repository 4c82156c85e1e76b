"""candor playground"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from connector.cli.console import refuse
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
    given: Collection[str] = (),
) -> None:
    from connector.playground.server import serve
    from connector.playground.world.options import WorldOptions

    if crm not in TITLES:
        raise InputError(f"--crm is {crm!r}.", fix=f"Use {' or '.join(TITLES)}.")
    options = WorldOptions(leads=leads, months=months, seed=seed, scenario=scenario)
    if (data / "org.sqlite").exists():
        options.played()
    else:
        options.check()  # its errors before anything is made
    if options.holds_back:
        refuse(
            given, ("leads", "months"), "with a scenario that names real rows: they are as many as they are"
        )
    if wrong := [
        f"--{name} is {value}" for name, value in (("leads", leads), ("months", months)) if value < 1
    ]:
        raise InputError(f"{' and '.join(wrong)}.", fix="At least 1 lead and 1 month.")
    serve(crm, data, port, pages_port, options)  # type: ignore[arg-type]
