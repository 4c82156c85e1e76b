"""How the commands talk: progress on standard error, results on standard output, JSON where asked."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from connector.errors import CandorError, InputError
from connector.jobs.context import Context, open_context
from connector.jobs.context import Progress as Report
from connector.settings import Settings, load

out = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
"""Results. In a pipe or a file nothing is wrapped. No markup: what a CRM says may have brackets in it."""

err = Console(stderr=True, highlight=False, markup=False)


def show_json(value: Any) -> None:
    sys.stdout.write(
        orjson.dumps(
            value,
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY,
        ).decode()
        + "\n"
    )


def quiet_logs(level: int = logging.WARNING) -> None:
    """Structured logs go to standard error, and only what matters while a person is watching."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    )


@contextmanager
def progress(as_json: bool = False, clock: Callable[[], float] = time.monotonic) -> Iterator[Report]:
    """A bar for each kind of work, on standard error; nothing with --json. `clock`: seconds, when that happens which is
    reported."""
    if as_json:
        yield lambda what, done, of: None
        return
    with Progress(
        SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}"), TextColumn("{task.fields[spent]:.0f} s"), console=err,
    ) as bars:  # fmt: skip
        tasks: dict[str, TaskID] = {}
        running, since = "", clock()

        def ended(head: str) -> None:
            """Whatever it had reported last: nothing failed, so it is done."""
            task = bars.tasks[tasks[head]]
            total = task.total or task.completed or 1
            count = f"{total:,.0f} of {total:,.0f}" if task.fields["of"] else task.fields["count"]
            bars.update(task.id, description=head, total=total, completed=total, count=count)

        def report(what: str, done: int, of: int | None) -> None:
            nonlocal running, since
            head, now = what.split(":", 1)[0], clock()
            if head not in tasks:
                tasks[head] = bars.add_task(what, total=of, count="", spent=0.0, of=of)
            if running:
                # Its own time: a kind of work comes back with every pass.
                spent = bars.tasks[tasks[running]].fields["spent"] + now - since
                bars.update(tasks[running], spent=spent)
                if running != head:
                    ended(running)
            running, since = head, now
            count = f"{done:,} of {of:,}" if of else f"{done:,}" if done else ""
            bars.update(tasks[head], description=what, completed=done, total=of, count=count, of=of)

        yield report
        if running:
            spent = bars.tasks[tasks[running]].fields["spent"] + clock() - since
            bars.update(tasks[running], spent=spent)
            ended(running)


@contextmanager
def told(as_json: bool = False) -> Iterator[Report]:
    """Bars in a terminal; elsewhere a line for each kind of work as it begins, so that long work is never silent. Nothing
    with --json."""
    if as_json or err.is_terminal:
        with progress(as_json) as report:
            yield report
        return
    begun: set[str] = set()

    def line(what: str, done: int, of: int | None) -> None:
        head = what.split(":", 1)[0]
        if head not in begun:
            begun.add(head)
            err.print(f"{head} …", soft_wrap=True)

    yield line


def refuse(given: Collection[str], without_meaning: Sequence[str], when: str) -> None:
    """InputError for options that were typed and would be dropped."""
    if found := [f"--{name}" for name in without_meaning if name in given]:
        means, them = ("mean", "them") if len(found) > 1 else ("means", "it")
        raise InputError(f"{', '.join(found)} {means} nothing {when}.", fix=f"Leave {them} out.")


@contextmanager
def working(config: Path | None, as_json: bool = False) -> Iterator[Context]:
    """Settings, store and progress for one command. Bars are for a terminal: in a log an error is to stand alone."""
    quiet_logs()
    settings: Settings = load(config)
    with progress(as_json or not err.is_terminal) as report, open_context(settings, report) as context:
        yield context


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask on standard error: standard output is for the result."""
    with _somebody_there():
        return typer.confirm(question, default=default, err=True)


def prompt(question: str, *, default: str | None = None) -> str:
    with _somebody_there():
        return str(typer.prompt(question, default=default, err=True)).strip()


@contextmanager
def _somebody_there() -> Iterator[None]:
    try:
        yield
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        err.print()
        raise CandorError(
            "Nobody is there to answer.", fix="Add --yes to go on without being asked."
        ) from None


def table(rows: Mapping[str, Any]) -> None:
    width = max(map(len, rows))
    for key, value in rows.items():
        out.print(Text.assemble((f"{key:<{width}}", "dim"), f"  {value}"))
