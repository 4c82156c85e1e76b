"""Your tag did this: what people's words changed in a model, for its card and for a lead's page (S6.1).

A word is its author's where the CRM tells who that was; the others together are nobody's.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from connector.jobs.context import Context
from connector.jobs.examples import Examples
from connector.store import records
from connector.store import schema as t
from scoring.model.additive import log_odds
from scoring.model.family import Family
from scoring.model.influence import Held, influence
from scoring.model.train import Draft, ids


def what_words_did(universal: Draft, held: Examples) -> dict[str, Any] | None:
    """Of the backtested model on the leads that it hasn't seen; None where nobody has said anything."""
    if universal.lessons is None:
        return None
    layout = universal.design
    encoded = layout.encode(held.rows)
    base = log_odds(universal.base_rate)
    unseen = Held(encoded, layout.additive(encoded), held.won, ids(held.groups))
    return asdict(influence(layout, universal.lessons, universal.trained.point, unseen, base))


def said_by_its_owner(context: Context, family: Family, lead_id: str) -> dict[str, Any] | None:
    """What the lead's owner said changed in the models that score, in words; None where they said nothing."""
    with context.store.begin() as db:
        card = db.execute(select(t.model.c.card).where(t.model.c.version == family.version)).scalar_one()
        owner = str(records.record_values(db, "lead", [lead_id])[lead_id].get("owner_id"))
    words = card.get("words")
    person = next((p for p in (words or {"people": []})["people"] if p["who"] == owner), None)
    return None if words is None or person is None else {**person, "text": in_words(words, person)}


def in_words(words: dict[str, Any], person: dict[str, Any]) -> str:
    """'Of 12 tags, overrides and reviews: 40 leads up, 12 down (Industry: biotech +3.1)', or the count alone."""
    n = person["words"]
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
