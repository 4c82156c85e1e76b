"""`candor demo --days N`: half a year with Candor and with usual practice, side by side, at the same hours."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from connector.cli.console import err, out, progress, quiet_logs, show_json
from connector.demo.halfyear.measure import measure
from connector.demo.halfyear.play import FEEDBACK_DAYS, play
from connector.errors import InputError
from connector.playground.world.scenario_file import read_scenario

FEWEST_DAYS, MOST_DAYS = 30, 360
FEWEST_LEADS = 500
SCENARIO = "default"
ORDER = (
    "Candor", "usual practice", "Candor's score alone", "usual practice, reviewed", "by lot", "nobody", "everybody",
    "perfect knowledge", "perfect, by chance alone",
)  # fmt: skip


def run(*, days: int, size: int, seed: int, hours: float | None, scenario: str | None, as_json: bool) -> None:
    quiet_logs()
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise InputError(f"--days is {days}.", fix=f"Play {FEWEST_DAYS} to {MOST_DAYS} days.")
    if size < FEWEST_LEADS:
        raise InputError(
            f"--size is {size}: too few outcomes to learn from.", fix=f"At least {FEWEST_LEADS} leads."
        )
    if hours is not None and not hours > 0:
        raise InputError(f"--hours is {hours:g}.", fix="Give the hours a day of a whole team, e.g. 3.")
    scenario = scenario or SCENARIO
    played_in = read_scenario(scenario)
    with progress(as_json or not err.is_terminal) as report:
        played = play(seed=seed, size=size, days=days, hours=hours, scenario=played_in, progress=report)
        report("Measuring", 0, None)
        found = {"seed": seed, "size": size, "scenario": scenario, **measure(played)}
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    teams, more = found["teams"], found["difference"]
    title = f"{found['days']} days, {found['leads']:,} leads, {found['hours_a_day']:.1f} hours a day for each team"
    table = Table(title=title, title_justify="left")
    for head in ("", "revenue", "winners\nreached", "edge\nmissed", "hand-raisers\nmissed", "hours"):
        table.add_column(head, justify="left" if not head else "right", no_wrap=True)
    for name in ORDER:
        team = teams[name]
        table.add_row(
            name, f"{team['revenue']['value'] / 1e6:.2f}M", f"{team['winners_reached']['value']:.0f}",
            _share(team["missed"]["edge cases"]), _share(team["hand_raisers_missed"]), f"{team['hours']:,.0f}",
            style="bold" if name == "Candor" else None, end_section=name in ("usual practice", "usual practice, reviewed"),
        )  # fmt: skip
    out.print(table)
    out.print(
        f"[dim]{found['buyers']} of the leads would buy if a person reached them in time, {found['buyers_alone']} of them "
        "though nobody does. Edge missed: of the buyers that were edge cases, the share that nobody reached in time.[/dim]",
        soft_wrap=True,
    )
    _show_skill(found)
    out.print(_sentence(found, more), soft_wrap=True)
    out.print(f"[dim]{found['seconds']:.0f} s.[/dim]")


def _show_skill(found: dict[str, Any]) -> None:
    title = "What the scores knew (0: no more than the base rate; 1: everything)"
    table = Table(title=title, title_justify="left", box=None)
    for head in ("", "Candor", "usual practice", "truth"):
        table.add_column(head, justify="left" if not head else "right", no_wrap=True)
    names = (
        ("edge cases", f"edge cases ({found['edge_case_share']:.0%})"),
        ("edge cases by cause", f"edge by cause ({found['edge_case_share_by_cause']:.0%})"),
        ("all leads", "all leads"),
    )
    for name, title in names:
        skill = found["skill"][name]
        true = _skill(skill["true_chance"]).split(" ")[0]
        table.add_row(title, _skill(skill["candor"]), _skill(skill["usual"]), true)
    change = found["before_after"]
    for word, title in (
        ("before", f"edge, days 0-{FEEDBACK_DAYS}"),
        ("after", "edge, after that"),
    ):
        table.add_row(
            title, _skill(change[word]["edge_skill"]), _skill(change[word]["edge_skill_usual"]), "–"
        )
    table.add_row("  same, model of day 0", _skill(change["edge_skill_untaught"]), "–", "–")
    out.print(table)


def _sentence(found: dict[str, Any], more: dict[str, Any]) -> str:
    """What the difference is, and whether it is more than chance."""
    parts = [
        _differs("winners reached", more["winners_reached_ratio"]),
        _differs("revenue", more["revenue_ratio"]),
    ]
    alone, candor = (
        found["teams"][n]["winners_reached"]["value"] for n in ("Candor's score alone", "Candor")
    )
    also = (
        f" Its score worked plainly from the top would have reached {alone:.0f} winners, its routing reached {candor:.0f}."
    )  # fmt: skip
    return "At the same hours, Candor against usual practice: " + "; ".join(parts) + "." + also


def _differs(what: str, ratio: dict[str, Any]) -> str:
    value, low, high = (ratio[k] for k in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return f"{what}: nothing to compare"
    if low <= 1 <= high:
        return f"{what} {value - 1:+.0%}, which may be chance ({low - 1:+.0%} to {high - 1:+.0%})"
    return f"{what} {value - 1:+.0%} ({low - 1:+.0%} to {high - 1:+.0%})"


def _share(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:.0%}"


def _skill(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:+.2f} ({figure['low']:+.2f} to {figure['high']:+.2f})"
