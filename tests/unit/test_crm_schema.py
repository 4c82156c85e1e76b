"""Plan shows the difference like a migration, apply makes it, remove leaves the org as it was (S9.1)."""

from __future__ import annotations

import dataclasses

import pytest

from crm_schema import versions
from crm_schema.declaration import FIELDS, fields_on
from crm_schema.errors import Conflict, NoRoom, SchemaError, UnknownStage
from crm_schema.naming import hubspot_name, salesforce_name
from crm_schema.plan import Plan, plan, removal, verify
from crm_schema.render.salesforce import FITS
from crm_schema.stages import Line, Stage, Thing
from crm_schema.walk import apply, explain
from tests.unit.crm_schema_orgs import HubSpotPortal, Killed, SalesforceOrg

Org = SalesforceOrg | HubSpotPortal
both = pytest.mark.parametrize("make", [SalesforceOrg, HubSpotPortal])


@both
def test_apply_makes_the_plan_true_and_remove_leaves_the_org_as_it_was(make: type[Org]) -> None:
    org = make()
    before = org.everything()
    planned = plan(org)
    assert not planned.empty
    applied = apply(planned, org)
    assert applied.calls == planned.calls == len(org.calls)
    assert plan(org).empty
    assert verify(org) == []
    out = removal(org)
    assert apply(out, org).lines == out.changes
    assert org.everything() == before
    assert removal(org).empty
    # and once more: HubSpot revives what it keeps in its bin
    apply(plan(org), org)
    assert plan(org).empty


@both
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_died_is_taken_up_where_it_stopped(make: type[Org], after: bool) -> None:
    whole = make()
    steps = apply(plan(whole), whole).calls
    for nth in range(steps):
        org = make()
        shown = plan(org)
        org.die_at, org.die_after = nth, after
        with pytest.raises(Killed):
            apply(shown, org)
        org.die_at = None
        apply(shown, org)
        assert org.everything() == whole.everything()
        out = removal(org)
        org.calls, org.die_at = [], min(nth, len(out.stages) - 1)
        with pytest.raises(Killed):
            apply(out, org)
        org.die_at = None
        apply(out, org)
        assert org.everything() == make().everything()


@both
def test_the_plan_names_every_field_once_and_explain_tells_the_same_lines(make: type[Org]) -> None:
    planned = plan(make())
    told = explain(planned)
    for line in planned.lines:
        assert f"  {line}" in told
    created = [line.what for line in planned.lines if line.verb == "create"]
    assert len(set(created)) == len(created)
    assert sum("candor_override_score" in what or "Override_Score__c" in what for what in created) in (1, 2)


def test_a_preview_of_an_org_that_has_changed_since_is_not_carried_out() -> None:
    org = SalesforceOrg()
    apply(plan(org), org)
    del org.objects["Account"]["Candor_Champion__c"]
    shown = plan(org)
    del org.objects["Lead"]["Candor_Score__c"]
    calls = len(org.calls)
    with pytest.raises(SchemaError, match="changed since"):
        apply(shown, org)
    assert len(org.calls) == calls


def test_a_field_of_our_name_that_is_something_else_is_named_with_the_choices() -> None:
    org = SalesforceOrg()
    org.objects["Lead"]["Candor_Score__c"] = {
        "name": "Candor_Score__c",
        "label": "x",
        "type": "string",
        "length": 9,
    }
    with pytest.raises(
        Conflict, match=r"Lead\.Candor_Score__c is of type string .* needs number\. Choose: delete"
    ):
        plan(org)
    assert "Candor_Score__c" in verify(org)[0]
    assert org.calls == []
    out = removal(org)
    assert out.empty
    assert "so not Candor's" in out.kept[0].what

    portal = HubSpotPortal()
    portal.objects["contacts"]["properties"]["candor_score"] = {
        "name": "candor_score", "label": "x", "type": "string", "fieldType": "text", "groupName": "info",
    }  # fmt: skip
    with pytest.raises(Conflict, match=r"contacts\.candor_score is of type string"):
        plan(portal)


def test_what_an_admin_made_of_a_field_stays_and_missing_choices_are_added() -> None:
    org = SalesforceOrg()
    apply(plan(org), org)
    tags = org.objects["Lead"]["Candor_Tags__c"]
    tags["label"] = "What did you see?"
    own = {"value": "old_friend", "label": "Old friend & co", "active": True}
    tags["picklistValues"] = [own, *[v for v in tags["picklistValues"] if v["value"] != "unexpected_fit"]]
    planned = plan(org)
    assert [str(line) for s in planned.stages for line in s.lines] == [
        "change  field Lead.Candor_Tags__c: adds unexpected_fit"
    ]
    assert len(planned.kept) == 2
    apply(planned, org)
    after = org.objects["Lead"]["Candor_Tags__c"]
    assert after["label"] == "What did you see?"
    assert [v["value"] for v in after["picklistValues"]] == [
        "old_friend", "score_seems_high", "unusual_buying_process", "unexpected_fit",
    ]  # fmt: skip
    assert after["picklistValues"][0]["label"] == "Old friend & co"
    assert plan(org).empty


