"""candor init: ask, test the connection, map the org's outcomes, write candor.toml."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from connector.cli.console import out, quiet_logs, show_json
from connector.crm.base import CRM
from connector.errors import MappingError, SettingsError
from connector.jobs.scope import guess
from connector.settings import DEFAULT_FILE, Settings, dump, load

_URLS = {"salesforce": "https://yourcompany.my.salesforce.com", "hubspot": "https://api.hubapi.com"}
_MANY = 0.02
"""A status that holds at least this share of the leads must be mapped to something."""


def run(
    config: Path | None, crm: str | None, url: str | None, token_env: str, token_file: Path | None, ca: Path | None,
    clock_url: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    quiet_logs()
    file = config or Path(os.environ.get("CANDOR_CONFIG", DEFAULT_FILE))
    if file.exists() and not yes and not typer.confirm(f"{file} is there already. Write it anew?"):
        raise typer.Exit(1)
    kind = crm or (None if yes else typer.prompt("Which CRM? salesforce or hubspot"))
    if kind not in _URLS:
        raise SettingsError(f"--crm is {kind!r}.", fix="Use salesforce or hubspot.")
    address = url or (_URLS[kind] if yes and kind == "hubspot" else None)
    if address is None:
        if yes:
            raise SettingsError("--url is missing.", fix=f"Give the org's address, e.g. {_URLS[kind]}.")
        address = typer.prompt("The org's address", default=_URLS[kind])
    values = first_settings(kind, address, token_env, token_file, ca, clock_url)
    settings = Settings(**values)
    from connector.crm.registry import connect
    from connector.jobs.context import connection

    adapter = connect(kind, connection(settings))
    try:
        org = adapter.check()
        missing = [p.what for p in adapter.doctor(connection(settings).fields) if p.fatal]
        statuses = count_statuses(adapter)
    finally:
        adapter.close()
    values["outcome"] = {"target": "won_deal", "status": ask_outcomes(statuses, yes)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dump(values))
    load(file)
    result = {"org": org.name, "user": org.user, "file": str(file), "statuses": statuses, "outcome": values["outcome"]["status"],
              "problems": missing}  # fmt: skip
    if as_json:
        show_json(result)
        return
    out.print(f"Connected to [bold]{org.name}[/bold] ({org.kind}) as {org.user}.")
    out.print(
        f"Wrote {file}. Next: `candor doctor`, `candor plan`, `candor apply`, `candor backfill`, `candor train`."
    )
    for problem in missing:
        out.print(f"[yellow]{problem}[/yellow]")


def first_settings(
    kind: str,
    url: str,
    token_env: str,
    token_file: Path | None,
    ca: Path | None,
    clock_url: str | None = None,
) -> dict[str, Any]:
    """The settings of a new installation, before the org was looked at."""
    values: dict[str, Any] = {"crm": {"kind": kind, "url": url, "token_env": token_env}}
    if token_file is not None:
        values["crm"]["token_file"] = str(token_file.resolve())
    if ca is not None:
        values["crm"]["ca"] = str(ca.resolve())
    if clock_url is not None:
        values["clock_url"] = clock_url
    return values


def count_statuses(adapter: CRM) -> dict[str, int]:
    """How many leads are in each status, over the whole org."""
    counts: Counter[str] = Counter()
    stream = next(s.name for s in adapter.streams() if s.name == "leads")
    for page in adapter.pull({stream: None}, lambda *_: {}):
        counts.update(
            str(r.values.get("status")) for r in page.records if r.values.get("status") and not r.deleted
        )
    return dict(counts.most_common())


def ask_outcomes(statuses: dict[str, int], yes: bool) -> dict[str, str]:
    """What each status means: guessed by its name, shown, and asked where a person is there. Refuses silence on a status
    that holds many leads."""
    total, mapped = sum(statuses.values()), {}
    for status, n in statuses.items():
        meaning: str = guess(status)
        if not yes:
            meaning = typer.prompt(
                f"{n:>7,} leads are {status!r}. That means: open, won, lost, recycled or never_worked",
                default=meaning,
            )
        if meaning not in ("open", "won", "lost", "recycled", "never_worked"):
            if n >= _MANY * total:
                raise MappingError(f"The status {status!r} holds {n:,} of {total:,} leads and is mapped to nothing.",
                                   fix="Say open, won, lost, recycled or never_worked.")  # fmt: skip
            continue
        mapped[status] = meaning
    return mapped
