"""Training: from as-of rows and their outcomes to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.errors import ScoringError, TooFewOutcomes
from scoring.model import amount as amounts
from scoring.model import asking, deviation, estimator, evidence, interval, reasons, recent, sparse
from scoring.model import design as layouts
from scoring.model import said as people
from scoring.model.additive import log_odds
from scoring.model.card import Model
from scoring.model.design import Design, FeatureLike
from scoring.model.estimator import Point, Sample, Trained
from scoring.model.said import Lessons, Said
from scoring.model.threads import single
from scoring.routing.policy import Flags

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def train(rows: pa.Table, won: npt.ArrayLike, **how: Any) -> Model:
    """A model, whole: `draft`, finished."""
    return draft(rows, won, **how).finish()


def draft(
    rows: pa.Table,
    won: npt.ArrayLike,
    *,
    features: Sequence[FeatureLike],
    groups: npt.ArrayLike,
    amount: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    seed: int = 0,
    version: str = "",
    created: str = "",
    horizon_days: int = 180,
    base_rate: float | None = None,
    flags: Flags | None = None,
    unseen_by_trees: Sequence[str] = (),
    by_revenue: bool = False,
    said: Said | None = None,
) -> Draft:
    """A model whose chances are fitted and nothing more yet. `groups` are ids (of accounts, or leads) that no fold may split. A lead's rows (by the table's
    `lead_id`, else by group) share a total weight of 1; `weight` multiplies it, as the inverse of the chance
    that the lead was worked. `base_rate` is the org's when another model's leads count too; else the mean of
    the leads' outcomes. `flags`: from when a value is flagged; none: the policy's defaults. `unseen_by_trees`: features
    of which the trees must not know whether they are blank (scoring/audit/completeness.py). `by_revenue`: leads of dear deals weigh more (`by_amount`).
    `said`: what people said of leads."""
    y = np.asarray(won, np.float64)
    if len(y) != rows.num_rows:
        raise ScoringError(
            f"{rows.num_rows} rows came with {len(y)} outcomes.", fix="Pass one outcome a row."
        )
    leads = _leads(rows, groups)
    share = 1 / np.bincount(leads)[leads]
    wins, total = float((y * share).sum()), float(share.sum())
    if wins <= 0 or wins >= total - 1e-9:
        raise TooFewOutcomes(
            f"Of {total:.0f} mature leads {wins:.0f} were won; a model needs won and lost ones.",
            fix="Check which statuses and stages are mapped to won and lost, or wait for more leads.",
        )
    base = float(base_rate) if base_rate is not None else wins / total
    with single():
        layout = layouts.learn(rows, features, unseen_by_trees)
        sample = sample_of(layout, rows, y, _weights(share, weight), ids(groups), leads)
        money = None if amount is None else np.asarray(amount, np.float64)
        if by_revenue:
            expected = _amounts(layout, sample, money).expected(sample.design)
            own = by_amount(expected) * (1.0 if weight is None else np.asarray(weight, np.float64))
            sample = replace(sample, weight=_weights(share, own))
        trained = estimator.fit_point(layout, sample, seed)
        return Draft(
            rows, features, sample, share, layout, trained, base, seed, flags or Flags(), money,
            people.lessons(layout, trained.point, said, base) if said is not None and len(said) else None,
            {"version": version, "created": created, "horizon_days": horizon_days},
        )  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A model before its ranges, flags and reasons are learnt, which takes as long again."""

    rows: pa.Table
    features: Sequence[FeatureLike]
    sample: Sample
    share: Floats
    design: Design
    trained: Trained
    base_rate: float
    seed: int
    flags: Flags
    amount: Floats | None
    lessons: Lessons | None
    names: Mapping[str, Any]
    grown: bool = False
    """whether it has what trees for sparse records it will have"""

    @property
    def point(self) -> Point:
        return self.trained.point if self.lessons is None else self.lessons.point

    def whole(self) -> Draft:
        """Its chances as they will be, with the trees for sparse records: half a draft's work again, so only for one that
        has passed what can be asked of it without."""
        if self.grown:
            return self
        with single():
            point = sparse.learn(self.design, self.sample, self.trained.point, self.seed)
        heard = self.lessons
        if heard is not None:
            heard = replace(heard, point=replace(heard.point, sparse=point.sparse))
        return replace(self, trained=replace(self.trained, point=point), lessons=heard, grown=True)

    def finish(self) -> Model:
        whole = self.whole()
        layout, sample, point, base = self.design, self.sample, whole.point, self.base_rate
        with single():
            explainer = reasons.learn(layout, sample, point, log_odds(base))
            logit = point.logit(layout, sample.encoded, sample.design)
            # words narrow nothing: ranges are those of the outcomes alone
            ranges = interval.learn(layout, sample, whole.trained.point, self.seed)
            return Model(
                base_rate=base,
                seed=self.seed,
                design=layout,
                point=point,
                interval=ranges,
                ordinary=deviation.learn(
                    self.rows,
                    sample.won,
                    self.features,
                    float(self.flags.deviations),
                    self.flags.rare_wins,
                    lead=sample.lead,
                ),
                explainer=explainer,
                similar=evidence.learn(layout, sample, explainer.surrogate, self.rows, logit),
                amounts=_amounts(layout, sample, self.amount),
                asking=asking.learn(layout, sample, point.additive),
                card={
                    **_card(
                        self.features,
                        layout,
                        sample,
                        replace(self.trained, point=point),
                        ranges,
                        base,
                        self.share,
                    ),
                    "line": {
                        "unsure": recent.unsure(logit, sample.weight, base).tolist(),
                        "as_of": _mean_time(self.rows, sample.weight),
                    },
                    "people": None if self.lessons is None else self.lessons.card(),
                },
                **self.names,
            )


