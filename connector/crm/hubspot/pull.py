"""What is new: page by page at first (backfill), then by search.

Two streams live on contacts, their records and what they did. They are read together, what they did first, so that a
crash between two pages leaves it at most ahead. When the records alone are asked for, their cursor remembers whose doings
are owed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.crm.base import Known, Page
from connector.crm.hubspot import bins, search
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.cursor import Bin, Cursor, Round
from connector.crm.hubspot.fields import millis, moment
from connector.crm.hubspot.pages import BEHAVED, KINDS, LEADS, STREAMS, Maker, object_of
from connector.crm.hubspot.records import owner
from connector.crm.hubspot.rows import Row, batch_read, chunks, page

GATHER = 500
"""Rows that are gathered before they are handed on, so that associations are asked in few calls."""

_FIRST = ("owners", "reviews")
"""Owners tell whose the user ids in the others' history are; finding the review pipeline takes a bin's turn."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Pass:
    account: Account
    known: Known
    maker: Maker
    contacts_changed: bool = False
    turn_taken: bool = False


def pull(account: Account, cursors: Mapping[str, str | None], known: Known) -> Iterator[Page]:
    account.forget()  # an admin may have changed properties or pipelines since the last pass
    now = _Pass(account, known, Maker(account))
    at = {name: Cursor.parse(text) for name, text in cursors.items()}
    for stream in sorted((s.name for s in STREAMS if s.name in at), key=lambda name: name not in _FIRST):
        cursor = at[stream]
        if stream == "owners":
            yield _owners(now, cursor or Cursor())
            continue
        together: tuple[str, ...] = (stream,)
        if {LEADS, BEHAVED} <= set(at) and _in_step(at[LEADS], at[BEHAVED]):
            if stream == BEHAVED:
                continue
            together = (BEHAVED, LEADS) if stream == LEADS else together
        if stream == "reviews" or (cursor is not None and not cursor.filling):
            yield from _new(now, together, cursor or Cursor())
        else:
            yield from _backfill(now, together, cursor)


def _in_step(leads: Cursor | None, did: Cursor | None) -> bool:
    """Whether reading on from where leads are misses nothing of what they did."""
    if leads is None or did is None:
        return leads is did
    if leads.filling:
        return not did.filling or int(did.after or 0) >= int(leads.after or 0)
    return not did.filling and did.since >= (leads.owed_from or leads.since)


# --- backfill ---


def _backfill(now: _Pass, streams: Sequence[str], cursor: Cursor | None) -> Iterator[Page]:
    """The whole list in order of id, resumable; the window of the first search begins where we began."""
    obj, api = object_of(streams[-1]), now.account.api
    if cursor is None:
        since = search.newest(api, obj)
        cursor = Cursor(since=since, filling=since > 0, bin=Bin(done=since))
        if since == 0:
            yield from _pages(now, streams, [], cursor)
            return
    properties, history = now.maker.wanted(streams)
    while cursor.filling:
        rows: list[Row] = []
        after = cursor.after
        while len(rows) < GATHER:
            more, after = page(api, obj, after, properties, history)
            rows.extend(more)
            if after is None:
                break
        cursor = replace(cursor, after=after, filling=after is not None)
        yield from _pages(now, streams, rows, cursor)


def _pages(
    now: _Pass, streams: Sequence[str], rows: Sequence[Row], cursor: Cursor, deleted: Sequence[Row] = ()
) -> Iterator[Page]:
    for stream in streams:
        yield now.maker.page(stream, rows, cursor, deleted if stream != BEHAVED else ())


# --- what is new ---


