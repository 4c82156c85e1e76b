"""From what was harvested to words that training weighs: whose, about which lead, and what became of it (S4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.model.said import DECISIONS, OVERRIDE, REVIEW, TAG, Said, ordered
from scoring.routing.policy import Models

TAGS = {"unexpected_fit": 1.0, "score_seems_high": -1.0}
"""Tags that say whether a lead is better or worse than its score. An unusual buying process is neither."""

NOBODY = ""
"""The author of words that the CRM keeps no author of: all such are taken for one person's."""


@dataclass(frozen=True, slots=True)
class Word:
    """`says` as in scoring.model.said; `shown`: the score at that time, NaN where the lead had none."""

    lead_id: str
    at: datetime
    kind: str
    says: float
    by: str
    shown: float


def words(events: Iterable[Mapping[str, Any]], models: Models) -> list[Word]:
    """What can be weighed of the harvested events (kind, lead_id, at, value, by, score), by time. Of what one person said in passing
    of one lead the last word counts, an override before a tag, and of their reviews the last. Reviews join from as many reviewed
    leads on as the policy says."""
    if not models.people_join:
        return []
    last: dict[tuple[str, str, bool], Word] = {}
    for event in sorted(events, key=lambda e: (e["at"], e["kind"] == OVERRIDE)):
        word = _word(event)
        if word is None:
            continue
        key = (word.lead_id, word.by, word.kind == REVIEW)
        before = last.get(key)
        if before is None or before.kind != OVERRIDE or word.kind == OVERRIDE:
            last[key] = word
    found = sorted(last.values(), key=lambda w: (w.at, w.lead_id, w.kind, w.by))
    reviewed = {word.lead_id for word in found if word.kind == REVIEW}
    joined = len(reviewed) >= models.reviews_join
    return [word for word in found if joined or word.kind != REVIEW]


def said(found: Sequence[Word], rows: pa.Table, outcome: Sequence[float], learnt: Sequence[bool]) -> Said:
    """`rows`: each word's lead as of then; `outcome`: 1, 0, or NaN while nobody knows; `learnt`: whether it is trained on."""
    return Said(
        rows,
        np.array([w.kind for w in found], dtype=str),
        np.array([w.says for w in found], dtype=np.float64),
        np.array([w.by for w in found], dtype=str),
        np.array([w.shown for w in found], dtype=np.float64),
        np.array(outcome, dtype=np.float64),
        np.array(learnt, dtype=bool),
    )


def _word(event: Mapping[str, Any]) -> Word | None:
    kind, value, says = event["kind"], event["value"], np.nan
    if kind == REVIEW and value["decision"] in DECISIONS:
        says = float(ordered([value["decision"]])[0])
    elif kind == OVERRIDE:
        says = min(100.0, max(0.0, float(value["score"])))
    elif kind == TAG:
        says = TAGS.get(value["tag"], np.nan)
    if np.isnan(says):
        return None
    shown = event.get("score")
    return Word(
        event["lead_id"],
        event["at"],
        kind,
        says,
        event.get("by") or NOBODY,
        np.nan if shown is None else float(shown),
    )
