"""The few queries that a pull asks, as text. A place in a stream is a key: (stamp, id), both ascending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector.crm.salesforce.fields import stamp
from connector.crm.salesforce.sources import Source

Key = tuple[datetime, str]


def onward(source: Source, after: Key | None) -> str:
    """Everything beyond a key, oldest first: backfill."""
    where = f" WHERE {_beyond(source.stamp, after)}" if after else ""
    return f"SELECT {', '.join(source.select)} FROM {source.object}{where} ORDER BY {source.stamp}, Id"


def recent(source: Source, since: datetime | None) -> str:
    """Everything since a time, newest first."""
    where = f" WHERE {source.stamp} >= {stamp(since)}" if since else ""
    columns = ", ".join(source.select)
    return f"SELECT {columns} FROM {source.object}{where} ORDER BY {source.stamp} DESC, Id DESC"


def slice_(source: Source, after: Key | datetime, up_to: Key) -> str:
    """Ids and stamps of what lies beyond one key (or from a time on) and up to another."""
    low = (
        f"{source.stamp} >= {stamp(after)}"
        if isinstance(after, datetime)
        else f"({_beyond(source.stamp, after)})"
    )
    at, id = up_to
    high = f"({source.stamp} < {stamp(at)} OR ({source.stamp} = {stamp(at)} AND Id <= '{id}'))"
    return f"SELECT Id, {source.stamp} FROM {source.object} WHERE {low} AND {high}"


def by_id(source: Source, ids: Sequence[str]) -> str:
    listed = ", ".join(f"'{id}'" for id in ids)
    return f"SELECT {', '.join(source.select)} FROM {source.object} WHERE Id IN ({listed})"


def _beyond(column: str, key: Key) -> str:
    at, id = key
    return f"{column} > {stamp(at)} OR ({column} = {stamp(at)} AND Id > '{id}')"
