"""Numbers and fields in a rep's words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scoring.model.blanks import ASKABLE
from scoring.model.design import CategoryField, Field, NumberField


def natural(unit: str, value: float) -> tuple[str, float]:
    """A unit of log(1 + x) and its value as x itself."""
    if unit.startswith("log(1 + ") and unit.endswith(")"):
        return unit[len("log(1 + ") : -1], math.expm1(min(value, 60.0))
    return unit, value


def quantity(unit: str, value: float) -> str:
    """A value with its unit where a bare number would puzzle: '3.2 days', '40 %', '12,000'."""
    unit, value = natural(unit, value)
    if unit == "share":
        return f"{100 * value:.0f} %"
    if unit == "0 or 1":
        return "yes" if value >= 0.5 else "no"
    if unit == "times":
        return f"{number(value)}×"
    if unit == "occurrences":
        return _OFTEN.get(value, f"{number(value)} times")
    return _duration(unit, value) if unit in _DURATIONS else number(value)


_DURATIONS = ("days", "hours", "minutes")
_FINER = {"days": (24, "hours", "an hour"), "hours": (60, "minutes", "a minute")}
"""how many of which finer unit make one, and one of those"""


def _duration(unit: str, value: float) -> str:
    """'3 days', and of less than one the finer unit: '7 hours', 'under an hour'."""
    if unit in _FINER and 0 < value < 1:
        times, finer, one = _FINER[unit]
        return f"under {one}" if times * value < 1 else _duration(finer, float(round(times * value)))
    said = number(value)
    return f"{said} {unit[:-1] if said == '1' else unit}"


def chance(p: float) -> str:
    """'12 %'; nothing is impossible, nothing sure."""
    if p < 0.01:
        return "under 1 %"
    return f"{100 * p:.0f} %" if p <= 0.99 else "over 99 %"


_OFTEN = {0.0: "never", 1.0: "once", 2.0: "twice"}


def number(value: float) -> str:
    """Two or three digits that matter, thousands with commas."""
    whole = round(value) if math.isfinite(value) and abs(value) < 1e15 else 0
    if whole and abs(value - whole) <= 0.005 * abs(whole):
        value = float(whole)  # 10 employees come back from a rounded logarithm as 9.99999
    size = abs(value)
    if size >= 1e15:
        return f"{value:.1e}"
    if size >= 1000:
        step = 10 ** max(math.floor(math.log10(size)) - 2, 0)
        return f"{round(value / step) * step:,.0f}"
    if size >= 10 or value == int(value):
        return f"{value:.0f}"
    if size < 1e-4:
        return "0"
    return f"{value:.1f}" if size >= 1 else f"{value:.2g}"


def chances(parts: Sequence[float]) -> list[str]:
    """Of chances that make one whole: whole percents that add up to 100, by largest remainders."""
    percents = [math.floor(100 * p) for p in parts]
    missing = 100 - sum(percents)
    for i in sorted(range(len(parts)), key=lambda i: percents[i] - 100 * parts[i])[:missing]:
        percents[i] += 1
    return [f"{n} %" if 0 < n < 100 else chance(n / 100) for n in percents]


_TITLES = {"c_level": "C-level", "vp": "VP"}
"""Names of the catalogue that nobody says like that."""


def figure(field: NumberField, value: float) -> str:
    """'Employees 12,000', or 'Usual time to reply: none so far'."""
    if not math.isfinite(value):
        return f"{field.label}: none so far"
    return measured(field.label, field.unit, value)


def measured(label: str, unit: str, value: float) -> str:
    """Label and value; the unit is left out where the label says it: 'Days since first contact 3', but 'Days since
    first contact: 7 hours'."""
    unit, value = natural(unit, value)
    said = quantity(unit, value)
    if unit in ("0 or 1", "occurrences"):
        return f"{label}: {said}"
    if unit in _DURATIONS and unit in label.lower():
        return f"{label}: {said}" if unit in _FINER and 0 < value < 1 else f"{label} {number(value)}"
    return f"{label} {said}"


def told(field: Field, texts: pa.Table, numbers: npt.NDArray[np.float64], row: int, place: int) -> str:
    """What a lead has in a field, by the rows' texts and the numbers of all fields (n × fields)."""
    if isinstance(field, CategoryField):
        return category(field, texts.column(field.name)[row].as_py())
    return figure(field, float(numbers[row, place]))


def category(field: CategoryField, value: str | None) -> str:
    """'Industry: biotech'. A record's field is blank, what nobody did yet is none so far."""
    told = (value or "").strip()
    nothing = "blank" if field.family in ASKABLE else "none so far"
    return f"{field.label}: {_TITLES.get(told, told) or nothing}"


def lowered(text: str) -> str:
    """Within a sentence: 'touches this week 7', but 'IT spend 3' stays."""
    shouted = text[:2].isalpha() and text[:2].isupper()
    return text if shouted else text[:1].lower() + text[1:]
