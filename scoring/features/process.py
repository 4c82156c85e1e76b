"""What has been done with a lead, step by step: changes of status, quotes, tasks, calls, e-mails, as dated events.

Off unless an org asks for it (`Process` in its settings), since it reads the status: where reps set that after they know
the answer, it tells the answer. A *step* is a change of status ("status: qualified") or an activity of KINDS, by its kind
and subject ("call: follow-up on quote"). Which steps get a count of their own the org says; counts are of windows, never
of a whole life, since a life's count grows with age and a model meets ages it was never trained on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import ibis

from scoring.features.inputs import DAY, HOUR, InputError
from scoring.features.touches import within

KINDS = ("task", "call", "meeting", "form", "email_sent", "email_replied")
"""Kinds of activity that are steps; what a lead merely looks at is none."""

STATUS = "status"
"""The field whose changes are steps."""

THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Process:
    """`steps` are counted one by one: "status: qualified", "call" (any call), "call: follow-up" (one with this subject);
    capitals don't count. Of each kind in `follow` the latest step and its age are told. `lately` and `window` are the days
    that count: of all steps together, and of each."""

    steps: tuple[str, ...] = ()
    follow: tuple[str, ...] = (STATUS,)
    lately: int = 1
    window: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.lately < self.window:
            raise InputError(
                f"The process's windows are {self.lately} and {self.window} days.",
                fix="The first must be shorter than the second, and above 0.",
            )
        names = [slug(step) for step in self.steps]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or "" in names:
            raise InputError(
                f"These steps can't be told apart: {', '.join(twice) or 'one without a letter'}.",
                fix="Name each step once.",
            )
        known = (STATUS, *KINDS)
        for step in (*self.steps, *self.follow):
            if cleaned_step(step).split(": ")[0] not in known:
                raise InputError(
                    f"The step {step!r} is of no kind that Candor knows.",
                    fix=f"Begin it with one of: {', '.join(known)}.",
                )
        if strange := [kind for kind in self.follow if kind not in known]:
            raise InputError(f"{strange[0]!r} can't be followed.", fix=f"Use kinds: {', '.join(known)}.")


def slug(step: str) -> str:
    """A step's part in the names of its features.

    >>> slug("Call: Follow-up on quote")
    'call_follow_up_on_quote'
    """
    return re.sub(r"[^a-z0-9]+", "_", step.casefold()).strip("_")


def cleaned_step(step: str) -> str:
    """ "Email_sent:  The offer " -> "email_sent: the offer", as `events` writes them."""
    kind, _, rest = step.strip().lower().partition(":")
    return f"{kind.strip()}: {rest.strip()}" if rest.strip() else kind.strip()


def events(activities: Any, changes: Any) -> Any:
    """(lead_id, at, kind, step, who, order): all steps, `order` numbering those of a lead in time. Of several at one
    moment changes of status come first, then activities by id."""
    done = activities.filter(activities.kind.isin(KINDS))
    subject = done.subject.strip().lower().nullif("")
    done = done.select(
        "lead_id",
        "at",
        "kind",
        step=ibis.coalesce(done.kind + ": " + subject, done.kind),
        who=done.owner_id,
        key=done.activity_id,
    )
    moved = changes.filter(changes.field == STATUS, changes.value.strip() != "")
    moved = moved.select(
        "lead_id",
        "at",
        kind=ibis.literal(STATUS),
        step=ibis.literal(f"{STATUS}: ") + moved.value.strip().lower(),
        who=ibis.null().cast("string"),
        key=ibis.literal(""),
    )
    both = done.union(moved)
    in_time = ibis.window(group_by="lead_id", order_by=["at", "key", "step"])
    return both.mutate(order=ibis.row_number().over(in_time)).drop("key")


def seen_from(born: Any, steps: Any) -> Any:
    """`born` (point, lead_id, as_of, created_at) with every step up to `as_of`, and one row of blanks where there is none."""
    seen = born.left_join(steps, [born.lead_id == steps.lead_id, steps.at <= born.as_of])
    return seen.mutate(age=seen.as_of - seen.at)


def features(seen: Any, process: Process) -> dict[str, Any]:
    """One aggregate expression a feature over `seen`, in the words of `catalogue.of_process`."""
    lately, window = within(seen, process.lately), within(seen, process.window)
    created = seen.created_at.max()
    return {
        "last_step": seen.step.argmax(seen.order),
        "hours_since_step": seen.age.min() / HOUR,
        f"steps_{process.lately}d": seen.count(where=lately),
        f"steps_{process.window}d": seen.count(where=window),
        f"step_people_{process.window}d": seen.who.nunique(where=window),
        f"step_days_{process.window}d": (seen.at // DAY).nunique(where=window),
        "created_hour": (created % DAY) / HOUR,
        "created_weekday": ((created // DAY + THURSDAY) % 7).cases(*enumerate(WEEKDAYS)),
        **{
            name: value
            for kind in process.follow
            for mine in [_is(seen, kind)]
            for name, value in (
                (f"last_{kind}", seen.step.argmax(seen.order, where=mine)),
                (f"hours_since_{kind}", seen.age.min(where=mine) / HOUR),
            )
        },
        **{
            f"{slug(step)}_{process.window}d": seen.count(where=window & _is(seen, cleaned_step(step)))
            for step in process.steps
        },
    }


def _is(seen: Any, step: str) -> Any:
    """A step without a subject stands for all of its kind."""
    return ((seen.step if ": " in step else seen.kind) == step).fill_null(False)
