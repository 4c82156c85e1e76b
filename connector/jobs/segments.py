"""Which segments have a model of their own after a training (S4.1, S4.2): those of the champion that are kept, and new ones that
earned it. All are judged on the same held-out leads as the universal model is backtested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from connector.jobs.cases import OWN, RETIRED, Case, Fit, FitOwn, again, before, business_case, final
from connector.jobs.context import Context, log
from connector.jobs.examples import Examples, first_rows
from scoring.features.catalogue import Feature
from scoring.model.card import Model
from scoring.model.compete import Competition, Held, chances, compete
from scoring.model.dynamics import History
from scoring.model.family import Family, routing_error, segment_of
from scoring.model.router import Router, learn
from scoring.model.segments import HARD_FACTS, Segment
from scoring.model.train import Draft, ids
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Chosen:
    """`cases` of all segments that have, or until now had, a model; `looked_at` how many the screen looked at."""

    cases: tuple[Case[Segment], ...]
    looked_at: int
    candidates: int

    @property
    def own(self) -> tuple[Case[Segment], ...]:
        return tuple(case for case in self.cases if case.own)


def choose(
    context: Context, past: Examples, held: Held, universal: Draft, features: Sequence[Feature], fit: Fit, seed: int
) -> Chosen:  # fmt: skip
    """`universal` was fitted on `past`, `fit` makes a draft of other examples. In snapshot mode cycles aren't known, the rest
    is the same."""
    policy = context.policy
    there = before(context)
    kept = [measured(policy, old, past, held, fit) for old in there if "fact" in old]
    own = [case.part for case in kept if case.state != RETIRED]
    others = len(there) - len(kept)
    found = compete(
        _first(past, universal), universal, held, lambda segment: fit(past.of(segment.of)), _facts(features),
        policy.models, policy.words, room=policy.models.most - 1 - len(own) - others, seed=seed, has_one=own,
    )  # fmt: skip
    new = [
        business_case(j.candidate.segment, OWN, tuple(c.said for c in j.candidate.conditions), j.gain, 0, past,
             j.candidate.segment.of(past.rows), j.draft)
        for j in found.earned
    ]  # fmt: skip
    _told(found, [*kept, *new])
    return Chosen((*kept, *new), found.screen.looked_at, len(found.screen.candidates))


def unseen(held: Examples, universal: Draft) -> Held:
    return Held(held.rows, held.won, ids(held.groups), chances(universal, held.rows))


def measured(policy: Policy, old: Mapping[str, Any], past: Examples, held: Held, fit: Fit) -> Case[Segment]:
    """A segment that has a model already, measured anew."""
    segment = segment_of(old)
    return again(
        policy, segment, old, past, segment.of(past.rows), lambda: fit(past.of(segment.of)),
        lambda draft: held.gain(segment.of(held.rows), draft),
    )  # fmt: skip


def tree(chosen: Chosen, past: Examples, features: Sequence[Feature], seed: int) -> Router:
    """Which model scores a lead, learnt from what isn't held out."""
    if not chosen.own:
        return Router(())
    _, lead = np.unique(np.array(past.rows["lead_id"].to_pylist(), dtype=str), return_inverse=True)
    weight = past.weight / np.bincount(lead)[lead]
    return learn([case.part for case in chosen.own], past.rows, features, weight, seed)


def backtested(
    chosen: Chosen, router: Router, universal: Draft, finished: Model, held: Held
) -> tuple[Family, dict[str, Any]]:
    """The family as fitted on what isn't held out, and what routing costs on what is. `finished` is the universal draft with
    all that a model has."""
    drafts = [case.draft for case in chosen.own if case.draft]
    names = ["universal", *(case.part.name for case in chosen.own)]
    cost = routing_error(
        router, [partial(chances, each) for each in (universal, *drafts)], held.rows, held.won
    )
    family = Family(finished, tuple(draft.finish() for draft in drafts), router)
    return family, {**cost, "rules": router.printed(names)}


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
        if case.own:
            model, more = final(context, examples.of(case.part.of), case.part.name, features, fit)
            plain |= more
            if model is None:
                unfit.append(case.part.name)
            members.append(model or universal)  # holds the place until the router forgets it, below
        cases.append(plain)
    return Family(universal, tuple(members), router).without(unfit), cases


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


def _told(found: Competition, cases: Sequence[Case[Segment]]) -> None:
    log.info(
        "segments", looked_at=found.screen.looked_at, candidates=len(found.screen.candidates), judged=len(found.judged),
        own=[case.part.name for case in cases if case.state != RETIRED],
    )  # fmt: skip
