"""`candor demo --days N`: half a year with Candor and with usual practice, side by side, at the same hours."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rich.table import Table

from connector.cli.console import out, quiet_logs, refuse, show_json, told
from connector.demo.halfyear.cautions import cautions
from connector.demo.halfyear.measure import measure
from connector.demo.halfyear.play import FEEDBACK_DAYS, play
from connector.errors import InputError
from connector.playground.world.scenario import DataSet
from connector.playground.world.scenario_file import read_scenario

FEWEST_DAYS, MOST_DAYS = 30, 360
FEWEST_LEADS = 500
REAL_DAYS = (30, 75)
"""The loan applications are of four and a half months: more days leave no history to learn from."""
SCENARIO = "default"
ORDER = (
    "Candor", "usual practice", "Candor's score alone", "usual practice, reviewed", "by lot", "nobody", "everybody",
    "perfect knowledge", "perfect, by chance alone",
)  # fmt: skip


def run(
    *, days: int, size: int, seed: int, hours: float | None, scenario: str | None, as_json: bool,
    given: Collection[str] = (),
) -> None:  # fmt: skip
    quiet_logs()
    refuse(
        given,
        ("crm", "leads", "mapping", "keep", "out"),
        "with --days: that plays a scenario's leads, in no CRM",
    )
    scenario = scenario or SCENARIO
    played_in = read_scenario(scenario)
    fewest, most = FEWEST_DAYS, MOST_DAYS
    if played_in.data is not None:
        fewest, most = _of_real_rows(played_in.data, given)
    wrong = []
    if not fewest <= days <= most:
        wrong.append(f"--days is {days}; allowed is {fewest} to {most}")
    if size < FEWEST_LEADS:
        wrong.append(
            f"--size is {size}; at least {FEWEST_LEADS}, or there are too few outcomes to learn from"
        )
    if hours is not None and not hours > 0:
        wrong.append(f"--hours is {hours:g}; allowed is more than 0, the hours a day of a whole team")
    if wrong:
        raise InputError(f"{'. '.join(wrong)}.")
    with told(as_json) as report:
        played = play(seed=seed, size=size, days=days, hours=hours, scenario=played_in, progress=report)
        report("Measuring", 0, None)
        measured = measure(played)
    found = {"seed": seed, "size": len(played.known.world.people), "scenario": scenario, **measured,
             "cautions": cautions(measured)}  # fmt: skip
    if as_json:
        show_json(found)
    else:
        _show(found)


def _of_real_rows(data: DataSet, given: Collection[str]) -> tuple[int, int]:
    """How many days of real rows can be played. InputError where none can."""
    from connector.playground.world.semi import DATED, folder_of

    if data not in DATED:
        raise InputError(
            f"The rows of {data} have no dates, so no days can be played on them.",
            fix=f"Run `candor demo --scenario` without --days, or name a dated set: {', '.join(sorted(DATED))}.",
        )
    refuse(given, ("size",), "with a scenario that names real rows: they are as many as they are")
    folder_of(data)
    return REAL_DAYS


def _show(found: dict[str, Any]) -> None:
    teams, more = found["teams"], found["difference"]
    title = (
        f"Scenario {found['scenario']}, seed {found['seed']}: {found['days']} days, {found['leads']:,} leads, "
        f"{found['hours_a_day']:.1f} hours a day for each team"
    )
    said = found["cautions"]
    table = Table(
        title=title, title_justify="left", caption="\n".join(f"! {one}" for one in said) or None,
        caption_justify="left", caption_style="yellow",
    )  # fmt: skip
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
        f"{found['buyers']} of the leads would buy if a person reached them in time, {found['buyers_alone']} of them "
        "though nobody does. Edge missed: of the buyers that were edge cases, the share that nobody reached in time.",
        style="dim", soft_wrap=True,
    )  # fmt: skip
    _show_skill(found)
    out.print(_sentence(found, more), soft_wrap=True)
    out.print(f"{found['seconds']:.0f} s.", style="dim")


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
        if skill["candor"]["value"] is None:
            continue
        true = _skill(skill["true_chance"]).split(" ")[0]
        table.add_row(title, _skill(skill["candor"]), _skill(skill["usual"]), true)
    change = found["before_after"]
    if change["after"]["leads"]:
        for word, title in (
            ("before", f"edge, days 0-{FEEDBACK_DAYS}"),
            ("after", "edge, after that"),
        ):
            table.add_row(
                title, _skill(change[word]["edge_skill"]), _skill(change[word]["edge_skill_usual"]), "–"
            )
        table.add_row("  same, model of day 0", _skill(change["edge_skill_untaught"]), "–", "–")
    out.print(table)
    out.print(
        "Edge cases: leads that Candor was unsure of, or that are unusual, when it first routed them. By cause: those that the "
        "world itself made unusual, whatever Candor thought. Truth: what scores would know that are each lead's true chance; "
        "the rest is luck.", style="dim", soft_wrap=True,
    )  # fmt: skip


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
    if not found["reaching_matters"]:
        return (
            "At the same hours, Candor and usual practice win the same here: reaching a lead changes nothing."
        )
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
