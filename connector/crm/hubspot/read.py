"""Current values of some fields of some records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.crm.base import FieldMissing, Kind, Value
from connector.crm.hubspot.account import Account
from connector.crm.hubspot.fields import ASSOCIATED, CANDOR, OBJECTS, from_vendor
from connector.crm.hubspot.records import needed, owner, records
from connector.crm.hubspot.rows import batch_read


def read(
    account: Account, kind: Kind, ids: Sequence[str], fields: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """Ids that are gone are absent; so are fields of Candor's that the account doesn't have."""
    if not ids:
        return {}
    if kind == "owner":
        answer = account.api.get("reading owners", account.api.owners(), [("limit", "500")])
        made = [owner(r) for r in answer.get("results") or ()]
        return {r.id: {f: r.values.get(f) for f in fields} for r in made if r.id in set(ids)}
    obj, mapped = OBJECTS[kind], account.fields(kind)
    unknown = [
        f for f in fields if f not in mapped and f not in ASSOCIATED[kind] and not f.startswith(CANDOR)
    ]
    if unknown:
        raise FieldMissing(
            f"No {kind} field {unknown[0]!r} is mapped to a property of {obj}.",
            fix=f"Add it to mapping.{kind} in candor.toml.",
        )
    wanted = [f for f in fields if f in mapped or f in ASSOCIATED[kind]]
    if any(f in ASSOCIATED[kind] for f in wanted):
        rows = batch_read(account.api, obj, ids, needed(account, kind))
        made = [r for r in records(account, kind, rows) if not r.deleted]
        found: dict[str, Mapping[str, Value]] = {r.id: {f: r.values.get(f) for f in wanted} for r in made}
    else:
        definitions = account.properties(obj)
        rows = batch_read(account.api, obj, ids, [mapped[f] for f in wanted])
        found = {
            str(r["id"]): {
                f: from_vendor(f, r["properties"].get(mapped[f]), definitions.get(mapped[f])) for f in wanted
            }
            for r in rows
        }
    return {id: found[id] for id in ids if id in found}
