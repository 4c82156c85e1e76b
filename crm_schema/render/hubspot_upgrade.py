"""A HubSpot portal that an older Candor set up, brought up to today's declaration with its values.

A property that got another name: a new one, the values, then the old one is archived. One that got another type: HubSpot takes a new
type in place but doesn't promise what becomes of the values, and an archived name comes back as it was [FACTS-hubspot.md §9]; so the values
wait in a property of their own while the type is changed, and go back. Renamed choices: the new ones are added, the old ones
hidden, the values written, the old ones taken away.

What takes values is hidden and labelled so until they are all there: nobody writes into it meanwhile, and a run that died knows by
the label how far it came.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_schema import upgrade
from crm_schema.carrying import Hop
from crm_schema.declaration import Field
from crm_schema.errors import NoRoom
from crm_schema.naming import HUBSPOT_OBJECTS, hubspot_name
from crm_schema.render import hubspot
from crm_schema.render.difference import Difference
from crm_schema.stages import (
    ArchiveProperties,
    Carry,
    CreateGroup,
    CreateProperties,
    Line,
    Stage,
    UpdateProperty,
)
from crm_schema.upgrade import Route

_MOVING = " (being moved)"


@dataclass(frozen=True, slots=True)
class Move:
    """A route that one object of this portal still has to go."""

    object: str
    route: Route
    source: str
    target: str | None
    there: bool
    """the old form is there (old name, old type or old choices)"""
    carrier: bool = False
    """the property that holds values for a while is there"""
    marked: bool = False
    """the target waits for its values, hidden and labelled so"""


def moves(org: Mapping[str, Any]) -> list[Move]:
    found: dict[tuple[str, str], Move] = {}
    for object_name in hubspot.OBJECTS:
        if object_name not in org["objects"]:
            continue
        have = org["objects"][object_name]["properties"]
        for route in _routes(object_name):
            if move := _move(object_name, route, have):
                found.setdefault((object_name, move.source), move)
    return list(found.values())


def _routes(object_name: str) -> list[Route]:
    kinds = tuple(kind for kind, name in HUBSPOT_OBJECTS.items() if name == object_name)
    return upgrade.routes(kinds, lambda _: hubspot.fields_on(object_name))


def _move(object_name: str, route: Route, have: Mapping[str, Mapping[str, Any]]) -> Move | None:
    source = hubspot_name(route.was.key)
    old = have.get(source)
    there = old is not None and hubspot.is_ours(route.was, old)
    if old is not None and route.retyped and route.to is not None and hubspot.is_ours(route.to, old):
        there = False  # as it will be, or alike: HubSpot's texts are one type, whatever their box
    if route.to is None:
        return Move(object_name, route, source, None, there) if there else None
    target = hubspot_name(route.to.key)
    if route.in_place:
        values = {o["value"] for o in (old or {}).get("options") or ()}
        return Move(object_name, route, source, target, there) if values & set(route.renamed) else None
    marked = str((have.get(target) or {}).get("label", "")).endswith(_MOVING)
    carrier = route.retyped and hubspot_name(route.carrier.key) in have
    if not (there or marked or carrier):
        return None
    return Move(object_name, route, source, target, there, carrier, marked)


def difference(org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]]) -> Difference:
    """As hubspot.difference, with the steps before it that bring an older portal up."""
    pending = moves(org)
    if not pending:
        return hubspot.difference(org, also_reads)
    after = settled(org, pending)
    for object_name, free in after.get("custom_properties", {}).items():
        if free < 0:
            had = org["custom_properties"][object_name]
            raise NoRoom(
                f"{object_name} has room for {had} more custom properties, and the upgrade makes {had - free} before it "
                "archives old ones.",
                fix="Archive properties that nobody uses, then plan again.",
            )
    rest = hubspot.difference(after, also_reads)
    groups = [s for s in rest.stages if isinstance(s, CreateGroup)]
    others = [s for s in rest.stages if not isinstance(s, CreateGroup)]
    rest.stages = [*groups, *_stages(org, pending), *others]
    return rest


def settled(org: Mapping[str, Any], pending: Sequence[Move]) -> dict[str, Any]:
    """The portal as it will be when the values stand where they belong."""
    after: dict[str, Any] = copy.deepcopy(dict(org))
    for m in pending:
        have = after["objects"][m.object]["properties"]
        if m.route.in_place:
            have[m.source]["options"] = _options(m, have[m.source]["options"])
            continue
        made = 0
        if m.route.to is not None and m.target is not None:
            made = int(m.target not in have) + int(m.route.retyped and m.there and not m.carrier)
            whole = hubspot.property_input(m.route.to, 0)
            shown = have.get(m.target, {}) if not (m.there and m.route.retyped) and not m.marked else {}
            label = have.get(m.target, {}).get("label", m.route.to.label).removesuffix(_MOVING)
            have[m.target] = {**whole, "label": label, **shown}
        if m.source != m.target:
            have.pop(m.source, None)
        if m.route.retyped:
            have.pop(hubspot_name(m.route.carrier.key), None)
        if m.object in after.get("custom_properties", {}):
            after["custom_properties"][m.object] -= made
    return after


def _options(m: Move, there: Sequence[Mapping[str, Any]], *, keep_old: bool = False) -> list[dict[str, Any]]:
    """The options with the renamed ones; the old ones hidden beside them, or gone."""
    assert m.route.to is not None
    values = {o["value"] for o in there}
    new = [c for c in m.route.to.choices if c.value in set(m.route.renamed.values()) - values]
    kept = [
        {**o, "hidden": True} if o["value"] in m.route.renamed else dict(o)
        for o in there
        if keep_old or o["value"] not in m.route.renamed
    ]
    return [*kept, *hubspot.options(new)]


def _stages(org: Mapping[str, Any], pending: Sequence[Move]) -> Iterator[Stage]:
    by_object: dict[str, list[Move]] = {}
    for m in pending:
        by_object.setdefault(m.object, []).append(m)
    for object_name, of_it in by_object.items():
        have = org["objects"][object_name]["properties"]
        yield from _takers(object_name, of_it, have)
        yield from _first(object_name, of_it, have)
        yield from _retype(object_name, of_it)
        yield from _finish(object_name, of_it, have)


def _takers(
    object_name: str, of_it: Sequence[Move], have: Mapping[str, Mapping[str, Any]]
) -> Iterator[Stage]:
    """Properties that take values, and new names of choices."""
    made = [
        m.route.carrier if m.route.retyped else m.route.to
        for m in of_it
        if m.route.to is not None
        and m.there
        and not m.route.in_place
        and not (m.carrier if m.route.retyped else m.target in have)
    ]
    if made:
        lines = tuple(
            Line(
                "create",
                f"property {object_name}.{hubspot_name(f.key)} “{f.label}” for the values",
                hubspot.thing(object_name, f),
            )
            for f in made
            if f
        )
        yield CreateProperties(lines, object_name, [_hidden(f) for f in made if f])
    for m in of_it:
        if m.route.in_place:
            shown = have[m.source]["options"]
            new = _options(m, shown, keep_old=True)
            if new != [dict(o) for o in shown]:
                old = ", ".join(sorted(set(m.route.renamed) & {o["value"] for o in shown}))
                what = f"property {object_name}.{m.source}: adds the new names of {old}, and hides these"
                line = Line("change", what, hubspot.thing(object_name, m.route.was))
                yield UpdateProperty((line,), object_name, m.source, {"options": new})


def _hidden(f: Field) -> dict[str, Any]:
    made = hubspot.property_input(f, -1)
    return made | {"label": f.label.removesuffix(_MOVING) + _MOVING, "hidden": True}


def _first(object_name: str, of_it: Sequence[Move], have: Mapping[str, Mapping[str, Any]]) -> Iterator[Stage]:
    hops, lines = [], []
    for m in of_it:
        if not m.there or m.route.to is None or m.target is None:
            continue
        taker = m.route.carrier if m.route.retyped else m.route.to
        shared = m.source != m.target and m.target in have and not m.marked
        hops.append(Hop(m.source, hubspot_name(taker.key), m.route.was, taker, m.route.convert, shared))
        told = upgrade.told(m.route, f"property {object_name}", m.source, m.target)
        lines.append(Line("carry", told, hubspot.thing(object_name, m.route.was)))
    if hops:
        yield Carry(tuple(lines), object_name, tuple(hops), calls=0)


def _retype(object_name: str, of_it: Sequence[Move]) -> Iterator[Stage]:
    """The type is changed in place, and the values go back."""
    again = [m for m in of_it if m.route.retyped and m.route.to is not None and (m.there or m.marked)]
    for m in again:
        if not m.there or m.route.to is None:
            continue
        whole = _hidden(m.route.to)
        kept = ("label", "description", "type", "fieldType", "options", "hidden")
        change = {k: whole[k] for k in kept if k in whole}
        words = f"{m.route.was.type.replace('_', ' ')} to {m.route.to.type.replace('_', ' ')}"
        what = f"property {object_name}.{m.source}: its type, from {words}"
        line = Line("change", what, hubspot.thing(object_name, m.route.to))
        yield UpdateProperty((line,), object_name, m.source, change)
    hops = tuple(
        Hop(hubspot_name(m.route.carrier.key), m.source, m.route.carrier, m.route.to, upgrade.reading)
        for m in again
        if m.route.to is not None and (m.there or m.carrier)
    )
    if hops:
        lines = tuple(
            Line(
                "carry",
                f"values of property {object_name}.{h.target} back into it",
                hubspot.thing(object_name, h.to),
            )
            for h in hops
        )
        yield Carry(lines, object_name, hops, calls=0)


def _finish(
    object_name: str, of_it: Sequence[Move], have: Mapping[str, Mapping[str, Any]]
) -> Iterator[Stage]:
    """Old properties archived before new ones are shown (or someone could write into both); holding ones after that."""
    for m in of_it:
        if m.route.in_place:
            gone = ", ".join(sorted(set(m.route.renamed) & {o["value"] for o in have[m.source]["options"]}))
            what = f"property {object_name}.{m.source}: retires {gone}"
            line = Line("change", what, hubspot.thing(object_name, m.route.was))
            change = {"options": _options(m, have[m.source]["options"])}
            yield UpdateProperty((line,), object_name, m.source, change)
    old = [m for m in of_it if m.there and m.source != m.target]
    if old:
        lines = []
        for m in old:
            words = "its values stand elsewhere now"
            if m.route.to is None:
                words = f"with its values: version {m.route.version} no longer has it"
            what = f"property {object_name}.{m.source}, {words}"
            lines.append(Line("remove", what, hubspot.thing(object_name, m.route.was)))
        yield ArchiveProperties(tuple(lines), object_name, [m.source for m in old])
    for m in of_it:
        to, name = m.route.to, m.target
        if to is None or name is None or m.route.in_place:
            continue
        made = name not in have
        if made or m.marked or (m.route.retyped and m.there):
            label = to.label
            if m.route.retyped and m.there and have[name]["label"] != m.route.was.label:
                label = str(have[name]["label"]).removesuffix(_MOVING)
            what = f"property {object_name}.{name}: shown, with its values"
            line = Line("change", what, hubspot.thing(object_name, to))
            yield UpdateProperty((line,), object_name, name, {"label": label, "hidden": False})
    held = {hubspot_name(m.route.carrier.key): m.route.carrier for m in of_it if m.route.retyped}
    if held:
        lines = [
            Line(
                "remove",
                f"property {object_name}.{n}, which held the values meanwhile",
                hubspot.thing(object_name, f),
            )
            for n, f in held.items()
        ]
        yield ArchiveProperties(tuple(lines), object_name, list(held))
