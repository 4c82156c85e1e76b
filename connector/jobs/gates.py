"""What a model must show before it may ship: no leak that as-of rows let through, and nothing won by merely being filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from connector.errors import CandorError
from connector.jobs.context import Context, log
from connector.jobs.evidence import doubts, evidence, look
from connector.jobs.examples import Examples
from connector.jobs.fields import features_of
from scoring.audit.completeness import Completeness, Fit, Rows, honest
from scoring.audit.find import leakage
from scoring.audit.leakage import Leakage
from scoring.audit.screen import Barred, barred, knowing
from scoring.audit.suspect import Doubtful
from scoring.features.catalogue import Feature
from scoring.model.card import Model
from scoring.model.train import ids


class NotHonest(CandorError):
    """The model moves scores when irrelevant fields are filled, so it does not ship."""


def audit_leaks(context: Context) -> tuple[Leakage, Barred, list[Doubtful]]:
    """The leakage audit of the store, what it bars from a training, and labels that look wrong."""
    with context.store.begin() as db:
        seen = look(context, db)
        found = leakage(evidence(context, db, seen), context.settings.training.seed)
    out = barred(found)
    log.info("leakage audited", leads=found.leads, findings=len(found.findings), barred_fields=len(out.fields),
             barred_activities=len(out.activities))  # fmt: skip
    return found, out, doubts(context, seen)


def screened(
    context: Context, out: Barred, examples: Examples, first: np.ndarray
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """The org's features without what leaks, and which of them knew the outcome on the as-of rows themselves."""
    features = features_of(context.settings, without=out.fields)
    rows = examples.take(first)
    told = knowing(rows.rows, rows.won > 0.5, features)
    return tuple(replace(f, role="routing") if f.name in told else f for f in features), told


def complete(
    context: Context, examples: Examples, features: Sequence[Feature], fit: Fit
) -> tuple[Model, Completeness, tuple[Feature, ...]]:
    """A model that no irrelevant fact moves by being filled: fitted anew without such a fact until there is none. Raises
    NotHonest."""
    leads = ids(examples.rows["lead_id"].to_pylist())
    rows = Rows(
        examples.rows, examples.won, examples.weight / np.bincount(leads)[leads], ids(examples.groups)
    )
    limits = context.policy.models
    model, found, kept = honest(
        fit, features, rows, limits, strict=limits.filled_strict, seed=context.settings.training.seed
    )
    if not found.passed:
        over = [fact.label for fact in found.facts if fact.over(limits, strict=limits.filled_strict)]
        raise NotHonest(
            f"After {found.fits} fits scores still move when {', '.join(over)} is merely filled "
            f"(limit {limits.filled_median:g} points in the median, {limits.filled_p99:g} at the 99th percentile).",
            fix="Name these fields under [scope] leave_out of candor.toml, or raise [models] filled_p99 in the policy.",
        )
    return model, found, kept


def checks(found: Leakage, out: Barred, told: Sequence[str], completeness: Completeness) -> dict[str, Any]:
    """For the model's card."""
    return {
        "leakage": {**leakage_dict(found), "barred_fields": sorted(out.fields), "barred_activities": sorted(out.activities),
                    "barred_features": list(told)},
        "completeness": completeness.as_dict(),
    }  # fmt: skip


def leakage_dict(found: Leakage) -> dict[str, Any]:
    return {
        "as_of": found.as_of, "leads": found.leads, "wins": found.wins,
        "findings": [
            {"what": f.what, "label": f.label, "kind": str(f.kind), "said": f.said, "as_of_auc": f.as_of,
             "kept_out": found.as_of and f.kept_out, "mend": f.mend, "figures": dict(f.figures)}
            for f in found.findings
        ],
        "ranked": [asdict(r) for r in found.ranked],
    }  # fmt: skip
