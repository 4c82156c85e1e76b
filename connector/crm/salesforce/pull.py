"""Reading what is new.

The trouble: a change's stamp is set when it is made and seen when its transaction is committed, so rows turn up late, with
stamps below the cursor (FACTS 5); stamps have seconds at best, and thousands of rows may share one. Asking for "newer than
the cursor" loses both. So each pass looks again at an overlap before the cursor, which must cost nothing when nothing is new:

1. One query a stream, five queries a call, asks for everything since cursor - OVERLAP, *newest first*. Its first page
   (2,000 rows) and `totalSize`, the number in the whole overlap, come together.
2. Rows of that page older than the cursor's own second are left out when the store has them with the same stamp. Rows of
   that very second could have changed again within it unseen, so the page's fingerprint decides: the same content as
   last time is no news, else they are given again (taking a row in twice changes nothing).
3. When the overlap is longer than a page, which it is for ten minutes after we have pushed 5,000 scores ourselves, the
   rest isn't paged through again. What the store knows of the rest is cut into slices of 1,900 rows by (stamp, id), and
   ids and stamps of each are asked for, five slices a call: each changed or late row shows, and is then read whole.
   If the slices don't add up to `totalSize`, or little of the rest is known (a mass change), it is paged through after all.
4. History rows never change, and the store can't say which it has; but they can be counted: when as many rows are new
   beyond the cursor as `totalSize` has grown by, none came late.

Backfill is plain REST paging, oldest first: 2,000 rows a call, resumable at any row by key. Bulk 2.0 needs at least four
calls a job, can't be ordered without losing its chunking (FACTS 7), and so resumes only by job: REST is fewer calls below
8,000 rows a stream and about 25 calls per 50,000 rows beyond, against a daily allowance of 100,000; so there is one way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.crm.base import CRMError, Known, Page
from connector.crm.salesforce import soql
from connector.crm.salesforce.api import QUERIES_A_CALL, Api, ok
from connector.crm.salesforce.cursor import Cursor, fingerprint
from connector.crm.salesforce.fields import moment
from connector.crm.salesforce.records import Row
from connector.crm.salesforce.soql import Key
from connector.crm.salesforce.sources import Source

OVERLAP = timedelta(minutes=10)
"""Longer than the longest transaction: Salesforce stops those after 10 minutes."""

SLICE = 1_900
"""Known rows a slice: with a few more that came late it still fits a page of 2,000."""

IDS_A_QUERY = 400


def pull(
    api: Api, sources: Sequence[Source], cursors: Mapping[str, str | None], known: Known
) -> Iterator[Page]:
    """Pages of the streams named in `cursors`. A stream that is refused doesn't stop the others: its error comes last."""
    refused: list[CRMError] = []
    passes: list[tuple[Source, Cursor]] = []
    for source in sources:
        if source.stream.name not in cursors:
            continue
        cursor = Cursor.parse(cursors[source.stream.name])
        if cursor.filling:
            yield from backfill(api, source, cursor)
        else:
            passes.append((source, cursor))
    for start in range(0, len(passes), QUERIES_A_CALL):
        some = passes[start : start + QUERIES_A_CALL]
        asked = [
            (soql.recent(source, cursor.key[0] - OVERLAP if cursor.key else None), source.deleted_too)
            for source, cursor in some
        ]
        answers = api.queries(asked, what=f"reading {', '.join(s.stream.name for s, _ in some)}")
        for (source, cursor), answer in zip(some, answers, strict=True):
            if isinstance(answer, CRMError):
                refused.append(answer)
            else:
                yield from Pass(api, source, cursor, known).pages(answer)
    if refused:
        raise refused[0]


def backfill(api: Api, source: Source, cursor: Cursor) -> Iterator[Page]:
    what = f"reading {source.stream.name}"
    key = cursor.key
    answer = api.query(soql.onward(source, key), what=what, deleted_too=source.deleted_too)
    while True:
        rows = answer["records"]
        if rows:
            key = _key(source, rows[-1])
        done = answer["done"]  # a short page means nothing: only `done` tells
        yield source.page(str(Cursor(key, filling=not done)), rows)
        if done:
            return
        answer = api.more(answer["nextRecordsUrl"], what=what)


