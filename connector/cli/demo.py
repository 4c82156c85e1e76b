"""candor demo: the whole loop on a local CRM, first as Salesforce, then as HubSpot."""

from __future__ import annotations

import shutil
import sys
import time
import webbrowser
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from connector.cli.console import confirm, err, out, progress, quiet_logs, refuse, show_json
from connector.cli.score import say as say_score
from connector.clock import SystemClock
from connector.crm.registry import TITLES
from connector.errors import InputError
from scoring.audit.leakage import Kind

_RANKED = 5
"""columns that the audit did not accuse, the strongest, that are shown"""
_NOT_AS_OF = (
    "Not as-of: the rows have no times, so leads were scored as they look in them. What was filled in after the outcome would "
    "flatter these figures; the columns left out are the guard against that."
)


def run(
    crm: str,
    leads: Path | None,
    mapping: Path | None,
    keep: bool,
    size: int,
    seed: int,
    out: Path,
    yes: bool,
    as_json: bool,
    scenario: str | None = None,
    events: Path | None = None,
    given: Collection[str] = (),
) -> None:
    from connector.demo.beside import Beside
    from connector.demo.file import save
    from connector.demo.loop import Loop
    from connector.playground.server import launched
    from connector.playground.world.options import WorldOptions

    if leads is not None:
        if scenario is not None:
            raise InputError("--scenario is of a generated world, --leads a file's.", fix="Give one of them.")
        refuse(given, ("size", "seed"), "with --leads: the file is the world")
    if mapping is not None and leads is None:
        raise InputError("--mapping says what the columns of --leads mean.", fix="Give --leads FILE too.")
    if events is not None and leads is None:
        raise InputError("--events is of the leads of a file.", fix="Give --leads FILE too.")
    refuse(given, ("hours",), "without --days: the loop's reps have hours of their own")
    if scenario is not None:
        scenario = str(Path(scenario).resolve()) if Path(scenario).exists() else scenario
    options = WorldOptions(leads=size, seed=seed, scenario=scenario)
    if leads is None:
        options.check()
        if options.holds_back:
            refuse(given, ("size",), "with a scenario that names real rows: they are as many as they are")
        if size < 1:
            raise InputError(f"--size is {size}.", fix="At least 1 lead.")
    quiet_logs()
    if crm not in (*TITLES, "both"):
        raise InputError(f"--crm is {crm!r}.", fix=f"Use {', '.join(TITLES)} or both.")
    # A file goes through one CRM unless another is named: its outcomes are the same in both.
    crms = (crm,) if crm != "both" else tuple(TITLES)[: None if leads is None else 1]
    file = None if leads is None else _file(leads, events, mapping, yes, as_json)
    started, folder = time.perf_counter(), _new_folder(out)
    if file is not None:
        saved = save(file.mapping, folder / "mapping.toml").resolve()
        dated = None if file.events is None else file.events.resolve()
        options = WorldOptions(leads=size, seed=seed, csv=file.path.resolve(), mapping=saved, events=dated)
    dated_file = None if file is None else file.dated
    steps = [] if dated_file is None else dated_file.steps()
    aside = {} if dated_file is None else {f"{one.what}s {one.reason}": one.rows for one in dated_file.aside}
    loops: list[Loop] = []
    with ExitStack() as stack:
        waiting = {
            name: stack.enter_context(_Launch(launched, name, folder / name / "playground", options))
            for name in crms
        }
        # The loops run side by side, and are told one after the other.
        running = {
            name: stack.enter_context(
                Beside(
                    name,
                    waiting[name].ready(),
                    folder / name,
                    options,
                    keep=keep,
                    steps=steps,
                    never_read=aside,
                )
            )
            for name in crms
        }
        for name, loop in running.items():
            if not as_json:
                err.rule(
                    Text.assemble((TITLES[name], "bold"), f", local, at {waiting[name].ready()['url']}"),
                    align="left",
                )
            say = (lambda text: None) if as_json else err.print
            with progress(as_json, loop.now) as bars:
                loops.append(loop.follow(bars, say))
            if not as_json:
                _open_up(loops[-1])
        seconds = time.perf_counter() - started
        if as_json:
            show_json(_as_json(loops, seconds, file))
        else:
            _table(loops, seconds)
            if sys.stdout.isatty():
                webbrowser.open(Path(loops[-1].result["report"]).resolve().as_uri())
        if keep:
            for name in crms:
                process, info = waiting[name].keep()
                err.print(
                    f"{name}: the local CRM is up (process {process}). Its record pages: {info['pages']}",
                    soft_wrap=True,
                )
                err.print(
                    f"  candor --help; then e.g. `candor sync --dry-run --config {folder / name / 'candor.toml'}`; stop it: kill {process}",
                    soft_wrap=True,
                )


