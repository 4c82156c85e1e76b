"""candor doctor: everything that could go wrong, looked at before it does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from connector.cli.console import out, quiet_logs, show_json
from connector.cli.schema import APPLY, drift, lacks_for_apply
from connector.crm.base import CRMError, Problem
from connector.errors import CandorError
from connector.jobs.context import Context, connection, open_context
from connector.jobs.scope import counted
from connector.settings import load
from connector.store import records


def run(config: Path | None, as_json: bool) -> None:
    quiet_logs()
    settings = load(config)
    problems: list[Problem] = []
    facts: dict[str, str] = {}
    try:
        with open_context(settings) as context:
            facts["database"] = "answers" if settings.database_url else "built in, answers"
            facts["policy"] = context.policy.version
            problems += _engine(context, facts)
            problems += _scope(context)
            try:
                org = context.crm.check()
                facts["org"] = f"{org.name} ({org.kind}), {org.currency}, {org.timezone}"
                facts["user"] = org.user
                problems += context.crm.doctor(connection(settings).fields)
                problems += _schema(context, problems)
                usage = context.crm.usage()
                if usage.org_limit:
                    facts["API calls today, whole org"] = f"{usage.org_used or 0:,} of {usage.org_limit:,}"
            except CRMError as error:
                problems.append(Problem(error.message, error.fix or "See the README, 'with your CRM'."))
    except CandorError as error:
        problems.append(Problem(error.message, error.fix or ""))
    fatal = any(p.fatal for p in problems)
    if as_json:
        show_json(
            {"facts": facts, "problems": [{"what": p.what, "fix": p.fix, "fatal": p.fatal} for p in problems]}
        )
    else:
        for name, value in facts.items():
            out.print(Text.assemble(("✓", "green"), f" {name}: {value}"))
        for problem in problems:
            mark = ("✗", "red") if problem.fatal else ("!", "yellow")
            out.print(Text.assemble(mark, f" {problem.what} ", (problem.fix, "dim")))
        if not problems:
            out.print("All is well.")
    sys.exit(1 if fatal else 0)


def _engine(context: Context, facts: dict[str, str]) -> list[Problem]:
    from connector.jobs import warehouse
    from connector.store import records
    from scoring.errors import ScoringError
    from scoring.features.engine import ready

    try:
        facts["engine of the features"] = ready(context.settings.engine)
        with context.store.begin() as db:
            leads = sorted(records.record_values(db, "lead")) if warehouse.named_in(context.settings) else []
        for name, rows in warehouse.look(context.settings, leads).items():
            facts[f"{name} in the warehouse"] = f"{rows:,} rows, as docs/engines.md says"
    except ScoringError as error:
        return [Problem(error.message, error.fix or "Mend that table: docs/engines.md has its columns.")]
    return []


def _scope(context: Context) -> list[Problem]:
    """Rules of the scope that fit nothing, or nearly every win, of the leads that were read so far."""
    with context.store.begin() as db:
        leads = records.record_values(db, "lead")
    if not leads:
        return []
    return [Problem(said, "See [[scope.exclude]] of candor.toml.", fatal=False) for said in counted(leads, context.settings).remarks()]  # fmt: skip


def _schema(context: Context, told: Sequence[Problem]) -> list[Problem]:
    """Fields of Candor's that are missing or changed since they were applied, each with what it breaks; and what `candor apply` would
    be refused for. `told`: what was found before, which is not said twice."""
    found = drift(context)
    if found is None:
        problems = [Problem("Candor's fields are not in the org yet.", "Run `candor apply`.", fatal=False)]
    else:
        named = " ".join(p.fix for p in told)
        problems = [
            Problem(f"{f.where}: {f.what}. It breaks: {f.breaks}.", f.mend)
            for f in found
            if f.kind != "scope_lost" or f.where.removeprefix("scope ") not in named
        ]
    if any("candor apply" in p.fix for p in problems) and (lacks := lacks_for_apply(context)):
        problems.append(Problem(
            f"{APPLY} would be refused: Candor's user or key lacks {', '.join(lacks)}.",
            "Give it these as long as the two need them, or have somebody else run them.", fatal=False,
        ))  # fmt: skip
    return problems
