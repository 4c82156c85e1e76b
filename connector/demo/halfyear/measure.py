"""What a half-year came to, team by team, each figure with its interval.

Counted are the leads first scored in the play, but for the last two weeks, whose leads nobody had time to reach. Intervals
redraw companies, since colleagues decide alike. *Skill* asks what would have become of each lead if a person had reached it
in time, so that it doesn't depend on whom a team reached; a *missed* winner is a lead that would have bought, reached by
nobody in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connector.demo.halfyear.play import FEEDBACK_DAYS, Played
from scoring.metrics.scores import auc, losses

LAST_DAYS = 14
DRAWS = 1000
LEVEL = 0.90
STANDARD = "standard"
"""The world's cause of a lead whose story is an ordinary one; all others are edge cases by a rule that no model has a say in."""

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Figure:
    """A value with the interval of 90 % (None where nothing can be said), resting on `n` leads."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True)
class Leads:
    """The counted leads, one entry each."""

    lead: Sequence[str]
    company: NDArray[np.int64]
    day: NDArray[np.int64]
    buyer: Bools
    """would buy if reached in time"""
    chance: Floats
    edge: Bools
    """edge case when Candor first routed it"""
    other: Bools
    """edge case by the world's own cause"""
    hand_raiser: Bools
    candor: Floats
    """probability when first routed"""
    candor_base: Floats
    untaught: Floats
    """the hand-over's model on the same moment"""
    usual: Floats
    """usual practice's odds against its own base rate, read on the org's"""

    def __len__(self) -> int:
        return len(self.lead)


def measure(played: Played, seed: int = 0) -> dict[str, Any]:
    leads = counted(played)
    late = leads.day >= FEEDBACK_DAYS
    reached = {name: _in_time(played, name, leads) for name in played.boards}
    draw = _Draws(leads.company, seed)
    groups = {
        "edge cases": leads.edge,
        "edge cases by cause": leads.other,
        "all leads": np.ones(len(leads), bool),
    }
    teams = {name: _team(played, name, leads, reached[name], draw, groups) for name in played.boards}
    a, b = (_parts(played, name, leads, reached[name]) for name in (played.candor.name, played.usual.name))
    return {
        "leads": len(leads), "buyers": int(leads.buyer.sum()), "edge_buyers": int((leads.buyer & leads.edge).sum()),
        "reaching_matters": _reaching_matters(played, leads),
        "buyers_alone": sum(lead in played.fate.alone for lead in leads.lead), "hand_raisers": int(leads.hand_raiser.sum()),
        "edge_case_share": float(leads.edge.mean()), "edge_case_share_by_cause": float(leads.other.mean()),
        "hours_a_day": played.hours_a_day, "review_hours_a_day": played.review_hours_a_day,
        "days": played.known.days, "teams": teams,
        "difference": {
            "revenue": asdict(draw.total(a["revenue"] - b["revenue"])),
            "revenue_ratio": asdict(draw.ratio(a["revenue"], b["revenue"])),
            "winners_reached": asdict(draw.total(a["reached"] - b["reached"])),
            "winners_reached_ratio": asdict(draw.ratio(a["reached"], b["reached"])),
        },
        "skill": {
            group: {
                "candor": asdict(_skill(draw, leads, leads.candor, inside)),
                "usual": asdict(_skill(draw, leads, leads.usual, inside)),
                "candor_auc": auc(leads.buyer[inside], leads.candor[inside]),
                "usual_auc": auc(leads.buyer[inside], leads.usual[inside]),
                "true_chance": asdict(_skill(draw, leads, leads.chance, inside)),
            } for group, inside in groups.items()
        },
        "before_after": _before_after(draw, leads, late, reached, played),
        "taught": _taught(draw, leads, late, played),
        "seconds": round(played.seconds, 1),
    }  # fmt: skip


def _reaching_matters(played: Played, leads: Leads) -> bool:
    """Whether it makes any difference to any lead's chance that somebody reaches it in time."""
    truth = played.known.truth
    return any(truth.reached[lead] != truth.unreached[lead] for lead in leads.lead)


def counted(played: Played) -> Leads:
    known, candor, usual = played.known, played.candor, played.usual
    truth = known.truth
    names = [lead for lead, first in candor.first.items() if first.day < known.days - LAST_DAYS]
    first = [candor.first[lead] for lead in names]
    _, company = np.unique([known.company[lead] for lead in names], return_inverse=True)
    untaught = candor.models[0].score(
        known.lines([(lead, known.moment(f.day)) for lead, f in zip(names, first, strict=True)])
    )
    base = np.array([f.base_rate for f in first])
    said, own = (
        np.array([source[lead] for lead in names]) for source in (usual.probability, usual.base_rate)
    )
    return Leads(
        names, company.astype(np.int64), np.array([f.day for f in first]),
        np.array([lead in played.fate.buyers for lead in names]),
        np.array([truth.reached[lead] for lead in names]), np.array([f.edge_case for f in first]),
        np.array([truth.cause[lead] != STANDARD for lead in names]),
        np.array([bool(known.arrivals[lead].fields.get("hand_raiser")) for lead in names]),
        np.array([f.probability for f in first]), base, untaught.probability,
        _expit(_logit(said) - _logit(own) + _logit(base)),
    )  # fmt: skip


