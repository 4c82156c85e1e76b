"""The README is a user's first page: what it names exists, and its tables are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer

from connector.cli.document import README, filled
from connector.cli.main import app
from connector.settings import Settings
from crm_schema.permissions import PERMISSION_SETS
from scoring.routing.policy import Policy

TEXT = README.read_text(encoding="utf-8")
ROOT = README.parent
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


def test_tables_of_commands_and_scopes_are_made_from_the_code() -> None:
    assert filled(TEXT) == TEXT, "run python -m connector.cli.document"


def test_every_command_and_option_it_shows_exists() -> None:
    group = typer.main.get_command(app)
    said = re.findall(r"candor ([a-z]+)((?: +(?:--)[a-z-]+)*)", "\n".join(_code()))
    assert {name for name, _ in said} >= {
        "init",
        "doctor",
        "plan",
        "apply",
        "backfill",
        "train",
        "sync",
        "run",
        "remove",
    }
    for name, options in said:
        command = group.commands[name]  # type: ignore[attr-defined]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(options.split()) <= known, f"candor {name} {options}"


def test_every_option_of_init_in_it_exists() -> None:
    group = typer.main.get_command(app)
    known = {o for p in group.commands["init"].params for o in p.opts}  # type: ignore[attr-defined]
    block = re.search(r"candor init --crm salesforce.*?\n\n", TEXT, re.DOTALL)
    assert block is not None
    assert set(re.findall(r"--[a-z-]+", block[0])) <= known


def test_its_settings_and_policy_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, policy = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
    for name in [n for n in __import__("os").environ if n.startswith("CANDOR_")]:
        monkeypatch.delenv(name)
    read = Settings(**settings)
    assert read.crm.options["private_key_file"]
    assert read.mapping.extra["plan"].type == "category"
    assert Policy.model_validate(policy).exploration.share == policy["exploration"]["share"]


def test_permission_sets_are_named_as_they_are() -> None:
    names = {p.name for p in PERMISSION_SETS}
    assert {n for n in re.findall(r"`(Candor_[A-Z][a-z]+)`", TEXT) if n != "Candor_Review"} == names


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_no_line_is_long_and_the_picture_is_light() -> None:
    prose = [line for line in TEXT.splitlines() if not line.startswith(("|", "   |"))]
    assert [line for line in prose if len(line) > 92] == []
    assert (ROOT / "docs/images/record.png").stat().st_size < 200_000


def _code() -> list[str]:
    return [
        *re.findall(r"`([^`\n]+)`", TEXT),
        *(line for line in TEXT.splitlines() if line.startswith("    ")),
    ]
