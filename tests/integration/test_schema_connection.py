"""The app that Candor signs in through in Salesforce: made on request, by certificate, and taken out again (issue 11)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import trustme

from connector.crm.base import AuthError
from connector.crm.salesforce.errors import SchemaRefused
from crm_schema import source
from crm_schema.connection import Connect
from crm_schema.errors import SchemaError
from crm_schema.plan import drift, plan, removal, sign_in
from crm_schema.render.salesforce_connection import APP, consumer_key
from crm_schema.stages import Deploy
from crm_schema.walk import apply, explain
from tests.contract.adapters import Bench, SalesforceBench, Site, site
from tests.contract.small_world import small_world
from tests.integration.test_schema_on_local_crm import Dying
from tests.unit.crm_schema_orgs import HubSpotPortal
from tests.unit.test_crm_schema_salesforce_files import problems

KINDS = {
    "eca": "ExternalClientApplication", "ecaOauth": "ExtlClntAppOauthSettings", "ecaPlcy": "ExtlClntAppConfigurablePolicies",
    "ecaOauthPlcy": "ExtlClntAppOauthConfigurablePolicies", "ecaGlblOauth": "ExtlClntAppGlobalOauthSettings",
}  # fmt: skip

DAY = 86_400_000


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(SalesforceBench, tmp_path_factory.mktemp("salesforce")) as made:
        made.seed(small_world)
        yield made


@pytest.fixture
def bare(where: Site, tmp_path: Path) -> Iterator[Bench]:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        yield bench


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Connect]:
    """A private key's file, and the certificate of it as an admin gives it."""
    made = trustme.CA(key_type=trustme.KeyType.RSA).issue_cert("candor.example", key_type=trustme.KeyType.RSA)
    key = tmp_path_factory.mktemp("key") / "candor.key"
    key.write_bytes(made.private_key_pem.bytes())
    return key, Connect(made.cert_chain_pems[0].bytes().decode(), "you@example.com")


def by_certificate(bench: Bench, client_id: str, key: Path) -> Any:
    row = bench.org.get("User", str(bench.org.meta("integration_user")))
    assert row is not None
    options = {
        "client_id": client_id, "private_key_file": str(key), "username": row.data["Username"],
        "login": bench.connection().url,
    }  # fmt: skip
    return bench.connect(token="", options=options)


def test_candor_signs_in_through_the_app_that_apply_made(bare: Bench, pair: tuple[Path, Connect]) -> None:
    key, connect = pair
    crm = bare.connect()
    port = crm.schema()
    before = port.read()
    shown = plan(port, connect=connect)
    assert any("external client app Candor" in line for line in explain(shown))
    wrote = crm.usage().writes
    done = apply(shown, port)
    assert crm.usage().writes - wrote == done.calls == 3
    assert plan(port, connect=connect).empty
    assert drift(port, app=True) == []
    signed_in = by_certificate(bare, **sign_in(port, connect), key=key)
    assert signed_in.check().user == crm.check().user
    assert signed_in.schema().read()["signed_in_by_app"]
    apply(removal(port), port)
    bare.org.advance(15 * DAY)  # until then Salesforce counts the deleted fields
    assert port.read() == before
    with pytest.raises(AuthError):
        by_certificate(bare, **sign_in(port, connect), key=key).check()


def test_a_run_that_died_after_making_the_app_needs_nothing_read_back(
    bare: Bench, pair: tuple[Path, Connect]
) -> None:
    key, connect = pair
    port = bare.connect().schema()
    shown = plan(port, connect=connect)
    for written in range(shown.calls):
        with pytest.raises(KeyboardInterrupt):
            apply(shown, Dying(port, 0))
        assert len(plan(port, connect=connect).stages) == shown.calls - written - 1
    apply(shown, port)
    assert by_certificate(bare, **sign_in(port, connect), key=key).check().kind


