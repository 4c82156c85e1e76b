"""candor plan, verify, remove as an admin meets them: what they print, and their exit codes (issue 11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.cli import schema as commands
from connector.crm.salesforce.errors import SchemaRefused
from connector.errors import CandorError
from crm_schema.plan import removal
from crm_schema.walk import apply
from tests.contract.adapters import BENCHES, Bench, SalesforceBench, Site, site
from tests.contract.small_world import small_world
from tests.integration.test_schema_drift import HUBSPOT, SALESFORCE, stored


@pytest.fixture(scope="module", params=BENCHES, ids=[b.vendor for b in BENCHES])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(request.param, tmp_path_factory.mktemp(request.param.vendor)) as made:
        made.seed(small_world)
        yield made


@pytest.fixture(autouse=True)
def no_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "reads", lambda context: {})


def context(bench: Bench, applied: dict[str, Any] | None) -> Any:
    return SimpleNamespace(crm=bench.connect(), store=SimpleNamespace(get=lambda key: applied))


def test_plan_tells_changes_calls_limits_and_what_a_write_would_start(
    where: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        assert commands.plan(context(bench, None), True, True) == 2
        told = json.loads(capsys.readouterr().out)
        assert told["write_calls"] <= (12 if bench.vendor == "salesforce" else 16)
        assert told["reads"] > 0
        assert {a["object"] for a in told["automations"]} & {"Lead", "contacts"}
        assert any("left afterwards" in one for one in told["room"])
        if bench.vendor == "salesforce":
            assert any(one.startswith("Contact keeps no history") for one in told["limits"])
    with where.open(where.copy("candor", tmp_path / "installed.sqlite")) as bench:
        assert commands.plan(context(bench, None), True, False) == 0
        assert "Nothing to do." in capsys.readouterr().out


def test_verify_tells_drift_by_its_exit_code(
    where: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
        with pytest.raises(CandorError, match="never applied"):
            commands.verify(context(bench, None), True, False)
        assert commands.verify(context(bench, {"tracked": []}), True, False) == 0
        capsys.readouterr()
        inject = (
            SALESFORCE["a field is deleted"]
            if bench.vendor == "salesforce"
            else HUBSPOT["a property is archived"]
        )
        inject[1](bench)
        assert commands.verify(context(bench, {"tracked": []}), True, True) == 2
        [finding] = json.loads(capsys.readouterr().out)["drift"]
        assert finding["kind"] in ("field_gone", "property_gone")
        assert finding["breaks"] == "nobody sees a score, and no list or report can sort by it"


def test_what_refers_to_a_field_is_shown_before_it_goes(tmp_path: Path) -> None:
    with site(SalesforceBench, tmp_path) as where:
        where.seed(small_world)
        with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
            used = [
                {"field": "Lead.Candor_Score__c", "kind": "Report", "name": "Best leads"},
                {"field": "Lead.Candor_Route__c", "kind": "Flow", "name": "Assign by route"},
            ]
            stored(lambda s: s.update(references=used))(bench)
            port = bench.connect().schema()
            assert sorted(commands.referred(port.references())) == [
                "  Flow “Assign by route” uses Lead.Candor_Route__c",
                "  Report “Best leads” uses Lead.Candor_Score__c",
                "These of yours use Candor's fields:",
            ]
            before = port.read()
            with pytest.raises(SchemaRefused, match="Assign by route"):
                apply(removal(port), port)
            assert port.read() == before
            stored(lambda s: s.update(references=used[:1]))(bench)
            apply(removal(port), port)
