"""The smallest rule engine that reads like a table: name, words, first match wins."""

from __future__ import annotations

import re
import unicodedata

Rules = tuple[tuple[str, re.Pattern[str]], ...]


def cleaned(text: str) -> str:
    """Lower case, one space between words, HubSpot's COMPUTER_SOFTWARE style undone."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.replace("_", " ").split()).strip(" .,;:")


def rules(*pairs: tuple[str, str]) -> Rules:
    """(name, words): the words are alternatives of a regular expression, whole words each."""
    return tuple((name, re.compile(rf"\b(?:{words})\b")) for name, words in pairs)


def first(table: Rules, text: str) -> str | None:
    return next((name for name, words in table if words.search(text)), None)
