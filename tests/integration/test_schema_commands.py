"""candor plan, verify, remove as an admin meets them: what they print, and their exit codes (issue 11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.cli import schema as commands
from connector.cli.doctor import _schema
from connector.crm.salesforce.errors import SchemaRefused
from connector.errors import CandorError
from crm_schema.permissions import HUBSPOT_SCOPES
from crm_schema.plan import plan, removal
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
        assert {(one["object"], one["what"]) for one in told["limits"]} >= {
            ("Lead", "custom fields") if bench.vendor == "salesforce" else ("contacts", "custom properties")
        }
        assert all(one["left"] >= 0 for one in told["limits"])
        assert told["lacks"] == []
        if bench.vendor == "salesforce":
            assert any(one.startswith("Contact keeps no history") for one in told["notes"])


def test_a_program_reads_each_change_as_an_object(
    where: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        commands.plan(context(bench, None), True, True)
        changes = json.loads(capsys.readouterr().out)["changes"]
        noun, on, name = (
            ("field", "Lead", "Candor_Score__c")
            if bench.vendor == "salesforce"
            else ("property", "contacts", "candor_score")
        )
        [score] = [c for c in changes if (c["object"], c["name"]) == (on, name)]
        assert score == {
            "do": "create", "what": noun, "object": on, "name": name, "type": "number", "label": "Candor score",
            "text": score["text"],
        }  # fmt: skip
        assert all(
            (c["name"] and c["do"] == "create") or c["do"] == "assign" or c["what"] == "conversion mapping"
            for c in changes
        )
        made = apply(plan(bench.connect().schema()), bench.connect().schema())
        assert [line.told() for line in made.lines] == changes


def test_a_plan_begins_with_what_it_comes_to(
    where: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        commands.plan(context(bench, None), True, False)
        first = capsys.readouterr().out.splitlines()[0]
        on = "27 on Lead" if bench.vendor == "salesforce" else "27 on contacts"
        assert first.startswith("Creates ")
        assert on in first
    with where.open(where.copy("candor", tmp_path / "installed.sqlite")) as bench:
        assert commands.plan(context(bench, None), True, False) == 0
        assert "Nothing to do." in capsys.readouterr().out


def test_plan_and_doctor_name_every_scope_that_lacks_in_one_line(
    where: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if where.bench.vendor == "salesforce":
        return  # by rights: test_schema_refused.py
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        writes = {s.name for s in HUBSPOT_SCOPES if s.schema_only}
        daily = [s.name for s in HUBSPOT_SCOPES if not s.schema_only]
        bench.org.set_meta("scopes", daily)
        assert commands.plan(context(bench, None), True, True) == 2
        assert set(json.loads(capsys.readouterr().out)["lacks"]) == writes
        [unapplied, refused] = _schema(context(bench, None), [])
        assert "not in the org yet" in unapplied.what
        assert all(scope in refused.what for scope in writes)
        bench.org.set_meta("scopes", [s for s in daily if s != "crm.lists.read"])
        here = context(bench, None)
        monkeypatch.setattr(commands, "working", lambda config, as_json: nullcontext(here))
        with pytest.raises(CandorError) as stopped:
            commands.run("plan", None, True, False)
        assert all(scope in str(stopped.value) for scope in (*writes, "crm.lists.read"))
        assert "\n" not in str(stopped.value)


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
        told = json.loads(capsys.readouterr().out)
        [finding] = told["drift"]
        assert told["counts"] == {finding["kind"]: 1}
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


def test_verify_of_an_emptied_org_counts_first_and_says_once_who_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with site(SalesforceBench, tmp_path) as where:
        where.seed(small_world)
        with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
            assert commands.verify(context(bench, {"tracked": []}), True, False) == 2
            lines = capsys.readouterr().out.splitlines()
            assert lines[0].startswith(f"{len(lines) - 2} findings: field gone ")
            assert lines[-1] == "`candor apply` mends all."
            assert sum("candor apply" in line for line in lines) == 1
            assert not any("[" in line for line in lines)
