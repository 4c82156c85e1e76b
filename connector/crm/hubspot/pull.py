"""What is new: page by page at first (backfill), then by search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.crm.base import Activity, Change, Kind, Known, Page, Record, Stream
from connector.crm.hubspot import bins, search
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.activities import PROPERTIES, activities, gone
from connector.crm.hubspot.cursor import Bin, Cursor
from connector.crm.hubspot.fields import ASSOCIATED, WRITTEN_BY_CANDOR, millis, moment
from connector.crm.hubspot.history import BEHAVIOUR, UrlWords, behaviour, changes, moved
from connector.crm.hubspot.records import merged_ids, needed, owner, records
from connector.crm.hubspot.rows import Row, batch_read, chunks, page

KINDS: Mapping[str, tuple[Kind, str]] = {
    "leads": ("lead", "contacts"), "accounts": ("account", "companies"), "deals": ("deal", "deals"),
    "reviews": ("review", "tickets"),
}  # fmt: skip
STREAMS = (
    Stream("leads", "contacts, with the history of their properties", "records and changes"),
    Stream("accounts", "companies", "records"),
    Stream("deals", "deals, with the history of stage and amount", "records and changes"),
    Stream("owners", "owners", "records"),
    Stream("reviews", "tickets in the pipeline “Candor review”", "records"),
    Stream("calls", "calls", "activities"),
    Stream("emails", "emails", "activities"),
    Stream("meetings", "meetings", "activities"),
    Stream("tasks", "tasks", "activities"),
    Stream("notes", "notes", "activities"),
)

GATHER = 500
"""Rows that are gathered before they are handed on, so that associations are asked in few calls."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Pass:
    account: Account
    known: Known
    words: UrlWords
    contacts_changed: bool = False


def pull(account: Account, cursors: Mapping[str, str | None], known: Known) -> Iterator[Page]:
    options = account.connection.options
    words = UrlWords(
        **{k: options[f"url_{k}"] for k in ("area", "content", "session") if f"url_{k}" in options}
    )
    now = _Pass(account, known, words)
    # Owners come first: the history of the others names users, and owners tell whose those are.
    for stream in sorted(STREAMS, key=lambda s: s.name != "owners"):
        if stream.name not in cursors:
            continue
        cursor = Cursor.parse(cursors[stream.name])
        if stream.name == "owners":
            yield _owners(now, cursor or Cursor())
        elif cursor is None or cursor.filling:
            yield from _backfill(now, stream.name, cursor)
        else:
            yield from _new(now, stream.name, cursor)


def _object(stream: str) -> str:
    return KINDS[stream][1] if stream in KINDS else stream


# --- backfill ---


