"""Survivorship report (S1.4): what tidy winners have that leads in general have not, and what that hides.

A model trained on closed-won deals learns what survived: complete records, usual titles, a straight path. For each such
characteristic its share among won leads and among all, what the model made of unseen leads without it, and the revenue
that came from them all the same; and the wins outside the ideal customer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.metrics.outcomes import Bools, Outcomes
from scoring.metrics.rates import Rate, rate
from scoring.routing.policy import Policy

Floats = npt.NDArray[np.float64]

REPLY_HOURS = 24.0
FOUND_MOST = 4
"""characteristics that the data itself shows, beside the named ones"""
FOUND_GAP = 0.10
"""by which one's share among won leads must lie above its share among all"""
FOUND_WINS = 30
FOUND_IN = ("industry", "source", "country", "size_band", "function", "seniority", "email_kind")


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One row of the report; `without` counts unseen leads of the backtest."""

    name: str
    label: str
    of_won: Rate
    of_all: Rate
    without: Rate
    """of leads without it: how many were won"""
    without_promised: float | None
    """and what their probabilities promised"""
    without_missed: Rate
    """of their winners: sent to no person"""
    revenue_without: float
    """won amounts of leads without it: what a model of survivors would put at stake"""
    revenue: float


@dataclass(frozen=True, slots=True)
class Outside:
    """Wins outside the ideal customer."""

    wins: Rate
    """of all wins"""
    revenue: float
    revenue_share: float | None
    incomplete: Rate
    """of these wins: incomplete when scored"""


@dataclass(frozen=True, slots=True)
class Survivorship:
    leads: int
    wins: int
    rows: tuple[Characteristic, ...]
    """the widest gap first"""
    outside: Outside


def survivorship(
    rows: pa.Table, won: Bools, amount: Floats, outside: Bools, unseen: Outcomes | None, policy: Policy
) -> Survivorship:
    """`rows`: features of mature leads, one a lead, as first scored. `amount`: won amounts, NaN where none is known.
    `outside`: of each, whether its segment is outside the ideal customer. `unseen`: the backtest of some of them."""
    worth = np.where(won, np.nan_to_num(amount), 0.0)
    place = {lead: i for i, lead in enumerate(rows["lead_id"].to_pylist())}
    named = _named(rows, policy) | _found(rows, won)
    out = [_row(name, label, has, won, worth, unseen, place, policy) for name, (label, has) in named.items()]
    incomplete = _number(rows, "completeness") * 100 < policy.words.incomplete_below
    beyond = won & outside
    total = float(worth.sum())
    return Survivorship(
        len(won),
        int(won.sum()),
        tuple(sorted(out, key=lambda r: -_gap(r))),
        Outside(
            rate(outside[won], policy), float(worth[beyond].sum()),
            float(worth[beyond].sum()) / total if total else None, rate(incomplete[beyond], policy, needed=1),
        ),
    )  # fmt: skip


def _named(rows: pa.Table, policy: Policy) -> dict[str, tuple[str, Bools]]:
    """The spec's own characteristics, where the org's data can tell them. Unknown counts as without."""
    there = set(rows.column_names)
    found: dict[str, tuple[str, Bools]] = {}
    if "completeness" in there:
        complete = _number(rows, "completeness") * 100 >= policy.words.incomplete_below
        found["complete"] = ("Complete firmographics", complete)
    if "function" in there:
        found["title"] = ("A job title of a usual function", _texts(rows, "function") != "")
    if {"dark_then_return", "bursts_90d"} <= there:
        straight = (_number(rows, "dark_then_return") == 0) & (_number(rows, "bursts_90d") <= 1)
        found["linear"] = ("A straight path: one wave of interest", straight)
    if "colleagues_engaged_30d" in there:
        found["alone"] = ("A single decision maker: no colleague engaged", ~(_number(rows, "colleagues_engaged_30d") > 0))  # fmt: skip
    if "channel" in there:
        found["inbound"] = ("Came inbound", _texts(rows, "channel") == "inbound")
    if "reply_hours_median" in there:
        found["reply"] = ("Replies within 24 hours", _number(rows, "reply_hours_median") <= REPLY_HOURS)
    return {name: pair for name, pair in found.items() if pair[1].any() and not pair[1].all()}


def _found(rows: pa.Table, won: Bools) -> dict[str, tuple[str, Bools]]:
    """Whatever else the data shows: values that won leads have clearly more often than all."""
    gaps: list[tuple[float, str, str]] = []
    for name in FOUND_IN:
        if name not in rows.column_names:
            continue
        values = _texts(rows, name)
        wins = Counter(values[won].tolist())
        for value, n in wins.items():
            gap = n / max(int(won.sum()), 1) - float((values == value).mean())
            if value and n >= FOUND_WINS and gap >= FOUND_GAP:
                gaps.append((gap, name, value))
    return {
        f"{name}:{value}": (f"{name.replace('_', ' ').capitalize()}: {value}", _texts(rows, name) == value)
        for _, name, value in sorted(gaps, reverse=True)[:FOUND_MOST]
    }


def _row(
    name: str, label: str, has: Bools, won: Bools, worth: Floats, unseen: Outcomes | None, place: Mapping[str, int], policy: Policy
) -> Characteristic:  # fmt: skip
    lacking: Sequence[bool] = []
    if unseen is not None:
        lacking = [lead in place and not has[place[lead]] for lead in unseen.lead_id]
    mask = np.array(lacking, bool)
    part = None if unseen is None or not mask.any() else unseen.where(mask)
    none = np.zeros(0, bool)
    return Characteristic(
        name, label, rate(has[won], policy, needed=1), rate(has, policy, needed=1),
        rate(none if part is None else part.won, policy),
        None if part is None else float(part.probability.mean()),
        rate(none if part is None else ~part.reached_person[part.won], policy, needed=1),
        float(worth[~has].sum()), float(worth.sum()),
    )  # fmt: skip


def _gap(row: Characteristic) -> float:
    return (row.of_won.value or 0.0) - (row.of_all.value or 0.0)


def _number(rows: pa.Table, name: str) -> Floats:
    return np.array(
        rows[name].cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False), np.float64
    )


def _texts(rows: pa.Table, name: str) -> npt.NDArray[np.str_]:
    return np.array([v or "" for v in rows[name].cast(pa.string()).to_pylist()], dtype=str)
