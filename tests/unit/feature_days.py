"""Tables for the feature builder, written as days before "now": touch("L1", "page_view", 3) is three days ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from scoring.features import Fact, Inputs, build, connect

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")

FACTS = (
    Fact("email", "text", "Email"),
    Fact("company", "text", "Company"),
    Fact("title", "text", "Title"),
    Fact("industry", "category", "Industry"),
    Fact("employees", "number", "Employees"),
    Fact("annual_revenue", "number", "Annual revenue"),
    Fact("country", "category", "Country"),
    Fact("source", "category", "Lead source"),
    Fact("heard_from", "text", "Heard from"),
    Fact("product_interest", "category", "Product interest"),
    Fact("seats", "number", "Seats wanted"),
    Fact("pilot", "flag", "Wants a pilot"),
    Fact("needed_by", "date", "Needed by"),
)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def touch(lead: str, kind: str, days: float, actor: str = "person", **detail: Any) -> dict[str, Any]:
    return {"lead_id": lead, "kind": kind, "at": ago(days), "actor": actor, **detail}


def change(lead: str, field: str, days: float, value: str | None) -> dict[str, Any]:
    return {"lead_id": lead, "field": field, "at": ago(days), "value": value}


def lead(lead_id: str, days: float = 60, **known: str | None) -> dict[str, Any]:
    return {"lead_id": lead_id, "created_at": ago(days), **known}


def point(lead_id: str, days: float = 0) -> dict[str, Any]:
    return {"lead_id": lead_id, "as_of": ago(days)}


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def inputs(
    leads: Sequence[Mapping[str, Any]],
    activities: Sequence[Mapping[str, Any]] = (),
    changes: Sequence[Mapping[str, Any]] = (),
    points: Sequence[Mapping[str, Any]] | None = None,
) -> Inputs:
    text = pa.string()
    asked = points if points is not None else [point(row["lead_id"]) for row in leads]
    numbered = [{"activity_id": f"A{number:05}", **row} for number, row in enumerate(activities)]
    return Inputs(
        points=table(asked, {"lead_id": text, "as_of": TIME}),
        leads=table(leads, {"lead_id": text, "created_at": TIME, "account_key": text, "email": text}),
        changes=table(changes, {"lead_id": text, "field": text, "at": TIME, "value": text}),
        activities=table(
            numbered,
            {
                **dict.fromkeys(
                    ("activity_id", "lead_id", "kind", "actor", "session", "area", "content"), text
                ),
                **dict.fromkeys(("channel", "subject", "owner_id", "cc"), text),
                "at": TIME,
                "answered": pa.bool_(),
            },
        ),
    )


def built(given: Inputs, facts: Sequence[Fact] = FACTS) -> list[dict[str, Any]]:
    return build(connect(), given, facts).to_pylist()


def by_lead(given: Inputs, facts: Sequence[Fact] = FACTS) -> dict[str, dict[str, Any]]:
    return {row["lead_id"]: row for row in built(given, facts)}
