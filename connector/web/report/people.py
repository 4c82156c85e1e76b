"""Sections on people and machinery: attention, reviews, tags and forms; the model's card; data and API calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from scipy.stats import norm

from connector.jobs.words import below_base_rate, case_line
from connector.web.report import audits
from connector.web.report.shapes import Section, empty, grid, ranges, row, section, table
from connector.web.report.words import (
    OUT_OF_FOLD,
    between,
    count,
    label,
    money,
    percent,
    rate_text,
    unseen_leads,
)
from scoring.metrics.attention import Cell, Group
from scoring.metrics.four import VALUE_BANDS
from scoring.metrics.holdout import Effect
from scoring.metrics.rates import not_enough
from scoring.metrics.scores import Quality, Skill, auc_error
from scoring.routing.policy import Policy

NOT_AS_OF = (
    "Not as-of: this data came without times, so leads were scored as their records look today. A model can see there "
    "what was only filled in after the outcome; live, it will do worse than this page says."
)

METRICS = {
    "auc": "Ranking (AUC)",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration gap (ECE)",
}

ROUTES = {
    "person_ae": "Account executive",
    "person_sdr": "SDR",
    "review": "Review",
    "nurture": "Nurture",
    "held": "Held",
    "unscored": "Not scored",
}


def attention(cells: Sequence[Cell], currency: str) -> Section:
    topic = "Who gets attention"
    enough = [c for c in cells if c.reached.enough]
    if not enough:
        most = max((c.leads for c in cells), default=0)
        step = not_enough(most, cells[0].reached.needed) + " in the fullest cell"
        return empty("attention", topic, "Too few leads to see who gets attention", step)
    least = min(enough, key=lambda c: (c.reached.value or 0.0, -c.leads))
    finding = (
        f"Least attention: confidence {least.confidence}, deals of {least.value}; "
        f"{percent(least.reached.value)} reached a person"
    )
    across = [name for name, _, _ in VALUE_BANDS]
    names = list(dict.fromkeys(c.confidence for c in cells))
    charts = [
        grid(
            title,
            across,
            [_grid_row(name, cells, which) for name in names],
            f"predicted deal, {currency}",
            "confidence",
        )
        for which, title in (("reached", "Reached a person"), ("converted", "Of those, converted"))
    ]
    return section(
        "attention",
        topic,
        finding,
        charts=charts,
        table=table(
            "Attention by confidence and value",
            ["Confidence", "Predicted deal", "Reached a person", "Of those, converted"],
            [
                [c.confidence, f"{currency} {c.value}", rate_text(c.reached), rate_text(c.converted)]
                for c in cells
            ],
        ),
    )


def unworked(card: Mapping[str, Any]) -> Section | None:
    """What the leads that nobody worked may have been worth; None where the activities don't tell who was worked."""
    found = (card.get("attention") or {}).get("hidden")
    if found is None:
        return None
    low, high = max(0.0, found["low"]), max(0.0, found["high"])
    return section(
        "unworked",
        "Leads nobody worked",
        f"{found['unworked']:,} of {count(found['leads'], 'mature lead')}: worked like the others, about "
        f"{max(0.0, found['more']):.0f} more would have been won (likely {low:.0f} to {high:.0f})",
        facts=[
            ("Mature leads", f"{found['leads']:,}"),
            ("Nobody worked", f"{found['unworked']:,}"),
            ("of these won all the same", f"{found['won']:,}"),
        ],
        method="An estimate from the leads that were worked and look alike. The model counts a lost lead the less, the "
        "less likely it is that a lead like it is worked: it can't have shown what it was.",
    )


def holdout(effect: Effect) -> Section:
    topic = "What the routing is worth"
    if effect.gain is None or effect.low is None or effect.high is None:
        few = min((effect.routed, effect.held_out), key=lambda r: r.n)
        return empty(
            "holdout", topic, "Too few held-out leads have an outcome yet", not_enough(few.n, few.needed)
        )
    by = f"{effect.gain:+.1%} of leads won (likely {effect.low:+.1%} to {effect.high:+.1%})"
    return section(
        "holdout",
        topic,
        f"Routed leads against those left to your own rules: {by}"
        if effect.sure
        else f"No difference can be shown yet: {by}",
        table=table(
            "Leads that qualified, by what the lot decided",
            ["", "Won"],
            [
                ["Routed by Candor", rate_text(effect.routed)],
                ["Left to your own rules", rate_text(effect.held_out)],
            ],
        ),
    )


