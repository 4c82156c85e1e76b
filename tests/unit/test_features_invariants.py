"""What must hold for any history: no look ahead, the same for a part as for the whole, order of rows is nothing."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scoring.features import Inputs, build, connect
from scoring.features.normalise import company_domain
from tests.unit.feature_days import FACTS, built, change, inputs, lead, point, touch
from tests.unit.feature_worlds import worlds

KINDS = (
    "page_view", "form", "download", "webinar", "email_sent", "email_opened", "email_replied", "email_forwarded",
    "call", "meeting",
)  # fmt: skip
VALUES = {
    "title": ("CTO", "VP Sales", "Buyer", "n/a", None),
    "email": ("a@acme.com", "b@acme.com", "c@tarn.example", "d@gmail.com", None),
    "employees": ("10", "500", "unknown", None),
    "industry": ("SaaS", "Retail", None),
    "heard_from": ("a friend", "Search", None),
    "needed_by": ("2026-07-01", "1.5.2026", "within a month", "some day", None),
    "account_id": ("001", "002", None),
}
COPIED = (
    "p@acme.com q@mail.tarn.example",
    "q@tarn.example",
    "p@acme.com R@acme.com",
    "p@gmail.com",
    "x@other.com",
    None,
)
LEADS = tuple(f"L{n}" for n in range(8))
few = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],  # a smaller seed is no simpler history
)


def history(
    seed: int, first_day: float = 100, last_day: float = 0
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Activities and changes at random whole hours, so that many fall on the same moment."""
    dice = random.Random(seed)

    def day() -> float:
        return dice.randint(round(last_day * 24), round(first_day * 24)) / 24

    activities = [
        touch(
            dice.choice(LEADS), dice.choice(KINDS), day(), dice.choice(("person", "person", "machine", "unsure")),
            session=dice.choice(("s1", "s2", None)), area=dice.choice(("billing", "security", None)),
            content=dice.choice(("documentation", "pricing", "case_study", None)), cc=dice.choice(COPIED), answered=dice.choice((True, False, None)),
        )
        for _ in range(120)
    ]  # fmt: skip
    fields = [dice.choice(tuple(VALUES)) for _ in range(60)]
    changes = [change(dice.choice(LEADS), field, day(), dice.choice(VALUES[field])) for field in fields]
    return activities, changes


def people() -> list[dict[str, Any]]:
    known = [{"account_key": "001"}, {"email": "z@acme.com"}, {"email": "y@tarn.example"}, {}]
    return [lead(name, 90, **known[n % 4]) for n, name in enumerate(LEADS)]


def asked() -> list[dict[str, Any]]:
    return [point(name, days) for name in LEADS for days in (0, 7, 45)]


@few
@given(seed=st.integers(0, 10_000))
def test_what_happens_later_changes_nothing(seed: int) -> None:
    activities, changes = history(seed)
    later_activities, later_changes = history(seed + 1, first_day=-1 / 24, last_day=-30)
    before = built(inputs(people(), activities, changes, asked()))
    newcomers = [lead(f"N{n}", -1, email="n@acme.com", account_key="001") for n in range(3)]
    after = built(
        inputs([*people(), *newcomers], [*activities, *later_activities], [*changes, *later_changes], asked())
    )
    assert after == before


@few
@given(seed=st.integers(0, 10_000))
def test_a_few_points_get_what_they_get_among_all_in_any_order(seed: int) -> None:
    dice = random.Random(seed)
    activities, changes = history(seed)
    whole = inputs(people(), activities, changes, asked())
    full = {(row["lead_id"], row["as_of"]): row for row in built(whole)}

    def shuffled(table: Any, keep: int | None = None) -> Any:
        return table.take(dice.sample(range(table.num_rows), keep or table.num_rows))

    part = Inputs(
        shuffled(whole.points, 5), shuffled(whole.leads), shuffled(whole.changes), shuffled(whole.activities)
    )
    rows = built(part)
    assert [(row["lead_id"], row["as_of"]) for row in rows] == [
        (row["lead_id"], row["as_of"]) for row in part.points.to_pylist()
    ]
    assert rows == [full[row["lead_id"], row["as_of"]] for row in rows]


@few
@given(seed=st.integers(0, 10_000))
def test_a_few_leads_get_what_they_get_among_all_from_their_companies_alone(seed: int) -> None:
    """What the store hands over for touched leads: them, everybody who ever had an account or a company's host in common with
    one of them, and what those did."""
    activities, changes = history(seed)
    whole = inputs(people(), activities, changes, asked())
    full = {(row["lead_id"], row["as_of"]): row for row in built(whole)}
    keys: dict[str, set[str]] = {name: set() for name in LEADS}
    for row in whole.leads.to_pylist():
        keys[row["lead_id"]] |= {row["account_key"] or "", company_domain(row["email"] or "") or ""}
    for row in whole.changes.to_pylist():
        said = row["value"] or ""
        keys[row["lead_id"]] |= {"account_id": {said}, "email": {company_domain(said) or ""}}.get(
            row["field"], set()
        )
    chosen = random.Random(seed).sample(LEADS, 2)
    near = [name for name in LEADS if name in chosen or any(keys[name] & keys[one] - {""} for one in chosen)]

    def of(table: Any, names: list[str]) -> Any:
        return table.filter(pc.is_in(table["lead_id"], value_set=pa.array(names)))

    part = Inputs(
        of(whole.points, chosen), of(whole.leads, near), of(whole.changes, near), of(whole.activities, near)
    )
    rows = built(part)
    assert len(rows) == 6
    assert rows == [full[row["lead_id"], row["as_of"]] for row in rows]


def test_a_lead_alone_on_an_engine_kept_open_gets_bit_for_bit_what_it_gets_among_all() -> None:
    """Every lead of a world, one after the other as they are touched, three moments each; the engine is left as it was."""
    whole = worlds([3])
    full = build(connect(), worlds([2, 3]), FACTS)
    engine = connect()
    for name in whole.leads["lead_id"].to_pylist():
        points, expected = (table.filter(pc.equal(table["lead_id"], name)) for table in (whole.points, full))
        found = build(engine, Inputs(points, whole.leads, whole.changes, whole.activities), FACTS)
        assert found.num_rows == 3
        assert found.equals(expected.combine_chunks())
        assert engine.raw_sql("FROM duckdb_tables()").fetchall() == []
