"""Which segments have a model of their own after a training (S4.1, S4.2): those of the champion that are kept, and new ones that
earned it. All are judged on the same held-out leads as the universal model is backtested on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs import gates, models
from connector.jobs.context import Context, log
from connector.jobs.examples import Examples, first_rows
from scoring.errors import TooFewOutcomes
from scoring.features.catalogue import Feature
from scoring.model.card import Model
from scoring.model.compete import Competition, Held, chances, compete
from scoring.model.dynamics import History
from scoring.model.family import Family, routing_error, segment_of
from scoring.model.router import Router, learn
from scoring.model.segments import HARD_FACTS, Gain, Segment
from scoring.model.train import Draft, ids
from scoring.routing.policy import Policy

OWN, PROPOSED, RETIRED = "own model", "retirement proposed", "retired"
"""states of a segment after a training"""

Fit = Callable[[Examples], Draft]
FitOwn = Callable[[Examples, str, Sequence[Feature], Sequence[str]], Draft]
"""of examples, a segment's name, features, and those hidden from the trees"""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A segment's business case, as manifest and card keep it. `below`: trainings in a row in which it saved less than the
    policy asks for; `revenue`: of its won training leads."""

    segment: Segment
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

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.segment.name, **asdict(self.segment), "state": self.state, "why": list(self.why),
            "gain": None if self.gain is None else asdict(self.gain), "below": self.below, "leads": self.leads,
            "wins": self.wins, "share": self.share, "revenue": self.revenue, "revenue_share": self.revenue_share,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """`cases` of all segments that have, or until now had, a model; `looked_at` how many the screen looked at."""

    cases: tuple[Case, ...]
    looked_at: int
    candidates: int

    @property
    def own(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.state != RETIRED and case.draft is not None)


def choose(
    context: Context, past: Examples, held: Examples, universal: Draft, features: Sequence[Feature], fit: Fit, seed: int
) -> Chosen:  # fmt: skip
    """`universal` was fitted on `past`, `fit` makes a draft of other examples. In snapshot mode cycles aren't known, the rest
    is the same."""
    policy = context.policy
    unseen = Held(held.rows, held.won, ids(held.groups))
    said = chances(universal, held.rows)
    kept = [again(policy, old, past, unseen, said, fit) for old in before(context)]
    own = [case.segment for case in kept if case.state != RETIRED]
    found = compete(
        _first(past, universal), universal, unseen, lambda segment: fit(past.of(segment.of)), _facts(features),
        policy.models, policy.words, room=policy.models.most - 1 - len(own), seed=seed, has_one=own,
    )  # fmt: skip
    new = [
        _case(
            j.candidate.segment, OWN, tuple(c.said for c in j.candidate.conditions), j.gain, 0, past, j.draft
        )
        for j in found.earned
    ]
    _told(found, [*kept, *new])
    return Chosen((*kept, *new), found.screen.looked_at, len(found.screen.candidates))


def before(context: Context) -> list[Mapping[str, Any]]:
    """The champion's segments that nobody retired, each as the latest training left it."""
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


@dataclass(frozen=True, slots=True)
class Backtested:
    """The family as fitted on what isn't held out, and what routing costs on what is."""

    family: Family
    routing: Mapping[str, Any]


def backtested(
    chosen: Chosen, universal: Draft, past: Examples, held: Examples, features: Sequence[Feature], seed: int
) -> Backtested:
    own = chosen.own
    _, lead = np.unique(np.array(past.rows["lead_id"].to_pylist(), dtype=str), return_inverse=True)
    router = (
        learn(
            [case.segment for case in own], past.rows, features, past.weight / np.bincount(lead)[lead], seed
        )
        if own
        else Router(())
    )
    drafts = [universal, *(case.draft for case in own if case.draft)]
    names = ["universal", *(case.segment.name for case in own)]
    cost = routing_error(router, [partial(chances, each) for each in drafts], held.rows, held.won)
    first, *others = (each.finish() for each in drafts)
    return Backtested(Family(first, tuple(others), router), {**cost, "rules": router.printed(names)})


