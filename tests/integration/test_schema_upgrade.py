"""An org that is two versions behind is brought up by one apply, and no value is lost on the way (issue 11, item 6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_schema.plan import drift, plan, removal
from crm_schema.walk import apply, explain
from tests.contract.adapters import BENCHES, Bench, Site, site
from tests.contract.small_world import small_world
from tests.faults.test_kill_schema import plain
from tests.integration.schema_versions import declare

PEOPLE: dict[str, dict[str, Any]] = {
    "L01": {
        "tags": "odd_buying;unexpected_fit",
        "override_score": "90",
        "why": "Knows the CFO",
        "mood": "fine",
    },
    "L02": {"tags": "unexpected_fit", "override_score": "7", "no_score": "yes"},
    "L03": {"surprise_reason": "lost_price", "no_score": "no"},
    "L04": {"surprise_reason": "lost_person_left", "score": 62.0},
    "L12": {"surprise_reason": "other", "why": "x" * 255},
}
"""What stands on leads in a schema of version 0.1, by Candor's keys."""
CARRIED: dict[str, dict[str, Any]] = {
    "L01": {
        "tags": "unexpected_fit;unusual_buying_process",
        "override_score": 90.0,
        "override_reason": "Knows the CFO",
    },
    "L02": {"tags": "unexpected_fit", "override_score": 7.0, "do_not_score": True},
    "L03": {"surprise_reason": "lost_no_budget", "do_not_score": False},
    "L04": {"surprise_reason": "lost_champion_left", "score": 62.0},
    "L12": {"surprise_reason": "other", "override_reason": "x" * 255},
}
"""The same in version 0.3."""


@pytest.fixture(scope="module", params=BENCHES, ids=[b.vendor for b in BENCHES])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(request.param, tmp_path_factory.mktemp(request.param.vendor)) as made:
        made.seed(small_world)
        yield made


def name(bench: Bench, key: str) -> str:
    if bench.vendor == "hubspot":
        return f"candor_{key}"
    return "Candor_" + "_".join(w.capitalize() for w in key.split("_")) + "__c"


def say(bench: Bench, told: dict[str, dict[str, Any]]) -> None:
    """What people said on leads, as an old org has it. HubSpot keeps texts."""
    for key, values in told.items():
        kept = {
            name(bench, k): (f"{v:g}" if isinstance(v, float) and bench.vendor == "hubspot" else v)
            for k, v in values.items()
        }
        bench.org.update(bench.objects["lead"], bench.id("lead", key), kept, by="1", via="ui")


def said(bench: Bench, keys: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key, values in keys.items():
        row = bench.org.get(bench.objects["lead"], bench.id("lead", key))
        assert row is not None
        found[key] = {k: canonical(row.data.get(name(bench, k)), v) for k, v in values.items()}
    return found


def canonical(value: Any, like: Any) -> Any:
    if isinstance(like, bool):
        return str(value).lower() == "true"
    if isinstance(like, float):
        return float(value)
    return ";".join(sorted(value.split(";"))) if value else value


def old_org(bench: Bench, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An org that Candor `version` has set up, with what people said in it."""
    port = bench.connect().schema()
    for v in ("0.1", "0.2"):
        if v <= version:
            declare(v, monkeypatch.setattr)
            apply(plan(port), port)
        if v == "0.1":
            say(bench, PEOPLE)
    declare("0.3", monkeypatch.setattr)


def fresh(where: Site, path: Path) -> Any:
    with where.open(where.copy("bare", path)) as bench:
        port = bench.connect().schema()
        apply(plan(port), port)
        return {
            k: plain(v) for k, v in port.read().items() if k not in ("custom_fields", "custom_properties")
        }


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_one_apply_brings_an_old_org_up_with_its_values(
    where: Site, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare("0.3", monkeypatch.setattr)
    whole = fresh(where, tmp_path / "fresh.sqlite")
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        old_org(bench, version, monkeypatch)
        crm = bench.connect()
        port = crm.schema()
        shown = plan(port)
        words = "\n".join(explain(shown))
        assert "override_score" in words.lower()
        assert "lost_budget is now lost_no_budget" in words or "lost_price is now lost_no_budget" in words
        assert [f.kind for f in drift(port) if f.kind == "behind"]
        writes = crm.usage().writes
        done = apply(shown, port)
        assert crm.usage().writes - writes == done.calls == shown.calls
        assert done.lines == tuple(str(line) for line in shown.changes)
        assert said(bench, CARRIED) == CARRIED
        assert plan(port).empty
        assert drift(port) == []
        now = {k: plain(v) for k, v in port.read().items() if k in whole}
        assert now == whole
        apply(removal(port), port)
        assert not [n for n in str(port.read()) if n == "candor_"]
