"""Your tag did this: what people's words changed in a model, for its card and for a lead's page (S6.1).

The CRMs don't say who set a tag on a record, so a word counts as its lead's owner's.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import select

from connector.jobs.context import Context
from connector.jobs.examples import Examples
from connector.store import records
from connector.store import schema as t
from scoring.model.card import Model
from scoring.model.influence import Held, influence
from scoring.model.train import ids, prepared

NOBODY = "nobody"
"""stands for the owner of a lead that has none"""


def what_words_did(
    context: Context, past: Examples, backtest: Model, held: Examples, seed: int
) -> dict[str, Any] | None:
    """Of the backtested model on the leads that it hasn't seen; None where nobody has said anything. `past`: what it was
    fitted on."""
    if not past.feedback.any():
        return None
    leads = past.rows["lead_id"].to_pylist()
    with context.store.begin() as db:
        values = records.record_values(
            db, "lead", sorted({lead for lead, said in zip(leads, past.feedback, strict=True) if said})
        )
    who = [str(values.get(lead, {}).get("owner_id") or NOBODY) for lead in leads]
    layout = backtest.design
    encoded = layout.encode(held.rows)
    base = float(np.log(backtest.base_rate / (1 - backtest.base_rate)))
    found = influence(
        layout, prepared(layout, past.rows, past.won, groups=past.groups, weight=past.weight), past.feedback, who,
        backtest.point, Held(encoded, layout.additive(encoded), held.won, ids(held.groups)), base, seed,
    )  # fmt: skip
    return asdict(found)


def said_by_its_owner(context: Context, model: Model, lead_id: str) -> dict[str, Any] | None:
    """What the lead's owner said changed in the model that scores it, in words; None where they said nothing."""
    with context.store.begin() as db:
        card = db.execute(select(t.model.c.card).where(t.model.c.version == model.version)).scalar_one()
        owner = str(records.record_values(db, "lead", [lead_id])[lead_id].get("owner_id") or NOBODY)
    words = card.get("words")
    person = next((p for p in (words or {"people": []})["people"] if p["who"] == owner), None)
    return None if words is None or person is None else {**person, "text": in_words(words, person)}


def in_words(words: dict[str, Any], person: dict[str, Any]) -> str:
    """'Of 12 tags, overrides and reviews: 40 leads up, 12 down (Industry: biotech +3.1)', or the count alone."""
    n = person["events"]
    count = "one tag, override or review" if n == 1 else f"{n:,} tags, overrides and reviews"
    if not words["shown"]:
        return f"{count} by this lead's owner; what they changed can't be told from chance yet."
    effects = "; ".join(
        f"{e['feature']}{'' if e['value'] is None else ' ' + e['value']} {e['points']:+.1f}"
        for e in person["effects"]
    )
    return (
        f"{count} by this lead's owner moved {person['up']:,} of {words['leads']:,} leads up and {person['down']:,} down"
        + (f" ({effects})" if effects else "")
        + "."
    )
