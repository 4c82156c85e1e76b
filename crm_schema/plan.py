"""The difference between what Candor declares and what an org has, as a list of stages; and the way back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from crm_schema.carrying import calls, refusal
from crm_schema.connection import Connect
from crm_schema.consequences import Finding
from crm_schema.errors import Conflict, SchemaError, UnknownCRM
from crm_schema.naming import SALESFORCE_OBJECTS
from crm_schema.port import SchemaPort
from crm_schema.render import (
    hubspot,
    hubspot_drift,
    hubspot_upgrade,
    salesforce,
    salesforce_connection,
    salesforce_drift,
    salesforce_removal,
    salesforce_upgrade,
)
from crm_schema.render.difference import Difference
from crm_schema.stages import Carry, DeletePipeline, Left, Line, Stage
from crm_schema.upgrade import Route

AlsoReads = Mapping[str, Sequence[str]]
"""vendor object -> fields of the org's own that the mapping names: the integration user gets to read them"""
Forward = Callable[[Mapping[str, Any], AlsoReads], Difference]
Back = Callable[[Mapping[str, Any]], Difference]
_RENDERERS: Mapping[str, tuple[Forward, Back]] = {
    "salesforce": (salesforce_upgrade.difference, salesforce_removal.removal),
    "hubspot": (hubspot_upgrade.difference, hubspot.removal),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to an org. Nothing has been written yet."""

    purpose: Literal["apply", "remove"]
    stages: tuple[Stage, ...]
    kept: tuple[Line, ...] = ()
    """what an admin made of Candor's fields, and is left alone"""
    notes: tuple[str, ...] = ()
    """what the platform does not allow in this org and what that costs, and what else an admin wants to know"""
    reads: AlsoReads = field(default_factory=dict)
    limits: tuple[Left, ...] = ()
    """limits of the CRM, as far as it tells them, and what is left of them"""
    connect: Connect | None = None
    """the app to sign in through that this plan also makes"""
    blind: bool = False
    """we see too little of the org to tell all: its first step mends that, and the rest shows then"""

    @property
    def empty(self) -> bool:
        """The org is as declared (or as it was before Candor)."""
        return not self.stages

    @property
    def changes(self) -> tuple[Line, ...]:
        """What happens to the org, without what stays."""
        return tuple(line for stage in self.stages for line in stage.lines)

    @property
    def lines(self) -> tuple[Line, ...]:
        return (*(line for stage in self.stages for line in stage.lines), *self.kept)

    @property
    def calls(self) -> int:
        """write calls that the plan takes"""
        return sum(stage.calls for stage in self.stages)


def plan(port: SchemaPort, reads: AlsoReads | None = None, connect: Connect | None = None) -> Plan:
    """What `apply` would do. Raises Conflict when a field of Candor's name is something else, NoRoom when
    fields don't fit. `connect`: make the app to sign in through as well."""
    wanted = reads or {}
    org = port.read()
    found = _renderer(port)[0](org, wanted)
    found.stages = _counted(found.stages, port)
    if port.crm == "salesforce":
        salesforce_connection.difference(org, connect, found)
    elif connect is not None:
        raise SchemaError(
            "A sign-in app with a certificate is Salesforce's way.", fix="Leave --certificate out."
        )
    return _plan("apply", found, wanted, connect)


def _counted(stages: Sequence[Stage], port: SchemaPort) -> list[Stage]:
    """With the write calls of each carrying, counted from the values that are there. Raises Conflict before anything is done when
    one of them can't go along."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    made: list[Stage] = []
    for stage in stages:
        if not isinstance(stage, Carry):
            made.append(stage)
            continue
        if stage.object not in tables:
            hops = [h for s in stages if isinstance(s, Carry) and s.object == stage.object for h in s.hops]
            fields = sorted({name for h in hops for name in (h.source, h.target)})
            tables[stage.object] = {id: dict(row) for id, row in port.values(stage.object, fields)}
        elif port.crm == "salesforce":  # the field was deleted and made anew in between
            for row in tables[stage.object].values():
                row.update(dict.fromkeys(h.target for h in stage.hops))
        count, refused = calls(tables[stage.object], stage.hops, port.batch)
        if refused:
            raise Conflict(
                [refusal(stage.object, refused).rstrip(".")],
                fix="Change these values in the CRM, then plan again. Nothing was changed.",
            )
        made.append(replace(stage, calls=count))
    return made


def also_reads(fields: Mapping[str, Mapping[str, str]]) -> AlsoReads:
    """What a field map (kind -> canonical field -> the vendor's field) names, by Salesforce object."""
    return {
        object_name: tuple(sorted(set(fields[kind].values())))
        for kind, object_name in SALESFORCE_OBJECTS.items()
        if fields.get(kind)
    }


def removal(port: SchemaPort) -> Plan:
    """What taking Candor out would do. The fields' values go with them: export them first."""
    found = _renderer(port)[1](port.read())
    found.stages = [
        replace(s, calls=1 + -(-port.inside(s.object, s.id) // port.batch))
        if isinstance(s, DeletePipeline)
        else s
        for s in found.stages
    ]
    return _plan("remove", found, {})


def verify(port: SchemaPort, reads: AlsoReads | None = None) -> list[str]:
    """Drift: how the org differs from the declaration, in words. Empty when all is well; raises no
    Conflict."""
    try:
        found = plan(port, reads)
    except SchemaError as error:
        return [str(error)]
    return [str(line) for stage in found.stages for line in stage.lines]


def drift(
    port: SchemaPort, reads: AlsoReads | None = None, tracked: Collection[str] = (), *, app: bool = False
) -> list[Finding]:
    """How an org that has Candor differs from the declaration, each difference with what it breaks and who mends it.
    `tracked`: what `tracked_now` told after the last apply; `app`: an apply has made the app to sign in through."""
    _renderer(port)
    org = port.read()
    found: list[Finding]
    if port.crm == "hubspot":
        portal = hubspot_upgrade.moves(org)
        found = hubspot_drift.drift(hubspot_upgrade.settled(org, portal))
        found += [_behind(m.object, m.source, m.route) for m in portal]
    else:
        behind = [] if salesforce.hidden(org) else salesforce_upgrade.moves(org)
        found = salesforce_drift.drift(salesforce_upgrade.settled(org, behind), reads or {}, tracked)
        found += [_behind(m.object, m.source, m.route) for m in behind]
        found += salesforce_connection.drift(org) if app else ()
    return sorted(set(found))


def sign_in(port: SchemaPort, connect: Connect) -> dict[str, str]:
    """The options of a connection that signs in through the app that an apply has made, as far as they are known here."""
    return {"client_id": salesforce_connection.consumer_key(connect, str(port.read()["org_id"]))}


def _behind(object_name: str, name: str, route: Route) -> Finding:
    return Finding(
        "behind", f"{object_name}.{name}", f"it is as a version of Candor before {route.version} made it",
        "Candor reads and writes today's field, and what stands in this one is not counted",
        "`candor apply` brings it up, with its values.",
    )  # fmt: skip


def tracked_now(port: SchemaPort) -> list[str]:
    """Which of Candor's fields have their history kept: remembered at apply, so that `drift` can tell when it stops.
    HubSpot keeps every history by itself."""
    return salesforce_drift.tracked_now(port.read()) if port.crm == "salesforce" else []


def _plan(
    purpose: Literal["apply", "remove"], found: Difference, reads: AlsoReads, connect: Connect | None = None
) -> Plan:
    return Plan(
        purpose,
        tuple(found.stages),
        tuple(found.kept),
        tuple(found.notes),
        reads,
        tuple(found.limits),
        connect,
        found.blind,
    )


def _renderer(port: SchemaPort) -> tuple[Forward, Back]:
    if port.crm not in _RENDERERS:
        raise UnknownCRM(f"There is no renderer for {port.crm}: crm_schema knows {', '.join(_RENDERERS)}.")
    return _RENDERERS[port.crm]
