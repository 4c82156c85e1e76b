"""A CustomField's XML as this org keeps it, with the checks that a deploy makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from connector.playground.salesforce.metadata.package import every, flag, text

_TYPES = {
    "Text": "string", "Number": "double", "Currency": "currency", "Percent": "percent", "Checkbox": "boolean",
    "Date": "date", "DateTime": "datetime", "Email": "email", "Phone": "phone", "Url": "url", "TextArea": "textarea",
    "LongTextArea": "textarea", "Html": "textarea", "Picklist": "picklist", "MultiselectPicklist": "multipicklist",
    "Lookup": "reference", "MasterDetail": "reference", "AutoNumber": "string",
}  # fmt: skip
_LENGTHS = {
    "Email": 80,
    "Phone": 40,
    "Url": 255,
    "TextArea": 255,
    "Picklist": 255,
    "MultiselectPicklist": 4099,
}
MAX_PICKLIST = 1_000
MAX_PRECISION = 18


class BadComponent(Exception):
    """What is wrong with a component: the `problem` of its failure."""


def spec(xml: Element, objects: Collection[str]) -> dict[str, Any]:
    """The stored form (shape: own.LEAD_FIELDS) of a custom field."""
    kind = text(xml, "type")
    if kind not in _TYPES:
        raise BadComponent(f"Invalid field type: {kind}" if kind else "Required field is missing: type")
    if not text(xml, "label"):
        raise BadComponent("Required field is missing: label")
    made: dict[str, Any] = {"label": text(xml, "label"), "type": _TYPES[kind], "metadata_type": kind}
    if text(xml, "inlineHelpText"):
        made["help"] = text(xml, "inlineHelpText")
    if text(xml, "formula") and kind != "Checkbox":
        made["formula"] = text(xml, "formula")
    for tag, key in (("required", "required"), ("externalId", "external_id"), ("unique", "unique")):
        if flag(xml, tag):
            made[key] = True
    if made.get("external_id") and kind not in ("Text", "Number", "Email", "AutoNumber"):
        raise BadComponent(f"Can not specify 'externalId' for a CustomField of type {kind}")
    _sizes(xml, kind, made)
    if kind == "Checkbox":
        if text(xml, "defaultValue") is None:
            raise BadComponent("Must specify 'defaultValue' for a CustomField of type Checkbox")
        made["default"] = text(xml, "defaultValue") == "true"
    elif kind == "AutoNumber":
        made |= {"auto_number": text(xml, "displayFormat") or "{0}", "length": 30}
    elif kind in ("Picklist", "MultiselectPicklist"):
        made |= _values(xml)
    elif kind in ("Lookup", "MasterDetail"):
        made |= _reference(xml, kind, objects)
    return made


def _sizes(xml: Element, kind: str, made: dict[str, Any]) -> None:
    if kind in ("Number", "Currency", "Percent"):
        precision, scale = _integer(xml, "precision"), _integer(xml, "scale")
        if precision is None or scale is None:
            raise BadComponent(f"Must specify 'precision' and 'scale' for a CustomField of type {kind}")
        if not 0 <= scale <= precision <= MAX_PRECISION:
            raise BadComponent(f"precision and scale must fit 0 <= scale <= precision <= {MAX_PRECISION}")
        made |= {"precision": precision, "scale": scale}
    elif kind in ("Text", "LongTextArea", "Html"):
        length = _integer(xml, "length")
        if length is None:
            raise BadComponent(f"Must specify 'length' for a CustomField of type {kind}")
        low, high = (1, 255) if kind == "Text" else (256, 131_072)
        if not low <= length <= high:
            raise BadComponent(f"length must be between {low} and {high} for a CustomField of type {kind}")
        made["length"] = length
    elif kind in _LENGTHS:
        made["length"] = _LENGTHS[kind]
    if kind in ("LongTextArea", "Html", "MultiselectPicklist") and _integer(xml, "visibleLines") is None:
        raise BadComponent(f"Must specify 'visibleLines' for a CustomField of type {kind}")


def _integer(xml: Element, tag: str) -> int | None:
    value = text(xml, tag)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise BadComponent(f"{tag} must be a whole number, not '{value}'") from None


def _values(xml: Element) -> dict[str, Any]:
    sets = every(xml, "valueSet")
    definitions = every(sets[0], "valueSetDefinition") if sets else []
    if not definitions:
        raise BadComponent("Must specify 'valueSet' with its values for a picklist")
    values = every(definitions[0], "value")
    if len(values) > MAX_PICKLIST:
        raise BadComponent(f"A restricted picklist holds at most {MAX_PICKLIST} values")
    # a value that is switched off stays on the records that have it, and can't be written or chosen
    values = [v for v in values if text(v, "isActive") != "false"]
    names = [text(v, "fullName") or "" for v in values]
    if len({n.lower() for n in names}) != len(names):
        raise BadComponent("Duplicate picklist value")
    default = next((text(v, "fullName") for v in values if flag(v, "default")), None)
    labels = [text(v, "label") or text(v, "fullName") for v in values]
    made = {"picklist": names, "labels": labels, "restricted": flag(sets[0], "restricted")}
    return made | ({"default": default} if default else {})


def _reference(xml: Element, kind: str, objects: Collection[str]) -> dict[str, Any]:
    target = text(xml, "referenceTo")
    if target not in objects:
        raise BadComponent(f"referenceTo value of '{target}' does not resolve to a valid sObject type")
    children = text(xml, "relationshipName")
    if kind == "MasterDetail" and not children:
        raise BadComponent("Must specify 'relationshipName' for a CustomField of type MasterDetail")
    made: dict[str, Any] = {"refers": [target]}
    if children:
        made["children"] = f"{children}__r"
    if kind == "MasterDetail":
        made |= {"master": True, "required": True}
    return made


_KINDS = {
    "string": "Text", "textarea": "LongTextArea", "reference": "Lookup", **{
        v: k for k, v in _TYPES.items() if v not in ("string", "textarea", "reference")
    },
}  # fmt: skip


def contents(full: str, stored: Mapping[str, Any], *, tracked: bool) -> dict[str, Any]:
    """A custom field as readMetadata gives it, whoever may see its values."""
    found: dict[str, Any] = {
        "fullName": full, "label": stored["label"], "type": stored.get("metadata_type") or _KINDS[stored["type"]],
        "inlineHelpText": stored.get("help"), "formula": stored.get("formula"), "trackHistory": tracked,
        "required": bool(stored.get("required")), "unique": bool(stored.get("unique")),
        "externalId": bool(stored.get("external_id")),
        **{tag: stored[tag] for tag in ("length", "precision", "scale") if tag in stored},
    }  # fmt: skip
    if "picklist" in stored:
        found.pop("length", None)
        found["valueSet"] = {
            "restricted": bool(stored.get("restricted")),
            "valueSetDefinition": {"sorted": False, "value": [
                {"fullName": value, "default": stored.get("default") == value, "label": label}
                for value, label in zip(stored["picklist"], stored["labels"], strict=True)
            ]},
        }  # fmt: skip
    return found
