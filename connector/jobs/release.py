"""Champion and challenger (S4.4): what a release would change, the release, and the way back.

A release is a list of steps; the preview tells them, the deed takes them in one transaction. Scores follow at the next pass,
which scores all open leads when the model is another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, select, update

from connector.errors import CandorError, NoSuchModel, NotTrained
from connector.jobs import models, recalibrate
from connector.jobs.alike import called
from connector.jobs.context import Context, log
from connector.jobs.fields import features_of
from connector.jobs.score import Scored, Use, score
from connector.store import records
from connector.store import schema as t
from connector.store.bulk import from_ipc
from connector.store.runs import running
from connector.store.store import put
from scoring.errors import OtherVersion, Tampered
from scoring.metrics.outcomes import read
from scoring.metrics.release import Verdict, compare
from scoring.model.between import difference
from scoring.model.card import Model
from scoring.model.recent import Recent
from scoring.routing.engagement import band

MOVERS = 10
"""leads with the largest change of score that a preview names"""
ALIKE = 1.0
"""points: models that differ by less on each lead score alike"""


class Worse(CandorError):
    """The model is worse than the one in use, so it does not take over."""


@dataclass(frozen=True, slots=True)
class Step:
    """One model's change of status."""

    version: str
    was: str
    status: str

    def __str__(self) -> str:
        return f"{self.version}: {self.was} → {self.status}"


