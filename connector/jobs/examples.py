"""Training examples: leads as the CRM knew them at the moment they would have been scored, with what became of them."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select, text

from connector.jobs import attention, gaps, models, voices, warehouse
from connector.jobs.context import Context
from connector.jobs.fields import View, facts, view_of
from connector.jobs.scope import Outcomes, in_scope
from connector.settings import Settings
from connector.store import asof, records
from connector.store import schema as t
from connector.store.bulk import sql
from scoring.audit.screen import without
from scoring.audit.suspect import Contact, persons, together
from scoring.features.build import build
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain
from scoring.features.process import STATUS
from scoring.model.said import Said
from scoring.routing.policy import Policy

NOT_YET = "their outcome is not known yet"
TOO_SOON = "they ended before they could be scored"
DOUBTED = "nobody gave them their outcome one by one"
STILL_OPEN = "they are still open"

_FEW = 500
"""Up to so many leads, only they and their companies are looked at; the features are the same."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features with their outcome, and what people said of leads beside them."""

    rows: pa.Table
    won: np.ndarray
    weight: np.ndarray
    groups: np.ndarray
    amount: np.ndarray
    as_of: np.ndarray
    left_out: Mapping[str, int]
    worked: np.ndarray | None = None
    """whether a person worked the lead around the row's moment; None where the org's activities don't tell"""
    person: np.ndarray | None = None
    """who each row's lead is: one person may be several leads (S1.6)"""
    days: np.ndarray | None = None
    """from when the lead came in to when it was won, NaN where it wasn't; None in snapshot mode"""
    known_at: np.ndarray | None = None
    """when each row's outcome was known (seconds since 1970), at the latest when the horizon was over; None in snapshot mode"""
    said: Said | None = None
    """None where nobody said anything that counts"""

    @property
    def base_rate(self) -> float:
        """Of the outcomes alone: what people said does not move it."""
        return base_rate(self.won, np.array(self.rows["lead_id"].to_pylist(), dtype=str))

    def of(self, part: Callable[[pa.Table], np.ndarray]) -> Examples:
        """Those of a part of the leads, such as a segment, with what was said of leads in it."""
        taken = self.take(part(self.rows))
        return replace(taken, said=None if taken.said is None else taken.said.take(part(taken.said.rows)))

    def take(self, mask: np.ndarray) -> Examples:
        """Some of the rows. What was said of leads that this leaves no row of goes with them; what was said of leads that had
        none stays."""
        said = self.said
        if said is not None:
            leads = np.array(self.rows["lead_id"].to_pylist(), dtype=str)
            gone = np.setdiff1d(leads, leads[mask])
            said = said.take(~np.isin(np.array(said.rows["lead_id"].to_pylist(), dtype=str), gone))
        return Examples(
            self.rows.filter(pa.array(mask)), self.won[mask], self.weight[mask], self.groups[mask], self.amount[mask],
            self.as_of[mask], self.left_out, None if self.worked is None else self.worked[mask],
            None if self.person is None else self.person[mask], None if self.days is None else self.days[mask],
            None if self.known_at is None else self.known_at[mask], said,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A lead at a time, with its outcome."""

    lead_id: str
    as_of: datetime
    won: float
    weight: float
    amount: float
    known_at: datetime | None = None
    """when the outcome was known; none: with `as_of`"""


def collect(context: Context, view: View | None = None, doubtful: Collection[str] = ()) -> Examples:
    """All examples whose outcome is known by now. Leads still inside the horizon are left out, not counted as lost. `view`: as
    in `features`; `doubtful`: leads whose outcome is not believed."""
    settings, now = context.settings, context.clock.now()
    with context.store.begin() as db:
        values = records.record_values(db, "lead")
        lives = asof.lives(db)
        statuses = db.scalars(text(sql("statuses"))).all()
        times = attention.worked_times(db, statuses, Outcomes(settings.outcome.status))
        lots = attention.drawn(db)
        said = [
            dict(r)
            for r in db.execute(select(t.feedback).where(t.feedback.c.lead_id.is_not(None))).mappings()
        ]
    left_out: Counter[str] = Counter()
    outcomes = Outcomes(settings.outcome.status)
    snapshot = settings.training.mode == "snapshot"
    points: list[Point] = []
    counted: dict[str, asof.Life] = {}
    for life in lives:
        why_not = in_scope(values[life.lead_id], settings) or (DOUBTED if life.lead_id in doubtful else None)
        if why_not:
            left_out[why_not] += 1
            continue
        counted[life.lead_id] = life
        made = (
            _snapshot(life, outcomes, now)
            if snapshot
            else as_of_points(life, outcomes, settings, context.policy, now)
        )
        if not made:
            late = NOT_YET if _maturing(life, context, now) else TOO_SOON
            left_out[STILL_OPEN if snapshot else late] += 1
        points += made
    spoken = [w for w in voices.words(said, context.policy.models) if w.lead_id in counted]
    company = {id: company_domain(v.get("email") or "") or id for id, v in values.items()}
    person = persons(contact(id, v) for id, v in values.items())
    pairs = [*((p.lead_id, p.as_of) for p in points), *((w.lead_id, w.at) for w in spoken)]
    rows = features(context, pairs, view=view, reps_see=True)
    examples = made_of(points, rows.slice(0, len(points)), together(company, person), left_out)
    examples = replace(examples, person=np.array([person[p.lead_id] for p in points], dtype=str))
    if snapshot:
        return replace(
            examples, said=_said(spoken, rows.slice(len(points)), counted, outcomes, points, context)
        )
    taken = {life.lead_id: _days_to_win(life, settings) for life in lives}
    days = np.array([taken[p.lead_id] if p.won else math.nan for p in points])
    known_at = np.array([(p.known_at or p.as_of).timestamp() for p in points])
    examples = attended(replace(examples, days=days, known_at=known_at), times, lots, settings)
    found = _said(spoken, rows.slice(len(points)), counted, outcomes, points, context)
    if found is not None and examples.worked is not None:
        # Who is told to leave a lead alone proves nothing by its being lost: outcomes bear words out only where somebody worked.
        worked = attention.was_worked([(w.lead_id, w.at) for w in spoken], times)
        found = replace(found, outcome=np.where(worked, found.outcome, np.nan))
    return replace(examples, said=found)


def _said(
    spoken: Sequence[voices.Word], rows: pa.Table, lives: Mapping[str, asof.Life], outcomes: Outcomes, points: Sequence[Point],
    context: Context,
) -> Said | None:  # fmt: skip
    """What was said, with what is known by now of the leads."""
    if not spoken:
        return None
    learnt, now = {p.lead_id for p in points}, context.clock.now()
    known = [
        outcome_since(w.at, lives[w.lead_id], outcomes, context.settings, context.policy, now) for w in spoken
    ]
    return voices.said(spoken, rows, known, [w.lead_id in learnt for w in spoken])


def outcome_since(
    at: datetime, life: asof.Life, outcomes: Outcomes, settings: Settings, policy: Policy, now: datetime
) -> float:
    """1 if the lead was won within the horizon after `at`, 0 if it wasn't and won't be, NaN while nobody knows."""
    horizon, ended = horizon_of(policy), outcomes.ended_at(life)
    came = won_at(life, settings)
    if came is not None and at < came <= at + horizon:
        return 1.0
    over = outcomes.won(life) is False and ended is not None and ended > at
    return 0.0 if over or at + horizon <= now else math.nan


def contact(lead_id: str, values: Mapping[str, Any]) -> Contact:
    """Who a lead says it is."""
    said = {name: v if isinstance(v := values.get(name), str) else None for name in ("email", "first_name", "last_name", "company")}  # fmt: skip
    return Contact(lead_id, **said)


def lot(lead_id: str) -> float:
    """From 0 to 1, always the same of a lead: what draws the same leads each time."""
    return zlib.crc32(lead_id.encode()) / 2**32


def made_of(
    points: Sequence[Point], rows: pa.Table, company: Mapping[str, str], left_out: Mapping[str, int]
) -> Examples:
    return Examples(
        rows=rows,
        won=np.array([p.won for p in points]),
        weight=np.array([p.weight for p in points]),
        groups=np.array([company[p.lead_id] for p in points], dtype=str),
        amount=np.array([p.amount for p in points]),
        as_of=np.array([p.as_of.timestamp() for p in points]),
        left_out=dict(left_out),
    )


def attended(
    examples: Examples,
    times: attention.Times,
    lots: Mapping[str, tuple[datetime, float]],
    settings: Settings,
) -> Examples:
    """The same with each outcome weighed by the chance that its lead was worked."""
    leads = examples.rows["lead_id"].to_pylist()
    moments = [
        (lead, datetime.fromtimestamp(at, UTC)) for lead, at in zip(leads, examples.as_of, strict=True)
    ]
    worked = attention.was_worked(moments, times)
    found = attention.weights(
        settings, facts(settings), examples.rows, moments, examples.won, worked, examples.groups, lots
    )
    return examples if found is None else replace(examples, weight=examples.weight * found, worked=worked)


def looked_at(context: Context, version: str | None = None) -> View:
    """What of a lead is looked at to score it: what the settings say, known since when and without which activities as the
    model was taught with, the one in use where no `version` is named; before the first, as the store shows."""
    made_of = models.manifest(context, version)
    if made_of is None:
        return view_of(context.settings, gaps.known_since(context))
    since = {name: datetime.fromisoformat(at) for name, at in made_of["known_since"].items()}
    return view_of(context.settings, since, made_of["barred_activities"])


def features(
    context: Context,
    points: Sequence[tuple[str, datetime]],
    *,
    view: View | None = None,
    reps_see: bool = False,
) -> pa.Table:
    """The feature table of (lead, time) pairs, one row a pair, in order. `view`: what of a lead is looked at; none: what
    the model in use was taught with. `reps_see`: with the org's own points, which the model never sees."""
    view = view or looked_at(context)
    wanted = attention.with_points(view.facts) if reps_see else view.facts
    read = [f.name for f in wanted] + ([STATUS] if view.steps is not None else [])
    leads = {p[0] for p in points}
    few = sorted(leads) if len(leads) <= _FEW else None
    past = min((at for _, at in points), default=None)
    if past is not None and past >= context.clock.now():
        past = None
    with context.store.begin() as db:
        tables = asof.tables(db, fields=read, tracked=view.known_since, leads=few, since=past)
    asked = pa.table(
        {
            "lead_id": pa.array([p[0] for p in points], asof.TEXT),
            "as_of": pa.array([p[1] for p in points], asof.TIME),
        }
    )
    there = warehouse.named_in(context.settings)
    with warehouse.engine(context.settings, again=few is not None) as engine:
        given: dict[str, Any] = {
            "changes": tables.changes, "activities": without(tables.activities, view.barred_activities),
        }  # fmt: skip
        for name in there:
            barred = view.barred_activities if name == "activities" else ()
            given[name] = warehouse.table(engine, context.settings, name, barred)
            if few is None:
                warehouse.of_leads(given[name], name, tables.leads)
        return build(engine, Inputs(asked, tables.leads, **given), wanted, view.steps)


def as_of_points(
    life: asof.Life, outcomes: Outcomes, settings: Settings, policy: Policy, now: datetime
) -> list[Point]:
    """A lead at each age at which it would have been scored, where by now it is known what came of it."""
    horizon = horizon_of(policy)
    ended = outcomes.ended_at(life)
    came = won_at(life, settings)
    times = [at for at in scorings(life, settings) if at + horizon <= now and (ended is None or ended > at)]
    return [
        Point(life.lead_id, at, float(won), 1.0, (life.won_amount or math.nan) if won else math.nan,
              known_at=came if won else min(lost_at or at + horizon, at + horizon))
        for lost_at in [_lost_at(life, outcomes)]
        for at in times
        for won in [came is not None and at < came <= at + horizon]
    ]  # fmt: skip


def _lost_at(life: asof.Life, outcomes: Outcomes) -> datetime | None:
    """From when on a lead that was lost could not be won any more."""
    ended = outcomes.ended_at(life)
    if ended is None or outcomes.won(life) is not False:
        return None
    return max(ended, life.lost_at or ended)


def _days_to_win(life: asof.Life, settings: Settings) -> float:
    came = won_at(life, settings)
    return math.nan if came is None else (came - life.created_at) / timedelta(days=1)


def won_at(life: asof.Life, settings: Settings) -> datetime | None:
    """When a lead became what is predicted."""
    return life.won_at if settings.outcome.target == "won_deal" else life.converted_at


def scorings(life: asof.Life, settings: Settings) -> list[datetime]:
    """When a lead would have been scored."""
    return [life.created_at + timedelta(days=age) for age in settings.training.ages_days]


def _maturing(life: asof.Life, context: Context, now: datetime) -> bool:
    """Whether even the first scoring is still inside the horizon."""
    return min(scorings(life, context.settings)) + horizon_of(context.policy) > now


def horizon_of(policy: Policy) -> timedelta:
    return timedelta(days=policy.horizon_days)


def _snapshot(life: asof.Life, outcomes: Outcomes, now: datetime) -> list[Point]:
    """A table without times: each lead as it looks today, with its outcome (stamped "not as-of" wherever it is shown)."""
    won = outcomes.won(life)
    return [] if won is None else [Point(life.lead_id, now, float(won), 1.0, life.won_amount or math.nan)]


def base_rate(won: np.ndarray, leads: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The outcome's rate among leads, each counting once, or each row times its `weight`."""
    if len(won) == 0:
        return 0.0
    _, place = np.unique(leads, return_inverse=True)
    share = 1.0 / np.bincount(place)[place]
    if weight is not None:
        share = share * weight
    return float((won * share).sum() / share.sum())


def first_rows(examples: Examples) -> np.ndarray:
    """Marks each lead's earliest row: the one it was first scored with."""
    first: dict[str, int] = {}
    for i, lead in enumerate(examples.rows["lead_id"].to_pylist()):
        if lead not in first or examples.as_of[i] < examples.as_of[first[lead]]:
            first[lead] = i
    mask = np.zeros(len(examples.won), dtype=bool)
    mask[list(first.values())] = True
    return mask
