"""The versions of Candor's schema, and the steps from one to the next (docs/decisions/0012-upgrades.md).

New fields and new choices need no step: `apply` adds what an org lacks. A step is written where something that an org already has
becomes something else, so that its values go along. Read it as: until `version` there was `was`; since then its values
stand in the field `now`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_schema.declaration import Field

VERSION = "0.1"
"""the version of today's declaration"""

Convert = Callable[[Any], Any]
"""a value of the old field -> of the new one (number, text, flag, list of choices); ValueError: it has no counterpart"""


@dataclass(frozen=True, slots=True)
class Step:
    """One forward step. `was` is the field as it was declared; `now` the key of the field that takes its values, None where
    it was dropped. `renamed` choices and `convert` say how; without them a value goes as `carrying.usual` has it."""

    version: str
    was: Field
    now: str | None
    renamed: Mapping[str, str] = field(default_factory=dict)
    convert: Convert | None = None


STEPS: tuple[Step, ...] = ()
"""In the order of their versions. Candor has released one version, so there is none yet."""


def problems(fields: Sequence[Field], steps: Sequence[Step]) -> list[str]:
    """What keeps steps from being told apart in an org: its state is read from the org itself, not from a note that may be
    lost, so an old form must look different from today's."""
    told = []
    today = {f.key: f for f in fields}
    for step in steps:
        name = f"{step.version}: {step.was.key}"
        final = today.get(step.now or "") or next((s.was for s in steps if s.was.key == step.now), None)
        if step.now is not None and final is None:
            told.append(f"{name} goes to {step.now}, which is not declared")
        same = today.get(step.was.key)
        if same is None or same.type != step.was.type:
            continue
        if step.now != step.was.key:
            told.append(
                f"{name} is declared again with the same type: an org's old field would be taken for the new"
            )
        back = set(step.renamed) & {c.value for c in same.choices}
        if back:
            told.append(f"{name}: {', '.join(sorted(back))} was renamed and is declared again")
    if [s.version for s in steps] != sorted((s.version for s in steps), key=number):
        told.append("steps are not in the order of their versions")
    return told


def number(version: str) -> tuple[int, ...]:
    """
    >>> number("0.10") > number("0.9")
    True
    """
    return tuple(int(part) for part in version.split("."))
