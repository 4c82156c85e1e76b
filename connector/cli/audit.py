"""candor audit: what leaks, what is won by being filled, what looks wrong, who survived. Exit code 0: nothing to do, 2: something."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from connector.cli.console import out, show_json, working
from connector.jobs.audit import audit

MOST = 12
"""lines of a list that a person is shown; --json has them all"""


def run(config: Path | None, as_json: bool) -> None:
    with working(config, as_json=True) as context:
        found = audit(context).as_dict()
    if as_json:
        show_json(found)
    else:
        say(found)
    sys.exit(2 if found["to_do"] else 0)


def say(found: Mapping[str, Any]) -> None:
    say_leaks(found["leakage"])
    _complete(found["completeness"])
    _suspect(found["suspect"])
    _survivors(found["survivorship"])
    aside = found["quality"]["quarantined"]
    _head("Set aside", f"{sum(aside.values()):,} rows")
    for reason, n in aside.items():
        out.print(f"  {n:,} {reason}")
    out.print()
    if not found["to_do"]:
        out.print("Nothing to do.")
    for line in found["to_do"]:
        out.print(Text.assemble(("! ", "yellow"), line))


def say_leaks(found: Mapping[str, Any]) -> None:
    how = (
        "each field today against itself when leads are scored"
        if found["as_of"]
        else "not as-of: the file has no times, so only what is too good to be true can be told"
    )
    _head("Leaks", f"{len(found['findings'])} findings on {found['leads']:,} closed leads, {how}")
    if found["leads"] and not found["findings"] and not found["ranked"]:
        out.print("  Too few leads of either outcome to tell.")
    for one in found["findings"][:MOST]:
        mark = ("✓", "green") if one["kept_out"] else ("!", "yellow")
        kept = " As-of training keeps it out." if one["kept_out"] else f" {one['mend']}"
        out.print(Text.assemble("  ", mark, f" {one['label']} {one['kind']}. {one['said']}", (kept, "dim")))
    if len(found["findings"]) > MOST:
        out.print(f"  … and {len(found['findings']) - MOST} more: --json", style="dim")
    for one in found["ranked"][:MOST]:
        was = "" if one["as_of"] is None else f", when scored {one['as_of']:.2f}"
        out.print(f"    {one['label']}: AUC {one['today']:.2f}{was}; {one['why']}", style="dim")


def _complete(found: Mapping[str, Any] | None) -> None:
    if found is None:
        _head("Completeness", "no model yet: `candor train`")
        return
    alone = (
        ""
        if found["blanks_alone_auc"] is None
        else f"; blanks alone reach AUC {found['blanks_alone_auc']:.2f}"
    )
    _head("Completeness", f"the model in use {'passes' if found['passed'] else 'DOES NOT PASS'}{alone}")
    for fact in found["left_out"]:
        out.print(
            f"  left out: {fact['label']}, whose values told nothing and whose being filled moved scores by "
            f"{fact['median']:.1f} points (99th percentile {fact['p99']:.1f})"
        )
    for fact in found["facts"]:
        out.print(
            f"    {fact['label']}: a known value moves scores by {fact['median']:.1f} (99th percentile {fact['p99']:.1f}), "
            f"filling it as such by {fact['filled']:+.1f}", style="dim",
        )  # fmt: skip


def _suspect(found: Mapping[str, Any]) -> None:
    _head(
        "Suspect data",
        f"{found['people_with_several_leads']:,} people are several leads ({found['leads_of_them']:,} in all; of "
        f"{found['people_whose_leads_disagree']:,} one was won and one lost); each stays on one side of every split",
    )
    for label in found["doubtful_labels"][:MOST]:
        out.print(
            f"  doubtful labels: {label['leads']:,} leads, {label['won']:,} of them won: {label['why']}"
        )
    if found["calculated_fields"]:
        out.print(f"  formula fields, never used as of a time: {', '.join(found['calculated_fields'])}")


def _survivors(found: Mapping[str, Any] | None) -> None:
    if found is None:
        _head("Survivorship", "no model yet: `candor train`")
        return
    _head("Survivorship", f"{found['wins']:,} wins of {found['leads']:,} mature leads")
    for row in found["rows"]:
        won, every = row["of_won"]["value"], row["of_all"]["value"]
        out.print(
            f"  {row['label']}: {won or 0:.0%} of won leads, {every or 0:.0%} of all; "
            f"{row['revenue_without']:,.0f} of {row['revenue']:,.0f} revenue came without"
        )


def _head(title: str, said: str) -> None:
    out.print(Text.assemble((title, "bold"), f": {said}."))
