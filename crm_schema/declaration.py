"""The fields and review cases that Candor adds to a CRM, declared once (who may see them: permissions.py).

Read it like a form: key, label, where it stands, who writes it, help. The renderers turn it into each CRM's
words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crm_schema.choices import (
    BANDS,
    DECISIONS,
    FEEDBACK_DUE,
    OUTCOMES,
    QUESTIONS,
    REASONS,
    ROUTES,
    STATUSES,
    SURPRISES,
    TAGS,
    TIERS,
    YES_NO,
    Choice,
)

FieldType = Literal["number", "text", "long_text", "choice", "choices", "flag", "time", "lead"]
"""`choice` is one of a list, `choices` several of it, `lead` a link to a lead."""
On = Literal["lead", "contact", "account", "deal", "review"]
Writer = Literal["candor", "people", "both"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `bounds` are what makes sense in a number, `length` is the longest text, `tracked` asks the
    CRM to keep its history, `since` is the version of Candor that brought it."""

    key: str
    label: str
    type: FieldType
    on: tuple[On, ...]
    written_by: Writer
    help: str
    choices: tuple[Choice, ...] = ()
    decimals: int = 0
    bounds: tuple[float, float] | None = None
    length: int = 255
    tracked: bool = False
    unique: bool = False
    since: str = "0.1"


# --- fields ---

_PERSON: tuple[On, ...] = ("lead", "contact")
_POINTS = (0.0, 100.0)

_WRITTEN_BY_CANDOR = (
    Field("score", "Candor score", type="number", on=_PERSON, written_by="candor", bounds=_POINTS,
          help="How likely this lead becomes a won deal, 0-100. 50 is a typical lead, 75 is three times "
               "the usual odds, 90 nine times. Read it together with its range."),
    Field("score_low", "Candor score low", type="number", on=_PERSON, written_by="candor",
          bounds=_POINTS,
          help="Lower end of the likely range: in nine of ten cases the true score lies inside it."),
    Field("score_high", "Candor score high", type="number", on=_PERSON, written_by="candor",
          bounds=_POINTS,
          help="Upper end of the likely range: in nine of ten cases the true score lies inside it."),
    Field("confidence", "Candor confidence", type="number", on=_PERSON, written_by="candor",
          bounds=_POINTS,
          help="How sure the score is, 0-100: 100 less the width of its likely range. Below 70 the range "
               "says more than the score."),
    Field("band", "Candor band", type="choice", on=_PERSON, written_by="candor", choices=BANDS,
          help="How sure the score is, in a word: sure, fairly sure, unsure, guessing."),
    Field("flags", "Candor flags", type="long_text", on=_PERSON, written_by="candor", length=4000,
          help="What is unusual about this lead compared with the ones Candor has learned from. Not bad, "
               "only new: look for yourself."),
    Field("reasons", "Candor reasons", type="long_text", on=_PERSON, written_by="candor", length=4000,
          help="What moved the score up or down, in points, and how many leads like this one stand behind"
               " it."),
    Field("fit", "Candor fit", type="number", on=_PERSON, written_by="candor", bounds=_POINTS,
          help="Who they are: how much they resemble customers who bought, 0-100."),
    Field("engagement", "Candor engagement", type="number", on=_PERSON, written_by="candor",
          bounds=_POINTS,
          help="What they do: how active they are compared with your other open leads, 0-100. Only what "
               "people did counts, not machines."),
    Field("expected_value", "Candor expected value", type="number", on=_PERSON, written_by="candor",
          help="Chance of winning times the likely size of the deal, in your company's own currency."),
    Field("route", "Candor route", type="choice", on=_PERSON, written_by="candor", choices=ROUTES,
          help="Where Candor sends this lead."),
    Field("route_reason", "Candor route reason", type="text", on=_PERSON, written_by="candor",
          help="Why the lead was sent there: the rule that decided, in one sentence."),
    Field("model", "Candor model", type="text", on=_PERSON, written_by="candor", length=80,
          help="Which model and version made this score."),
    Field("scored_at", "Candor scored at", type="time", on=_PERSON, written_by="candor",
          help="When this score was made. An old date means that nothing worth telling has changed since."),
    Field("trend", "Candor trend", type="text", on=_PERSON, written_by="candor",
          help="How the score moved of late, and why."),
    Field("feedback_due", "Candor feedback due", type="choice", on=_PERSON, written_by="candor",
          choices=FEEDBACK_DUE,
          help="Why Candor asks for half a minute of yours. Candor clears it when you have answered."),
    Field("score_at_conversion", "Candor score at conversion", type="number", on=("deal",),
          written_by="candor", bounds=_POINTS,
          help="The lead's score when it became this deal."),
    Field("confidence_at_conversion", "Candor confidence at conversion", type="number", on=("deal",),
          written_by="candor", bounds=_POINTS,
          help="How sure that score was, 0-100."),
    Field("committee_maturity", "Candor committee maturity", type="number", on=("account",),
          written_by="candor", bounds=_POINTS,
          help="How far this company's buying committee has come, 0-100: how many people take part, of "
               "which functions, how closely together."),
    Field("champion", "Candor champion", type="text", on=("account",), written_by="candor",
          help="Who most likely speaks for you inside this company: three or more colleagues became "
               "active within 7 days of that person."),
)  # fmt: skip

