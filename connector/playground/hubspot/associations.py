"""Associations v4: read, made, removed (FACTS-hubspot.md §10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.playground.hubspot import catalog
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.records import Records

MAX_READ, MAX_CREATE, PER_INPUT = 1_000, 2_000, 500
PRIMARY = "Primary"


class Associations:
    def __init__(self, records: Records) -> None:
        self._records, self._org = records, records.org

    def of(self, obj: str, ids: Sequence[str], to: str) -> dict[str, dict[str, list[str]]]:
        """id -> associated id -> labels beyond the unlabelled one; archived records don't show."""
        found: dict[str, dict[str, list[str]]] = {}
        for start in range(0, len(ids), 500):
            part = list(ids[start : start + 500])
            for a, b, label in self._org.sql(
                "select l.a_id, l.b_id, l.label from link l join record r on r.obj = l.b_obj and r.id = l.b_id"
                f" where l.a_obj = ? and l.b_obj = ? and r.deleted = 0 and l.a_id in ({','.join('?' * len(part))})"
                " order by l.label desc, l.b_id",
                [obj, to, *part],
            ):
                labels = found.setdefault(a, {}).setdefault(b, [])
                if label:
                    labels.append(label)
        return found

    def types(self, obj: str, to: str, labels: Sequence[str]) -> list[dict[str, Any]]:
        plain, primary = catalog.ASSOCIATION_TYPES[obj, to]
        shown = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
        if PRIMARY in labels and primary:
            shown.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": PRIMARY})
        return shown

    def batch_read(
        self, obj: str, to: str, inputs: Sequence[Mapping[str, Any]], *, dated: bool
    ) -> tuple[list[Any], list[Any]]:
        """Results and errors; ids are numbers in v4 and text in the dated versions."""
        pair(obj, to)
        if len(inputs) > MAX_READ:
            raise bad_request(f"At most {MAX_READ} inputs.")
        found = self.of(obj, [str(i["id"]) for i in inputs], to)
        results, errors = [], []
        for one in inputs:
            id, after = str(one["id"]), int(one.get("after") or 0)
            others = list(found.get(id, {}).items())
            if not others:
                errors.append({
                    "status": "error", "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    "message": f"No {catalog.SINGULAR[to]} is associated with {catalog.SINGULAR[obj]} {id}.",
                    "context": {"fromObjectId": [id], "fromObjectType": [obj], "toObjectType": [to]},
                })  # fmt: skip
                continue
            result: dict[str, Any] = {
                "from": {"id": id},
                "to": [
                    {"toObjectId": b if dated else int(b), "associationTypes": self.types(obj, to, labels)}
                    for b, labels in others[after : after + PER_INPUT]
                ],
            }
            if after + PER_INPUT < len(others):
                result["paging"] = {"next": {"after": str(after + PER_INPUT)}}
            results.append(result)
        return results, errors

    def make(
        self, obj: str, id: str, to: str, to_id: str, types: Sequence[Mapping[str, Any]] = ()
    ) -> list[str]:
        """Associate two records, both ways; the labels it has afterwards. Types must be of this direction."""
        plain, primary = pair(obj, to)
        label = ""
        for one in types:
            number = int(one.get("associationTypeId") or one.get("typeId") or 0)
            if number == primary and primary:
                label = PRIMARY
            elif number != plain:
                raise bad_request(f"Association type {number} does not lead from {obj} to {to}.")
        self._records.find(obj, id)
        self._records.find(to, to_id)
        was = self._org.links(obj, [id], to).get(id, [])
        if label:  # one primary a record: the former one keeps its unlabelled association
            for (other,) in self._org.sql(
                "select b_id from link where a_obj = ? and a_id = ? and b_obj = ? and label = ?",
                (obj, id, to, PRIMARY),
            ):
                self._org.link(obj, id, to, other)
                self._unlink(obj, id, to, other, label=PRIMARY)
        self._org.link(obj, id, to, to_id, label)
        if to_id not in was:
            self._moved(obj, id, to, to_id)
        return [label] if label else []

    def remove(self, obj: str, id: str, to: str, to_id: str) -> None:
        pair(obj, to)
        self._unlink(obj, id, to, to_id)
        self._moved(obj, id, to, to_id)

    def _unlink(self, obj: str, id: str, to: str, to_id: str, label: str | None = None) -> None:
        for a in ((obj, id, to, to_id), (to, to_id, obj, id)):
            self._org.sql(
                "delete from link where a_obj = ? and a_id = ? and b_obj = ? and b_id = ?"
                + ("" if label is None else " and label = ?"),
                a if label is None else (*a, label),
            )

    def _moved(self, obj: str, id: str, to: str, to_id: str) -> None:
        """What HubSpot counts on a contact follows its associations."""
        for a, b, contact in ((obj, to, to_id), (to, obj, id)):
            if b == "contacts" and a == "deals":
                self._records.count_deals(contact)
            elif b == "contacts" and a in catalog.ENGAGEMENTS:
                self._records.note_activity(contact)


def pair(obj: str, to: str) -> tuple[int, int]:
    found = catalog.ASSOCIATION_TYPES.get((obj, to))
    if found is None:
        raise HubSpotError(400, f"{obj} and {to} can't be associated.", "VALIDATION_ERROR")
    return found
