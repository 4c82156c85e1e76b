"""The page "what works where", made from what the adapters declare: `python -m connector.crm.parity` writes it to docs/; a
test keeps it equal to the declarations (S9.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from connector.crm.base import Capabilities
from connector.crm.registry import TITLES

PAGE = Path(__file__).parents[2] / "docs" / "what-works-where.md"

_FIGURES: tuple[tuple[str, Callable[[Capabilities], str]], ...] = (
    ("records written by one API call", lambda c: f"{c.write_batch:,}"),
    ("records read back by one API call", lambda c: f"{c.read_batch:,}"),
    ("history is kept of", lambda c: c.history),
    ("how far back", lambda c: c.history_limit),
)


def declared() -> Mapping[str, Capabilities]:
    """By the name of the CRM's folder."""
    return {kind: import_module(f"connector.crm.{kind}.adapter").CAPABILITIES for kind in TITLES}


def page(found: Mapping[str, Capabilities]) -> str:
    crms = list(found.values())
    limits = sorted({name for c in crms for name in c.not_implemented})
    parts = [
        "# What works where",
        "<!-- Made by `python -m connector.crm.parity` from the adapters' declarations. Change those, not this. -->",
        "Every command works with both CRMs, and one suite of contract tests (tests/contract/) runs over both. "
        "Where they differ, the adapter declares it: the rest of Candor asks the declaration and never the vendor's name.",
        _table(["", *(c.title for c in crms)], [[name, *(say(c) for c in crms)] for name, say in _FIGURES]),
        "## What a platform's limit prevents",
        "– means that this CRM sets no such limit. What Candor itself can't do yet is in the README.",
        _table(
            ["", *(c.title for c in crms)],
            [[name, *(c.not_implemented.get(name, "–") for c in crms)] for name in limits],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    PAGE.write_text(page(declared()), encoding="utf-8")
