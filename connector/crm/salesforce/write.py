"""Sending: collections of 200, an answer a record, in order. Nothing is sent twice here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.crm.base import CRMError, FieldMap, FieldMissing, Kind, Write, Written
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Described, Describes
from connector.crm.salesforce.errors import RETRY_CODES, first_error
from connector.crm.salesforce.fields import OBJECTS, field_map, to_vendor, vendor_name

BATCH = 200
"""Records of one collections request (FACTS 6)."""

KEY = "candor_key"

HEADERS = {"Sforce-Auto-Assign": "FALSE"}
"""Or an update of a lead would run the org's assignment rules, and our score would change its owner."""


def object_of(kind: Kind, id: str) -> str:
    """A converted lead lives on as a contact, and is written and read under the contact's id."""
    return "Contact" if kind == "lead" and id.startswith("003") else OBJECTS[kind]


def vendor_fields(
    kind: Kind, obj: str, fields: Sequence[str], own: FieldMap, described: Described
) -> dict[str, str]:
    """canonical -> vendor field of those asked for. Raises FieldMissing."""
    mapped = field_map(kind, own, described) if obj == OBJECTS[kind] else {}
    found: dict[str, str] = {}
    for name in fields:
        vendor = mapped.get(name) or (vendor_name(name) if name.startswith("candor_") else "")
        if vendor not in described.fields:
            raise FieldMissing(
                f"{obj} has no field for Candor's {name!r}, or the integration user can't see it.",
                fix="Run `candor plan`, then `candor apply`, for Candor's own fields; map others in candor.toml.",
            )
        found[name] = vendor
    return found


def write(
    api: Api, describes: Describes, own: FieldMap, kind: Kind, writes: Sequence[Write]
) -> list[Written]:
    if not writes:
        return []
    if len(writes) > BATCH:
        raise CRMError(f"{len(writes)} writes at once: Salesforce takes {BATCH}.")
    # One request takes several kinds of object only in runs of the same one: leads first, then contacts.
    order = sorted(range(len(writes)), key=lambda n: object_of(kind, writes[n].id))
    records = []
    for n in order:
        obj = object_of(kind, writes[n].id)
        records.append(_record(kind, obj, writes[n], own, describes.get(obj)))
    path, what = "composite/sobjects", f"writing {len(writes)} {kind}s"
    if kind == "review":
        path += f"/{OBJECTS['review']}/{vendor_name(KEY)}"
    body = {"allOrNone": False, "records": records}
    answers = api.call("PATCH", path, what=what, write=True, json=body, headers=HEADERS)
    if not isinstance(answers, list) or len(answers) != len(writes):
        raise CRMError(f"Salesforce gave no answer to each of {len(writes)} writes.")
    found = {n: _written(writes[n], answer) for n, answer in zip(order, answers, strict=True)}
    return [found[n] for n in range(len(writes))]


def _record(kind: Kind, obj: str, write: Write, own: FieldMap, described: Described) -> dict[str, Any]:
    vendor = vendor_fields(kind, obj, list(write.values), own, described)
    body: dict[str, Any] = {"attributes": {"type": obj}}
    body |= {
        vendor[name]: to_vendor(value, described.fields[vendor[name]]["type"])
        for name, value in write.values.items()
    }
    if kind == "review":
        return body | {vendor_name(KEY): write.id}
    return body | {"id": write.id}


def _written(write: Write, answer: Mapping[str, Any]) -> Written:
    # No time is told, and none is guessed: a rep's change of the same moment would be taken for ours.
    if answer.get("success"):
        return Written(write.id, ok=True, crm_id=answer.get("id"))
    code, text = first_error(answer.get("errors"))
    return Written(
        write.id, ok=False, crm_id=answer.get("id"), code=code, message=text, retry=code in RETRY_CODES
    )
