"""A file of leads before the loop: which mapping it gets, what that says, counted and shown, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from connector.errors import InputError
from connector.jobs.gates import leakage_dict
from connector.playground.world import proposal
from connector.playground.world.csv import read_table
from connector.playground.world.dated import Dated, read_dated, with_outcomes, with_times
from connector.playground.world.mapping import SHIPPED, TableMapping, read_mapping, write_mapping
from connector.playground.world.table import Rows, read_rows
from scoring.audit.evidence import Evidence, no_rows
from scoring.audit.find import leakage
from scoring.audit.leakage import Leakage

FEWEST = 20
"""won, and lost, rows to learn from: fewer say nothing"""
RANDOM = (
    "at random: nothing in the file says when a lead came in. If its rows stand in order of time, "
    '`order = "last"` under [held_out] of the mapping is the harder and fairer test.'
)
LAST = "the last rows of the file, which its mapping says is in order of time."
IN_TIME = "the latest leads whose outcome is known, each as of the days on which it would have been scored."
HIDDEN = "Every lead of the file has ended, so the org is handed over on {at:%Y-%m-%d}, when {open:,} were open: what came later is hidden."
CLOCKED = (
    "The rows seem to stand in order of time (some columns move with it), so a test at random flatters: "
    'see it with `order = "last"` under [held_out] too.'
)

Ask = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class File:
    """A file that fits its mapping."""

    path: Path
    mapping: TableMapping
    origin: str
    """given, shipped or proposed"""
    rows: Rows
    leaks: Leakage
    """of every column of the file, left out or not"""
    events: Path | None = None
    dated: Dated | None = None
    """the leads with their events; None: the file stands alone, without times"""

    def as_dict(self) -> dict[str, Any]:
        won, held = self.rows.won, self.rows.held_out
        return {
            "file": self.path.name, "mapping": self.origin, "rows": len(won), "won": won.count(True), "lost": won.count(False),
            "open": won.count(None) if self.dated is None else self.dated.open, "events": None if self.dated is None else len(self.dated.events),
            "held_out": None if self.dated is not None else sum(held), "held_out_how": self.how, "fields": self.fields(), "left_out": dict(self.mapping.left_out),
            "flagged": list(proposal.doubts(self.mapping)), "notes": self.notes(),
            "set_aside": [] if self.dated is None else [asdict(one) for one in self.dated.aside],
            "audit": leakage_dict(self.leaks),
        }  # fmt: skip

    @property
    def how(self) -> str:
        if self.dated is not None:
            return IN_TIME
        return RANDOM if self.mapping.held_out.order == "random" else LAST

    def notes(self) -> list[str]:
        if self.dated is not None:
            now = self.dated.now
            gone = any(at is not None and at > now for at in self.dated.ended)
            return [HIDDEN.format(at=now, open=self.dated.open)] if gone else []
        clocks = any(why.startswith(proposal.CLOCK) for why in self.mapping.left_out.values())
        return [CLOCKED] if clocks and self.mapping.held_out.order == "random" else []

    def fields(self) -> list[dict[str, Any]]:
        """The columns that describe a lead: type, share of blanks, different values."""
        rows = self.rows
        found = [
            (c, name, "standard field", rows.fields[name])
            for name, c in self.mapping.lead.items()
            if name in rows.fields
        ]
        found += [(of.column, name, of.type, rows.extra[name]) for name, of in self.mapping.columns.items()]
        return [
            {"column": column, "field": name, "type": type, "blank": values.count(None) / len(values), "values": len(set(values) - {None})}
            for column, name, type, values in found
        ]  # fmt: skip


def choose(
    path: Path, mapping: Path | None, events: Path | None = None
) -> tuple[pa.Table, TableMapping, str]:
    """The file, and the mapping given, else the one shipped for a file (or, of leads with events, a folder) of this name, else
    one proposed."""
    for file, option in ((path, "--leads"), (events, "--events")):
        if file is not None and file.is_dir():
            raise InputError(f"{file} is a folder, not a file.", fix=f"Name a file in it with {option}.")
        if file is not None and not file.is_file():
            raise InputError(f"There is no file {file}.", fix=f"Check the path of {option}.")
    table = read_table(path)
    names = [path.name.split(".")[0], *([path.resolve().parent.name] if events is not None else [])]
    shipped = next((name for name in names if (SHIPPED / f"{name}.toml").exists()), None)
    if mapping is not None:
        meant, origin = read_mapping(mapping), "given"
    elif shipped is not None:
        meant, origin = read_mapping(Path(shipped)), "shipped"
    else:
        meant, origin = proposal.propose(table, names[0]), "proposed"
    if events is not None:
        table = with_outcomes(table, meant, path.parent)
        meant = with_times(meant, table)
    return table, meant, origin


def settle(table: pa.Table, mapping: TableMapping, ask: Ask) -> TableMapping:
    """Of a proposal: each column left out on suspicion stays out unless the person says that it was known before."""
    for column, why in proposal.doubts(mapping).items():
        if not ask(f"{column}: {why}. Leave it out?"):
            mapping = proposal.keep(mapping, table, column)
    return mapping


def checked(
    path: Path,
    table: pa.Table,
    mapping: TableMapping,
    origin: str,
    events: Path | None = None,
    today: datetime | None = None,
) -> File:
    """The whole file, and its events where there are any, read by the mapping. InputError names file, line, column and
    mend. `today`: nothing in files with dates can be later."""
    dated = None if events is None else read_dated(table, mapping, events, today)
    if dated is not None and mapping.events is not None:
        # said in the mapping from here on, so that whoever reads the files by it sets the same rows aside
        mapping = mapping.model_copy(
            update={"events": mapping.events.model_copy(update={"until": dated.until})}
        )
        table = table.take(pa.array(dated.places, pa.int64()))
    rows = read_rows(table, mapping) if dated is None else dated.rows
    if dated is None and None in rows.won:
        raise InputError(
            f"{path.name} has leads without an outcome, and nothing in it is dated.",
            fix="Give their events with --events, or leave those leads out.",
        )
    if dated is None and not rows.fields and not rows.extra:
        raise InputError(
            f"{path.name}: no column is left that describes a lead.", fix="Name some under [columns] of the mapping."
        )  # fmt: skip
    held = rows.held_out if dated is None else [False] * len(rows.won)
    learn = [won for won, out in zip(rows.won, held, strict=True) if not out and won is not None]
    for word, count, said in (
        ("won", learn.count(True), mapping.outcome.won),
        ("lost", learn.count(False), mapping.outcome.lost),
    ):
        if count < FEWEST:
            raise InputError(
                f"{path.name}: {count or 'none'} of {len(learn):,} rows to learn from {'is' if count <= 1 else 'are'} {word} "
                f"({mapping.outcome.column} = {' or '.join(said)}); at least {FEWEST} are needed.",
                fix="Check [outcome] of the mapping, or export more leads.",
            )
    return File(path, mapping, origin, rows, leakage(_evidence(table, mapping)), events, dated)


def _evidence(table: pa.Table, mapping: TableMapping) -> Evidence:
    """The file as the leakage audit looks at it: without times."""
    blanks = {value.lower() for value in mapping.blanks}
    texts = {
        name: [
            None if text.strip().lower() in blanks | of else text.strip() for text in table[name].to_pylist()
        ]
        for name in table.column_names
        if name not in (mapping.id, mapping.outcome.column, mapping.outcome.amount)
        for of in [{value.lower() for value in mapping.blanks_of.get(name, ())}]
    }
    ids = pa.array([str(i) for i in range(table.num_rows)])
    said = {**dict.fromkeys(mapping.outcome.won, True), **dict.fromkeys(mapping.outcome.lost, False)}
    won = pa.array([said.get(text.strip()) for text in table[mapping.outcome.column].to_pylist()], pa.bool_())
    return Evidence(
        pa.table({"lead_id": ids, "won": won}),
        pa.table({"lead_id": ids, **{name: pa.array(values, pa.string()) for name, values in texts.items()}}),
        no_rows("changes"), no_rows("activities"), frozenset(), None,
    )  # fmt: skip


def save(mapping: TableMapping, path: Path) -> Path:
    path.write_text(write_mapping(mapping))
    return path
