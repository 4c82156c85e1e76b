"""The recycle bins: what was archived, a page a look.

HubSpot lists an object's bin by id, in no order of time, and a bin keeps 90 days. So each look takes one page of 100 and
goes on where the last one ended, round and round: a bin that fits on one page is seen whole each time. Contacts' bin is
looked into at every pass; the others take turns, deals most often, and deals and companies also whenever a contact
changed, since deleting a deal moves its contacts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector.crm.hubspot.api import Api
from connector.crm.hubspot.cursor import Bin
from connector.crm.hubspot.fields import millis, moment
from connector.crm.hubspot.rows import page

TURNS: dict[str, tuple[int, tuple[int, ...]]] = {
    "contacts": (1, (0,)),
    "deals": (2, (0,)),
    "companies": (4, (1,)),
    "calls": (24, (3,)),
    "emails": (24, (7,)),
    "meetings": (24, (11,)),
    "tickets": (24, (15,)),
    "tasks": (24, (19,)),
    "notes": (24, (23,)),
}
"""object -> (of how many passes, on which). Beside contacts exactly one a pass."""

WITH_CONTACTS = ("deals", "companies")


def due(obj: str, passes: int, *, contacts_changed: bool, taken: bool) -> bool:
    """`taken`: another call has taken this pass's turn."""
    every, on = TURNS[obj]
    turn = passes % every in on and not (taken and obj != "contacts")
    return turn or (contacts_changed and obj in WITH_CONTACTS)


def look(api: Api, obj: str, at: Bin) -> tuple[list[Any], Bin]:
    """The rows of one page that were archived since earlier rounds (some may be told twice), and where we are then."""
    rows, following = page(api, obj, at.after, [], [], archived=True)
    found, newest = [], at.newest
    for row in rows:
        archived = millis(moment(row.get("archivedAt") or row["updatedAt"]))
        newest = max(newest, archived)
        if archived >= at.done:
            found.append(row)
    if following:
        return found, replace(at, after=following, newest=newest)
    # What was archived behind us during a round of several pages is newer than all that the round before met.
    done = max(at.done, newest if at.after is None else at.last)
    return found, Bin(after=None, done=done, newest=0, last=max(newest, at.last))
