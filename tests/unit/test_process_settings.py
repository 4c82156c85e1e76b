"""Whether a model may know what was done with a lead is the org's to say."""

from __future__ import annotations

from connector.demo.halfyear.known import play_settings
from connector.jobs.fields import features_of, process
from connector.settings import ProcessSettings, TrainingSettings
from scoring.features import Process


def test_the_process_is_not_looked_at_unless_asked_for() -> None:
    usual = play_settings()
    assert process(usual) is None
    assert not any(f.family == "process" for f in features_of(usual))


def test_an_org_names_its_steps() -> None:
    asked = ProcessSettings(on=True, steps=["call: follow-up"], follow=["status", "task"])
    settings = play_settings().model_copy(update={"process": asked})
    assert process(settings) == Process(("call: follow-up",), ("status", "task"))
    names = {f.name for f in features_of(settings)}
    assert {"call_follow_up_30d", "last_status", "hours_since_task"} <= names


def test_a_table_without_times_has_no_process() -> None:
    undated = {"process": ProcessSettings(on=True), "training": TrainingSettings(mode="snapshot")}
    assert process(play_settings().model_copy(update=undated)) is None
