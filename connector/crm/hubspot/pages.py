"""Rows become pages: what each stream asks for, and what it makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.crm.base import Activity, Change, Kind, Page, Record, Stream
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.activities import PROPERTIES, activities, gone
from connector.crm.hubspot.cursor import Cursor
from connector.crm.hubspot.fields import ASSOCIATED, WRITTEN_BY_CANDOR, moment
from connector.crm.hubspot.history import BEHAVIOUR, UrlWords, behaviour, changes, moved
from connector.crm.hubspot.records import MERGED, merged_ids, needed, records
from connector.crm.hubspot.rows import Row

KINDS: Mapping[str, Kind] = {"leads": "lead", "accounts": "account", "deals": "deal", "reviews": "review"}
LEADS, BEHAVED = "leads", "behaviour"
STREAMS = (
    Stream(LEADS, "contacts, with the history of their properties", "records and changes"),
    Stream(
        BEHAVED,
        "contacts: visits, forms, openings, clicks in the history of their analytics properties",
        "activities",
    ),
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


def object_of(stream: str) -> str:
    names = {LEADS: "contacts", BEHAVED: "contacts", "accounts": "companies", "reviews": "tickets"}
    return names.get(stream, stream)


class Maker:
    """Pages of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        options = account.connection.options
        names = {k: options[f"url_{k}"] for k in ("area", "content", "session") if f"url_{k}" in options}
        self._words = UrlWords(**names)

    def wanted(self, streams: Sequence[str]) -> tuple[list[str], list[str]]:
        """Properties to read for streams of one object, and those with their history."""
        properties: list[str] = []
        history: list[str] = []
        for stream in streams:
            if stream == BEHAVED:
                properties.append(MERGED)
                history += [n for n in BEHAVIOUR if n in self._account.properties("contacts")]
            elif stream in KINDS:
                properties += needed(self._account, KINDS[stream])
                history += self._dated(KINDS[stream]).values()
            else:
                properties += PROPERTIES[stream]
        return list(dict.fromkeys(properties)), list(dict.fromkeys(history))

    def page(self, stream: str, rows: Sequence[Row], cursor: Cursor, deleted: Sequence[Row] = ()) -> Page:
        if stream == BEHAVED:
            return Page(stream, str(cursor), activities=[a for row in rows for a in self._behaviour(row)])
        if stream not in KINDS:
            found = activities(self._account.api, stream, rows) + [gone(stream, row) for row in deleted]
            return Page(stream, str(cursor), activities=found)
        kind = KINDS[stream]
        made = records(self._account, kind, rows)
        dated = [c for row in rows for c in self._changes(kind, row)]
        for row in deleted:
            at = moment(row.get("archivedAt") or row["updatedAt"])
            made.append(Record(kind, str(row["id"]), moment(row["createdAt"]), at, {}, deleted=True))
        return Page(stream, str(cursor), made, dated)

    def _dated(self, kind: Kind) -> dict[str, str]:
        """Fields whose history is read: of leads all that are mapped, of deals stage and amount; Candor's own not."""
        fields = self._account.fields(kind) if kind in ("lead", "deal") else {}
        if kind == "deal":
            return {c: n for c, n in fields.items() if c in ("stage", "amount")}
        return {c: n for c, n in fields.items() if c not in WRITTEN_BY_CANDOR and c not in ASSOCIATED["lead"]}

    def _changes(self, kind: Kind, row: Row) -> list[Change]:
        dated = self._dated(kind)
        if not dated:
            return []
        definitions = self._account.properties({"lead": "contacts"}.get(kind, "deals"))
        found = list(changes(kind, row, dated, definitions, self._account.users))
        return found + list(self._outcome(found)) if kind == "deal" else found

    def _outcome(self, found: Sequence[Change]) -> Iterator[Change]:
        """When a deal was closed and won, by the meaning that its stages have today."""
        stages = self._account.stages("deals")
        before = {"is_closed": False, "is_won": False}
        for change in found:
            if change.field != "stage":
                continue
            stage = stages.get(str(change.new))
            after = {
                "is_closed": stage is not None and stage.closed,
                "is_won": stage is not None and stage.won,
            }
            for field, value in after.items():
                if value != before[field]:
                    yield Change("deal", change.id, field, change.at, before[field], value, change.by)
            before = after

    def _behaviour(self, row: Row) -> list[Activity]:
        found = list(behaviour(row, self._words))
        return found + list(moved(found, str(row["id"]), merged_ids(row)))
