"""Reading rows: by id in batches, page by page, and who is associated with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from connector.crm.hubspot.api import Api

Row = Mapping[str, Any]

PAGE, HISTORY_PAGE = 100, 50
"""Records a page and a batch, without and with history (FACTS-hubspot.md §5)."""

ASSOCIATION_BATCH = 1_000
LONGEST_URL = 6_000
"""Characters of an address beyond which GET is not dared: 414 was met at 8,000 (§5)."""


def batch_read(
    api: Api, obj: str, ids: Sequence[str], properties: Sequence[str], history: Sequence[str] = ()
) -> list[Row]:
    """The records that are still there, in no promised order."""
    size = HISTORY_PAGE if history else PAGE
    found: list[Row] = []
    for start in range(0, len(ids), size):
        body: dict[str, Any] = {
            "inputs": [{"id": i} for i in ids[start : start + size]],
            "properties": list(properties),
            "propertiesWithHistory": list(history),
        }
        found.extend(api.ask(f"reading {obj}", api.objects(obj, "/batch/read"), body).get("results") or ())
    return found


def page(
    api: Api,
    obj: str,
    after: str | None,
    properties: Sequence[str],
    history: Sequence[str],
    *,
    archived: bool = False,
) -> tuple[list[Row], str | None]:
    """One page of the whole list in order of id, and where the next begins."""
    names = [("properties", ",".join(properties))] if properties else []
    past = [("propertiesWithHistory", ",".join(history))] if history else []
    short = sum(len(v) for _, v in chain(names, past)) < LONGEST_URL
    query = [("limit", str(HISTORY_PAGE if history and short else PAGE))]
    query += [("after", after)] if after else []
    query += [("archived", "true")] if archived else []
    answer = api.get(f"listing {obj}", api.objects(obj), [*query, *names, *past] if short else query)
    rows: list[Row] = list(answer.get("results") or ())
    following = ((answer.get("paging") or {}).get("next") or {}).get("after")
    if not short:  # the names don't fit into an address: ids first, then their content
        rows = batch_read(api, obj, [r["id"] for r in rows], properties, history)
    return rows, following


def associated(api: Api, obj: str, ids: Sequence[str], to: str) -> dict[str, list[str]]:
    """id -> ids of `to`, the primary one first. Inputs without any come back as errors, which is no error here."""
    found: dict[str, list[str]] = {}
    path = api.associations(obj, to, "read")
    waiting: list[dict[str, str]] = [{"id": i} for i in dict.fromkeys(ids)]
    while waiting:
        batch, waiting = waiting[:ASSOCIATION_BATCH], waiting[ASSOCIATION_BATCH:]
        answer = api.ask(f"reading {to} of {obj}", path, {"inputs": batch})
        for one in answer.get("results") or ():
            id = str(one["from"]["id"])
            others = sorted(one.get("to") or (), key=_not_primary)
            found.setdefault(id, []).extend(str(o["toObjectId"]) for o in others)
            after = ((one.get("paging") or {}).get("next") or {}).get("after")
            if after:
                waiting.append({"id": id, "after": str(after)})
    return found


def _not_primary(one: Mapping[str, Any]) -> bool:
    return not any(str(t.get("label") or "").startswith("Primary") for t in one.get("associationTypes") or ())


def chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
