"""[scope] of candor.toml: what it names is there, and a rule that can't be meant so says so (S10.1)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connector.errors import SettingsError
from connector.jobs.context import open_context
from connector.jobs.scope import check, counted
from connector.settings import Settings, load


def settings(**scope: Any) -> Settings:
    return Settings(
        crm={"kind": "salesforce", "url": "https://nowhere.invalid"}, scope=scope,
        mapping={"extra": {"plan": {"field": "Plan__c", "type": "category", "label": "Plan"}}},
        outcome={"status": {"Converted": "won", "Lost": "lost"}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "says", "fix"),
    [
        ({"leave_out": ["plan", "cuntry"]}, "leave_out of candor.toml names 'cuntry'", "Did you mean country?"),
        ({"leave_out": ["Industry"]}, "names 'Industry'", "Did you mean industry?"),
        ({"exclude": [{"field": "emial", "ends_with": "@x.com", "why": "staff"}]}, "exclude of candor.toml names 'emial'",
         "Did you mean email?"),
        ({"core": {"zzz": ["a"]}}, "core of candor.toml names 'zzz'", "Use one of: account_id, annual_revenue, "),
    ],
)  # fmt: skip
def test_a_field_that_no_lead_has_is_refused_with_the_nearest(scope: Any, says: str, fix: str) -> None:
    with pytest.raises(SettingsError, match=says) as found:
        check(settings(**scope))
    assert found.value.fix is not None
    assert found.value.fix.startswith(fix)


def test_every_command_refuses_it() -> None:
    with pytest.raises(SettingsError), open_context(settings(leave_out=["cuntry"])):
        pass


def test_fields_of_the_org_its_own_among_them_may_be_named() -> None:
    rules = [
        {"field": name, "equals": "x", "why": name}
        for name in ("email", "status", "plan", "company", "country")
    ]
    check(
        settings(leave_out=["plan", "source", "hand_raiser"], exclude=rules, core={"industry": ["Banking"]})
    )


def test_a_rule_without_a_condition_is_refused(tmp_path: Any) -> None:
    with pytest.raises(ValidationError):
        settings(exclude=[{"field": "email", "why": "staff"}])
    (tmp_path / "candor.toml").write_text(
        '[crm]\nkind = "salesforce"\nurl = "https://nowhere.invalid"\n[[scope.exclude]]\nfield = "email"\nwhy = "staff"\n'
    )
    with pytest.raises(SettingsError, match="the rule “staff” has no condition: give it equals or ends_with"):
        load(tmp_path / "candor.toml")


def test_a_rule_that_takes_out_nothing_or_most_wins_says_so() -> None:
    leads = {f"w{n}": {"status": "Converted", "email": f"{n}@a.example"} for n in range(10)}
    leads |= {f"l{n}": {"status": "Lost", "email": f"{n}@own.example"} for n in range(30)}
    found = counted(leads, settings(exclude=[
        {"field": "email", "ends_with": "@own.example", "why": "staff"},
        {"field": "company", "equals": "Test", "why": "tests"},
        {"field": "status", "equals": "converted", "why": "customers"},
    ]))  # fmt: skip
    assert found.taken_out == {"staff": 30, "tests": 0, "customers": 10}
    assert found.remarks() == [
        "The rule “tests” takes out no lead: check its field and value.",
        "The rule “customers” takes out 10 of 10 won leads: nothing can be learnt from them.",
    ]