def _leads(rows: pa.Table, groups: npt.ArrayLike) -> Ints:
    return ids(rows.column("lead_id").to_pylist() if "lead_id" in rows.column_names else groups)


def sample_of(layout: Design, rows: pa.Table, won: Floats, weight: Floats, group: Ints, lead: Ints) -> Sample:
    encoded = layout.encode(rows)
    return Sample(encoded, layout.additive(encoded), won, weight, group, lead)


def _weights(share: Floats, weight: npt.ArrayLike | None) -> Floats:
    """A lead's own share times its weight, scaled to the number of leads that the uneven weights are still
    worth."""
    if weight is None:
        return share
    own = share * np.asarray(weight, np.float64)
    if not np.isfinite(own).all() or own.min() < 0 or own.sum() <= 0:
        raise ScoringError("Weights must be finite, not negative, and not all zero.", fix="Check them.")
    # Kish: n leads of uneven weight say as much as (sum w)² / sum w² even ones
    per_row = own / share
    worth = float((share * per_row).sum() ** 2 / (share * per_row**2).sum())
    out: Floats = own * worth / own.sum()
    return out


def _mean_time(rows: pa.Table, weight: Floats) -> float | None:
    """When the leads were seen, on average (seconds since 1970); None where rows have no times."""
    if "as_of" not in rows.column_names:
        return None
    at = rows["as_of"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return float(np.average(at.astype(np.float64), weights=weight)) / 1e6


def _amounts(layout: Design, sample: Sample, amount: Floats | None) -> amounts.Amounts:
    return amounts.learn(
        sample.design, sample.won, amount, lead=sample.lead, group=sample.group, columns=layout.groups
    )


def by_amount(expected: Floats) -> Floats:
    """Weights of training by revenue: each lead's expected amount over the mean, from 1/4 to 4; ones where no amount is
    known. Of what is known of a lead and never of its outcome, so that the chances stay true."""
    if not np.isfinite(expected).all():
        return np.ones(len(expected))
    out: Floats = np.clip(expected / expected.mean(), 0.25, 4.0)
    return out


def ids(groups: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Any ids as numbers from 0."""
    _, place = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    return place.reshape(-1).astype(np.int64)


def _card(
    features: Sequence[FeatureLike], layout: Design, sample: Sample, trained: Trained,
    ranges: interval.Interval, base: float, share: Floats,
) -> dict[str, Any]:  # fmt: skip
    used = set(layout.names)
    point, familiar = trained.point, ranges.familiar
    return {
        "data": {
            "rows": len(sample),
            "leads": round(float(share.sum())),
            "groups": len(np.unique(sample.group)),
            "wins": round(float((sample.won * share).sum())),
            "base_rate": base,
        },
        "metrics": {**trained.metrics, "how": "out of fold, groups never split"},
        "features": {
            "used": [field.name for field in layout.fields],
            "left_out": [f.name for f in features if f.role == "model" and f.name not in used],
        },
        "choices": {
            "share_of_trees": point.share,
            "trees": point.rounds,
            "calibration": {"slope": point.slope, "offset": point.offset},
            "sparse_records": None if point.sparse is None else {"share_of_trees": point.sparse.share},
            "interval": {"factor": familiar.factor, "together": familiar.fourier.size},
        },
        "checks": {},
        "versions": {name: installed(name) for name in ("scikit-learn", "numpy", "scipy", "pyarrow")},
    }  # fmt: skip
