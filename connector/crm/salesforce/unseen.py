"""Custom fields of Candor's names that are in the org and that describe doesn't show: a field that is hidden from a user looks to
that user as if it weren't there. [FACTS-salesforce.md §4]

That they are there the Tooling API tells a user with View Setup; what they are, the Metadata API tells one who may change
metadata. Neither goes by field-level security [FACTS §10 for whom createMetadata takes; that reading asks the same: unverified].
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connector.crm.base import CRMError
from connector.crm.salesforce.api import METADATA, Api
from connector.crm.salesforce.setup import OURS, tooling

READ_AT_ONCE = 10
"""Components of one readMetadata. [FACTS-salesforce.md §10]"""
_TAG = f"{{{METADATA}}}"
_DESCRIBED = {
    "Text": "string", "AutoNumber": "string", "TextArea": "textarea", "LongTextArea": "textarea", "Html": "textarea",
    "Number": "double", "Summary": "double", "Checkbox": "boolean", "DateTime": "datetime", "Lookup": "reference",
    "MasterDetail": "reference", "EncryptedText": "encryptedstring",
}  # fmt: skip
"""The Metadata API's types -> describe's, where they aren't the same word in small letters."""


def read(api: Api, seen: Mapping[str, Collection[str]]) -> dict[str, dict[str, dict[str, Any]]] | None:
    """object -> name -> the field as describe would show it; `type` alone is None where this user may not know more. `seen`: what
    describe shows of each object. None: not for this user."""
    rows = tooling(
        api, f"SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE DeveloperName LIKE '{OURS}%'"
    )
    if rows is None:
        return None
    # of a custom object Tooling gives an id here: of the review object this tells nothing
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in seen if not name.endswith("__c")}
    hidden = [
        (row["TableEnumOrId"], f"{row['DeveloperName']}__c")
        for row in rows
        if row["TableEnumOrId"] in found and f"{row['DeveloperName']}__c" not in seen[row["TableEnumOrId"]]
    ]
    for start in range(0, len(hidden), READ_AT_ONCE):
        part = hidden[start : start + READ_AT_ONCE]
        told = _definitions(api, [f"{o}.{n}" for o, n in part])
        for object_name, name in part:
            if told is None:
                found[object_name][name] = {"name": name, "type": None}
            elif f"{object_name}.{name}" in told:  # else it is a managed package's, with a name before ours
                found[object_name][name] = _described(name, told[f"{object_name}.{name}"])
    return found


def _definitions(api: Api, names: Sequence[str]) -> dict[str, Element] | None:
    asked = "".join(f"<met:fullNames>{name}</met:fullNames>" for name in names)
    body = f"<met:readMetadata><met:type>CustomField</met:type>{asked}</met:readMetadata>"
    try:
        root = ElementTree.fromstring(api.soap(body, what="asking what hidden fields are"))
    except (CRMError, ElementTree.ParseError):
        return None
    return {str(one.findtext(f"{_TAG}fullName")): one for one in root.iter(f"{_TAG}records")}


def _described(name: str, told: Element) -> dict[str, Any]:
    kind = _text(told, "type")
    values = list(_values(told))
    shown: dict[str, Any] = {
        "name": name, "label": _text(told, "label"), "type": _DESCRIBED.get(kind, kind.lower()),
        "inlineHelpText": _text(told, "inlineHelpText") or None, "permissionable": True,
        "length": int(_text(told, "length") or 0), "precision": int(_text(told, "precision") or 0),
        "scale": int(_text(told, "scale") or 0), "unique": _flag(told, "unique"), "externalId": _flag(told, "externalId"),
        "tracked": _flag(told, "trackHistory"), "calculated": bool(_text(told, "formula")), "picklistValues": values,
    }  # fmt: skip
    value_set = told.find(f"{_TAG}valueSet")
    return shown if value_set is None else shown | {"restrictedPicklist": _flag(value_set, "restricted")}


def _values(told: Element) -> Iterator[dict[str, Any]]:
    for one in told.iter(f"{_TAG}value"):
        value = _text(one, "fullName")
        yield {
            "value": value, "label": _text(one, "label") or value, "active": _text(one, "isActive") != "false",
            "defaultValue": _flag(one, "default"),
        }  # fmt: skip


def _text(parent: Element, tag: str) -> str:
    return (parent.findtext(f"{_TAG}{tag}") or "").strip()


def _flag(parent: Element, tag: str) -> bool:
    return _text(parent, tag) == "true"
