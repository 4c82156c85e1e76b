"""What a lead status means, by its name alone: said where the name leaves no doubt, else asked."""

from __future__ import annotations

import re

from connector.settings import Outcome

_LOST = re.compile(
    r"\b(?:will not|no longer|do not|did not|not|never|un|dis|no|non|lost|bad|poor)"
    r" ?(?:a |an |the |our |good |right |real |be |really |any ?more )*"
    r"(?:interest\w*|fit|convert\w*|won|win|buy\w*|bought|purchas\w*|qualif\w*|match\w*|suit\w*|sale|deal)\b"
    r"|\bdo not (?:contact|call|mail|e ?mail)\b"
    r"|\b(?:lost|disqual\w*|dq|junk|bad(?! timing)|reject\w*|declin\w*|refus\w*|unresponsive|ghosted|bounced|unsubscribed|"
    r"opted out|opt out|undeliverable|wrong number|went dark|gone dark|went cold|gone cold)\b"
)
"""Ends that are unmistakable. They are looked for first, so that "not won" is no win."""
_OTHERS: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
    ("never_worked", re.compile(r"\bnever worked\b")),
    (
        "recycled",
        re.compile(r"\b(?:recycl\w*|nurtur\w*|later|bad timing|not now|not ready|postpon\w*|revisit)\b"),
    ),
    ("won", re.compile(r"\b(?:converted|won|customers?)\b")),
)
_TURNED = re.compile(
    r"\b(?:not|no|never|non|former|ex|past|old|previous|churned|existing|current|awaiting|waiting|potential|prospective|un|will not)\b"
)
"""words beside a win that make it another thing: "former customer" """
_ENDS = re.compile(
    r"closed|\bdead\b|\bdone\b|duplicate|archiv|\bspam\b|invalid|expired|cancel|inactive|finished|\bended\b|\bno \w+|\bstopped\b"
)
"""parts of a name that say an end and not which"""
_OPEN = re.compile(
    r"\b(?:new|open\w*|raw|fresh|work\w*|contact\w*|uncontacted|attempt\w*|connect\w*|qualif\w*|[msi]ql|sal|sqo|engag\w*|progress|"
    r"process\w*|assigned|unassigned|prospect\w*|meeting|demo\w*|call\w*|sequence|leads?|opportunit\w*|negotiat\w*|propos\w*|"
    r"quot\w*|offer\w*|trial|pending|interest\w*|active|respond\w*|repl(?:y|ied)|schedul\w*|book\w*|review\w*|accept\w*|warm|hot|"
    r"inbound|target\w*|research\w*|identif\w*|discover\w*|evaluat\w*|follow\w*|await\w*|waiting|hold|deal|untouched|started|touch\w*)\b"
)


def guess(status: str) -> Outcome:
    """What a status probably means; "open" where nobody can tell."""
    return _read(status) or "open"


def unclear(status: str) -> bool:
    """Whether the name doesn't say what became of its leads, or says two things: nobody may guess."""
    return _read(status) is None


def _read(status: str) -> Outcome | None:
    name = re.sub(r"[^\w]+|_", " ", re.sub(r"[’'`]", "", status.casefold())).strip()
    name = re.sub(r"\b(wo|do|did|can|is|has)nt\b", lambda m: {"wo": "will"}.get(m[1], m[1]) + " not", name)
    rest, lost = _LOST.subn(" ", name)
    found = {outcome for outcome, words in _OTHERS if words.search(rest)}
    if "won" in found and _TURNED.search(rest):
        return None
    if lost:
        if re.search(r"\bopen\b", rest):
            return None
        found.add("lost")
    if found:
        return found.pop() if len(found) == 1 else None
    return "open" if _OPEN.search(rest) and not _ENDS.search(rest) else None
