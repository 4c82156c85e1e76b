"""query and queryAll: run a SOQL text, answer in pages. A cursor keeps the ids that matched, so pages don't shift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.playground.org import Org
from connector.playground.salesforce import ids, rows, soql, times, virtual
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.filters import Expression, Filter, invalid_type
from connector.playground.salesforce.model import Field, SObject
from connector.playground.salesforce.schema import Schema

BATCH = 2000
"""Records a page, the default and the most. [SOQL: Change the Batch Size]"""
LONG_TEXT_BATCH = 200
"""The most with two or more custom long text fields. [same]"""
MAX_OFFSET = 2000
_DAY = 86_400_000
CURSOR_LIFE = 2 * _DAY
"""[D: API Query Cursor Limits]"""
_OPEN_CURSORS = 50
_MONTH = 30.44 * _DAY
HISTORY_MONTHS, ARCHIVED_HISTORY_MONTHS = 18, 24
"""How far field history goes back: for query, for queryAll. [D: Field History Tracking]"""


def run(call: Call) -> Answer:
    """GET /query and /queryAll."""
    text = call.query.get("q")
    if not text:
        raise Fault("MALFORMED_QUERY", "SOQL statement cannot be empty")
    return Answer(first_page(call, text, everything=call.path.endswith("/queryAll")))


def more(call: Call, locator: str) -> Answer:
    """GET the nextRecordsUrl. A `q` that is still attached is ignored."""
    name, _, at = locator.partition("-")
    cursor = call.org.meta(f"cursor:{name}")
    fresh = cursor is not None and cursor["user"] == call.user and cursor["at"] + CURSOR_LIFE > call.org.now()
    if not fresh or not at.isdigit():
        raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator")
    query = soql.parse(cursor["soql"])
    obj = queried(call.schema, query)
    return Answer(_page(call, query, obj, cursor["ids"], int(at), cursor["batch"], name))


def first_page(call: Call, text: str, *, everything: bool) -> dict[str, Any]:
    query = soql.parse(text)
    if virtual.serves(query.obj):
        return virtual.run(call, query)
    obj = queried(call.schema, query)
    if any(isinstance(i, soql.Aggregate) and i.function != "FIELDS" for i in query.items) or query.group:
        return _aggregate(call, query, obj, everything)
    selection(call.schema, query, obj)
    matched = matching(call.org, call.schema, query, obj, everything=everything)
    batch = batch_size(call, query, obj)
    if len(matched) <= batch:
        return _page(call, query, obj, matched, 0, batch, "")
    name = ids.following(call.org, "0r8")[0]
    call.org.set_meta(
        f"cursor:{name}",
        {"soql": text, "ids": matched, "at": call.org.now(), "user": call.user, "batch": batch},
    )
    _forget_old_cursors(call.org, name)
    return _page(call, query, obj, matched, 0, batch, name)


def _forget_old_cursors(org: Org, name: str) -> None:
    names = [*org.meta("cursors", []), name]
    for old in names[:-_OPEN_CURSORS]:
        org.set_meta(f"cursor:{old}", None)
    org.set_meta("cursors", names[-_OPEN_CURSORS:])


def _page(
    call: Call, query: soql.Query, obj: SObject, matched: Sequence[Any], start: int, batch: int, cursor: str
) -> dict[str, Any]:
    end = min(start + batch, len(matched))
    records = fetch(call, query, obj, matched[start:end])
    page: dict[str, Any] = {"totalSize": len(matched), "done": end >= len(matched)}
    if end < len(matched):
        page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{cursor}-{end}"
    page["records"] = records
    return page


def fetch(call: Call, query: soql.Query, obj: SObject, wanted: Sequence[Any]) -> list[dict[str, Any]]:
    picked = selection(call.schema, query, obj)
    asked = "Field" in picked.order
    if obj.history_of and not asked:
        picked.order.append("Field")  # tells whether the values may be shown
    found = rows.records(call.org, picked, rows.by_ids(call.org, obj, wanted), call.version)
    if obj.history_of:
        _hide_values(found, call.schema, obj)
        if not asked:
            for record in found:
                del record["Field"]
    for item in query.items:
        if isinstance(item, soql.Child):
            _children(call, found, obj, item.query)
    return found


def queried(schema: Schema, query: soql.Query) -> SObject:
    obj = schema.find(query.obj)
    if obj is None:
        raise invalid_type(query.obj)
    if query.offset is not None and query.offset > MAX_OFFSET:
        raise Fault("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    return obj


def selection(schema: Schema, query: soql.Query, obj: SObject) -> rows.Selection:
    picked = rows.Selection(obj)
    for item in query.items:
        if isinstance(item, soql.Column):
            picked.add(item.path, schema)
        elif isinstance(item, soql.Aggregate):
            if query.limit is None or query.limit > LONG_TEXT_BATCH:
                raise Fault("MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
            which = (item.path or ("ALL",))[0].upper()
            for f in obj.fields.values():
                if which == "ALL" or f.custom == (which == "CUSTOM"):
                    picked.add((f.name,), schema)
    return picked


def batch_size(call: Call, query: soql.Query, obj: SObject) -> int:
    size = BATCH
    for part in call.headers.get("sforce-query-options", "").split(","):
        key, _, value = part.strip().partition("=")
        if key.lower() == "batchsize" and value.strip().isdigit():
            size = min(max(int(value), LONG_TEXT_BATCH), BATCH)  # 200 to 2,000 [SOQL: Change the Batch Size]
    columns = [obj.find(i.path[-1]) for i in query.items if isinstance(i, soql.Column) and len(i.path) == 1]
    if sum(1 for f in columns if f is not None and f.long and f.custom) >= 2:
        size = min(size, LONG_TEXT_BATCH)
    return size


# --- which rows ---


def matching(org: Org, schema: Schema, query: soql.Query, obj: SObject, *, everything: bool) -> list[Any]:
    """The ids (of a history object: sequence numbers) that a query matches, in its order."""
    table, key, where, args, build = _source(org, schema, query, obj, everything)
    order = f" order by {build.order(query.order)}" if query.order else f" order by {key}"
    limit = ""
    if query.limit is not None or query.offset:
        limit = f" limit {-1 if query.limit is None else query.limit} offset {query.offset or 0}"
    return [r[0] for r in org.sql(f"select {key} from {table} r where {where}{order}{limit}", args)]


def _source(
    org: Org, schema: Schema, query: soql.Query, obj: SObject, everything: bool
) -> tuple[str, str, str, list[Any], Filter]:
    build = Filter(schema, obj, org.now())
    if obj.history_of:
        where, args = _visible_history(org, schema, obj, everything)
        table, key = "history", "r.seq"
    else:
        where, args = "r.obj = ?" + ("" if everything else " and r.deleted = 0"), [obj.name]
        table, key = "record", "r.id"
        if not everything and "IsArchived" in obj.fields:
            where += " and ifnull(json_extract(r.data, '$.IsArchived'), 0) = 0"
    if query.where is not None:
        where += f" and ({build.where(query.where)})"
    return table, key, where, [*args, *build.args], build


def _visible_history(org: Org, schema: Schema, obj: SObject, everything: bool) -> tuple[str, list[Any]]:
    """Rows of tracked fields from the moment tracking began; "created" and "leadConverted" always [unsourced]; none for
    values set at creation [unsourced]."""
    assert obj.history_of is not None
    parent = schema.objects[obj.history_of]
    conditions = ["r.field in ('created', 'leadConverted')"]
    args: list[Any] = [parent.name]
    for name, since in schema.tracked.get(parent.name, {}).items():
        if name in parent.fields:
            conditions.append("(r.field = ? and r.at >= ?)")
            args += [name, since]
    months = ARCHIVED_HISTORY_MONTHS if everything else HISTORY_MONTHS
    oldest = org.now() - int(months * _MONTH)
    where = f"r.obj = ? and ({' or '.join(conditions)}) and r.via <> 'create' and r.at >= {oldest}"
    return where, args


def _hide_values(found: list[dict[str, Any]], schema: Schema, obj: SObject) -> None:
    """Of multi-select and long values the history tells only that they changed. [FACTS section 8]"""
    assert obj.history_of is not None
    parent = schema.objects[obj.history_of]
    short = {"Owner": "OwnerId", "Account": "AccountId"}
    for record in found:
        f = parent.fields.get(short.get(record.get("Field", ""), record.get("Field", "")))
        for key in ("OldValue", "NewValue"):
            value = record.get(key)
            if (f and f.type == "multipicklist") or (isinstance(value, str) and len(value) > 255):
                record[key] = None


# --- aggregates and children ---


def _aggregate(call: Call, query: soql.Query, obj: SObject, everything: bool) -> dict[str, Any]:
    table, _, where, args, build = _source(call.org, call.schema, query, obj, everything)
    lone = query.items[0]
    if (
        len(query.items) == 1
        and isinstance(lone, soql.Aggregate)
        and lone.function == "COUNT"
        and lone.path is None
    ):
        limit = "" if query.limit is None else f" limit {query.limit}"
        count = call.org.sql(f"select count(*) from (select 1 from {table} r where {where}{limit})", args)
        return {"totalSize": count[0][0], "done": True, "records": []}
    grouped = [build.column(path) for path in query.group]
    columns: list[tuple[str, str, Field]] = []
    unnamed = 0
    for item in query.items:
        if isinstance(item, soql.Column):
            column = build.column(item.path)
            if column.sql not in [g.sql for g in grouped]:
                raise Fault("MALFORMED_QUERY", f"Field must be grouped or aggregated: {'.'.join(item.path)}")
            columns.append((item.alias or item.path[-1], column.sql, column.field))
        elif isinstance(item, soql.Aggregate):
            label = item.alias or f"expr{unnamed}"
            unnamed += item.alias is None
            columns.append((label, *_function(build, item)))
    order = f" order by {build.order(query.order)}" if query.order else ""
    by = f" group by {', '.join(g.sql for g in grouped)}" if grouped else ""
    limit = "" if query.limit is None else f" limit {query.limit}"
    sql = f"select {', '.join(c[1] for c in columns)} from {table} r where {where}{by}{order}{limit}"
    records = [
        {"attributes": {"type": "AggregateResult"},
         **{label: _shown(value, f) for (label, _, f), value in zip(columns, row, strict=True)}}
        for row in call.org.sql(sql, args)
    ]  # fmt: skip
    return {"totalSize": len(records), "done": True, "records": records}


def _function(build: Filter, item: soql.Aggregate) -> tuple[str, Field]:
    number = Field("n", "n", "int")
    if item.path is None:
        return "count(*)", number
    column: Expression = build.column(item.path)
    if item.function == "COUNT":
        return f"count({column.sql})", number
    if item.function == "COUNT_DISTINCT":
        return f"count(distinct {column.sql})", number
    if item.function in ("SUM", "AVG", "MIN", "MAX"):
        return f"{item.function.lower()}({column.sql})", column.field
    raise Fault("MALFORMED_QUERY", f"unexpected token: '{item.function}'")


def _shown(value: Any, f: Field) -> Any:
    if f.type == "datetime" and isinstance(value, int):
        return times.text(value)
    return bool(value) if f.type == "boolean" else value


def _children(call: Call, found: list[dict[str, Any]], obj: SObject, query: soql.Query) -> None:
    """(SELECT … FROM OpportunityContactRoles): the children of each record found, not paged. [unsourced] limits"""
    wanted = query.obj.lower()
    related = next(
        (r for r in call.schema.children(obj.name) if (r[1].children or "").lower() == wanted), None
    )
    if related is None:
        raise Fault(
            "INVALID_TYPE", f"Didn't understand relationship '{query.obj}' in FROM part of query call."
        )
    child, f = related
    by_parent = {record["attributes"]["url"].rsplit("/", 1)[1]: record for record in found}
    kin: dict[str, list[dict[str, Any]]] = {id: [] for id in by_parent}
    for part in [list(by_parent)] if query.limit is None else [[id] for id in by_parent]:
        links = tuple(soql.Literal("string", id) for id in part)
        if not links:
            continue
        link = soql.Compare((f.name,), "in", links)
        where = link if query.where is None else soql.Group("and", (link, query.where))
        items = (*query.items, soql.Column((f.name,)))
        narrowed = soql.Query(items, child.name, where, (), query.order, query.limit, query.offset)
        matched = matching(call.org, call.schema, narrowed, child, everything=False)
        asked = any(isinstance(i, soql.Column) and i.path == (f.name,) for i in query.items)
        for record in fetch(call, narrowed, child, matched):
            kin[record[f.name] if asked else record.pop(f.name)].append(record)
    for id, record in by_parent.items():
        records = kin[id]
        record[f.children or query.obj] = (
            {"totalSize": len(records), "done": True, "records": records} if records else None
        )
