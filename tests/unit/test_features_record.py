"""The record as known at a time, in comparable words; and what is refused at the door."""

from __future__ import annotations

from math import log1p, sqrt
from typing import Any

import pyarrow as pa
import pytest

from scoring.features import Fact, InputError, Inputs, build, catalogue, connect
from scoring.features.inputs import checked_facts
from scoring.features.normalise import (
    channel,
    country,
    domain,
    email_kind,
    free_mail,
    industry,
    referred,
    source,
)
from scoring.features.titles import function, seniority
from tests.unit.feature_days import FACTS, TIME, built, by_lead, change, inputs, lead, point, touch


def test_a_fact_holds_from_its_change_until_the_next_and_a_blank_ends_it() -> None:
    rows = built(
        inputs(
            [lead("L", 60)],
            changes=[
                change("L", "employees", 60, None),
                change("L", "employees", 40, "80"),
                change("L", "employees", 20, "1200"),
                change("L", "employees", 10, " N/A "),
                change("L", "industry", 30, "COMPUTER_SOFTWARE"),
            ],
            points=[point("L", days) for days in (50, 40, 15, 5, 70)],
        )
    )
    assert [row["employees"] for row in rows] == [None, 80, 1200, None, None]
    assert [row["size_band"] for row in rows] == [None, "50-99", "1000-4999", None, None]
    assert rows[2]["log_employees"] == pytest.approx(log1p(1200), abs=1e-6)
    assert [row["industry"] for row in rows] == [None, None, "software", "software", None]
    assert [row["completeness"] for row in rows] == [0, 1 / 8, 2 / 8, 1 / 8, 0]


def test_facts_of_every_type_and_the_awkward_ones() -> None:
    given = {
        "plain": {
            "seats": "1,200",
            "pilot": "true",
            "product_interest": "  Big   Connect ",
            "title": "V.P. Sales",
        },
        "band": {
            "seats": "51-200",
            "pilot": "false",
            "product_interest": "Select",
            "annual_revenue": "$ 5000",
        },
        "odd": {"seats": "-3", "pilot": "perhaps", "employees": "-1", "annual_revenue": "inf"},
        "more": {"seats": "1000+", "hand_raiser": "true", "opted_out": "false", "employees": "0"},
    }
    changes = [change(name, f, 60, v) for name, facts in given.items() for f, v in facts.items()]
    rows = by_lead(inputs([lead(name) for name in given], changes=changes))
    assert [rows[n]["fact_seats"] for n in given] == [1200, pytest.approx(sqrt(51 * 200), abs=1e-6), -3, 1000]
    assert [rows[n]["fact_pilot"] for n in given] == [1, 0, None, None]
    assert [rows[n]["fact_product_interest"] for n in given] == ["big connect", None, None, None]
    assert (rows["plain"]["function"], rows["plain"]["seniority"]) == ("sales", "vp")
    assert rows["band"]["log_annual_revenue"] == pytest.approx(log1p(5000), abs=1e-6)
    assert rows["odd"]["log_employees"] is None
    assert rows["odd"]["log_annual_revenue"] is None
    assert (rows["more"]["log_employees"], rows["more"]["size_band"]) == (0, "1-9")
    assert (rows["more"]["hand_raiser"], rows["more"]["opted_out"]) == (1, 0)
    assert rows["plain"]["hand_raiser"] is None


NUMBERS = {
    "1200": 1200, "1.5": 1.5, "-3": -3, "1e5": 1e5, ".5": 0.5, "1,200": 1200, "1,234,567.89": 1234567.89, "12,34,567": 1234567,
    "2.500.000": 2_500_000, "1.234,56": 1234.56, "1.234.567,8": 1234567.8, "1,5": 1.5, "0,125": 0.125, "12,50": 12.5, "1'200": 1200,
    "€ 1.234,50": 1234.5, "~500": 500, "> 1000": 1000, "≥1,000": 1000, "ca. 500": 500, "1k": 1000, "2,5 Mio": 2.5e6, "1.5M": 1.5e6,
    "$2bn": 2e9, "51-200": sqrt(51 * 200), "1,001–5,000": sqrt(1001 * 5000), "10k-50k": sqrt(1e4 * 5e4), "10,000+": 10_000,
    "1,2,3": None, "1.2.3": None, "k": None, "500 people": None, "1_000": None, "10d": None, "inf": None, "-": None,
}  # fmt: skip


