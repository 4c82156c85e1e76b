"""What was done with a lead, step by step, counted by hand."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features import Inputs, Process, build, catalogue, connect
from scoring.features.inputs import InputError
from scoring.model.words import measured
from tests.unit.feature_days import FACTS, NOW, ago, change, inputs, lead, point, touch
from tests.unit.test_features_invariants import LEADS, asked, few, history, people

HOUR = 1 / 24
STEPS = Process(
    ("status: Qualified", "call", "Call: Follow-up ", "email_sent: the offer"), follow=("status", "call")
)


def rows(given: Inputs, process: Process = STEPS) -> list[dict[str, Any]]:
    engine = connect()
    try:
        return build(engine, given, FACTS, process).to_pylist()
    finally:
        engine.disconnect()


def worked() -> Inputs:
    activities = [
        touch("worked", "task", 31, subject="too old", owner_id="u9"),
        touch("worked", "call", 20, subject="Follow-up", owner_id="u1"),
        touch("worked", "call", 20 - HOUR, subject="FOLLOW-UP", owner_id="u1"),
        touch("worked", "call", 3, subject="another", owner_id="u2"),
        touch("worked", "email_sent", 12 * HOUR, subject="The offer", owner_id="u2"),
        touch("worked", "page_view", 1 * HOUR),  # looking is no step
        touch("worked", "call", -1, subject="Follow-up", owner_id="u3"),  # tomorrow
        touch("untouched", "download", 2),
    ]
    changes = [
        change("worked", "status", 40, "New"),
        change("worked", "status", 10, "Qualified"),
        change("worked", "status", 4, "Nurture"),
        change("worked", "status", 4 - HOUR, "Qualified"),
        change("worked", "status", -2, "Converted"),
        change("worked", "industry", 1, "Retail"),
    ]
    leads = [lead("worked", 40.25), lead("untouched", 2)]
    return inputs(leads, activities, changes, [point("worked"), point("worked", 11), point("untouched")])


def test_steps_are_counted_as_they_were_known() -> None:
    now, earlier, none = rows(worked())
    assert now["last_status"] == "status: qualified"
    assert now["hours_since_status"] == pytest.approx(4 * 24 - 1)
    assert (now["last_call"], now["hours_since_call"]) == ("call: another", 72)
    assert now["last_step"] == "email_sent: the offer"
    assert now["hours_since_step"] == pytest.approx(12)
    assert (now["steps_1d"], now["steps_30d"]) == (1, 7)
    assert now["step_people_30d"] == 2
    assert now["step_days_30d"] == 5  # 20 days ago (both calls), 10, 4 (both changes), 3, and today
    assert now["status_qualified_30d"] == 2
    assert (now["call_30d"], now["call_follow_up_30d"], now["email_sent_the_offer_30d"]) == (3, 2, 1)
    assert now["created_hour"] == 6  # 40 and a quarter days before noon
    assert now["created_weekday"] == ago(40.25).strftime("%A").lower()
    assert (earlier["last_status"], earlier["hours_since_status"]) == ("status: new", 29 * 24)
    assert (earlier["steps_30d"], earlier["status_qualified_30d"], earlier["step_people_30d"]) == (4, 0, 2)
    assert (none["last_status"], none["hours_since_status"], none["last_step"], none["last_call"]) == (
        None,
    ) * 4
    assert (none["steps_30d"], none["call_30d"], none["step_people_30d"]) == (0, 0, 0)


def test_the_columns_are_the_catalogues_and_absent_unless_asked_for() -> None:
    [row] = rows(inputs([lead("L")]))
    wanted = [feature.name for feature in catalogue(FACTS, STEPS)]
    assert list(row) == ["lead_id", "as_of", *wanted]
    assert not any(feature.family == "process" for feature in catalogue(FACTS))
    assert all(f.label and f.definition and f.unit for f in catalogue(FACTS, STEPS))


def test_a_step_is_spoken_of_as_people_do() -> None:
    label, unit = next((f.label, f.unit) for f in catalogue(FACTS, STEPS) if f.name == "call_follow_up_30d")
    assert label == "Call “Follow-up”"
    said = [measured(label, unit, n) for n in (0, 1, 2, 17)]
    assert said == [f"Call “Follow-up”: {often}" for often in ("never", "once", "twice", "17 times")]


def test_windows_are_the_orgs() -> None:
    now = rows(worked(), Process(("call",), lately=4, window=100))[0]
    assert (now["steps_4d"], now["steps_100d"], now["call_100d"]) == (3, 9, 3)


@few
@given(seed=st.integers(0, 10_000))
def test_what_happens_later_and_the_order_of_rows_change_nothing_and_a_few_points_get_what_they_get_among_all(
    seed: int,
) -> None:
    dice = random.Random(seed)
    activities, changes = history(seed)
    changes += [
        change(
            dice.choice(LEADS), "status", ago_hours / 24, dice.choice(("New", "Working", "working ", None))
        )
        for ago_hours in dice.sample(range(2400), 40)
    ]
    later, _ = history(seed + 1, first_day=-1 / 24, last_day=-30)
    whole = inputs(people(), [*activities, *later], [*changes, change("L1", "status", -1, "Won")], asked())
    full = rows(whole)

    def shuffled(table: Any, keep: int | None = None) -> Any:
        return table.take(dice.sample(range(table.num_rows), keep or table.num_rows))

    until_now = [
        shuffled(t.filter([at <= NOW for at in t["at"].to_pylist()]))
        for t in (whole.changes, whole.activities)
    ]
    part = Inputs(shuffled(whole.points, 6), shuffled(whole.leads), *until_now)
    known = {(row["lead_id"], row["as_of"]): row for row in full}
    assert rows(part) == [known[p["lead_id"], p["as_of"]] for p in part.points.to_pylist()]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("call: a", "Call: A"), "can't be told apart: call_a"),
        (("visit: home",), "'visit: home' is of no kind"),
        (("",), "one without a letter"),
    ],
)
def test_steps_that_mean_nothing_are_refused(steps: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Process(steps)


def test_only_kinds_are_followed() -> None:
    with pytest.raises(InputError, match="'call: a' can't be followed"):
        Process(follow=("call: a",))


def test_windows_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="30 and 7 days"):
        Process(lately=30, window=7)
