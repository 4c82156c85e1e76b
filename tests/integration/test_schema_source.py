"""The projects in deploy/ are the declaration, valid by the vendor's schema, and taken by the vendor's own tool (S9.1)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from crm_schema import source
from crm_schema.permissions import HUBSPOT_SCOPES
from crm_schema.plan import drift, plan
from crm_schema.walk import apply
from tests.contract.adapters import SalesforceBench, site
from tests.contract.small_world import small_world
from tests.unit.test_crm_schema_salesforce_files import problems

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ROOTS = {
    "field": "CustomField", "object": "CustomObject", "validationRule": "ValidationRule", "listView": "ListView",
    "tab": "CustomTab", "queue": "Queue", "permissionset": "PermissionSet", "eca": "ExternalClientApplication",
    "LeadConvertSetting": "LeadConvertSettings", "ecaOauth": "ExtlClntAppOauthSettings", "ecaOauthPlcy": "ExtlClntAppOauthConfigurablePolicies",
    "ecaPlcy": "ExtlClntAppConfigurablePolicies",
}  # fmt: skip


@pytest.mark.parametrize("crm", source.PROJECTS)
def test_the_project_in_deploy_is_the_one_the_declaration_gives(crm: str) -> None:
    made = source.PROJECTS[crm]()
    there = {p: (DEPLOY / crm / p).read_bytes() for p in source.there(DEPLOY / crm)}
    assert sorted(there) == sorted(made), "run python -m crm_schema.source"
    assert [p for p in made if there[p] != made[p]] == [], "run python -m crm_schema.source"


def test_every_source_file_is_valid_by_the_vendors_schema() -> None:
    files = [(p, c) for p, c in source.salesforce().items() if p.endswith("-meta.xml")]
    assert len(files) == 84
    for path, content in files:
        kind = ROOTS[path.split("/")[-1].split(".")[-2].removesuffix("-meta")]
        root = ET.fromstring(content)
        assert root.tag.endswith(f"}}{kind}"), path
        assert problems(root, kind, path) == []


def test_the_app_asks_for_the_scopes_that_are_declared() -> None:
    app = json.loads(source.hubspot_project()["src/app/app-hsmeta.json"])
    auth = app["config"]["auth"]
    assert {*auth["requiredScopes"], *auth["optionalScopes"]} == {s.name for s in HUBSPOT_SCOPES}


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (DEPLOY / "salesforce" / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.skipif(
    shutil.which("node") is None or not (DEPLOY / "salesforce" / "node_modules").exists(),
    reason="needs Node and `npm ci` in deploy/salesforce",
)
def test_the_vendors_own_tool_converts_it_and_the_org_takes_it(tmp_path: Path) -> None:
    zips = {}
    for folder, count in (("connection", 4), ("conversion", 1), ("force-app", 66)):
        told = subprocess.run(
            ["node", "convert.mjs", folder, str(tmp_path / folder)],
            cwd=DEPLOY / "salesforce", capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        made = json.loads(told.stdout)
        assert made["components"] >= count
        zips[folder] = Path(made["zip"]).read_bytes()
    with site(SalesforceBench, tmp_path) as where:
        where.seed(small_world)
        with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
            port = bench.connect().schema()
            for content in (zips["force-app"], zips["connection"], zips["conversion"]):
                port.run("deploy", {"zip": content})
            port.run("assign", {"permission_set": "Candor_Integration"})
            # what the source can't know: which of the org's own fields are there to be read
            assert [f for f in drift(port) if "Candor_" in f.what] == []
            apply(plan(port), port)
            assert drift(port) == []
