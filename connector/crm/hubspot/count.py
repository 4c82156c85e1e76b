"""How many records have each value of a property: a search tells the total of each option without its rows."""

from __future__ import annotations

from collections.abc import Mapping

from connector.crm.base import FieldMissing, Kind
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.fields import OBJECTS


def count(account: Account, kind: Kind, field: str) -> Mapping[str, int]:
    obj, name = OBJECTS[kind], account.fields(kind).get(field)
    definition = account.properties(obj).get(name or "")
    if name is None or definition is None:
        raise FieldMissing(
            f"No {kind} field {field!r} is mapped to a property of {obj}.",
            fix=f"Add it to mapping.{kind} in candor.toml.",
        )
    found = {}
    for option in definition.get("options") or ():
        body = {
            "filterGroups": [
                {"filters": [{"propertyName": name, "operator": "EQ", "value": option["value"]}]}
            ],
            "properties": [name],
            "limit": 1,
        }
        answer = account.api.ask(f"counting {obj}", account.api.objects(obj, "/search"), body)
        if total := int(answer.get("total") or 0):
            found[str(option["value"])] = total
    return found
