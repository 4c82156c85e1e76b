"""candor init: ask, test the connection, map the org's outcomes, write candor.toml."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typer

from connector.cli.console import confirm, err, out, prompt, quiet_logs, show_json
from connector.crm.registry import TITLES, connect, sign_in
from connector.crm.sign_in import SignIn
from connector.errors import MappingError, SettingsError
from connector.jobs.meanings import guess, unclear
from connector.jobs.scope import MANY, OUTCOMES
from connector.settings import DEFAULT_FILE, EVERY_FIELD, Settings, dump, load


def run(
    config: Path | None, crm: str | None, url: str | None, token_env: str, token_file: Path | None, ca: Path | None,
    clock_url: str | None, options: Sequence[str], tracked_since: datetime | None, playground: Path | None, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    quiet_logs()
    since = None if tracked_since is None else tracked_since.date()
    if playground is not None:
        there = _playground(playground)
        crm, url, clock_url = there["crm"], there["url"], there["clock_url"]
        token_file, ca = Path(there["token_file"]), Path(there["ca"]) if there["ca"] else None
        since = since or _day(there["tracked_since"])
    file = config or Path(os.environ.get("CANDOR_CONFIG", DEFAULT_FILE))
    if file.exists() and not yes and not confirm(f"{file} is there already. Write it anew?"):
        raise typer.Exit(1)
    kinds = " or ".join(TITLES)
    kind = crm or (None if yes else prompt(f"Which CRM? {kinds}").lower())
    if kind is None or kind not in TITLES:
        raise SettingsError(
            "--crm is missing." if kind is None else f"--crm is {kind!r}.", fix=f"Use {kinds}."
        )
    way = sign_in(kind)
    address = url or (way.address if way.same_for_all else None)
    if address is None:
        if yes:
            raise SettingsError("--url is missing.", fix=f"Give the org's address, e.g. {way.address}.")
        address = prompt(f"The org's address, e.g. {way.address}")
    given = _options(options)
    if way.questions and not (yes or given or token_file or os.environ.get(token_env)):
        given = _ask(way)
    values = first_settings(kind, address, token_env, token_file, ca, clock_url, given, since)
    settings = Settings(**values)
    from connector.jobs.context import connection

    adapter = connect(kind, connection(settings))
    try:
        org = adapter.check()
        problems = [p for p in adapter.doctor(connection(settings).fields) if p.fatal]
        if not as_json:
            out.print(f"Connected to {org.name} ({org.kind}) as {org.user}.")
            out.print("Counting the leads by status …")
        statuses = dict(Counter(adapter.count("lead", "status")).most_common())
    finally:
        adapter.close()
    values["outcome"] = {"target": "won_deal", "status": ask_outcomes(statuses, yes)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dump(values))
    load(file)
    if as_json:
        show_json({"org": org.name, "user": org.user, "file": str(file), "statuses": statuses,
                   "outcome": values["outcome"]["status"], "problems": [p.what for p in problems]})  # fmt: skip
        return
    if yes:
        for status, n in statuses.items():
            out.print(f"  {n:>9,} leads are “{status}”: {values['outcome']['status'][status]}", markup=False)
        out.print(
            "Guessed by name. Look it over: what counts as won and lost is what Candor learns.", style="dim"
        )
    for problem in problems:
        out.print(f"! {problem.what} {problem.fix}", style="yellow")
    out.print(f"Wrote {file}. Next: candor doctor, plan, apply, backfill, train, sync --dry-run, sync.")


def _playground(folder: Path) -> Mapping[str, Any]:
    """What a local CRM says about itself."""
    try:
        found: dict[str, Any] = json.loads((folder / "playground.json").read_text())
    except (OSError, ValueError):
        raise SettingsError(f"No local CRM is up in {folder}.",
                            fix=f"Start one in another terminal: candor playground --data {folder}") from None  # fmt: skip
    return found


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _options(given: Sequence[str]) -> dict[str, str]:
    options = dict(text.partition("=")[::2] for text in given)
    for name, value in options.items():
        if not name or not value:
            raise SettingsError(f"--option {name!r} has no value.", fix="Write --option name=value.")
        if name.endswith("_file"):
            options[name] = str(Path(value).expanduser().resolve())
    return options


def _ask(way: SignIn) -> dict[str, str]:
    """What the CRM's adapter wants to know to sign in."""
    out.print(way.intro)
    return _options([f"{q.option}={prompt(q.text, default=q.default)}" for q in way.questions])


def first_settings(
    kind: str,
    url: str,
    token_env: str,
    token_file: Path | None,
    ca: Path | None,
    clock_url: str | None = None,
    options: Mapping[str, str] | None = None,
    tracked_since: date | None = None,
) -> dict[str, Any]:
    """The settings of a new installation, before the org was looked at."""
    values: dict[str, Any] = {"crm": {"kind": kind, "url": url, "token_env": token_env}}
    if token_file is not None:
        values["crm"]["token_file"] = str(token_file.resolve())
    if ca is not None:
        values["crm"]["ca"] = str(ca.resolve())
    if options:
        values["crm"]["options"] = dict(options)
    if tracked_since is not None:
        values["crm"]["tracked_since"] = {EVERY_FIELD: tracked_since}
    if clock_url is not None:
        values["clock_url"] = clock_url
    return values


def ask_outcomes(statuses: dict[str, int], yes: bool) -> dict[str, str]:
    """What each status means: guessed by its name, shown, and asked where a person is there. "nothing" leaves a status
    out; refused for one that holds many leads."""
    total = sum(statuses.values())
    mapped: dict[str, str] = {}
    if not yes:
        err.print(
            "What does each status mean? open: still in play; won, lost; recycled: again later; never_worked: ended "
            "without anyone having tried; nothing: leave it out."
        )
    for status, n in statuses.items():
        many = n >= MANY * total
        likely: str | None = None if unclear(status) and many else guess(status)
        if yes and likely is None:
            raise MappingError(f"The status “{status}” holds {n:,} of {total:,} leads, and its name does not say what it means.",
                               fix="Run `candor init` without --yes and say it.")  # fmt: skip
        meaning = likely if yes else _meaning(status, n, likely, many)
        if meaning in OUTCOMES:
            mapped[status] = meaning
    return mapped


def _meaning(status: str, n: int, likely: str | None, many: bool) -> str:
    """Asked until the answer is one; "nothing" is none for a status of many leads."""
    while True:
        said = prompt(f"{n:>7,} leads are “{status}”", default=likely).lower()
        if said in OUTCOMES or (said == "nothing" and not many):
            return said
        if said == "nothing":
            err.print(f"It holds too many leads to mean nothing. Say one of: {', '.join(OUTCOMES)}.")
        else:
            err.print(f"Say one of: {', '.join(OUTCOMES)}{'' if many else ', nothing'}.")