class Pass:
    """One look at one stream that was read before."""

    def __init__(self, api: Api, source: Source, cursor: Cursor, known: Known) -> None:
        self._api, self._source, self._cursor = api, source, cursor
        self._what = f"reading {source.stream.name}"
        self._since = cursor.key[0] - OVERLAP if cursor.key else None
        self._second = cursor.key[0].replace(microsecond=0) if cursor.key else None
        self._known: Mapping[str, datetime] = {}
        if self._since is not None and not source.history:
            self._known = known(source.stream.name, self._since)

    def pages(self, first: Mapping[str, Any]) -> Iterator[Page]:
        """From the answer to the first query."""
        rows: list[Row] = first["records"]
        if not rows:
            yield self._source.page(str(self._cursor), ())
            return
        newest = max(filter(None, (self._cursor.key, _key(self._source, rows[0]))))
        if self._source.history:
            yield from self._history(first, newest)
        else:
            yield from self._rows(first, newest)

    # -- rows that change: known by the store --

    def _rows(self, first: Mapping[str, Any], newest: Key) -> Iterator[Page]:
        rows: list[Row] = first["records"]
        old = str(self._cursor)
        late: list[Row] = []
        doubtful: list[Row] = []
        if not first["done"]:
            found = self._slices(first)
            if found is not None:
                late, doubtful = found
            else:
                for page in self._rest(first):
                    doubtful += [row for row in page if self._at(row) >= newest[0].replace(microsecond=0)]
                    yield self._source.page(old, [row for row in page if not self._is_known(row)])
        seen = self._seen([*rows, *doubtful], newest)
        news = late
        if self._cursor.key != newest or seen != self._cursor.seen:
            news = [row for row in (*rows, *doubtful) if not self._is_known(row)] + late
        yield self._source.page(str(Cursor(newest, seen=seen)), news)

    def _is_known(self, row: Row) -> bool:
        at = self._at(row)
        return self._second is not None and at < self._second and self._known.get(row["Id"]) == at

    def _seen(self, rows: Sequence[Row], newest: Key) -> str:
        """Fingerprint of what the next pass will see again on its first page."""
        return fingerprint([row for row in rows if self._at(row) >= newest[0] - OVERLAP])

    def _slices(self, first: Mapping[str, Any]) -> tuple[list[Row], list[Row]] | None:
        """Rows beyond the first page that are late or changed, and those of the cursor's own second. None: look at all."""
        if self._since is None or self._second is None:
            return None
        edge = _key(self._source, first["records"][-1])
        left = first["totalSize"] - len(first["records"])
        keys = sorted((at, id) for id, at in self._known.items() if (at, id) < edge and ":" not in id)
        if len(keys) < left / 2:
            return None
        cuts = [*keys[SLICE - 1 : -1 : SLICE], edge]
        lows: list[Key | datetime] = [self._since, *cuts[:-1]]
        asked = [
            (soql.slice_(self._source, low, high), self._source.deleted_too)
            for low, high in zip(lows, cuts, strict=True)
        ]
        answers = [ok(answer) for answer in self._api.queries(asked, what=self._what)]
        thin = [row for answer in answers for row in answer["records"] if row["Id"] != edge[1]]
        if len(thin) != left or not all(answer["done"] for answer in answers):
            return None
        late = [row["Id"] for row in thin if not self._is_known(row) and self._at(row) < self._second]
        doubtful = [row["Id"] for row in thin if self._at(row) >= self._second]
        whole = {row["Id"]: row for row in self._by_id([*late, *doubtful])}
        return [whole[i] for i in late if i in whole], [whole[i] for i in doubtful if i in whole]

    def _by_id(self, ids: Sequence[str]) -> list[Row]:
        asked = [
            (soql.by_id(self._source, ids[start : start + IDS_A_QUERY]), self._source.deleted_too)
            for start in range(0, len(ids), IDS_A_QUERY)
        ]
        rows: list[Row] = []
        for answer in self._api.queries(asked, what=self._what):
            rows += ok(answer)["records"]
            while not answer["done"]:
                answer = self._api.more(answer["nextRecordsUrl"], what=self._what)
                rows += answer["records"]
        return rows

    # -- history: counted --

    def _history(self, first: Mapping[str, Any], newest: Key) -> Iterator[Page]:
        rows: list[Row] = first["records"]
        total, before, key = first["totalSize"], self._cursor.count, self._cursor.key
        fresh = [row for row in rows if key is None or _key(self._source, row) > key]
        none_late = before is not None and total - before == len(fresh)
        if none_late:
            # Beyond the page the new overlap can't be counted without reading it, unless it is the same one.
            count = self._count(rows, newest) if first["done"] else total if newest == key else None
            yield self._source.page(str(Cursor(newest, count=count)), fresh)
            return
        count = self._count(rows, newest)
        if not first["done"]:
            for page in self._rest(first):
                count += self._count(page, newest)
                yield self._source.page(str(self._cursor), page)
        yield self._source.page(str(Cursor(newest, count=count)), rows)

    def _count(self, rows: Sequence[Row], newest: Key) -> int:
        return sum(self._at(row) >= newest[0] - OVERLAP for row in rows)

    # -- shared --

    def _rest(self, first: Mapping[str, Any]) -> Iterator[list[Row]]:
        answer = first
        while not answer["done"]:
            answer = self._api.more(answer["nextRecordsUrl"], what=self._what)
            yield answer["records"]

    def _at(self, row: Row) -> datetime:
        return moment(row[self._source.stamp])


def _key(source: Source, row: Row) -> Key:
    return moment(row[source.stamp]), row["Id"]
