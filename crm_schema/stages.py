"""The steps of a plan. A walker acts on each (walk.apply) or tells of it (walk.explain); nothing else is
done to an org.

Each stage is one write call (`calls` says so where it is none), and says in plain lines what it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from crm_schema.carrying import Hop
from crm_schema.declaration import Field

Verb = Literal["create", "change", "assign", "carry", "remove", "keep"]


@dataclass(frozen=True, slots=True)
class Thing:
    """What a line is about, for programs. `what` is its kind in a word or two, `type` and `label` are those of a declared field."""

    what: str
    name: str
    object: str | None = None
    type: str | None = None
    label: str | None = None

    @classmethod
    def field(cls, what: str, object_name: str, name: str, f: Field) -> Thing:
        """`what`: the CRM's word for it, "field" or "property"."""
        return cls(what, name, object_name, f.type, f.label)


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One thing that happens to the org, or that is left as it is ("keep"): in words for an admin, and as a thing for
    programs."""

    verb: Verb
    what: str
    thing: Thing = field(compare=False)

    def __str__(self) -> str:
        return f"{self.verb:<7} {self.what}"

    def told(self) -> dict[str, str | None]:
        """For JSON: always the same keys, null where one makes no sense. `text` is what is printed."""
        t = self.thing
        return {
            "do": self.verb, "what": t.what, "object": t.object, "name": t.name, "type": t.type, "label": t.label,
            "text": self.what,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Left:
    """One limit of the CRM and what would be left of it afterwards. `of`: the whole, where it is known."""

    object: str
    what: str
    left: int
    of: int | None = None

    def __str__(self) -> str:
        of = "" if self.of is None else f"of {self.of} "
        return f"{self.object}: {self.left} {of}{self.what} left afterwards"

    def told(self) -> dict[str, str | int | None]:
        return {
            "object": self.object, "what": self.what, "left": self.left, "of": self.of, "text": str(self),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """One step."""

    lines: tuple[Line, ...]
    calls: int = field(default=1, kw_only=True)


# --- both ---


@dataclass(frozen=True, slots=True)
class Carry(Stage):
    """Take values along when a field gets another name, type or choices: record by record, in batches, only those that
    are not there yet. `calls` is what was to be written when the plan was made."""

    object: str
    hops: tuple[Hop, ...]


# --- Salesforce ---


@dataclass(frozen=True, slots=True)
class Deploy(Stage):
    """One Metadata API deployment: fields, the review object with its rule, its queue, the permission
    sets. Everything in it happens, or nothing."""

    zip: bytes


@dataclass(frozen=True, slots=True)
class AssignPermissionSet(Stage):
    """Give a permission set to the user that Candor signs in as, who would not see the new fields
    otherwise."""

    permission_set: str


@dataclass(frozen=True, slots=True)
class UnassignPermissionSet(Stage):
    """Take a permission set from everyone who holds it: Salesforce deletes none that is in use."""

    permission_set: str


@dataclass(frozen=True, slots=True)
class Destroy(Stage):
    """One deployment that deletes what Candor has added. Everything in it happens, or nothing."""

    zip: bytes


# --- HubSpot ---


@dataclass(frozen=True, slots=True)
class CreateGroup(Stage):
    """The group of properties under which Candor's stand."""

    object: str
    group: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateProperties(Stage):
    """Candor's properties of one object, in one batch."""

    object: str
    inputs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class UpdateProperty(Stage):
    """Add the options that a property lacks. Those that an admin added or renamed stay."""

    object: str
    name: str
    change: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreatePipeline(Stage):
    """The pipeline in which review cases stand as tickets."""

    object: str
    pipeline: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateStage(Stage):
    """A stage that the review pipeline can't do without."""

    object: str
    pipeline: str
    stage: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UpdateStage(Stage):
    """Make a stage of the review pipeline count as open or closed again."""

    object: str
    pipeline: str
    id: str
    change: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateList(Stage):
    """A list of records that HubSpot keeps by its filters (a segment)."""

    list: Mapping[str, Any]
    object: str = field(default="lists", kw_only=True)


@dataclass(frozen=True, slots=True)
class UpdateList(Stage):
    """Give a list its filters again."""

    id: str
    filters: Mapping[str, Any]
    object: str = field(default="lists", kw_only=True)


@dataclass(frozen=True, slots=True)
class DeleteList(Stage):
    """Remove a list, not the records in it. HubSpot keeps it for 90 days."""

    id: str
    object: str = field(default="lists", kw_only=True)


@dataclass(frozen=True, slots=True)
class ArchiveProperties(Stage):
    """Put Candor's properties of one object into HubSpot's bin, where they stay for 90 days."""

    object: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class ArchiveGroup(Stage):
    """Remove the emptied group."""

    object: str
    name: str


@dataclass(frozen=True, slots=True)
class DeletePipeline(Stage):
    """Remove the pipeline of the review cases."""

    object: str
    id: str