def test_only_holders_of_the_permission_set_are_let_in(bare: Bench, pair: tuple[Path, Connect]) -> None:
    key, connect = pair
    port = bare.connect().schema()
    apply(plan(port, connect=connect), port)
    port.run("unassign", {"permission_set": "Candor_Integration"})
    with pytest.raises(AuthError, match="approved"):
        by_certificate(bare, **sign_in(port, connect), key=key).check()


def test_it_is_not_taken_out_under_candors_own_feet(bare: Bench, pair: tuple[Path, Connect]) -> None:
    key, connect = pair
    port = bare.connect().schema()
    apply(plan(port, connect=connect), port)
    own = by_certificate(bare, **sign_in(port, connect), key=key).schema()
    out = removal(own)
    assert not any("external client app" in line.what for line in out.changes)
    assert [line.thing.what for line in out.kept] == ["external client app"]
    assert any("Candor stays" in limit for limit in out.notes)
    apply(out, own)
    assert [line.what for line in removal(port).lines] == ["external client app Candor"]


def test_an_org_that_refuses_the_app_has_the_rest(bare: Bench, pair: tuple[Path, Connect]) -> None:
    _, connect = pair
    bare.org.set_meta("consumers_closed", True)
    port = bare.connect().schema()
    with pytest.raises(SchemaRefused, match="consumer secrets via Metadata API"):
        apply(plan(port, connect=connect), port)
    assert port.read()["apps"] == []
    assert plan(port).empty
    bare.org.set_meta("consumers_closed", False)
    apply(plan(port, connect=connect), port)
    assert port.read()["apps"] == [APP]


def test_who_signs_in_by_a_token_is_shown_the_command(bare: Bench, pair: tuple[Path, Connect]) -> None:
    port = bare.connect().schema()
    assert any("`candor apply --certificate" in limit for limit in plan(port).notes)
    apply(plan(port, connect=pair[1]), port)
    assert not any("--certificate" in limit for limit in plan(port).notes)


def test_an_app_that_is_gone_is_drift_where_an_apply_made_it(bare: Bench, pair: tuple[Path, Connect]) -> None:
    port = bare.connect().schema()
    apply(plan(port), port)
    assert drift(port) == []
    [found] = drift(port, app=True)
    assert (found.kind, found.breaks) == ("app_gone", "Candor can't sign in by its certificate")
    apply(plan(port, connect=pair[1]), port)
    assert drift(port, app=True) == []


def test_the_deployment_is_valid_and_holds_no_secret(bare: Bench, pair: tuple[Path, Connect]) -> None:
    _, connect = pair
    port = bare.connect().schema()
    deploy = plan(port, connect=connect).stages[-1]
    assert isinstance(deploy, Deploy)
    with zipfile.ZipFile(io.BytesIO(deploy.zip)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != "package.xml"}
    assert sorted(name.rsplit(".", 1)[1] for name in files) == sorted(KINDS)
    for name, content in files.items():
        kind = KINDS[name.rsplit(".", 1)[1]]
        assert problems(ET.fromstring(content), kind, name) == []
        assert b"PRIVATE" not in content
        assert b"consumerSecret>" not in content
    written = {f"connection/main/default/{n}-meta.xml" for n in files if not n.endswith("ecaGlblOauth")}
    assert written == {p for p in source.salesforce() if p.startswith("connection/")}


def test_what_is_given_wrongly_is_told_in_one_line(pair: tuple[Path, Connect]) -> None:
    key, connect = pair
    for certificate, contact, words in (
        (key.read_text(), "you@example.com", "private key"),
        ("hello", "you@example.com", "no certificate"),
        (connect.certificate, "nobody", "no e-mail address"),
    ):
        with pytest.raises(SchemaError, match=words):
            Connect(certificate, contact)
    with pytest.raises(SchemaError, match="Salesforce's way"):
        plan(HubSpotPortal(), connect=connect)
    assert consumer_key(connect, "00D1") != consumer_key(connect, "00D2")
    assert consumer_key(connect, "00D1").isalnum()
