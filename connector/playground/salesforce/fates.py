"""Merges, deletions and restorations of leads, as a user does them. A loser is deleted and names its master, which only
queryAll shows; what hung on it hangs on the master, or on the contact that the master became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.playground.org import Org, Row
from connector.playground.salesforce import times
from connector.playground.salesforce.errors import Fault, deleted
from connector.playground.world.model import Fate

_LINKS: Mapping[str, str] = {
    "Task": "WhoId", "Event": "WhoId", "EmailMessage": "RelatedToId", "CampaignMember": "LeadId",
    "Web_Activity__c": "Lead__c", "Candor_Review__c": "Candor_Lead__c",
}  # fmt: skip
"""object -> its field that names a lead"""

Hanging = Mapping[str, Sequence[tuple[str, str]]]
"""lead -> (object, id) of what hangs on it"""


def merge(org: Org, loser: Row, master: Row, *, user: str) -> None:
    """Fault where the screen offers no merge: a converted lead can't be merged."""
    if loser.id == master.id:
        raise Fault("INVALID_ID_FIELD", "a record can't be merged with itself")
    if loser.data.get("IsConverted") or master.data.get("IsConverted"):
        raise Fault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    _join(org, loser, master, hanging_on(org, [loser.id]).get(loser.id, ()), user)


def _join(org: Org, loser: Row, master: Row, hanging: Sequence[tuple[str, str]], user: str) -> None:
    """The master keeps its values, and gets the loser's where it has none: what the merge page proposes. [unsourced]"""
    with org.transaction():
        gained = {
            k: v
            for k, v in loser.data.items()
            if v is not None and master.data.get(k) is None and k[0] != "_"
        }
        org.update("Lead", master.id, gained, by=user, via="ui")
        for obj, id in hanging:
            _rehang(org, obj, id, master.id, master.data.get("ConvertedContactId"), user)
        org.delete("Lead", loser.id, by=user, extra={"MasterRecordId": master.id})


def restore(org: Org, lead: Row, *, user: str) -> None:
    if lead.data.get("MasterRecordId"):
        raise deleted()  # a merge can't be undone from the bin
    org.restore("Lead", lead.id, by=user)


def hanging_on(org: Org, leads: Sequence[str]) -> Hanging:
    """Read in one scan of each object, for as many leads as are to be merged."""
    found: dict[str, list[tuple[str, str]]] = {}
    marks = ", ".join("?" * len(leads))
    for obj, link in _LINKS.items():
        for lead, id in org.sql(
            f"select json_extract(data, '$.{link}') as lead, id from record where obj = ? and lead in ({marks}) order by id",
            [obj, *leads],
        ):
            found.setdefault(lead, []).append((obj, id))
    return found


def lay_down(org: Org, fates: Sequence[Fate], known: Mapping[str, str]) -> None:
    """Play what befell leads before the org was handed over, each at its time."""
    losers = [known[fate.key] for fate in fates if fate.kind == "merged"]
    hanging = hanging_on(org, losers) if losers else {}
    for fate in fates:
        lead, user = org.get("Lead", known[fate.key]), known.get(fate.by, "")
        assert lead is not None
        with org.at(times.ms(fate.at)):
            if fate.kind == "merged":
                master = org.get("Lead", known[str(fate.into)])
                assert master is not None
                _join(org, lead, master, hanging.get(lead.id, ()), user)
                # What happened to the master later than the merge stays the last that did.
                _not_before(org, "Lead", master)
            elif fate.kind == "deleted":
                org.delete("Lead", lead.id, by=user)
            else:
                restore(org, lead, user=user)
                _not_before(org, "Lead", lead)


def _rehang(org: Org, obj: str, id: str, master: str, contact: str | None, user: str) -> None:
    row = org.get(obj, id)
    if row is None:
        return
    link = _LINKS[obj]
    moved: dict[str, str | None] = {link: contact or master}
    if obj == "CampaignMember":
        moved = {link: master, "ContactId": contact}
    elif obj == "Web_Activity__c":
        moved = {link: None if contact else master, "Contact__c": contact}
    org.update(obj, id, moved, by=user, via="ui")
    _not_before(org, obj, row)


def _not_before(org: Org, obj: str, before: Row) -> None:
    """A row's time does not go back: laying down history, a later change is already in it."""
    now = org.get(obj, before.id)
    if now is not None and now.modified < before.modified:
        org.load(obj, [(now.id, now.created, before.modified, now.data)])
