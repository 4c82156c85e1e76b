"""Plan's list is what apply did, whatever org it meets; and what is taken out leaves it as it was (S9.1, S11.1)."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.playground.hubspot.lists import Lists
from connector.playground.hubspot.schema import Schema
from crm_schema.errors import NoRoom
from crm_schema.plan import drift, plan, removal
from crm_schema.stages import Line
from crm_schema.walk import apply
from tests.contract.adapters import BENCHES, Bench, Site, site
from tests.contract.small_world import small_world
from tests.integration.test_schema_drift import BY_HAND, HUBSPOT, SALESFORCE, stored
from tests.integration.test_schema_on_local_crm import as_before

ORGS = 50
_BLINDING = ("set_unassigned", "object_gone")
"""Drift that hides or takes along the others."""
_NOT_MENDED = {*BY_HAND, "object_history_off", "queue_object_gone"}


@pytest.fixture(scope="module", params=BENCHES, ids=[b.vendor for b in BENCHES])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(request.param, tmp_path_factory.mktemp(request.param.vendor)) as made:
        made.seed(small_world)
        yield made


def unsettle(bench: Bench, chance: random.Random) -> None:
    """An org as admins leave it: fields of their own, histories, labels, values, and some of Candor's things gone."""
    if bench.vendor == "salesforce":
        own_fields(bench, chance)
    else:
        schema = Schema(bench.org)
        group = schema.groups("contacts")[0]["name"]
        for n in range(chance.randrange(4)):
            made = {
                "name": f"own_{n}",
                "label": f"Own {n}",
                "type": "string",
                "fieldType": "text",
                "groupName": group,
            }
            schema.create_property("contacts", made)
        own_lists(bench, schema, chance)
    if not had_candor(bench):
        return
    drifts = SALESFORCE if bench.vendor == "salesforce" else HUBSPOT
    able = [name for name, (kind, _) in drifts.items() if kind not in _NOT_MENDED and kind not in _BLINDING]
    for name in chance.sample(able, chance.randrange(1, 5)):
        with contextlib.suppress(
            KeyError, StopIteration
        ):  # what it changes is gone already, by another of them
            drifts[name][1](bench)


def own_lists(bench: Bench, schema: Schema, chance: random.Random) -> None:
    """Lists of the portal's own, one named like Candor's, and one of Candor's renamed."""
    lists = Lists(bench.org, schema)
    known = {
        "filterType": "PROPERTY",
        "property": "email",
        "operation": {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"},
    }
    branch = {"filterBranchType": "OR", "filterBranches": [{"filterBranchType": "AND", "filters": [known]}]}
    for name in ("Candor Ltd's people", "Customers", "Nobody")[: chance.randrange(4)]:
        lists.create(
            {"name": name, "objectTypeId": "0-1", "processingType": "DYNAMIC", "filterBranch": branch}
        )
    ours = [id for id, one in lists.all().items() if one["name"].startswith("Candor: ")]
    for id in chance.sample(ours, min(len(ours), chance.randrange(2))):
        lists.rename(id, f"Ours, {id}")


def own_fields(bench: Bench, chance: random.Random) -> None:
    def change(schema: dict[str, Any]) -> None:
        for obj in ("Lead", "Contact", "Account", "Opportunity"):
            for n in range(chance.randrange(9)):
                spec = {"label": f"Own {n}", "type": "string", "length": 80, "profile": True}
                schema["fields"].setdefault(obj, {})[f"Own_{n}__c"] = spec
                tracked = schema["tracked"].setdefault(obj, {})
                if len(tracked) < 20 and chance.random() < 0.5:
                    tracked[f"Own_{n}__c"] = 0
        if "Candor_Tags__c" in schema["fields"].get("Lead", {}):
            schema["fields"]["Lead"]["Candor_Tags__c"]["label"] = "What did you see?"

    stored(change)(bench)


def had_candor(bench: Bench) -> bool:
    if bench.vendor == "salesforce":
        return bool(bench.org.all("FieldPermissions"))
    return "candor_score" in Schema(bench.org).active("contacts")


def fields_of(found: dict[str, Any]) -> set[str]:
    """Fields and properties of what was read, those that are hidden from us included, as the plan's lines name them."""
    seen = {
        f"{'field' if 'fields' in v else 'property'} {o}.{name}"
        for o, v in found["objects"].items()
        for name in v.get("fields", v.get("properties"))
        if name.lower().startswith("candor_")
    }
    return seen | {f"field {o}.{name}" for o, hidden in found.get("unseen", {}).items() for name in hidden}


def named(lines: tuple[Line, ...], verb: str) -> set[str]:
    words = (line.what.split(" “")[0] for line in lines if line.verb == verb)
    return {w for w in words if w.startswith(("field ", "property "))}


@pytest.mark.parametrize("seed", range(ORGS))
def test_what_apply_does_is_what_plan_listed(where: Site, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with where.open(where.copy(("bare", "candor")[seed % 2], tmp_path / "org.sqlite")) as bench:
        unsettle(bench, chance)
        crm = bench.connect()
        port = crm.schema()
        before = port.read()
        shown = plan(port)
        wrote = crm.usage().writes
        done = apply(shown, port)
        after = port.read()
        assert done.lines == shown.changes
        assert crm.usage().writes - wrote == done.calls
        assert fields_of(after) - fields_of(before) == named(shown.changes, "create")
        assert plan(port).empty
        assert not [f for f in drift(port) if f.kind not in _NOT_MENDED]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_taken_out_leaves_the_org_as_it_was(where: Site, tmp_path: Path, seed: int) -> None:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        unsettle(bench, random.Random(seed))
        port = bench.connect().schema()
        before = port.read()
        first = apply(plan(port), port)
        made = {k: v for k, v in port.read().items() if k != "objects"}, fields_of(port.read())
        apply(removal(port), port)
        as_before(bench, port, before)
        second = apply(plan(port), port)
        assert second.lines == first.lines or bench.vendor == "hubspot"
        assert fields_of(port.read()) == made[1]
        assert plan(port).empty
        assert drift(port) == []


@pytest.mark.parametrize("room", [0, 3, 30])
def test_an_org_that_is_full_is_told_and_left_as_it_was(where: Site, tmp_path: Path, room: int) -> None:
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        name = "custom_fields" if bench.vendor == "salesforce" else "custom_properties"
        port = bench.connect().schema()
        free = port.read()[name][("Lead" if bench.vendor == "salesforce" else "contacts")]
        most = {"custom_fields": 500, "custom_properties": 1000}[name]
        bench.org.set_meta(name, most - free + room)
        before = port.read()
        if room == 30:
            assert plan(port).stages
            return
        with pytest.raises(NoRoom, match="has room for"):
            plan(port)
        assert port.read() == before
