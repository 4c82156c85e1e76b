"""What an admin put into one of Candor's permission sets by hand: Apex classes, tabs, pages, apps, system rights.

A deployment replaces the whole of a permission set ("you must include all of its metadata to avoid accidentally overwriting
the permission set's contents" [D: PermissionSet, since API 40]), so all of it is read first and deployed along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_schema.permissions import INTEGRATION, PermissionSet
from crm_schema.render import salesforce_parts as parts

Contents = Mapping[str, Sequence[Any]]
"""element -> its entries, each a text or {child element: text}"""

_WORDS = {
    "applicationVisibilities": "app", "classAccesses": "Apex class", "customMetadataTypeAccesses": "custom metadata type",
    "customPermissions": "custom permission", "customSettingAccesses": "custom setting",
    "externalDataSourceAccesses": "external data source", "fieldPermissions": "field", "flowAccesses": "flow",
    "objectPermissions": "object", "pageAccesses": "Visualforce page", "recordTypeVisibilities": "record type",
    "tabSettings": "tab", "userPermissions": "system right",
}  # fmt: skip
_MERGED = ("fieldPermissions", "objectPermissions")
"""rights to fields and objects, which `with_added` has merged already"""


def kept(tree: Mapping[str, Any], there: Contents) -> dict[str, Any]:
    """A permission set as it is to be deployed: as declared, and all else that stands in the org's."""
    whole = dict(tree)
    for tag, entries in there.items():
        if tag in _MERGED:
            continue
        if not any(isinstance(e, Mapping) for e in entries):
            whole[tag] = entries[0]  # label, description, licence: an admin's own words stay
            continue
        found = {_name(e): dict(e) for e in entries}
        for own in whole.get(tag, []):
            # what is declared is on; how a tab is shown is the admin's choice
            found[_name(own)] = found.get(_name(own), {}) | (
                {} if tag == "tabSettings" and _name(own) in found else own
            )
        whole[tag] = [found[name] for name in sorted(found)]
    return whole


def added(grant: PermissionSet, there: Contents) -> list[str]:
    """What of a permission set nobody but an admin put in, in words."""
    declared = parts.permission_set(grant, {})
    told = []
    for tag, entries in there.items():
        own = declared.get(tag)
        ours = {_name(e) for e in own} if isinstance(own, list) else set()
        for one in entries:
            if not isinstance(one, Mapping) or _name(one) in ours or _off(one):
                continue
            if grant is INTEGRATION and tag in _MERGED and not _changes(one):
                continue  # what Candor reads of the org's own
            told.append(f"{_WORDS.get(tag, tag)} {_name(one)}")
    return sorted(told)


def _name(entry: Mapping[str, Any]) -> str:
    """What an entry is for: its one text that is no switch."""
    return str(next((v for k, v in sorted(entry.items()) if not _switch(v) and k != "visibility"), ""))


def _switch(value: Any) -> bool:
    return str(value).lower() in ("true", "false")


def _on(value: Any) -> bool:
    return str(value).lower() == "true"


def _off(entry: Mapping[str, Any]) -> bool:
    """It gives nothing."""
    switches = [v for v in entry.values() if _switch(v)]
    return bool(switches) and not any(_on(v) for v in switches)


def _changes(entry: Mapping[str, Any]) -> bool:
    reading = ("readable", "allowRead", "viewAllRecords")
    return any(_on(v) for k, v in entry.items() if k not in reading)
