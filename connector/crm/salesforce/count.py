"""How many records have each value of a field: one grouped query."""

from __future__ import annotations

from collections.abc import Mapping

from connector.crm.base import FieldMap, Kind
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Describes
from connector.crm.salesforce.fields import OBJECTS
from connector.crm.salesforce.write import vendor_fields


def count(api: Api, describes: Describes, own: FieldMap, kind: Kind, field: str) -> Mapping[str, int]:
    obj = OBJECTS[kind]
    name = vendor_fields(kind, obj, [field], own, describes.get(obj))[field]
    answer = api.query(f"SELECT {name}, COUNT(Id) FROM {obj} GROUP BY {name}", what=f"counting {kind}s")
    return {str(row[name]): int(row["expr0"]) for row in answer["records"] if row[name] is not None}
