"""A first guess at the mapping of an unknown file of leads, for a person to check."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pyarrow as pa

from connector.errors import InputError
from connector.playground.world.mapping import TAKEN, ColumnOf, ColumnType, Outcome, TableMapping
from scoring.audit.leakage import SUSPECT
from scoring.audit.separation import runs, strongest
from scoring.features.dates import absolute

PLACEHOLDERS = (
    "",
    "select",
    "unknown",
    "n/a",
    "na",
    "none",
    "null",
    "nan",
    "-",
    "?",
    "nonexistent",
    "not available",
)
LEAK_AUC = 0.90
"""One column alone that ranks outcomes this well was most likely filled after them, or while the lead was worked."""
FLAGGED = "flagged: "
"""How the reason of a column begins that a person should look at: it may be kept."""
CLOCK = "a clock: "
CLOCK_RUNS, CLOCK_ROWS = 0.05, 200
"""A number changes from row to row this rarely, beside rows in any order: it says when, not who."""
ID_SHARE = 0.98
"""of non-blank values that are distinct"""
MAX_CHOICES = 100

_OUTCOME_NAME = re.compile(
    r"^(y|won|is_?won|converted|conversion|outcome|target|label|subscribed|purchased|success)$"
)
_AFTERWARDS = re.compile(
    r"(^|[ _])(tags?|duration|last[ _].*activity|lead[ _](quality|profile)|closed?|lost|reason|stage|asymmetrique)([ _]|$)"
)
_WON = ("1", "yes", "true", "y", "t", "won", "converted", "closed won", "success")
_STANDARD = {
    "title": r"(job[ _])?title", "industry": r"industry|sector", "employees": r"employees|company[ _]size|headcount",
    "annual_revenue": r"annual[ _]revenue|revenue", "country": r"country", "source": r"(lead[ _])?source",
    "phone": r"phone|telephone", "email": r"e-?mail([ _]address)?", "first_name": r"first[ _]name",
    "last_name": r"last[ _]name", "company": r"company([ _]name)?|organi[sz]ation",
    "heard_from": r"how did you hear.*", "needed_by": r"need(ed)?[ _]by([ _]date)?|go[ _-]?live([ _]date)?",
}  # fmt: skip


def propose(table: pa.Table, name: str = "table") -> TableMapping:
    """Types, ids, blanks, the outcome and columns that know it too well. InputError when no outcome is found."""
    texts = {column: [v.strip() for v in table[column].to_pylist()] for column in table.column_names}
    outcome = _outcome(texts)
    won = np.array([v in outcome.won for v in texts[outcome.column]])
    blanks = sorted({v for vs in texts.values() for v in set(vs) if v.lower() in PLACEHOLDERS} | {""})
    blanks_of: dict[str, list[str]] = {}
    lead: dict[str, str] = {}
    columns: dict[str, ColumnOf] = {}
    left_out: dict[str, str] = {}
    id_column: str | None = None
    for column, values in texts.items():
        if column == outcome.column:
            continue
        known = [v for v in values if v.lower() not in PLACEHOLDERS]
        kinds = Counter(known)
        type = _type(kinds)
        if type == "flag" and len(known) < len(values):
            type = "text"  # a checkbox can't be blank
        standard = _standard(column, lead)
        if standard == "needed_by" and not all(map(absolute, known)):
            standard = None
        if not known:
            left_out[column] = "blank on every row"
        elif len(kinds) == 1 and len(known) == len(values):
            left_out[column] = "the same on every row"
        elif standard in ("email", "first_name", "last_name", "company", "phone"):
            lead[standard] = column
        elif len(kinds) >= ID_SHARE * len(known) and len(known) > 20 and not _measured(known, type):
            id_column, left_out = (column, left_out) if id_column is None else (
                id_column, {**left_out, column: "an id: a value of its own on nearly every row"})  # fmt: skip
        elif type == "number" and len(values) >= CLOCK_ROWS and runs(values) < CLOCK_RUNS:
            left_out[column] = (
                f"{CLOCK}it moves with the order of the rows, so it tells when a row was written, not who it is"
            )
        elif (auc := _told(values, won)) >= SUSPECT or _AFTERWARDS.search(column.lower()):
            left_out[column] = FLAGGED + _doubt(auc)
        elif standard is not None:
            lead[standard] = column
        elif type == "text" and len(kinds) > MAX_CHOICES:
            left_out[column] = f"free text ({len(kinds)} different values)"
        else:
            if type == "number" and (sentinel := _sentinel(kinds, len(values))):
                blanks_of[column] = [sentinel]
            columns[_name(column, columns)] = ColumnOf(
                column=column, type="choice" if type == "text" else type
            )
    return TableMapping(
        name=name, id=id_column, outcome=outcome, blanks=blanks, blanks_of=blanks_of, lead=lead,
        columns=columns, left_out=left_out,
    )  # fmt: skip


def doubts(mapping: TableMapping) -> dict[str, str]:
    """The columns that were left out on suspicion, and why: a person may know better."""
    return {
        column: why.removeprefix(FLAGGED)
        for column, why in mapping.left_out.items()
        if why.startswith(FLAGGED)
    }


def keep(mapping: TableMapping, table: pa.Table, column: str) -> TableMapping:
    """The mapping with a column that was left out on suspicion."""
    known = Counter(
        v for text in table[column].to_pylist() if (v := text.strip()).lower() not in PLACEHOLDERS
    )
    type = _type(known)
    of = ColumnOf(column=column, type="number" if type == "number" else "choice")
    return mapping.model_copy(update={
        "columns": {**mapping.columns, _name(column, mapping.columns): of},
        "left_out": {c: why for c, why in mapping.left_out.items() if c != column},
    })  # fmt: skip


def _doubt(auc: float) -> str:
    if auc >= LEAK_AUC:
        return f"knows the outcome too well (alone AUC {auc:.2f}): most likely filled afterwards"
    if auc >= SUSPECT:
        return f"alone it ranks the outcomes at AUC {auc:.2f}, as hardly anything known beforehand does: most likely filled while the lead was worked, or afterwards"
    return "its name reads like something that is filled while the lead is worked, or afterwards"


def _outcome(texts: dict[str, list[str]]) -> Outcome:
    two = {c: sorted(set(vs)) for c, vs in texts.items() if len(set(vs)) == 2 and "" not in vs}
    named = [c for c in two if _OUTCOME_NAME.match(c.lower().strip())]
    for column in named:
        won = [v for v in two[column] if v.lower() in _WON]
        if len(won) == 1:
            return Outcome(column=column, won=won, lost=[v for v in two[column] if v not in won])
    raise InputError(
        "No column looks like the outcome.",
        fix="Write a mapping file whose [outcome] names the column and its won and lost values"
        + (f" (two values each: {', '.join(two)})." if two else "."),
    )


def _told(values: list[str], won: np.ndarray) -> float:
    """AUC of the column alone, as the leakage audit has it."""
    known = [None if v.lower() in PLACEHOLDERS else v for v in values]
    return strongest(np.array([*known, None], dtype=object)[:-1], won).auc


def _type(kinds: Counter[str]) -> ColumnType:
    values = {v.lower() for v in kinds}
    if values <= {"yes", "no"} or values <= {"true", "false"} or values <= {"y", "n"}:
        return "flag"
    return "number" if all(_is_number(v) for v in kinds) else "text"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", text) is not None


def _measured(known: list[str], type: ColumnType) -> bool:
    """Numbers with decimals are measured, not given out."""
    return type == "number" and any("." in v for v in known)


def _sentinel(kinds: Counter[str], rows: int) -> str | None:
    """A 999-like number far above all others that stands on a fifth of the rows."""
    top = max(kinds, key=float)
    rest = [float(v) for v in kinds if v != top]
    far = bool(rest) and float(top) > 5 * max(*rest, 1)
    return top if re.fullmatch(r"9{3,}", top) and far and kinds[top] > rows / 5 else None


def _standard(column: str, taken: dict[str, str]) -> str | None:
    for name, pattern in _STANDARD.items():
        if name not in taken and re.fullmatch(pattern, column.lower().strip()):
            return name
    return None


def _name(column: str, taken: dict[str, ColumnOf]) -> str:
    """A field name both vendors take."""
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:32].strip("_") or "column"
    name = name if name[0].isalpha() else f"c_{name}"[:32]
    if name in TAKEN:
        name = f"{name}_value"
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique
