"""CRM search, compiled to SQL over the org's records (FACTS-hubspot.md §5 "Search")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connector.playground.hubspot import catalog
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.records import Records
from connector.playground.hubspot.times import iso, parse
from connector.playground.org import Row

PAGE, MAX_PAGE, MAX_RESULTS, MAX_BODY = 10, 200, 10_000, 3_000
MAX_GROUPS, MAX_FILTERS, MAX_ALL = 5, 6, 18
_COMPARE = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


class Search:
    def __init__(self, records: Records) -> None:
        self._records, self._org, self._schema = records, records.org, records.schema

    def run(self, obj: str, body: Mapping[str, Any], size: int) -> dict[str, Any]:
        """One page. `size` is the length of the request's body in characters."""
        if size > MAX_BODY:
            raise bad_request(f"The request body is over {MAX_BODY} characters.")
        limit, after = int(body.get("limit") or PAGE), int(body.get("after") or 0)
        if not 1 <= limit <= MAX_PAGE:
            raise bad_request(f"limit must be between 1 and {MAX_PAGE}.")
        if after + limit > MAX_RESULTS:
            raise HubSpotError(400, f"Paging is limited to {MAX_RESULTS} results.", "VALIDATION_ERROR")
        where, args = self._where(obj, body)
        order = self._order(obj, body.get("sorts") or [])
        total = int(self._org.sql(f"select count(*) from record where {where}", args)[0][0])
        rows = [
            Row(obj, r[0], r[1], r[2], False, _json(r[3]))
            for r in self._org.sql(
                f"select id, created, modified, data from record where {where} order by {order} limit ? offset ?",
                [*args, limit, after],
            )
        ]
        answer: dict[str, Any] = {
            "total": total,
            "results": self._records.show(obj, rows, properties=body.get("properties") or ()),
        }
        if after + len(rows) < total and rows:
            answer["paging"] = {"next": {"after": str(after + len(rows))}}
        return answer

    def _where(self, obj: str, body: Mapping[str, Any]) -> tuple[str, list[Any]]:
        where, args = "obj = ? and deleted = 0", [obj]
        lag = self._org.meta("search_lag_ms", 0)
        if lag:  # what was just written is found a few moments later
            where += " and modified <= ?"
            args.append(self._org.now() - lag)
        groups: Sequence[Mapping[str, Any]] = body.get("filterGroups") or []
        if not groups and body.get("filters"):
            groups = [{"filters": body["filters"]}]
        counts = [len(g.get("filters") or []) for g in groups]
        if len(groups) > MAX_GROUPS or max(counts, default=0) > MAX_FILTERS or sum(counts) > MAX_ALL:
            raise bad_request(
                f"At most {MAX_GROUPS} filter groups of {MAX_FILTERS} filters, {MAX_ALL} in all."
            )
        either = []
        for group in groups:
            parts = []
            for one in group.get("filters") or []:
                part, values = self._filter(obj, one)
                parts.append(part)
                args.extend(values)
            either.append("(" + (" and ".join(parts) or "1") + ")")
        if either:
            where += f" and ({' or '.join(either)})"
        if body.get("query"):
            names = catalog.SEARCHABLE.get(obj, ())
            where += (
                " and (" + (" or ".join(f"json_extract(data, '$.{n}') like ?" for n in names) or "0") + ")"
            )
            args.extend(f"%{body['query']}%" for _ in names)
        return where, args

    def _filter(self, obj: str, one: Mapping[str, Any]) -> tuple[str, list[Any]]:
        name, operator = str(one.get("propertyName")), str(one.get("operator"))
        if name.startswith("associations."):
            return self._association(obj, name.removeprefix("associations."), operator, one)
        column, kind = self._column(obj, name)
        convert = _converter(name, kind, column)
        value = one.get("value")
        if operator == "HAS_PROPERTY":
            return f"{column} is not null", []
        if operator == "NOT_HAS_PROPERTY":
            return f"{column} is null", []
        if operator in ("IN", "NOT_IN"):
            values = one.get("values") or []
            marks = ",".join("?" * len(values))
            if kind == "string":  # strings compare in lower case, and are expected so
                return (
                    f"lower({column}) {'not in' if operator == 'NOT_IN' else 'in'} ({marks})",
                    list(values),
                )
            return f"{column} {'not in' if operator == 'NOT_IN' else 'in'} ({marks})", [
                convert(v) for v in values
            ]
        if value is None:
            raise bad_request(f"Filter on {name} has no value.")
        if operator in _COMPARE:
            return f"{column} {_COMPARE[operator]} ?", [convert(value)]
        if operator == "BETWEEN":
            return f"{column} between ? and ?", [convert(value), convert(one.get("highValue"))]
        if operator in ("EQ", "NEQ"):
            same = f"lower({column}) = lower(?)" if kind == "string" else f"{column} = ?"
            return (same if operator == "EQ" else f"not coalesce({same}, 0)"), [convert(value)]
        if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
            like = f"coalesce({column} like ?, 0)"
            pattern = str(value) if "*" in str(value) else f"*{value}*"
            return (like if operator == "CONTAINS_TOKEN" else f"not {like}"), [pattern.replace("*", "%")]
        raise bad_request(f"Unknown operator {operator}.", operator=[operator])

    def _association(
        self, obj: str, other: str, operator: str, one: Mapping[str, Any]
    ) -> tuple[str, list[Any]]:
        to = catalog.object_named(other)
        if to is None or operator not in ("EQ", "IN"):
            raise bad_request(f"Can't search by associations.{other} {operator}.")
        values = [str(v) for v in (one.get("values") or [one.get("value")])]
        return (
            f"exists (select 1 from link where a_obj = '{to}' and a_id in ({','.join('?' * len(values))})"
            f" and b_obj = '{obj}' and b_id = record.id)",
            values,
        )

    def _column(self, obj: str, name: str) -> tuple[str, str]:
        if name in ("hs_object_id", "id"):
            return "id", "id"
        if name == catalog.modified_property(obj):
            return "modified", "ms"
        if name == catalog.created_property(obj):
            return "created", "ms"
        definition = self._schema.active(obj).get(name)
        if definition is None:
            raise HubSpotError(400, f"Property {name} does not exist.", "VALIDATION_ERROR",
                               context={"propertyName": [name]})  # fmt: skip
        column = f"json_extract(data, '$.{name}')"
        kind = definition["type"]
        return (f"cast({column} as real)" if kind == "number" else column), kind

    def _order(self, obj: str, sorts: Sequence[Any]) -> str:
        if len(sorts) > 1:
            raise bad_request("Only one sort is allowed.")
        if not sorts:
            return "created, id"
        sort = (
            sorts[0]
            if isinstance(sorts[0], dict)
            else {
                "propertyName": str(sorts[0]).lstrip("-"),
                "direction": "DESCENDING" if str(sorts[0]).startswith("-") else "ASCENDING",
            }
        )
        column, _ = self._column(obj, str(sort.get("propertyName")))
        down = str(sort.get("direction", "ASCENDING")).upper().startswith("DESC")
        return f"{column} desc, id desc" if down else f"{column}, id"


def _converter(name: str, kind: str, column: str) -> Any:
    def convert(value: Any) -> Any:
        try:
            if kind == "ms":
                return parse(str(value))
            if kind == "datetime":
                return iso(parse(str(value)))
            if kind == "date":
                return iso(parse(str(value)))[:10]
            if kind == "number":
                return float(value)
        except (TypeError, ValueError) as wrong:
            raise bad_request(f"{value} does not fit property {name}.", propertyName=[name]) from wrong
        return str(value)

    return convert


def _json(text: str) -> dict[str, Any]:
    return dict(orjson.loads(text))
