"""Sections on the audits: who survived, what leaked and was kept out, what is won by being filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.web.report.shapes import Section, ranges, row, section, table
from connector.web.report.words import between, count, label, money, percent
from scoring.metrics.rates import not_enough

MOST = 12


def survivorship(manifest: Mapping[str, Any], currency: str) -> Section | None:
    """What tidy winners have that leads in general have not. None of a model from before it was measured."""
    found = manifest.get("survivorship")
    if found is None or not found["rows"]:
        return None
    first = found["rows"][0]
    revenue = ""
    if first["revenue"]:
        part = percent(first["revenue_without"] / first["revenue"])
        revenue = f"; {part} of revenue ({money(first['revenue_without'], currency)}) came without it"
    outside = found["outside"]
    say = []
    if outside["wins"]["hits"] == 0:
        say.append("No win came from outside your usual customer.")
    elif outside["wins"]["value"] is not None:
        incomplete = outside["incomplete"]["value"]
        say.append(
            f"Wins outside your usual customer: {outside['wins']['hits']:,} of {found['wins']:,} "
            f"({percent(outside['wins']['value'])}), {percent(outside['revenue_share'])} of revenue; "
            f"{'none of them' if not incomplete else percent(incomplete) + ' of them'} had an incomplete record when scored."
        )
    shares = [
        row(r["label"], value=r["of_won"]["value"], text=f"{percent(r['of_won']['value'])} of won leads", mark=r["of_all"]["value"],
            mark_text=f"{percent(r['of_all']['value'])} of all")
        for r in found["rows"]
    ]  # fmt: skip
    behaviour = [
        {**row(r["label"], value=r["without"]["value"], text=_rate(r["without"]), mark=r["without_promised"],
               mark_text=f"promised {percent(r['without_promised'])}"),
         "low": r["without"]["low"], "high": r["without"]["high"]}
        for r in found["rows"] if r["without"]["value"] is not None
    ]  # fmt: skip
    charts = [
        ranges(shares, title="Share of leads that have it", key="Tick: among won leads. Diamond: among all leads.", most=1.0)
    ]  # fmt: skip
    if behaviour:
        charts.append(
            ranges(behaviour, title="Unseen leads without it: won, against what the model promised",
                   key="Tick: what came. Band: its likely range. Diamond: what was promised.")
        )  # fmt: skip
    return section(
        "survivorship",
        "Who survived",
        f"“{first['label']}”: {percent(first['of_won']['value'])} of won leads, {percent(first['of_all']['value'])} of all{revenue}",
        say=say,
        charts=charts,
        table=table(
            "Survivorship",
            ["Characteristic", "Of won leads", "Of all leads", "Without it: won", "Promised", "Winners without it sent to no person", "Revenue without it"],
            [
                [r["label"], percent(r["of_won"]["value"]), percent(r["of_all"]["value"]), _rate(r["without"]),
                 percent(r["without_promised"]), _rate(r["without_missed"]), money(r["revenue_without"], currency)]
                for r in found["rows"]
            ],
        ),
        method=f"{count(found['leads'], 'mature lead')}, as their records stood when first scored; unknown counts as without. "
        "A model trained on closed-won deals learns the first column; Candor trains on all leads.",
    )  # fmt: skip


def leaks(card: Mapping[str, Any]) -> Section | None:
    """What knows the outcome, and whether it was kept out."""
    found = (card.get("checks") or {}).get("leakage")
    if found is None:
        return None
    rows = [
        [f["label"], f["kind"], f["said"], _auc(f["as_of_auc"]), "kept out" if f["kept_out"] else f["mend"]]
        for f in found["findings"]
    ]
    rows += [
        [r["label"], "not accused", f"AUC {r['today']:.2f} as it looks today; {r['why']}", _auc(r["as_of"]), "nothing"]
        for r in found.get("ranked", ())[:MOST]
    ]  # fmt: skip
    return section(
        "leaks",
        "Leaks",
        leaks_found(found),
        say=list(filter(None, [leaks_barred(found, card.get("labels") or {})])),
        table=table(
            "What knows the outcome, and what comes closest to it",
            ["What", "How", "Evidence", "As known when scored (AUC)", "What to do"],
            rows,
        ) if rows else None,
        method="Each field as it looks today is compared with itself as it was known when leads are scored."
        if found["as_of"]
        else "Not as-of: the file has no times, so only what is too good to be true can be told.",
    )  # fmt: skip


def leaks_found(found: Mapping[str, Any]) -> str:
    """The leakage audit on a model's card in a sentence."""
    findings = found["findings"]
    open_ones = sum(not f["kept_out"] for f in findings)
    if not findings:
        return "Nothing gives an outcome away before it is known"
    if open_ones:
        return f"{count(open_ones, 'leak')} that as-of training does not keep out by itself"
    return f"{count(len(findings), 'field or count', 'fields or counts')} know outcomes afterwards; as-of training keeps all of them out"


def leaks_barred(found: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """What was left out of the model because it leaks; nothing where nothing was."""
    named = {f["what"]: f["label"] for f in found["findings"]} | dict(labels)
    out = [label(name, named) for name in (*found["barred_fields"], *found["barred_features"])]
    out += [kind.replace("_", " ") for kind in found["barred_activities"]]
    return f"Left out of the model for it: {'; '.join(out)}." if out else ""


def completeness(card: Mapping[str, Any]) -> Section | None:
    """What a score gains by a field's being filled."""
    found = (card.get("checks") or {}).get("completeness")
    if found is None:
        return None
    rows = sorted((*found["facts"], *found["left_out"]), key=lambda f: -f["median"])[:MOST]
    alone = found["blanks_alone_auc"]
    return section(
        "completeness",
        "Filled fields",
        completeness_found(found),
        say=[] if alone is None else [f"Which fields are blank, and nothing else, tells outcomes apart with AUC {alone:.2f}."],
        table=table(
            "Points by which a score moves when a field gets a known value",
            ["Field", "Blank on", "Median move", "99th percentile", "By filling as such", "In the model"],
            [
                [f["label"], percent(f["blank"]), f"{f['median']:.1f}", f"{f['p99']:.1f}", f"{f['filled']:+.1f}",
                 "no" if f in found["left_out"] else "yes"]
                for f in rows
            ],
        ) if rows else None,
        method=f"Limit for fields whose values tell nothing: {found['limit']['median']:g} points in the median, "
        f"{found['limit']['p99']:g} at the 99th percentile; the model is fitted anew without a field that is over it.",
    )  # fmt: skip


def completeness_found(found: Mapping[str, Any]) -> str:
    """The completeness check on a model's card in a sentence."""
    out = [fact["label"].lower() for fact in found["left_out"]]
    said = "No score rises by filling a field that says nothing"
    return f"{said}: {', '.join(out)} left the model for it" if out else said


def doubtful_found(labels: Sequence[Mapping[str, Any]]) -> str:
    """The outcomes on a model's card that look wrong."""
    if not labels:
        return "No outcome looks wrong"
    return "; ".join(
        f"{count(one['leads'], 'lead')}, {one['won']:,} of them won: {one['why']}" for one in labels
    )


def _auc(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _rate(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return not_enough(found["n"], found["needed"])
    return f"{percent(found['value'])}, {between(found['low'], found['high'])} ({found['hits']:,} of {found['n']:,})"
