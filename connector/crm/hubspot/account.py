"""What is asked once an adapter's life and kept: properties, pipelines, owners; and what our own calls taught us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.crm.base import FieldMap, Kind
from connector.crm.connection import Connection
from connector.crm.hubspot.api import Api
from connector.crm.hubspot.fields import OBJECTS, field_map

REVIEW_PIPELINE = "Candor review"


@dataclass(slots=True)
class Watch:
    """What a pull saw of one object, so that a push can tell a change by somebody else since then from our own echo.

    `newest`: the newest modified time; `seen` and `own`: id -> modified time as pulled, as answered to our write."""

    newest: datetime | None = None
    seen: dict[str, datetime] = field(default_factory=dict)
    own: dict[str, datetime] = field(default_factory=dict)

    def pulled(self, newest: datetime | None, seen: dict[str, datetime]) -> None:
        self.newest = newest or self.newest
        self.seen = seen
        self.own = {}


@dataclass(frozen=True, slots=True)
class Stage:
    pipeline: str
    label: str
    won: bool
    closed: bool


class Account:
    def __init__(self, api: Api, connection: Connection) -> None:
        self.api, self.connection = api, connection
        self.users: dict[str, str] = {}
        """user id -> owner id, as the owners stream last told"""
        self._properties: dict[str, dict[str, Any]] = {}
        self._pipelines: dict[str, list[dict[str, Any]]] = {}
        self._watches: dict[str, Watch] = {}

    @property
    def own_fields(self) -> FieldMap:
        return self.connection.fields

    def properties(self, obj: str) -> Mapping[str, Any]:
        if obj not in self._properties:
            answer = self.api.get(f"reading the properties of {obj}", self.api.properties(obj))
            self._properties[obj] = {
                p["name"]: p for p in answer.get("results") or () if not p.get("archived")
            }
        return self._properties[obj]

    def fields(self, kind: Kind) -> dict[str, str]:
        """canonical -> property"""
        return field_map(kind, self.own_fields, self.properties(OBJECTS[kind]))

    def pipelines(self, obj: str) -> list[dict[str, Any]]:
        if obj not in self._pipelines:
            answer = self.api.get(f"reading the pipelines of {obj}", self.api.pipelines(obj))
            self._pipelines[obj] = list(answer.get("results") or ())
        return self._pipelines[obj]

    def stages(self, obj: str) -> dict[str, Stage]:
        """Stage id -> what it means: closed by metadata, won where its probability is 1 (FACTS-hubspot.md §14)."""
        found = {}
        for pipeline in self.pipelines(obj):
            for stage in pipeline["stages"]:
                meta = stage.get("metadata") or {}
                chance = meta.get("probability")
                closed = str(meta.get("isClosed")).lower() == "true" or meta.get("ticketState") == "CLOSED"
                won = chance is not None and float(chance) >= 1.0
                found[str(stage["id"])] = Stage(str(pipeline["id"]), stage["label"], won, closed or won)
        return found

    def review_pipeline(self) -> str | None:
        return next((str(p["id"]) for p in self.pipelines("tickets") if p["label"] == REVIEW_PIPELINE), None)

    def watch(self, obj: str) -> Watch:
        return self._watches.setdefault(obj, Watch())

    def forget(self) -> None:
        """The schema changed: what was read of it is stale."""
        self._properties.clear()
        self._pipelines.clear()