def _grid_row(name: str, cells: Sequence[Cell], which: str) -> dict[str, Any]:
    rates = [getattr(c, which) for c in cells if c.confidence == name]
    return {
        "label": name,
        "cells": [
            {
                "value": r.value,
                "text": percent(r.value) if r.enough else "too few",
                "title": rate_text(r),
                "n": r.n,
            }
            for r in rates
        ],
    }


def people(groups: Sequence[Group], counts: Mapping[str, Any], currency: str) -> Section:
    """`counts`: reviews, overrides, tags, forms, routes (see content)."""
    topic = "The queue and the people"
    reviews, forms = counts.get("reviews") or {}, counts.get("forms") or {}
    facts = [
        *_facts("Reviews", reviews),
        *_facts("Overrides", counts.get("overrides") or {}),
        *_facts("Tags", counts.get("tags") or {}),
        *_facts("Forms", forms),
        *[(f"Routed: {ROUTES.get(k, k)}", f"{v:,}") for k, v in (counts.get("routes") or {}).items()],
    ]
    measurable = [g for g in groups if g.converted.enough]
    if not facts and not measurable:
        step = (
            "Reviews, overrides, tags and forms are counted from the first one that a rep makes in the CRM."
        )
        return empty("people", topic, "Nobody has answered the model yet", step)
    review = groups[0]
    if review.converted.enough:
        finding = f"Reviewed leads converted {percent(review.converted.value)}"
        if groups[1].converted.enough:
            finding += f", unsure ones that nobody reviewed {percent(groups[1].converted.value)}"
    elif reviews:
        finding = f"{count(reviews.get('completed', 0), 'review')} done, {reviews.get('open', 0):,} waiting"
    else:
        finding = "What reps said back"
    if reviews.get("overdue"):
        finding += f"; {count(reviews['overdue'], 'review')} overdue"
    rows = [
        row(g.who, g.converted, mark=g.promised if g.converted.enough else None,
            mark_text=f"promised {percent(g.promised)}" if g.converted.enough else "",
            note=f"mean deal {money(g.mean_deal, currency)}" if g.mean_deal is not None else "")
        for g in groups
    ]  # fmt: skip
    say = []
    if forms.get("asked"):
        done, left = forms.get("completed", 0), forms.get("abandoned", 0)
        asked = forms["asked"]
        say = [
            f"Of {count(asked, 'form')} asked, {percent(done / asked)} were completed and "
            f"{percent(left / asked)} abandoned."
        ]
    key = "Tick: converted. Band: its likely range. Diamond: what was promised."
    return section(
        "people", topic, finding, say=say, charts=[ranges(rows, key=key)] if measurable else [], facts=facts
    )


def _facts(title: str, counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f"{title}: {name.replace('_', ' ')}", _number(value)) for name, value in counts.items()]


def model_card(card: Mapping[str, Any], policy: Policy, mode: str, quality: Quality, skill: Skill) -> Section:
    """`quality`, `skill`: on the leads of its backtest."""
    topic = "The model"
    if not card:
        return empty("model", topic, "No model has been released yet", "Run candor train.")
    data, metrics = card.get("data", {}), card.get("metrics", {})
    labels = card.get("labels") or {}
    if "leads" in data and "wins" in data:
        finding = f"Trained on {count(data['leads'], 'lead')}, {count(data['wins'], 'winner')} among them"
    else:
        finding = "What the model is made of"
    facts = _unseen(quality, skill, mode)
    facts += [(_title(name), percent(v) if name == "base_rate" else _number(v)) for name, v in data.items()]
    facts += [
        (f"{METRICS.get(name, _title(name))}, {OUT_OF_FOLD}", _number(value))
        for name, value in metrics.items()
        if name != "how"
    ]
    features = card.get("features", {})
    if features:
        facts.append(("Features used", _number(len(features.get("used", ())))))
        if features.get("left_out"):
            facts.append(
                ("Features left out", "; ".join(label(name, labels) for name in features["left_out"]))
            )
    facts += _checked(card.get("checks") or {}, labels)
    segments = card.get("segments") or {"models": ()}
    facts += [
        (f"Segment: {case['label']}", f"{', '.join(case['values'])}: {case_line(case)}")
        for case in segments["models"]
    ]
    facts += [("Version", str(card["version"]))] if card.get("version") else []
    facts += [("Policy version", policy.version), ("Horizon", f"{policy.horizon_days} days")]
    facts += [(name, str(value)) for name, value in card.get("versions", {}).items()]
    said = [
        NOT_AS_OF if mode == "snapshot" else None,
        below_base_rate({"skill": asdict(skill)}),
        _gap(data, metrics, quality, mode, policy) if skill.enough else None,
    ]
    return section("model", topic, finding, say=list(filter(None, said)), facts=facts)


