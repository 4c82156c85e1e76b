"""The leakage audit finds what it was not told of, names how it came, and accuses nothing else (S1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from scoring.audit.evidence import TIME, Evidence, as_times, no_rows
from scoring.audit.find import leakage
from scoring.audit.leakage import Finding, Kind
from scoring.audit.screen import barred, without
from scoring.audit.separation import alone, strongest

BORN = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
N = 1200
Edit = tuple[int, float, str | None]
"""lead, days after creation, value"""


class World:
    """Leads of which a quarter is won, each closed at an age that has nothing to do with the outcome."""

    def __init__(self, seed: int = 0) -> None:
        self.rnd = np.random.default_rng(seed)
        self.won = self.rnd.random(N) < 0.25
        self.born = [BORN + timedelta(days=float(d)) for d in self.rnd.uniform(0, 300, N)]
        self.life = self.rnd.uniform(15, 120, N)
        self.today: dict[str, list[str | None]] = {"honest": [str(v) for v in self.rnd.integers(0, 5, N)]}
        self.edits: dict[str, list[Edit]] = {}
        self.first: dict[str, str | None] = {}
        self.acts: list[tuple[int, float, str, float]] = []

    def edit(self, name: str, edits: Sequence[Edit], at_first: str | None = None) -> None:
        self.edits[name], self.first[name] = list(edits), at_first
        self.today[name] = [at_first] * N
        for lead, _, value in sorted(edits, key=lambda e: e[1]):
            self.today[name][lead] = value

    def evidence(self, untracked: tuple[str, ...] = ()) -> Evidence:
        ids = [f"L{i:04d}" for i in range(N)]
        tracked = [name for name in self.today if name not in untracked]
        rows = []
        for name in tracked:
            edited = {lead for lead, _, _ in self.edits.get(name, [])}
            rows += [(ids[i], name, self.born[i], self.today[name][i]) for i in range(N) if i not in edited]
            rows += [(ids[i], name, self.born[i], self.first[name]) for i in edited]
            rows += [
                (ids[i], name, self.born[i] + timedelta(days=d), v) for i, d, v in self.edits.get(name, [])
            ]
        columns = list(zip(*rows, strict=True))
        ended = [b + timedelta(days=float(d)) for b, d in zip(self.born, self.life, strict=True)]
        acts = no_rows("activities")
        if self.acts:
            acts = pa.table({
                "activity_id": [str(i) for i in range(len(self.acts))], "lead_id": [ids[a[0]] for a in self.acts],
                "at": pa.array([self.born[a[0]] + timedelta(days=a[1]) for a in self.acts], TIME), "kind": [a[2] for a in self.acts],
                "recorded_at": pa.array([self.born[a[0]] + timedelta(days=a[3]) for a in self.acts], TIME),
            })  # fmt: skip
        return Evidence(
            pa.table({"lead_id": ids, "created_at": pa.array(self.born, TIME), "ended_at": pa.array(ended, TIME), "won": self.won}),
            pa.table({"lead_id": ids, **{n: pa.array(v, pa.string()) for n, v in self.today.items()}}),
            pa.table({"lead_id": pa.array(columns[0]), "field": pa.array(columns[1]), "at": pa.array(columns[2], TIME), "value": pa.array(columns[3], pa.string())}),
            acts, frozenset(tracked), NOW,
        )  # fmt: skip

    def only(self, *untracked: str) -> Finding:
        found = leakage(self.evidence(untracked)).findings
        assert len(found) == 1, [(f.what, f.kind) for f in found]
        return found[0]

    def winners(self, share: float = 0.9, others: float = 0.03) -> list[int]:
        return [i for i in range(N) if self.rnd.random() < (share if self.won[i] else others)]


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_where_nothing_leaks(seed: int) -> None:
    found = leakage(World(seed).evidence())
    assert found.findings == ()
    assert [r.what for r in found.ranked] == ["honest"]


@pytest.mark.parametrize(
    ("days_after_outcome", "kind"),
    [(5.0, Kind.AFTER_OUTCOME), (0.0, Kind.AT_OUTCOME), (-10.0, Kind.WHILE_WORKED)],
)
def test_a_field_that_comes_with_the_outcome_is_named_by_when_it_came(
    days_after_outcome: float, kind: Kind
) -> None:
    world = World()
    late = [
        (i, max(float(world.life[i]) + days_after_outcome, 7.5), str(world.rnd.integers(0, 6)))
        for i in world.winners()
    ]
    world.edit("x", late)
    found = world.only()
    assert (found.what, found.kind) == ("x", kind)
    assert found.as_of is not None
    assert abs(found.as_of - 0.5) < 0.08  # what training as of a time sees of it
    assert found.kept_out
    assert found.mend


def test_a_copy_of_the_label_is_called_one() -> None:
    world = World()
    world.edit("x", [(i, float(world.life[i]), "yes") for i in np.flatnonzero(world.won).tolist()], "no")
    assert world.only().kind is Kind.COPY


def test_the_length_of_a_life_is_the_outcomes_clock() -> None:
    world = World()
    world.edit("x", [(i, float(world.life[i]), f"{world.life[i]:.1f}") for i in world.winners()])
    assert world.only().kind is Kind.CLOCK


def test_without_history_only_what_is_too_good_is_named_and_it_asks_for_a_person() -> None:
    world = World()
    world.today["x"] = [
        str(world.rnd.integers(0, 3) + 3 * (w and world.rnd.random() < 0.9)) for w in world.won
    ]
    world.today["mild"] = [
        str(int(w) if world.rnd.random() < 0.2 else world.rnd.integers(0, 2)) for w in world.won
    ]
    found = world.only("x", "mild")
    assert (found.what, found.kind, found.kept_out) == ("x", Kind.NO_HISTORY, False)


def test_an_outcome_known_from_the_beginning_is_barred_from_training() -> None:
    world = World()
    world.today["x"] = [str(world.rnd.integers(0, 50) + 100 * w) for w in world.won]
    found = leakage(world.evidence())
    assert [f.kind for f in found.findings] == [Kind.TOO_GOOD]
    assert barred(found).fields == {"x"}


def test_meetings_entered_after_the_win_and_dated_before_are_barred() -> None:
    world = World()
    world.acts = [(i, 3.0, "meeting", float(world.life[i]) + 4) for i in world.winners(0.8, 0.02)]
    world.acts += [(i, 2.0, "call", 2.0) for i in range(N)]
    found = leakage(world.evidence())
    assert Kind.BACK_DATED in {f.kind for f in found.findings if f.what == "activity meeting"}
    bar = barred(found)
    assert bar.activities == {"meeting"}
    assert set(without(world.evidence().activities, bar.activities)["kind"].to_pylist()) == {"call"}


def test_what_few_leads_have_is_judged_among_those() -> None:
    rnd = np.random.default_rng(1)
    won = rnd.random(4000) < 0.4
    values = np.array(
        [(f"v{int(w)}" if rnd.random() < 0.9 else "v0") if rnd.random() < 0.3 else None for w in won],
        dtype=object,
    )
    assert alone(values, won).auc < 0.8 < strongest(values, won).auc


def test_a_name_of_ones_own_separates_nothing() -> None:
    won = np.random.default_rng(2).random(1000) < 0.3
    names = np.array([f"n{i}" for i in range(1000)], dtype=object)
    assert alone(names, won).auc == 0.5


def test_words_are_no_times() -> None:
    assert as_times(np.array(["2026-01-02", None, "2026-01-02T10:00:00+00:00"], dtype=object)) is not None
    assert as_times(np.array(["2026", "finance-x"], dtype=object)) is None
