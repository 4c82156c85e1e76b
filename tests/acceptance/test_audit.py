"""`candor audit`: what leaks, what is won by being filled, what looks wrong, who survived, as an admin reads it (S1.2-S1.6)."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.whole_loop import Loop


def test_an_admin_sees_every_audit_in_words_and_as_json(loop_of: Callable[..., Loop]) -> None:
    loop = loop_of("salesforce", "trained")
    said = loop.candor("audit", "--json")
    found = json.loads(said.out)
    assert said.code == 2
    assert ["closed in one minute" in line and "training.doubtful" in line for line in found["to_do"]] == [
        True
    ]
    assert found["leakage"]["as_of"] is True
    assert found["leakage"]["leads"] > 50
    assert {"findings", "ranked"} <= set(found["leakage"])
    complete = found["completeness"]
    assert complete["passed"] is True
    assert complete["limit"] == {"median": 1.0, "p99": 3.0}
    assert found["survivorship"]["wins"] > 0
    assert found["survivorship"]["rows"]
    assert (
        found["suspect"]["doubtful_labels"][0]["leads"] >= 20
    )  # the world's automation closed them within a minute
    words = loop.candor("audit")
    assert words.code == said.code
    for head in ("Leaks:", "Completeness:", "Suspect data:", "Survivorship:", "Set aside:"):
        assert head in words.out
    assert "status" not in {f["what"] for f in found["leakage"]["findings"]}  # it defines the outcome


def test_the_models_card_and_status_tell_what_was_looked_at(loop_of: Callable[..., Loop]) -> None:
    loop = loop_of("salesforce", "trained")
    status = loop.candor("status", "--json").json()
    assert status["quarantine"] == sum(status["quarantine_reasons"].values())
    assert {p["stream"] for p in status["pulls"]}
    with loop.context() as context:
        from connector.jobs.models import listed

        checks = listed(context)[0]["card"]["checks"]
    assert set(checks) == {"leakage", "completeness", "doubtful"}
    assert checks["doubtful"][0]["leads"] >= 20
