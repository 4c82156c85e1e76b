"""Writes: batches of 100, of which one refused value fails all, so the bad ones are found and the others go through.

HubSpot knows no idempotency key. A write is sent once; when no answer comes, nothing is known (NoAnswer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.crm.base import CRMError, FieldMissing, Kind, Transient, Write, Written
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.errors import Refused
from connector.crm.hubspot.fields import CANDOR, OBJECTS, moment, to_vendor
from connector.crm.hubspot.rows import batch_read

BATCH = 100
"""Inputs of one batch call (FACTS-hubspot.md §5)."""

HOPELESS = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
"""Codes that hold for every record with that property, whatever its value."""

LATE = timedelta(seconds=60)
"""How late a search may show a change: what was modified within that time before a pull may have escaped it."""

NOT_FOUND = "OBJECT_NOT_FOUND"


def write(account: Account, kind: Kind, writes: Sequence[Write]) -> list[Written]:
    """An answer for each write, in order. Raises CRMError when nothing at all was answered."""
    if not writes:
        return []
    obj = OBJECTS[kind]
    inputs = {w.id: {"id": w.id, "properties": properties(account, kind, w)} for w in writes}
    foreign = _foreign(account, obj, list(inputs))
    answered = Sender(account, obj).send(list(inputs.values()))
    watch = account.watch(obj)
    found = []
    for w in writes:
        one = answered[w.id]
        if one.ok and one.modified_at is not None:
            watch.own[w.id] = one.modified_at
            if w.id in foreign:  # somebody else changed it since the pull: our echo must not hide that
                one = Written(one.id, True, one.crm_id, None)
        found.append(one)
    return found


def properties(account: Account, kind: Kind, one: Write) -> dict[str, str]:
    """A write's values as HubSpot properties. Raises FieldMissing for a field that is mapped to none."""
    obj = OBJECTS[kind]
    mapped, definitions = account.fields(kind), account.properties(obj)
    made = {}
    for field, value in one.values.items():
        name = mapped.get(field) or (field if field.startswith(CANDOR) else None)
        if name is None:
            raise FieldMissing(f"No {kind} field {field!r} is mapped to a property of {obj}.",
                               fix=f"Add it to mapping.{kind} in candor.toml.")  # fmt: skip
        if name not in definitions:
            raise FieldMissing(f"{obj} has no property {name!r} for Candor's {field!r}.",
                               fix="Run `candor plan`, then `candor apply`, for Candor's own fields; map others in candor.toml.")  # fmt: skip
        made[name] = to_vendor(value, definitions[name])
    return made


def _foreign(account: Account, obj: str, ids: Sequence[str]) -> set[str]:
    """Ids that changed after the pull saw them, by somebody else. One call; none when this adapter never pulled."""
    watch = account.watch(obj)
    if watch.newest is None:
        return set()
    found = set()
    for row in batch_read(account.api, obj, ids, ["hs_object_id"]):
        id, at = str(row["id"]), moment(row["updatedAt"])
        met = {watch.seen.get(id), watch.own.get(id)} - {None}
        if at not in met and (met or at > watch.newest - LATE):
            found.add(id)
    return found


class Sender:
    """Batch updates of one object, split where a batch is refused."""

    def __init__(self, account: Account, obj: str, end: str = "/batch/update") -> None:
        self._api, self._obj, self._path = account.api, obj, account.api.objects(obj, end)

    def send(self, inputs: Sequence[Mapping[str, Any]]) -> dict[str, Written]:
        answered: dict[str, Written] = {}
        waiting = [list(inputs)]
        while waiting:
            batch = waiting.pop(0)
            try:
                answer = self._api.send(f"writing {self._obj}", "POST", self._path, {"inputs": batch})
            except Refused as refused:
                waiting[:0] = self._split(batch, refused, answered)
                continue
            except Transient as later:
                if not answered:
                    raise
                for one in (i for b in [batch, *waiting] for i in b):
                    answered[one["id"]] = Written(
                        one["id"], False, code=type(later).__name__, message=later.message, retry=True
                    )
                return answered
            self._take(batch, answer, answered)
        return answered

    def _take(
        self, batch: Sequence[Mapping[str, Any]], answer: Mapping[str, Any], answered: dict[str, Written]
    ) -> None:
        """Results come in no promised order: matched by id, or by the key that was asked for."""
        rows = {}
        for row in answer.get("results") or ():
            rows[str(row["id"])] = row
            key = (row.get("properties") or {}).get("candor_key")
            if key:
                rows.setdefault(str(key), row)
        codes = {
            str(id): str(error.get("category") or NOT_FOUND)
            for error in answer.get("errors") or ()
            for id in (error.get("context") or {}).get("ids") or ()
        }
        for one in batch:
            found = rows.get(one["id"])
            if found is not None:
                answered[one["id"]] = Written(
                    one["id"], True, str(found["id"]), _time(found.get("updatedAt"))
                )
            else:
                code = codes.get(one["id"], NOT_FOUND)
                answered[one["id"]] = Written(
                    one["id"],
                    False,
                    code=code,
                    message=f"HubSpot has no such record of {self._obj}: deleted, or merged into another.",
                )

    def _split(
        self, batch: list[Mapping[str, Any]], refused: Refused, answered: dict[str, Written]
    ) -> list[list[Mapping[str, Any]]]:
        """What to send next. The refusal names properties, never records."""
        if len(batch) == 1:
            answered[batch[0]["id"]] = _refused(batch[0]["id"], refused)
            return []
        hopeless = {name for code, name in refused.names if code in HOPELESS}
        lost = [one for one in batch if hopeless & set(one["properties"])]
        if lost:
            for one in lost:
                answered[one["id"]] = _refused(one["id"], refused)
            rest = [one for one in batch if one["id"] not in answered]
            return [rest] if rest else []
        named = {name for _, name in refused.names if name}
        suspects = [one for one in batch if named & set(one["properties"])]
        if 0 < len(suspects) < len(batch):
            return [[one for one in batch if one not in suspects], suspects]
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]


def _refused(id: str, refused: CRMError) -> Written:
    names = getattr(refused, "names", ())
    code = next((c for c, _ in names if c), "") or getattr(refused, "category", "") or "REFUSED"
    return Written(id, False, code=code, message=refused.message)


def _time(text: Any) -> datetime | None:
    return None if not text else moment(str(text))
