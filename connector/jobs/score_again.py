"""An old score made again: bit for bit from the row that was kept with it, by the model and the recalibration of then; and
what the record of that time, as it is known today, says otherwise (S3.5).

The two differ where the past was filled in later: an activity that came late, a change that the CRM tells only now. What a
score was made from is the row that was kept, so it is that row which tells whether it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version as installed
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, select

from connector.errors import NoSuchModel, NoSuchScore
from connector.jobs import models, recalibrate
from connector.jobs.context import Context
from connector.jobs.examples import features
from connector.jobs.manifest import features_in, view_in
from connector.jobs.score import said
from connector.store import records
from connector.store import schema as t
from connector.store.lineage import survivor
from scoring.errors import OtherVersion
from scoring.features.catalogue import Feature
from scoring.model import words
from scoring.model.card import Model
from scoring.model.router import UNIVERSAL


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A feature of which the record of then says another thing today; None: blank."""

    feature: str
    label: str
    unit: str
    then: float | str | None
    today: float | str | None

    @property
    def text(self) -> str:
        """'Employees 12, now 200'."""
        then, today = (_shown(self.unit, value) for value in (self.then, self.today))
        if then == today:  # they differ in a digit that nobody is shown
            then, today = str(self.then), str(self.today)
        return f"{self.label} {then}, now {today}"


@dataclass(frozen=True, slots=True)
class Again:
    """`then`: what was said at that time; `said`: what the same model says of the row that was kept; `differs`: in what
    these are not the same to the last bit; `libraries`: of those the model was trained with, the ones that are of another
    version here (then, now). `otherwise`: what the record of then says otherwise today; `today`: what the model would say of
    it, None where it says the same or can't be built (`unbuilt`: why)."""

    lead: str
    at: datetime
    model: str
    recalibration: str | None
    policy: str
    then: Mapping[str, Any]
    said: Mapping[str, Any]
    differs: tuple[str, ...]
    libraries: Mapping[str, tuple[str, str]]
    otherwise: tuple[Otherwise, ...] = ()
    today: Mapping[str, Any] | None = None
    unbuilt: str | None = None

    @property
    def same(self) -> bool:
        return not self.differs

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "same": self.same, "at": self.at.isoformat()}


def score_again(context: Context, lead: str, at: datetime) -> Again:
    """The score that stood at that time (UTC), made again. Raises NoSuchScore where there was none yet; NoSuchModel, Tampered or
    OtherVersion where what made it is gone or can't be read here."""
    with context.store.begin() as db:
        kept = _kept(db, lead, at)
        gone = _gone(db, kept["lead_id"])
        moved = kept["recalibration"]
        recent = None if moved is None else recalibrate.named(db, moved)
    version, _, segment = kept["model"].partition("/")
    try:
        family, manifest = models.opened(context, version)
    except OtherVersion as error:
        raise OtherVersion(
            f"Model {version} was trained by another version of Candor, so its scores can't be made again by this one.",
            fix="The version that was in use then can, on a copy of the store.",
        ) from error
    places = [model.version for model in family.models]
    if segment and kept["model"] not in places:
        raise NoSuchModel(
            f"There is no model {kept['model']}.", fix="`candor models` names those that there are."
        )
    model = family.models[places.index(kept["model"]) if segment else UNIVERSAL]
    fed = features_in(manifest)
    families = {f.name: f.family for f in fed}

    def say(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return said(model.score(_row(fed, inputs), recent), 0, families)

    again = say(kept["inputs"])
    then = {name: kept[name] for name in again}
    differs = tuple(name for name, value in again.items() if value != then[name])
    found: tuple[Otherwise, ...] = ()
    today = None
    if gone is None:
        built = features(context, [(kept["lead_id"], kept["at"])], view=view_in(manifest)).to_pylist()[0]
        found = _otherwise(fed, kept["inputs"], built)
        today = say(built) if found else None
    return Again(
        kept["lead_id"], kept["at"], kept["model"], moved, kept["policy"], then, again, differs, _libraries(model), found,
        today, gone,
    )  # fmt: skip


def _kept(db: Connection, lead: str, at: datetime) -> Mapping[str, Any]:
    """The last score up to that time (UTC), of the lead or of what it has become part of."""
    own = records.full_id(db, "lead", lead) or lead
    for id in dict.fromkeys((own, survivor(db, "lead", own))):
        scores = select(t.score).where(t.score.c.lead_id == id).order_by(t.score.c.at)
        first = db.execute(scores).mappings().first()
        if first is None:
            continue
        if first["at"] > at:
            raise NoSuchScore(
                f"Lead {lead} had no score at {at:%Y-%m-%d %H:%M:%S} UTC: its first is of {first['at']:%Y-%m-%d %H:%M:%S}.",
                fix="Ask for a later time.",
            )
        last = scores.where(t.score.c.at <= at).order_by(None).order_by(t.score.c.at.desc())
        return dict(db.execute(last.limit(1)).mappings().one())
    raise NoSuchScore(f"Lead {lead} has no score in the store.", fix="`candor score` gives today's.")


def _gone(db: Connection, lead: str) -> str | None:
    """Why a lead's past can't be looked up any more."""
    found = db.execute(
        select(t.record.c.deleted, t.record.c.merged_into).where(
            t.record.c.kind == "lead", t.record.c.id == lead
        )
    ).first()
    if found is not None and found.merged_into is not None:
        return f"the lead has become part of {found.merged_into} since"
    return "the lead was deleted since" if found is None or found.deleted else None


def _row(fed: Sequence[Feature], inputs: Mapping[str, Any]) -> pa.Table:
    return pa.table(
        {f.name: pa.array([inputs.get(f.name)], pa.float64() if f.type == "number" else pa.string()) for f in fed}
    )  # fmt: skip


def _otherwise(
    fed: Sequence[Feature], kept: Mapping[str, Any], built: Mapping[str, Any]
) -> tuple[Otherwise, ...]:
    """Of what feeds the model: what only people and routes look at depends on today's settings, too."""
    return tuple(
        Otherwise(f.name, f.label, f.unit, kept.get(f.name), built.get(f.name))
        for f in fed
        if f.role == "model" and kept.get(f.name) != built.get(f.name)
    )


def _libraries(model: Model) -> dict[str, tuple[str, str]]:
    made_with: Mapping[str, str] = model.card["versions"]
    return {name: (was, now) for name, was in made_with.items() if (now := installed(name)) != was}


def _shown(unit: str, value: float | str | None) -> str:
    if value is None:
        return "blank"
    return value if isinstance(value, str) else words.quantity(unit, value)
