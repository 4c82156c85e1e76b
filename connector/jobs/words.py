"""The values that Candor writes on a lead, in words that fit the CRM's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.model.reasons import RESTS, SMALLER
from scoring.routing.decide import Decision
from scoring.routing.engagement import band
from scoring.routing.policy import Policy


def lead_values(row: Mapping[str, Any], decision: Decision, policy: Policy) -> dict[str, Any]:
    """Every field of Candor's own on a lead but its trend, by canonical name."""
    return {
        "candor_score": round(row["score"]),
        "candor_score_low": round(row["low"]),
        "candor_score_high": round(row["high"]),
        "candor_confidence": round(row["confidence"]),
        "candor_band": band(row["confidence"], policy).replace(" ", "_"),
        "candor_flags": "\n".join(f["text"] for f in row["flags"]),
        "candor_reasons": "\n".join(
            [*_reasons(row["reasons"], round(row["score"])), f"Based on {like_this(row['evidence'])}."]
        ),
        "candor_fit": round(row["fit"]),
        "candor_engagement": round(row["engagement"]),
        "candor_expected_value": None if row["expected_value"] is None else round(row["expected_value"]),
        "candor_route": str(decision.route),
        "candor_route_reason": decision.why[:255],
        "candor_model": row["model"],
        "candor_scored_at": row["at"].replace(microsecond=0),
    }


def _reasons(reasons: Sequence[Mapping[str, Any]], score: int) -> list[str]:
    """In whole points that add up to the score's distance from 50, which is a typical lead: what is left over by rounding
    goes to smaller things. Rows of earlier versions have one remainder, without a code."""
    facts = [r for r in reasons if r["feature"] and r["feature"] not in RESTS]
    rests = [r for r in reasons if r["feature"] in RESTS and r["feature"] != SMALLER]
    last = reasons[-1]["text"] if reasons else RESTS[SMALLER]
    shown = [(round(r["points"]), r["text"]) for r in (*facts, *rests)]
    rest = score - 50 - sum(points for points, _ in shown)
    return [f"{points:+d} {text}" for points, text in (*shown, (rest, last)) if points]


def like_this(n: int) -> str:
    """How much evidence stands behind a score."""
    return "no lead like this yet" if n == 0 else "one lead like this" if n == 1 else f"{n:,} leads like this"


def money(amount: str, currency: str | None) -> str:
    """'EUR 12,300', of an amount in words; without a currency where none is known."""
    return f"{currency} {amount}" if currency else amount


def case_line(case: Mapping[str, Any]) -> str:
    """A segment's business case in a line."""
    line = f"{case['name']} ({case['state']}): {case['share']:.0%} of leads, {case['revenue_share']:.0%} of revenue; {saving(case['gain'])}"
    if case["state"] == "retirement proposed":
        line += (
            f"; too little in {case['below']} trainings, retire it: `candor models --retire {case['name']}`"
        )
    return line


def edge_line(edge: Mapping[str, Any]) -> str:
    """Whether edge cases have a model of their own, and if not why."""
    line = f"Edge cases: {edge['reviews']:,} reviewed leads"
    if edge["own"]:
        return f"{line}; they have a model of their own."
    if edge["gain"] is None:
        return f"{line}; {edge['why']}."
    return f"{line}; a model of their own {saving(edge['gain'])}; {edge['why']}: none."


def held_out_line(figures: Mapping[str, Any]) -> str:
    """How good a model is on the leads of its backtest, beside what saying the base rate to all of them would come to. The
    backtests of earlier versions don't know the latter."""
    skill = figures.get("skill") or {}
    beside = ""
    if skill.get("value") is not None:
        beside = f" (saying the base rate to all: {skill['log_loss_of_base']:.3f}"
        if skill["low"] > 0:
            beside += f"; {skill['value']:.0%} saved, likely {skill['low']:.0%} to {skill['high']:.0%}"
        beside += ")"
    return (
        f"On the latest {figures['n']:,} leads, unseen: AUC {figures['auc']:.3f}, log loss {figures['log_loss']:.3f}{beside}, "
        f"calibration error {figures['ece']:.3f}."
    )


def below_base_rate(figures: Mapping[str, Any]) -> str | None:
    """One sentence where a model's backtest is worse than the base rate, or not surely better; None where it is better, and
    where too few leads tell."""
    skill = figures.get("skill") or {}
    if skill.get("value") is None or skill["low"] > 0:
        return None
    how = "worse" if skill["high"] < 0 else "not surely better"
    return (
        f"This model is {how} than saying the base rate ({skill['base_rate']:.1%}) to every lead: its log loss on unseen leads is "
        f"{_against(skill['value'])} (likely {_against(skill['high'])} to {_against(skill['low'])})."
    )


def _against(saved: float) -> str:
    """A log loss against the base rate's."""
    return f"{saved:.1%} lower" if saved >= 0 else f"{-saved:.1%} higher"


def saving(gain: Mapping[str, Any] | None) -> str:
    """What a model of its own saves."""
    if gain is None:
        return "not measured"
    return (
        f"saves {gain['saved']:.0%} of the universal model's log loss "
        f"({gain['low']:.0%} to {gain['high']:.0%}, {gain['leads']:,} leads unseen)"
    )
