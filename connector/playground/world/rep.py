"""What one rep does with one record: what they know is the truth through a mist, and they say some of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.playground.desk import Desk, Refused, View
from connector.playground.world.model import Truth
from connector.playground.world.scenario import Reps
from crm_schema.choices import QUESTIONS, SURPRISES, Choice

BASE_RATE = 0.10

REASON_OF_CAUSE = {
    "new market": "new_use_case", "another clock": "timing_later", "committee": "committee_forming",
    "incomplete": "data_missing", "standard": "hidden_budget", "private-equity researcher": "research_for_partner",
    "new persona": "new_use_case", "outside the profile": "new_use_case", "champion without a title": "committee_forming",
    "rebrand": "data_missing", "untracked referral": "hidden_budget",
}  # fmt: skip
OVERRIDE_WORDS = {
    True: ("They have budget, and a date", "Three people were in the call", "Their board asked for this", "Knows us well"),
    False: ("No budget this year", "A student project", "Bought elsewhere last month", "Only comparing prices"),
}  # fmt: skip


def true_score(p: float) -> float:
    """The score that the true probability would have: 50 is the base rate (SPEC, Words)."""
    p = min(max(p, 0.002), 0.99)
    odds = math.log(p / (1 - p)) - math.log(BASE_RATE / (1 - BASE_RATE))
    return 100 / (1 + math.exp(-odds))


@dataclass(slots=True)
class Rep:
    """A rep at the desk. Every write that the CRM refuses is counted, never raised: people shrug and go on."""

    desk: Desk
    truth: Truth | None
    rnd: Random
    counts: Counter[str] = field(default_factory=Counter)
    team: Reps = field(default_factory=Reps)

    def knows(self, lead: View, noise: float | None = None) -> float:
        """Their own idea of this lead's score; `noise` as their team's, where none is given."""
        chances = {} if self.truth is None else self.truth.reached or self.truth.probability
        if lead.key is not None and lead.key in chances:
            middle = true_score(chances[lead.key])
        else:
            middle = number(lead.values.get("candor_score")) or 50.0
        return min(max(self.rnd.gauss(middle, self.team.noise if noise is None else noise), 0.0), 100.0)

    def _would_say(self, knows: float, score: float | None) -> float:
        """What they say: what they think, or what pleases the score."""
        if self.team.honesty >= 1 or score is None or self.rnd.random() < self.team.honesty:
            return knows
        return score

    def look(self, lead: View, by: str) -> None:
        """Work on a lead for a while: reach out, and say what is odd about its score."""
        self.counts["looks"] += 1
        if lead.values.get("opted_out") or lead.values.get("candor_route") == "held":
            return
        knows = self.knows(lead)
        self.take(lead, by)
        if lead.values.get("status") == "new":
            self.write("status", "lead", lead.id, {"status": "working"}, by)
        if not self._reach(lead, knows, by):
            return
        self._say(lead, knows, by)
        if knows > 60 and self.rnd.random() < 0.2:
            minutes = float(self.rnd.choice((30, 45, 60)))
            self.log("meetings", lead.id, "meeting", by, {"minutes": minutes, "channel": "phone"})
        doomed = self.truth is None or lead.key not in self.truth.wins
        if doomed and knows < 30 and self.rnd.random() < 0.3:
            self._disqualify(lead, by)

    def take(self, lead: View, by: str) -> None:
        """A lead of a queue's, of nobody's, or of somebody who has left is the rep's who works on it."""
        if "owner_id" in lead.values and lead.values["owner_id"] not in self.desk.owners():
            self.write("taken", "lead", lead.id, {"owner_id": by}, by)

    def _reach(self, lead: View, knows: float, by: str) -> bool:
        """A call or an e-mail; whether they talked."""
        if self.rnd.random() < 0.45:
            self.log("emails", lead.id, "email_sent", by, {"subject": "Following up", "channel": "email"})
            return False
        talked = self.rnd.random() < 0.3 + 0.004 * knows
        minutes = round(self.rnd.uniform(2, 25), 1) if talked else 0.0
        self.log("calls", lead.id, "call", by, {"answered": talked, "minutes": minutes, "channel": "phone"})
        return talked

    def _say(self, lead: View, knows: float, by: str) -> None:
        """Tags and overrides, where what they heard and the score are far apart."""
        score = number(lead.values.get("candor_score"))
        if score is None:
            return
        knows = self._would_say(knows, score)
        tags = choices(lead.values.get("candor_tags"))
        cause = None if self.truth is None else self.truth.cause.get(str(lead.key))
        new: set[str] = set()
        if knows - score > self.team.much and self.rnd.random() < self.team.tags:
            new.add("unexpected_fit")
        if score - knows > self.team.much and score >= 60 and self.rnd.random() < self.team.tags:
            new.add("score_seems_high")
        if cause in ("committee", "another clock") and self.rnd.random() < 0.15:
            new.add("unusual_buying_process")
        if new - set(tags):
            self.write("tags", "lead", lead.id, {"candor_tags": sorted({*tags, *new})}, by)
        if (
            abs(knows - score) > self.team.much
            and lead.values.get("candor_override_score") is None
            and self.rnd.random() < self.team.overrides
        ):
            said = {
                "candor_override_score": round(knows),
                "candor_override_reason": self.rnd.choice(OVERRIDE_WORDS[knows > score]),
            }
            self.write("overrides", "lead", lead.id, said, by)

    def _disqualify(self, lead: View, by: str) -> None:
        if self.write("disqualified", "lead", lead.id, {"status": "disqualified"}, by):
            self.closing_question(
                "lead", lead.id, won=False, score=number(lead.values.get("candor_score")), by=by
            )

    def closing_question(self, kind: str, id: str, *, won: bool, score: float | None, by: str) -> None:
        """Did this end for the reasons we expected? Some never answer."""
        if self.rnd.random() < self.team.questions_left:
            self.counts["questions left"] += 1
            return
        against = 0.1 if score is None else min(max((50 - score if won else score - 50) / 60, 0.05), 0.9)
        if self.rnd.random() >= against:
            self.write("answers", kind, id, {"candor_outcome_as_expected": "yes"}, by)
            return
        reasons = [c.value for c in SURPRISES if c.value.startswith("won_" if won else "lost_")]
        said = {"candor_outcome_as_expected": "no", "candor_surprise_reason": self.rnd.choice(reasons)}
        if self.rnd.random() < 0.15:  # stops half-way
            del said["candor_surprise_reason"]
            self.counts["questions abandoned"] += 1
        self.write("answers", kind, id, said, by)

    def review(self, case: View, by: str) -> None:
        """Decide a case, now and then without saying why at first."""
        try:
            lead = self.desk.view("lead", str(case.values.get("candor_lead")))
        except KeyError:
            return
        score = number(lead.values.get("candor_score"))
        knows = self._would_say(self.knows(lead, self.team.reviewer_noise), score)
        said: dict[str, Any] = {
            "candor_decision": "route" if knows >= 45 else "disqualify" if knows < 22 else "re_score"
        }
        if self.rnd.random() < 0.08:
            hasty = {**said, "candor_status": "completed"}
            if (
                self.write("reviews without a reason", "review", case.id, hasty, by)
                or self.rnd.random() < 0.5
            ):
                return
        cause = "standard" if self.truth is None else self.truth.cause.get(str(lead.key), "standard")
        if said["candor_decision"] == "disqualify":
            said["candor_reason"] = self.rnd.choice(("wrong_fit", "competitor_or_student"))
        else:
            said["candor_reason"] = REASON_OF_CAUSE.get(cause, "other")
        self.write("reviews", "review", case.id, {**said, "candor_status": "completed"}, by)

    def form(self, lead: View, by: str) -> None:
        """The form that is due: most answer all of it, some stop half-way, some leave it."""
        if self.rnd.random() < self.team.forms_left:
            self.counts["forms left"] += 1
            return
        score = number(lead.values.get("candor_score")) or 50.0
        answers = {f"candor_feedback_{n}": self._answer(options, self._would_say(self.knows(lead), score)) for n, (_, _, options)
                   in enumerate(QUESTIONS, start=1)}  # fmt: skip
        if self.rnd.random() < self.team.forms_abandoned + 0.1 * (score < 20):
            answers = dict(list(answers.items())[: self.rnd.choice((1, 2))])
            self.write("abandoned", "lead", lead.id, answers, by)
        else:
            self.write("forms", "lead", lead.id, answers, by)

    def _answer(self, options: tuple[Choice, ...], knows: float) -> str:
        """The options run from one end to the other; a rep's idea of the lead picks about where."""
        at = (100 - knows) / 100 * (len(options) - 1) + self.rnd.gauss(0, 0.8)
        return options[min(max(round(at), 0), len(options) - 1)].value

    def write(self, counted: str, kind: Any, id: str, values: Mapping[str, Any], by: str) -> bool:
        try:
            self.desk.set(kind, id, values, by=by)
        except (Refused, KeyError):
            self.counts["refused"] += 1
            return False
        self.counts[counted] += 1
        return True

    def log(self, counted: str, lead: str, kind: str, by: str, detail: Mapping[str, Any]) -> None:
        try:
            self.desk.log(lead, kind, by=by, detail=detail)
        except (Refused, KeyError):
            self.counts["refused"] += 1
        else:
            self.counts[counted] += 1


def number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def choices(value: Any) -> list[str]:
    """Several choices, as a list or in a vendor's own string of them."""
    if isinstance(value, str):
        return [part for part in value.split(";") if part]
    return list(value or ())
