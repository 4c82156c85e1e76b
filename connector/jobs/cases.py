"""The business case of each model beside the universal one (S4.2, S4.4): what it saves on leads that neither has seen, what its
leads are worth, and whether it stays. Segments' models and that of edge cases follow the same rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np

from connector.jobs import gates, models
from connector.jobs.context import Context
from connector.jobs.examples import Examples
from scoring.errors import TooFewOutcomes
from scoring.features.catalogue import Feature
from scoring.model.card import Model
from scoring.model.edge import EdgeCases
from scoring.model.segments import Gain, Segment
from scoring.model.train import Draft
from scoring.routing.policy import Policy

OWN, PROPOSED, RETIRED = "own model", "retirement proposed", "retired"
"""states after a training"""

Fit = Callable[[Examples], Draft]
FitOwn = Callable[[Examples, str, Sequence[Feature], Sequence[str]], Draft]
"""of examples, a part's name, features, and those hidden from the trees"""

Part = TypeVar("Part", Segment, EdgeCases)


@dataclass(frozen=True, slots=True, eq=False)
class Case(Generic[Part]):
    """As manifest and card keep it. `below`: trainings in a row in which it saved less than the policy asks for; `revenue`: of
    the part's won training leads."""

    part: Part
    state: str
    why: tuple[str, ...]
    gain: Gain | None
    below: int
    leads: int
    wins: int
    share: float
    revenue: float
    revenue_share: float
    draft: Draft | None = field(default=None, repr=False)
    """fitted on what isn't held out"""

    @property
    def own(self) -> bool:
        """Whether the part has a model of its own after this training."""
        return self.state != RETIRED and self.draft is not None

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.part.name, **asdict(self.part), "state": self.state, "why": list(self.why),
            "gain": None if self.gain is None else asdict(self.gain), "below": self.below, "leads": self.leads,
            "wins": self.wins, "share": self.share, "revenue": self.revenue, "revenue_share": self.revenue_share,
        }  # fmt: skip


def business_case(
    part: Part, state: str, why: tuple[str, ...], gain: Gain | None, below: int, past: Examples, inside: np.ndarray, draft: Draft | None
) -> Case[Part]:  # fmt: skip
    """`inside` marks the part's rows of `past`."""
    _, lead = np.unique(np.array(past.rows["lead_id"].to_pylist(), dtype=str), return_inverse=True)
    share = 1 / np.bincount(lead)[lead]
    money = np.where(np.isfinite(past.amount), past.amount, 0.0) * past.won * share
    return Case(
        part, state, why, gain, below, round(float(share[inside].sum())), round(float((share * past.won)[inside].sum())),
        float(share[inside].sum() / max(share.sum(), 1)), float(money[inside].sum()),
        float(money[inside].sum() / money.sum()) if money.sum() > 0 else 0.0, draft,
    )  # fmt: skip


def again(
    policy: Policy, part: Part, old: Mapping[str, Any], past: Examples, inside: np.ndarray, fit: Callable[[], Draft],
    judge: Callable[[Draft], Gain],
) -> Case[Part]:  # fmt: skip
    """A part that has a model already, measured anew. Two trainings below, by default, and its retirement is proposed; with
    the policy's standing yes it goes at once."""
    try:
        draft = fit()
    except TooFewOutcomes:
        why = ("too few of its outcomes are known by now",)
        return business_case(part, RETIRED, why, None, old["below"] + 1, past, inside, None)
    gain = judge(draft)
    below = 0 if gain.earned(policy.models) else old["below"] + 1
    state = OWN
    if below >= policy.models.cycles_below:
        state = RETIRED if "retirements" in policy.standing_yes else PROPOSED
    return business_case(part, state, tuple(old["why"]), gain, below, past, inside, draft)


def final(
    context: Context, part: Examples, name: str, features: Sequence[Feature], fit: FitOwn
) -> tuple[Model | None, dict[str, Any]]:
    """The model of a part's examples through the same gate as the universal one, and what of it the case keeps; no model, and
    why, where it doesn't pass."""
    try:
        model, completeness, kept = gates.complete(context, part, features, partial(fit, part, name))
    except gates.NotHonest as error:
        return None, {"state": RETIRED, "why": [str(error)]}
    return model, {
        "version": model.version, "card": {**model.card, "checks": {"completeness": completeness.as_dict()}},
        "features": {f.name: f.role for f in kept}, "hidden_from_trees": list(completeness.hidden),
    }  # fmt: skip


def before(context: Context) -> list[Mapping[str, Any]]:
    """The cases of the champion's models that nobody retired, each as the latest training left it."""
    there = models.listed(context)
    champion = next((m for m in there if m["status"] == "champion"), None)
    if champion is None:
        return []
    latest = {case["name"]: case for case in there[0]["manifest"].get("models", ())}
    retired = models.retired(context, champion["created_at"])
    return [
        latest.get(case["name"], case)
        for case in champion["manifest"].get("models", ())
        if case["state"] != RETIRED and case["name"] not in retired
    ]