def _backfill(now: _Pass, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """The whole list in order of id, resumable; the window of the first search begins where we began."""
    obj, api = _object(stream), now.account.api
    if stream == "reviews":  # only those of one pipeline: searched, not listed
        yield from _new(now, stream, cursor or Cursor())
        return
    if cursor is None:
        since = search.newest(api, obj)
        cursor = Cursor(since=since, filling=True, bin=Bin(done=since))
        if since == 0:
            yield Page(stream, str(replace(cursor, filling=False)))
            return
    properties, history = _wanted(now, stream)
    while cursor.filling:
        rows: list[Row] = []
        after = cursor.after
        while len(rows) < GATHER:
            more, after = page(api, obj, after, properties, history)
            rows.extend(more)
            if after is None:
                break
        cursor = replace(cursor, after=after, filling=after is not None)
        yield _page(now, stream, rows, cursor)


# --- what is new ---


def _new(now: _Pass, stream: str, cursor: Cursor) -> Iterator[Page]:
    obj, api = _object(stream), now.account.api
    if stream == "reviews" and cursor.pipeline is None:
        cursor = replace(cursor, pipeline=now.account.review_pipeline())
        if cursor.pipeline is None:
            yield Page(stream, str(cursor))
            return
    since = max(0, cursor.since - search.OVERLAP // timedelta(milliseconds=1))
    have = _have(now, stream, since)
    window = search.Window(api, obj, since, have, cursor.pipeline)
    window.look()
    _watch(now, obj, window, have)
    if stream == "leads":
        now.contacts_changed = bool(window.changed)
    properties, history = _wanted(now, stream) if window.changed else ([], [])
    deleted: list[Row] = []
    at = cursor.bin
    if bins.due(obj, cursor.passes, contacts_changed=now.contacts_changed):
        deleted, at = bins.look(api, obj, cursor.bin)
    newest = cursor.since if window.newest is None else max(cursor.since, millis(window.newest))
    after = replace(cursor, since=newest, passes=cursor.passes + 1, bin=at)
    parts = list(chunks(window.changed, GATHER)) or [[]]
    for n, ids in enumerate(parts):
        rows = batch_read(api, obj, ids, properties, history) if ids else []
        last = n == len(parts) - 1
        yield _page(
            now, stream, rows, after if last else cursor, _unknown(now, stream, deleted) if last else []
        )


def _have(now: _Pass, stream: str, since: int) -> dict[str, datetime]:
    """What the store has of a window, by HubSpot's own ids."""
    rows = now.known(stream, _EPOCH + timedelta(milliseconds=since))
    if stream in KINDS:
        return {id: at for id, at in rows.items() if id.isdigit()}
    return {id.split("-")[1]: at for id, at in rows.items() if id.startswith(f"{stream}-")}


def _watch(now: _Pass, obj: str, window: search.Window, have: Mapping[str, datetime]) -> None:
    watch = now.account.watch(obj)
    if window.newest is not None:
        watch.newest = window.newest
    watch.seen = {**have, **window.seen}
    watch.own.clear()


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
    if left:  # somebody left: only now the archived ones are worth a call
        gone_ones = [r for r in _all_owners(now, archived=True) if str(r["id"]) in left]
        rows = [*rows, *gone_ones]
        cursor = replace(cursor, retired=tuple(sorted({*cursor.retired, *left})))
    cursor = replace(cursor, retired=tuple(i for i in cursor.retired if i not in there))
    made = [owner(r) for r in rows]
    return Page("owners", str(cursor), [r for r in made if have.get(r.id) != r.modified_at])


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


# --- rows become a page ---


def _wanted(now: _Pass, stream: str) -> tuple[list[str], list[str]]:
    """Properties to read, and those with their history."""
    if stream not in KINDS:
        return list(PROPERTIES[stream]), []
    kind = KINDS[stream][0]
    history = list(_dated(now, kind).values())
    if kind == "lead":
        history += [n for n in BEHAVIOUR if n in now.account.properties("contacts")]
    return needed(now.account, kind), list(dict.fromkeys(history))


def _dated(now: _Pass, kind: Kind) -> dict[str, str]:
    """Fields whose history is read: of leads all that are mapped, of deals stage and amount; Candor's own writing not."""
    fields = now.account.fields(kind)
    if kind == "deal":
        return {c: n for c, n in fields.items() if c in ("stage", "amount")}
    if kind != "lead":
        return {}
    return {c: n for c, n in fields.items() if c not in WRITTEN_BY_CANDOR and c not in ASSOCIATED["lead"]}


def _page(now: _Pass, stream: str, rows: Sequence[Row], cursor: Cursor, deleted: Sequence[Row] = ()) -> Page:
    if stream not in KINDS:
        found = activities(now.account.api, stream, rows) + [gone(stream, row) for row in deleted]
        return Page(stream, str(cursor), activities=found)
    kind, obj = KINDS[stream]
    made = records(now.account, kind, rows)
    dated: list[Change] = []
    done: list[Activity] = []
    if rows:
        fields, definitions = _dated(now, kind), now.account.properties(obj)
        for row in rows:
            found_changes = list(changes(kind, row, fields, definitions, now.account.users))
            dated += found_changes
            if kind == "deal":
                dated += _outcome(now, found_changes)
            if kind == "lead":
                acts = list(behaviour(row, now.words))
                done += acts
                done += moved(acts, str(row["id"]), merged_ids(row))
    for row in deleted:
        at = moment(row.get("archivedAt") or row["updatedAt"])
        made.append(Record(kind, str(row["id"]), moment(row["createdAt"]), at, {}, deleted=True))
    return Page(stream, str(cursor), made, dated, done)


def _outcome(now: _Pass, found: Sequence[Change]) -> Iterator[Change]:
    """When a deal was closed and won, by the meaning that its stages have today."""
    stages = now.account.stages("deals")
    before = {"is_closed": False, "is_won": False}
    for change in found:
        if change.field != "stage":
            continue
        stage = stages.get(str(change.new))
        after = {"is_closed": stage is not None and stage.closed, "is_won": stage is not None and stage.won}
        for field, value in after.items():
            if value != before[field]:
                yield Change("deal", change.id, field, change.at, before[field], value, change.by)
        before = after
