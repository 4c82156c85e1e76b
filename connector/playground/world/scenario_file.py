"""A scenario from its TOML file: what it says, checked, with errors that name the line and what is allowed there."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connector.errors import CandorError
from connector.playground.world.scenario import OF_DATA, PATHOLOGIES, TABLES, Scenario, declared

SHIPPED = Path(__file__).parent.parent / "scenarios"
ALL = "all"
KEYS = (*(name for name in Scenario.model_fields if name not in TABLES), "off")
"""What stands at the top of a file, above its tables."""


class ScenarioError(CandorError):
    """The scenario can't be played. docs/scenarios.md says how one is written."""


def shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def read_scenario(which: str | Path) -> Scenario:
    """A shipped scenario by its bare name, or a file. ScenarioError names file, line, key and what is allowed."""
    path = Path(which)
    if path.parent == Path() and (SHIPPED / f"{path.name}.toml").exists() and not path.exists():
        path = SHIPPED / f"{path.name}.toml"
    try:
        text = path.read_text("utf-8-sig")  # Windows editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ScenarioError(f"The scenario {which} can't be read: {why}.", fix=_or_shipped()) from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Scenario:
    """`file` is how errors name it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(_not_toml(str(error), text, file)) from error
    off = said.pop("off", [])
    if not isinstance(off, list) or not all(isinstance(name, str) for name in off):
        raise ScenarioError(f"{file}, line {_line(text, ('off',))}: off is a list of names in quotes.")
    for name in off:
        if name not in PATHOLOGIES and name != ALL:
            raise ScenarioError(
                f"{file}, line {_line(text, ('off',))}: off names {name!r}, which is no pathology.",
                fix=_nearest(name, [*PATHOLOGIES, ALL]),
            )
        if name in said:
            raise ScenarioError(
                f"{file}, line {_line(text, (name,))}: [{name}] is set and also in off.", fix="Take one of them out."
            )  # fmt: skip
    _fits_data(said, off, text, file)
    quiet = {name for name in PATHOLOGIES if (name in off or ALL in off) and name not in said}
    try:
        scenario = Scenario.model_validate(said)
    except ValidationError as error:
        raise ScenarioError(_explain(error.errors()[0], text, file, len(error.errors()))) from error
    return scenario.model_copy(update={name: PATHOLOGIES[name].off() for name in quiet})


def _not_toml(error: str, text: str, file: str) -> str:
    """A key or table that is there twice is named; of anything else the reader's own words are given, with the line."""
    number = int(found[1]) if (found := re.search(r"at line (\d+)", error)) else len(text.splitlines())
    lines = text.splitlines()
    if not any(word in error for word in ("twice", "overwrite", "mutate")) or not 0 < number <= len(lines):
        return f"{file}, line {number}: not TOML: {error}."
    if table := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", lines[number - 1]):
        return f"{file}, line {number}: [{table[1]}] is there twice. Put all of its knobs below one [{table[1]}]."
    key = lines[number - 1].split("=")[0].strip()
    return f"{file}, line {number}: {key} is there twice. Keep one of them."


def _fits_data(said: dict[str, Any], off: list[str], text: str, file: str) -> None:
    """Real rows are as they are: only what people do about them can be said."""
    if said.get("data") is None:
        if "form" in said:
            raise ScenarioError(
                f"{file}, line {_line(text, ('form',))}: form is of the model that real rows' outcomes are drawn from.",
                fix="Name a data set with data, or take form out.",
            )
        return
    fix = f"With data a file may say only: {', '.join(OF_DATA)}."
    for name in (*(table for table in TABLES if table in said), *off):
        if name not in (*OF_DATA, ALL):
            where = ("off",) if name in off else (name,)
            raise ScenarioError(
                f"{file}, line {_line(text, where)}: {name} is of made-up leads, and data asks for real rows.", fix=fix
            )  # fmt: skip
    if isinstance(attention := said.get("attention"), dict) and "history" in attention:
        raise ScenarioError(
            f"{file}, line {_line(text, ('attention', 'history'))}: [attention] history is of made-up leads: "
            "of real rows nobody knows who was neglected.", fix="Take it out.",
        )  # fmt: skip


def _explain(error: Any, text: str, file: str, count: int) -> str:
    where = tuple(str(part) for part in error["loc"])
    named = f"[{where[0]}] {'.'.join(where[1:])}" if len(where) > 1 else where[0]
    inner = re.findall(r"'([^']+)'", error["msg"])[-1 if "is called" in error["msg"] else 0 :][:1]
    line = _line(text, (*where, *inner))
    start = f"{file}, line {line}, {named.strip()}"
    also = "" if count == 1 else f" ({count - 1} more after it.)"
    given = error["input"]
    if error["type"] == "extra_forbidden":
        if len(where) > 1:
            there = [k.name for k in declared() if k.table == where[0]]
            return f"{start}: there is no such knob. {_nearest(where[-1], there)}{also}"
        if isinstance(given, dict):
            return f"{start}: there is no such table. {_nearest(where[0], [*TABLES])}{also}"
        said = _nearest(where[0], [*KEYS, *TABLES])
        if homes := [f"[{k.table}]" for k in declared() if k.name == where[0]]:
            said = f"It is a knob: write it below {' or '.join(homes)}."
        elif not said.startswith("Did"):
            said = f"Above the tables there may be: {', '.join(KEYS)}."
        return f"{start}: there is no such key. {said}{also}"
    if error["type"] == "value_error":
        return f"{start}: {error['ctx']['error']}.{also}"
    if len(where) == 1 and where[0] in TABLES:
        return (
            f"{start} is {_toml(given)}; allowed is a table: write [{where[0]}] and its knobs below it.{also}"
        )
    knob = next((k for k in declared() if (k.table, k.name) == where[:2]), None)
    if knob is None:
        return f"{start} is {_toml(given)}; allowed is {Scenario.model_fields[where[0]].description}.{also}"
    kind = {bool: "true or false", int: "a whole number", float: "a number", dict: "a table"}[type(knob.default)]  # fmt: skip
    limits = "" if knob.low is None else f" from {knob.low:g} to {knob.high:g}"
    return f"{start} is {_toml(given)}; allowed is {kind}{limits} ({knob.says}; default {_toml(knob.default)}).{also}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_toml(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)  # fmt: skip


def _line(text: str, where: tuple[str, ...]) -> int:
    """The line (from 1) of a key: its own, else that of the nearest table or key above it."""
    best, depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if found := re.match(r"\[+\s*([^\]]+?)\s*\]+", line):
            table = _keys(found[1])
            here = table
        elif found := re.match(r"""((?:[\w.\- ]|"[^"]*"|'[^']*')+?)\s*=""", line):
            here = (*table, *_keys(found[1]))
        else:
            continue
        if len(here) > depth and where[: len(here)] == here:
            best, depth = number, len(here)
    return best


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""[^."']+|"[^"]*"|'[^']*'""", dotted) if part.strip())  # fmt: skip


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names)}."


def _or_shipped() -> str:
    return f"Give a file, or one of those shipped: {', '.join(shipped())}."
