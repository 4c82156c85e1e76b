"""Objects: read, listed, searched, written one by one and in batches (FACTS-hubspot.md §5-§8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from connector.playground.hubspot import catalog
from connector.playground.hubspot.app import INTEGRATION, Answer, Call, Handler, House
from connector.playground.hubspot.errors import HubSpotError, bad_request, not_found
from connector.playground.hubspot.times import iso
from connector.playground.org import Row

MAX_PAGE, MAX_HISTORY_PAGE, MAX_BATCH = 100, 50, 100
_V3, _DATED = "/crm/v3/objects/{type}", "/crm/objects/{version}/{type}"


def routes(house: House) -> Iterator[tuple[str, Sequence[str], Handler, bool]]:
    o = Objects(house)
    for method, end, handler in (
        ("GET", "", o.page),
        ("POST", "", o.create),
        ("POST", "/search", o.search),
        ("POST", "/merge", o.merge),
        ("POST", "/gdpr-delete", o.erase),
        ("POST", "/batch/read", o.batch_read),
        ("POST", "/batch/create", o.batch_create),
        ("POST", "/batch/update", o.batch_update),
        ("POST", "/batch/upsert", o.batch_upsert),
        ("POST", "/batch/archive", o.batch_archive),
        ("GET", "/{id}", o.get),
        ("PATCH", "/{id}", o.update),
        ("DELETE", "/{id}", o.archive),
    ):
        yield method, (_V3 + end, _DATED + end), handler, False


class Objects:
    def __init__(self, house: House) -> None:
        self._house, self._org, self._records = house, house.org, house.records

    # -- reading --

    def page(self, call: Call) -> Answer:
        obj = self._object(call, "read")
        history = call.list("propertiesWithHistory")
        limit, most = int(call.query.get("limit", 10)), MAX_HISTORY_PAGE if history else MAX_PAGE
        if not 1 <= limit <= most:
            raise bad_request(f"limit must be between 1 and {most}.", limit=[str(limit)])
        rows = [
            Row(obj, r[0], r[1], r[2], bool(r[3]), _json(r[4]))
            for r in self._org.sql(
                "select id, created, modified, deleted, data from record where obj = ? and deleted = ? and id >= ?"
                " and json_extract(data, '$._merged_into') is null order by id limit ?",
                (obj, int(call.flag("archived")), call.query.get("after") or "", limit + 1),
            )
        ]
        shown = self._records.show(obj, rows[:limit], properties=call.list("properties"), history=history)
        self._associate(obj, shown, call.list("associations"))
        answer: dict[str, Any] = {"results": shown}
        if len(rows) > limit:
            after = rows[limit].id
            answer["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
        return Answer(answer)

    def get(self, call: Call) -> Answer:
        obj = self._object(call, "read")
        row = self._records.find(
            obj, call.path["id"], by=call.query.get("idProperty"), archived=call.flag("archived")
        )
        shown = self._records.show(
            obj, [row], properties=call.list("properties"), history=call.list("propertiesWithHistory")
        )
        self._associate(obj, shown, call.list("associations"))
        return Answer(shown[0])

    def search(self, call: Call) -> Answer:
        return Answer(self._house.search.run(self._object(call, "read"), call.json(), len(call.raw.decode())))

    def batch_read(self, call: Call) -> Answer:
        obj, body = self._object(call, "read"), call.json()
        history = body.get("propertiesWithHistory") or []
        ids = [str(i["id"]) for i in _inputs(body, MAX_HISTORY_PAGE if history else MAX_BATCH)]
        by = body.get("idProperty")
        of = {i: i for i in ids} if not by or by == "hs_object_id" else self._records.by_unique(obj, by, ids)
        archived = call.flag("archived")
        found: dict[str, Row] = {}
        missing: list[str] = []
        for id in ids:
            try:
                row = self._records.find(obj, of[id], archived=archived)
                found.setdefault(row.id, row)
            except (KeyError, HubSpotError):
                missing.append(id)
        shown = self._records.show(
            obj, list(found.values()), properties=body.get("properties") or (), history=history
        )
        return self._batch(shown, [_missing(obj, missing)] if missing else [])

    def _associate(self, obj: str, shown: list[dict[str, Any]], wanted: Sequence[str]) -> None:
        for name in wanted:
            to = catalog.object_named(name)
            if to is None or (obj, to) not in catalog.ASSOCIATION_TYPES:
                raise bad_request(f"{name} can't be associated with {obj}.")
            found = self._house.associations.of(obj, [s["id"] for s in shown], to)
            there = f"{catalog.SINGULAR[obj]}_to_{catalog.SINGULAR[to]}"
            for one in shown:
                others = found.get(one["id"])
                if not others:
                    continue
                listed = []
                for id, labels in others.items():
                    if labels:
                        listed.append({"id": id, "type": there})
                    listed.append({"id": id, "type": f"{there}_unlabeled" if labels else there})
                first: dict[str, Any] = {"results": listed[:MAX_PAGE]}
                if len(listed) > MAX_PAGE:
                    first["paging"] = {"next": {"after": listed[MAX_PAGE]["id"]}}
                one.setdefault("associations", {})[to] = first

    # -- writing --

    def create(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        row = self._create(obj, call.json())
        return Answer(self._records.everything(obj, row), 201, f"/crm/v3/objects/{obj}/{row.id}")

    def _create(self, obj: str, body: Mapping[str, Any]) -> Row:
        row = self._records.create(obj, body.get("properties") or {}, by=INTEGRATION)
        for one in body.get("associations") or []:
            types = one.get("types") or []
            to = self._target(obj, types)
            self._house.associations.make(obj, row.id, to, str(one["to"]["id"]), types)
        return self._org.get(obj, row.id) or row

    def _target(self, obj: str, types: Sequence[Mapping[str, Any]]) -> str:
        wanted = {int(t.get("associationTypeId") or 0) for t in types}
        for (a, b), numbers in catalog.ASSOCIATION_TYPES.items():
            if a == obj and wanted and wanted <= {n for n in numbers if n}:
                return b
        raise bad_request(f"No association type of {obj} is {sorted(wanted)}.")

    def update(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        row = self._records.find(obj, call.path["id"], by=call.query.get("idProperty"))
        new = self._records.update(obj, row, call.json().get("properties") or {}, by=INTEGRATION)
        return Answer(self._records.everything(obj, new))

    def archive(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        try:
            self._records.archive(obj, call.path["id"], by=INTEGRATION)
        except HubSpotError:  # archiving what is gone is no error
            return Answer(status=204)
        return Answer(status=204)

    def batch_create(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        rows = [self._create(obj, one) for one in _inputs(call.json(), MAX_BATCH)]
        return self._batch([self._records.everything(obj, r) for r in rows], [], status=201)

    def batch_update(self, call: Call) -> Answer:
        """One refused value fails them all. Ids that are unknown or were merged away: 207 with the others done (what
        the vendor answers then is unverified)."""
        obj = self._object(call, "write")
        inputs = _inputs(call.json(), MAX_BATCH)
        by = {str(i.get("idProperty") or "") for i in inputs} - {"", "hs_object_id"}
        of = self._records.by_unique(obj, by.pop(), [str(i["id"]) for i in inputs]) if by else None
        shown, missing = [], []
        for one in inputs:
            id = str(one["id"]) if of is None else of.get(str(one["id"]), "")
            row = self._org.get(obj, id)
            if row is None or row.deleted:
                missing.append(str(one["id"]))
                continue
            new = self._records.update(obj, row, one.get("properties") or {}, by=INTEGRATION)
            shown.append(self._records.everything(obj, new))
        return self._batch(shown, [_missing(obj, missing)] if missing else [])

    def batch_upsert(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        inputs = _inputs(call.json(), MAX_BATCH)
        names = {str(i.get("idProperty") or "") for i in inputs}
        if len(names) != 1 or "" in names:
            raise bad_request("Every input needs the same idProperty.")
        name = names.pop()
        found = self._records.by_unique(obj, name, [str(i["id"]) for i in inputs])
        shown = []
        for one in inputs:
            key, properties = str(one["id"]), {name: str(one["id"]), **(one.get("properties") or {})}
            old = self._org.get(obj, found[key]) if key in found else None
            if old is None:
                row = self._records.create(obj, properties, by=INTEGRATION)
                found[key] = row.id
            else:
                row = self._records.update(obj, old, properties, by=INTEGRATION)
            shown.append({**self._records.everything(obj, row), "new": old is None})
        return self._batch(shown, [])

    def batch_archive(self, call: Call) -> Answer:
        obj = self._object(call, "write")
        for one in _inputs(call.json(), MAX_BATCH):
            row = self._org.get(obj, str(one["id"]))
            if row is not None and not row.deleted:
                self._records.archive(obj, row.id, by=INTEGRATION)
        return Answer(status=204)

    def merge(self, call: Call) -> Answer:
        obj, body = self._object(call, "write"), call.json()
        row = self._records.merge(
            obj, str(body["primaryObjectId"]), str(body["objectIdToMerge"]), by=INTEGRATION
        )
        return Answer(self._records.everything(obj, row))

    def erase(self, call: Call) -> Answer:
        obj, body = self._object(call, "write"), call.json()
        by = body.get("idProperty")
        self._records.erase(obj, self._records.find(obj, str(body["objectId"]), by=by).id)
        return Answer(status=204)

    # -- --

    def _object(self, call: Call, mode: str) -> str:
        obj = call.object()
        if obj not in catalog.OBJECTS:
            raise not_found()
        scope = (
            "tickets"
            if obj == "tickets"
            else f"crm.objects.{'contacts' if obj in catalog.ENGAGEMENTS else obj}.{mode}"
        )
        self._house.access.check_scope(scope)
        return obj

    def _batch(
        self, results: list[dict[str, Any]], errors: list[dict[str, Any]], status: int = 200
    ) -> Answer:
        at = iso(self._org.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return Answer(body, 207 if errors else status)


def _inputs(body: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list):
        raise bad_request("inputs are missing.")
    if len(inputs) > most:
        raise bad_request(f"At most {most} inputs, {len(inputs)} were given.")
    return inputs


def _missing(obj: str, ids: list[str]) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {obj}, they may be deleted.",
        "context": {"ids": ids},
    }


def _json(text: str) -> dict[str, Any]:
    return dict(orjson.loads(text))
