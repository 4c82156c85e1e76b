"""How far a stream was read, as the text that the store keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from connector.crm.base import CRMError
from connector.crm.salesforce.fields import moment, stamp
from connector.crm.salesforce.records import Row


@dataclass(frozen=True, slots=True)
class Cursor:
    """`key`: stamp and id of the newest row read (None: there was none yet). `filling`: a backfill stopped here.
    `seen`: fingerprint of the overlap as it was last read; `count`: how many rows it had, where that was counted."""

    key: tuple[datetime, str] | None = None
    filling: bool = False
    seen: str | None = None
    count: int | None = None

    def __str__(self) -> str:
        at, id = self.key if self.key else (None, None)
        body = {
            "at": stamp(at) if at else None,
            "id": id,
            "filling": self.filling or None,
            "seen": self.seen,
            "count": self.count,
        }
        return json.dumps({k: v for k, v in body.items() if v is not None})

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """None: nothing was read yet."""
        if text is None:
            return cls(filling=True)
        try:
            body = json.loads(text)
            key = (moment(body["at"]), str(body["id"])) if body.get("at") else None
            return cls(key, bool(body.get("filling")), body.get("seen"), body.get("count"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CRMError(
                "A stored cursor can't be read.",
                fix="Run `candor backfill` to read that stream from the beginning.",
            ) from None


def fingerprint(rows: list[Row]) -> str:
    """Of the rows' whole content: two readings of the same rows agree, whatever second a change was made in."""
    digest = blake2b(digest_size=12)
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True).encode())
    return digest.hexdigest()
