"""What befell contacts before the account was handed over: merged, archived and restored, each at its time."""

from __future__ import annotations

from collections.abc import Sequence

from connector.playground.hubspot.records import Records
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.times import ms_of
from connector.playground.org import Org, Row
from connector.playground.world.model import Fate


def lay_down(org: Org, fates: Sequence[Fate], ids: dict[str, str]) -> None:
    """`ids` learns the new id of both sides of a merge."""
    if not fates:
        return
    records = Records(org, Schema(org))
    for fate in fates:
        before, by = org.get("contacts", ids[fate.key]), ids.get(fate.by, "")
        assert before is not None
        with org.at(ms_of(fate.at)):
            if fate.kind == "merged":
                kept = org.get("contacts", ids[str(fate.into)])
                assert kept is not None
                made = records.merge("contacts", kept.id, before.id, by=by)
                ids[fate.key] = ids[str(fate.into)] = made.id
                _not_before(org, made.id, max(kept.modified, before.modified))
            elif fate.kind == "deleted":
                records.archive("contacts", before.id, by=by)
            else:
                records.restore("contacts", before.id, by=by)
                _not_before(org, before.id, before.modified)


def _not_before(org: Org, id: str, modified: int) -> None:
    """What was done with the contact later than this is in it already."""
    row: Row | None = org.get("contacts", id)
    if row is not None and row.modified < modified:
        org.load("contacts", [(row.id, row.created, modified, row.data)])
