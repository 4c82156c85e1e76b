"""Sections on budgets, on where the model was wrong in a pattern, and on whether the new model is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.web.report.shapes import Section, empty, ranges, row, section, table
from connector.web.report.words import (
    OUT_OF_FOLD,
    SIZES,
    between,
    characteristic,
    count,
    money,
    percent,
    rate_text,
    unseen_leads,
)
from scoring.audit.patterns import Audit, Pattern
from scoring.metrics.budgets import Budget
from scoring.metrics.compare import Comparison
from scoring.metrics.scores import Skill
from scoring.routing.policy import Policy

MOST_PATTERNS = 12


def budgets(rows: Sequence[Budget], policy: Policy) -> Section:
    topic = "Error budgets"
    by_state = {state: [b for b in rows if b.state == state] for state in ("exceeded", "at risk", "ok")}
    judged = sum(len(b) for b in by_state.values())
    if by_state["exceeded"]:
        finding = (
            f"{len(by_state['exceeded'])} of {count(judged, 'segment')} missed more winners than their budget allows; "
            "releases and thresholds there are frozen until someone has looked"
        )
    elif by_state["at risk"]:
        finding = f"No budget is exceeded; {len(by_state['at risk'])} of {judged} may be"
    elif by_state["ok"]:
        finding = f"All {len(by_state['ok'])} budgets that can be judged are kept"
    else:
        finding = "No budget has enough winners to be judged yet"
    shown = [
        row(
            SIZES.get(b.title, b.title),
            b.missed,
            mark=b.budget,
            mark_text=f"budget {percent(b.budget)}",
            state=b.state,
            text=None if b.missed.enough else f"{b.missed.n} of {b.missed.needed} winners needed",
        )
        for b in rows
    ]
    return section(
        "budgets",
        topic,
        finding,
        charts=[ranges(shown, key="Tick: winning edge cases sent to no person. Diamond: how many may be.")],
        table=table(
            "Error budgets",
            ["Segment", "State", "Budget", "Missed", "Missed, by revenue", "Edge cases"],
            [
                [
                    SIZES.get(b.title, b.title),
                    b.state,
                    percent(b.budget),
                    rate_text(b.missed),
                    rate_text(b.revenue),
                    f"{b.edge_cases:,}",
                ]
                for b in rows
            ],
        ),
        method="A lead counts in the first budget that fits. Exceeded: even the low end of the likely range is over "
        "it. At risk: the measured rate is over it, but may be chance. Rests on a review capacity of "
        f"{policy.review.capacity_hours:g} hours a day.",
    )


def mispredictions(found: Audit, policy: Policy, currency: str) -> Section:
    topic = "Where it was wrong"
    if not found.above.n and not found.below.n:
        step = f"It looks at leads scored above {policy.audit.above:g} or below {policy.audit.below:g}."
        return empty("mispredictions", topic, "Nothing to audit yet", step)
    if found.patterns:
        first = found.patterns[0]
        finding = f"{count(len(found.patterns), 'pattern')}; the dearest: {_name(first)}, {_revenue(first, currency)}"
    elif not found.groups_looked_at:
        finding = "Too few leads scored very high or very low to look for patterns"
    else:
        finding = "No kind of lead was mispredicted more than its own probabilities promised"
    say = []
    if found.above.enough:
        say.append(
            f"Scored above {policy.audit.above:g}: {percent(found.above.value)} did not convert, "
            f"{percent(found.above_promised)} were expected not to ({found.above.n:,} leads)."
        )
    if found.below.enough:
        say.append(
            f"Scored below {policy.audit.below:g}: {percent(found.below.value)} converted, "
            f"{percent(found.below_promised)} were expected to ({found.below.n:,} leads, "
            f"{money(found.revenue_below, currency)} won)."
        )
    charts: list[dict[str, Any]] = []
    for direction, title in (
        ("below", f"Scored below {policy.audit.below:g}, yet converted more than promised"),
        ("above", f"Scored above {policy.audit.above:g}, yet converted less than promised"),
    ):
        rows = [
            row(_name(p), p.observed, mark=p.promised, mark_text=f"promised {percent(p.promised)}",
                note=f"{_revenue(p, currency)} · {p.category}")
            for p in found.patterns if p.direction == direction
        ][:MOST_PATTERNS]  # fmt: skip
        if rows:
            key = "" if charts else "Tick: what came. Band: its likely range. Diamond: what was promised."
            charts.append(ranges(rows, title=title, key=key))
    return section(
        "mispredictions",
        topic,
        finding,
        say=say,
        charts=charts,
        table=table(
            "Patterns",
            ["Leads", "Side", "Converted", "Promised", "Revenue", "Kind", "Why that kind", "By chance"],
            [
                [_name(p), p.direction, rate_text(p.observed), percent(p.promised), _revenue(p, currency),
                 str(p.category), p.why, f"{p.adjusted:.2g}"]
                for p in found.patterns
            ],
        ) if found.patterns else None,
        method=f"{count(found.groups_looked_at, 'group')} of at least {policy.audit.group_leads} leads looked at; at most "
        f"{percent(policy.audit.false_discovery)} of what is shown may be chance (Benjamini and Hochberg).",
    )  # fmt: skip


def _name(pattern: Pattern) -> str:
    return ", ".join(characteristic(name, value) for name, value in pattern.values)


def _revenue(pattern: Pattern, currency: str) -> str:
    words = "won unexpectedly" if pattern.direction == "below" else "expected, never came"
    return f"{money(pattern.revenue, currency)} {words}"


def old_and_new(
    on_edge: Comparison | None, card: Mapping[str, Any], old_card: Mapping[str, Any] | None, mode: str
) -> Section:
    topic = "Old model and new"
    if old_card is None and on_edge is None:
        step = "The comparison appears with the next training."
        return empty("old-and-new", topic, "This is the first model", step)
    facts = _cards(card, old_card or {}, unseen_leads(mode))
    if on_edge is None or on_edge.saved is None:
        step = "Too few matured edge cases were scored by both models. What their cards say:"
        return section(
            "old-and-new", topic, "Old and new can't be compared on edge cases yet", say=[step], facts=facts
        )
    saved, low, high = on_edge.saved, on_edge.saved_low or 0.0, on_edge.saved_high or 0.0
    if low > 0:
        finding = f"On edge cases the new model is {percent(saved)} less wrong than the old one"
    elif high < 0:
        finding = f"On edge cases the new model is {percent(-saved)} more wrong than the old one"
    else:
        finding = "On edge cases the new model is not surely better than the old one"
    rows = [_skill_row("New model", on_edge.new), _skill_row("Old model", on_edge.old)]
    return section(
        "old-and-new",
        topic,
        finding,
        charts=[
            ranges(
                rows, key="Skill on the same edge cases: the share of the base rate's log loss that is saved."
            )
        ],
        facts=facts,
        table=table(
            "The same edge cases",
            ["Model", "Log loss", "Skill"],
            [
                [r["label"], f"{s.log_loss:.4f}", r["text"]]
                for r, s in zip(rows, (on_edge.new, on_edge.old), strict=True)
            ],
        ),
        method=f"Log loss saved by the new model: {percent(saved)}, {between(low, high)}.",
    )


def _skill_row(label: str, skill: Skill) -> dict[str, Any]:
    text = f"{percent(skill.value)}, {between(skill.low, skill.high)} ({skill.wins:,} of {skill.n:,} won)"
    return row(label, text=text) | {"value": skill.value, "low": skill.low, "high": skill.high}


def _cards(card: Mapping[str, Any], old: Mapping[str, Any], unseen: str) -> list[tuple[str, str]]:
    """What both cards say of the models, on unseen leads first."""
    names = {"auc": "Ranking (AUC)", "log_loss": "Log loss", "brier": "Brier score", "ece": "Calibration gap"}
    return [
        (f"{label}, {where}", f"{before[key]:.3f} before, {now[key]:.3f} now")
        for part, where in (("backtest", unseen), ("metrics", OUT_OF_FOLD))
        for before, now in [(old.get(part) or {}, card.get(part) or {})]
        for key, label in names.items()
        if isinstance(before.get(key), float) and isinstance(now.get(key), float)
    ]
