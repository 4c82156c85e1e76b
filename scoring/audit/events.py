"""Activities that know the outcome: counts over a whole life, what happens with or after the outcome, wrong dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.audit.evidence import NEVER, Evidence, micros
from scoring.audit.leakage import FEW, GAIN, SURE, Finding, Kind
from scoring.audit.separation import Bools, Ints, Separation, number_groups, separation
from scoring.features.inputs import DAY, HOUR, MINUTE

WITH_OUTCOME = 0.9
"""of a kind's events that lie at the outcome or after it: it is how an outcome shows itself"""
TELLS = 0.02
"""AUC above 0.5 of "something happened after the outcome" before it is worth a word"""
LAGS = 0.2
"""of a kind's events before one outcome that were entered after it; half of that is by how much more of its leads have one"""
STRAY = 0.005
"""of a kind's events dated before their lead"""
PLANNED = frozenset({"meeting", "call", "task"})
"""what may lie ahead: it is planned"""


@dataclass(frozen=True)
class Events:
    """The activities of some closed leads; `lead` is a place among them."""

    lead: Ints
    at: Ints
    kind: Ints
    kinds: tuple[str, ...]
    owner: Ints | None
    recorded: Ints | None


def findings(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.dated:
        return
    yield from _born_closed(evidence)
    if not evidence.activities.num_rows:
        return
    yield from _wrong_dates(evidence)
    if min(int(evidence.won.sum()), int((~evidence.won).sum())) < FEW:
        return
    events = _of(evidence, evidence.closed)
    yield from _counts(evidence)
    yield from _with_outcome(evidence, events)
    yield from _after(evidence, _of(evidence, evidence.all_closed))
    yield from _back_dated(evidence, events)


def _of(evidence: Evidence, closed: Ints) -> Events:
    table = evidence.activities
    place = np.full(len(evidence.ids), -1)
    place[closed] = np.arange(len(closed))
    lead = _lead(evidence)
    mine = np.where(lead >= 0, place[lead], -1)
    keep = mine >= 0
    coded = table["kind"].combine_chunks().dictionary_encode()
    kinds = tuple(map(str, coded.dictionary.to_pylist()))
    codes = np.asarray(coded.indices.to_numpy(), np.int64)
    owner = None
    if "owner_id" in table.column_names:
        owners = table["owner_id"].combine_chunks().dictionary_encode().indices
        owner = np.asarray(pc.fill_null(owners.cast(pa.int64()), -1).to_numpy(), np.int64)[keep]
    recorded = micros(table["recorded_at"], NEVER)[keep] if "recorded_at" in table.column_names else None
    return Events(mine[keep], micros(table["at"], 0)[keep], codes[keep], kinds, owner, recorded)


def _lead(evidence: Evidence) -> Ints:
    found = pc.fill_null(pc.index_in(evidence.activities["lead_id"], value_set=evidence.ids), -1)
    return np.asarray(found.to_numpy(), np.int64)


def _counts(evidence: Evidence) -> Iterator[Finding]:
    """Each count over a whole life against the same count up to an age at which leads are scored, where that differs most."""
    found: dict[str, Finding] = {}
    for age in evidence.ages:
        closed = evidence.reached(age)
        won, events = evidence.won_of(closed), _of(evidence, closed)
        early = events.at <= evidence.created[closed][events.lead] + age
        everything = np.ones(len(early), bool)
        for what, label, count in _measures(events, len(won)):
            life, then = _told(count(everything), won), _told(count(early), won)
            gain = life.auc - max(then.auc, 0.5)
            if gain < GAIN or gain < SURE * float(np.hypot(life.error, then.error)):
                continue
            before = found.get(what)
            if before is not None and before.figures["gain"] >= gain:
                continue
            found[what] = Finding(
                Kind.GROWS, what, label,
                f"Counted over a whole life, {label} separate won from lost with AUC {life.auc:.2f}; up to the age of "
                f"{age / DAY:.0f} {'day' if age == DAY else 'days'}, about when leads are scored, with {then.auc:.2f}.",
                {"auc_today": life.auc, "auc_then": then.auc, "gain": gain, "leads": float(len(won))}, then.auc,
            )  # fmt: skip
    yield from found.values()


def _measures(events: Events, count: int) -> Iterator[tuple[str, str, Callable[[Bools], Ints]]]:
    """What is counted: its key, its name, and the count a lead among some of the events."""
    yield "activities", "activities in all", lambda rows: _per_lead(events.lead[rows], count)
    days = events.at // DAY
    yield "days with activities", "days with activities", lambda rows: _distinct(events, rows, days, count)
    if (owner := events.owner) is not None:
        known = owner >= 0
        yield (
            "people who acted",
            "people who acted",
            lambda rows: _distinct(events, rows & known, owner, count),
        )
    for k, name in enumerate(events.kinds):
        of = events.kind == k
        yield f"activity {name}", f"“{name}”", partial(_some, events, of, count)


def _some(events: Events, of: Bools, count: int, rows: Bools) -> Ints:
    return _per_lead(events.lead[rows & of], count)


def _with_outcome(evidence: Evidence, events: Events) -> Iterator[Finding]:
    """Kinds of events by which an outcome shows itself."""
    begins = evidence.outcome_begins[evidence.closed]
    for k, name in enumerate(events.kinds):
        mine = events.kind == k
        leads = np.unique(events.lead[mine])
        if len(leads) < FEW:
            continue
        share = float((events.at[mine] >= begins[events.lead[mine]]).mean())
        if share >= WITH_OUTCOME:
            wins = float(evidence.won[leads].mean())
            yield Finding(
                Kind.ACTIVITY_IS_OUTCOME, f"activity {name}", f"“{name}”",
                f"{share:.0%} of “{name}” lie at the outcome or after it; {wins:.0%} of the {len(leads):,} leads that have "
                "one were won.", {"share": share, "won": wins, "leads": float(len(leads)), "auc_today": max(wins, 1 - wins)},
            )  # fmt: skip


def _after(evidence: Evidence, events: Events) -> Iterator[Finding]:
    """Kinds of events that go on after the outcome, and for one outcome more than for the other."""
    ended, won = evidence.ended[evidence.all_closed], evidence.all_won
    late = events.at > ended[events.lead]
    for k, name in enumerate(events.kinds):
        has = np.zeros(len(won), np.int64)
        has[events.lead[late & (events.kind == k)]] = 1
        n = int(has.sum())
        if n < FEW:
            continue
        told = separation(has, won)
        if told.auc - 0.5 >= max(TELLS, SURE * told.error):
            wins = float(won[has == 1].mean())
            yield Finding(
                Kind.ACTIVITY_AFTER, f"activity {name}", f"“{name}”",
                f"{n:,} leads have “{name}” after their outcome; {wins:.0%} of them were won, of all {won.mean():.0%}.",
                {"leads": float(n), "won": wins, "auc_today": told.auc},
            )  # fmt: skip


def _back_dated(evidence: Evidence, events: Events) -> Iterator[Finding]:
    """Dated before the outcome, entered after it: as-of training would believe the date."""
    if events.recorded is None:
        return
    ended, won = evidence.ended[evidence.closed], evidence.won
    before = events.at < ended[events.lead]
    lagging = before & (events.recorded > ended[events.lead] + MINUTE) & (events.recorded != NEVER)
    lagging &= events.recorded - events.at > HOUR
    of_won = won[events.lead]
    for k, name in enumerate(events.kinds):
        mine = events.kind == k
        n, of = int((lagging & mine).sum()), int((before & mine).sum())
        by_outcome = [_share((lagging & mine)[side], (before & mine)[side]) for side in (of_won, ~of_won)]
        leads = np.unique(events.lead[lagging & mine])
        has = np.isin(np.arange(len(won)), leads)
        apart = abs(_share(has & won, won) - _share(has & ~won, ~won))
        if n >= FEW and max(by_outcome) >= LAGS and apart >= LAGS / 2:
            wins = float(won[leads].mean())
            yield Finding(
                Kind.BACK_DATED, f"activity {name}", f"“{name}”",
                f"{n:,} of {of:,} “{name}” dated before an outcome were entered after it; {wins:.0%} of these leads "
                f"were won, of all {won.mean():.0%}.",
                {"rows": float(n), "of": float(of), "won": wins, "leads": float(len(leads))},
            )  # fmt: skip


def _wrong_dates(evidence: Evidence) -> Iterator[Finding]:
    table, lead = evidence.activities, _lead(evidence)
    at = micros(table["at"], 0)
    kinds = np.array(table["kind"].to_pylist(), dtype=str)
    assert evidence.now is not None
    now = int(evidence.now.timestamp() * 1e6)
    created = np.where(lead >= 0, evidence.created[lead], 0)
    stray = (lead >= 0) & (at < created - HOUR)
    ahead = (at > now + MINUTE) & ~np.isin(kinds, sorted(PLANNED))
    for name in np.unique(kinds):
        mine = kinds == name
        n, of = int((stray & mine).sum()), int(mine.sum())
        if n >= FEW and n >= STRAY * of:
            yield Finding(
                Kind.BEFORE_CREATION, f"activity {name}", f"“{name}”",
                f"{n:,} of {of:,} “{name}” are dated before their lead came in.",
                {"rows": float(n), "of": float(of)},
            )  # fmt: skip
        n = int((ahead & mine).sum())
        if n:
            yield Finding(
                Kind.FUTURE, f"activity {name}", f"“{name}”",
                f"{n:,} of {of:,} “{name}” are dated in the future.", {"rows": float(n), "of": float(of)},
            )  # fmt: skip


def _born_closed(evidence: Evidence) -> Iterator[Finding]:
    """Leads made when the outcome was known already: a record for the books."""
    closed, won = evidence.all_closed, evidence.all_won
    born = evidence.ended[closed] - evidence.created[closed] <= HOUR
    n = int(born.sum())
    if n < FEW or not born[won].any():
        return
    told = separation(born.astype(np.int64), won)
    wins = float(won[born].mean())
    if abs(wins - won.mean()) > 3 * float(np.sqrt(won.mean() * (1 - won.mean()) / n)) + 0.1:
        yield Finding(
            Kind.BORN_CLOSED, "created_at", "Leads made at their outcome",
            f"{n:,} leads were made within an hour of their own outcome; {wins:.0%} of them were won, of all "
            f"{won.mean():.0%}.", {"leads": float(n), "won": wins, "auc_today": told.auc},
        )  # fmt: skip


def _share(part: Bools, whole: Bools) -> float:
    return float(part.sum()) / max(int(whole.sum()), 1)


def _told(counts: Ints, won: Bools) -> Separation:
    return separation(number_groups(counts.astype(np.float64)), won)


def _per_lead(leads: Ints, count: int) -> Ints:
    return np.bincount(leads, minlength=count)


def _distinct(events: Events, rows: Bools, what: Ints, count: int) -> Ints:
    pairs = np.unique(np.column_stack([events.lead[rows], what[rows]]), axis=0)
    return _per_lead(pairs[:, 0].astype(np.int64), count)
