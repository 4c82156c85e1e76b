"""The first sections: what hangs on edge cases, how well they are known, how many winners among them were
missed.
"""

from __future__ import annotations

from connector.web.report.shapes import Section, empty, ranges, row, section, table
from connector.web.report.words import between, count, money, percent, rate_text
from scoring.metrics.edge_cases import EdgeCases
from scoring.metrics.rates import Rate, Share, not_enough
from scoring.metrics.scores import Skill
from scoring.routing.policy import Policy


def headline(edge: EdgeCases, n: int, policy: Policy) -> str:
    """The report in one sentence."""
    if not edge.leads.enough:
        return (
            f"Too early to say: {not_enough(n, policy.metrics.outcomes)}. Outcomes count once a lead is "
            f"{policy.horizon_days} days old, or won earlier."
        )
    revenue = f" and {percent(edge.revenue.value)} of your revenue" if edge.revenue.enough else ""
    start = f"Leads that your model knows least about are {percent(edge.leads.value)} of all{revenue}"
    if not edge.missed.plain.enough:
        return f"{start}; too few of them were won to say how many were missed."
    return f"{start}; {percent(edge.missed.plain.value)} of the winners among them were sent to no person."


def shares(edge: EdgeCases, currency: str) -> Section:
    topic = "Edge cases"
    if not edge.leads.enough:
        return empty(
            "edge-cases", topic, "No outcomes to weigh yet", not_enough(edge.leads.n, edge.leads.needed)
        )
    rows = [
        row("Of leads", edge.leads),
        row("Of predicted value", edge.pipeline, text=_money_text(edge.pipeline, currency)),
        row("Of winners", edge.wins),
        row("Of won revenue", edge.revenue, text=_money_text(edge.revenue, currency)),
    ]
    finding = f"Edge cases are {percent(edge.leads.value)} of leads"
    if edge.revenue.enough:
        finding += f" and {percent(edge.revenue.value)} of revenue"
    return section(
        "edge-cases",
        topic,
        finding,
        charts=[ranges(rows, most=1.0, key="Tick: measured. Band: its likely range.")],
        table=table(
            "Edge cases' share", ["Share of", "Share", "Likely", "Rests on"], [
                ["leads", percent(edge.leads.value), between(edge.leads.low, edge.leads.high), count(edge.leads.n, "lead")],
                ["predicted value", percent(edge.pipeline.value), _likely(edge.pipeline), count(edge.pipeline.n, "lead")],
                ["winners", percent(edge.wins.value), _likely(edge.wins), count(edge.wins.n, "winner")],
                ["won revenue", percent(edge.revenue.value), _likely(edge.revenue), count(edge.revenue.n, "winner")],
            ],
        ),
        method="An edge case had a range wider than 30 points, or something out of the ordinary about it, when it was "
        "first routed. Predicted value is probability × predicted amount.",
    )  # fmt: skip


def skill(edge: EdgeCases) -> Section:
    topic = "What the model knows about them"
    if not edge.skill.enough:
        step = not_enough(edge.skill.n, edge.skill.needed) + ", at least one of them won"
        return empty("skill", topic, "Skill on edge cases is not measurable yet", step)
    value, low, high = edge.skill.value or 0.0, edge.skill.low or 0.0, edge.skill.high or 0.0
    if low > 0:
        finding = f"On edge cases the model knows {percent(value)} more than the base rate does"
    elif high < 0:
        finding = "On edge cases the model is worse than saying the base rate"
    else:
        finding = "On edge cases the model is not surely better than the base rate"
    rows = [
        row("Edge cases", text=_skill_text(edge.skill)) | _ends(edge.skill),
        row("All other leads", text=_skill_text(edge.skill_elsewhere)) | _ends(edge.skill_elsewhere),
    ]
    return section(
        "skill",
        topic,
        finding,
        charts=[
            ranges(
                rows, key=f"0 is what always saying the base rate ({percent(edge.base_rate)}) would reach."
            )
        ],
        table=table(
            "Log loss",
            ["Leads", "Won", "Log loss", "Of the base rate", "Skill"],
            [_skill_row("Edge cases", edge.skill), _skill_row("All other leads", edge.skill_elsewhere)],
        ),
        method="Skill is the share of the base rate's log loss that the model saves. Plain accuracy would say nothing: "
        f"“no” to every lead is right {percent(1 - edge.base_rate)} of the time.",
    )


def missed(edge: EdgeCases, policy: Policy, currency: str) -> Section:
    topic, m = "Winners among them", edge.missed
    if not m.plain.enough:
        step = f"{not_enough(m.plain.n, m.plain.needed)} among the winners that were edge cases"
        return empty("missed", topic, "Too few edge cases were won to count misses", step)
    hours = f"sending {m.routed:,} of {m.n:,} edge cases to a person"
    rows = [
        row("What happened", m.plain),
        row("Nobody called", value=m.nobody, text="100 % missed, no hours"),
        row("The same hours, by lot", value=m.by_lot, text=f"{percent(m.by_lot)} missed"),
        row("The same hours, highest scores", value=m.by_score, text=f"{percent(m.by_score)} missed"),
    ]
    if m.perfect is not None:
        text = f"{percent(m.perfect)} missed"
        rows.append(row("The same hours, true chances known", value=m.perfect, text=text))
    rows.append(row("Everybody called", value=m.everybody, text=f"0 % missed, all {m.n:,} to call"))
    better = m.by_lot is not None and (m.plain.high or 1.0) < m.by_lot
    finding = f"{percent(m.plain.value)} of winning edge cases were sent to no person"
    if m.by_lot is not None:
        finding += f"; drawing lots would miss {percent(m.by_lot)}"
    return section(
        "missed",
        topic,
        finding,
        say=[] if better else ["That is not surely better than drawing lots for the same hours."],
        charts=[ranges(rows, most=1.0, key=f"All but the ends compare {hours}.")],
        table=table(
            "Missed winners among edge cases",
            ["Way", "Missed"],
            [[r["label"], r["text"]] for r in rows]
            + [
                [
                    "What happened, by revenue",
                    f"{rate_text(m.revenue)}, {money(m.revenue.part, currency)} missed",
                ]
            ],
        ),
        method=f"At a review capacity of {policy.review.capacity_hours:g} hours a day.",
    )


def _money_text(share: Share, currency: str) -> str:
    return rate_text(share) + (f", {money(share.part, currency)}" if share.enough else "")


def _likely(rate: Rate | Share) -> str:
    return between(rate.low, rate.high) if rate.enough else "not known yet"


def _ends(skill: Skill) -> dict[str, float | None]:
    return {"value": skill.value, "low": skill.low, "high": skill.high}


def _skill_text(skill: Skill) -> str:
    if not skill.enough:
        return not_enough(skill.n, skill.needed)
    return f"{percent(skill.value)}, {between(skill.low, skill.high)} ({skill.wins:,} of {skill.n:,} won)"


def _skill_row(who: str, skill: Skill) -> list[str]:
    ours, base = (
        f"{x:.4f}" if x is not None else "not known yet" for x in (skill.log_loss, skill.log_loss_of_base)
    )
    return [f"{who} ({skill.n:,})", f"{skill.wins:,}", ours, base, _skill_text(skill)]
