"""Whatever shows when, in whatever order: after a pass the store has what the org has, and a quiet pass brings nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.crm.base import Record, Stream
from connector.crm.salesforce import pull as pulling
from connector.crm.salesforce.fields import moment, stamp
from connector.crm.salesforce.sources import Source

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
PAGE, SLICE = 7, 4
_TERM = re.compile(r"(SystemModstamp|Id) (>=|<=|>|<|=) ('[^']*'|\S+?)(?=[ )]|$)")


class Org:
    """Rows with stamps of whole seconds, asked in the SOQL of soql.py, answered in small pages."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[datetime, int]] = {}
        self.calls = 0
        self._open: dict[str, list[dict[str, Any]]] = {}

    def queries(self, soqls: Sequence[tuple[str, bool]], *, what: str) -> list[Any]:
        self.calls += (len(soqls) + 4) // 5
        return [self._page(self._matching(text)) for text, _ in soqls]

    def query(self, text: str, *, what: str, deleted_too: bool) -> Any:
        self.calls += 1
        return self._page(self._matching(text))

    def more(self, url: str, *, what: str) -> Any:
        self.calls += 1
        total, rows = url.split("/")[0], self._open.pop(url)
        return self._page(rows, int(total))

    def _page(self, rows: list[dict[str, Any]], total: int | None = None) -> dict[str, Any]:
        total = len(rows) if total is None else total
        page: dict[str, Any] = {"totalSize": total, "done": len(rows) <= PAGE, "records": rows[:PAGE]}
        if rows[PAGE:]:
            page["nextRecordsUrl"] = f"{total}/{len(self._open)}/{self.calls}"
            self._open[page["nextRecordsUrl"]] = rows[PAGE:]
        return page

    def _matching(self, text: str) -> list[dict[str, Any]]:
        where = text.partition(" WHERE ")[2].partition(" ORDER BY ")[0]
        rows = [
            {"Id": id, "SystemModstamp": stamp(at), "CreatedDate": stamp(START), "V": v}
            for id, (at, v) in self.rows.items()
            if not where or self._holds(where, id, at)
        ]
        return sorted(rows, key=lambda r: (r["SystemModstamp"], r["Id"]), reverse="DESC" in text)

    @staticmethod
    def _holds(where: str, id: str, at: datetime) -> bool:
        if listed := re.fullmatch(r"Id IN \((.*)\)", where):
            return f"'{id}'" in listed[1]

        def term(m: re.Match[str]) -> str:
            mine: Any = at if m[1] == "SystemModstamp" else id
            theirs: Any = moment(m[3]) if m[1] == "SystemModstamp" else m[3].strip("'")
            return str(
                {
                    ">": mine > theirs,
                    ">=": mine >= theirs,
                    "<": mine < theirs,
                    "<=": mine <= theirs,
                    "=": mine == theirs,
                }[m[2]]
            )

        return bool(eval(_TERM.sub(term, where).replace("AND", "and").replace("OR", "or")))


def shape(rows: Sequence[Mapping[str, Any]]) -> Any:
    return [Record("lead", r["Id"], START, moment(r["SystemModstamp"]), {"v": r["V"]}) for r in rows], [], []


SOURCE = Source(
    Stream("leads", "Lead", "records"),
    "Lead",
    ("Id", "SystemModstamp", "V"),
    "SystemModstamp",
    True,
    False,
    shape,
)


class Reader:
    def __init__(self, org: Org) -> None:
        self.org, self.cursor, self.rows = org, None, dict[str, Record]()

    def known(self, stream: str, since: datetime) -> dict[str, datetime]:
        return {i: r.modified_at for i, r in self.rows.items() if r.modified_at >= since}

    def take(self) -> int:
        brought = 0
        for page in pulling.pull(self.org, [SOURCE], {"leads": self.cursor}, self.known):  # type: ignore[arg-type]
            self.rows.update({r.id: r for r in page.records})
            self.cursor = page.cursor
            brought += len(page.records)
        return brought

    def agrees(self) -> bool:
        return {i: (r.modified_at, r.values["v"]) for i, r in self.rows.items()} == self.org.rows


changes = st.tuples(
    st.sampled_from(["now", "late", "same second"]),
    st.integers(0, 30),
    st.integers(0, 500),
    st.integers(1, 12),
)
"""(how, which row, seconds late, how many rows)"""
passes = st.lists(st.tuples(st.lists(changes, max_size=6), st.integers(0, 90)), min_size=1, max_size=8)
"""[(what happens, seconds until the pass), …]"""


@given(st.integers(0, 40), passes)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost(first: int, story: list[tuple[list[Any], int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulling, "SLICE", SLICE)
        org = Org()
        now, value = START, 0
        org.rows = {f"{n:03d}": (START, 0) for n in range(first)}
        reader = Reader(org)
        reader.take()
        assert reader.agrees()
        for happens, wait in story:
            for how, which, late, many in happens:
                for n in range(which, which + many):
                    value += 1
                    before = org.rows.get(f"{n:03d}", (START - timedelta(days=1), 0))[0]
                    at = now - timedelta(seconds=late if how == "late" else 0)
                    # A late transaction holds the row's lock: its stamp lies after the change before it. Within one
                    # second two changes of a row may follow each other only while that second lasts.
                    if at > before or (how == "same second" and before == now):
                        org.rows[f"{n:03d}"] = (at, value)
            now += timedelta(seconds=wait)
            reader.take()
            assert reader.agrees()
        reader.take()
        assert reader.take() == 0
        assert reader.agrees()


def test_a_quiet_overlap_of_many_pages_costs_one_call_for_every_five_slices() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulling, "SLICE", SLICE)
        org = Org()
        reader = Reader(org)
        reader.take()
        org.rows = {f"{n:03d}": (START + timedelta(seconds=n), n) for n in range(PAGE + 5 * SLICE)}
        reader.take()
        before = org.calls
        assert reader.take() == 0
        assert org.calls - before == 2
