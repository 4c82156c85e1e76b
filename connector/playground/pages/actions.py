"""What a rep's clicks on a record write. Each action reads its form, checks it and sets fields through the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.playground.desk import Desk, DeskKind, Refused
from connector.playground.world.rep import choices
from crm_schema.choices import DECISIONS, QUESTIONS, REASONS, SURPRISES, TAGS, YES_NO, Choice

Form = Mapping[str, str]
STATUSES = ("new", "working", "nurture", "qualified", "disqualified")
CALLS = {"call answered": ("call", True), "call not answered": ("call", False), "meeting": ("meeting", True),
         "email": ("email_sent", False)}  # fmt: skip


def tag(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    """One click puts a tag on, another takes it off."""
    chosen = _one_of(form, "tag", TAGS)
    there = choices(desk.view(kind, id).values.get("candor_tags"))
    tags = [t for t in there if t != chosen] if chosen in there else [*there, chosen]
    desk.set(kind, id, {"candor_tags": tags}, by=by)
    return "untagged" if chosen in there else "tagged"


def override(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    try:
        score = float(form.get("score", ""))
    except ValueError:
        raise Refused("Give the score as a number from 0 to 100.") from None
    reason = form.get("reason", "").strip()
    if not 0 <= score <= 100:
        raise Refused("Give the score as a number from 0 to 100.")
    if not reason:
        raise Refused("Say in a few words why: Candor learns from the reason.")
    desk.set(kind, id, {"candor_override_score": score, "candor_override_reason": reason}, by=by)
    return "overridden"


def clear_override(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    desk.set(kind, id, {"candor_override_score": None, "candor_override_reason": None}, by=by)
    return "cleared"


def feedback(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    """Answers given so far; an empty question stays open."""
    answers = {
        f"candor_feedback_{n}": _one_of(form, f"feedback_{n}", options)
        for n, (_, _, options) in enumerate(QUESTIONS, start=1)
        if form.get(f"feedback_{n}")
    }
    if not answers:
        raise Refused("Answer at least one question, or leave the form for later.")
    desk.set(kind, id, answers, by=by)
    return "answered"


def outcome(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    """Did this end for the reasons we expected? A "no" asks what decided it."""
    expected = _one_of(form, "expected", YES_NO)
    values: dict[str, Any] = {"candor_outcome_as_expected": expected, "candor_surprise_reason": None}
    if expected == "no":
        if not form.get("surprise"):
            raise Refused("What decided it? Choose one: that is the part to learn from.")
        values["candor_surprise_reason"] = _one_of(form, "surprise", SURPRISES)
    desk.set(kind, id, values, by=by)
    return "answered"


def decide(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    """Complete a case. Decision and reason may be missing: whether that is refused is the CRM's own rule."""
    values: dict[str, Any] = {"candor_status": "completed"}
    if form.get("decision"):
        values["candor_decision"] = _one_of(form, "decision", DECISIONS)
    if form.get("reason"):
        values["candor_reason"] = _one_of(form, "reason", REASONS)
    if note := form.get("note", "").strip():
        values["candor_note"] = note
    desk.set(kind, id, values, by=by)
    return "decided"


def log(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    if form.get("what") not in CALLS:
        raise Refused("Choose what to log.")
    activity, answered = CALLS[form["what"]]
    channel = "email" if activity == "email_sent" else "phone"
    detail = {
        "answered": answered,
        "minutes": 10.0 * answered,
        "channel": channel,
        "subject": "Logged by hand",
    }
    desk.log(id, activity, by=by, detail=detail)
    return "logged"


def status(desk: Desk, kind: DeskKind, id: str, form: Form, by: str) -> str:
    if form.get("status") not in STATUSES:
        raise Refused("Choose a status.")
    desk.set(kind, id, {"status": form["status"]}, by=by)
    return "moved"


Action = Callable[[Desk, DeskKind, str, Form, str], str]
ACTIONS: Mapping[tuple[str, str], Action] = {
    ("lead", "tag"): tag, ("deal", "tag"): tag, ("lead", "override"): override,
    ("lead", "clear_override"): clear_override, ("lead", "feedback"): feedback, ("lead", "outcome"): outcome,
    ("deal", "outcome"): outcome, ("review", "decide"): decide, ("lead", "log"): log, ("lead", "status"): status,
}  # fmt: skip

DONE = {
    "tagged": "Tag set. Candor reads it at its next pass.",
    "untagged": "Tag taken off.",
    "overridden": "Your score stands for 30 days, or until the outcome is known.",
    "cleared": "Your score is taken back; Candor's stands again.",
    "answered": "Thank you. Candor reads your answer at its next pass.",
    "decided": "The case is completed.",
    "logged": "Logged.",
    "moved": "Status changed.",
}


def _one_of(form: Form, name: str, options: tuple[Choice, ...]) -> str:
    value = form.get(name, "")
    if value not in {option.value for option in options}:
        raise Refused(f"{value or 'Nothing'} is not one of the choices for {name}.")
    return value
