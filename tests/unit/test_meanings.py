"""What a status means is told by its name where that leaves no doubt; else it is asked, never guessed (S10.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connector.cli import init
from connector.cli.init import ask_outcomes
from connector.errors import MappingError
from connector.jobs.meanings import guess, unclear
from connector.playground.hubspot.translate import LEAD_STATUSES as HUBSPOT
from connector.playground.salesforce.standard import LEAD_STATUSES as SALESFORCE

LOST = (
    "Won't buy", "Won’t buy", "Not won", "Never converted", "Unconverted", "Closed - Not Converted", "No fit", "Not a good fit",
    "Unresponsive", "Declined", "Bounced", "No longer interested", "NO_INTEREST", "Ghosted", "Unsubscribed", "Disqualified",
    "UNQUALIFIED", "Junk Lead", "Do not contact", "Closed Lost",
)  # fmt: skip
ASKED = (
    "Former customer", "Ex-customer", "Non-customer", "Lost customer", "Closed", "Dead", "Duplicate", "Phase 3", "Gewonnen",
    "Lost - nurture", "Open - Unqualified", "No response",
)  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_a_no_is_a_no(name: str) -> None:
    assert guess(name) == "lost"
    assert not unclear(name)


@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_told_is_asked(name: str) -> None:
    assert unclear(name)
    assert guess(name) == "open", "nothing is learnt from it"
    with pytest.raises(MappingError, match="does not say what it means"):
        ask_outcomes({"New": 50, name: 50}, yes=True)


def test_plain_names_are_read_as_they_are_meant() -> None:
    meant = {
        "New": "open", "Open - Not Contacted": "open", "Attempted to contact": "open", "MQL": "open", "Qualified": "open",
        "Closed - Converted": "won", "Closed Won": "won", "Customer": "won", "Nurture": "recycled", "BAD_TIMING": "recycled",
        "Not now": "recycled", "Never worked": "never_worked",
    }  # fmt: skip
    assert {name: guess(name) for name in meant} == meant
    assert not any(map(unclear, [*meant, *SALESFORCE.values(), *HUBSPOT.values()]))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str | None]]:
    """Answers one after the other; the list gets the defaults that were offered."""

    def give(*said: str) -> list[str | None]:
        offered: list[str | None] = []
        waiting = list(said)

        def prompt(question: str, *, default: str | None = None) -> str:
            offered.append(default)
            return waiting.pop(0)

        monkeypatch.setattr(init, "prompt", prompt)
        return offered

    return give


def test_nothing_for_a_status_of_many_leads_is_asked_again(
    answers: Callable[..., list[str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    offered = answers("open", "nothing", "lost", "nothing")
    assert ask_outcomes({"New": 500, "Phase 3": 490, "Odd": 3}, yes=False) == {
        "New": "open",
        "Phase 3": "lost",
    }
    assert offered == ["open", None, None, "open"], "no answer is proposed where nobody can tell"
    assert "too many leads to mean nothing" in capsys.readouterr().err
