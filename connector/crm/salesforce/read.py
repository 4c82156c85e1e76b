"""Current values of some fields of some records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.crm.base import FieldMap, Kind, Value
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Describes
from connector.crm.salesforce.fields import from_vendor
from connector.crm.salesforce.records import domain
from connector.crm.salesforce.write import object_of, vendor_fields

IDS_A_CALL = 2_000
"""Of POST composite/sobjects/X, which takes ids and fields in its body."""


def read(
    api: Api, describes: Describes, own: FieldMap, kind: Kind, ids: Sequence[str], fields: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    found: dict[str, Mapping[str, Value]] = {}
    by_object: dict[str, list[str]] = {}
    for id in dict.fromkeys(ids):
        by_object.setdefault(object_of(kind, id), []).append(id)
    for obj, wanted in by_object.items():
        described = describes.get(obj)
        vendor = vendor_fields(kind, obj, fields, own, described)
        columns = list(dict.fromkeys(["Id", *vendor.values()]))
        for start in range(0, len(wanted), IDS_A_CALL):
            body = {"ids": wanted[start : start + IDS_A_CALL], "fields": columns}
            rows = api.ask(f"composite/sobjects/{obj}", body, what=f"reading {kind}s") or []
            for row in rows:
                if row is None:
                    continue  # gone
                values = {n: from_vendor(row.get(v), described.fields[v]["type"]) for n, v in vendor.items()}
                if kind == "account" and "domain" in values:
                    values["domain"] = domain(values["domain"])
                found[row["Id"]] = values
    return found