# "both": Candor clears the answers once it has them, so that the next form starts blank
_WRITTEN_BY_PEOPLE = (
    Field("tags", "Candor tags", type="choices", on=("lead", "contact", "deal"), written_by="people",
          choices=TAGS, tracked=True,
          help="One click after a talk. " + " ".join(f"{t.label}: {t.help}" for t in TAGS)),
    Field("override_score", "Candor override score", type="number", on=_PERSON, written_by="people",
          bounds=_POINTS, tracked=True,
          help="The score that you would give, 0-100. It stands for 30 days or until the outcome is "
               "known, and Candor learns from it."),
    Field("override_reason", "Candor override reason", type="text", on=_PERSON, written_by="people",
          tracked=True,
          help="Why you would give another score, in a few words."),
    Field("do_not_score", "Candor do not score", type="flag", on=_PERSON, written_by="people",
          tracked=True,
          help="Candor leaves this lead alone: no score, no route. For people who object to being "
               "profiled, and for records that are no leads."),
    *(Field(f"feedback_{n}", f"Candor feedback: {name}", type="choice", on=_PERSON, written_by="both",
            choices=choices,
            help=question)
      for n, (name, question, choices) in enumerate(QUESTIONS, start=1)),
    Field("outcome_as_expected", "Candor outcome as expected", type="choice", on=("lead", "deal"),
          written_by="people", choices=YES_NO, tracked=True,
          help="Did this end for the reasons we expected?"),
    Field("surprise_reason", "Candor surprise reason", type="choice", on=("lead", "deal"),
          written_by="people", choices=SURPRISES,
          help="If not: what decided it?"),
)  # fmt: skip

_REVIEW = (
    Field("key", "Candor key", type="text", on=("review",), written_by="candor", length=80, unique=True,
          help="Candor's own number of this case."),
    Field("lead", "Candor lead", type="lead", on=("review",), written_by="candor",
          help="The lead to look at."),
    Field("score", "Candor score", type="number", on=("review",), written_by="candor", bounds=_POINTS,
          help="The lead's score when the case was opened, 0-100."),
    Field("confidence", "Candor confidence", type="number", on=("review",), written_by="candor",
          bounds=_POINTS,
          help="How sure that score was, 0-100."),
    Field("tier", "Candor tier", type="choice", on=("review",), written_by="candor", choices=TIERS,
          help="Who should look: specialists take the cases whose signals conflict."),
    Field("due", "Candor due", type="time", on=("review",), written_by="candor",
          help="Until when the case wants a decision. Overdue cases move to the top."),
    Field("status", "Candor status", type="choice", on=("review",), written_by="both", choices=STATUSES,
          tracked=True,
          help="Completed needs a decision and a reason."),
    Field("decision", "Candor decision", type="choice", on=("review",), written_by="both",
          choices=DECISIONS, tracked=True,
          help="What should happen to this lead."),
    Field("reason", "Candor reason", type="choice", on=("review",), written_by="both", choices=REASONS,
          tracked=True,
          help="What you saw that decided it."),
    Field("note", "Candor note", type="long_text", on=("review",), written_by="both", length=2000,
          help="Anything else worth knowing."),
    Field("outcome", "Candor outcome", type="choice", on=("review",), written_by="candor",
          choices=OUTCOMES,
          help="How the lead ended. Candor fills it in."),
)  # fmt: skip

FIELDS: tuple[Field, ...] = (*_WRITTEN_BY_CANDOR, *_WRITTEN_BY_PEOPLE, *_REVIEW)


def fields_on(kind: On) -> tuple[Field, ...]:
    """The fields that Candor adds to one kind of record, in the order in which a person reads them."""
    return tuple(f for f in FIELDS if kind in f.on)


# --- lists of leads ---


@dataclass(frozen=True, slots=True)
class Segment:
    """A list that keeps itself: the leads whose choice `field` has the value. `key` is ours, `name` is what people see,
    `breaks` what stops when the list is gone."""

    key: str
    name: str
    field: str
    value: str
    help: str
    breaks: str


_LISTED = {
    "person_ae": ("Leads for an account executive.", "account executives don't see which leads are theirs to work"),
    "person_sdr": ("Leads for a first talk.", "SDRs don't see which leads to talk to first"),
    "review": ("Leads that wait for a reviewer's decision.", "nobody sees which leads wait for a review"),
    "nurture": ("Leads for marketing.", "marketing can't start its mails from the route"),
    "held": ("Leads that nobody should write to now.", "mails can't leave out those who should get none"),
}  # fmt: skip
"""route -> who it is for, and what breaks without its list. `unscored` has none: there's nothing to do with these."""

SEGMENTS: tuple[Segment, ...] = tuple(
    Segment(c.value, f"Candor: {c.label.split(':')[0]}", "route", c.value, *_LISTED[c.value])
    for c in ROUTES
    if c.value in _LISTED
)
"""One for each route that somebody works."""


# --- review cases ---


@dataclass(frozen=True, slots=True)
class Stage:
    """A column of the review pipeline (HubSpot), and the status that it stands for."""

    label: str
    status: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Review:
    """The case that a reviewer works on: an object of its own with a queue (Salesforce), a ticket in a
    pipeline of its own (HubSpot)."""

    label: str = "Candor review"
    plural: str = "Candor reviews"
    queue: str = "Candor_Review"
    number: str = "CR-{000000}"
    view: str = "Candor_Open"
    rule: str = "Candor_Decision_And_Reason"
    message: str = "Choose a decision and a reason before you complete this review: Candor learns from both."
    stages: tuple[Stage, ...] = (
        Stage("Open", "open", False),
        Stage("Reopened", "open", False),
        Stage("Completed", "completed", True),
    )


REVIEW = Review()
