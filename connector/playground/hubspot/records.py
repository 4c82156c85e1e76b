"""Records: made, changed, archived, merged, and shown as the API shows them. Every check of the API is here, so that the
record page (desk.py) has the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from connector.playground.hubspot import catalog, standard
from connector.playground.hubspot.errors import HubSpotError, Invalid, bad_request, invalid_values, not_found
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.times import iso
from connector.playground.hubspot.values import accept
from connector.playground.org import Org, Row

SOURCES = {
    "api": "INTEGRATION",
    "ui": "CRM_UI",
    "automation": "AUTOMATION_PLATFORM",
    "analytics": "ANALYTICS",
    "form": "FORM",
    "import": "IMPORT",
    "calculated": "CALCULATED",
    "merge": "MERGE_CONTACTS",
}
"""How a change came about (`via` in the org's history) -> the sourceType that history shows."""

HUBSPOT = "hubspot"
"""Who changes what HubSpot calculates by itself."""


class Records:
    def __init__(self, org: Org, schema: Schema) -> None:
        self.org, self.schema = org, schema
        org.sql(
            "create index if not exists hubspot_email on record(json_extract(data, '$.email')) where obj = 'contacts'"
        )

    # -- finding --

    def find(self, obj: str, id: str, *, by: str | None = None, archived: bool = False) -> Row:
        """One record by id or by a unique property; the id of a merged one leads to its survivor. 404 otherwise."""
        if by and by != "hs_object_id":
            found = self.by_unique(obj, by, [id]).get(id)
            if found is None:
                raise not_found()
            id = found
        row = self.org.get(obj, id)
        while row is not None and row.data.get("_merged_into"):
            row = self.org.get(obj, row.data["_merged_into"])
        if row is None or row.deleted != archived:
            raise not_found()
        return row

    def by_unique(self, obj: str, name: str, values: Sequence[str]) -> dict[str, str]:
        """Value of a unique property -> id, for those that exist."""
        definition = self.schema.active(obj).get(name)
        if definition is None or not definition["hasUniqueValue"]:
            raise bad_request(f"{name} is not a unique property of {obj}.", idProperty=[name])
        wanted = {(v.lower() if name == "email" else v): v for v in values}
        path = f"json_extract(data, '$.{name}')"  # a property's name is letters, digits and underscores
        found: dict[str, str] = {}
        keys = list(wanted)
        for start in range(0, len(keys), 200):
            part = keys[start : start + 200]
            for value, id in self.org.sql(
                f"select {path}, id from record where obj = '{obj}' and deleted = 0 and {path} in ({_marks(part)})",
                part,
            ):
                found[wanted[value]] = id
        return found

    # -- changing --

    def checked(
        self, obj: str, given: Mapping[str, Any], *, old: Row | None, system: bool = False
    ) -> dict[str, str | None]:
        """The values to keep. HubSpotError with every refused one."""
        definitions = self.schema.active(obj)
        kept: dict[str, str | None] = {}
        refused: list[Invalid] = []
        for name, value in given.items():
            definition = definitions.get(name)
            outside = self._outside(obj, definition)
            before = old.data.get(name) if old else None
            text, invalid = accept(definition, name, value, old=before, outside=outside, system=system)
            if invalid:
                refused.append(invalid)
            else:
                kept[name] = text
        if refused:
            raise invalid_values(refused)
        self._stage(obj, kept, old)
        if obj == "contacts":
            self._lifecycle(kept, old)
            if kept.get("email"):
                kept["hs_email_domain"] = str(kept["email"]).split("@")[1]
        self._unique(obj, definitions, kept, old)
        return kept

    def create(self, obj: str, given: Mapping[str, Any], *, by: str, via: str = "api") -> Row:
        if obj == "contacts" and not any(given.get(k) for k in ("email", "firstname", "lastname")):
            raise bad_request("A contact needs one of email, firstname, lastname.")
        needed: tuple[str, ...] = {
            "deals": ("dealname", "dealstage"),
            "tickets": ("subject", "hs_pipeline_stage"),
        }.get(obj, ())
        if obj in catalog.ENGAGEMENTS:
            needed = ("hs_timestamp",)
        missing = [k for k in needed if not given.get(k)]
        if missing:
            raise HubSpotError(
                400,
                f"Error creating {obj}. Some required properties were not set.",
                "VALIDATION_ERROR",
                context={"properties": missing},
            )
        with self.org.transaction():
            values = self.checked(obj, given, old=None)
            values.setdefault("hs_object_source", SOURCES[via]) if obj in catalog.ENGAGEMENTS else None
            return self.org.create(obj, self.new_id(obj), values, by=by, via=via)

    def update(self, obj: str, row: Row, given: Mapping[str, Any], *, by: str, via: str = "api") -> Row:
        return self.org.update(obj, row.id, self.checked(obj, given, old=row), by=by, via=via)

    def calculate(
        self, obj: str, id: str, values: Mapping[str, str | None], *, via: str = "calculated"
    ) -> None:
        """HubSpot's own doing: analytics, counters, dates. Moves the modified date like any change."""
        row = self.org.get(obj, id)
        if row is not None and not row.deleted:
            self.org.update(obj, id, values, by=HUBSPOT, via=via)

    def archive(self, obj: str, id: str, *, by: str) -> None:
        self.org.delete(obj, self.find(obj, id).id, by=by)
        if obj == "deals":
            for contact in self.org.links("deals", [id], "contacts").get(id, []):
                self.count_deals(contact)

    def restore(self, obj: str, id: str, *, by: str) -> None:
        """Back from the bin, under its own id; what a merge has put an end to can't be. 404 when it is not there."""
        row = self.org.get(obj, id)
        if row is not None and row.data.get("_merged_into"):
            raise bad_request("A merged record can't be restored.")
        self.org.restore(obj, self.find(obj, id, archived=True).id, by=by)

    def merge(self, obj: str, primary: str, other: str, *, by: str) -> Row:
        """Both become a new record with a new id; histories and associations go with it; the old ids lead to it."""
        first, second = self.find(obj, primary), self.find(obj, other)
        if first.id == second.id:
            raise bad_request("A record can't be merged with itself.")
        with self.org.transaction():
            merged = {**second.data, **{k: v for k, v in first.data.items() if v is not None}}
            old = [
                i
                for r in (first, second)
                for i in [*str(r.data.get("hs_merged_object_ids") or "").split(";"), r.id]
                if i
            ]
            id = self.new_id(obj)
            history = [
                (obj, id, h["field"], h["at"], h["old"], h["new"], h["by"], h["via"])
                for r in (second, first)
                for h in self.org.history(obj, r.id)
            ]
            for row in (first, second):
                self.org.delete(obj, row.id, by=by, extra={"_merged_into": id})
            merged["hs_merged_object_ids"] = ";".join(dict.fromkeys(old))
            at = self.org.tick()
            self.org.load(obj, [(id, min(first.created, second.created), at, merged)])
            self.org.load_history(history)
            for row in (second, first):
                for b_obj, b_id, label in self.org.sql(
                    "select b_obj, b_id, label from link where a_obj = ? and a_id = ?", (obj, row.id)
                ):
                    self.org.link(obj, id, b_obj, b_id, label)
            return self.org.update(
                obj, id, {"hs_merged_object_ids": merged["hs_merged_object_ids"]}, by=by, via="merge"
            )

    def erase(self, obj: str, id: str) -> None:
        """GDPR delete: nothing stays, no bin either (what the vendor's bin shows then is unverified)."""
        row = self.find(obj, id)
        with self.org.transaction():
            self.org.delete(obj, row.id, by=HUBSPOT)
            self.org.sql("delete from history where obj = ? and id = ?", (obj, row.id))
            self.org.sql(
                "delete from link where (a_obj = ? and a_id = ?) or (b_obj = ? and b_id = ?)",
                (obj, row.id, obj, row.id),
            )
            self.org.sql("delete from record where obj = ? and id = ?", (obj, row.id))

    def new_id(self, obj: str) -> str:
        id = int(self.org.meta(f"next_id:{obj}", catalog.ID_START[obj] + 1))
        self.org.set_meta(f"next_id:{obj}", id + 1)
        return str(id)

    # -- what HubSpot calculates --

    def count_deals(self, contact: str) -> None:
        deals = self.org.links("contacts", [contact], "deals").get(contact, [])
        live = [d for d in deals if (row := self.org.get("deals", d)) and not row.deleted]
        self.calculate("contacts", contact, {"num_associated_deals": str(len(live)) if live else None})

    def note_activity(self, contact: str) -> None:
        """A logged activity moves the contact's modified date."""
        row = self.org.get("contacts", contact)
        if row is not None:
            count = str(int(row.data.get("num_notes") or 0) + 1)
            self.calculate(
                "contacts", contact, {"num_notes": count, "notes_last_updated": iso(self.org.now())}
            )

    # -- showing --

    def show(
        self,
        obj: str,
        rows: Sequence[Row],
        *,
        properties: Iterable[str] = (),
        history: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        known = self.schema.active(obj)
        asked = list(properties)
        names = [n for n in (asked or catalog.DEFAULT_PROPERTIES.get(obj, ())) if n in known]
        past = self._past(obj, [r.id for r in rows], [n for n in history if n in known]) if history else {}
        return [self._shown(obj, row, names, past.get(row.id, {}) if history else None) for row in rows]

    def everything(self, obj: str, row: Row) -> dict[str, Any]:
        """As the answer to a write: every property that has a value."""
        return self._shown(
            obj, row, [k for k in self.schema.active(obj) if row.data.get(k) is not None], None
        )

    def _shown(self, obj: str, row: Row, names: Sequence[str], past: Any) -> dict[str, Any]:
        created, modified = iso(row.created), iso(row.modified)
        values = {n: row.data.get(n) for n in names}
        values[catalog.created_property(obj)] = created
        values[catalog.modified_property(obj)] = modified
        values["hs_object_id"] = row.id
        shown: dict[str, Any] = {"id": row.id, "properties": values}
        if past is not None:
            shown["propertiesWithHistory"] = past
        shown |= {"createdAt": created, "updatedAt": modified, "archived": row.deleted}
        if row.deleted:
            shown["archivedAt"] = modified
        return shown

    def _past(
        self, obj: str, ids: Sequence[str], names: Sequence[str]
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """id -> property -> its values, newest first; at most meta `history_versions` of each (none: all of them; how
        many the vendor keeps is unverified)."""
        keep = self.org.meta("history_versions")
        past: dict[str, dict[str, list[dict[str, Any]]]] = {i: {} for i in ids}
        wanted = set(names)
        users = {r.id: str(r.data["userId"]) for r in self.org.all("owners", deleted=None)}
        for id, field, at, new, by, via in self.org.sql(
            f"select id, field, at, new, by, via from history where obj = ? and id in ({_marks(ids)})"
            " order by at desc, seq desc",
            [obj, *ids],
        ):
            if field not in wanted:
                continue
            entries = past[id].setdefault(field, [])
            if keep is None or len(entries) < keep:
                value = orjson.loads(new)
                entry = {
                    "value": "" if value is None else str(value),
                    "timestamp": iso(at),
                    "sourceType": SOURCES.get(via, via.upper()),
                }
                if via == "ui":
                    entry["sourceId"] = f"userId:{users.get(by, by)}"
                elif by:
                    entry["sourceId"] = by
                entries.append(entry)
        return past

    # -- checks that look beyond one value --

    def _outside(self, obj: str, definition: Mapping[str, Any] | None) -> set[str]:
        match definition.get("_outside") if definition else None:
            case "owners":
                return {r.id for r in self.org.all("owners")}
            case "stages":
                return set(self.schema.stages(obj))
            case "pipelines":
                return {p["id"] for p in self.schema.pipelines(obj)}
        return set()

    def _stage(self, obj: str, kept: dict[str, str | None], old: Row | None) -> None:
        stage_name, pipeline_name = {
            "deals": ("dealstage", "pipeline"),
            "tickets": ("hs_pipeline_stage", "hs_pipeline"),
        }.get(obj, ("", ""))
        stage = kept.get(stage_name)
        if not stage:
            return
        belongs = self.schema.stages(obj)[stage][0]
        pipeline = kept.setdefault(pipeline_name, old.data.get(pipeline_name) if old else belongs)
        if pipeline != belongs:
            raise invalid_values(
                [
                    Invalid(
                        stage_name, stage, "INVALID_OPTION", f"Stage {stage} is not of pipeline {pipeline}."
                    )
                ]
            )

    def _lifecycle(self, kept: dict[str, str | None], old: Row | None) -> None:
        """Forward only: a step back is left out in silence (whether the vendor refuses it instead is unverified)."""
        new, before = kept.get("lifecyclestage"), old.data.get("lifecyclestage") if old else None
        order = standard.LIFECYCLE_ORDER
        if new and before and order.index(new) < order.index(before):
            del kept["lifecyclestage"]
        elif new == "opportunity" and before != new:
            kept["hs_lifecyclestage_opportunity_date"] = iso(self.org.now() + 1)

    def _unique(
        self, obj: str, definitions: Mapping[str, Any], kept: Mapping[str, str | None], old: Row | None
    ) -> None:
        for name, value in kept.items():
            if value is None or not definitions[name]["hasUniqueValue"]:
                continue
            holder = self.by_unique(obj, name, [value]).get(value)
            if holder is None or (old is not None and holder == old.id):
                continue
            if name == "email":
                raise HubSpotError(409, f"Contact already exists. Existing ID: {holder}", "CONFLICT")
            raise HubSpotError(
                409, f"A record with {name} {value} already exists. Existing ID: {holder}", "CONFLICT",
                context={"propertyName": [name]},
            )  # fmt: skip


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
