"""Queues as Salesforce keeps them: a Group of type Queue, the objects it may own (QueueSobject), and its members. A
queue's id stands in OwnerId like a user's; only its prefix tells."""

from __future__ import annotations

from collections.abc import Sequence

from connector.playground.org import Org
from connector.playground.salesforce import ids
from connector.playground.world.model import Queue

PREFIX = "00G"


def made(org: Org, queues: Sequence[Queue], known: dict[str, str], at: int) -> None:
    """Store the world's queues of leads; their ids join `known`, which has the members'."""
    for queue in queues:
        (id,), (sobject,) = ids.following(org, PREFIX), ids.following(org, "03g")
        known[queue.key] = id
        name = queue.name.replace(" ", "_")
        org.load("Group", [(id, at, at, {
            "_key": queue.key, "Name": queue.name, "DeveloperName": name, "Type": "Queue",
            "DoesSendEmailToMembers": False})])  # fmt: skip
        org.load("QueueSobject", [(sobject, at, at, {"QueueId": id, "SobjectType": "Lead"})])
        members = [known[key] for key in queue.members if key in known]
        org.load("GroupMember", (
            (row, at, at, {"GroupId": id, "UserOrGroupId": member})
            for row, member in zip(ids.following(org, "011", len(members)), members, strict=True)))  # fmt: skip


def name_of(org: Org, id: str) -> str:
    """The queue's name; nothing for any other id."""
    row = org.get("Group", id)
    return "" if row is None else str(row.data["Name"])
