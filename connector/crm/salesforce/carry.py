"""Values of single fields, for an upgrade of Candor's schema: every record that has one, and writing them in collections of 200."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.crm.salesforce.api import Api
from connector.crm.salesforce.describes import Described
from connector.crm.salesforce.errors import first_error
from connector.crm.salesforce.write import HEADERS


def values(api: Api, described: Described, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Converted leads too, records in the recycle bin not. A long text can't be asked for in a WHERE, so with one of these every
    record is read."""
    there = [f for f in fields if f in described.fields]
    if not there:
        return
    soql = f"SELECT Id, {', '.join(there)} FROM {described.name}"
    if all(described.fields[f].get("filterable", True) for f in there):
        soql += " WHERE " + " OR ".join(f"{f} != NULL" for f in there)
    what = f"reading values of {described.name}"
    found = api.query(soql, what=what)
    while True:
        for row in found["records"]:
            yield row["Id"], {f: row.get(f) for f in there}
        if found["done"]:
            return
        found = api.more(found["nextRecordsUrl"], what=what)


def write(api: Api, obj: str, records: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """What was refused: (id, why). One call."""
    body = {
        "allOrNone": False,
        "records": [{"attributes": {"type": obj}, "id": id, **changed} for id, changed in records],
    }
    answers = api.call(
        "PATCH",
        "composite/sobjects",
        what=f"carrying values of {obj}",
        write=True,
        json=body,
        headers=HEADERS,
    )
    return [
        (id, first_error(answer.get("errors"))[1])
        for (id, _), answer in zip(records, answers, strict=True)
        if not answer.get("success")
    ]