@dataclass(frozen=True, slots=True)
class Mover:
    """`by_model`, `by_recalibration`: points of the move that are the models' own, and that what recent outcomes say of each
    adds, chance included; together they are the move."""

    lead: str
    name: str
    score: tuple[float, float]
    by_model: float
    by_recalibration: float
    route: tuple[str, str]
    why: str
    """what the two score otherwise: the side of the lead whose points differ the most"""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the release of `version` in place of `before` would change among the open leads. `lists`: how many leads each
    queue, and each owner of leads that are with a person, has now and would have; `owners`: their names. `by_model`,
    `by_recalibration`: points by which a score moves on average, either way, by the models themselves and by what recent
    outcomes say of each; `alike`: whether the models themselves differ by less than a point on each lead. `bands_by_model`,
    `routes_by_model`: of those with another band (route), how many have another by the models themselves, too; the others have
    it by what recent outcomes say."""

    version: str
    before: str | None
    steps: tuple[Step, ...]
    verdict: Verdict
    leads: int
    another_band: int
    another_route: int
    routes: Mapping[str, int]
    """"from → to": how many"""
    lists: Mapping[str, tuple[int, int]]
    movers: tuple[Mover, ...]
    by_model: float = 0.0
    by_recalibration: float = 0.0
    bands_by_model: int = 0
    routes_by_model: int = 0
    alike: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    unread: str | None = None
    """why the one in use can't be read; what would change can't be told then"""

    @property
    def bands_by_recalibration(self) -> int:
        return self.another_band - self.bands_by_model

    @property
    def routes_by_recalibration(self) -> int:
        return self.another_route - self.routes_by_model

    def plain(self) -> dict[str, Any]:
        return {
            **asdict(self), "steps": [str(step) for step in self.steps], "no_worse": self.verdict.no_worse,
            "bands_by_recalibration": self.bands_by_recalibration, "routes_by_recalibration": self.routes_by_recalibration,
        }  # fmt: skip


def verdict(context: Context, version: str) -> Verdict:
    """The model against the champion, on the held-out leads of both backtests."""
    with context.store.begin() as db:
        new = db.execute(select(t.model.c.backtest).where(t.model.c.version == version)).scalar()
        old = db.execute(select(t.model.c.backtest).where(t.model.c.status == "champion")).scalar()
    if new is None or old is None:
        return Verdict(())
    return compare(read(from_ipc(old)), read(from_ipc(new)), context.policy)


def preview(context: Context, version: str) -> Preview:
    """All open leads scored and routed by both models as they would be used tonight, each with what recent outcomes say of it;
    nothing is stored or written. Where the one in use can't be read, the way to another is open all the same. Raises
    NoSuchModel, NotTrained, Tampered."""
    steps = _steps(context, version)
    replaced = next((s.version for s in steps if s.was == "champion"), None)
    try:
        in_use = models.champion(context)[0].version
    except (Tampered, OtherVersion) as error:
        if not steps:
            raise
        return Preview(
            version, replaced, steps, verdict(context, version), 0, 0, 0, {}, {}, (), unread=error.message
        )
    context.progress("Release: by the model in use", 0, 2)
    first, second = (Use(v, recalibrate.tonight(context, v)) for v in (in_use, version))
    now_in_use = score(context, everything=True, use=first)
    context.progress("Release: by the other", 1, 2)
    other = score(context, everything=True, use=second)
    context.progress("Release: by the other", 2, 2)
    with context.store.begin() as db:
        values = records.record_values(db, "lead")
        owners = {
            id: owner["name"] for id, owner in records.record_values(db, "owner").items() if owner.get("name")
        }
    was, will = (_by_lead(found) for found in (now_in_use, other))
    leads = sorted(was.keys() & will.keys())
    policy = context.policy
    banded = {
        lead for lead in leads
        if band(was[lead]["confidence"], policy) != band(will[lead]["confidence"], policy)
    }  # fmt: skip
    routed = {lead: (was[lead]["route"], will[lead]["route"]) for lead in leads}
    alone = {lead: (now_in_use.alone[lead], other.alone[lead]) for lead in leads}
    sides = (
        _Side(context, first, [was[lead] for lead in leads]),
        _Side(context, second, [will[lead] for lead in leads]),
    )
    whole = np.array([will[lead]["score"] - was[lead]["score"] for lead in leads])
    own = np.array([b.score - a.score for a, b in alone.values()])
    place = {lead: i for i, lead in enumerate(leads)}
    moved = sorted(leads, key=lambda lead: (-abs(will[lead]["score"] - was[lead]["score"]), lead))
    return Preview(
        version, replaced, steps, verdict(context, version), len(leads),
        len(banded), sum(a != b for a, b in routed.values()),
        dict(Counter(f"{a} → {b}" for a, b in routed.values() if a != b).most_common()),
        _lists(routed, values),
        tuple(
            Mover(
                lead, called(values[lead]) or lead, (was[lead]["score"], will[lead]["score"]), float(own[i]), float(whole[i] - own[i]),
                routed[lead], difference(sides[0].of(i), sides[1].of(i)).sentence,
            )
            for lead in moved[:MOVERS] for i in (place[lead],)
        ),
        float(np.abs(own).mean()) if leads else 0.0, float(np.abs(whole - own).mean()) if leads else 0.0,
        sum(band(a.confidence, policy) != band(b.confidence, policy) for a, b in (alone[lead] for lead in banded)),
        sum(a.route != b.route for a, b in (alone[lead] for lead, (x, y) in routed.items() if x != y)),
        bool((np.abs(own) < ALIKE).all()), owners,
    )  # fmt: skip


def release(context: Context, version: str, why: str, *, worse_too: bool = False) -> tuple[Step, ...]:
    """The model takes over. Raises NoSuchModel, Worse (unless an admin says `worse_too`)."""
    steps = _steps(context, version)
    if not worse_too and not (found := verdict(context, version)).no_worse:
        raise Worse(
            f"Model {version} is worse than the one in use. {found.why}.",
            fix=f"Train anew, or release it all the same: `candor release {version} --worse-too`.",
        )
    return _take(context, steps, version, why)


def roll_back(context: Context) -> tuple[Step, ...]:
    """The model that was in use before the present one takes over again. Raises NoSuchModel, NotTrained."""
    version = before(context)
    return _take(context, _steps(context, version), version, "rolled back")


def before(context: Context) -> str:
    """Which model was in use before the present one."""
    there = models.listed(context)
    champion = next((m for m in there if m["status"] == "champion"), None)
    if champion is None:
        raise NotTrained()
    last = models.succeeded(context, champion["version"])
    if last is not None:
        return last
    older = [
        m["version"] for m in there if m["status"] == "retired" and m["created_at"] < champion["created_at"]
    ]
    if not older:
        raise NoSuchModel(
            "No model was in use before this one, so there is none to go back to.",
            fix="`candor models` names all.",
        )
    return str(older[0])


def remember(
    db: Connection, history: Sequence[Mapping[str, Any]], version: str, old: str | None, at: Any, why: str
) -> None:
    put(
        db, models.RELEASES, [*history, {"version": version, "before": old, "at": at.isoformat(), "why": why}]
    )


def _steps(context: Context, version: str) -> tuple[Step, ...]:
    status = {m["version"]: m["status"] for m in models.listed(context)}
    if version not in status:
        raise NoSuchModel(f"There is no model {version}.", fix="`candor models` names those that there are.")
    old = [Step(v, s, "retired") for v, s in status.items() if s == "champion" and v != version]
    new = [] if status[version] == "champion" else [Step(version, status[version], "champion")]
    return (*old, *new)


def _take(context: Context, steps: Sequence[Step], version: str, why: str) -> tuple[Step, ...]:
    models.named(context, version)  # its hash is checked before it takes over, and its parts are known
    with running(context.store, "release", context.clock) as run:
        history = context.store.get(models.RELEASES, [])
        with context.store.begin() as db:
            for step in steps:
                db.execute(
                    update(t.model).where(t.model.c.version == step.version).values(status=step.status)
                )
            if steps:
                old = next((s.version for s in steps if s.was == "champion"), None)
                remember(db, history, version, old, context.clock.now(), why)
        run.summary.update(version=version, steps=[str(step) for step in steps], why=why)
    log.info("released", version=version, why=why)
    return tuple(steps)


class _Side:
    """A model with the leads as it scored them."""

    def __init__(self, context: Context, use: Use, scored: Sequence[Mapping[str, Any]]) -> None:
        champion = models.champion(context)[0]
        family = champion if champion.version == use.version else models.named(context, use.version)
        kinds = {
            f.name: pa.float64() if f.type == "number" else pa.string() for f in features_of(context.settings)
        }
        self._rows = pa.table(
            {n: pa.array([row["inputs"].get(n) for row in scored], kind) for n, kind in kinds.items()}
        )
        self._by = [row["model"] for row in scored]
        self._models, self._recent = {model.version: model for model in family.models}, use.recent

    def of(self, i: int) -> tuple[Model, Recent | None, pa.Table]:
        return self._models[self._by[i]], self._recent, self._rows.slice(i, 1)


def _by_lead(found: Scored) -> dict[str, dict[str, Any]]:
    decided = {row["lead_id"]: row["route"] for row in found.decision_rows}
    return {row["lead_id"]: {**row, "route": decided[row["lead_id"]]} for row in found.score_rows}


def _lists(
    routed: Mapping[str, tuple[str, str]], values: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[int, int]]:
    """Leads a route, and of those with a person a list for each owner."""
    count: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for lead, routes in routed.items():
        for side, route in zip(count, routes, strict=True):
            side[route] += 1
            owner = values.get(lead, {}).get("owner_id")
            if route.startswith("person") and owner:
                side[f"{route} of {owner}"] += 1
    names = sorted(set(count[0]) | set(count[1]), key=lambda n: (-abs(count[1][n] - count[0][n]), n))
    return {name: (count[0][name], count[1][name]) for name in names}
