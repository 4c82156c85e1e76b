"""The gaps in a CRM's own history: from when on it can tell what a lead's fields held. Before that a value is unknown;
today's is no substitute, for it may have been filled in because the deal was won."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select

from connector.errors import SettingsError
from connector.jobs.context import Context
from connector.settings import EVERY_FIELD
from connector.store import schema as t

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def known_since(context: Context) -> Mapping[str, datetime]:
    """Each lead field whose history the CRM keeps -> since when its history shows that it is kept.

    Where the CRM keeps the history of all fields, always. Else from the field's earliest change in any lead's history, or
    from the first reading where there is none, or earlier where candor.toml's crm.tracked_since says so. Raises
    SettingsError when that names a field whose history isn't kept.
    """
    tracked = context.store.get("tracked_fields", [])
    if context.store.get("history_of") == "all fields":
        return dict.fromkeys(tracked, ALWAYS)
    stated = _stated(context, tracked)
    kept = t.change.c
    with context.store.begin() as db:
        earliest = {
            row.field: row.at
            for row in db.execute(
                select(kept.field, func.min(kept.at).label("at"))
                .where(kept.kind == "lead", kept.source == "crm", kept.field.in_(tracked))
                .group_by(kept.field)
            )
        }
    read = context.store.get("first_reading")
    first_reading = context.clock.now() if read is None else datetime.fromisoformat(read)
    return {
        name: min(
            earliest.get(name, first_reading),
            *(stated[key] for key in (name, EVERY_FIELD) if key in stated),
            first_reading,
        )
        for name in tracked
    }


def company_known_since(context: Context) -> Mapping[str, datetime]:
    """The two fields that tell a lead's company -> from when on their changes are known. Before that a lead has the address
    that it was first read with, and no account."""
    since, read = known_since(context), context.store.get("first_reading")
    first_reading = context.clock.now() if read is None else datetime.fromisoformat(read)
    return {name: since.get(name, first_reading) for name in ("email", "account_id")}


def refuse_future(since: date, now: datetime) -> None:
    """Raises SettingsError: nobody keeps a history from a day that is to come."""
    if since > now.date():
        raise SettingsError(
            f"The history of lead fields can't be kept since {since}: that day is to come.",
            fix="Give the day on which the org began to keep it (--tracked-since, crm.tracked_since in candor.toml).",
        )


def _stated(context: Context, tracked: list[str]) -> dict[str, datetime]:
    stated = context.settings.crm.tracked_since
    for name in stated:
        if name != EVERY_FIELD and name not in tracked:
            raise SettingsError(
                f"crm.tracked_since names {name}, whose history the CRM doesn't keep.",
                fix=f"Use {EVERY_FIELD} or one of: {', '.join(sorted(tracked)) or 'none is tracked'}.",
            )
        refuse_future(stated[name], context.clock.now())
    return {name: datetime.combine(day, time(), UTC) for name, day in stated.items()}