def test_numbers_are_read_as_people_write_them() -> None:
    changes = [change(text, "seats", 60, text) for text in NUMBERS]
    rows = by_lead(inputs([lead(text) for text in NUMBERS], changes=changes))
    read = {text: rows[text]["fact_seats"] for text in NUMBERS}
    assert read == pytest.approx(NUMBERS)


def test_people_and_money_come_without_thousandths() -> None:
    """ "1.200" is 1.2 of a ratio, and twelve hundred people."""
    given = {"employees": "1.200", "seats": "1.200", "annual_revenue": "12.500"}
    row = by_lead(
        inputs([lead("L")], changes=[change("L", field, 60, text) for field, text in given.items()])
    )["L"]
    assert (row["employees"], row["size_band"], row["fact_seats"]) == (1200, "1000-4999", 1.2)
    assert row["log_annual_revenue"] == pytest.approx(log1p(12_500), abs=1e-6)


def test_of_two_changes_at_one_moment_the_same_holds_in_either_order() -> None:
    both = [change("L", "employees", 30, "80"), change("L", "employees", 30, None)]
    for changes in (both, both[::-1]):
        assert by_lead(inputs([lead("L")], changes=changes))["L"]["employees"] == 80


def test_the_address_counts_from_when_it_was_known() -> None:
    rows = built(
        inputs(
            [lead("L", email="new@acme.com"), lead("M", email="m@acme.com")],
            [touch("M", "page_view", 16), touch("M", "page_view", 4)],
            [change("L", "email", 60, None), change("L", "email", 10, "new@acme.com")],
            [point("L", 15), point("L", 3)],
        )
    )
    assert [row["email_kind"] for row in rows] == [None, "company"]
    assert [row["colleagues_engaged_30d"] for row in rows] == [None, 1]


def test_the_table_is_the_catalogue_in_order_and_type() -> None:
    table = build(connect(), inputs([lead("L")]), FACTS)
    features = catalogue(FACTS)
    assert table.column_names == ["lead_id", "as_of", *(feature.name for feature in features)]
    for feature in features:
        assert table.schema.field(feature.name).type == (
            pa.float64() if feature.type == "number" else pa.string()
        )
        assert feature.label
        assert feature.definition
    assert table.schema.field("as_of").type == TIME


def test_a_fact_that_is_not_listed_feeds_no_model_feature() -> None:
    rows = by_lead(
        inputs([lead("L")], changes=[change("L", "title", 60, "CEO"), change("L", "employees", 60, "5000")]),
        (),
    )
    model = {feature.name for feature in catalogue(()) if feature.role == "model"}
    assert not model & {"function", "seniority", "functions_engaged_30d", "log_employees", "size_band"}
    assert rows["L"]["employees"] == 5000  # for routing
    assert rows["L"]["completeness"] is None


def test_no_leads_no_rows() -> None:
    assert build(connect(), inputs([]), FACTS).num_rows == 0


@pytest.mark.parametrize(
    "name", ["status", "owner_id", "deal_id", "contact_id", "converted_at", "candor_score"]
)
def test_the_outcome_never_describes_a_lead(name: str) -> None:
    with pytest.raises(InputError, match=f"`{name}` may not describe a lead"):
        Fact(name, "text", name)


