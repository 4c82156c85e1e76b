"""Sections on how far scores keep their promises: by confidence, value, source, hand-raiser, flag; and
reliability.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.web.report.shapes import Row, Section, empty, plot, ranges, row, section, table
from connector.web.report.words import between, count, flag, money, percent, rate_text
from scoring.metrics.flags import FlagOutcome
from scoring.metrics.four import Confidence, Conversion, HandRaisers, Lucky, PrecisionByValue, Recall
from scoring.metrics.rates import Rate, not_enough
from scoring.metrics.scores import Bin, Quality, Skill
from scoring.routing.policy import Policy

PROMISE_KEY = "Tick: measured. Band: its likely range. Diamond: what the probabilities promised."


def confidence(measured: Confidence, policy: Policy) -> Section:
    topic, low, high = "Confidence", measured.low, measured.high
    bands = [c for c in measured.by_band if c.observed.enough]
    if not bands:
        best = max((c.observed.n for c in measured.by_band), default=0)
        step = not_enough(best, policy.metrics.outcomes) + " in the fullest band"
        return empty("confidence", topic, "Conversion by confidence is not measurable yet", step)
    points = [
        {"x": i, "y": c.observed.value, "low": c.observed.low, "high": c.observed.high, "mark": c.promised,
         "title": f"Confidence {c.who}: {rate_text(c.observed)}, promised {percent(c.promised)}"}
        for i, c in enumerate(bands)
    ]  # fmt: skip
    rows = [_conversion("Unsure", low), _conversion("Sure", high)]
    if low.observed.enough and high.observed.enough:
        finding = (
            f"Unsure leads that were routed anyway converted {percent(low.observed.value)}, "
            f"sure ones {percent(high.observed.value)}"
        )
    else:
        finding = "Conversion by how sure the model was"
    chart = plot(
        points,
        title="Conversion of leads that reached a person, by confidence",
        x="confidence, points",
        y="converted",
        diagonal=False,
        bands=[c.who for c in bands],
    )
    return section(
        "confidence",
        topic,
        finding,
        charts=[chart, ranges(rows, key=PROMISE_KEY)],
        table=table(
            "Leads that reached a person, by confidence",
            ["Confidence", "Converted", "Promised", "Converted, weighted by value"],
            [
                [c.who, rate_text(c.observed), percent(c.promised), rate_text(c.revenue)]
                for c in measured.by_band
            ],
        ),
    )


def precision(measured: Sequence[PrecisionByValue], currency: str) -> Section:
    topic = "High scores, by deal size"
    enough = [b for p in measured for b in p.bands if b.observed.enough]
    if not enough:
        most = max(b.observed.n for p in measured for b in p.bands)
        step = not_enough(most, measured[0].bands[0].observed.needed) + " in the fullest band"
        return empty("precision", topic, "High scores have too few outcomes", step)
    falling = [p for p in measured if p.falling]
    short = [b for b in enough if b.promised is not None and (b.observed.high or 1.0) < b.promised]
    if falling:
        finding = f"The bigger the deal, the less a score of {falling[0].above:g} or more keeps its promise"
    elif short:
        worst = max(short, key=lambda b: (b.promised or 0) - (b.observed.value or 0))
        finding = f"Scores of {worst.above:g} or more promise too much for deals of {worst.band}"
    else:
        finding = "High scores keep their promise at every deal size"
    charts = [
        ranges(
            [_row(f"{currency} {b.band}", b.observed, b.promised) for b in p.bands],
            title=f"Scored {p.above:g} or more",
            key=PROMISE_KEY if i == 0 else "",
            most=1.0,
        )
        for i, p in enumerate(measured)
    ]
    rows = [
        [f"{p.above:g} or more", b.band, rate_text(b.observed), percent(b.promised), rate_text(b.revenue)]
        for p in measured
        for b in p.bands
    ]
    columns = [
        "Score",
        f"Predicted deal, {currency}",
        "Converted",
        "Promised",
        "Converted, weighted by value",
    ]
    return section("precision", topic, finding, charts=charts, table=table("Precision", columns, rows))


def recall(measured: Sequence[Recall], currency: str) -> Section:
    topic = "Winners, by source"
    known = [r for r in measured if r.qualified.enough]
    if not known:
        most = max((r.qualified.n for r in measured), default=0)
        step = not_enough(most, measured[0].qualified.needed) + " among the winners of any source"
        return empty("recall", topic, "Too few winners per source", step)
    worst = min(known, key=lambda r: r.qualified.value or 0.0)
    finding = (
        f"Of winners from {worst.channel}, {percent(worst.qualified.value)} had scored above their threshold"
    )
    if len(known) > 1:
        finding += ", the fewest of any source"
    rows = [
        row(r.channel.capitalize(), r.qualified, mark=r.reached.value, note=_reached(r.reached))
        for r in measured
    ]
    return section(
        "recall",
        topic,
        finding,
        charts=[ranges(rows, most=1.0, key="Tick: scored above their threshold. Diamond: reached a person.")],
        table=table(
            "Recall by source",
            [
                "Source",
                "Winners that qualified",
                "Winners that reached a person",
                "Of their revenue, qualified",
            ],
            [
                [
                    r.channel,
                    rate_text(r.qualified),
                    rate_text(r.reached),
                    f"{rate_text(r.revenue)}, {money(r.revenue.part, currency)}",
                ]
                for r in measured
            ],
        ),
    )


def _reached(reached: Rate) -> str:
    return f"{percent(reached.value)} reached a person" if reached.enough else ""


def hand_raisers(measured: HandRaisers, currency: str) -> Section:
    topic = "Hand-raisers"
    if not measured.n:
        step = "Leads count here once they asked for contact or a demo and their outcome is known."
        return empty("hand-raisers", topic, "No hand-raiser has matured yet", step)
    unreached = measured.unreached.hits
    if measured.alarm:
        finding = f"{count(unreached, 'hand-raiser')} reached no person: find out why"
    else:
        finding = f"All {measured.n:,} hand-raisers reached a person"
    say = [
        f"{measured.below.hits:,} of {measured.n:,} scored below their threshold. {measured.won_below.hits:,} of those "
        f"were won; their probabilities promised {measured.promised_below:.1f}. Revenue with them: "
        f"{money(measured.revenue_below, currency)}."
    ]
    rows = [
        row("Reached no person", measured.unreached, state="alarm" if measured.alarm else ""),
        row("Scored below threshold", measured.below),
    ]
    return section("hand-raisers", topic, finding, say=say, charts=[ranges(rows, most=1.0)])


def flags(measured: Sequence[FlagOutcome], currency: str) -> Section:
    topic = "Flags"
    if not measured:
        step = "Flags are raised when a lead differs from what the model was trained on."
        return empty("flags", topic, "No matured lead carried a flag", step)
    matter = [f for f in measured if f.finding == "matters"]
    removable = [f for f in measured if f.finding == "proposed for removal"]
    finding = f"{len(matter)} of {count(len(measured), 'flag')} told leads apart"
    if removable:
        finding += f"; {count(len(removable), 'flag')} never mattered and could go"
    shown = measured[:12]
    rows = [
        _row(
            flag(f.flag),
            f.flagged,
            f.like,
            f"like leads {percent(f.like)}",
            f.finding if f.flagged.enough else "",
        )
        for f in shown
    ]
    return section(
        "flags",
        topic,
        finding,
        charts=[ranges(rows, key="Tick: conversion of flagged leads. Diamond: of unflagged leads with like scores.")],
        table=table(
            "Flags",
            ["Flag", "Flagged leads converted", "Like leads", "Promised", "Revenue", "Finding"],
            [
                [flag(f.flag), rate_text(f.flagged), percent(f.like), percent(f.promised),
                 money(f.revenue, currency), f.finding]
                for f in measured
            ],
        ),
    )  # fmt: skip


def reliability(bins: Sequence[Bin], quality: Quality, skill: Skill, luck: Lucky, policy: Policy) -> Section:
    topic = "Reliability"
    if not bins:
        step = not_enough(quality.n, policy.metrics.outcomes)
        return empty("reliability", topic, "Too few outcomes to hold against their promises", step)
    kept = sum((b.observed.low or 0) <= b.promised <= (b.observed.high or 1) for b in bins)
    finding = f"In {kept} of {count(len(bins), 'group')} of like leads, what came is what was promised"
    points = [
        {"x": b.promised, "y": b.observed.value, "low": b.observed.low, "high": b.observed.high,
         "title": f"Promised {percent(b.promised)}, came {rate_text(b.observed)}"}
        for b in bins
    ]  # fmt: skip
    chart = plot(
        points,
        title="Promised and observed conversion, groups of equal size",
        x="share that was promised",
        y="converted",
        diagonal=True,
    )
    facts = [
        ("Ranks a winner above a loser", percent(quality.auc)),
        ("Mean gap, promise to outcome", percent(quality.ece, 1)),
        ("Log loss", f"{quality.log_loss:.4f}" if quality.log_loss is not None else "unknown"),
        (
            "Log loss of saying the base rate to all",
            "unknown" if skill.log_loss_of_base is None else f"{skill.log_loss_of_base:.4f}",
        ),
        (
            "Saved of that",
            "unknown" if not skill.enough else f"{percent(skill.value)}, {between(skill.low, skill.high)}",
        ),
        ("Brier score", f"{quality.brier:.4f}" if quality.brier is not None else "unknown"),
        ("Right, but for other reasons", rate_text(luck.lucky, "right ones")),
    ]
    return section(
        "reliability",
        topic,
        finding,
        charts=[chart],
        facts=facts,
        table=table(
            "Groups by promised conversion",
            ["Promised", "Converted"],
            [[percent(b.promised), rate_text(b.observed)] for b in bins],
        ),
        method=f"{quality.n:,} matured leads, {quality.wins:,} won. One group in ten may miss by chance.",
    )


def _row(label: str, rate: Rate, mark: float | None, mark_text: str | None = None, note: str = "") -> Row:
    words = mark_text if mark_text is not None else f"promised {percent(mark)}"
    shown = mark if rate.enough else None
    return row(label, rate, mark=shown, mark_text=words if shown is not None else "", note=note)


def _conversion(who: str, c: Conversion) -> Row:
    return _row(f"{who} ({c.who})", c.observed, c.promised)
