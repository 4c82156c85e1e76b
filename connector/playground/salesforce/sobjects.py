"""Single records: /sobjects/{object}/…"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from connector.playground.salesforce import ids, rows, times
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault, deleted, not_found
from connector.playground.salesforce.model import SObject
from connector.playground.salesforce.records import Ambiguous, Writer
from connector.playground.salesforce.validation import clean, holders

_CREATED_FLAG_SINCE = 46
"""From here on a PATCH by external id that found its record answers 200 with a body instead of 204. The boundary is
[unsourced]"""


def writer(call: Call) -> Writer:
    return Writer(call.org, call.schema, call.user)


def body(call: Call) -> dict[str, Any]:
    parsed = call.json()
    if not isinstance(parsed, dict):
        raise Fault(
            "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
        )
    return parsed


def create(call: Call, obj: str) -> Answer:
    found = call.sobject(obj)
    id = writer(call).create(found, body(call))
    url = f"/services/data/v{call.version}/sobjects/{found.name}/{id}"
    return Answer({"id": id, "success": True, "errors": []}, 201, {"Location": url})


def read(call: Call, obj: str, id: str) -> Answer:
    found = call.sobject(obj)
    if not ids.well_formed(id):
        raise not_found("Provided external ID field does not exist or is not accessible: " + id)
    return Answer(_record(call, found, ids.full(id)))


def _record(call: Call, obj: SObject, id: str) -> dict[str, Any]:
    selection = rows.Selection(obj)
    for name in call.query.get("fields", "").split(",") if call.query.get("fields") else list(obj.fields):
        selection.add(tuple(name.strip().split(".")), call.schema)
    found = rows.by_ids(call.org, obj, [id])
    if not found:
        raise not_found()
    if not obj.history_of and found[0][4]:
        raise deleted()
    return rows.records(call.org, selection, found, call.version)[0]


def update(call: Call, obj: str, id: str) -> Answer:
    writer(call).update(call.sobject(obj), id, body(call))
    return Answer(None, 204)


def delete(call: Call, obj: str, id: str) -> Answer:
    writer(call).delete(call.sobject(obj), id)
    return Answer(None, 204)


def read_by_key(call: Call, obj: str, key: str, value: str) -> Answer:
    found = call.sobject(obj)
    field = found.find(key)
    if field is None or not (field.external_id or field.name == "Id"):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
    if field.name == "Id":
        return read(call, obj, value)
    hits = holders(call.org, found.name, field.name, clean(field, unquote(value)))
    if not hits:
        raise not_found()
    if len(hits) > 1:
        return _several(call, found, hits)
    return Answer(_record(call, found, hits[0]))


def upsert(call: Call, obj: str, key: str, value: str) -> Answer:
    found = call.sobject(obj)
    if call.query.get("updateOnly") == "true" and key != "Id":
        read_by_key(call, obj, key, value)
    try:
        id, created = writer(call).upsert(found, key, unquote(value), body(call))
    except Ambiguous as e:
        return _several(call, found, e.found)
    answer = {"id": id, "success": True, "errors": [], "created": created}
    if created:
        return Answer(answer, 201)
    return Answer(answer, 200) if float(call.version) >= _CREATED_FLAG_SINCE else Answer(None, 204)


def _several(call: Call, obj: SObject, found: list[str]) -> Answer:
    """300: the addresses of all that match; nothing was written."""
    return Answer([f"/services/data/v{call.version}/sobjects/{obj.name}/{id}" for id in found], 300)


def updated(call: Call, obj: str) -> Answer:
    """Ids changed between start and end, by SystemModstamp, seconds cut off. [D: sObject Get Updated]"""
    start, end = _window(call, 30)
    found = call.org.sql(
        "select id from record where obj = ? and deleted = 0 and modified >= ? and modified < ? order by modified, id",
        (call.sobject(obj).name, start, end),
    )
    return Answer({"ids": [r[0] for r in found], "latestDateCovered": times.text(min(end, call.org.now()))})


def deleted_between(call: Call, obj: str) -> Answer:
    start, end = _window(call, 15)
    found = call.org.sql(
        "select id, modified from record where obj = ? and deleted = 1 and modified >= ? and modified < ? order by modified",
        (call.sobject(obj).name, start, end),
    )
    return Answer({
        "deletedRecords": [{"id": id, "deletedDate": times.text(at)} for id, at in found],
        "earliestDateAvailable": times.text(max(0, call.org.now() - 15 * 86_400_000)),
        "latestDateCovered": times.text(min(end, call.org.now())),
    })  # fmt: skip


def _window(call: Call, days: int) -> tuple[int, int]:
    bounds = [times.parse(call.query.get(k, "").replace(" ", "+")) for k in ("start", "end")]
    start, end = bounds
    if start is None or end is None:
        raise Fault("INVALID_FIELD", "start and end are required: ISO 8601 times with their offset")
    start, end = start // 1000 * 1000, end // 1000 * 1000
    if start >= end or start < call.org.now() - days * 86_400_000:
        raise Fault(
            "INVALID_REPLICATION_DATE",
            f"startDate before org replication enabled date or over {days} days ago",
        )
    return start, end


def count(call: Call) -> Answer:
    """GET /limits/recordCount?sObjects=Lead,Contact"""
    names = [n.strip() for n in call.query.get("sObjects", "").split(",") if n.strip()]
    rows_ = []
    for name in names or list(call.schema.objects):
        obj = call.schema.find(name)
        if obj is not None and not obj.history_of:
            n = call.org.sql("select count(*) from record where obj = ? and deleted = 0", (obj.name,))[0][0]
            rows_.append({"count": n, "name": obj.name})
    return Answer({"sObjects": rows_})
