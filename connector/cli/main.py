"""The command line. Each command lives in a module of its own that is imported when it is called, so that `candor --help`
loads nothing but typer."""

from __future__ import annotations

import importlib
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="candor",
    help="Lead scores that admit what they don't know, written into Salesforce and HubSpot.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Config = Annotated[Path | None, typer.Option("--config", "-c", help="Settings file. Default: ./candor.toml")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Certificate = Annotated[
    Path | None,
    typer.Option(help="Also make the app to sign in through, by this certificate (PEM; Salesforce)."),
]
Contact = Annotated[str | None, typer.Option(help="With --certificate: the app's contact e-mail.")]


def _given(context: typer.Context) -> frozenset[str]:
    """The options that were typed, so that none which means nothing is dropped without a word."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


def _run(module: str, **arguments: Any) -> None:
    importlib.import_module(f"connector.cli.{module}").run(**arguments)


@app.command()
def init(
    config: Config = None,
    crm: Annotated[str | None, typer.Option(help="salesforce or hubspot")] = None,
    url: Annotated[str | None, typer.Option(help="The org's address.")] = None,
    token_env: Annotated[
        str, typer.Option(help="The environment variable that holds the token.")
    ] = "CANDOR_TOKEN",
    token_file: Annotated[Path | None, typer.Option(help="Or the file that holds it.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM), behind a proxy.")] = None,
    clock_url: Annotated[str | None, typer.Option(help="A local CRM's clock.", hidden=True)] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="name=value for crm.options, e.g. client_id. May be repeated."),
    ] = None,
    tracked_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Salesforce: since when lead fields' history is kept, where it doesn't show it.",
        ),
    ] = None,
    playground: Annotated[
        Path | None, typer.Option(help="Folder of a local CRM that is up: everything is read from it.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Ask, test the connection, map the org's fields and outcomes, write candor.toml."""
    _run("init", config=config, crm=crm, url=url, token_env=token_env, token_file=token_file, ca=ca, clock_url=clock_url,
         options=option or [], tracked_since=tracked_since, playground=playground, yes=yes, as_json=as_json)  # fmt: skip


@app.command()
def doctor(config: Config = None, as_json: Json = False) -> None:
    """Check connection, permissions, limits, database and mapping: each finding with its fix."""
    _run("doctor", config=config, as_json=as_json)


@app.command()
def plan(
    config: Config = None, as_json: Json = False, certificate: Certificate = None, contact: Contact = None
) -> None:
    """Show what `apply` would add to the org. Exit code 0: nothing, 2: changes."""
    _run(
        "schema",
        what="plan",
        config=config,
        yes=True,
        as_json=as_json,
        certificate=certificate,
        contact=contact,
    )


@app.command()
def apply(
    config: Config = None,
    yes: Yes = False,
    as_json: Json = False,
    certificate: Certificate = None,
    contact: Contact = None,
) -> None:
    """Add Candor's fields, review queue and permissions to the org."""
    _run(
        "schema",
        what="apply",
        config=config,
        yes=yes,
        as_json=as_json,
        certificate=certificate,
        contact=contact,
    )


@app.command()
def verify(config: Config = None, as_json: Json = False) -> None:
    """Find what has changed in the org since `apply`, and what each change breaks. Exit code 0: nothing, 2: drift."""
    _run("schema", what="verify", config=config, yes=True, as_json=as_json)


@app.command()
def remove(config: Config = None, yes: Yes = False, as_json: Json = False) -> None:
    """Take everything of Candor's out of the org again; its data is exported first."""
    _run("schema", what="remove", config=config, yes=yes, as_json=as_json)


@app.command()
def backfill(config: Config = None, as_json: Json = False) -> None:
    """Read the org's history into the store. Resumable: after a break it goes on where it was."""
    _run("backfill", config=config, as_json=as_json)


@app.command()
def sync(
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Score all open leads anew, not just those touched.")
    ] = False,
    as_json: Json = False,
) -> None:
    """One pass: pull, harvest, score, route, push."""
    _run("sync", config=config, dry_run=dry_run, everything=everything, as_json=as_json)


@app.command()
def pause(
    reason: Annotated[str, typer.Argument(help="Why; status and pages show it.")],
    config: Config = None,
) -> None:
    """Stop all writes at once; reading and scoring go on."""
    _run("pause", reason=reason, config=config)


@app.command()
def resume(config: Config = None) -> None:
    """Let writes go on; what waited is sent at the next pass."""
    _run("pause", reason=None, config=config)


@app.command()
def run(config: Config = None) -> None:
    """The daemon: sync every few minutes, all open leads anew each night, metrics weekly, retraining monthly."""
    _run("run", config=config)


