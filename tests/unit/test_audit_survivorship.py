"""What tidy winners have that leads in general have not, and what came from the others (S1.4)."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from connector.web.report.audits import survivorship as drawn
from scoring.audit.survivorship import Survivorship, survivorship
from scoring.routing.policy import Policy

N = 1000


@pytest.fixture(scope="module")
def found() -> Survivorship:
    """200 wins; 80 % of them have complete records, of the other leads half; a tenth of wins are outside."""
    won = np.arange(N) < 200
    complete = np.concatenate([np.arange(200) < 160, np.arange(800) % 2 == 0])
    rows = pa.table({
        "lead_id": [f"L{i}" for i in range(N)], "completeness": np.where(complete, 0.9, 0.3),
        "function": pa.array(["technical" if i % 3 else None for i in range(N)]),
        "industry": pa.array(["energy" if i < 150 or i % 9 == 0 else "retail" for i in range(N)]),
    })  # fmt: skip
    amount = np.where(won, 1000.0, np.nan)
    return survivorship(rows, won, amount, np.arange(N) % 10 == 0, None, Policy())


def test_shares_of_winners_and_of_all_and_the_revenue_of_the_others(found: Survivorship) -> None:
    by_name = {row.name: row for row in found.rows}
    complete = by_name["complete"]
    assert complete.of_won.value == pytest.approx(0.8)
    assert complete.of_all.value == pytest.approx(0.56)
    assert complete.revenue_without == 40_000
    assert complete.revenue == 200_000
    assert "industry:energy" in by_name  # found in the data, not named beforehand
    assert found.rows[0].name == "industry:energy"  # the widest gap first


def test_wins_outside_the_ideal_customer_with_their_revenue_and_their_records(found: Survivorship) -> None:
    outside = found.outside
    assert (outside.wins.hits, outside.wins.n) == (20, 200)
    assert outside.revenue_share == pytest.approx(0.1)
    assert outside.incomplete.hits == 4


def test_the_report_draws_it(found: Survivorship) -> None:
    section = drawn({"survivorship": asdict(found)}, "USD")
    assert section is not None
    assert section["charts"][0]["rows"]
    assert "outside your usual customer: 20 of 200" in section["say"][0]
    assert drawn({}, "USD") is None
