"""The formulas of validation rules: enough of the language for rules that say "when this, then that must not be blank".

A picklist field may only be used inside TEXT, ISPICKVAL, ISBLANK, ISCHANGED, PRIORVALUE and CASE, as with the vendor;
that is not enforced here. [unsourced]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput

_GRAMMAR = r"""
?start: either
?either: both
      | both ("||" both)+               -> any_of
?both: comparison
      | comparison ("&&" comparison)+   -> all_of
?comparison: sum
      | sum COMPARE sum                 -> compare
?sum: product
      | product ((PLUS | MINUS | AMP) product)+   -> add
?product: unary
      | unary ((TIMES | OVER) unary)+   -> multiply
?unary: "-" unary                       -> minus
      | "!" unary                       -> negate
      | atom
?atom: NUMBER                           -> number
      | STRING                          -> string
      | NAME "(" [either ("," either)*] ")"   -> call
      | NAME ("." NAME)*                -> name
      | "(" either ")"
COMPARE: "<=" | ">=" | "<>" | "!=" | "==" | "=" | "<" | ">"
PLUS: "+"
MINUS: "-"
AMP: "&"
TIMES: "*"
OVER: "/"
NUMBER: /\d+(\.\d+)?/
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
NAME: /[$A-Za-z_][A-Za-z0-9_]*/
COMMENT: /\/\*(.|\n)*?\*\//
%ignore /\s+/
%ignore COMMENT
"""
_LITERALS = {"TRUE": True, "FALSE": False, "NULL": None}


class BadFormula(Exception):
    """The formula can't be understood; the message says where."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a formula sees: the record as it would be, as it was (None: it is new), and the clock as ISO text."""

    record: Mapping[str, Any]
    prior: Mapping[str, Any] | None
    now: str


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=512)
def parse(formula: str) -> Tree[Token]:
    try:
        return _parser().parse(formula)
    except UnexpectedInput as e:
        raise BadFormula(f"Error: Syntax error at line {e.line}, column {e.column}") from e


def names(formula: str) -> set[str]:
    """The fields that a formula reads; BadFormula for a function that is none."""
    tree = parse(formula)
    for node in tree.iter_subtrees():
        if node.data == "call" and str(node.children[0]).upper() not in _FUNCTIONS | _LAZY:
            raise BadFormula(f"Error: Unknown function {node.children[0]}. Check spelling.")
    found = {str(n.children[0]) for n in tree.iter_subtrees() if n.data == "name" and len(n.children) == 1}
    return {n for n in found if n.upper() not in _LITERALS and not n.startswith("$")}


def true(formula: str, scope: Scope) -> bool:
    return bool(_eval(parse(formula), scope))


def _eval(node: Any, scope: Scope) -> Any:
    kind, parts = str(node.data), node.children
    if kind == "number":
        return float(parts[0])
    if kind == "string":
        return str(parts[0])[1:-1].replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")
    if kind == "name":
        name = str(parts[0])
        return _LITERALS[name.upper()] if name.upper() in _LITERALS else scope.record.get(name)
    if kind == "any_of":
        return any(_eval(p, scope) for p in parts)
    if kind == "all_of":
        return all(_eval(p, scope) for p in parts)
    if kind == "negate":
        return not _eval(parts[0], scope)
    if kind == "minus":
        return -_number(_eval(parts[0], scope))
    if kind == "compare":
        return _compare(_eval(parts[0], scope), str(parts[1]), _eval(parts[2], scope))
    if kind in ("add", "multiply"):
        return _arithmetic(parts, scope)
    name = str(parts[0]).upper()
    if name in _LAZY:
        return _lazy(name, parts[1:], scope)
    return _CALLS[name](*[_eval(p, scope) for p in parts[1:]])


def _arithmetic(parts: list[Any], scope: Scope) -> Any:
    value = _eval(parts[0], scope)
    for sign, part in zip(parts[1::2], parts[2::2], strict=True):
        other = _eval(part, scope)
        if sign == "&" or (sign == "+" and (isinstance(value, str) or isinstance(other, str))):
            value = f"{_text(value)}{_text(other)}"
        elif sign == "+":
            value = _number(value) + _number(other)
        elif sign == "-":
            value = _number(value) - _number(other)
        elif sign == "*":
            value = _number(value) * _number(other)
        else:
            value = _number(value) / _number(other) if _number(other) else None
    return value


def _compare(a: Any, op: str, b: Any) -> bool:
    if op in ("=", "==", "<>", "!="):
        same = (_blank(a) and _blank(b)) or a == b
        return same if op in ("=", "==") else not same
    if _blank(a) or _blank(b):
        return False
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) != isinstance(b, str):
        return False
    result: bool = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
    return result


def _lazy(name: str, parts: list[Any], scope: Scope) -> Any:
    if name == "ISNEW":
        return scope.prior is None
    if name == "NOW":
        return scope.now
    if name == "TODAY":
        return scope.now[:10]
    if name == "IF":
        return _eval(parts[1 if _eval(parts[0], scope) else 2], scope)
    if name == "CASE":
        value = _eval(parts[0], scope)
        for when, then in zip(parts[1:-1:2], parts[2:-1:2], strict=True):
            if _compare(value, "=", _eval(when, scope)):
                return _eval(then, scope)
        return _eval(parts[-1], scope)
    field = str(parts[0].children[0])
    before = scope.prior.get(field) if scope.prior is not None else scope.record.get(field)
    return before if name == "PRIORVALUE" else not _compare(before, "=", scope.record.get(field))


def _blank(value: Any) -> bool:
    return value is None or value == ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


_CALLS: Mapping[str, Callable[..., Any]] = {
    "AND": lambda *a: all(a),
    "OR": lambda *a: any(a),
    "NOT": lambda a: not a,
    "ISBLANK": _blank,
    "ISNULL": _blank,
    "ISPICKVAL": lambda a, b: (_blank(a) and _blank(b)) or a == b,
    "TEXT": _text,
    "VALUE": lambda a: float(a) if a else None,
    "LEN": lambda a: float(len(_text(a))),
    "TRIM": lambda a: _text(a).strip(),
    "LOWER": lambda a: _text(a).lower(),
    "UPPER": lambda a: _text(a).upper(),
    "CONTAINS": lambda a, b: _text(b) in _text(a),
    "BEGINS": lambda a, b: _text(a).startswith(_text(b)),
    "INCLUDES": lambda a, b: b in _text(a).split(";"),
    "BLANKVALUE": lambda a, b: b if _blank(a) else a,
    "ABS": lambda a: abs(_number(a)),
    "MAX": lambda *a: max(_number(x) for x in a),
    "MIN": lambda *a: min(_number(x) for x in a),
}
_FUNCTIONS = frozenset(_CALLS)
_LAZY = frozenset({"ISNEW", "ISCHANGED", "PRIORVALUE", "IF", "CASE", "NOW", "TODAY"})
