"""Fields of the record that know the outcome: what they are today against what they were early in each lead's life."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.audit.evidence import NEVER, Evidence, History, as_times, durations
from scoring.audit.leakage import (
    FEW,
    GAIN,
    PURE,
    SURE,
    SUSPECT,
    TOO_GOOD,
    Finding,
    Kind,
    Ranked,
)
from scoring.audit.separation import (
    Bools,
    Floats,
    Ints,
    Separation,
    Values,
    alone,
    groups,
    numbers,
    runs,
    separation,
    strongest,
)
from scoring.features.inputs import DAY, MINUTE

MOST = 0.5
"""of a field's late changes that must be of one sort before they name it"""
AGREE = 0.95
"""of won leads and of lost leads: two values that agree so far with the outcome copy it"""
RISING = 0.95
"""of a number's steps that go up before it counts as a count"""
BY_AGE = 0.30
"""of leads: how much fuller the oldest fifth must be than the youngest, by late entries alone"""
ALIKE = 0.15
"""share by which open and closed leads of one age may differ in it: beyond, it follows the outcome and not the age"""
CLOCK_RUNS, CLOCK_ROWS = 0.05, 200
ENCODED_FIT = 0.99
"""correlation of a number with the win rate of another field's values"""


@dataclass(frozen=True)
class Field:
    """One field of the closed leads: today's values, those known early, and how well each separates."""

    name: str
    label: str
    today: Values
    now: Separation
    then: Separation | None
    """None where no history tells"""
    known_then: Values | None
    set_at: Ints
    history: History | None


def looked_at(evidence: Evidence) -> Iterator[Field]:
    closed, won = evidence.closed, evidence.won
    for name in evidence.fields:
        today = evidence.today(name)[closed]
        history = evidence.histories.get(name) if name in evidence.tracked else None
        now, then, known_then, set_at = alone(today, won), None, None, np.full(len(closed), NEVER)
        if name in evidence.tracked and evidence.dated:
            before = np.full(len(evidence.ids), None, dtype=object)
            if history is not None:
                before = history.before(evidence.cut)
                set_at = history.set_at(len(evidence.ids))[closed]
            known_then = before[closed]
            then = alone(known_then, won)
        yield Field(name, evidence.label(name), today, now, then, known_then, set_at, history)


def findings(evidence: Evidence, fields: list[Field]) -> Iterator[Finding]:
    if min(int(evidence.won.sum()), int((~evidence.won).sum())) < FEW:
        return
    for one in fields:
        found = (
            _dated(evidence, one) if one.then is not None else _undated(evidence, one, fields)
        ) or _too_good(one)
        if found is not None:
            yield found


def ranked(evidence: Evidence, fields: list[Field], accused: set[str]) -> Iterator[Ranked]:
    won = evidence.won
    for one in fields:
        if one.name in accused:
            continue
        blank = np.array([v is None for v in one.today], bool)
        flat = len(set(one.today.tolist())) < 2
        blanks = 0.5 if flat else separation(blank.astype(np.int64), won).auc
        yield Ranked(
            one.name, one.label, one.now.auc, None if one.then is None else one.then.auc, float(blank.mean()),
            blanks, _why(one, blanks, flat),
        )  # fmt: skip


def _why(one: Field, blanks: float, flat: bool) -> str:
    if flat:
        return "the same on every lead"
    if one.then is not None:
        return "today it tells no more than it did when leads are scored"
    if blanks > 0.6 and blanks >= one.now.auc - 0.02:
        return "what it tells, it tells by being blank or not: the completeness audit judges it"
    return "it tells no more than a fact known beforehand may; without history nobody can be sure"


# --- fields with a history ---


