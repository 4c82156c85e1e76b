"""Create, change, delete and upsert of one record: the one way in for the API and for the desk, so that both meet the
same refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.playground.org import Org, Row
from connector.playground.salesforce import ids, times, validation
from connector.playground.salesforce.errors import Fault, deleted, not_found
from connector.playground.salesforce.model import SObject
from connector.playground.salesforce.platform import PERMISSION_OBJECTS
from connector.playground.salesforce.schema import Schema, touch
from connector.playground.salesforce.standard import STAGES

EDIT_CONVERTED = "AllowViewEditConvertedLeads"
"""Without this system permission a converted lead is read-only, for an admin too. [FACTS section 8]"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, with which view of the schema; via "api" or "ui"."""

    org: Org
    schema: Schema
    user: str
    via: str = "api"

    def create(self, obj: SObject, body: Mapping[str, Any]) -> str:
        if not obj.createable:
            raise Fault("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type {obj.name} does not support create")
        values = validation.accepted(self.org, self.schema, obj, body, new=True)
        data = {
            **{
                f.name: f.default
                for f in obj.fields.values()
                if f.default is not None and f.name != "IsDeleted"
            },
            **{k: v for k, v in values.items() if v is not None},
        }
        if "OwnerId" in obj.fields:
            data.setdefault("OwnerId", self.user)
        validation.complete(obj, data)
        data |= derived(obj, data, data, self.org.now())
        self._number(obj, data)
        validation.unique(self.org, obj, data, None)
        validation.by_rules(self.schema, obj, data, None, self.org.now())
        (id,) = ids.following(self.org, obj.prefix)
        row = self.org.create(obj.name, id, {**data, "CreatedById": self.user}, by=self.user, via="create")
        if obj.history:
            self.org.load_history([(obj.name, id, "created", row.created, None, None, self.user, self.via)])
        self._after(obj, id, data, row.created)
        return id

    def update(self, obj: SObject, id: str, body: Mapping[str, Any]) -> None:
        if not obj.updateable:
            raise Fault("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type {obj.name} does not support update")
        row = self.existing(obj, id)
        if row.data.get("IsConverted") and EDIT_CONVERTED not in self.schema.rights:
            raise Fault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        values = validation.accepted(self.org, self.schema, obj, body, new=False)
        record = {**row.data, **values}
        validation.complete(obj, record, tuple(values))
        changed = derived(obj, values, record, self.org.now(), row.data)
        record |= changed
        values |= changed
        validation.unique(self.org, obj, values, row.id)
        validation.by_rules(self.schema, obj, record, row.data, self.org.now())
        done = self.org.update(obj.name, row.id, values, by=self.user, via=self.via)
        if any(row.data.get(k) != v for k, v in values.items()):
            self._after(obj, row.id, record, done.modified, values)

    def delete(self, obj: SObject, id: str) -> None:
        if not obj.deletable:
            raise Fault("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type {obj.name} does not support delete")
        row = self.existing(obj, id)
        self.org.delete(obj.name, row.id, by=self.user)
        if obj.name in PERMISSION_OBJECTS:
            touch(self.org)

    def upsert(self, obj: SObject, key: str, value: str, body: Mapping[str, Any]) -> tuple[str, bool]:
        """(id, created). Several matches: Ambiguous, and nothing is written."""
        field = obj.find(key)
        if field is None or not (
            field.external_id or field.name == "Id" or (obj.name == "Contact" and key == "Email")
        ):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
        if field.name == "Id":
            self.update(obj, value, body)
            return ids.full(value), False
        found = validation.holders(self.org, obj.name, field.name, validation.clean(field, value))
        if len(found) > 1:
            raise Ambiguous(found)
        if found:
            self.update(obj, found[0], {k: v for k, v in body.items() if k.lower() != field.name.lower()})
            return found[0], False
        return self.create(obj, {**body, field.name: value}), True

    def existing(self, obj: SObject, id: str) -> Row:
        if not ids.well_formed(id):
            raise not_found("Provided external ID field does not exist or is not accessible: " + id)
        row = self.org.get(obj.name, ids.full(id))
        if row is None:
            raise not_found()
        if row.deleted:
            raise deleted()
        return row

    def _number(self, obj: SObject, data: dict[str, Any]) -> None:
        """Auto-numbers: "WA-{000000}" and the object's count."""
        for f in obj.fields.values():
            if f.auto_number:
                count = int(self.org.meta(f"auto:{obj.name}", 0)) + 1
                self.org.set_meta(f"auto:{obj.name}", count)
                data[f.name] = auto_number(f.auto_number, count)

    def _after(
        self,
        obj: SObject,
        id: str,
        record: Mapping[str, Any],
        at: int,
        changed: Mapping[str, Any] | None = None,
    ) -> None:
        if obj.name in PERMISSION_OBJECTS:
            touch(self.org)
        if obj.name == "Opportunity" and (changed is None or not _STAGED.isdisjoint(changed)):
            stage_history(self.org, [(id, record, at, self.user)])