def test_what_breaks_the_contract_is_named() -> None:
    good = inputs([lead("L"), lead("M")], [touch("L", "page_view", 1)])

    def refused(**tables: Any) -> str:
        with pytest.raises(InputError) as error:
            built(Inputs(**{name: tables.get(name, getattr(good, name)) for name in Inputs.__slots__}))
        return str(error.value)

    assert "`changes` has no column `value`" in refused(changes=good.changes.drop_columns(["value"]))
    assert "leads` repeats 2 row(s)" in refused(leads=pa.concat_tables([good.leads, good.leads]))
    assert "1 point(s) name a lead" in refused(leads=good.leads.slice(1))
    assert "times must be" in refused(points=good.points.set_column(1, "as_of", pa.array([1, 2])))
    robots = good.activities.drop_columns(["actor"]).append_column("actor", pa.array(["robot"]))
    assert "`activities.actor` holds robot; it must be one of machine, person, unsure" in refused(
        activities=robots
    )
    with pytest.raises(InputError, match="listed twice"):
        checked_facts([Fact("title", "text", "a"), Fact("Title", "text", "b")])


def test_tables_on_the_engine_say_the_same_as_arrow_tables() -> None:
    given = inputs(
        [lead("L", email="l@acme.com"), lead("M", email="m@acme.com")], [touch("M", "page_view", 1)]
    )
    con = connect()
    there = [
        con.create_table(name, getattr(given, name), temp=True) for name in ("leads", "changes", "activities")
    ]
    assert build(con, Inputs(given.points, *there), FACTS) == build(connect(), given, FACTS)
    with pytest.raises(InputError, match="name a lead"):
        build(con, Inputs(given.points, there[0].filter(there[0].lead_id == "L"), *there[1:]), FACTS)
    with pytest.raises(InputError, match="it must be one of"):
        build(con, Inputs(given.points, *there[:2], there[2].mutate(actor=there[2].kind)), FACTS)
    with pytest.raises(InputError, match="`leads` repeats 2 row"):
        build(con, Inputs(given.points, there[0].union(there[0]), *there[1:]), FACTS)
    with pytest.raises(InputError, match="`changes` has no column `at`"):
        build(con, Inputs(given.points, there[0], there[1].drop("at"), there[2]), FACTS)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Vice President of Sales", ("sales", "vp")),
        ("C.T.O. & Co-Founder", ("executive", "c_level")),
        ("Dir. IT", ("technical", "director")),
        ("product owner", ("business", "individual")),
        ("Assistant to the CEO", ("operations", "individual")),
        ("Leiterin Einkauf", ("operations", "director")),
        ("MARKETING MANAGER", ("marketing", "manager")),
        ("Financial controller", ("finance", "manager")),
        ("PhD student", ("student", "individual")),
        ("HR intern", ("business", "intern")),
        ("Falconer", ("other", "individual")),
        ("xxx", ("unknown", None)),
        ("test", ("unknown", None)),
    ],
)
def test_job_titles(title: str, expected: tuple[str, str | None]) -> None:
    assert (function(title), seniority(title)) == expected


def test_sources_industries_and_countries_join_spellings_and_keep_the_unseen() -> None:
    assert [source(text) for text in ("Web", "WEB_SITE", "web-site", "Carrier pigeon")] == [
        "website", "website", "website", "carrier pigeon",
    ]  # fmt: skip
    assert [
        channel(text)
        for text in (
            "Partner Referral",
            "Customer referral",
            "Trade Show",
            "PAID_SEARCH",
            "Cold call",
            "ORGANIC_SEARCH",
        )
    ] == ["partner", "referral", "event", "paid", "outbound", "inbound"]
    assert channel("Carrier pigeon") == "other"
    assert [industry(text) for text in ("SaaS", "COMPUTER_SOFTWARE", "Kelp Farming ")] == [
        "software", "software", "kelp farming",
    ]  # fmt: skip
    assert [country(text) for text in ("U.S.A.", "DE", "Ruritania")] == [
        "united states",
        "germany",
        "ruritania",
    ]
    assert [referred(text) for text in ("A colleague", "my boss told me", "Google")] == ["1", "1", "0"]


def test_addresses() -> None:
    assert domain("Ada@Mail.Acme.co.uk") == "acme.co.uk"
    assert [email_kind(text) for text in ("a@acme.com", "a@yahoo.co.uk", "a@web.de", "call me", "a@localhost")] == [
        "company", "free", "free", "none", "none",
    ]  # fmt: skip
    assert all(domain(f"a@{name}") == name for name in free_mail())
