"""Numbers and fields in a rep's words."""

from __future__ import annotations

import math

from scoring.model.blanks import ASKABLE
from scoring.model.design import CategoryField, NumberField


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
    return f"{number(value)} {unit}" if unit in ("days", "hours", "minutes") else number(value)


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
    return f"{value:.1f}" if size >= 1 else f"{value:.2g}"


_TITLES = {"c_level": "C-level", "vp": "VP"}
"""Names of the catalogue that nobody says like that."""


def figure(field: NumberField, value: float) -> str:
    """'Employees 12,000', or 'Usual time to reply: none so far'."""
    if not math.isfinite(value):
        return f"{field.label}: none so far"
    return measured(field.label, field.unit, value)


def measured(label: str, unit: str, value: float) -> str:
    """Label and value; the unit is left out where the label says it: 'Days since first contact 3'."""
    said = quantity(unit, value)
    if unit in ("0 or 1", "occurrences"):
        return f"{label}: {said}"
    return f"{label} {said.removesuffix(f' {unit}') if unit in label.lower() else said}"


def category(field: CategoryField, value: str | None) -> str:
    """'Industry: biotech'. A record's field is blank, what nobody did yet is none so far."""
    nothing = "blank" if field.family in ASKABLE else "none so far"
    return f"{field.label}: {_TITLES.get(value or '', value) or nothing}"


def lowered(text: str) -> str:
    """Within a sentence: 'touches this week 7', but 'IT spend 3' stays."""
    shouted = text[:2].isalpha() and text[:2].isupper()
    return text if shouted else text[:1].lower() + text[1:]