@app.command()
def train(
    config: Config = None,
    reproduce: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="Instead: make that model again and say whether it is the same."
        ),
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Release it at once if it is no worse than the one in use.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a model and backtest it. The first one is released; a later one, no worse, waits for `release` (or --release)."""
    _run("train", config=config, reproduce=reproduce, release=release, as_json=as_json)


@app.command()
def models(
    version: Annotated[str | None, typer.Argument(help="Instead of the list: this one's card.")] = None,
    retire: Annotated[
        str | None,
        typer.Option(metavar="SEGMENT", help="Give a segment's leads back to the universal model."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """The models: which scores, which segments have one of their own and why, what each was found to be worth."""
    _run("models", version=version, retire=retire, config=config, as_json=as_json)


@app.command()
def release(
    version: Annotated[str, typer.Argument(help="The model that is to take over.")],
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    worse_too: Annotated[
        bool, typer.Option("--worse-too", help="Even if it is worse than the one in use.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Show what a model would change for the open leads, and let it take over."""
    _run(
        "release",
        version=version,
        config=config,
        dry_run=dry_run,
        worse_too=worse_too,
        yes=yes,
        as_json=as_json,
    )


@app.command()
def rollback(
    config: Config = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring back the model that was in use before."""
    _run("release", version=None, config=config, dry_run=dry_run, worse_too=True, yes=True, as_json=as_json)


@app.command()
def score(
    lead: Annotated[str, typer.Argument(help="The lead's id in the CRM.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="With range, flags, reasons, route and why.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="Instead: make the score of that time again and say whether it is the same. A day means its end; UTC.",
        ),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Score one lead now, or make an old score again (--as-of). Writes nothing."""
    _run("score", lead=lead, explain=explain, as_of=as_of, config=config, as_json=as_json)


@app.command()
def status(config: Config = None, as_json: Json = False) -> None:
    """What was read and when, the model, routes, what waits to be written, API calls, last runs and their errors."""
    _run("status", config=config, as_json=as_json)


@app.command()
def report(
    config: Config = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write the page.")] = None,
    as_json: Json = False,
) -> None:
    """A page about edge cases, budgets and mispredictions; --json prints the same as JSON."""
    _run("report", config=config, out_file=out, as_json=as_json)


@app.command()
def audit(config: Config = None, as_json: Json = False) -> None:
    """What leaks, what is won by being filled, what looks wrong, who survived. Exit code 0: nothing to do, 2: something."""
    _run("audit", config=config, as_json=as_json)


@app.command()
def playground(
    context: typer.Context,
    crm: Annotated[str, typer.Option(help="salesforce or hubspot")] = "salesforce",
    data: Annotated[Path, typer.Option(help="Folder of its data; kept between starts.")] = Path(
        "candor-playground"
    ),
    port: Annotated[int, typer.Option(help="Port of the vendor's API; 0: a free one.")] = 0,
    pages_port: Annotated[int, typer.Option(help="Port of its pages; 0: a free one.")] = 0,
    leads: Annotated[int, typer.Option(help="How many leads a new world has, at least 1.")] = 5000,
    months: Annotated[int, typer.Option(help="How many months of history it has, at least 1.")] = 18,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    scenario: Annotated[
        str | None,
        typer.Option(help="What the world is like: a file, or a shipped name (docs/scenarios.md)."),
    ] = None,
) -> None:
    """A local CRM to try Candor on, speaking the vendor's own API, with a world of leads and reps."""
    _run(
        "playground",
        crm=crm,
        data=data,
        port=port,
        pages_port=pages_port,
        leads=leads,
        months=months,
        seed=seed,
        scenario=scenario,
        given=_given(context),
    )


@app.command()
def demo(
    context: typer.Context,
    crm: Annotated[str, typer.Option(help="salesforce, hubspot or both")] = "both",
    leads: Annotated[
        Path | None, typer.Option(help="An export of leads (CSV, Parquet) instead of the generated world.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Their dated events (CSV, Parquet): scored as of any time.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What its columns mean (TOML). Without: proposed, and asked.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Don't remove; leave the local CRM up to click through.")
    ] = False,
    size: Annotated[int, typer.Option(help="Leads in the generated world; with --days at least 500.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    out: Annotated[Path, typer.Option(help="Folder for data and report; made anew.")] = Path("candor-demo"),
    scenario: Annotated[
        str | None,
        typer.Option(help="What the world is like: a file, or a shipped name (docs/scenarios.md)."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            help="Instead: so many days (30 to 360) with Candor and with usual practice, in no CRM."
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            help="With --days: hours a day of a whole team, more than 0. Default: for 30 % of leads."
        ),
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """The whole loop on a local CRM, no account needed."""
    if days is not None:
        _run("halfyear", days=days, size=size, seed=seed, hours=hours, scenario=scenario, as_json=as_json,
             given=_given(context))  # fmt: skip
        return
    _run(
        "demo",
        crm=crm,
        leads=leads,
        events=events,
        mapping=mapping,
        keep=keep,
        size=size,
        seed=seed,
        out=out,
        scenario=scenario,
        yes=yes,
        as_json=as_json,
        given=_given(context),
    )


def main() -> None:
    """Errors that an admin can mend are one line and an exit code; anything else is a defect and shows itself whole."""
    from connector.errors import CandorError

    try:
        app()
    except CandorError as error:
        sys.stderr.write(f"candor: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("candor: stopped. Nothing is lost: the next run goes on where this one was.\n")
        sys.exit(130)
    except Exception as error:
        if any(kind.__module__ == "scoring.errors" for kind in type(error).__mro__):
            sys.stderr.write(f"candor: {error}\n")
            sys.exit(1)
        raise


if __name__ == "__main__":
    main()
