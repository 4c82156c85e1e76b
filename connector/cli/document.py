"""The parts of the README that are made from code: `python -m connector.cli.document` writes them between their marks; a test
keeps them equal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer

from connector.cli.main import app
from crm_schema.permissions import HUBSPOT_SCOPES

README = Path(__file__).parents[2] / "README.md"


def commands() -> str:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    rows = [
        f"| `{' '.join(['candor', name, *_arguments(command)])}` | {command.help} |"
        for name, command in group.commands.items()
    ]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def _arguments(command: Any) -> list[str]:
    return [str(p.name).upper() for p in command.params if p.param_type_name == "argument"]


def scopes() -> str:
    rows = [f"   | `{scope.name}` | {scope.why} |" for scope in HUBSPOT_SCOPES]
    return "\n".join(["   | scope | what for |", "   | --- | --- |", *rows])


PARTS: Mapping[str, Callable[[], str]] = {"commands": commands, "scopes": scopes}


def filled(text: str) -> str:
    """The README with its parts made anew. Each stands between `<!-- name…-->` and `<!-- /name -->`."""
    for name, make in PARTS.items():
        made = make()
        pattern = rf"(<!-- {name}\b[^\n]*-->\n).*?([ ]*<!-- /{name} -->)"
        text, found = re.subn(pattern, lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text, flags=re.DOTALL)  # type: ignore[misc]
        assert found == 1, f"the README has {found} places for {name}"
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
