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


def test_leads_are_counted_and_not_the_rows_at_which_they_were_seen() -> None:
    rows, _, fields = _org(6, 3)
    won = (np.random.default_rng(7).random(LEADS) < 0.2).astype(float)
    once = deviation.learn(rows, won, fields)
    thrice = deviation.learn(
        pa.concat_tables([rows] * 3), np.tile(won, 3), fields, lead=np.tile(np.arange(LEADS), 3)
    )
    assert [(c.leads, c.wins, c.total, c.few) for c in thrice.categories] == [
        (c.leads, c.wins, c.total, c.few) for c in once.categories
    ]
    assert thrice.pairs == once.pairs
    asked = _org(6, 3, seed=1)[0]
    assert any(once.flags(asked))
    assert thrice.flags(asked) == once.flags(asked)


def test_the_same_leads_seen_thrice_are_as_odd_together() -> None:
    random = np.random.default_rng(8)
    kind = random.integers(0, 3, 1500)
    first, second = (
        np.where(random.random(1500) < 0.97, kind, random.integers(0, 3, 1500)).astype(float)
        for _ in range(2)
    )
    rows = pa.table({"n0": first + random.random(1500) / 2, "n1": second + random.random(1500) / 2})
    fields = [_Field("n0", "number", "n0"), _Field("n1", "number", "n1")]
    order = random.permutation(4500)
    lead = np.tile(np.arange(1500), 3)
    again = pa.concat_tables([rows] * 3)
    once = deviation.learn(rows, np.zeros(1500), fields).combined
    thrice = deviation.learn(again, np.zeros(4500), fields, lead=lead).combined
    assert once.total == thrice.total == 1500
    assert thrice.odd == once.odd
    np.testing.assert_array_equal(thrice.oddness(rows), once.oddness(rows))
    mixed = deviation.learn(again.take(order), np.zeros(4500), fields, lead=lead[order]).combined
    assert mixed.total == 1500
    assert sum(int(table.sum()) for table in mixed.seen) == 1500 * len(mixed.pairs)


def test_a_lead_counts_once_for_each_value_it_had_and_a_win_once() -> None:
    """Two leads of a rare size seen at three ages each, of a value that one of them lost again."""
    others = 400
    lead = np.concatenate([[0, 0, 0, 1, 1, 1], np.repeat(np.arange(2, others + 2), 3)])
    size = ["5000+", "5000+", "5000+", "5000+", "1-9", "1-9"] + ["1-9"] * (3 * others)
    won = np.concatenate([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], np.zeros(3 * others)])
    field = _Field("size", "category", "Company size")
    ordinary = deviation.learn(pa.table({"size": size}), won, [field], lead=lead)
    counts = ordinary.categories[0]
    assert counts.leads == {"5000+": 2, "1-9": others + 1}
    assert counts.wins == {"5000+": 1, "1-9": 0}
    assert counts.total == others + 2
    flags = ordinary.flags(pa.table({"size": ["5000+"]}))[0]
    assert [f.text for f in flags] == ["Rare company size: 5000+ (won only once before, 2 leads so far)"]
