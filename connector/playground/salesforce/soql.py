"""SOQL text to a tree. Grammar after the SOQL reference; LALR, built once, each text parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput

from connector.playground.salesforce.errors import Fault

_GRAMMAR = r"""
query: "SELECT"i items "FROM"i NAME [NAME] [where] [group] [order] [limit] [offset] ["ALL"i "ROWS"i]
items: item ("," item)*
?item: path [NAME]                            -> field
    | NAME "(" [path] ")" [NAME]              -> call
    | "(" query ")"                           -> child
path: NAME ("." NAME)*
where: "WHERE"i _or
_or: either
?either: both ("OR"i both)*                   -> either
?both: unary ("AND"i unary)*                  -> both
?unary: "NOT"i unary                          -> negated
    | "(" either ")"
    | path OP value                           -> compare
    | path "LIKE"i value                      -> like
    | path "IN"i set                          -> member
    | path "NOT"i "IN"i set                   -> stranger
    | path "INCLUDES"i set                    -> includes
    | path "EXCLUDES"i set                    -> excludes
set: "(" value ("," value)* ")"               -> values
    | "(" query ")"                           -> semijoin
group: "GROUP"i "BY"i path ("," path)*
order: "ORDER"i "BY"i ordering ("," ordering)*
ordering: path [DIRECTION] ["NULLS"i NULLS]
limit: "LIMIT"i INT
offset: "OFFSET"i INT
?value: STRING -> string
    | SIGNED -> number
    | INT -> number
    | DATETIME -> datetime
    | DATE -> date
    | "TRUE"i -> true
    | "FALSE"i -> false
    | "NULL"i -> null
    | NAME [":" INT] -> relative
DIRECTION: "ASC"i | "DESC"i
NULLS: "FIRST"i | "LAST"i
OP: "<=" | ">=" | "!=" | "<>" | "=" | "<" | ">"
NAME: /[a-z_][a-z0-9_]*/i
STRING: /'(\\.|[^'\\])*'/
DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DATE.2: /\d{4}-\d\d-\d\d/
SIGNED.1: /[+-]?\d+\.\d+|[+-]\d+/
INT: /\d+/
%ignore /\s+/
"""


@dataclass(frozen=True, slots=True)
class Literal:
    """kind: string, number, datetime, date, boolean, null, relative (TODAY, LAST_N_DAYS:7 …)."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Column:
    """A selected field. `path`: ("Owner", "Name")."""

    path: tuple[str, ...]
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: str
    path: tuple[str, ...] | None
    alias: str | None


@dataclass(frozen=True, slots=True)
class Child:
    query: Query


@dataclass(frozen=True, slots=True)
class Group:
    """and | or | not, over conditions."""

    op: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """op: = != < <= > >= like in, "not in", includes, excludes. `value`: a Literal, several, or a Query for a semi-join."""

    path: tuple[str, ...]
    op: str
    value: Literal | tuple[Literal, ...] | Query


Condition = Group | Compare


@dataclass(frozen=True, slots=True)
class Ordering:
    path: tuple[str, ...]
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    items: tuple[Column | Aggregate | Child, ...]
    obj: str
    where: Condition | None
    group: tuple[tuple[str, ...], ...]
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int | None


class _Tree(Transformer[Token, Any]):
    def query(self, c: list[Any]) -> Query:
        items, obj, _, where, group, order, limit, offset = c
        return Query(
            tuple(items),
            str(obj),
            where[0] if where else None,
            tuple(group or ()),
            tuple(order or ()),
            limit,
            offset,
        )

    def items(self, c: list[Any]) -> list[Any]:
        return c

    def field(self, c: list[Any]) -> Column:
        return Column(c[0], str(c[1]) if c[1] else None)

    def call(self, c: list[Any]) -> Aggregate:
        return Aggregate(str(c[0]).upper(), c[1], str(c[2]) if c[2] else None)

    def child(self, c: list[Any]) -> Child:
        return Child(c[0])

    def path(self, c: list[Any]) -> tuple[str, ...]:
        return tuple(str(t) for t in c)

    def where(self, c: list[Any]) -> list[Any]:
        return c

    def either(self, c: list[Any]) -> Condition:
        return c[0] if len(c) == 1 else Group("or", tuple(c))

    def both(self, c: list[Any]) -> Condition:
        return c[0] if len(c) == 1 else Group("and", tuple(c))

    def negated(self, c: list[Any]) -> Group:
        return Group("not", (c[0],))

    def compare(self, c: list[Any]) -> Compare:
        return Compare(c[0], "!=" if c[1] == "<>" else str(c[1]), c[2])

    def like(self, c: list[Any]) -> Compare:
        return Compare(c[0], "like", c[1])

    def member(self, c: list[Any]) -> Compare:
        return Compare(c[0], "in", c[1])

    def stranger(self, c: list[Any]) -> Compare:
        return Compare(c[0], "not in", c[1])

    def includes(self, c: list[Any]) -> Compare:
        return Compare(c[0], "includes", c[1])

    def excludes(self, c: list[Any]) -> Compare:
        return Compare(c[0], "excludes", c[1])

    def values(self, c: list[Any]) -> tuple[Literal, ...]:
        return tuple(c)

    def semijoin(self, c: list[Any]) -> Query:
        query: Query = c[0]
        return query

    def group(self, c: list[Any]) -> list[Any]:
        return c

    def order(self, c: list[Any]) -> list[Any]:
        return c

    def ordering(self, c: list[Any]) -> Ordering:
        return Ordering(c[0], bool(c[1]) and c[1].upper() == "DESC", bool(c[2]) and c[2].upper() == "LAST")

    def limit(self, c: list[Any]) -> int:
        return int(c[0])

    def offset(self, c: list[Any]) -> int:
        return int(c[0])

    def string(self, c: list[Any]) -> Literal:
        return Literal("string", _unescape(str(c[0])[1:-1]))

    def number(self, c: list[Any]) -> Literal:
        return Literal("number", float(c[0]) if "." in c[0] else int(c[0]))

    def datetime(self, c: list[Any]) -> Literal:
        return Literal("datetime", str(c[0]).upper())

    def date(self, c: list[Any]) -> Literal:
        return Literal("date", str(c[0]))

    def true(self, _: list[Any]) -> Literal:
        return Literal("boolean", True)

    def false(self, _: list[Any]) -> Literal:
        return Literal("boolean", False)

    def null(self, _: list[Any]) -> Literal:
        return Literal("null", None)

    def relative(self, c: list[Any]) -> Literal:
        return Literal("relative", (str(c[0]).upper(), int(c[1]) if c[1] else None))


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _unescape(text: str) -> str:
    r"""\' \" \\ \n … ; LIKE's \% and \_ keep their backslash for the pattern."""
    out, it = "", iter(text)
    for c in it:
        if c != "\\":
            out += c
            continue
        following = next(it, "")
        out += "\\" + following if following in "%_" else _ESCAPES.get(following, following)
    return out


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, start="query", parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=512)
def parse(soql: str) -> Query:
    if len(soql) > 100_000:
        raise Fault("MALFORMED_QUERY", "SOQL statement is longer than 100,000 characters")
    try:
        query: Query = _Tree().transform(_parser().parse(soql))
    except UnexpectedInput as e:
        where = f"\n{e.get_context(soql, 40)}ERROR at Row:{e.line}:Column:{e.column}\n"
        token = getattr(e, "token", None)
        raise Fault("MALFORMED_QUERY", f"{where}unexpected token: '{token if token else '<EOF>'}'") from e
    return query