def _unseen(quality: Quality, skill: Skill, mode: str) -> list[tuple[str, str]]:
    """What a model is worth on leads that it was not fitted on: its first figures, as they are what to expect of it."""
    leads = unseen_leads(mode)
    if not skill.enough:
        few = quality.n < skill.needed
        return [(f"On {leads}", not_enough(quality.n, skill.needed) if few else "none of them won yet")]
    return [
        (f"{METRICS['auc']}, {leads}", f"{_number(quality.auc)} ({quality.wins:,} of {quality.n:,} won)"),
        (f"{METRICS['log_loss']}, {leads}", _number(skill.log_loss)),
        ("Log loss there of saying the base rate to all", _number(skill.log_loss_of_base)),
        ("Saved of that", f"{percent(skill.value)}, {between(skill.low, skill.high)}"),
        (f"{METRICS['brier']}, {leads}", _number(quality.brier)),
        (f"{METRICS['ece']}, {leads}", _number(quality.ece)),
    ]


def _gap(
    data: Mapping[str, Any], metrics: Mapping[str, Any], quality: Quality, mode: str, policy: Policy
) -> str | None:
    """That a model ranks unseen leads otherwise than its own training leads, where that is surely no chance."""
    own, leads, wins = metrics.get("auc"), data.get("leads", 0), data.get("wins", 0)
    if own is None or quality.auc is None or not 0 < wins < leads:
        return None
    doubt = math.hypot(
        auc_error(quality.auc, quality.wins, quality.n - quality.wins), auc_error(own, wins, leads - wins)
    )
    if abs(own - quality.auc) <= norm.ppf((1 + policy.metrics.level) / 2) * doubt:
        return None
    return (
        f"It ranks {unseen_leads(mode)} {'worse' if quality.auc < own else 'better'} (AUC {quality.auc:.3f}) than its own training "
        f"leads, out of fold (AUC {own:.3f}), by more than chance: go by the former. Training rows also show leads later in "
        "their lives, and times change."
    )


def _checked(checks: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """What a model had to show before it was released, a sentence each."""
    said = []
    if (leaks := checks.get("leakage")) is not None:
        found, barred = audits.leaks_found(leaks), audits.leaks_barred(leaks, labels)
        said.append(("Check: leaks", f"{found}. {barred}" if barred else found))
    if (filled := checks.get("completeness")) is not None:
        said.append(("Check: filled fields", audits.completeness_found(filled)))
    if (doubtful := checks.get("doubtful")) is not None:
        said.append(("Check: outcomes that look wrong", audits.doubtful_found(doubtful)))
    return said


def data_and_calls(counts: Mapping[str, Any], n: int, mode: str) -> Section:
    topic, data, api = "Data and API calls", counts.get("data") or {}, counts.get("api") or {}
    facts = [(name.replace("_", " ").capitalize(), _number(value)) for name, value in data.items()]
    facts += [(f"Set aside: {why}", count(n, "row")) for why, n in (counts.get("set_aside") or {}).items()]
    facts += [(f"API {name.replace('_', ' ')}", _number(value)) for name, value in api.items()]
    facts.append(
        ("Leads were built", "as of the moment they were scored" if mode == "as-of" else "not as-of")
    )
    facts += [("Still inside the horizon", count(counts["maturing"], "lead"))] if "maturing" in counts else []
    finding = f"This page rests on {count(n, 'matured lead')}"
    calls, failed = api.get("calls"), api.get("failed")
    if calls:
        share = 1 - (failed or 0) / calls
        finding += f"; {percent(share, 1)} of {count(calls, 'API call')} succeeded"
    return section("data", topic, finding, facts=facts)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == round(value) and abs(value) >= 10 else f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k.replace('_', ' ')} {_number(v)}" for k, v in value.items())
    return "unknown" if value is None else str(value)
