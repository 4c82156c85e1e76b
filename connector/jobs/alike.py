"""Leads like this one: the nearest past leads as they were at the same age, and how each ended (S6.1).

Alike is what scoring/model/evidence.py says by the model that scored, so that the list and "based on 212 leads like this" agree:
both are of the leads that this model learnt from. Who they are is kept beside the model, not in its file, and looked up in the store each time: a lead that was deleted or erased since is
not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from connector.jobs.context import Context
from connector.jobs.scope import Outcomes
from connector.jobs.words import money
from connector.store import asof, records
from connector.store import schema as t
from connector.store.bulk import from_ipc
from scoring.model.card import Model
from scoring.model.evidence import agreeing, once

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Past:
    """A past lead. `as_of`: when it was like this one; `age_days`: how old it was then."""

    lead_id: str
    name: str
    as_of: datetime
    age_days: float
    ended: str
    """won, lost or open"""
    days: float | None
    """from then until it ended"""
    amount: float | None
    currency: str | None

    @property
    def text(self) -> str:
        """How it ended, in words."""
        after = (
            "" if self.days is None else f" after {self.days:,.0f} day{'' if round(self.days) == 1 else 's'}"
        )
        if self.ended == "won":
            return f"won{after}" + (f", {money(f'{self.amount:,.0f}', self.currency)}" if self.amount else "")
        return "still open" if self.ended == "open" else f"{self.ended}{after}"


@dataclass(frozen=True, slots=True)
class Alike:
    """`leads`: how many past leads were like this one; `won`: how many of those became what is predicted; `gone`: how
    many are in the store no more."""

    leads: int
    won: int
    gone: int
    nearest: tuple[Past, ...]


def leads_like(context: Context, model: Model, lead_id: str, row: pa.Table) -> Alike:
    """Among the leads that this model was fitted on. `row`: the lead's features as of now, a table of one row."""
    family = model.version.partition("/")[0]
    with context.store.begin() as db:
        blob = db.execute(select(t.model.c.examples).where(t.model.c.version == family)).scalar_one()
    past = _examples(from_ipc(blob), model.version.removeprefix(family))
    encoded = model.design.encode(row)
    logit = model.point.logit(model.design, encoded, model.design.additive(encoded))
    mine = model.similar.pattern(model.design, encoded, row, logit)[0]
    theirs = np.array(past["like"].to_pylist(), np.int64).reshape(past.num_rows, len(mine))
    ids = np.array(past["lead_id"].to_pylist())
    _, number = np.unique(ids, return_inverse=True)
    use = once(number.reshape(-1).astype(np.int64), theirs[:, -1])
    agree = agreeing(mine, theirs[use])
    kept = (agree >= 0) & (ids[use] != lead_id)
    use, agree = use[kept], agree[kept]
    far = np.abs(past["logit"].to_numpy()[use] - logit[0])
    use = use[np.lexsort((ids[use], far, -agree))]
    with context.store.begin() as db:
        lives = {life.lead_id: life for life in asof.lives(db, ids[use].tolist())}
        there = [int(i) for i in use if ids[i] in lives]
        names = records.record_values(db, "lead", [str(ids[i]) for i in there[:SHOWN]])
    times, won = past["as_of"].to_pylist(), past["won"].to_numpy()
    nearest = tuple(_past(lives[str(ids[i])], names[str(ids[i])], times[i], context) for i in there[:SHOWN])
    return Alike(len(there), int(sum(won[i] > 0.5 for i in there)), len(use) - len(there), nearest)


def _examples(past: pa.Table, suffix: str) -> pa.Table:
    """Those of one of a family's models: lead_id, as_of, won, like, logit."""
    names = ["lead_id", "as_of", "won", f"like{suffix}", f"logit{suffix}"]
    own = past.select(names).rename_columns(["lead_id", "as_of", "won", "like", "logit"])
    return own.filter(own["like"].is_valid())


def _past(life: asof.Life, values: Mapping[str, Any], as_of: datetime, context: Context) -> Past:
    settings = context.settings
    outcomes = Outcomes(settings.outcome.status)
    deal = settings.outcome.target == "won_deal"
    won = outcomes.won(life) if deal or life.converted_at is None else True
    ended_at = (life.won_at if deal else life.converted_at) or outcomes.ended_at(life)
    return Past(
        life.lead_id, called(values), as_of, (as_of - life.created_at) / timedelta(days=1),
        "open" if won is None else "won" if won else "lost",
        None if won is None or ended_at is None else (ended_at - as_of) / timedelta(days=1),
        life.won_amount if won else None, context.currency,
    )  # fmt: skip


def called(values: Mapping[str, Any]) -> str:
    """A lead as people call it: 'Ann Lee, Acme'; nothing where the record names nobody."""
    said: Sequence[str] = [str(values[k]) for k in ("first_name", "last_name") if values.get(k)]
    company = values.get("company")
    return ", ".join(part for part in (" ".join(said), str(company) if company else "") if part)
