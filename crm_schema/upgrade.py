"""From the steps between versions to the ways that values go in one org: an org that is several versions behind is brought
up in one go, each value by the steps in between, written once.

How far an org is, is read from the org itself: which fields are there, of which type, with which choices. So a run that died is taken up by
the next, whoever starts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from crm_schema import versions
from crm_schema.carrying import renaming, usual
from crm_schema.declaration import Field, On
from crm_schema.versions import Convert, Step

CARRY = "carry"
"""ends the key of a field that holds the values while the one that they belong to is made anew"""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the values of a former field go. `to` None: it was dropped."""

    version: str
    was: Field
    to: Field | None
    convert: Convert
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_place(self) -> bool:
        """The field stays, some of its choices have other names."""
        return self.to is not None and self.to.key == self.was.key and self.to.type == self.was.type

    @property
    def retyped(self) -> bool:
        return self.to is not None and self.to.key == self.was.key and self.to.type != self.was.type

    @property
    def carrier(self) -> Field:
        """The field that holds the values of a retyped one for a while: as it will be, under another name."""
        assert self.to is not None
        return replace(
            self.to, key=f"{self.to.key}_{CARRY}", label=f"{self.to.label} (being moved)",
            help="Holds values while Candor changes the type of a field. It goes by itself.", tracked=False, unique=False,
        )  # fmt: skip


def routes(kinds: Sequence[On], fields_on: Callable[[On], Sequence[Field]]) -> list[Route]:
    """The ways of one object's former fields. HubSpot's contacts are two kinds."""
    today = {f.key: f for kind in kinds for f in fields_on(kind)}
    found: dict[tuple[str, str, tuple[str, ...]], Route] = {}
    for n, step in enumerate(versions.STEPS):
        if set(kinds) & set(step.was.on):
            route = _route(step, versions.STEPS[n + 1 :], today)
            found.setdefault((step.was.key, step.was.type, tuple(sorted(route.renamed))), route)
    return list(found.values())


def _route(step: Step, later: Sequence[Step], today: Mapping[str, Field]) -> Route:
    """A step and all that came after it, as one."""
    ways, key, renamed, was, newest = [step], step.now, dict(step.renamed), step.was, step.version
    for one in later:
        if key is not None and one.was.key == key:
            ways.append(one)
            key, newest = one.now, one.version
            renamed = {a: one.renamed.get(b, b) for a, b in renamed.items()}
    to = None if key is None else today.get(key)
    nexts = [*(w.was for w in ways[1:]), to or was]
    through = [_way(w, after) for w, after in zip(ways, nexts, strict=True)]
    return Route(newest, was, to, lambda value: reduce(lambda v, way: way(v), through, value), renamed)


def _way(step: Step, after: Field) -> Convert:
    rename, convert = renaming(step.renamed), step.convert or usual(step.was, after)
    return lambda value: convert(rename(value))


def forms(kinds: Sequence[On], fields_on: Callable[[On], Sequence[Field]]) -> dict[str, list[Field]]:
    """key -> what a field of Candor's with that key may be: as today's, as an older Candor made it, or left by an upgrade that died.
    `remove` takes all of them."""
    found: dict[str, list[Field]] = {}
    for f in (f for kind in kinds for f in fields_on(kind)):
        found.setdefault(f.key, []).append(f)
    for route in routes(kinds, fields_on):
        found.setdefault(route.was.key, []).append(route.was)
        if route.retyped:
            found.setdefault(route.carrier.key, []).append(route.carrier)
    return found


def told(route: Route, where: str, old: str, new: str | None) -> str:
    """A route in words, for an admin. `where`: "field Lead", "property contacts"."""
    if route.to is None:
        return f"{where}.{old} “{route.was.label}”, which version {route.version} no longer has"
    if route.in_place:
        names = ", ".join(f"{a} is now {b}" for a, b in sorted(route.renamed.items()))
        return f"values of {where}.{old}: {names} (version {route.version})"
    kinds = f"{route.was.type.replace('_', ' ')} to {route.to.type.replace('_', ' ')}"
    if route.retyped:
        return f"values of {where}.{old}: from {kinds} (version {route.version})"
    changed = f", from {kinds}" if route.was.type != route.to.type else ""
    return f"values of {where}.{old} to {new}{changed} (version {route.version})"


def reading(value: Any) -> Any:
    """A hop that changes nothing: from the field that held values for a while to the one that they belong to."""
    return value
