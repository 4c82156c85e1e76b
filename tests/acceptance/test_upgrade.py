"""An upgrade of the schema in an org that people use: what they said is carried, and isn't heard a second time (S6, issue 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.cli.schema import provision
from crm_schema import declaration
from crm_schema.choices import Choice
from crm_schema.versions import Step
from tests.integration.schema_versions import know
from tests.whole_loop import CRMS, Loop

OLD, NEW = "unexpected_fit", "fits_against_the_score"


@pytest.mark.parametrize("crm", CRMS)
def test_a_renamed_tag_goes_along_and_is_not_harvested_again(
    crm: str, loop_of: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loop_of(crm, "settled")
    lead = next(lead.id for lead in loop.playground.desk.leads(limit=200) if lead.values.get("candor_score"))
    assert loop.click("lead", lead, do="tag", tag=OLD) == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {"tag": 1}

    was = next(f for f in declaration.FIELDS if f.key == "tags")
    choices = tuple(Choice(NEW, c.label) if c.value == OLD else c for c in was.choices)
    later = [replace(f, choices=choices) if f.key == "tags" else f for f in declaration.FIELDS]
    know(later, [Step("0.2", was, "tags", renamed={OLD: NEW})], monkeypatch.setattr)
    with loop.context() as context:
        assert provision(context)["write_calls"] > 0
        assert provision(context)["write_calls"] == 0

    told = loop.playground.desk.view("lead", lead).values["candor_tags"]
    assert NEW in str(told)
    assert OLD not in str(told)
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {}
