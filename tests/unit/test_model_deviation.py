"""A flag stays something to look at, however many fields an org has (S3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from scoring.model import deviation
from scoring.model.deviation import NUMBERS, PAIRS, RARE

LEADS = 2_000


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    label: str
    role: str = "model"
    unit: str = ""
    family: str = "fact"
    words: str = ""


def _org(numbers: int, categories: int, seed: int = 0) -> tuple[pa.Table, np.ndarray, list[_Field]]:
    """Independent fields, the numbers with far tails, each category with a dozen values on a few leads each."""
    random = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {}
    for i in range(numbers):
        columns[f"n{i}"] = pa.array(random.standard_t(4, LEADS))
    for i in range(categories):
        values = np.where(
            random.random(LEADS) < 0.03, random.integers(0, 12, LEADS), 12 + random.integers(0, 3, LEADS)
        )
        columns[f"c{i}"] = pa.array([f"v{v}" for v in values])
    fields = [_Field(n, "number" if n[0] == "n" else "category", n) for n in columns]
    return pa.table(columns), np.zeros(LEADS), fields


@pytest.mark.parametrize(("numbers", "categories"), [(3, 2), (40, 2), (3, 25)])
def test_as_many_leads_are_flagged_whatever_the_number_of_fields(numbers: int, categories: int) -> None:
    rows, won, fields = _org(numbers, categories)
    ordinary = deviation.learn(rows, won, fields)
    for asked in (rows, _org(numbers, categories, seed=1)[0]):
        codes = [{flag.code for flag in flags} for flags in ordinary.flags(asked)]
        noise = 0 if asked is rows else 0.015
        for code, most in (("number", NUMBERS), ("rare", RARE), ("pair", PAIRS + 0.005)):
            assert np.mean([code in found for found in codes]) <= most + noise


def test_the_oddest_are_flagged_first() -> None:
    rows, won, fields = _org(40, 2)
    ordinary = deviation.learn(rows, won, fields)
    odd = rows.slice(0, 1).set_column(0, "n0", pa.array([60.0]))
    assert "number" in {flag.code for flag in ordinary.flags(odd)[0]}
    rarest = {v: n for c in ordinary.categories for v, n in c.leads.items() if n <= c.few}
    others = {v: n for c in ordinary.categories for v, n in c.leads.items() if n > c.few}
    assert max(rarest.values(), default=0) < min(others.values())
