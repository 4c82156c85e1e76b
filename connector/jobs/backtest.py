"""The backtest's two sides: the latest leads, which are held out, and what could have been learnt before the first of them.

The cut between them is a time. It is chosen anew at each training until enough leads are mature, then kept, so that old and
new model are compared on the same leads. What comes before it is only as good as it was known then: a lead that had
neither ended nor outlived the horizon at the cut had no outcome yet, whatever is known of it today.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from connector.jobs.context import Context, log
from connector.jobs.examples import Examples, base_rate, horizon_of, lot
from scoring.audit.suspect import one_sided

HELD_OUT = 0.3
"""share of the mature leads, the latest, on which a model is backtested"""
CUT = "backtest_cut"
"""in the store: the time from which leads are held out"""
MATURE, WON = 200, 30
"""leads, and wins among them, from which on the cut stays: as many as make a segment established"""
OF_EACH = 10
"""wins and losses that must have been known at the cut; with fewer nothing could have been learnt"""
MOST = 10.0
"""that a label counts for those like it which were not known yet"""


@dataclass(frozen=True, slots=True)
class Split:
    """`test` marks the held-out leads' first rows, `past` is what a model is fitted on, `base_rate` its leads'. `known_then`:
    whether `past` has only labels that were known at the cut; without times, or with too few such labels, it has all."""

    cut: float | None
    test: np.ndarray
    past: Examples
    base_rate: float
    known_then: bool


def split(context: Context, examples: Examples, first: np.ndarray) -> Split:
    """`first` marks each lead's earliest row (seconds since 1970: `cut`). Without times (snapshot) leads are held out by a
    hash of their id."""
    leads = examples.rows["lead_id"].to_pylist()
    if context.settings.training.mode == "snapshot":
        chance = np.array([lot(lead) for lead in leads])
        test = first & (chance < HELD_OUT)
        past = examples.take(~_theirs(examples, test))
        return Split(None, test, past, past.base_rate, known_then=False)
    cut = _cut(context, examples, first)
    test = first & (examples.as_of >= cut)
    before = ~_theirs(examples, test) & (examples.as_of < cut)
    return _known_then(context, examples.take(before), cut, test)


def _cut(context: Context, examples: Examples, first: np.ndarray) -> float:
    times = np.sort(examples.as_of[first])
    kept = context.store.get(CUT)
    if kept is not None and (times < float(kept)).any():
        return float(kept)
    cut = float(times[int(len(times) * (1 - HELD_OUT))]) if len(times) else 0.0
    if len(times) >= MATURE and (examples.won[first] > 0.5).sum() >= WON:
        context.store.put(CUT, cut)
    elif kept is not None:
        context.store.forget(CUT)  # one from before any lead was mature holds out everything
    return cut


def _theirs(examples: Examples, test: np.ndarray) -> np.ndarray:
    """Rows of the leads that are tested, and of other leads of the same people."""
    tested = set(examples.rows["lead_id"].filter(pa.array(test)).to_pylist())
    found = np.array([lead in tested for lead in examples.rows["lead_id"].to_pylist()], dtype=bool)
    if examples.person is not None:
        found |= one_sided(examples.person.tolist(), test)
    return found


def _known_then(context: Context, past: Examples, cut: float, test: np.ndarray) -> Split:
    """Only what was known at the cut. A lead that ended late is less likely to be among it than one that ended soon: each
    counts by the inverse of the chance that a label which took so long was known, or quick endings would be all there is."""
    if past.known_at is None:
        return Split(cut, test, past, past.base_rate, known_then=False)
    known, won = past.known_at <= cut, past.won > 0.5
    if min((known & won).sum(), (known & ~won).sum()) < OF_EACH:
        log.info("too few labels were known at the backtest's cut", cut=cut, known=int(known.sum()))
        return Split(cut, test, past, past.base_rate, known_then=False)
    horizon = horizon_of(context.policy).total_seconds()
    had = np.sort(cut - past.as_of)
    took = np.minimum(past.known_at - past.as_of, horizon)
    chance = 1 - np.searchsorted(had, took, side="left") / len(had)
    counts = np.minimum(MOST, 1 / np.maximum(chance, 1 / len(had)))
    past = replace(past, weight=past.weight * counts).take(known)
    leads = np.array(past.rows["lead_id"].to_pylist(), dtype=str)
    return Split(cut, test, past, base_rate(past.won, leads, counts[known]), known_then=True)
