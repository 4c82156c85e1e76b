"""A scenario from its TOML file: what it says, checked, with errors that name the line and what is allowed there."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connector.errors import CandorError
from connector.playground.world.scenario import PATHOLOGIES, Scenario, declared

SHIPPED = Path(__file__).parent.parent / "scenarios"
ALL = "all"


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
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ScenarioError(f"The scenario {which} can't be read: {why}.", fix=_or_shipped()) from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Scenario:
    """`file` is how errors name it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}: not TOML: {error}.") from error
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
    quiet = {name for name in PATHOLOGIES if (name in off or ALL in off) and name not in said}
    try:
        scenario = Scenario.model_validate(said)
    except ValidationError as error:
        raise ScenarioError(_explain(error.errors()[0], text, file, len(error.errors()))) from error
    return scenario.model_copy(update={name: PATHOLOGIES[name].off() for name in quiet})


def _explain(error: Any, text: str, file: str, count: int) -> str:
    where = tuple(str(part) for part in error["loc"])
    named = f"[{where[0]}] {'.'.join(where[1:])}" if len(where) > 1 else where[0]
    inner = re.findall(r"'([^']+)'", error["msg"])[-1 if "is called" in error["msg"] else 0 :][:1]
    line = _line(text, (*where, *inner))
    start = f"{file}, line {line}, {named.strip()}"
    also = "" if count == 1 else f" ({count - 1} more after it.)"
    given = error["input"]
    if error["type"] == "extra_forbidden":
        tables = [*Scenario.model_fields, "off"]
        there = tables if len(where) == 1 else [k.name for k in declared() if k.table == where[0]]
        return f"{start}: there is no such {'table' if len(where) == 1 else 'knob'}. {_nearest(where[-1], there)}{also}"
    if error["type"] == "value_error":
        return f"{start}: {error['ctx']['error']}.{also}"
    if len(where) == 1 and where[0] in (*PATHOLOGIES, "world"):
        return (
            f"{start} is {_toml(given)}; allowed is a table: write [{where[0]}] and its knobs below it.{also}"
        )
    knob = next((k for k in declared() if (k.table, k.name) == where[:2]), None)
    if knob is None:
        return f"{start} is {given!r}: {error['msg'].lower()}.{also}"
    kind = {bool: "true or false", int: "a whole number", float: "a number", dict: "a table of numbers"}[type(knob.default)]  # fmt: skip
    limits = "" if knob.low is None else f" from {knob.low:g} to {knob.high:g}"
    return f"{start} is {_toml(given)}; allowed is {kind}{limits} ({knob.says}; default {_toml(knob.default)}).{also}"


def _toml(value: Any) -> str:
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
