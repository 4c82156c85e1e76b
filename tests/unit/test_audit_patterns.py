"""The audit finds what was planted, finds nothing in the truth, and says what kind of pattern it is (S7)."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.audit.category import Category
from scoring.audit.patterns import audit
from scoring.metrics.outcomes import SCHEMA, read
from scoring.routing.policy import Policy
from tests.unit.matured import columns, matured, table

POLICY = Policy()


def test_true_probabilities_leave_nothing_to_find() -> None:
    found = [len(audit(read(matured(4000, seed)), POLICY).patterns) for seed in range(12)]
    assert sum(n > 0 for n in found) <= 3


def test_a_missed_kind_of_customer_is_found_with_its_revenue() -> None:
    c = columns(6000)
    hospitals = (np.asarray(c["industry"]) == "Hospitals") & (np.asarray(c["score"]) < 40)
    lifted = hospitals & (np.arange(6000) % 6 == 0)
    c["won"] = np.asarray(c["won"]) | lifted
    c["amount"] = np.where(c["won"], np.nan_to_num(c["amount"], nan=50_000.0), np.nan)
    result = audit(read(table(c)), POLICY)
    singles = [p for p in result.patterns if p.values == (("industry", "Hospitals"),)]
    assert [p.direction for p in singles] == ["below"]
    assert singles[0].observed.value > singles[0].promised
    assert singles[0].revenue == pytest.approx(np.nansum(np.where(hospitals, c["amount"], 0)))
    assert singles[0].adjusted <= 0.10


def test_leads_that_dazzle_and_do_not_buy_are_found() -> None:
    c = columns(8000)
    students = (np.asarray(c["source"]) == "List") & (np.asarray(c["region"]) == "South")
    c["won"] = np.asarray(c["won"]) & ~(students & (np.asarray(c["score"]) > 80))
    patterns = audit(read(table(c)), POLICY).patterns
    pair = [p for p in patterns if dict(p.values) == {"source": "List", "region": "South"}]
    assert pair
    assert pair[0].direction == "above"
    assert pair[0].observed.hits == 0


@pytest.mark.parametrize(
    ("column", "value", "category"),
    [
        ("completeness", 30.0, Category.INCOMPLETE),
        ("conflicting", True, Category.JOURNEY),
        ("flags", ["new:industry"], Category.EVOLVING),
        (None, None, Category.UNEXPLAINED),
    ],
)
def test_the_category_is_what_the_wrong_leads_carry(
    column: str | None, value: object, category: Category
) -> None:
    c = columns(6000)
    lifted = (np.asarray(c["industry"]) == "Energy") & (np.asarray(c["score"]) < 40)
    lifted &= np.arange(6000) % 4 == 0
    c["won"] = np.asarray(c["won"]) | lifted
    c["flags"] = [[] for _ in c["flags"]]
    if column is not None:
        c[column] = [value if hit else old for hit, old in zip(lifted, c[column], strict=True)]
    patterns = audit(read(table(c)), POLICY).patterns
    assert [p.category for p in patterns if p.values == (("industry", "Energy"),)] == [category]


@pytest.mark.parametrize("n", [0, 1, 30])
def test_tiny_tables_have_no_patterns(n: int) -> None:
    result = audit(read(matured(n).select(SCHEMA.names)), POLICY)
    assert result.patterns == ()


def test_one_odd_industry_does_not_come_back_as_everything_it_is_part_of() -> None:
    c = columns(9000, base=0.12)
    odd = (np.asarray(c["industry"]) == "Hospitals") & (np.asarray(c["score"]) < 40)
    c["won"] = np.asarray(c["won"]) | (odd & (np.arange(9000) % 5 == 0))
    below = [p.values for p in audit(read(table(c)), POLICY).patterns if p.direction == "below"]
    assert (("industry", "Hospitals"),) in below
    assert len(below) <= 2