def released(
    context: Context, chosen: Chosen, universal: Model, examples: Examples, features: Sequence[Feature], router: Router, fit: FitOwn
) -> tuple[Family, list[dict[str, Any]]]:  # fmt: skip
    """The family fitted on all examples, each segment's model through the same gate as the universal one, and the cases as
    manifest and card keep them. `features`: those that passed the leakage audit."""
    members: list[Model] = []
    cases: list[dict[str, Any]] = []
    unfit: list[str] = []
    for case in chosen.cases:
        plain = case.plain()
        if case in chosen.own:
            name = case.segment.name
            part = examples.of(case.segment.of)
            try:
                model, completeness, kept = gates.complete(context, part, features, partial(fit, part, name))
            except gates.NotHonest as error:
                plain |= {"state": RETIRED, "why": [str(error)]}
                unfit.append(name)
                members.append(universal)  # holds the place until the router forgets it, below
            else:
                members.append(model)
                plain |= {
                    "version": model.version, "card": {**model.card, "checks": {"completeness": completeness.as_dict()}},
                    "features": {f.name: f.role for f in kept}, "hidden_from_trees": list(completeness.hidden),
                }  # fmt: skip
        cases.append(plain)
    return Family(universal, tuple(members), router).without(unfit), cases


def again(
    policy: Policy, old: Mapping[str, Any], past: Examples, held: Held, said: np.ndarray, fit: Fit
) -> Case:
    """A segment that has a model already, measured anew. Two trainings below, by default, and its retirement is proposed; with
    the policy's standing yes it goes at once."""
    segment = segment_of(old)
    try:
        draft = fit(past.of(segment.of))
    except TooFewOutcomes:
        return _case(
            segment,
            RETIRED,
            ("too few of its outcomes are known by now",),
            None,
            old["below"] + 1,
            past,
            None,
        )
    gain = held.gain(segment, draft, said)
    below = 0 if gain.earned(policy.models) else old["below"] + 1
    state, why = OWN, tuple(old["why"])
    if below >= policy.models.cycles_below:
        state = RETIRED if "retirements" in policy.standing_yes else PROPOSED
    return _case(segment, state, why, gain, below, past, draft)


def _case(
    segment: Segment, state: str, why: tuple[str, ...], gain: Gain | None, below: int, past: Examples, draft: Draft | None
) -> Case:  # fmt: skip
    inside = segment.of(past.rows)
    _, lead = np.unique(np.array(past.rows["lead_id"].to_pylist(), dtype=str), return_inverse=True)
    share = 1 / np.bincount(lead)[lead]
    money = np.where(np.isfinite(past.amount), past.amount, 0.0) * past.won * share
    return Case(
        segment, state, why, gain, below, round(float(share[inside].sum())), round(float((share * past.won)[inside].sum())),
        float(share[inside].sum() / max(share.sum(), 1)), float(money[inside].sum()),
        float(money[inside].sum() / money.sum()) if money.sum() > 0 else 0.0, draft,
    )  # fmt: skip


def _first(past: Examples, universal: Draft) -> History:
    """Each lead once, as it was first scored: whole leads are screened, and it is a fifth of the rows."""
    first = first_rows(past)
    sample = universal.sample.take(first)
    days = np.full(len(past.won), np.nan) if past.days is None else past.days
    return History(
        past.rows.filter(pa.array(first)),
        replace(sample, weight=sample.weight / universal.share[first]),
        days[first],
    )


def _facts(features: Sequence[Feature]) -> list[tuple[str, str]]:
    labels = {f.name: f.label for f in features if f.type == "category"}
    return [(name, labels[name]) for name in HARD_FACTS if name in labels]


def _told(found: Competition, cases: Sequence[Case]) -> None:
    log.info(
        "segments", looked_at=found.screen.looked_at, candidates=len(found.screen.candidates), judged=len(found.judged),
        own=[case.segment.name for case in cases if case.state != RETIRED],
    )  # fmt: skip
