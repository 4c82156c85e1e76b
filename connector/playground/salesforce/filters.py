"""SOQL conditions and orderings as SQL over `record r` (or `history r`), with bound parameters.

Values in record.data are as the API shows them: times as text in one fixed form, so that text order is time order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from connector.playground.salesforce import ids, soql, times
from connector.playground.salesforce.errors import Fault, no_column
from connector.playground.salesforce.model import Field, SObject
from connector.playground.salesforce.schema import Schema

_NUMERIC = frozenset({"int", "double", "currency", "percent"})
_CLOCKS = {"CreatedDate": "created", "LastModifiedDate": "modified", "SystemModstamp": "modified"}
MODIFIED_BY = "iif(length({r}.modified_by) = 18, {r}.modified_by, json_extract({r}.data, '$.CreatedById'))"
HISTORY_FIELD = "iif(r.field = 'OwnerId', 'Owner', iif(r.field = 'AccountId', 'Account', r.field))"


@dataclass(frozen=True, slots=True)
class Expression:
    """`unit`: how a literal must be brought to the column's form: "ms" (integer times), "seq" (history ids), "json"."""

    sql: str
    field: Field
    unit: str
    objects: tuple[str, ...] = ()


@dataclass(slots=True)
class Filter:
    """Builds SQL for one query on one object; `args` are the parameters in the order of the text made so far."""

    schema: Schema
    obj: SObject
    now: int
    alias: str = "r"
    args: list[Any] = field(default_factory=list)

    # -- columns --

    def column(self, path: Sequence[str]) -> Expression:
        names = list(path)
        if len(names) > 1 and names[0].lower() == self.obj.name.lower():
            names = names[1:]
        if len(names) == 1:
            return self._own(names[0])
        return self._parent(names)

    def _own(self, name: str) -> Expression:
        found = self.obj.find(name)
        if found is None:
            raise no_column(name, self.obj.name)
        r = self.alias
        if self.obj.history_of:
            return self._history(found)
        if found.name == "Id":
            return Expression(f"{r}.id", found, "json")
        if found.name == "IsDeleted":
            return Expression(f"{r}.deleted", found, "json")
        if found.name in _CLOCKS:
            return Expression(f"{r}.{_CLOCKS[found.name]}", found, "ms")
        if found.name == "LastModifiedById":
            return Expression(MODIFIED_BY.format(r=r), found, "json")
        return Expression(f"json_extract({r}.data, '$.{found.name}')", found, "json")

    def _history(self, found: Field) -> Expression:
        if found.name == "Id":
            return Expression("r.seq", found, "seq")
        if found.name == "CreatedDate":
            return Expression("(r.at / 1000 * 1000)", found, "ms")
        if found.name == "CreatedById":
            return Expression("r.by", found, "json")
        if found.name == "Field":
            return Expression(HISTORY_FIELD, found, "json")
        if found.name == "IsDeleted":
            return Expression("0", found, "json")
        if found.name == self.obj.parent_field:
            return Expression("r.id", found, "json")
        raise Fault("INVALID_FIELD", f"field '{found.name}' can not be filtered in a query call")

    def _parent(self, names: Sequence[str]) -> Expression:
        for f in self.obj.fields.values():
            if f.relationship and f.relationship.lower() == names[0].lower():
                break
        else:
            raise Fault(
                "INVALID_FIELD", f"Didn't understand relationship '{names[0]}' in field path. If you are attempting "
                "to use a custom relationship, be sure to append the '__r' after the custom relationship name.")  # fmt: skip
        parents = [o for o in (self.schema.find(n) for n in f.refers) if o is not None]
        target = next((o for o in parents if len(names) > 2 or o.find(names[1])), None)
        if target is None:
            raise no_column(names[1], "Name" if len(f.refers) > 1 else f.refers[0])
        inner = Filter(self.schema, target, self.now, alias=self.alias + "p")
        there = inner.column(names[1:])
        kinds = ", ".join(f"'{o.name}'" for o in parents)
        here = self._own(f.name)
        p = inner.alias
        sql = (
            f"(select {there.sql} from record {p} where {p}.obj in ({kinds}) and {p}.id = {here.sql} limit 1)"
        )
        return Expression(sql, there.field, there.unit)

    # -- conditions --

    def where(self, condition: soql.Condition) -> str:
        sql = self._condition(condition)
        clock = "r.at" if self.obj.history_of else f"{self.alias}.modified"
        low = self._bound(condition)
        if low is not None:
            # says plainly what the condition implies, so that the index on time is used for key-set paging
            sql = f"{clock} >= {low} and ({sql})"
        return sql

    def _bound(self, c: soql.Condition) -> int | None:
        """A time that `modified` (of a history row: its time) can't lie before when the condition holds."""
        if isinstance(c, soql.Group):
            bounds = [self._bound(p) for p in c.parts]
            known = [b for b in bounds if b is not None]
            if c.op == "and":
                return max(known, default=None)
            return min(known) if c.op == "or" and len(known) == len(bounds) else None
        names = ("CreatedDate",) if self.obj.history_of else ("SystemModstamp", "LastModifiedDate")
        fits = len(c.path) == 1 and c.path[0] in names and c.op in ("=", ">", ">=")
        if fits and isinstance(c.value, soql.Literal) and c.value.kind == "datetime":
            return times.parse(c.value.value)
        return None

    def _condition(self, c: soql.Condition) -> str:
        if isinstance(c, soql.Group):
            if c.op == "not":
                return f"not ifnull(({self._condition(c.parts[0])}), 0)"
            return f" {c.op} ".join(f"({self._condition(p)})" for p in c.parts)
        column = self.column(c.path)
        if column.field.long or column.field.type == "anyType":
            raise Fault("INVALID_FIELD", f"field '{column.field.name}' can not be filtered in a query call")
        if isinstance(c.value, soql.Query):
            return self._semijoin(column, c)
        if isinstance(c.value, tuple):
            return self._set(column, c.op, c.value)
        return self._single(column, c.op, c.value)

    def _semijoin(self, column: Expression, c: soql.Compare) -> str:
        assert isinstance(c.value, soql.Query)
        target = self.schema.find(c.value.obj)
        if target is None or target.history_of:
            raise invalid_type(c.value.obj)
        inner = Filter(self.schema, target, self.now, alias=self.alias + "s")
        item = c.value.items[0]
        if len(c.value.items) != 1 or not isinstance(item, soql.Column):
            raise Fault("MALFORMED_QUERY", "A semi join sub-select can only have one field selected.")
        picked = inner.column(item.path)
        s = inner.alias
        where = f" and ({inner.where(c.value.where)})" if c.value.where else ""
        self.args += inner.args
        sub = (
            f"select {picked.sql} from record {s} where {s}.obj = '{target.name}' and {s}.deleted = 0{where}"
        )
        if c.op == "in":
            return f"{column.sql} in ({sub})"
        return f"({column.sql} is null or {column.sql} not in ({sub} and {picked.sql} is not null))"

    def _set(self, column: Expression, op: str, values: Sequence[soql.Literal]) -> str:
        if op in ("includes", "excludes"):
            parts = []
            for literal in values:
                every = [f"instr(';' || {column.sql} || ';', ?) > 0" for _ in str(literal.value).split(";")]
                self.args += [f";{v};" for v in str(literal.value).split(";")]
                parts.append("(" + " and ".join(every) + ")")
            some = "(" + " or ".join(parts) + ")"
            return some if op == "includes" else f"not ifnull({some}, 0)"
        parts = [self._single(column, "=", literal) for literal in values]
        if op == "in" and all(v.kind != "null" for v in values) and len(values) > 20:
            del self.args[len(self.args) - len(values) :]
            self.args += [self.value(column, v, "=") for v in values]
            collate = " collate nocase" if _folds(column.field) else ""
            return f"{column.sql}{collate} in ({', '.join('?' * len(values))})"
        some = " or ".join(parts)
        return f"({some})" if op == "in" else f"not ifnull(({some}), 0)"

    def _single(self, column: Expression, op: str, literal: soql.Literal) -> str:
        if literal.kind == "null":
            if op not in ("=", "!="):
                raise Fault("INVALID_FIELD", f"null is no value for operator {op}")
            return f"{column.sql} is {'not ' if op == '!=' else ''}null"
        if literal.kind == "relative":
            return self._relative(column, op, literal)
        if column.field.type == "boolean":
            self.args.append(int(self.value(column, literal, op)))
            return f"ifnull({column.sql}, 0) {'=' if op == '=' else '<>'} ?"  # a null boolean counts as false [SOQL]
        self.args.append(self.value(column, literal, op))
        if op == "like":
            return f"{column.sql} like ? escape '\\'"
        collate = " collate nocase" if _folds(column.field) else ""
        if op == "!=":
            return f"({column.sql} is null or {column.sql} <> ?{collate})"
        return f"{column.sql} {op} ?{collate}"

    def _relative(self, column: Expression, op: str, literal: soql.Literal) -> str:
        days = times.range_of(literal.value[0], literal.value[1], self.now)
        if days is None or column.field.type not in ("date", "datetime"):
            raise Fault("MALFORMED_QUERY", f"unexpected token: '{literal.value[0]}'")
        if column.field.type == "date":
            low, high = (d.isoformat() for d in days)
        else:
            low, high = (self._instant(column, times.ms(datetime.combine(d, time(), UTC))) for d in days)
        x = column.sql
        if op in ("=", "!="):
            self.args += [low, high]
            inside = f"({x} >= ? and {x} < ?)"
            return inside if op == "=" else f"not ifnull({inside}, 0)"
        self.args.append(low if op in ("<", ">=") else high)
        return f"{x} {'>=' if op in ('>', '>=') else '<'} ?"

    def _instant(self, column: Expression, ms: int) -> Any:
        return ms if column.unit == "ms" else times.text(ms)

    def value(self, column: Expression, literal: soql.Literal, op: str) -> Any:
        """A literal in the column's own form; refused when the types don't meet."""
        kind, f = literal.kind, column.field
        if f.type == "datetime" and kind == "datetime":
            at = times.parse(literal.value)
            if at is None:
                raise Fault("MALFORMED_QUERY", f"Invalid date: {literal.value}")
            return self._instant(column, at)
        if f.type == "date" and kind == "date" and times.is_day(literal.value):
            return literal.value
        if (f.type in _NUMERIC and kind == "number") or (f.type == "boolean" and kind == "boolean"):
            return literal.value
        if f.type not in (*_NUMERIC, "date", "datetime", "boolean") and kind == "string":
            if column.unit == "seq":
                return ids.number(literal.value)
            return (
                ids.full(literal.value) if f.type in ("id", "reference") and op != "like" else literal.value
            )
        wanted = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(f.type, f.type)
        quoted = " and should not be enclosed in quotes" if kind == "string" else ""
        wanted = "string" if wanted not in ("dateTime", "date", "double", "int", "boolean") else wanted
        enclosed = " and should be enclosed in quotes" if wanted == "string" else quoted
        raise Fault(
            "INVALID_FIELD",
            f"value of filter criterion for field '{f.name}' must be of type {wanted}{enclosed}",
        )

    # -- orderings --

    def order(self, orderings: Sequence[soql.Ordering]) -> str:
        parts = []
        for o in orderings:
            column = self.column(o.path)
            if column.field.long:
                raise Fault(
                    "MALFORMED_QUERY", f"field '{column.field.name}' can not be sorted in a query call"
                )
            collate = " collate nocase" if _folds(column.field) else ""
            certain = column.field.name in ("Id", *_CLOCKS)
            nulls = "" if certain else " nulls last" if o.nulls_last else " nulls first"
            parts.append(f"{column.sql}{collate}{' desc' if o.descending else ''}{nulls}")
        return ", ".join(parts)


def _folds(f: Field) -> bool:
    """Text compares without case; ids and numbers don't."""
    return f.type not in ("id", "reference", "boolean", "date", "datetime", *_NUMERIC)


def invalid_type(name: str) -> Fault:
    return Fault(
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
    )