def _team(
    played: Played, name: str, leads: Leads, reached: Bools, draw: _Draws, groups: Mapping[str, Bools]
) -> dict[str, Any]:
    board, parts = played.boards[name], _parts(played, name, leads, reached)
    touched = np.array([lead in board.reached for lead in leads.lead])
    return {
        "revenue": asdict(draw.total(parts["revenue"])), "winners": asdict(draw.total(parts["won"])),
        "winners_reached": asdict(draw.total(parts["reached"])),
        "expected_winners_reached": float(leads.chance[touched].sum()),
        "hand_raisers_missed": asdict(draw.ratio((leads.hand_raiser & ~touched) * 1.0, leads.hand_raiser * 1.0)),
        "missed": {
            group: asdict(draw.ratio((leads.buyer & inside & ~reached) * 1.0, (leads.buyer & inside) * 1.0))
            for group, inside in groups.items()
        },
        "worked": len(board.reached), "hours": sum(board.minutes.values()) / 60,
        "review_hours": board.minutes["reviews"] / 60,
    }  # fmt: skip


def _in_time(played: Played, name: str, leads: Leads) -> Bools:
    board, fate = played.boards[name], played.fate
    return np.array([fate.in_time(lead, board.reached.get(lead)) for lead in leads.lead])


def _parts(played: Played, name: str, leads: Leads, reached: Bools) -> dict[str, Floats]:
    """Each lead's part in the sums. A deal that colleagues win together counts once, for the first of them."""
    board, fate = played.boards[name], played.fate
    won = np.array([fate.won(lead, board.reached.get(lead)) for lead in leads.lead])
    revenue, seen = np.zeros(len(leads)), set()
    for i in map(int, np.flatnonzero(won)):
        deal = fate.deal[leads.lead[i]]
        if (key := (leads.company[i], *deal)) not in seen:
            seen.add(key)
            revenue[i] = deal[1]
    return {"revenue": revenue, "won": won * 1.0, "reached": (leads.buyer & reached) * 1.0}


def _skill(draw: _Draws, leads: Leads, said: Floats, inside: Bools) -> Figure:
    """1 − log loss / log loss of always saying the base rate."""
    ours, base = losses(leads.buyer, said), losses(leads.buyer, leads.candor_base)
    found = draw.ratio(ours * inside, base * inside)
    if found.value is None or found.low is None or found.high is None:
        return found
    return Figure(1 - found.value, 1 - found.high, 1 - found.low, int(inside.sum()))


def _before_after(
    draw: _Draws, leads: Leads, late: Bools, reached: Mapping[str, Bools], played: Played
) -> dict[str, Any]:
    """By when leads came; and on the later ones the model in force beside the one from the hand-over, which was told
    nothing since (neither what people said nor which outcomes matured)."""
    out: dict[str, Any] = {"taught_by": len(played.candor.said)}
    for word, inside in (("before", ~late), ("after", late)):
        edge = inside & leads.edge
        out[word] = {
            "leads": int(inside.sum()), "edge_cases": int(edge.sum()),
            "edge_skill": asdict(_skill(draw, leads, leads.candor, edge)),
            "edge_skill_usual": asdict(_skill(draw, leads, leads.usual, edge)),
            **{
                f"{what}, {name}": asdict(draw.ratio((leads.buyer & group & reached[name]) * 1.0, (leads.buyer & group) * 1.0))
                for name in (played.candor.name, played.usual.name)
                for what, group in (("winners reached", inside), ("edge winners reached", edge))
            },
        }  # fmt: skip
    edge = late & leads.edge
    now, then = losses(leads.buyer, leads.candor), losses(leads.buyer, leads.untaught)
    out["edge_skill_untaught"] = asdict(_skill(draw, leads, leads.untaught, edge))
    out["log_loss_change"] = asdict(draw.ratio((now - then) * edge, then * edge))
    return out


def _taught(draw: _Draws, leads: Leads, late: Bools, played: Played) -> dict[str, Any]:
    """On the leads of the later days, at the same hours and by the same routing: Candor as it learnt, and had it learnt from
    less. `expected_winners` sums the true chances of those reached in time, without the luck of who then buys."""
    teams = {played.candor.name: (played.candor, played.boards[played.candor.name]), **played.arms}
    edge, out = late & leads.edge, {}
    for name, (team, board) in teams.items() if played.arms else ():
        in_time = np.array([played.fate.in_time(lead, board.reached.get(lead)) for lead in leads.lead])
        said = np.array([team.first[lead].probability for lead in leads.lead])
        out[name] = {
            "winners_reached": asdict(draw.total((leads.buyer & late & in_time) * 1.0)),
            "edge_winners_reached": asdict(draw.total((leads.buyer & edge & in_time) * 1.0)),
            "expected_winners": float(leads.chance[late & in_time].sum()),
            "edge_skill": asdict(_skill(draw, leads, said, edge)),
            "edge_auc": auc(leads.buyer[edge], said[edge]),
        }
    return out


class _Draws:
    """Companies drawn anew with replacement, the same draws for every figure, so that differences are paired."""

    def __init__(self, company: NDArray[np.int64], seed: int) -> None:
        self.company, n = company, int(company.max()) + 1 if len(company) else 0
        rng = np.random.default_rng(seed)
        self.times = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) if n else np.zeros((DRAWS, 0), int)

    def _sums(self, each: Floats) -> Floats:
        summed: NDArray[Any] = self.times @ np.bincount(self.company, each, self.times.shape[1])
        return summed

    def total(self, each: Floats) -> Figure:
        low, high = np.quantile(self._sums(each), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Figure(float(each.sum()), float(low), float(high), len(each))

    def ratio(self, top: Floats, bottom: Floats) -> Figure:
        if not bottom.sum():
            return Figure(None)
        below = self._sums(bottom)
        drawn = self._sums(top)[below > 0] / below[below > 0]
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Figure(float(top.sum() / bottom.sum()), float(low), float(high), int((bottom != 0).sum()))


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    out: Floats = np.log(p / (1 - p))
    return out


def _expit(x: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-x))
    return out
