"""Up to 200 records in one call: HTTP 200 with one result a record, even when records failed. [FACTS section 6]"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from connector.playground.salesforce import ids, rows
from connector.playground.salesforce.call import Answer, Call, savepoint
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.model import SObject
from connector.playground.salesforce.records import Ambiguous
from connector.playground.salesforce.sobjects import body, writer

MAX_RECORDS = 200
MAX_RETRIEVED = 2000
MAX_RUNS = 10
"""Changes of object type within the records of one call, plus one."""

Result = dict[str, Any]


class _AllOrNone(Exception):
    """Takes the transaction back; the results say why."""

    def __init__(self, results: list[Result]) -> None:
        super().__init__("allOrNone")
        self.results = results


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    asked = body(call)
    records = asked.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise Fault("JSON_PARSER_ERROR", "records: a list of records is required")
    _fits(records)
    return records, bool(asked.get("allOrNone"))


def _fits(records: Sequence[Any]) -> None:
    if len(records) > MAX_RECORDS:
        raise Fault("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_RECORDS} records in this operation")  # fmt: skip


def _type(call: Call, record: dict[str, Any]) -> SObject:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not name:
        raise Fault("INVALID_INPUT", "each record needs attributes.type")  # [unsourced] code
    found = call.schema.find(str(name))
    if found is None:
        raise Fault("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _typed(call: Call, records: list[dict[str, Any]]) -> list[SObject]:
    types = [_type(call, r) for r in records]
    runs = 1 + sum(1 for a, b in pairwise(types) if a.name != b.name)
    if runs > MAX_RUNS:
        raise Fault(
            "INVALID_INPUT", f"more than {MAX_RUNS} runs of record types in one call"
        )  # [unsourced] code
    return types


def _each(call: Call, all_or_none: bool, work: Sequence[Callable[[], Result]]) -> Answer:
    """Each in a transaction of its own; with allOrNone the first failure takes back the others."""
    results: list[Result] = []
    try:
        with savepoint(call.org):
            for step in work:
                results.append(_attempt(call, step))
            if all_or_none and not all(r["success"] for r in results):
                raise _AllOrNone(results)
    except _AllOrNone as e:
        rolled_back = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "fields": [],
                       "message": "Record rolled back because not all records were valid and the request was using "
                                  "AllOrNone header"}  # fmt: skip
        results = [r if not r["success"] else {"success": False, "errors": [rolled_back]} for r in e.results]
    return Answer(results)


def _attempt(call: Call, step: Callable[[], Result]) -> Result:
    """A refusal comes before anything is written (validation is first), so nothing has to be taken back."""
    try:
        return step()
    except Ambiguous as e:
        fault = Fault("DUPLICATE_EXTERNAL_ID", f"{e}: {', '.join(e.found)}")
    except Fault as e:
        fault = e
    if fault.code == "NOT_FOUND":  # REC update-sobject-collection: ids that are none, here
        fault = Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return {"success": False, "errors": [fault.result()]}


def create(call: Call) -> Answer:
    records, all_or_none = _records(call)
    types = _typed(call, records)

    def one(obj: SObject, record: dict[str, Any]) -> Callable[[], Result]:
        return lambda: {"id": writer(call).create(obj, record), "success": True, "errors": []}

    return _each(call, all_or_none, [one(o, r) for o, r in zip(types, records, strict=True)])


def update(call: Call) -> Answer:
    records, all_or_none = _records(call)
    types = _typed(call, records)

    def one(obj: SObject, record: dict[str, Any]) -> Callable[[], Result]:
        def step() -> Result:
            id = next((v for k, v in record.items() if k.lower() == "id"), None)
            if not id:
                raise Fault("MISSING_ARGUMENT", "Id not specified in an update call")
            writer(call).update(obj, str(id), record)
            return {"id": ids.full(str(id)), "success": True, "errors": []}

        return step

    return _each(call, all_or_none, [one(o, r) for o, r in zip(types, records, strict=True)])


def upsert(call: Call, obj: str, key: str) -> Answer:
    records, all_or_none = _records(call)
    found = call.sobject(obj)

    def one(record: dict[str, Any]) -> Callable[[], Result]:
        def step() -> Result:
            value = next((v for k, v in record.items() if k.lower() == key.lower()), None)
            if value in (None, ""):
                raise Fault("MISSING_ARGUMENT", f"{key} not specified")
            id, created = writer(call).upsert(found, key, str(value), record)
            return {"id": id, "success": True, "errors": [], "created": created}

        return step

    answer = _each(call, all_or_none, [one(r) for r in records])
    return Answer([r if r["success"] else {**r, "created": False} for r in answer.body])


def delete(call: Call) -> Answer:
    wanted = [i.strip() for i in call.query.get("ids", "").split(",") if i.strip()]
    _fits(wanted)

    def one(id: str) -> Callable[[], Result]:
        def step() -> Result:
            obj = call.schema.by_prefix(id)
            if obj is None:
                raise Fault("MALFORMED_ID", f"malformed id {id}")
            writer(call).delete(obj, id)
            return {"id": ids.full(id), "success": True, "errors": []}

        return step

    return _each(call, call.query.get("allOrNone") == "true", [one(i) for i in wanted])


def retrieve(call: Call, obj: str) -> Answer:
    """POST {ids, fields}: the records in the order asked, null where there is none."""
    asked = body(call) if call.method == "POST" else {
        k: call.query.get(k, "").split(",") for k in ("ids", "fields")}  # fmt: skip
    wanted, fields = [ids.full(str(i)) for i in asked.get("ids", [])], asked.get("fields", [])
    if len(wanted) > MAX_RETRIEVED:
        raise Fault("EXCEEDED_ID_LIMIT", f"cannot retrieve more than {MAX_RETRIEVED} records")
    selection = rows.Selection(call.sobject(obj))
    for name in fields:
        selection.add(tuple(str(name).split(".")), call.schema)
    live = [r for r in rows.by_ids(call.org, selection.obj, wanted) if not r[4]]
    records = rows.records(call.org, selection, live, call.version)
    by_id = {r[0]: record for r, record in zip(live, records, strict=True)}
    return Answer([by_id.get(id) for id in wanted])
