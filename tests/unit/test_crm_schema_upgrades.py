"""An org that an older Candor set up is brought to today's declaration by one apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crm_schema import declaration
from crm_schema.declaration import Field
from crm_schema.plan import plan
from crm_schema.render import hubspot, salesforce, salesforce_parts
from crm_schema.walk import apply
from tests.unit.crm_schema_orgs import HubSpotPortal, SalesforceOrg

_NEW_IN = {"0.2": ("trend", "feedback_due"), "0.3": ("committee_maturity", "champion", "outcome")}


def of_version(version: str) -> tuple[Field, ...]:
    """A declaration as it might have been: without what came later, with shorter lists and texts."""
    later = {key for v, keys in _NEW_IN.items() if v > version for key in keys}
    fields = [f for f in declaration.FIELDS if f.key not in later]
    if version == "0.1":
        fields = [replace(f, choices=f.choices[:2]) if f.key == "route" else f for f in fields]
        fields = [replace(f, length=100) if f.key == "route_reason" else f for f in fields]
    return tuple(fields)


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[Field, ...]], None]:
    def set_to(fields: tuple[Field, ...]) -> None:
        def on(kind: str) -> tuple[Field, ...]:
            return tuple(f for f in fields if kind in f.on)

        for module in (salesforce, salesforce_parts):
            monkeypatch.setattr(module, "fields_on", on)
        monkeypatch.setattr(hubspot, "FIELDS", fields)

    return set_to


@pytest.mark.parametrize("make", [SalesforceOrg, HubSpotPortal])
@pytest.mark.parametrize("behind", [("0.1",), ("0.2",), ("0.1", "0.2")])
def test_one_apply_brings_an_old_org_up(
    make: type[SalesforceOrg] | type[HubSpotPortal], behind: tuple[str, ...], declare: Callable[[tuple[Field, ...]], None]
) -> None:  # fmt: skip
    fresh = make()
    apply(plan(fresh), fresh)
    old = make()
    for version in behind:
        declare(of_version(version))
        apply(plan(old), old)
    declare(declaration.FIELDS)
    shown = plan(old)
    assert {"create"} <= {line.verb for line in shown.changes}
    done = apply(shown, old)
    assert done.lines == shown.changes
    assert plan(old).empty
    if isinstance(old, SalesforceOrg) and isinstance(fresh, SalesforceOrg):
        assert names(old) == names(fresh)
    elif isinstance(old, HubSpotPortal) and isinstance(fresh, HubSpotPortal):
        assert {o: set(v["properties"]) for o, v in old.objects.items()} == {
            o: set(v["properties"]) for o, v in fresh.objects.items()
        }


def names(org: SalesforceOrg) -> dict[str, dict[str, tuple[str, int, int]]]:
    return {
        o: {
            n: (f["type"], f["length"], len(f.get("picklistValues") or ())) for n, f in sorted(fields.items())
        }
        for o, fields in org.objects.items()
    }
