"""A file of leads with a file of their events: read, refused where it must be, and made a world of real dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connector.demo.file import File, checked, choose, save
from connector.errors import InputError
from connector.playground.world.csv import read_table
from connector.playground.world.dated import load, world
from connector.playground.world.events import Event, EventFile
from connector.playground.world.mapping import EventsOf, KindOf

SHARED = Path(__file__).parents[3] / "shared" / "data"

MAPPING = """
name = "tiny"
id = "id"
created = "made"
horizon_days = 30
[outcome]
column = "ending"
won = ["yes"]
lost = ["no"]
open = [""]
at = "ended"
[columns]
size = { column = "size", type = "number" }
[events]
lead = "id"
text = "what"
owner = "who"
machines = ["0"]
kinds = [ { begins = "S_", kind = "status" }, { begins = "C_", kind = "call" }, { begins = "M_", kind = "email_replied" } ]
[events.status]
"S_open" = "working"
"S_done" = "converted"
"""
HEAD = "id,at,what,who\n"


@pytest.fixture
def given(tmp_path: Path) -> Callable[[str], File]:
    """given(events): 60 leads, of which lead 1 was won on 5 May, and the events."""
    leads = ["id,made,size,ending,ended"]
    for n in range(1, 61):
        ending = "" if n > 50 else "yes" if n % 2 else "no"
        leads.append(f"{n},2026-05-01 08:00,{n},{ending},{'2026-05-05T12:00:00Z' if ending else ''}")
    (tmp_path / "leads.csv").write_text("\n".join(leads))
    (tmp_path / "m.toml").write_text(MAPPING)

    def read(text: str) -> File:
        (tmp_path / "events.csv").write_text(HEAD + text)
        leads, events = tmp_path / "leads.csv", tmp_path / "events.csv"
        table, mapping, origin = choose(leads, tmp_path / "m.toml", events)
        return checked(leads, table, mapping, origin, events)

    return read


STORY = """1,2026-05-01 09:00,S_open,7
1,2026-05-02 10:00+02:00,C_first call,7
1,2026-05-01 08:00,C_robot,0
1,2026-05-06 09:00,S_open,7
1,2026-05-07 09:00,C_later,8
1,2026-05-03 09:00,M_thanks,
2,2026-05-01 09:00,S_mine,7
51,2026-05-09 09:00,S_done,7
"""


def test_events_become_changes_of_status_and_activities(given: Callable[[str], File]) -> None:
    file = given(STORY)
    made, truth = world(file.dated, file.mapping)  # type: ignore[arg-type]
    first = made.people[0]
    assert made.now == datetime(2026, 5, 9, 9, tzinfo=UTC)
    assert (first.status, first.converted_at) == ("converted", datetime(2026, 5, 5, 12, tzinfo=UTC))
    mine = [
        (c.field, c.at.day, c.old, c.new) for c in made.changes if c.key == first.key and c.field == "status"
    ]
    assert mine == [("status", 1, "new", "working"), ("status", 5, "working", "converted")]
    seen = [(t.kind, t.actor, t.at.hour, t.detail["subject"]) for t in made.touches if t.person == first.key]
    assert seen == [
        ("call", "machine", 8, "C_robot"),
        ("call", "person", 8, "C_first call"),
        ("email_replied", "person", 9, "M_thanks"),
        ("call", "person", 9, "C_later"),
    ]
    assert made.touches[2].owner is None, "an answer is the lead's"
    assert {o.name for o in made.owners} >= {"Owner 7", "Owner 8"}
    assert made.people[50].status == "new", "only an outcome ends a lead"
    assert [c.new for c in made.changes if c.key == made.people[1].key] == ["S_mine", "disqualified"]
    assert truth.wins[first.key] == first.converted_at
    assert 0 < truth.probability[made.people[50].key] < 1


def test_where_all_have_ended_the_last_outcomes_are_still_to_come(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    leads = ["id,made,size,ending,ended"]
    for n in range(1, 61):
        day = 1 + n // 3
        leads.append(
            f"{n},2026-05-{day:02d} 08:00,{n},{'yes' if n % 2 else 'no'},2026-05-{day + 3:02d} 08:{n % 60:02d}"
        )
    (tmp_path / "leads.csv").write_text("\n".join(leads))
    (tmp_path / "events.csv").write_text(
        HEAD + "53,2026-05-18 10:00,C_then,7\n53,2026-05-22 12:00,C_later,7\n"
    )
    table, mapping, _ = choose(tmp_path / "leads.csv", tmp_path / "m.toml", tmp_path / "events.csv")
    file = checked(tmp_path / "leads.csv", table, mapping, "given", tmp_path / "events.csv")
    made, truth = world(file.dated, mapping)  # type: ignore[arg-type]
    assert made.now == datetime(2026, 5, 22, 8, 55, tzinfo=UTC)
    later = {p.key for p in made.people if p.status not in ("converted", "disqualified")}
    assert later == {"L000056", "L000057", "L000058", "L000059", "L000060"}
    assert {key for key, at in truth.wins.items() if at > made.now} == {"L000057", "L000059"}
    assert file.as_dict()["open"] == 5
    assert "handed over on 2026-05-22, when 5 were open" in file.as_dict()["notes"][0]
    assert [t.detail["subject"] for t in made.touches] == ["C_then"]
    assert [t.detail["subject"] for t in truth.ahead] == ["C_later"]


def test_what_a_file_holds_is_counted(given: Callable[[str], File]) -> None:
    found = given(STORY).as_dict()
    assert (found["won"], found["lost"], found["open"], found["events"]) == (25, 25, 10, 8)
    assert "as of" in found["held_out_how"]
    assert given(STORY).dated.steps() == [  # type: ignore[union-attr]
        "call: c_first call", "call: c_later", "call: c_robot", "email_replied: m_thanks",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("99,2026-05-02,C_x,7", r"events.csv, line 2, id: '99' is no lead"),
        (
            "1,2026-04-30 23:59,C_x,7",
            r"events.csv, line 2, at: 2026-04-30 23:59 is before its lead 1 came in",
        ),
        ("1,yesterday,C_x,7", r"events.csv, line 2, at: 'yesterday' is no time"),
        ("1,2026-05-02,X_x,7", r"events.csv, line 2, what: 'X_x' begins like no kind"),
    ],
)
def test_a_bad_event_is_one_clear_line(given: Callable[[str], File], line: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        given(line)


WEEKS = "".join(f"{n},2026-05-{2 + n % 8:02d} 10:00,C_call,7\n" for n in range(1, 61))


def _aside(file: File) -> dict[tuple[str, str], int]:
    return {(one["what"], one["reason"]): one["rows"] for one in file.as_dict()["set_aside"]}


def test_events_that_cannot_be_are_set_aside_and_move_nothing(given: Callable[[str], File]) -> None:
    """A wrong date in one row neither ends the run nor makes it 2099."""
    odd = "3,2099-01-01 00:00,C_x,7\n1,2020-01-01,C_x,7\n2,2020-01-01,C_x,7\n99,2026-05-03,C_x,7\n4,soon,C_x,7\n"
    clean, file = given(WEEKS), given(WEEKS + odd)
    assert clean.dated is not None and file.dated is not None  # noqa: PT018
    assert file.dated.now == clean.dated.now == datetime(2026, 5, 9, 10, tzinfo=UTC)
    assert file.dated.events == clean.dated.events
    assert _aside(file) == {
        ("event", "before the lead came in"): 2,
        ("event", "after the files were exported"): 1,
        ("event", "of no lead of the leads' file"): 1,
        ("event", "without a time that can be read"): 1,
    }
    first = file.as_dict()["set_aside"][0]["first"]
    assert (
        first
        == "events.csv, line 63, at: 2020-01-01 is before its lead 1 came in (2026-05-01T08:00:00+00:00)"
    )
    made, _ = world(file.dated, file.mapping)
    assert len(made.touches) == 60


def test_leads_that_cannot_be_are_set_aside_with_their_events(tmp_path: Path) -> None:
    leads = ["id,made,size,ending,ended"]
    for n in range(1, 301):
        made = {5: "2099-01-01 08:00", 6: "1900-01-01", 7: ""}.get(n, f"2026-05-{1 + n % 9:02d} 08:00")
        ended = {5: "2099-02-01", 8: "2020-01-01", 9: "2088-01-01"}.get(n, "2026-05-15 12:00")
        leads.append(f"{n},{made},{n},{'yes' if n % 2 else 'no'},{ended}")
    file = _file(tmp_path, leads, "5,2099-01-02,C_x,7\n10,2026-05-12,C_x,7\n11,2026-05-13,C_x,7\n")
    assert file.dated is not None
    assert file.dated.until == datetime(2026, 5, 15, 12, tzinfo=UTC)
    assert _aside(file) == {
        ("lead", "that came in after the files were exported"): 1,
        ("lead", "that came in before 1990"): 1,
        ("lead", "without a time of creation that can be read"): 1,
        ("lead", "that ended before they came in"): 1,
        ("lead", "that ended after the files were exported"): 1,
        ("event", "of a lead that is set aside"): 1,
    }
    assert file.as_dict()["rows"] == len(file.dated.ids) == 295
    assert file.dated.span == (datetime(2026, 5, 1, 8, tzinfo=UTC), datetime(2026, 5, 15, 12, tzinfo=UTC))
    assert file.rows.extra["size"][4] == 10, "the values are still those of the lead"


def test_the_playground_sets_the_same_rows_aside(given: Callable[[str], File], tmp_path: Path) -> None:
    file = given(WEEKS + "3,2031-01-01 00:00,C_x,7\n")
    saved = save(file.mapping, tmp_path / "saved.toml")
    made, _ = load(tmp_path / "leads.csv", saved, tmp_path / "events.csv")
    assert file.dated is not None
    assert made.now == file.dated.now
    assert len(made.touches) == 60


def test_dates_without_a_time_count_as_within_their_day(given: Callable[[str], File]) -> None:
    file = given("1,2026-05-01,C_first,7\n1,2026-05-04,C_then,7\n51,2026-05-09 09:00,C_x,7\n")
    assert file.dated is not None
    assert not file.dated.aside, "lead 1 came in at 08:00 of that day"
    first, then, _ = (event.at for event in file.dated.events)
    assert first == datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC), "known when the day is over"
    assert then == datetime(2026, 5, 4, 23, 59, 59, tzinfo=UTC)


def test_nothing_is_later_than_today_or_than_the_mapping_says(
    given: Callable[[str], File], tmp_path: Path
) -> None:
    text = WEEKS + "".join(f"{n},2026-06-{n:02d} 10:00,C_planned,7\n" for n in range(1, 21))
    given(text)
    files = (tmp_path / "leads.csv", tmp_path / "m.toml", tmp_path / "events.csv")
    table, mapping, origin = choose(*files)
    today = datetime(2026, 5, 20, tzinfo=UTC)
    file = checked(files[0], table, mapping, origin, files[2], today)
    assert _aside(file) == {("event", "after the files were exported"): 20}
    files[1].write_text(MAPPING.replace("[events]", "[events]\nuntil = 2026-05-08"))
    table, mapping, origin = choose(*files)
    file = checked(files[0], table, mapping, origin, files[2])
    assert file.dated is not None
    assert file.dated.now.date().isoformat() == "2026-05-08", "the day itself counts"


def test_a_file_that_is_mostly_odd_is_refused_with_the_share(given: Callable[[str], File]) -> None:
    with pytest.raises(
        InputError, match=r"line 2, at: .* is before its lead 1 came in .*; 60 of 61 rows \(98%\) can't be"
    ):
        given(WEEKS.replace("2026", "2016") + "1,2026-05-03,C_x,7\n")


def _file(folder: Path, leads: list[str], events: str) -> File:
    (folder / "leads.csv").write_text("\n".join(leads))
    (folder / "m.toml").write_text(MAPPING)
    (folder / "events.csv").write_text(HEAD + events)
    table, mapping, origin = choose(folder / "leads.csv", folder / "m.toml", folder / "events.csv")
    return checked(folder / "leads.csv", table, mapping, origin, folder / "events.csv")


def test_blanks_around_ids_and_utf16_are_read(tmp_path: Path, given: Callable[[str], File]) -> None:
    file = given(" 1,2026-05-02 10:00,C_x,7\n51,2026-05-09 09:00,C_x,7\n")
    assert file.dated is not None
    assert [e.lead for e in file.dated.events] == ["1", "51"]
    (tmp_path / "e.csv").write_text("lead_id,at,kind\n1,2026-05-02,Call\n", encoding="utf-16")
    assert [e.kind for e in _read(tmp_path, EventsOf())] == ["call"]


def test_a_file_of_events_is_spoken_of_as_events(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("lead_id,at,kind\n")
    with pytest.raises(InputError, match="header and no rows") as found:
        EventFile(tmp_path / "e.csv", EventsOf())
    assert found.value.fix == "Export it again, with its events."
    (tmp_path / "leads.csv").write_text("id,won\n1,2\n")
    with pytest.raises(InputError, match="is a folder, not a file"):
        choose(tmp_path / "leads.csv", None, tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("lead_id,when,kind\n1,2026-05-01,call\n")
    with pytest.raises(InputError, match=r"e.csv has no column at; it has lead_id, when, kind"):
        EventFile(tmp_path / "e.csv", EventsOf())


def test_kinds_may_stand_in_a_column_and_events_of_one_moment_have_an_order(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("lead_id,at,kind,n\n1,2026-05-02,Call,2\n1,2026-05-02,task,1\n")
    assert [e.kind for e in _read(tmp_path, EventsOf(order="n"))] == ["task", "call"]
    (tmp_path / "e.csv").write_text("lead_id,at,kind\n1,2026-05-02,dance\n")
    with pytest.raises(InputError, match="'dance' is no kind of event"):
        _read(tmp_path, EventsOf())
    (tmp_path / "e.csv").write_text("lead_id,at,kind\n1,2026-05-02,\n")
    how = EventsOf(text="kind", kinds=[KindOf(begins="", kind="task")])
    assert [e.kind for e in _read(tmp_path, how)] == ["task"]


def _read(folder: Path, how: EventsOf) -> list[Event]:
    """The events of lead 1, which came in on 1 May."""
    created = {"1": datetime(2026, 5, 1, tzinfo=UTC)}
    return EventFile(folder / "e.csv", how).sift(created, datetime(2026, 6, 1, tzinfo=UTC))[0]


def test_leads_without_a_date_of_outcome_are_refused(tmp_path: Path) -> None:
    leads, events = tmp_path / "leads.csv", tmp_path / "events.csv"
    events.write_text(HEAD)
    leads.write_text("id,created,won\n" + "\n".join(f"{n},2026-05-0{n % 5 + 1},{n % 2}" for n in range(60)))
    with pytest.raises(InputError, match=r"Nothing says when a lead of leads.csv ended"):
        choose(leads, None, events)


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    at = pa.array([datetime(2026, 5, 1, 8, tzinfo=UTC), None], pa.timestamp("ms", "UTC"))
    pq.write_table(pa.table({"id": pa.array([7, None], pa.int32()), "at": at}), tmp_path / "x.parquet")
    found = read_table(tmp_path / "x.parquet")
    assert found["id"].to_pylist() == ["7", ""]
    assert datetime.fromisoformat(found["at"].to_pylist()[0]) == datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_outcomes_may_lie_in_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING.replace('at = "ended"', 'at = "ended"\nfile = "ends.csv"'))
    (tmp_path / "leads.csv").write_text("id,made,size\n" + "\n".join(f"{n},2026-05-01,1" for n in range(60)))
    ends = "id,ending,ended\n" + "\n".join(f"{n},{'yes' if n % 2 else 'no'},2026-05-03" for n in range(60))
    (tmp_path / "ends.csv").write_text(ends)
    (tmp_path / "events.csv").write_text(HEAD + "1,2026-05-02,C_x,7\n")
    table, mapping, _ = choose(tmp_path / "leads.csv", tmp_path / "m.toml", tmp_path / "events.csv")
    file = checked(tmp_path / "leads.csv", table, mapping, "given", tmp_path / "events.csv")
    assert file.as_dict()["won"] == 30
    (tmp_path / "ends.csv").write_text(ends.rsplit("\n", 1)[0])
    with pytest.raises(InputError, match=r"line 61: ends.csv has no outcome of this lead"):
        choose(tmp_path / "leads.csv", tmp_path / "m.toml", tmp_path / "events.csv")


@pytest.mark.real_data
def test_the_shipped_mapping_reads_the_real_loan_applications() -> None:
    leads, events = (SHARED / "loan-applications" / f"{name}.parquet" for name in ("cases", "events"))
    if not leads.exists():
        pytest.skip("needs ../shared/data")
    table, mapping, origin = choose(leads, None, events)
    file = checked(leads, table, mapping, origin, events)
    found = file.as_dict()
    assert (origin, found["rows"], found["won"], found["open"], found["events"]) == (
        "shipped", 9195, 1614, 293, 185_369,
    )  # fmt: skip
    made, _ = world(file.dated, mapping)  # type: ignore[arg-type]
    ended = {p.key: p.modified_at for p in made.people if p.status in ("converted", "disqualified")}
    assert len(ended) == 9195 - 293
    assert all(c.at <= ended.get(c.key, made.now) for c in made.changes)