class Ambiguous(Exception):
    """An external id that several records have. [FIX upsert_multiple_error]"""

    def __init__(self, found: list[str]) -> None:
        super().__init__(f"{len(found)} records have this external id")
        self.found = found


_STAGED = frozenset({"StageName", "Amount", "Probability", "CloseDate"})


def auto_number(form: str, count: int) -> str:
    head, _, rest = form.partition("{")
    width, _, tail = rest.partition("}")
    return f"{head}{count:0{len(width) or 1}d}{tail}"


def derived(
    obj: SObject,
    given: Mapping[str, Any],
    record: Mapping[str, Any],
    now: int,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fields that follow from others: a person's full name, a stage's meaning, a task's completion."""
    made: dict[str, Any] = {}
    if obj.name in ("Lead", "Contact", "User") and (before is None or {"FirstName", "LastName"} & set(given)):
        made["Name"] = " ".join(p for p in (record.get("FirstName"), record.get("LastName")) if p)
    if obj.name == "Opportunity" and "StageName" in given:
        made |= staged(record["StageName"])
        if "Probability" in given and given["Probability"] is not None:
            made["Probability"] = given["Probability"]
        if before is None or before.get("StageName") != record["StageName"]:
            made["LastStageChangeDate"] = times.text(now)
    if obj.name == "Task" and (before is None or "Status" in given):
        closed = record.get("Status") == "Completed"
        made["IsClosed"] = closed
        made["CompletedDateTime"] = times.text(now) if closed else None
    if obj.name == "CampaignMember" and (before is None or "Status" in given):
        made["HasResponded"] = record.get("Status") == "Responded"
        if made["HasResponded"] and not record.get("FirstRespondedDate"):
            made["FirstRespondedDate"] = times.day(now)
    if obj.name == "Event" and record.get("StartDateTime") and (before is None or "StartDateTime" in given):
        made["ActivityDateTime"] = record["StartDateTime"]
        made["ActivityDate"] = record["StartDateTime"][:10]
    return made


def staged(stage: str) -> dict[str, Any]:
    """What a stage says about a deal; a stage that the org doesn't know is open. [unsourced] the latter"""
    category, probability, word = STAGES.get(stage, ("Pipeline", 10, ""))
    return {
        "IsClosed": word in ("won", "lost"), "IsWon": word == "won", "Probability": probability,
        "ForecastCategoryName": category,
    }  # fmt: skip


def stage_history(org: Org, rows: list[tuple[str, Mapping[str, Any], int, str]]) -> None:
    """OpportunityHistory: one row a change of stage, amount, probability or close date."""
    made = ids.following(org, "008", len(rows))
    org.load(
        "OpportunityHistory",
        (
            (id, at, at, {
                "OpportunityId": deal, "CreatedById": by,
                **{k: record.get(k) for k in ("StageName", "Amount", "Probability", "CloseDate")}})
            for id, (deal, record, at, by) in zip(made, rows, strict=True)
        ),
    )  # fmt: skip
