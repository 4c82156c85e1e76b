"""A number from text, as people and CRMs write it: "1200", "1,200", "1.234,56", "1,5", "$ 1200", "1.5k", "~500", "> 1000",
"51-200" (its geometric middle), "1000+". Blank where it is none, or not finite.

Each distinct text is read once, in three tables of which each looks at columns of the one before: as one expression it would be
said over and over inside itself, and an engine would take longer to plan it than to read an org's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ibis

BLANKS = r"[\t\n\f\r ]+"
"""What every engine's regular expressions agree to call blank; of `\\s` they don't."""

_PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\z"
"""A number as everybody writes it. What else an engine's cast takes ("10d", "0x1p3", "1_000") is its own affair."""

_SIGN = r"[$€£'’]"
"""currencies, and the Swiss way of grouping"""

_ABOUT = r"^(?:[~≈<>≥≤=]+|ca\.?|approx\.?|about|over)"

_RANGE = r"^(\d[\d.,]*(?:k|mio|mn|m|bn|b)?)[-–](\d[\d.,]*(?:k|mio|mn|m|bn|b)?)\z"

_SCALES = ((r"k\z", 1e3), (r"(?:mio\.?|mn|m)\z", 1e6), (r"bn?\z", 1e9))

_BY_COMMA = r"^[+-]?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d*)?\z"
"""1,200 and 1,234,567.89, and by twos as in India: 12,34,567"""

_BY_DOT = r"^[+-]?[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:\.\d{3})+,\d+)\z"
"""2.500.000 and 1.234,56"""

_BY_ONE_DOT = r"^[+-]?[1-9]\d{0,2}\.\d{3}\z"
"""1.200: a decimal, unless what is counted comes whole (people) or with two decimals at the most (money)"""

_DECIMAL_COMMA = r"^[+-]?\d*,\d+\z"

WHOLE = ("employees", "annual_revenue")
"""Fields of which nobody gives thousandths."""


def read(keep: Callable[[Any], Any], values: Any, fields: Sequence[str]) -> Any:
    """(value, number, whole): every text of `fields` that is read as a number, and what it is as a field of WHOLE. `values` are
    spans; `keep` computes an expression once."""
    texts = values.filter(values.field.isin(sorted(fields)), values.value.notnull())
    parts = keep(_parts(texts.select("value").distinct()))
    return _numbers(keep(_digits(parts)))


def _parts(texts: Any) -> Any:
    """(value, plain, plain_whole, ranged, low, high): whether a text is a number as it stands, by either reading, or two with a
    dash between; the first or only one, and the second."""
    value = texts.value
    bare = value.re_replace(BLANKS, "").re_replace(_SIGN, "").lower().re_replace(_ABOUT, "")
    ranged, plain = bare.re_search(_RANGE), value.re_search(_PLAIN)
    return texts.select(
        "value",
        plain=plain,
        plain_whole=plain & ~value.re_search(_BY_ONE_DOT),
        ranged=ranged,
        low=ranged.ifelse(bare.re_extract(_RANGE, 1), bare.re_replace(r"\+\z", "")),
        high=ranged.ifelse(bare.re_extract(_RANGE, 2), None),
    )


def _digits(parts: Any) -> Any:
    """(value, plain, plain_whole, ranged), and of both numbers the scale, under its name, and the digits by either reading."""
    columns: dict[str, Any] = {}
    for part in ("low", "high"):
        text = parts[part]
        bare = text.re_replace(r"(?:k|mio\.?|mn|m|bn?)\z", "")
        by_dot = bare.re_search(_BY_DOT)
        columns |= {
            part: ibis.cases(*((text.re_search(ending), times) for ending, times in _SCALES), else_=1.0),
            f"{part}_number": _plainly(bare, by_dot),
            f"{part}_whole": _plainly(bare, by_dot | bare.re_search(_BY_ONE_DOT)),
        }
    return parts.select("value", "plain", "plain_whole", "ranged", **columns)


def _plainly(bare: Any, by_dot: Any) -> Any:
    """A number with its thousands and decimals marked in any usual way, as an engine reads it; `by_dot`: whether dots divide
    its thousands."""
    return ibis.cases(
        (bare.re_search(_BY_COMMA), bare.replace(",", "")),
        (by_dot, bare.replace(".", "").replace(",", ".")),
        (bare.re_search(_DECIMAL_COMMA), bare.replace(",", ".")),
        else_=bare,
    )


def _numbers(digits: Any) -> Any:
    """(value, number, whole)."""
    found = {}
    for name, plain in (("number", digits.plain), ("whole", digits.plain_whole)):
        low, high = (_scaled(digits[f"{part}_{name}"], digits[part]) for part in ("low", "high"))
        # nearly all are plain: the rest is looked at more closely
        value = ibis.cases(
            (plain, digits.value.try_cast("float64")), (digits.ranged, (low * high).sqrt()), else_=low
        )
        found[name] = (value.abs() < math.inf).ifelse(value, None)  # false of nan, too
    return digits.select("value", **found)


def _scaled(digits: Any, scale: Any) -> Any:
    return digits.re_search(_PLAIN).ifelse(digits, None).try_cast("float64") * scale
