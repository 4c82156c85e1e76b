"""What stops working when a field, a right or a part of the review queue is gone: one sentence each, for an admin."""

from __future__ import annotations

from dataclasses import dataclass

from crm_schema.declaration import Field

_USES = {
    "score": "nobody sees a score, and no list or report can sort by it",
    "score_low": "the score stands there without its range and looks surer than it is",
    "score_high": "the score stands there without its range and looks surer than it is",
    "confidence": "nobody sees how sure a score is",
    "band": "lists can't be filtered by how sure a score is",
    "flags": "nobody sees what is unusual about a lead",
    "reasons": "nobody sees why a score is what it is",
    "fit": "nobody sees who they are apart from what they do",
    "engagement": "nobody sees what they do apart from who they are",
    "expected_value": "leads can't be sorted by what they may be worth",
    "route": "assignment rules and lists that go by the route stand still",
    "route_reason": "nobody sees why a lead was sent where it is",
    "model": "a score can't be traced to the model that made it",
    "scored_at": "nobody sees how old a score is",
    "trend": "nobody sees how a score moved",
    "feedback_due": "reps are no longer asked, so Candor learns less",
    "score_at_conversion": "what was said at conversion can't be compared with the outcome",
    "confidence_at_conversion": "what was said at conversion can't be compared with the outcome",
    "committee_maturity": "nobody sees how far a buying committee has come",
    "champion": "nobody sees who speaks for you inside an account",
    "tags": "reps can't tell Candor what a talk has shown, so it doesn't learn from them",
    "override_score": "reps can't set another score, and those that they set no longer count",
    "override_reason": "Candor doesn't learn why a rep set another score",
    "do_not_score": "people who object to being profiled would be scored again",
    "outcome_as_expected": "Candor doesn't learn which outcomes were surprises",
    "surprise_reason": "Candor doesn't learn what decided a surprising outcome",
    "key": "Candor can't find its own review cases again, and would open them twice",
    "lead": "reviewers don't see which lead a case is about",
    "tier": "cases don't reach the reviewers that they are meant for",
    "due": "overdue cases don't move up",
    "status": "cases can't be completed",
    "decision": "what a reviewer decides reaches nobody",
    "reason": "Candor doesn't learn why a reviewer decided",
    "note": "reviewers can't leave a note, and Candor can't say why it opened a case again",
    "outcome": "reviewers don't see how their decisions turned out",
}


APPLY_MENDS = "`candor apply` mends it."


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One drift: `kind` is a stable word for programs, `mend` says who mends it and how."""

    kind: str
    where: str
    what: str
    breaks: str
    mend: str = APPLY_MENDS

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. So {self.breaks}. {self.mend}"


def use_of(field: Field) -> str:
    """What breaks without the field."""
    if field.key.startswith("feedback_") and field.key != "feedback_due":
        return "reps can't answer this question, so Candor learns less"
    return _USES[field.key]


def unwritable(field: Field) -> str:
    """What breaks when Candor may not, or can't, write it."""
    return f"Candor leaves it out of its writes and {use_of(field)}"
