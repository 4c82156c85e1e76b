"""From a click on the record page to one event in the store: tag, override, review, form, closing question (S6, S5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from connector.store import schema as t
from tests.whole_loop import CRMS, Loop

ANSWERS = {"feedback_1": "one_person", "feedback_2": "need_later", "feedback_3": "later", "feedback_4": "budget",
           "feedback_5": "silent"}  # fmt: skip


@pytest.mark.parametrize("crm", CRMS)
def test_every_kind_of_click_is_harvested_once_with_the_score_of_that_moment(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    desk = loop.playground.desk
    scored = [lead for lead in desk.leads(limit=200) if lead.values.get("candor_score") is not None]
    tagged, overridden, ended = (scored[n].id for n in (0, -1, 1))
    case = next(c for c in desk.reviews() if c.values["candor_lead"] not in (tagged, overridden, ended))
    reviewed = case.values["candor_lead"]
    shown = {id: dict(desk.view("lead", id).values) for id in (tagged, overridden, ended, reviewed)}

    assert loop.click("lead", tagged, do="tag", tag="unexpected_fit") == 303
    assert (
        loop.click("lead", overridden, do="override", score="95", reason="Their board asked for this") == 303
    )
    assert (
        loop.click("review", case.id, do="decide", decision="route", reason="hidden_budget", note="Ask Ada")
        == 303
    )
    assert loop.click("lead", ended, do="status", status="disqualified") == 303
    assert loop.click("lead", ended, do="outcome", expected="no", surprise="lost_timing") == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    first = loop.candor("sync", "--json").json()
    assert first["harvested"] == {"tag": 1, "override": 1, "review": 1, "closing": 1}

    # An override contradicts the model: its rep is asked why, on the record.
    assert desk.view("lead", overridden).values["candor_feedback_due"] == "override"
    shown["form"] = dict(desk.view("lead", overridden).values)
    assert loop.click("lead", overridden, do="feedback", **ANSWERS) == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {"form": 1}
    after = desk.view("lead", overridden).values
    assert after["candor_feedback_due"] in (None, "none"), "the next form starts blank"
    assert [after[f"candor_feedback_{n}"] for n in range(1, 6)] == [None] * 5

    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {}
    events = {e["kind"]: e for e in feedback(loop)}
    assert len(feedback(loop)) == len(events) == 5
    assert {kind: e["lead_id"] for kind, e in events.items()} == {
        "tag": tagged, "override": overridden, "review": reviewed, "closing": ended, "form": overridden,
    }  # fmt: skip
    assert events["tag"]["value"] == {"tag": "unexpected_fit"}
    assert events["override"]["value"] == {"score": 95, "reason": "Their board asked for this"}
    assert events["review"]["value"] == {"decision": "route", "reason": "hidden_budget", "note": "Ask Ada"}
    assert events["closing"]["value"] == {"as_expected": "no", "reason": "lost_timing"}
    assert events["form"]["value"] == {f"candor_{name}": answer for name, answer in ANSWERS.items()}
    for kind, event in events.items():
        then = shown["form" if kind == "form" else event["lead_id"]]
        assert round(event["score"]) == then["candor_score"], kind
        assert round(event["confidence"]) == then["candor_confidence"], kind


@pytest.mark.parametrize("crm", CRMS)
def test_a_review_without_a_decision_is_not_completed(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "settled")
    desk = loop.playground.desk
    case = desk.reviews()[0]
    answer = loop.click("review", case.id, do="decide")
    if crm == "salesforce":
        assert answer == 422
    else:
        # HubSpot can't refuse: Candor opens it again and says why.
        assert desk.view("review", case.id).values["candor_status"] == "completed"
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {}
    seen = desk.view("review", case.id).values
    assert seen["candor_status"] == "open"
    if crm == "hubspot":
        assert "a review needs a decision and a reason" in seen["candor_note"]
    assert loop.click("review", case.id, do="decide", decision="disqualify", reason="wrong_fit") == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.candor("sync", "--json").json()["harvested"] == {"review": 1}
    [event] = feedback(loop)
    assert (event["value"]["decision"], event["value"]["reason"]) == ("disqualify", "wrong_fit")


@pytest.mark.parametrize("crm", CRMS)
def test_two_tags_at_two_times_are_two_events_and_a_tag_taken_off_is_none(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    lead = loop.playground.desk.leads(limit=1)[0].id
    harvested: list[Any] = []
    for tag in ("unexpected_fit", "unusual_buying_process", "unexpected_fit"):
        assert loop.click("lead", lead, do="tag", tag=tag) == 303
        loop.control("POST", "/clock/advance", {"days": 0.01})
        harvested.append(loop.sync().harvested)
    assert harvested == [{"tag": 1}, {"tag": 1}, {}]
    assert [e["value"]["tag"] for e in feedback(loop)] == ["unexpected_fit", "unusual_buying_process"]


def feedback(loop: Loop) -> list[dict[str, Any]]:
    with loop.context() as context, context.store.begin() as db:
        return [dict(r) for r in db.execute(select(t.feedback).order_by(t.feedback.c.at)).mappings()]


@pytest.mark.parametrize("crm", CRMS)
def test_what_is_said_on_a_deal_is_told_of_its_lead(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "settled")
    desk = loop.playground.desk
    lead = desk.leads(limit=1)[0]
    deal = desk.make_deal(lead.id, amount=9000.0, by=lead.owner)
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.sync().harvested == {}
    assert loop.click("deal", deal, do="tag", tag="unusual_buying_process") == 303
    assert loop.click("deal", deal, do="outcome", expected="yes") == 303
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.sync().harvested == {"tag": 1, "closing": 1}
    loop.control("POST", "/clock/advance", {"days": 0.01})
    assert loop.sync().harvested == {}
    for event in feedback(loop):
        assert (event["record_kind"], event["record_id"], event["lead_id"]) == ("deal", deal, lead.id)
        assert round(event["score"]) == lead.values["candor_score"]
