"""What an object and a field are here; describe answers, validation and SOQL all read these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """`type` is the describe type. `length` in characters, `precision`/`scale` in decimal digits."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    picklist: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    restricted: bool = False
    default: Any = None
    refers: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    """the name of the relationship from the parent down"""
    master: bool = False
    external_id: bool = False
    unique: bool = False
    custom: bool = False
    name_field: bool = False
    auto_number: str | None = None
    compound: str | None = None
    formula: str | None = None
    help: str | None = None

    @property
    def long(self) -> bool:
        """Long text: can't be filtered or sorted, and shrinks query pages."""
        return self.type == "textarea" and self.length > 255

    @property
    def always_visible(self) -> bool:
        """Field-level security applies to custom fields that are neither required nor a master-detail reference."""
        return not self.custom or self.required or self.master or self.name_field

    @property
    def writable(self) -> bool:
        return self.createable or self.updateable


@dataclass(frozen=True, slots=True)
class SObject:
    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mergeable: bool = False
    history: str | None = None
    """the name of its field history object"""
    history_of: str | None = None
    parent_field: str | None = None
    """of a history object: the field that holds the record's id"""
    profile: bool = True
    """the org's own: seen without a permission set"""
    by_lower: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        """A field by its name in any case, as SOQL and JSON bodies may spell it."""
        found = self.fields.get(name)
        if found is None and self.by_lower:
            found = self.fields.get(self.by_lower.get(name.lower(), ""))
        return found


def sobject(
    name: str, label: str, plural: str, prefix: str, fields: tuple[Field, ...], **more: Any
) -> SObject:
    by_name = {f.name: f for f in fields}
    return SObject(name, label, plural, prefix, by_name, by_lower={n.lower(): n for n in by_name}, **more)


# --- short forms for declarations ---


def text(name: str, label: str, length: int = 255, **more: Any) -> Field:
    return Field(name, label, more.pop("type", "string"), length=length, **more)


def number(name: str, label: str, precision: int = 18, scale: int = 0, **more: Any) -> Field:
    return Field(name, label, more.pop("type", "double"), precision=precision, scale=scale, **more)


def flag(name: str, label: str, **more: Any) -> Field:
    return Field(name, label, "boolean", default=more.pop("default", False), **more)


def moment(name: str, label: str, **more: Any) -> Field:
    return Field(name, label, "datetime", **more)


def day(name: str, label: str, **more: Any) -> Field:
    return Field(name, label, "date", **more)


def choice(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    return Field(name, label, "picklist", length=more.pop("length", 255), picklist=values, **more)


def refers(name: str, label: str, *to: str, **more: Any) -> Field:
    relationship = more.pop("relationship", None) or (
        name[:-2]
        if name.endswith("Id")
        else name.removesuffix("__c") + "__r"
        if name.endswith("__c")
        else None
    )
    return Field(name, label, "reference", length=18, refers=to, relationship=relationship, **more)


def read_only(field_: Field) -> Field:
    return replace(field_, createable=False, updateable=False)


ID = Field("Id", "Record ID", "id", length=18, required=True, createable=False, updateable=False)
IS_DELETED = read_only(flag("IsDeleted", "Deleted", required=True))
AUDIT = (
    read_only(moment("CreatedDate", "Created Date", required=True)),
    read_only(refers("CreatedById", "Created By ID", "User", required=True)),
    read_only(moment("LastModifiedDate", "Last Modified Date", required=True)),
    read_only(refers("LastModifiedById", "Last Modified By ID", "User", required=True)),
    read_only(moment("SystemModstamp", "System Modstamp", required=True)),
)