def test_hubspot_keeps_an_admins_options_too() -> None:
    portal = HubSpotPortal()
    apply(plan(portal), portal)
    route = portal.objects["contacts"]["properties"]["candor_route"]
    route["options"] = [{"label": "Partner", "value": "partner"}, *route["options"][1:]]
    planned = plan(portal)
    assert planned.calls == 1
    apply(planned, portal)
    values = [o["value"] for o in portal.objects["contacts"]["properties"]["candor_route"]["options"]]
    assert values[0] == "partner"
    assert values[-1] == "person_ae"
    assert plan(portal).empty


def test_histories_that_salesforce_has_no_room_for_are_named_with_the_cost() -> None:
    org = SalesforceOrg()
    for n in range(18):
        org.objects["Lead"][f"Own_{n}__c"] = {
            "name": f"Own_{n}__c",
            "label": "x",
            "type": "string",
            "length": 9,
            "tracked": True,
        }
    planned = plan(org)
    [limit] = planned.notes
    assert "room for 2" in limit
    apply(planned, org)
    tracked = [name for name, field in org.objects["Lead"].items() if field.get("tracked")]
    assert len(tracked) == 20
    assert plan(org).empty


def test_no_room_for_fields_is_said_before_anything_is_written() -> None:
    org = SalesforceOrg()
    org.free = {"Lead": 3}
    with pytest.raises(NoRoom, match="Lead has room for 3 more custom fields"):
        plan(org)


def test_an_unknown_stage_raises_in_both_walkers() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Paint(Stage):
        colour: str

    odd = Plan("apply", (Paint((Line("change", "x", Thing("wall", "x")),), "blue"),))
    with pytest.raises(UnknownStage):
        explain(odd)
    from crm_schema.walk import _act

    with pytest.raises(UnknownStage):
        _act(odd, SalesforceOrg(), None)


def test_fields_that_we_may_no_longer_see_are_neither_made_again_nor_left_behind() -> None:
    org = SalesforceOrg()
    apply(plan(org), org)
    org.objects["Lead"]["Candor_Tags__c"]["label"] = "What did you see?"
    org.assigned.clear()
    assert verify(org) == ["assign  permission set Candor_Integration to the user that Candor signs in as"]
    blind = removal(org)
    with pytest.raises(SchemaError, match="still differs"):
        apply(blind, org)
    apply(removal(org), org)
    assert org.everything() == SalesforceOrg().everything()


def test_names_labels_and_helps_fit_both_crms() -> None:
    seen = set()
    for kind in ("lead", "contact", "account", "deal", "review"):
        for field in fields_on(kind):
            assert (kind, field.key) not in seen
            seen.add((kind, field.key))
    for field in FIELDS:
        assert field.label.startswith("Candor ")
        assert len(field.label) <= 40  # a Salesforce field label
        assert len(field.help) <= 510  # its help text
        assert len(salesforce_name(field.key)) <= 43
        assert field.choices or field.type not in ("choice", "choices")
        assert len({c.value for c in field.choices}) == len(field.choices)
        assert all(len(c.value) <= 255 and ";" not in c.value for c in field.choices)
    assert salesforce_name("score_low") == "Candor_Score_Low__c"
    assert hubspot_name("score_low") == "candor_score_low"


def hiding(org: SalesforceOrg, name: str, kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead has the field, and describe doesn't show it to Candor's user."""
    read = org.read
    shown = {"name": name, "label": name, "type": kind, "length": 255, "picklistValues": []}
    monkeypatch.setattr(org, "read", lambda: {**read(), "unseen": {"Lead": {name: shown}}})


def test_a_hidden_field_of_which_no_more_is_known_is_neither_made_nor_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    org = SalesforceOrg()
    hiding(org, "Candor_Fit__c", None, monkeypatch)
    planned = plan(org)
    assert not any("Lead.Candor_Fit__c" in line.what for line in planned.changes)
    assert any("Candor_Fit__c, hidden from this user" in note for note in planned.notes)
    out = removal(org)
    assert out.empty
    assert ["field Lead.Candor_Fit__c" in line.what for line in out.kept] == [True]


def test_values_of_an_older_version_that_are_hidden_stop_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    today = next(f for f in FIELDS if f.key == "override_reason")
    step = versions.Step("0.2", dataclasses.replace(today, key="why"), "override_reason")
    monkeypatch.setattr(versions, "STEPS", (step,))
    org = SalesforceOrg()
    hiding(org, "Candor_Why__c", min(FITS[today.type]), monkeypatch)
    with pytest.raises(
        SchemaError, match=r"Candor_Why__c is as a version .* hidden .* its values couldn't go along"
    ):
        plan(org)
