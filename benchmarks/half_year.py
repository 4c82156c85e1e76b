"""Half a year with Candor and with usual practice on many seeds, at the same hours: differences paired by seed.

    CANDOR_BENCH_SEEDS=5 CANDOR_BENCH_SIZE=4000 CANDOR_BENCH_SCENARIO=default python -m benchmarks half_year

Each seed is a world of its own and a line of JSON in benchmarks/.half_year/, so that a run that was stopped goes on where
it was (a line counts for the same size, days, scenario and code alone). The intervals are bootstraps over seeds, of the
mean difference between the teams on the same world. No bar is set: the figures are what they are.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.row import Row
from connector.demo.halfyear.measure import measure
from connector.demo.halfyear.play import play
from connector.playground.world.scenario_file import read_scenario

SEEDS, SIZE, DAYS, SCENARIO = 20, 5000, 180, "default"
FIRST_SEED = 100
CACHE = Path(__file__).parent / ".half_year"
CODE = ("connector/demo/halfyear", "connector/playground/world", "connector/jobs", "scoring")
LEVEL = 0.90

Found = Mapping[str, Any]


def run() -> list[Row]:
    seeds, size = (
        int(os.environ.get(f"CANDOR_BENCH_{name}", usual))
        for name, usual in (("SEEDS", SEEDS), ("SIZE", SIZE))
    )
    scenario = os.environ.get("CANDOR_BENCH_SCENARIO", SCENARIO)
    return rows(plays(range(FIRST_SEED, FIRST_SEED + seeds), size, scenario))


def plays(seeds: range, size: int, scenario: str) -> list[Found]:
    """What each seed came to, from the cache where it is there."""
    CACHE.mkdir(exist_ok=True)
    file = CACHE / f"{Path(scenario).stem}-{size}-{DAYS}-{_code()}.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    known = {found["seed"]: found for found in map(json.loads, filter(_whole, lines))}
    for seed in seeds:
        if seed in known:
            continue
        played = play(seed=seed, size=size, days=DAYS, scenario=read_scenario(scenario), arms=True)
        found = json.loads(json.dumps({"seed": seed, **measure(played)}))
        with file.open("a") as out:
            out.write(json.dumps(found) + "\n")
        known[seed] = found
        left = sum(other not in known for other in seeds)
        sys.stderr.write(
            f"  seed {seed}: {found['seconds']:.0f} s; about {left * found['seconds'] / 60:.0f} min to go\n"
        )
    return [known[seed] for seed in seeds]


def rows(found: list[Found]) -> list[Row]:
    def team(name: str, *path: str) -> Callable[[Found], float | None]:
        return lambda one: _at(one["teams"][name], path)

    out = [
        Row("seeds", len(found)),
        Row("hours a day", float(np.mean([one["hours_a_day"] for one in found]))),
    ]
    for name in found[0]["teams"]:
        out += [
            _mean(f"{name}: revenue, M", found, lambda one, name=name: one["teams"][name]["revenue"]["value"] / 1e6),
            _mean(f"{name}: winners reached", found, team(name, "winners_reached")),
            _mean(f"{name}: edge-case miss rate", found, team(name, "missed", "edge cases")),
            _mean(f"{name}: hand-raisers missed", found, team(name, "hand_raisers_missed")),
        ]  # fmt: skip
    mine, theirs = "Candor", "usual practice"
    for what, path in (
        ("winners reached", ("winners_reached",)), ("revenue", ("revenue",)),
    ):  # fmt: skip
        for other in (theirs, "Candor's score alone"):
            out.append(
                _mean(f"Candor against {other}: {what}, relative", found, lambda one, path=path, other=other:
                      _over(_at(one["teams"][mine], path), _at(one["teams"][other], path)))
            )  # fmt: skip
    for group in ("edge cases", "edge cases by cause", "all leads"):
        out.append(_mean(f"{group}: missed, Candor less usual", found, lambda one, g=group: _less(
            _at(one["teams"][mine], ("missed", g)), _at(one["teams"][theirs], ("missed", g)))))  # fmt: skip
        for who in ("candor", "usual", "true_chance"):
            out.append(_mean(f"{group}: skill, {who}", found, lambda one, g=group, who=who: one["skill"][g][who]["value"]))  # fmt: skip
        out.append(_mean(f"{group}: skill, Candor less usual", found, lambda one, g=group: _less(
            one["skill"][g]["candor"]["value"], one["skill"][g]["usual"]["value"])))  # fmt: skip
        for who in ("candor", "usual"):
            out.append(_mean(f"{group}: AUC, {who}", found, lambda one, g=group, who=who: one["skill"][g][f"{who}_auc"]))  # fmt: skip
    out += _before_after(found)
    out.append(_mean("seconds a seed", found, lambda one: one["seconds"]))
    return out


def _before_after(found: list[Found]) -> list[Row]:
    out = []
    for who in ("Candor", "usual practice"):
        key = f"edge winners reached, {who}"
        for word in ("before", "after"):
            out.append(_mean(f"{word} 90 days: {key}", found, lambda one, w=word, k=key: one["before_after"][w][k]["value"]))  # fmt: skip
    for word in ("before", "after"):
        out.append(_mean(f"{word} 90 days: edge skill, Candor", found, lambda one, w=word: one["before_after"][w]["edge_skill"]["value"]))  # fmt: skip
    out.append(_mean("after 90 days: edge skill, gain over day 0's model", found, lambda one: _less(
        one["before_after"]["after"]["edge_skill"]["value"], one["before_after"]["edge_skill_untaught"]["value"])))  # fmt: skip
    return out + _taught(found)


def _taught(found: list[Found]) -> list[Row]:
    """Candor on the leads of the later days, as it learnt from all of the first 90, less what it does had it learnt from less:
    the same leads, hours and routing."""
    mine, out = "Candor", []
    for other in (name for name in found[0]["taught"] if name != mine):
        for key, path in (
            ("winners reached", ("winners_reached", "value")), ("expected winners", ("expected_winners",)),
            ("edge-case winners reached", ("edge_winners_reached", "value")), ("edge skill", ("edge_skill", "value")),
            ("edge AUC", ("edge_auc",)),
        ):  # fmt: skip

            def one_less(one: Found, path: tuple[str, ...] = path, other: str = other) -> float | None:
                return _less(*(_in(one["taught"][name], path) for name in (mine, other)))

            out.append(_mean(f"later leads, less {other}: {key}", found, one_less))
        out.append(_mean(f"later leads, over {other}: winners reached, relative", found, lambda one, other=other: _over(
            *(one["taught"][name]["winners_reached"]["value"] for name in (mine, other)))))  # fmt: skip
    return out


def _in(team: Any, path: tuple[str, ...]) -> float | None:
    for key in path:
        team = team[key]
    found: float | None = team
    return found


def _mean(name: str, found: list[Found], value: Callable[[Any], float | None]) -> Row:
    """The mean over seeds, its interval, and on how many seeds the figure is above 0."""
    each = np.array([x for one in found if (x := value(one)) is not None and np.isfinite(x)])
    if not len(each):
        return Row(name, float("nan"), note="nothing to measure")
    drawn = np.random.default_rng(0).choice(each, (2000, len(each))).mean(axis=1)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Row(
        name,
        float(each.mean()),
        note=f"{low:.3f} to {high:.3f}; above 0 on {int((each > 0).sum())} of {len(each)}",
    )


def _at(team: Any, path: tuple[str, ...]) -> float | None:
    for key in path:
        team = team[key]
    found: float | None = team["value"]
    return found


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _over(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b - 1


def _whole(line: str) -> bool:
    """A run that was killed may leave half a line."""
    try:
        return "seed" in json.loads(line)
    except ValueError:
        return False


def _code() -> str:
    """What the figures depend on: a change of it makes them anew."""
    root, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for folder in CODE:
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
