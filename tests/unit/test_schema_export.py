"""What `candor remove` exports: a folder for each run, and no record that holds nothing but an unticked box."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from connector.cli import schema as commands

NOW = datetime(2026, 11, 29, 12, 45, 5, tzinfo=UTC)


@pytest.fixture
def context(tmp_path: Path) -> Any:
    @contextmanager
    def begin() -> Iterator[None]:
        yield None

    return SimpleNamespace(
        settings=SimpleNamespace(store=SimpleNamespace(data=tmp_path)),
        store=SimpleNamespace(begin=begin),
        clock=SimpleNamespace(now=lambda: NOW),
    )


def holding(monkeypatch: pytest.MonkeyPatch, leads: dict[str, dict[str, Any]]) -> None:
    monkeypatch.setattr(commands.records, "record_values", lambda db, kind: leads if kind == "lead" else {})


def test_a_second_export_leaves_the_first_as_it_was(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    holding(monkeypatch, {"L1": {"candor_tags": ["unexpected_fit"]}})
    _, first = commands.export(context)
    holding(monkeypatch, {"L1": {"candor_tags": ["score_seems_high"]}})
    _, second = commands.export(context)
    assert (first.name, second.name) == ("2026-11-29-124505", "2026-11-29-124505-2")
    assert "unexpected_fit" in (first / "lead.csv").read_text()
    assert "score_seems_high" in (second / "lead.csv").read_text()
    assert (first.stat().st_mode & 0o777, first.parent.stat().st_mode & 0o777) == (0o700, 0o700)


def test_an_unticked_box_alone_is_no_data(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    holding(
        monkeypatch,
        {
            "L1": {"candor_do_not_score": False, "email": "a@b.example"},
            "L2": {"candor_do_not_score": True},
            "L3": {"candor_do_not_score": False, "candor_override_score": 0.0},
        },
    )
    exported, folder = commands.export(context)
    assert exported == 2
    with (folder / "lead.csv").open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["L2", "L3"]
    assert pq.read_table(folder / "lead.parquet").column("id").to_pylist() == ["L2", "L3"]


def test_nothing_to_export_makes_no_folder(
    context: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    holding(monkeypatch, {"L1": {"candor_do_not_score": False}})
    assert commands.export(context) == (0, None)
    assert list(tmp_path.iterdir()) == []
