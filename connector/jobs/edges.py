"""Whether edge cases have a model of their own after a training (S4.5): from so many reviewed leads on one competes on held-out
edge cases under the rule of a segment's model. With fewer reviews nothing is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from connector.jobs.cases import OWN, Case, Fit, FitOwn, again, before, business_case, final
from connector.jobs.context import Context, log
from connector.jobs.examples import Examples
from scoring.errors import TooFewOutcomes
from scoring.features.catalogue import Feature
from scoring.model.additive import sigmoid
from scoring.model.card import Model
from scoring.model.compete import Held
from scoring.model.edge import NAME, Edge, EdgeCases
from scoring.model.family import Family
from scoring.model.router import Router
from scoring.model.said import REVIEW, Said
from scoring.model.segments import Gain
from scoring.model.train import Draft
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Chosen:
    """`case` where edge cases have, or until now had, a model; `why` there is none, else; `gain` as far as one was measured."""

    reviews: int
    needed: int
    case: Case[EdgeCases] | None
    why: str
    gain: Gain | None
    share: float | None
    """edge cases among the held-out leads that no segment's model scores; None where nobody looked"""

    def plain(self) -> dict[str, Any]:
        """For the model's card."""
        return {
            "reviews": self.reviews, "needed": self.needed, "own": self.case is not None and self.case.own,
            "why": self.why, "gain": None if self.gain is None else asdict(self.gain), "share": self.share,
        }  # fmt: skip


def choose(
    context: Context, past: Examples, held: Held, universal: Model, router: Router, reviews: int, fit: Fit
) -> Chosen:
    """`universal` and `router` were learnt from `past`; `reviews`: leads that were reviewed by now."""
    policy = context.policy
    there = before(context)
    old = next((one for one in there if one["name"] == NAME), None)
    needed = policy.models.edge_model_reviews
    if old is None and reviews < needed:
        return Chosen(
            reviews, needed, None, f"a model of them may compete from {needed:,} reviews", None, None
        )
    if old is None and len(router.segments) >= policy.models.most - 1:
        return Chosen(reviews, needed, None, f"segments have all {policy.models.most} models", None, None)
    cases = EdgeCases(policy.words.edge_case_confidence)
    found = competed(policy, cases, past, held, universal, router, old, reviews, fit)
    log.info("edge cases", reviews=reviews, own=found.case is not None and found.case.own, why=found.why)
    return found


def competed(
    policy: Policy, cases: EdgeCases, past: Examples, held: Held, universal: Model, router: Router, old: Mapping[str, Any] | None,
    reviews: int, fit: Fit,
) -> Chosen:  # fmt: skip
    """The model of edge cases against the universal one, both whole: trees for sparse records are for just such leads. `old`:
    its case as the last training left it, where it has a model already."""
    part = partial(cases.of, universal, router)
    inside, unseen = part(past.rows), part(held.rows)
    against = replace(held, universal=sigmoid(universal.logit(held.rows)))
    share = float(unseen.mean()) if len(unseen) else None
    needed = policy.models.edge_model_reviews

    def own() -> Draft:
        return fit(past.of(part)).whole()

    if old is not None:
        kept = again(policy, cases, old, past, inside, own, partial(against.gain, unseen))
        return Chosen(reviews, needed, kept, "" if kept.own else kept.state, kept.gain, share)
    found = business_case(cases, OWN, (), None, 0, past, inside, None)
    least = policy.words
    if (
        found.leads < least.established_leads
        or min(found.wins, found.leads - found.wins) < least.established_wins
    ):
        why = f"too few of them are mature: {found.leads:,}, {found.wins:,} of them won"
        return Chosen(reviews, needed, None, why, None, share)
    try:
        draft = own()
    except TooFewOutcomes as error:
        return Chosen(reviews, needed, None, str(error), None, share)
    gain = against.gain(unseen, draft)
    if not gain.earned(policy.models):
        why = f"{policy.models.keep_gain:.0%} are asked for, and surely more than none"
        return Chosen(reviews, needed, None, why, gain, share)
    won = business_case(cases, OWN, (f"its leads are those with {cases.said}",), gain, 0, past, inside, draft)
    return Chosen(reviews, needed, won, "", gain, share)


def reviewed(said: Said | None) -> int:
    """Leads whose reviews training weighs."""
    if said is None:
        return 0
    leads = np.array(said.rows["lead_id"].to_pylist(), dtype=str)
    return len(np.unique(leads[said.kind == REVIEW]))


def backtested(family: Family, chosen: Chosen) -> Family:
    """With the model that edge cases earned, as fitted on what isn't held out."""
    if chosen.case is None or not chosen.case.own or chosen.case.draft is None:
        return family
    return replace(family, edge=Edge.of(chosen.case.part, family.universal, chosen.case.draft.finish()))


def printed(chosen: Chosen) -> list[str]:
    """The router's last step, in words, beside the tree's rules."""
    if chosen.case is None or not chosen.case.own:
        return []
    own = chosen.case
    return [f"of the universal model's leads, {own.part.said}: {own.part.name} ({own.leads:,} leads)"]


def released(
    context: Context,
    chosen: Chosen,
    family: Family,
    examples: Examples,
    features: Sequence[Feature],
    fit: FitOwn,
) -> tuple[Family, list[dict[str, Any]]]:
    """The family with the model of edge cases fitted on all examples, through the gate of every model, and its case as
    manifest and card keep it."""
    if chosen.case is None:
        return family, []
    plain = chosen.case.plain()
    if not chosen.case.own:
        return family, [plain]
    cases = chosen.case.part
    part = examples.of(partial(cases.of, family.universal, family.router))
    model, more = final(context, part, cases.name, features, fit)
    edge = None if model is None else Edge.of(cases, family.universal, model)
    return replace(family, edge=edge), [plain | more]