def _dated(evidence: Evidence, one: Field) -> Finding | None:
    assert one.then is not None
    gain = one.now.auc - max(one.then.auc, 0.5)
    noise = float(np.hypot(one.now.error, one.then.error))
    late = _late(evidence, one)
    if (aged := _by_age(evidence, one)) is not None:
        return aged
    if gain < GAIN or gain < SURE * noise or late.sum() < FEW:
        return None
    kind, said = _sort(evidence, one, late)
    figures = {
        "auc_today": one.now.auc, "auc_then": one.then.auc, "late_leads": float(late.sum()),
        "leads": float(len(late)),
    }  # fmt: skip
    return Finding(
        kind, one.name, one.label,
        f"{said} Today it separates won from lost with AUC {one.now.auc:.2f}, as known when leads are scored "
        f"with {one.then.auc:.2f}.", figures, one.then.auc,
    )  # fmt: skip


def _late(evidence: Evidence, one: Field) -> Bools:
    """Closed leads whose value of today was not known early."""
    assert one.known_then is not None
    changed = np.array([a != b for a, b in zip(one.today, one.known_then, strict=True)], bool)
    late: Bools = changed & (one.set_at != NEVER)
    return late


def _sort(evidence: Evidence, one: Field, late: Bools) -> tuple[Kind, str]:
    """The first sort that fits, from what gives most away."""
    closed = evidence.closed
    ended, created = evidence.ended[closed], evidence.created[closed]
    n = int(late.sum())
    if (dates := as_times(one.today)) is not None and (told := late & (dates != 0)).any():
        near = float((np.abs(dates - ended)[told] <= DAY).mean())
        if near >= MOST:
            return Kind.CLOCK, f"On {near:.0%} of the leads that got it late it is the day of the outcome."
        after = float((dates[told] > ended[told]).mean())
        if after >= MOST:
            return Kind.LATER_DATE, f"On {after:.0%} of the leads that got it late it lies after the outcome."
    as_number = numbers(one.today)
    if as_number is not None:
        share = durations(as_number[late], (ended - created)[late])
        if share >= MOST:
            return Kind.CLOCK, f"On {share:.0%} of those leads it is the time from creation to the outcome."
    if (share := _copies(one.today, evidence.won)) >= AGREE:
        return (
            Kind.COPY,
            f"Its values agree with the outcome on at least {share:.1%} of won and of lost leads.",
        )
    minutes, counts = np.unique(one.set_at[late] // MINUTE, return_counts=True)
    if counts.max() >= max(FEW, MOST * n):
        when = np.datetime64(int(minutes[counts.argmax()]) * MINUTE, "us").astype("datetime64[m]")
        return Kind.STAMPED, f"{counts.max():,} of {n:,} late entries were made in one minute, {when} UTC."
    gone = np.array([v is None for v in one.today], bool) & late
    if gone.sum() >= MOST * n:
        return Kind.EMPTIED, f"{gone.sum():,} closed leads had a value that has been taken out since."
    if as_number is not None and one.history is not None and _rises(one.history):
        return (
            Kind.GROWS,
            f"It only ever rises, and went on rising on {n:,} leads after they would have been scored.",
        )
    replaced = np.array(
        [a is not None and b is not None for a, b in zip(one.today[late], _then(one)[late], strict=True)],
        bool,
    )
    if as_number is None and replaced.mean() >= MOST and len(set(one.today[late].tolist())) > 2:
        return Kind.REASSIGNED, f"On {n:,} leads it was changed from one value to another late in their life."
    if (value := _pure_value(one.today, late, evidence.won)) is not None:
        name, wins, of, rest = value
        if rest < GAIN + 0.5:
            return (
                Kind.ONE_VALUE,
                f"Of {of:,} leads with “{name}” {wins:,} were won; its other values tell nothing.",
            )
    when_set, begins = one.set_at[late], evidence.outcome_begins[closed][late]
    after_share = float((when_set > ended[late] + DAY).mean())
    at_share = float(((when_set >= begins) & (when_set <= ended[late] + DAY)).mean())
    if after_share >= MOST:
        return (
            Kind.AFTER_OUTCOME,
            f"{after_share:.0%} of {n:,} late entries were made more than a day after the outcome.",
        )
    if at_share + after_share >= MOST:
        return Kind.AT_OUTCOME, f"{at_share:.0%} of {n:,} late entries were made with the outcome."
    won = float(evidence.won[late].mean())
    return Kind.WHILE_WORKED, (
        f"{n:,} leads got it after they would have been scored; {won:.0%} of them were won, "
        f"of all closed leads {evidence.won.mean():.0%}."
    )


def _then(one: Field) -> Values:
    assert one.known_then is not None
    return one.known_then


def _by_age(evidence: Evidence, one: Field) -> Finding | None:
    """Filled with age: of all leads that were blank early, the old ones are filled by now."""
    history = one.history
    if history is None or evidence.now is None:
        return None
    early = history.before(evidence.cut)
    today = evidence.today(one.name)
    blank_then = np.array([v is None for v in early], bool)
    filled = np.array([v is not None for v in today], bool)[blank_then]
    if blank_then.sum() < 10 * FEW:
        return None
    fifths = np.array_split(np.argsort(evidence.created[blank_then], kind="stable"), 5)
    oldest, youngest = float(filled[fifths[0]].mean()), float(filled[fifths[-1]].mean())
    middle = [float(filled[part].mean()) for part in fifths]
    if oldest - youngest < BY_AGE or any(b > a + 0.05 for a, b in pairwise(middle)):
        return None
    still_open = (evidence.ended == NEVER)[blank_then]
    apart = [abs(float(filled[part][still_open[part]].mean()) - float(filled[part][~still_open[part]].mean()))
             for part in fifths if min(still_open[part].sum(), (~still_open[part]).sum()) >= FEW]  # fmt: skip
    if not apart or float(np.mean(apart)) > ALIKE:
        return None
    return Finding(
        Kind.AGE, one.name, one.label,
        f"Of leads that lacked it early, {oldest:.0%} of the oldest fifth have it by now and {youngest:.0%} of the youngest.",
        {"auc_today": one.now.auc, "oldest": oldest, "youngest": youngest}, None if one.then is None else one.then.auc,
    )  # fmt: skip


def _rises(history: History) -> bool:
    values = numbers(history.value)
    if values is None:
        return False
    same = (history.lead[1:] == history.lead[:-1]) & np.isfinite(values[1:]) & np.isfinite(values[:-1])
    steps = np.diff(values)[same]
    moved = steps[steps != 0]
    return len(moved) >= FEW and float((moved > 0).mean()) >= RISING


# --- fields of which only today's value is known ---


def _undated(evidence: Evidence, one: Field, fields: list[Field]) -> Finding | None:
    won = evidence.won
    figures = {"auc_today": one.now.auc, "leads": float(len(won))}

    def found(kind: Kind, said: str) -> Finding:
        return Finding(kind, one.name, one.label, said, figures, None)

    if (share := _copies(one.today, won)) >= AGREE:
        return found(
            Kind.COPY, f"Its values agree with the outcome on at least {share:.1%} of won and of lost leads."
        )
    as_number = numbers(one.today)
    if as_number is not None and (by := _encodes(as_number, one, fields, won)) is not None:
        return found(Kind.ENCODED, f"It is the win rate of {by}, computed from these leads' own outcomes.")
    if evidence.dated:
        closed = evidence.closed
        life = evidence.ended[closed] - evidence.created[closed]
        if as_number is not None and (share := durations(as_number, life)) >= MOST:
            return found(
                Kind.CLOCK, f"On {share:.0%} of closed leads it is the time from creation to outcome."
            )
        if (dates := as_times(one.today)) is not None and (dates != 0).sum() >= FEW:
            near = float((np.abs(dates - evidence.ended[closed])[dates != 0] <= DAY).mean())
            if near >= MOST:
                return found(
                    Kind.CLOCK, f"On {near:.0%} of the leads that have it, it is the day of the outcome."
                )
    told = strongest(one.today, won)
    if told.auc - 2 * told.error >= SUSPECT:
        among = "" if told.n == len(won) else f" among the {told.n:,} leads that have it"
        figures["auc_today"] = told.auc
        return found(
            Kind.NO_HISTORY,
            f"Alone it separates won from lost with AUC {told.auc:.2f}{among}, as hardly anything known beforehand does.",
        )
    values = ["" if v is None else v for v in one.today]
    if (
        not evidence.dated and as_number is not None and len(values) >= CLOCK_ROWS and runs(values) < CLOCK_RUNS
        and len(set(values)) > 2
    ):  # fmt: skip
        return found(Kind.ROW_ORDER, f"It changes from row to row {runs(values):.1%} as often as by chance.")
    if evidence.dated and (value := _pure_value(one.today, np.ones(len(won), bool), won)) is not None:
        name, wins, of, _ = value
        return found(Kind.ONE_VALUE, f"Of {of:,} leads with “{name}” {wins:,} were won.")
    return None


def _encodes(values: Floats, one: Field, fields: list[Field], won: Bools) -> str | None:
    """The field whose values' win rates this number is."""
    known = np.isfinite(values)
    if known.sum() < 10 * FEW or len(np.unique(values[known])) < 4:
        return None
    for other in fields:
        if other is one or numbers(other.today) is not None:
            continue
        codes = groups(other.today)[known]
        counts = np.bincount(codes)
        if (counts >= FEW).sum() < 4:
            continue
        rate = np.bincount(codes, weights=won[known].astype(float)) / np.maximum(counts, 1)
        big = counts[codes] >= FEW
        x, y = values[known][big], rate[codes][big]
        if big.sum() >= 10 * FEW and x.std() and y.std() and abs(np.corrcoef(x, y)[0, 1]) >= ENCODED_FIT:
            return other.label
    return None


def _too_good(one: Field) -> Finding | None:
    """What as-of training does not keep out: known early, and it is the outcome."""
    if one.then is None or one.then.auc - 2 * one.then.error < TOO_GOOD - 0.02 or one.then.auc < TOO_GOOD:
        return None
    return Finding(
        Kind.TOO_GOOD, one.name, one.label,
        f"Already when leads are scored it separates won from lost with AUC {one.then.auc:.2f}.",
        {"auc_today": one.now.auc, "auc_then": one.then.auc}, one.then.auc,
    )  # fmt: skip


# --- shapes of values ---


def _copies(values: Values, won: Bools) -> float:
    """How far two values (a blank may be one) agree with won and lost, by the outcome where they agree less; 0 when there
    are more values, or one."""
    kinds, codes = np.unique(np.array(["" if v is None else v for v in values], str), return_inverse=True)
    if len(kinds) != 2:
        return 0.0
    second = codes.reshape(-1).astype(bool)
    if min(won.sum(), (~won).sum()) < FEW:
        return 0.0
    of_won, of_lost = float(second[won].mean()), float(second[~won].mean())
    return max(min(of_won, 1 - of_lost), min(1 - of_won, of_lost))


def _pure_value(values: Values, among: Bools, won: Bools) -> tuple[str, int, int, float] | None:
    """A value all but whose leads were won, though few leads are: its name, wins, leads, and the AUC without them."""
    if won.mean() > 0.8:
        return None
    texts = np.array(["" if v is None else v for v in values], str)
    kinds, codes = np.unique(texts, return_inverse=True)
    codes = codes.reshape(-1)
    if len(kinds) < 3 or len(kinds) > 200:
        return None
    counts = np.bincount(codes[among], minlength=len(kinds))
    wins = np.bincount(codes[among], weights=won[among].astype(float), minlength=len(kinds))
    pure = [
        k for k in range(len(kinds)) if kinds[k] and counts[k] >= FEW and wins[k] >= _sure(int(counts[k]))
    ]
    if not pure:
        return None
    best = max(pure, key=lambda k: counts[k])
    rest = ~np.isin(codes, pure)
    without = separation(groups(values[rest]), won[rest]).auc if 0 < won[rest].sum() < rest.sum() else 0.5
    return str(kinds[best]), int(wins[best]), int(counts[best]), without


def _sure(n: int) -> float:
    """Wins among n that leave PURE inside no doubt: one standard error above it."""
    return n * PURE + float(np.sqrt(n * PURE * (1 - PURE)))