class _Launch:
    """Starts the local CRM's process in the background; `ready` waits for it. With `keep` it is left running."""

    def __init__(self, launched: Any, crm: str, data: Path, options: Any) -> None:
        import threading

        self._stop = threading.Event()
        self._up = threading.Event()
        self._kept = False
        self._error: Exception | None = None
        self._found: tuple[Any, Any] | None = None
        self._thread = threading.Thread(target=self._serve, args=(launched, crm, data, options), daemon=True)

    def _serve(self, launched: Any, crm: str, data: Path, options: Any) -> None:
        context = launched(crm, data, options)
        try:
            self._found = context.__enter__()
        except Exception as error:
            self._error = error
            self._up.set()
            return
        self._up.set()
        self._stop.wait()
        if not self._kept:
            context.__exit__(None, None, None)

    def ready(self) -> Any:
        self._up.wait()
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found[1]

    def keep(self) -> tuple[int, Any]:
        assert self._found is not None
        from connector.playground.server import let_go

        self._kept = True
        let_go(self._found[0])
        return self._found[0].pid, self._found[1]

    def __enter__(self) -> _Launch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _new_folder(folder: Path) -> Path:
    """Made anew: only a folder that an earlier demo made is ever cleared."""
    mark = folder / ".candor-demo"
    if folder.exists():
        if not mark.exists() and any(folder.iterdir()):
            raise InputError(
                f"{folder} is there and was not made by a demo.", fix="Name another folder with --out."
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    mark.touch()
    return folder


def _file(leads: Path, events: Path | None, mapping: Path | None, yes: bool, as_json: bool) -> Any:
    """The file (and its events) with its mapping, shown before anything is made; a proposal is asked about, column by column where it is in
    doubt."""
    from connector.demo.file import checked, choose, save, settle
    from connector.playground.world.mapping import write_mapping

    if not as_json and events is not None:
        err.print(f"Reading {leads.name} and {events.name} …", style="dim")
    table, meant, origin = choose(leads, mapping, events)
    if origin == "proposed":
        err.print(f"No mapping was written for {leads.name}. Proposed from its columns:", style="bold")
        err.print(write_mapping(meant), soft_wrap=True)
        if not yes:
            meant = settle(table, meant, lambda question: confirm(question, default=True))
    file = checked(leads, table, meant, origin, events, SystemClock().now())
    if not as_json or origin == "proposed":
        _show_file(file)
    if origin == "proposed" and not yes and not confirm("Go on with this?", default=True):
        kept = save(file.mapping, Path(f"{leads.name.split('.')[0]}.mapping.toml"))
        err.print(f"Saved as {kept}: mend it, and give it with --mapping {kept}.", soft_wrap=True)
        raise typer.Exit(1)
    return file


def _show_file(file: Any) -> None:
    """What the mapping comes to, counted, before anything is trained."""
    from connector.playground.world.proposal import doubts as doubted

    found, mapping = file.as_dict(), file.mapping
    won = f"{found['won']:,} won ({mapping.outcome.column} = {' or '.join(mapping.outcome.won)})"
    counted = (
        f", mapping {found['mapping']}: {found['rows']:,} leads, {won}, {found['won'] / found['rows']:.1%}."
    )
    err.print(Text.assemble((found["file"], "bold"), counted), soft_wrap=True)
    if file.dated is not None:
        first, last = file.dated.span
        err.print(
            f"{found['events']:,} events. Both files tell of {first:%Y-%m-%d} to {last:%Y-%m-%d}; the org is handed over on "
            f"{file.dated.now:%Y-%m-%d}, when {found['open']:,} leads are open.", soft_wrap=True,
        )  # fmt: skip
        for one in file.dated.aside:
            err.print(f"Set aside: {one.said()}. The first: {one.first}.", style="yellow", soft_wrap=True)
    held = "Held out: " if file.dated is not None else f"Held out: {found['held_out']:,} leads, "
    err.print(f"{held}{found['held_out_how']}", soft_wrap=True)
    for note in found["notes"]:
        err.print(note, style="yellow", soft_wrap=True)
    table = Table(title=f"{len(found['fields'])} columns describe a lead", title_justify="left", box=None)
    for head in ("column", "as", "blank", "values"):
        table.add_column(head, justify="left" if head in ("column", "as") else "right", overflow="fold")
    for of in found["fields"]:
        table.add_row(of["column"], of["type"], f"{of['blank']:.0%}", f"{of['values']:,}")
    err.print(table)
    doubts = doubted(mapping)
    _show_leaks(found["audit"], found["left_out"])
    err.print(f"{len(found['left_out'])} columns left out", style="bold")
    for column, why in found["left_out"].items():
        mark, style = ("! ", "yellow") if column in doubts else ("  ", "")
        err.print(f"{mark}{column}: {why}", style=style, soft_wrap=True)
    if doubts:
        err.print(
            "Those with ! are left out on suspicion alone: what was known before anyone worked the lead may stay in "
            "(a mapping file says so).", style="yellow", soft_wrap=True,
        )  # fmt: skip


def _show_leaks(audit: dict[str, Any], left_out: dict[str, str]) -> None:
    """What the audit says of the file's columns and events, and what is done about each."""
    how = (
        "as of: columns and events over a whole life against themselves when leads are scored"
        if audit["as_of"]
        else "not as-of (no times: only what is too good to be true can be told)"
    )
    err.print(f"Leakage audit, {how}", style="bold")
    for line in _told_together(audit["findings"]):
        err.print(f"! {line}", style="yellow", soft_wrap=True)
    for one in audit["findings"]:
        if one["kind"] in _TOGETHER:
            continue
        done = (
            "left out" if one["what"] in left_out
            else "As-of training keeps it out." if one["kept_out"]
            else "IN THE MODEL'S REACH: the gate leaves it out"
        )  # fmt: skip
        err.print(f"! {one['label']} {one['kind']}. {one['said']} {done}", style="yellow", soft_wrap=True)
    for one in [one for one in audit["ranked"] if one["what"] not in left_out][:_RANKED]:
        err.print(f"  {one['what']}: AUC {one['today']:.2f}; {one['why']}", style="dim", soft_wrap=True)


_TOGETHER: dict[Kind, tuple[str, str]] = {
    Kind.GROWS: (
        "Counts over a whole life know the outcome; Candor's own are of windows up to the scoring",
        "{label} (AUC {auc_today:.2f}, when leads are scored {auc_then:.2f})",
    ),
    Kind.ACTIVITY_IS_OUTCOME: (
        "Events that happen with the outcome; as-of training keeps them out",
        "{label} ({won:.0%} of {leads:,.0f} leads won)",
    ),
    Kind.ACTIVITY_AFTER: (
        "Events that go on after the outcome; as-of training keeps them out",
        "{label} ({won:.0%} of {leads:,.0f} leads won)",
    ),
}
"""kind of finding -> how many of it are told in one line, and each of them"""


def _told_together(findings: list[dict[str, Any]]) -> list[str]:
    found = []
    for kind, (said, each) in _TOGETHER.items():
        mine = [each.format(label=one["label"], **one["figures"]) for one in findings if one["kind"] == kind]
        if mine:
            found.append(f"{said}: {', '.join(mine)}.")
    return found


def _open_up(loop: Any) -> None:
    lead = loop.lead
    if not lead:
        return
    who = lead["who"]
    out.print()
    if "known" in who:
        known = (
            "; ".join(f"{label.lower()} {value}" for label, value in who["known"][:6])
            or "nothing is known of it"
        )
        said = f"{who['company']}: {known}"
    else:
        said = (
            f"{who['title'] or 'no title'} at {who['company']}, {who['industry'] or 'industry unknown'}, "
            f"{_n(who['employees'])} employees, from {who['source'] or 'an unknown source'}"
        )
    out.print(Text.assemble(("One lead, opened up: ", "bold"), said), soft_wrap=True)
    say_score(lead)
    out.print(lead["usual_practice"], style="dim")
    out.print()


def _n(value: Any) -> str:
    return "unknown number of" if value is None else f"{value:,}"


_ROWS = (
    ("leads pulled", "pulled"), ("leads scored at first", "scored"), ("records written", "pushed"), ("sent to review", "in_review"),
    ("reviews decided", "reviews_decided"), ("overrides harvested", "overrides"), ("tags harvested", "tags"),
    ("form answers harvested", "answers"), ("closing answers harvested", "closing_answers"), ("API calls", "calls"),
    ("of them writes", "write_calls"),
)  # fmt: skip


def _table(loops: list[Any], seconds: float) -> None:
    table = Table(title="The loop, whole", title_justify="left")
    table.add_column("")
    for loop in loops:
        table.add_column(loop.title, justify="right")
    for title, key in _ROWS:
        table.add_row(title, *(f"{loop.result[key]:,}" for loop in loops))
    if all(loop.result.get("model") for loop in loops):
        for title, key in (
            ("held-out leads", "held_out"),
            ("AUC on them", "auc"),
            ("log loss", "log_loss"),
            ("  of saying the base rate to all", "log_loss_of_base"),
            ("calibration error", "ece"),
        ):
            table.add_row(title, *(_figure(loop.result["model"][key]) for loop in loops))
            if (best := f"{key}_of_true_chances") in loops[0].result["model"]:
                table.add_row(
                    "  of the true chances", *(_figure(loop.result["model"][best]) for loop in loops)
                )
    for i, name in enumerate(("first model", "retrained model")):
        table.add_row(f"edge-case skill, {name}", *(_skill(loop.result["models"], i) for loop in loops))
    table.add_row("fields left in the org", *(_left(loop.result["left_after_remove"]) for loop in loops))
    table.add_row(
        "describe as before",
        *(
            {None: "kept", True: "yes", False: "NO"}[loop.result.get("describe_equal_to_before")]
            for loop in loops
        ),
    )
    out.print(table)
    for loop in loops:
        for why, n in loop.result["set_aside"].items():
            out.print(
                f"Set aside when {loop.title} was read: {n:,} rows, {why}.", style="yellow", soft_wrap=True
            )
        if loop.result["mode"] == "snapshot":
            out.print(_NOT_AS_OF, style="yellow", soft_wrap=True)
        out.print(f"Report ({loop.title}): {loop.result['report']}", soft_wrap=True)
    out.print(f"{seconds:.0f} s.", style="dim")


def _figure(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else f"{value:,}"


def _skill(models: list[dict[str, Any]], i: int) -> str:
    if i >= len(models):
        return "–"
    measured = models[i]["skill"]
    if measured.value is None:
        return f"not enough outcomes ({models[i]['edge_cases']})"
    return f"{measured.value:.3f} ({measured.low:.3f} to {measured.high:.3f}), n {measured.n:,}"


def _left(left: list[str] | None) -> str:
    return "kept (--keep)" if left is None else "none" if not left else ", ".join(left)


def _as_json(loops: list[Any], seconds: float, file: Any) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list) else value

    found = {loop.crm: plain({**loop.result, "lead": loop.lead, "seconds": loop.seconds}) for loop in loops}
    if file is None:
        return {"seconds": round(seconds, 1), **found}
    dated = file.dated is not None
    model = {
        **loops[0].result["model"],
        "as_of": dated,
        "stamp": None if dated else _NOT_AS_OF,
        "held_out_how": file.how,
    }
    return {"seconds": round(seconds, 1), "model": model, "file": file.as_dict(), **found}
