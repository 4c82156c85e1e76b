"""candor score LEAD"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from connector.cli.console import out, show_json, working
from connector.errors import InputError
from connector.jobs.score_again import Again, score_again
from connector.jobs.single import score_lead
from connector.jobs.words import like_this, money
from scoring.model.words import chance, chances, number

_TRACK = 50


_MOST = 6
"""features of which it is told in words what the record says otherwise today"""


def run(lead: str, explain: bool, as_of: str | None, config: Path | None, as_json: bool) -> None:
    if as_of is not None:
        _again(lead, moment(as_of), explain, config, as_json)
        return
    with working(config, as_json=True) as context:
        found = score_lead(context, lead)
    if as_json:
        show_json(found)
    elif explain:
        say(found)
    else:
        out.print(f"{_likely(found)}  →  {found['route']}: {found['why']}")


def moment(text: str) -> datetime:
    """A time as people and `--json` write it; a day is its end, and where no zone is named it is UTC. Raises InputError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text} is no time.", fix="Write it like 2026-11-24 or 2026-11-24T10:30 (UTC)."
        ) from None
    if len(text) <= len("2026-11-24"):
        at = datetime.combine(at.date(), time.max)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _again(lead: str, at: datetime, explain: bool, config: Path | None, as_json: bool) -> None:
    with working(config, as_json=True) as context:
        found = score_again(context, lead, at)
    if as_json:
        show_json(found.plain())
    else:
        say_again(found, explain)
    if not found.same:
        raise typer.Exit(1)


def say_again(found: Again, explain: bool) -> None:
    """An old score, and in one line whether it could be made again; then what the record of that time says today."""
    by = f"model {found.model}" + (f", recalibration {found.recalibration}" if found.recalibration else "")
    same = "the same to the last bit" if found.same else f"another, in: {', '.join(found.differs)}"
    out.print(f"{_likely(found.then)}, said at {_when(found.at)} by {by}. Made again: {same}.")
    if not found.same:
        libraries = ", ".join(f"{name} {was}, now {now}" for name, (was, now) in found.libraries.items())
        why = f"The model was trained with other libraries: {libraries}." if libraries else "The libraries are those that the model was trained with."  # fmt: skip
        out.print(f"  It would be {_likely(found.said)}. {why}")
    if found.unbuilt is not None:
        out.print(
            f"What was on record then can't be looked up again, for {found.unbuilt}; the row kept with the score can."
        )
    elif found.today is None:
        out.print("What was on record then is the same today.")
    else:
        told = [each.text for each in found.otherwise]
        more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
        out.print(
            f"The record says otherwise of that time today: {'; '.join(told[:_MOST])}{more}. By it the score would have been "
            f"{_likely(found.today)}."
        )
    if explain:
        _flags_and_reasons(found.then)


def _likely(said: Mapping[str, Any]) -> str:
    return f"{said['score']:.0f}, likely {said['low']:.0f} to {said['high']:.0f}"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def say(found: dict[str, Any]) -> None:
    """A lead's score in words."""
    win = "a win" if found["mode"] == "snapshot" else f"a won deal within {found['horizon_days']} days"
    likely = f", likely {found['low']:.0f} to {found['high']:.0f}   {track(found)}"
    out.print(Text.assemble((f"{found['score']:.0f}", "bold"), likely))
    out.print(
        f"The chance of {win} is {chance(found['probability'])}, a typical lead's {chance(found['base_rate'])}. "
        f"Confidence {found['confidence']:.0f} of 100, based on {like_this(found['evidence'])}."
    )
    if found["value"]:
        told = {name: money(number(amount), found["currency"]) for name, amount in found["value"].items()}
        out.print(
            f"If won, it would bring {told['if_won_low']} to {told['if_won_high']}; "
            f"expected value {told['expected']}, likely {told['low']} to {told['high']}."
        )
    if found["wide"]:
        out.print(found["wide"])
    _flags_and_reasons(found)
    if found["trend"]:
        out.print(found["trend"]["text"] + ".")
    _ask(found)
    _like(found["like"])
    if found["words"]:
        out.print(Text.assemble(("What you said did this: ", "bold"), found["words"]["text"]))
    due = f", due in {found['due_hours']:.0f} h" if found["due_hours"] else ""
    rule = (f"({found['rule']})", "dim")
    out.print(Text.assemble("→ ", (found["route"], "bold"), f"{due}: {found['why']} ", rule))
    for added in found["added"]:
        out.print(f"  + {added['kind']}: {added['why']}")


def _flags_and_reasons(said: Mapping[str, Any]) -> None:
    for flag in said["flags"]:
        out.print(f"  ! {flag['text']}", style="dark_orange")
    for reason in said["reasons"]:
        out.print(f"  {reason['points']:>+6.1f}  {reason['text']}")


def _ask(found: dict[str, Any]) -> None:
    """What would make us sure."""
    for question in found["ask"]:
        out.print(Text.assemble(
            ("What would make us sure: ", "bold"),
            f"{question['ask_for']}. The range is {question['width_now']:.0f} points wide now, about "
            f"{question['width_after']:.0f} once it is known:",
        ))  # fmt: skip
        likely = chances([case["chance"] for case in question["cases"]])
        for said, case in zip(likely, question["cases"], strict=True):
            out.print(f"  {said:>9}  {case['text']}: about {case['low']:.0f} to {case['high']:.0f}")
    if found["ask_nothing"]:
        out.print(found["ask_nothing"])


def _like(like: dict[str, Any]) -> None:
    """Leads like this one."""
    if not like["leads"]:
        out.print(Text.assemble(("Leads like this one: ", "bold"), "none so far."))
        return
    nearest, shown = like["nearest"], len(like["nearest"])
    which = f"; the nearest {shown}, as they were at this age:" if shown > 1 else ", as it was at this age:"
    out.print(
        Text.assemble(
            ("Leads like this one: ", "bold"), f"{like['leads']:,}, {like['won']:,} of them won{which}"
        )
    )
    for past in nearest:
        out.print(f"  {past['name'] or past['lead_id']}: {past['text']}", markup=False)


def track(found: dict[str, Any]) -> str:
    """The score on its track, 0 to 100: the range as a soft band, the score as a tick."""
    low, high, tick = (round(found[k] / 100 * (_TRACK - 1)) for k in ("low", "high", "score"))
    cells = ["░" if low <= i <= high else "·" for i in range(_TRACK)]
    cells[tick] = "┃"
    return "0 " + "".join(cells) + " 100"