def _new(now: _Pass, streams: Sequence[str], cursor: Cursor) -> Iterator[Page]:
    main, api = streams[-1], now.account.api
    obj = object_of(main)
    if main == "reviews" and cursor.pipeline is None:
        now.turn_taken = True
        cursor = replace(cursor, pipeline=now.account.review_pipeline())
        if cursor.pipeline is None:
            yield Page(main, str(cursor))
            return
    since = max(0, cursor.since - search.OVERLAP // timedelta(milliseconds=1))
    have = _have(now, main, min(since, cursor.round.low) if cursor.round.upper else since)
    window = search.Window(api, obj, since, have, cursor.pipeline)
    window.look()
    newest = cursor.since if window.newest is None else max(cursor.since, millis(window.newest))
    second = _second_look(now, window, cursor.round, since, newest)
    if main == LEADS:
        now.contacts_changed = bool(window.changed)
    if main != BEHAVED:
        now.account.watch(obj).pulled(window.newest, {**have, **window.seen})
    deleted: list[Row] = []
    at = cursor.bin
    if main != BEHAVED and bins.due(
        obj, cursor.passes, contacts_changed=now.contacts_changed, taken=now.turn_taken
    ):
        deleted, at = bins.look(api, obj, cursor.bin)
        deleted = _unknown(now, main, deleted)
    after = replace(cursor, since=newest, passes=cursor.passes + 1, bin=at, round=second)
    after = _settle(streams, cursor, after, window)
    properties, history = now.maker.wanted(streams) if window.changed else ([], [])
    parts = list(chunks(window.changed, GATHER)) or [[]]
    for n, ids in enumerate(parts):
        rows = batch_read(api, obj, ids, properties, history) if ids else []
        last = n == len(parts) - 1
        yield from _pages(now, streams, rows, after if last else cursor, deleted if last else ())


def _settle(streams: Sequence[str], before: Cursor, after: Cursor, window: search.Window) -> Cursor:
    """Leads read alone owe what they did; read together they pay."""
    if BEHAVED in streams and LEADS in streams:
        window.changed += [i for i in before.owed if i not in set(window.changed)]
        return replace(after, owed=(), owed_from=0)
    if LEADS in streams:
        owed = tuple(dict.fromkeys([*before.owed, *window.changed]))
        return replace(after, owed=owed, owed_from=before.owed_from or before.since)
    return after


def _second_look(now: _Pass, window: search.Window, at: Round, since: int, newest: int) -> Round:
    """One page of the round that is on, in place of a bin's turn; a new round when rows were left out as known since the
    last one began."""
    if at.upper:
        if now.turn_taken:
            return at
        now.turn_taken = True
        return replace(at, upper=window.again(at.low, at.upper))
    if window.stopped is None or newest == at.top:
        return at
    low = min(since, at.next) if at.top else since
    return Round(window.stopped, low, max(0, newest - search.OVERLAP // timedelta(milliseconds=1)), newest)


def _have(now: _Pass, stream: str, since: int) -> dict[str, datetime]:
    """What the store has of a window, by HubSpot's own ids."""
    if stream == BEHAVED:  # it knows what contacts did, not which contacts were read
        return {}
    rows = now.known(stream, _EPOCH + timedelta(milliseconds=since))
    if stream in KINDS:
        return {id: at for id, at in rows.items() if id.isdigit()}
    return {id.split("-")[1]: at for id, at in rows.items() if id.startswith(f"{stream}-")}


def _unknown(now: _Pass, stream: str, deleted: Sequence[Row]) -> list[Row]:
    """Those whose deletion the store doesn't have yet."""
    if not deleted:
        return []
    at = {str(r["id"]): moment(r.get("archivedAt") or r["updatedAt"]) for r in deleted}
    have = _have(now, stream, millis(min(at.values())))
    return [r for r in deleted if have.get(str(r["id"])) != at[str(r["id"])]]


def _owners(now: _Pass, cursor: Cursor) -> Page:
    have = now.known("owners", _EPOCH)
    rows = _all_owners(now, archived=False)
    now.account.users = {str(r.get("userId") or r.get("userIdIncludingInactive")): str(r["id"]) for r in rows}
    there = {str(r["id"]) for r in rows}
    left = [id for id in have if id not in there and id not in cursor.retired]
    if left or not have:  # somebody left, or may have before us: only then the archived ones are worth a call
        gone = [r for r in _all_owners(now, archived=True) if str(r["id"]) in left or not have]
        rows += gone
        left += [str(r["id"]) for r in gone if str(r["id"]) not in left]
    retired = sorted({*cursor.retired, *left} - there)
    made = [owner(r) for r in rows]
    return Page(
        "owners",
        str(replace(cursor, retired=tuple(retired))),
        [r for r in made if have.get(r.id) != r.modified_at],
    )


def _all_owners(now: _Pass, *, archived: bool) -> list[Row]:
    api, after = now.account.api, None
    rows: list[Row] = []
    while True:
        query = [("limit", "500"), ("archived", str(archived).lower())] + (
            [("after", after)] if after else []
        )
        answer = api.get("reading owners", api.owners(), query)
        rows.extend(answer.get("results") or ())
        after = ((answer.get("paging") or {}).get("next") or {}).get("after")
        if not after:
            return rows
