"""What only a demo may know: the outcomes that a file's held-out rows had, and what usual practice would have said."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from connector.jobs.context import Context
from connector.jobs.examples import features
from connector.jobs.fields import features_of
from connector.jobs.scope import Outcomes
from connector.playground.world.truth import read_truth
from connector.store import asof
from connector.store import schema as t
from scoring.metrics.scores import auc, ece, log_loss
from scoring.model.baseline import train_usual_practice


def held_out_figures(context: Context, folder: Path) -> dict[str, Any]:
    """The first scores of the leads whose outcome was held back, against that outcome; where the truth knows chances (of real
    rows whose outcomes were drawn), also what the best possible scores would come to."""
    truth = read_truth(folder / "playground" / "truth.json")
    keys = world_keys(folder / "playground")
    with context.store.begin() as db:
        rows = db.execute(select(t.score.c.lead_id, t.score.c.probability).order_by(t.score.c.at)).all()
    said: dict[str, float] = {}
    for row in rows:
        said.setdefault(row.lead_id, row.probability)
    pairs = [(keys[id], p) for id, p in said.items() if keys.get(id) in truth.probability]
    won = np.array([float(key in truth.wins) for key, _ in pairs])
    p = np.array([q for _, q in pairs])
    if len(pairs) == 0 or won.min() == won.max():
        return {"held_out": len(pairs), "auc": None, "log_loss": None, "log_loss_of_base": None, "ece": None}
    found = {"held_out": len(pairs), "auc": auc(won, p), "log_loss": log_loss(won, p),
             "log_loss_of_base": log_loss(won, np.full(len(won), won.mean())), "ece": ece(won, p),
             "base_rate": float(won.mean())}  # fmt: skip
    if truth.luck:
        chance = np.array([truth.probability[key] for key, _ in pairs])
        found |= {"auc_of_true_chances": auc(won, chance), "log_loss_of_true_chances": log_loss(won, chance)}
    return found


def world_keys(playground: Path) -> dict[str, str]:
    """CRM id -> the world's key, from the local CRM's own file (no API tells it)."""
    db = sqlite3.connect(f"file:{playground / 'org.sqlite'}?mode=ro", uri=True)
    try:
        found = db.execute(
            "select id, json_extract(data, '$._key') from record where obj in ('Lead', 'contacts')"
        )
        return {id: key for id, key in found if key}
    finally:
        db.close()


def usual_practice_says(context: Context, lead_id: str) -> str:
    """One sentence of what the usual model says of the lead: trained on closed-won against closed-lost as the records look
    today, firmographics only, one threshold."""
    outcomes, now = Outcomes(context.settings.outcome.status), context.clock.now()
    with context.store.begin() as db:
        lives = asof.lives(db)
    closed = {life.lead_id: won for life in lives if (won := outcomes.won(life)) is not None}
    rows = features(context, [(lead, now) for lead in (*closed, lead_id)])
    model = train_usual_practice(
        rows.slice(0, len(closed)),
        np.array([*closed.values()], float),
        features=features_of(context.settings),
    )
    return model.say(rows.slice(len(closed)))
