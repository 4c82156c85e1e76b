"""candor score LEAD"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text

from connector.cli.console import out, show_json, working
from connector.jobs.single import score_lead
from connector.jobs.words import like_this
from scoring.model.words import chance, chances, number

_TRACK = 50


def run(lead: str, explain: bool, config: Path | None, as_json: bool) -> None:
    with working(config, as_json=True) as context:
        found = score_lead(context, lead)
    if as_json:
        show_json(found)
    elif explain:
        say(found)
    else:
        out.print(
            f"{found['score']:.0f}, likely {found['low']:.0f} to {found['high']:.0f}  →  {found['route']}: {found['why']}"
        )


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
        told = {name: number(money) for name, money in found["value"].items()}
        out.print(
            f"If won, it would bring {told['if_won_low']} to {told['if_won_high']}; "
            f"expected value {told['expected']}, likely {told['low']} to {told['high']}."
        )
    if found["wide"]:
        out.print(found["wide"])
    for flag in found["flags"]:
        out.print(f"  ! {flag['text']}", style="dark_orange")
    for reason in found["reasons"]:
        out.print(f"  {reason['points']:>+6.1f}  {reason['text']}")
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
