"""Any file of leads becomes a world whose open leads keep their outcome to themselves."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import InputError
from connector.playground.world.csv import read_table
from connector.playground.world.mapping import TableMapping, read_mapping, write_mapping
from connector.playground.world.proposal import CLOCK, doubts, keep, propose
from connector.playground.world.table import from_table, load

MAPPING = """
name = "small"
id = "Id"
blanks = ["", "Select"]
[outcome]
column = "Won"
won = ["yes"]
lost = ["no"]
amount = "Worth"
[held_out]
share = 0.25
seed = 1
[blanks_of]
Gap = ["999"]
[lead]
source = "From"
[columns]
gap = { column = "Gap", type = "number" }
call_ok = { column = "Call ok", type = "flag" }
[left_out]
Tags = "filled afterwards"
"""
HEADER = "Id,From,Gap,Call ok,Tags,Worth,Won\n"


def _write(folder: Path, body: str, mapping: str = MAPPING) -> tuple[Path, Path]:
    (folder / "leads.csv").write_text(HEADER + body)
    (folder / "map.toml").write_text(mapping)
    return folder / "leads.csv", folder / "map.toml"


def test_rows_become_ended_and_open_leads(tmp_path: Path) -> None:
    rows = "".join(
        f"{i},{'Select' if i % 2 else 'Google, ads'!r},{999 if i % 3 else 7.5},No,t,{i}00,{'yes' if i % 4 else 'no'}\n"
        for i in range(40)
    ).replace("'", '"')
    world, truth = load(*_write(tmp_path, rows))
    states = Counter(person.status for person in world.people)
    assert states["new"] == 10
    assert states["converted"] == len(world.deals)
    held = {key for key, cause in truth.cause.items() if cause == "held out"}
    assert {person.key for person in world.people if person.status == "new"} == held
    first, third = world.people[0], world.people[2]
    assert first.fields == {"source": "Google, ads", "gap": 7.5, "call_ok": False}
    assert third.fields["gap"] is None
    assert world.people[1].fields["source"] is None
    assert [column.type for column in world.columns] == ["number", "flag"]
    # what the org holds of a held-out lead is the same whether it won or not
    assert not any(change.key in held for change in world.changes)
    assert not any(set(deal.people) & held for deal in world.deals)
    assert {truth.probability[key] for key in held} == {0.0, 1.0}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("1,a,5,no,t,1,yes\n2,b,5\n", "line 3: 3 values where the header has 7"),
        ("1,a,five,no,t,1,yes\n", "line 2, Gap: 'five' is not a number"),
        ("1,a,5,perhaps,t,1,yes\n", "line 2, Call ok: 'perhaps' is not a flag"),
        (
            "1,a,5,no,t,1,yes\n2,a,5,no,t,1,may be\n",
            "line 3, Won: 'may be' is neither won .yes. nor lost .no.",
        ),
        ("", "has a header and no rows"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_line(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load(*_write(tmp_path, body))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('Tags = "filled afterwards"', "", "says nothing about columns of leads.csv: Tags"),
        ('source = "From"', 'source = "Whence"', "does not have: Whence"),
        ('source = "From"', 'origin = "From"', "no field origin"),
        ("gap = {", "Gap = {", "small letters"),
        ("gap = {", "city = {", "can't be named city"),
        ("share = 0.25", "share = 25", "held_out.share"),
        ("[outcome]", "[outcome", "not TOML"),
    ],
)
def test_a_fault_in_the_mapping_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load(*_write(tmp_path, "1,a,5,no,t,1,yes\n", MAPPING.replace(old, new)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"a,,b\n1,2,3\n", "column 2 has no name"),
        (b"a,a\n1,2\n", "two columns named a"),
        (b"a,b\n1,2\ncaf\xe9,2\n", "line 3: not UTF-8"),
        (b"\x1f\x8bnot really", "can't be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(InputError, match=says):
        read_table(tmp_path / "x.csv")


def test_separators_byte_order_mark_quotes_and_gzip(tmp_path: Path) -> None:
    text = '\ufeffname;said\nAda;"one;\ntwo"\n'
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert read_table(tmp_path / "x.csv.gz").to_pydict() == {"name": ["Ada"], "said": ["one;\ntwo"]}


def test_a_proposal_finds_outcome_ids_blanks_and_leaks(tmp_path: Path) -> None:
    rows = []
    for i in range(400):
        won = i * 7919 % 10 < 3
        rows.append(
            f"id-{i},{i % 50},{'Select' if i % 3 else 'web'},{999 if i % 2 else i % 9},"
            f"{'paid' if won else 'none yet'},EU,{int(won)}"
        )
    text = "key,age,origin,pdays,invoice,region,Converted\n" + "\n".join(rows)
    (tmp_path / "x.csv").write_text(text)
    table = read_table(tmp_path / "x.csv")
    mapping = propose(table, "x")
    assert mapping.outcome.column == "Converted"
    assert mapping.outcome.won == ["1"]
    assert mapping.id == "key"
    assert "Select" in mapping.blanks
    assert mapping.blanks_of == {"pdays": ["999"]}
    assert "knows the outcome too well" in mapping.left_out["invoice"]
    assert mapping.left_out["region"] == "the same on every row"
    assert {name: of.type for name, of in mapping.columns.items()} == {
        "age": "number", "origin": "choice", "pdays": "number",
    }  # fmt: skip
    (tmp_path / "m.toml").write_text(write_mapping(mapping))
    assert read_mapping(tmp_path / "m.toml") == mapping
    from_table(table, mapping)


def test_without_an_outcome_the_proposal_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match=r"\[outcome\]"):
        propose(read_table(tmp_path / "x.csv"))


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=3, max_size=20), st.booleans())
def test_any_table_that_can_be_written_can_be_read_and_proposed(rows: list[list[str]], zipped: bool) -> None:
    import csv
    import io
    import tempfile

    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c", "won"])
    for i, row in enumerate(rows):
        writer.writerow([*row, "yes" if i % 2 else "no"])
    data = out.getvalue().encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(gzip.compress(data) if zipped else data)
        table = read_table(path)
    assert table.num_rows == len(rows)
    mapping = propose(table)
    assert isinstance(mapping, TableMapping)
    world, _ = from_table(table, mapping)
    assert len(world.people) == len(rows)


SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.real_data
def test_the_shipped_mapping_fits_its_file() -> None:
    file, name = SHARED / "leads/x_education.csv", Path("x_education")
    if not file.exists():
        pytest.skip("needs ../shared/data")
    world, truth = load(file, name)
    assert len(world.people) == 9240
    assert sum(cause == "held out" for cause in truth.cause.values()) == 1848
    leaks = {"Tags", "Last Activity", "Lead Quality"}
    assert leaks <= set(read_mapping(name).left_out)
    assert leaks <= set(propose(read_table(file)).left_out)


@pytest.mark.real_data
def test_a_real_file_without_a_mapping_is_proposed_sanely() -> None:
    file = SHARED / "bank-calls/calls.csv.gz"
    if not file.exists():
        pytest.skip("needs ../shared/data")
    mapping = propose(read_table(file))
    assert (mapping.outcome.column, mapping.outcome.won, mapping.outcome.lost) == ("y", ["yes"], ["no"])
    assert mapping.id == "call_no"
    assert list(doubts(mapping)) == ["duration"]
    clocks = {column for column, why in mapping.left_out.items() if why.startswith(CLOCK)}
    assert clocks == {"year", "emp_var_rate", "cons_price_idx", "cons_conf_idx", "euribor3m", "nr_employed"}
    assert mapping.blanks_of == {"pdays": ["999"]}
    assert {"unknown", "nonexistent"} <= set(mapping.blanks)
    types = {of.column: of.type for of in mapping.columns.values()}
    assert {c for c, type in types.items() if type == "number"} == {"age", "campaign", "pdays", "previous"}
    assert types["default"] == "choice"  # it has blanks, which a checkbox can't
    assert "duration" in keep(mapping, read_table(file), "duration").used()


def test_a_date_is_read_as_people_write_it_and_proposed_where_it_is_one(tmp_path: Path) -> None:
    rows = [f"{n % 9 + 1}.7.2026,{'soon' if n % 2 else 'later'},{n % 7 // 5}" for n in range(90)]
    (tmp_path / "leads.csv").write_text("\n".join(["Need by,Go live,Converted", *rows]))
    proposed = propose(read_table(tmp_path / "leads.csv"))
    assert proposed.lead == {"needed_by": "Need by"}
    assert [of.column for of in proposed.columns.values()] == ["Go live"]
    world, _ = from_table(read_table(tmp_path / "leads.csv"), proposed)
    assert {person.fields["needed_by"] for person in world.people} == {
        f"2026-07-0{day}" for day in range(1, 10)
    }


def test_a_date_column_of_a_files_own_takes_nothing_else(tmp_path: Path) -> None:
    mapping = MAPPING.replace('type = "number" }', 'type = "date" }').replace(
        'Gap = ["999"]', 'Gap = ["none"]'
    )
    world, _ = load(*_write(tmp_path, "1,Web,2026-01-31,No,t,1,yes\n2,Web,none,No,t,1,no\n", mapping))
    assert [person.fields["gap"] for person in world.people] == ["2026-01-31", None]
    with pytest.raises(InputError, match="line 2, Gap: '2026-02-30' is not a date"):
        load(*_write(tmp_path, "1,Web,2026-02-30,No,t,1,yes\n", mapping))
