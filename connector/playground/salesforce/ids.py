"""Record ids as Salesforce makes them: three characters of the object's prefix, twelve that count up, and three that
spell the case of the fifteen before, so that an id survives a system that folds case."""

from __future__ import annotations

from connector.playground.org import Org

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "gK0"
"""Characters 4 to 6 name the instance that made the record. [unsourced] any constant does here"""


def base62(number: int, width: int) -> str:
    """Digits in ASCII order, so that text order is number order."""
    out = ""
    while number:
        number, digit = divmod(number, 62)
        out = _DIGITS[digit] + out
    return out.rjust(width, "0")


def suffix(id15: str) -> str:
    out = ""
    for start in (0, 5, 10):
        out += _SUFFIX[sum(1 << n for n, c in enumerate(id15[start : start + 5]) if "A" <= c <= "Z")]
    return out


def make(prefix: str, number: int) -> str:
    id15 = prefix + _POD + base62(number, 9)
    return id15 + suffix(id15)


def number(id: str) -> int:
    """The count inside an id that `make` made; 0 for any other."""
    out = 0
    for c in id[6:15]:
        out = out * 62 + max(_DIGITS.find(c), 0)
    return out


def full(id: str) -> str:
    """The 18-character form of a 15-character id; any other text as it is."""
    return id + suffix(id) if len(id) == 15 and id.isalnum() else id


def well_formed(id: str) -> bool:
    return id.isascii() and id.isalnum() and (len(id) == 15 or (len(id) == 18 and suffix(id[:15]) == id[15:]))


def following(org: Org, prefix: str, count: int = 1) -> list[str]:
    """The next ids of an object."""
    with org.transaction():
        first = int(org.meta(f"seq:{prefix}", 0)) + 1
        org.set_meta(f"seq:{prefix}", first + count - 1)
    return [make(prefix, n) for n in range(first, first + count)]
