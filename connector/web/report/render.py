"""One self-contained HTML page: no outside resource, opens from an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connector.web.report.words import percent

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Mapping[str, Any]) -> str:
    """The page for what `content` gathered."""
    return _environment().get_template("page.html").render(report=report)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tick"] = _tick
    environment.filters["tick_round"] = percent
    return environment


def _tick(value: float) -> str:
    """A share as an axis says it: 25 %."""
    return f"{100 * value:g}\N{NO-BREAK SPACE}%"
