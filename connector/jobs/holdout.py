"""The holdout's leads whose outcome is known by now: what the routing was worth (S1.5)."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from sqlalchemy import text

from connector.jobs.context import Context
from connector.store import asof
from connector.store.bulk import sql
from scoring.metrics.holdout import Effect, effect
from scoring.routing.explore import HOLDOUT


def measured(context: Context) -> Effect | None:
    """None where no lead ever took part: the holdout is an admin's choice."""
    now, horizon = context.clock.now(), timedelta(days=context.policy.horizon_days)
    with context.store.begin() as db:
        lots = db.execute(text(sql("lots"))).all()
        lives = {life.lead_id: life for life in asof.lives(db)} if lots else {}
    mature = [lot for lot in lots if lot.at + horizon <= now and lot.lead_id in lives]
    won = [lives[lot.lead_id].won_at for lot in mature]
    if not lots:
        return None
    return effect(
        np.array(
            [at is not None and lot.at < at <= lot.at + horizon for lot, at in zip(mature, won, strict=True)],
            dtype=bool,
        ),
        np.array([lot.rule == HOLDOUT for lot in mature], dtype=bool),
        context.policy,
    )
