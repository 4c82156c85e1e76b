"""Reps and reviewers at work, without a CRM: the playground's own rep, before a desk that only remembers what was said.

What a rep knows of a lead and says about it comes from a lot of its own for each lead, so it is the same whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from connector.playground.desk import DeskKind, TimelineEntry, View
from connector.playground.world.model import Account, Person, Truth
from connector.playground.world.rep import Rep
from connector.playground.world.scenario import Reps


@dataclass
class _Notepad:
    """A desk that shows one lead and keeps what is written."""

    lead: View
    case: View
    vendor: str = "none"
    written: list[Mapping[str, Any]] = field(default_factory=list)

    def leads(self, *, search: str = "", limit: int = 50, offset: int = 0) -> Sequence[View]:
        return [self.lead]

    def deals(self, lead_id: str | None = None) -> Sequence[View]:
        return []

    def reviews(self, *, open_only: bool = True) -> Sequence[View]:
        return [self.case]

    def view(self, kind: DeskKind, id: str) -> View:
        return self.lead

    def timeline(self, lead_id: str, *, limit: int = 100) -> Sequence[TimelineEntry]:
        return []

    def set(self, kind: DeskKind, id: str, values: Mapping[str, Any], *, by: str) -> None:
        self.written.append(values)

    def log(self, lead_id: str, kind: str, *, by: str, detail: Mapping[str, Any] | None = None) -> str:
        return ""

    def make_deal(self, lead_id: str, *, amount: float, by: str) -> str:
        return ""

    def owners(self) -> Mapping[str, str]:
        return {}

    def make_lead(self, person: Person, account: Account | None) -> str:
        return person.key

    def merge(self, loser: str, into: str, *, by: str) -> str:
        return into

    def delete(self, lead_id: str, *, by: str) -> None:
        return

    def restore(self, lead_id: str, *, by: str) -> None:
        return


@dataclass(frozen=True)
class People:
    truth: Truth
    persons: Mapping[str, Person]
    seed: int
    team: Reps = field(default_factory=Reps)

    def work(self, lead: str, score: float, at: datetime) -> list[dict[str, Any]]:
        """What a rep says of a lead that they work: tags and overrides, in harvest's own form."""
        rep, pad = self._at(lead, score, "work")
        rep.look(pad.lead, by="rep")
        said: list[dict[str, Any]] = []
        for values in pad.written:
            said += [_event("tag", lead, at, score, {"tag": tag}) for tag in values.get("candor_tags", ())]
            if "candor_override_score" in values:
                said.append(_event("override", lead, at, score, {"score": values["candor_override_score"]}))
        return said

    def review(self, lead: str, score: float, at: datetime) -> dict[str, Any]:
        """A reviewer's decision: route, disqualify or re_score."""
        rep, pad = self._at(lead, score, "review")
        rep.review(pad.case, by="reviewer")
        decision = pad.written[-1]["candor_decision"] if pad.written else "re_score"
        return _event("review", lead, at, score, {"decision": decision})

    def form(self, lead: str, score: float) -> dict[str, Any]:
        """What a rep answers when the form is due, by field; nothing where they leave it."""
        rep, pad = self._at(lead, score, "form")
        rep.form(pad.lead, by="rep")
        return dict(pad.written[-1]) if pad.written else {}

    def _at(self, lead: str, score: float, what: str) -> tuple[Rep, _Notepad]:
        person = self.persons[lead]

        def view(kind: DeskKind, values: Mapping[str, Any]) -> View:
            return View(kind, lead, lead, person.last_name, person.owner, person.created_at, values)

        record = {"status": "new", "candor_score": score, "opted_out": bool(person.fields.get("opted_out"))}
        pad = _Notepad(view("lead", record), view("review", {"candor_lead": lead}))
        return Rep(pad, self.truth, Random(f"{self.seed}|{what}|{lead}"), team=self.team), pad


def _event(kind: str, lead: str, at: datetime, score: float, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "lead_id": lead, "at": at, "score": score, "value": value}
