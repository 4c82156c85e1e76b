"""What changed since a time: search by modified date, newest first, leaving out what the store already has.

A search has one sort, 200 rows a page, 10,000 rows in all, shows new rows late, and its windows overlap, so most of what
it brings is known. Its `total` says when the rest of a window can only be known rows: after our own push of thousands
of contacts one page is enough. Counting misses one case, a known row that somebody changed again amid our push: a slow
second look finds it (`again`), one page a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connector.crm.hubspot.api import Api
from connector.crm.hubspot.fields import millis, moment

PAGE, MOST = 200, 10_000
OVERLAP = timedelta(minutes=10)
"""How far a window reaches back before the newest row seen: a search may show a change half a minute late
(FACTS-hubspot.md §5), a busy account later."""

ENGAGEMENTS = ("calls", "emails", "meetings", "notes", "tasks")


def modified_name(obj: str) -> str:
    return "lastmodifieddate" if obj == "contacts" else "hs_lastmodifieddate"


class Window:
    """One look at one object. Afterwards: `changed` ids, newest first; `seen` id -> time; `newest` time."""

    def __init__(
        self, api: Api, obj: str, since: int, known: Mapping[str, datetime], pipeline: str | None = None
    ) -> None:
        self._api, self._obj, self._since, self._pipeline = api, obj, since, pipeline
        self._known = known
        self.seen: dict[str, datetime] = {}
        self.changed: list[str] = []
        self.stopped: int | None = None
        """where paging ended because the rest was known"""

    @property
    def newest(self) -> datetime | None:
        return max(self.seen.values(), default=None)

    def look(self) -> None:
        upper: int | None = None
        while True:
            last = self._through(upper)
            if last is None:
                return
            if last == upper:  # more than the cap in one millisecond
                self._walk(last)
                last -= 1
            upper = last

    def _through(self, upper: int | None) -> int | None:
        """Page through what was modified up to `upper`; the time reached when the cap stops it, None when done."""
        after, met = 0, 0
        while True:
            answer = self._ask(upper, after)
            rows = answer.get("results") or ()
            for row in rows:
                self._note(row)
            met += len(rows)
            if not rows or not (answer.get("paging") or {}).get("next"):
                return None
            last = moment(rows[-1]["updatedAt"])
            if int(answer["total"]) - met <= self._rest(last):
                self.stopped = millis(last)
                return None
            after += PAGE
            if after + PAGE > MOST:
                return millis(last)

    def _rest(self, last: datetime) -> int:
        """How many known rows of the window were not met yet."""
        least = moment(str(self._since))
        return sum(1 for id, at in self._known.items() if least <= at <= last and id not in self.seen)

    def again(self, low: int, upper: int) -> int:
        """Meet one page of the rows from `upper` down to `low`, known or not; where the next page begins, 0 when done."""
        answer = self._ask(upper, 0, low)
        rows = answer.get("results") or ()
        for row in rows:
            self._note(row)
        if not rows or not (answer.get("paging") or {}).get("next"):
            return 0
        last = millis(moment(rows[-1]["updatedAt"]))
        if last < upper:
            return last
        self._walk(last)  # a page and more in one millisecond
        return last - 1

    def _walk(self, at: int) -> None:
        """All rows of one millisecond, by id."""
        least = "0"
        while True:
            filters = [
                {"propertyName": modified_name(self._obj), "operator": "EQ", "value": str(at)},
                {"propertyName": "hs_object_id", "operator": "GT", "value": least},
            ]
            rows = self._search(filters, [{"propertyName": "hs_object_id", "direction": "ASCENDING"}], 0).get(
                "results"
            )
            if not rows:
                return
            for row in rows:
                self._note(row)
            least = str(rows[-1]["id"])

    def _note(self, row: Mapping[str, Any]) -> None:
        id, at = str(row["id"]), moment(row["updatedAt"])
        if id in self.seen:
            return
        self.seen[id] = at
        if self._known.get(id) != at:
            self.changed.append(id)

    def _ask(self, upper: int | None, after: int, low: int | None = None) -> dict[str, Any]:
        name = modified_name(self._obj)
        filters = [
            {"propertyName": name, "operator": "GTE", "value": str(self._since if low is None else low)}
        ]
        if upper is not None:
            filters.append({"propertyName": name, "operator": "LTE", "value": str(upper)})
        return self._search(filters, [{"propertyName": name, "direction": "DESCENDING"}], after)

    def _search(
        self, filters: list[dict[str, str]], sorts: list[dict[str, str]], after: int
    ) -> dict[str, Any]:
        if self._pipeline is not None:
            filters = [*filters, {"propertyName": "hs_pipeline", "operator": "EQ", "value": self._pipeline}]
        body: dict[str, Any] = {
            "filterGroups": [{"filters": filters}],
            "sorts": sorts,
            "limit": PAGE,
            **({"after": str(after)} if after else {}),
            "properties": [modified_name(self._obj)],
        }
        return self._api.ask(f"searching {self._obj}", self._api.objects(self._obj, "/search"), body)


def newest(api: Api, obj: str) -> int:
    """The newest modified time there is, in milliseconds; 0 when there is no record."""
    body = {
        "filterGroups": [],
        "sorts": [{"propertyName": modified_name(obj), "direction": "DESCENDING"}],
        "limit": 1,
        "properties": [modified_name(obj)],
    }
    rows = api.ask(f"searching {obj}", api.objects(obj, "/search"), body).get("results") or ()
    return millis(moment(rows[0]["updatedAt"])) if rows else 0
